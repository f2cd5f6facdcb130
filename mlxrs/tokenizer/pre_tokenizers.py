"""How byte-level BPE tokenizers split text before merging, by the names GGUF files use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer
    from tokenizers.pre_tokenizers import PreTokenizer


@dataclass(frozen=True)
class ByteLevelRules:
    """What a pre-tokenizer name stands for.

    Attributes:
        pre_tokenizer: makes the splitter.
        nfc: whether text is first composed (Unicode NFC).
        ignore_merges: whether a piece that is a token as a whole is taken without merging.
        add_bos: whether a text begins with the beginning-of-sequence token, unless the file says
            otherwise.
    """

    pre_tokenizer: Callable[[], PreTokenizer]
    nfc: bool = False
    ignore_merges: bool = False
    add_bos: bool = False

    def normalizer(self) -> Normalizer | None:
        """Returns the normalizer, None if text is taken as it is."""
        from tokenizers.normalizers import NFC

        return NFC() if self.nfc else None


def _gpt2() -> PreTokenizer:
    from tokenizers.pre_tokenizers import ByteLevel

    return ByteLevel(add_prefix_space=False, use_regex=True)


def _single_digits() -> PreTokenizer:
    from tokenizers.pre_tokenizers import Digits, Sequence

    return Sequence([Digits(individual_digits=True), _gpt2()])


def _by_words(digits: str) -> PreTokenizer:
    """Splits into words, runs of `digits`, punctuation and blanks, with any case of 's, 't, ...."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
        r"|[^\r\n\p{L}\p{N}]?\p{L}+"
        rf"|{digits}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+"
        r"|\s+(?!\S)"
        r"|\s+"
    )
    split = Split(Regex(pattern), behavior="isolated")
    return Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])


def _llama3() -> PreTokenizer:
    return _by_words(r"\p{N}{1,3}")


def _qwen2() -> PreTokenizer:
    return _by_words(r"\p{N}")


PRE_TOKENIZERS: dict[str, ByteLevelRules] = {
    "default": ByteLevelRules(_gpt2),
    "gpt-2": ByteLevelRules(_gpt2),
    "llama-bpe": ByteLevelRules(_llama3, ignore_merges=True, add_bos=True),
    "qwen2": ByteLevelRules(_qwen2, nfc=True),
    "smollm": ByteLevelRules(_single_digits),
}
