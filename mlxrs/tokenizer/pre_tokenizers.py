"""How byte-level BPE tokenizers split text before merging, by the names GGUF files use.

A rule is a chain of patterns: each splits the pieces of the one before it, so that every match
becomes a piece of its own. Patterns are those of the models' own tokenizers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer
    from tokenizers.pre_tokenizers import PreTokenizer


@dataclass(frozen=True)
class ByteLevelRules:
    """What a pre-tokenizer name stands for.

    Attributes:
        patterns: regular expressions, applied one after the other.
        nfc: whether text is first composed (Unicode NFC).
        ignore_merges: whether a piece that is a token as a whole is taken without merging.
        add_bos: whether a text begins with the beginning-of-sequence token, unless the file says
            otherwise.
    """

    patterns: tuple[str, ...]
    nfc: bool = False
    ignore_merges: bool = False
    add_bos: bool = False

    def normalizer(self) -> Normalizer | None:
        """Returns the normalizer, None if text is taken as it is."""
        from tokenizers.normalizers import NFC

        return NFC() if self.nfc else None

    def pre_tokenizer(self) -> PreTokenizer:
        """Returns the splitter, which ends in the 256 letters of byte-level BPE."""
        return byte_level_splitter(self.patterns)


def byte_level_splitter(patterns: tuple[str, ...]) -> PreTokenizer:
    """Returns a splitter by `patterns` whose pieces are spelled in byte letters."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    splits = [Split(Regex(pattern), behavior="isolated") for pattern in patterns]
    return Sequence([*splits, ByteLevel(add_prefix_space=False, use_regex=False)])


_SHORT_FORMS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def _words(digits: str, *, head: str = _SHORT_FORMS, letters: str = r"\p{L}") -> str:
    """Short forms, words, runs of `digits`, punctuation up to its line ends, and blanks."""
    word = rf"[^\r\n\p{{L}}\p{{N}}]?[{letters}]+"
    return rf"{head}|{word}|{digits}| ?[^\s{letters}\p{{N}}]+[\r\n]*{_BLANKS}"


def _cased_words(digits: str, *, short_forms: str, unless: str = "", line_ends: str = "/") -> str:
    """Words that begin a new piece where small letters are followed by capitals."""
    # The subtraction must surround the set, because it binds weaker than what stands beside it.
    upper = rf"[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}{unless}]"
    lower = rf"[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}{unless}]"
    head = r"[^\r\n\p{L}\p{N}]?"
    return (
        rf"{head}{upper}*{lower}+{short_forms}|{head}{upper}+{lower}*{short_forms}"
        rf"|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n{line_ends}]*{_BLANKS}"
    )


CL100K = _words(r"\p{N}{1,3}")
QWEN = _words(r"\p{N}")
QWEN_MARKS = _words(r"\p{N}", letters=r"\p{L}\p{M}")
O200K = _cased_words(r"\p{N}{1,3}", short_forms=f"{_SHORT_FORMS}?")
_YOUTU = _cased_words(r"\p{N}", short_forms=f"{_SHORT_FORMS}?")
TEKKEN = _cased_words(r"\p{N}", short_forms="")

