"""A tokenizer from the metadata of a GGUF file.

The file tells the vocabulary and, for BPE, the merges; of how text is split before that it gives
only a name, so the rules behind the names are written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, UnsupportedError
from .chat_template import ChatTemplates
from .pre_tokenizers import PRE_TOKENIZERS, ByteLevelRules
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_PREFIX = "tokenizer.ggml."
_TEMPLATE = "tokenizer.chat_template"

_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4  # token types; 1 is normal, 5 unused, 6 a byte

_SPECIAL_IDS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "sep_token": "seperator_token_id",  # spelled so in the format
    "pad_token": "padding_token_id",
}
_END_IDS = ("eos_token_id", "eot_token_id", "eom_token_id")


def build_tokenizer(metadata: Mapping[str, object]) -> Tokenizer:
    """Builds the tokenizer of a GGUF file; see `Tokenizer.from_gguf`."""
    fields = _Fields(metadata)
    model = fields.text("model")
    if model != "gpt2":
        raise UnsupportedError(f"tokenizer model {model[:40]!r} is not known; known is: gpt2")
    name = fields.text("pre", "default")
    if name not in PRE_TOKENIZERS:
        known = ", ".join(sorted(PRE_TOKENIZERS))
        raise UnsupportedError(f"pre-tokenizer {name[:40]!r} is not known; known are: {known}")
    tokens = fields.tokens()
    special_tokens = {
        role: tokens[token_id]
        for role, key in _SPECIAL_IDS.items()
        if (token_id := fields.token_id(key)) is not None
    }
    return Tokenizer(
        _byte_level_backend(fields, PRE_TOKENIZERS[name]),
        special_tokens=special_tokens,
        eos_token_ids={
            token_id for key in _END_IDS if (token_id := fields.token_id(key)) is not None
        },
        chat_templates=ChatTemplates(_templates(metadata)),
    )


class _Fields:
    """Typed, checked access to the `tokenizer.ggml.` metadata."""

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self._metadata = metadata
        self._vocabulary_size = len(self.tokens())

    def text(self, key: str, default: str | None = None) -> str:
        value = self._metadata.get(_PREFIX + key, default)
        if not isinstance(value, str):
            raise _damaged(key, "a string", value)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._metadata.get(_PREFIX + key, default)
        if not isinstance(value, bool):
            raise _damaged(key, "true or false", value)
        return value

    def tokens(self) -> list[str]:
        return self._strings("tokens")

    def merges(self) -> list[tuple[str, str]]:
        merges: list[tuple[str, str]] = []
        for text in self._strings("merges"):
            left, _, right = text.partition(" ")
            if not left or not right:
                raise _damaged("merges", "pairs of tokens", text)
            merges.append((left, right))
        return merges

    def token_types(self) -> list[int]:
        value = self._metadata.get(_PREFIX + "token_type", [1] * self._vocabulary_size)
        if not isinstance(value, list) or len(value) != self._vocabulary_size:
            raise _damaged("token_type", f"a list of {self._vocabulary_size} numbers", value)
        return value

    def token_id(self, key: str) -> int | None:
        value = self._metadata.get(_PREFIX + key)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value < self._vocabulary_size:
            raise _damaged(key, f"a token id below {self._vocabulary_size}", value)
        return value

    def _strings(self, key: str) -> list[str]:
        value = self._metadata.get(_PREFIX + key)
        if not isinstance(value, list) or not value or type(value[0]) is not str:
            raise _damaged(key, "a list of strings", value)
        return value


def _damaged(key: str, rule: str, value: object) -> FormatError:
    return FormatError(
        f"metadata {_PREFIX}{key} must be {rule}, got {str(value)[:80]!r}; "
        "the GGUF file is damaged or has no tokenizer: convert the model again"
    )


def _byte_level_backend(fields: _Fields, rules: ByteLevelRules) -> Backend:
    import tokenizers
    from tokenizers import decoders, models

    tokens = fields.tokens()
    vocabulary = {token: index for index, token in enumerate(tokens)}
    if len(vocabulary) != len(tokens):
        raise _damaged("tokens", "unique", f"{len(tokens) - len(vocabulary)} tokens twice")
    try:
        model = models.BPE(vocabulary, fields.merges(), ignore_merges=rules.ignore_merges)
    except Exception as error:  # the library raises nothing narrower
        raise _damaged("merges", "pairs of the vocabulary", error) from error
    backend = tokenizers.Tokenizer(model)
    backend.normalizer = rules.normalizer()
    backend.pre_tokenizer = rules.pre_tokenizer()
    backend.decoder = decoders.ByteLevel()
    _add_special_tokens(backend, tokens, fields.token_types())
    _frame(backend, fields, tokens, rules)
    return backend


def _add_special_tokens(backend: Backend, tokens: list[str], types: list[int]) -> None:
    """Registers the tokens that are found in a text before it is split."""
    from tokenizers import AddedToken

    added = [
        AddedToken(token, special=kind != _USER_DEFINED, normalized=False)
        for token, kind in zip(tokens, types, strict=True)
        if kind in (_UNKNOWN, _CONTROL, _USER_DEFINED) and token
    ]
    backend.add_tokens(added)


def _frame(backend: Backend, fields: _Fields, tokens: list[str], rules: ByteLevelRules) -> None:
    """Puts the tokens that begin and end every sequence around a text."""
    from tokenizers.processors import TemplateProcessing

    bos = fields.token_id("bos_token_id") if fields.flag("add_bos_token", rules.add_bos) else None
    eos = fields.token_id("eos_token_id") if fields.flag("add_eos_token", False) else None
    if bos is None and eos is None:
        return
    # The template has names of its own, as a token's text may hold characters it reserves.
    pieces: list[Any] = [*(["BOS"] if bos is not None else []), "$A"]
    pieces += ["EOS"] if eos is not None else []
    named = [("BOS", bos), ("EOS", eos)]
    backend.post_processor = TemplateProcessing(
        single=pieces,
        special_tokens=[
            {"id": name, "ids": [token_id], "tokens": [tokens[token_id]]}
            for name, token_id in named
            if token_id is not None
        ],
    )


def _templates(metadata: Mapping[str, object]) -> dict[str, str]:
    keys = {"default": _TEMPLATE, "tool_use": f"{_TEMPLATE}.tool_use"}
    templates: dict[str, str] = {}
    for name, key in keys.items():
        value = metadata.get(key)
        if isinstance(value, str):
            templates[name] = value
    return templates
