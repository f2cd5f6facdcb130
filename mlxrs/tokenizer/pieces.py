"""Backends of SentencePiece vocabularies: text in which "▁" stands for a space.

The vocabulary of a `tokenizer.model` or a GGUF file holds pieces with scores. BPE joins the
neighbours whose union has the best score; unigram takes the split with the best sum of scores.
Source: https://github.com/google/sentencepiece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import FormatError
from .charsmap import check_charsmap
from .merges import merges_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend
    from tokenizers.models import Model
    from tokenizers.normalizers import Normalizer

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

MARK = "▁"


@dataclass(frozen=True)
class Piece:
    """One entry of the vocabulary; its id is its place.

    Attributes:
        text: as the vocabulary spells it.
        score: the better a piece, the higher.
        kind: `NORMAL`, `UNKNOWN`, `CONTROL`, `USER_DEFINED`, `UNUSED` or `BYTE`.
    """

    text: str
    score: float
    kind: int


@dataclass(frozen=True)
class TextRules:
    """What happens to a text before it is looked up.

    Attributes:
        space: where a space is put in front: before the first word of a text ("first"), also
            behind every special token ("each"), or nowhere ("none").
        charsmap: a compiled map of characters, empty for none.
        collapse_spaces: whether spaces are dropped at both ends and runs of them become one.
    """

    space: Literal["first", "each", "none"] = "first"
    charsmap: bytes = b""
    collapse_spaces: bool = False


def pieces_backend(
    pieces: list[Piece], rules: TextRules, *, unigram: bool, unknown: int | None
) -> Backend:
    """Returns a backend for a vocabulary of pieces.

    Args:
        pieces: the vocabulary.
        rules: how text is prepared.
        unigram: whether the model is unigram; else it is BPE.
        unknown: the id for what has no piece and no bytes either.

    Raises:
        FormatError: pieces are not unique, or the model refuses them.
    """
    model = _unigram(pieces, unknown) if unigram else _bpe(pieces, unknown)
    return marked_backend(model, rules, [(piece.text, piece.kind) for piece in pieces])


def marked_backend(model: Model, rules: TextRules, kinds: list[tuple[str, int]]) -> Backend:
    """Returns a backend around `model` whose tokens spell a space as "▁".

    Args:
        model: of the `tokenizers` library.
        rules: how text is prepared.
        kinds: text and kind of every token.
    """
    import tokenizers
    from tokenizers import decoders
    from tokenizers.pre_tokenizers import Metaspace, Sequence

    backend = tokenizers.Tokenizer(model)
    backend.normalizer = _normalizer(rules)
    if rules.space == "first" and not rules.collapse_spaces:
        # Metaspace puts nothing before its own mark: as " " it never meets one, all are "▁" now.
        backend.pre_tokenizer = Sequence(
            [
                Metaspace(" ", prepend_scheme="first", split=False),
                Metaspace(MARK, prepend_scheme="never", split=False),
            ]
        )
    steps = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    if rules.space != "none":
        steps.append(decoders.Strip(" ", 1, 0))
    backend.decoder = decoders.Sequence(steps)
    add_special_tokens(backend, kinds)
    return backend


def add_special_tokens(backend: Backend, kinds: list[tuple[str, int]]) -> None:
    """Registers the tokens that are found in a text before it is split."""
    from tokenizers import AddedToken

    backend.add_tokens(
        [
            AddedToken(text, special=kind != USER_DEFINED, normalized=False)
            for text, kind in kinds
            if kind in (UNKNOWN, CONTROL, USER_DEFINED) and text
        ]
    )


def _normalizer(rules: TextRules) -> Normalizer:
    from tokenizers import Regex, normalizers

    steps: list[Normalizer] = []
    if rules.charsmap:
        check_charsmap(rules.charsmap)
        steps.append(normalizers.Precompiled(rules.charsmap))
    if rules.collapse_spaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    # Where spaces were dropped at the start, the library takes no word for the first one.
    if rules.space == "each" or rules.space == "first" and rules.collapse_spaces:
        steps.append(normalizers.Prepend(MARK))
    steps.append(normalizers.Replace(" ", MARK))
    return normalizers.Sequence(steps)


def _bpe(pieces: list[Piece], unknown: int | None) -> Model:
    from tokenizers.models import BPE

    vocabulary = {piece.text: index for index, piece in enumerate(pieces)}
    if len(vocabulary) != len(pieces):
        raise FormatError(
            f"the pieces of a vocabulary must be unique, got {len(pieces) - len(vocabulary)} twice;"
            " the file is damaged: download it again"
        )
    merged = [piece for piece in pieces if piece.kind in (NORMAL, USER_DEFINED)]
    merged.sort(key=lambda piece: -piece.score)
    return BPE(
        vocabulary,
        merges_of(piece.text for piece in merged),
        unk_token=None if unknown is None else pieces[unknown].text,
        fuse_unk=True,
        byte_fallback=True,
    )


def _unigram(pieces: list[Piece], unknown: int | None) -> Model:
    from tokenizers.models import Unigram

    if unknown is None:
        raise FormatError(
            "a unigram vocabulary must have an unknown piece, got none; the file is damaged: "
            "download it again"
        )
    return Unigram(
        [(piece.text, piece.score) for piece in pieces],
        unk_id=unknown,
        byte_fallback=any(piece.kind == BYTE for piece in pieces),
    )