_PUNCTUATED_WORDS = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    rf"| ?[\p{{P}}\p{{S}}]+[\r\n]*{_BLANKS}"
)
_FALCON = (r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]")
_UNNAMED = (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]")
_BLOOM = " ?[^(\\s|.,!?…。，、।۔،)]+"
_DEEPSEEK_MARKS = "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+"
_HAN = "[一-龥ࠀ-一가-\ud7ff]+"
_HAN_KANA = "[一-龥\u3040-ゟ゠-ヿ]+"
# The cased letters of Unicode 9: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee and others.
_DEEPSEEK_LETTERS = (
    "\\s?["
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af"
    "\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1"
    "\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd"
    "\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d"
    "\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4"
    "\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec"
    "\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128"
    "\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b"
    "\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787"
    "\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
    "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+"
)
_AFMOE_SCRIPTS = (
    "[\u4e00-\u9fff\u3400-\u4dbf\u8c48-\ufaff\u3040-\u30ff\uff65-\uff9f\u2f00-\u2fdf"
    "\u0e40-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+"
)
_HANGUL_KANA_MARKS = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥\u3040-ゟ゠-ヿ]+"
_THREES_FROM_THE_RIGHT = r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"
_LINES = r"[^\n]+|[\n]+"
_SEED = (
    rf"{_SHORT_FORMS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+{_BLANKS}"
)
_BAILING = (
    r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
_EXAONE_PHRASES = (
    rf"{_SHORT_FORMS}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
)
_POWERS_OF_TWO = "|".join(rf"\s{{{2**n}}}(?!\S)" for n in range(9, 1, -1))
_JAIS2 = CL100K.removesuffix(r"\s+(?!\S)|\s+") + rf"{_POWERS_OF_TWO}|\s{{1,2}}(?!\S)|\s"
_CHAMELEON = (
    "<sentinel:[0-9]+>",
    "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    r"([\t\n]|    |  )",
    r"\p{N}",
    r"[\p{P}!-/:-@\[-`{-~]",
    GPT2,
)
_KIMI = _cased_words(
    r"\p{N}{1,3}", short_forms=f"{_SHORT_FORMS}?", unless=r"&&[^\p{Han}]", line_ends=""
)

_GROUPS: list[tuple[str, ByteLevelRules]] = [
    ("default", ByteLevelRules(_UNNAMED)),
    (
        "gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat modern-bert exaone4 mellum "
        "jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe a.x-4.0",
        ByteLevelRules((GPT2,)),
    ),
    (
        "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
        ByteLevelRules((r"\p{N}", GPT2)),
    ),
    ("falcon", ByteLevelRules(_FALCON)),
    ("superbpe", ByteLevelRules((r"\p{N}+", r"(?=(\d{3})+(?!\d))"))),
    ("bloom poro-chat gpt3-finnish", ByteLevelRules((_BLOOM,))),
    ("viking", ByteLevelRules((_BLOOM, r"\p{N}"))),
    ("chameleon", ByteLevelRules(_CHAMELEON, add_bos=True)),
    (
        "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
        ByteLevelRules((CL100K,), ignore_merges=True, add_bos=True),
    ),
    ("dbrx smaug-bpe glm4 chatglm-bpe glm5", ByteLevelRules((CL100K,))),
    ("minicpm5", ByteLevelRules((r"\p{N}{1,3}", CL100K))),
    ("jais-2", ByteLevelRules((_JAIS2,))),
    ("qwen2 deepseek-r1-qwen kormo f2llmv2", ByteLevelRules((QWEN,), nfc=True)),
    ("qwen35", ByteLevelRules((QWEN_MARKS,))),
    ("stablelm2 megrez hunyuan grok-2 solar-open", ByteLevelRules((QWEN,))),
    ("ufakzeka", ByteLevelRules((QWEN.removeprefix(f"{_SHORT_FORMS}|"),))),
    ("bailingmoe bailingmoe2 llada-moe", ByteLevelRules((_BAILING,))),
    ("seed-coder", ByteLevelRules((_SEED,))),
    ("laguna", ByteLevelRules((_LINES, _SEED))),
    ("exaone-moe", ByteLevelRules((_EXAONE_PHRASES,))),
    (
        "gpt-4o llama4 kanana2 minimax-m2 talkie granite-embed-multi-97m",
        ByteLevelRules((O200K,)),
    ),
    ("tiny_aya", ByteLevelRules((_THREES_FROM_THE_RIGHT, O200K))),
    ("youtu", ByteLevelRules((_HANGUL_KANA_MARKS, _YOUTU), ignore_merges=True)),
    ("kimi-k2", ByteLevelRules((r"\p{Han}+", _KIMI))),
    ("tekken", ByteLevelRules((TEKKEN,), ignore_merges=True, add_bos=True)),
    (
        "deepseek-llm",
        ByteLevelRules(
            (r"[\r\n]", _DEEPSEEK_LETTERS, _DEEPSEEK_MARKS, r"\s+$", _HAN, r"\p{N}+"),
        ),
    ),
    (
        "deepseek-coder",
        ByteLevelRules((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _HAN, r"\p{N}")),
    ),
    (
        "deepseek-v3 hunyuan-dense joyai-llm",
        ByteLevelRules((r"\p{N}{1,3}", _HAN_KANA, _PUNCTUATED_WORDS)),
    ),
    (
        "afmoe",
        ByteLevelRules((_THREES_FROM_THE_RIGHT, _AFMOE_SCRIPTS, _PUNCTUATED_WORDS)),
    ),
]

PRE_TOKENIZERS: dict[str, ByteLevelRules] = {
    name: rules for names, rules in _GROUPS for name in names.split()
}
