"""A tokenizer from a SentencePiece `tokenizer.model` alone.

The file is a protobuf message with the pieces, the kind of model and how text is prepared. It is
read here, field by field, and becomes a backend of the `tokenizers` library: so nothing has to be
installed for it, no foreign parser sees the file, and streaming, batches and special tokens work
as they do for every other tokenizer.

Source: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from ..errors import FormatError, UnsupportedError
from .frame import frame
from .parts import Parts
from .pieces import BYTE, CONTROL, NORMAL, UNKNOWN, Piece, TextRules, pieces_backend
from .protobuf import blob, fields, message, number, single, text

MAX_PIECES = 2_000_000
_UNIGRAM, _BPE = 1, 2


@dataclass
class SentencePieceModel:
    """What a model file says, with the defaults of the format."""

    pieces: list[Piece] = field(default_factory=list)
    model_type: int = _UNIGRAM
    suffix_spaces: bool = False
    ids: dict[str, int] = field(
        default_factory=lambda: {"unk_token": 0, "bos_token": 1, "eos_token": 2, "pad_token": -1}
    )
    charsmap: bytes = b""
    prefix_space: bool = True
    collapse_spaces: bool = True
    escape_spaces: bool = True
    denormalized: bool = False


def parse_model(data: bytes) -> SentencePieceModel:
    """Reads the bytes of a model file.

    Raises:
        FormatError: they are not such a file, or contradict themselves.
    """
    model = SentencePieceModel()
    for key, value in fields(memoryview(data)):
        if key == 1:
            model.pieces.append(_piece(message(value)))
        elif key == 2:
            _read_trainer(model, message(value))
        elif key == 3:
            _read_normalizer(model, message(value))
        elif key == 5:
            model.denormalized = any(k == 2 and blob(v) for k, v in fields(message(value)))
    if not 0 < len(model.pieces) <= MAX_PIECES:
        raise FormatError(
            f"a SentencePiece model must have 1 to {MAX_PIECES} pieces, got {len(model.pieces)}; "
            "download it again"
        )
    return model


def sentencepiece_parts(
    data: bytes,
    *,
    add_bos: bool | None = None,
    add_eos: bool = False,
    space: Literal["first", "each"] = "first",
) -> Parts:
    """Builds the tokenizer of a model file; see `Tokenizer.from_file`.

    Args:
        data: the bytes of the file.
        add_bos: whether texts begin with the beginning-of-sequence token; by default, if the
            model has one.
        add_eos: whether texts end with the end-of-sequence token.
        space: where the space in front goes, if the model puts one; see `TextRules`.

    Raises:
        FormatError: the file is damaged.
        UnsupportedError: the model is of a kind that is not known here.
    """
    model = parse_model(data)
    if model.model_type not in (_UNIGRAM, _BPE):
        raise UnsupportedError(
            f"SentencePiece model type {model.model_type} is not known; known are 1 (unigram) "
            "and 2 (BPE)"
        )
    if model.suffix_spaces or not model.escape_spaces or model.denormalized:
        raise UnsupportedError(
            "SentencePiece models with spaces at the ends of words, unescaped spaces or a "
            "denormalizer are not known here; use one without"
        )
    special = {
        role: index
        for role, index in model.ids.items()
        if 0 <= index < len(model.pieces) and model.pieces[index].kind in (UNKNOWN, CONTROL)
    }
    rules = TextRules(
        space=space if model.prefix_space else "none",
        charsmap=model.charsmap,
        collapse_spaces=model.collapse_spaces,
    )
    unknown = next((i for i, piece in enumerate(model.pieces) if piece.kind == UNKNOWN), None)
    backend = pieces_backend(
        model.pieces, rules, unigram=model.model_type == _UNIGRAM, unknown=unknown
    )
    first, last = special.get("bos_token"), special.get("eos_token")
    frame(backend, first=first if add_bos is not False else None, last=last if add_eos else None)
    return Parts(
        backend,
        {role: model.pieces[index].text for role, index in special.items()},
        set() if last is None else {last},
    )


def _piece(data: memoryview) -> Piece:
    spelling, score, kind = "", 0.0, NORMAL
    for key, value in fields(data):
        if key == 1:
            spelling = text(value)
        elif key == 2:
            score = single(value)
        elif key == 3:
            kind = number(value)
    if not spelling or not isfinite(score) or not NORMAL <= kind <= BYTE:
        raise FormatError(
            f"a SentencePiece piece must have a text, a finite score and a known type, got "
            f"{spelling[:40]!r}, {score}, {kind}; download the model again"
        )
    return Piece(spelling, score, kind)


def _read_trainer(model: SentencePieceModel, data: memoryview) -> None:
    roles = {40: "unk_token", 41: "bos_token", 42: "eos_token", 43: "pad_token"}
    for key, value in fields(data):
        if key == 3:
            model.model_type = number(value)
        elif key == 24:
            model.suffix_spaces = bool(number(value))
        elif key in roles:
            model.ids[roles[key]] = number(value)


def _read_normalizer(model: SentencePieceModel, data: memoryview) -> None:
    for key, value in fields(data):
        if key == 2:
            model.charsmap = blob(value)
        elif key == 3:
            model.prefix_space = bool(number(value))
        elif key == 4:
            model.collapse_spaces = bool(number(value))
        elif key == 5:
            model.escape_spaces = bool(number(value))
