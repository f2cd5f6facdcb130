"""Texts to ids, with the options of `Tokenizer.encode`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding
    from tokenizers import Tokenizer as Backend


def encode_texts(
    backend: Backend,
    texts: Sequence[str],
    *,
    add_special_tokens: bool,
    eos: int | None,
    max_length: int | None,
) -> list[list[int]]:
    """Returns the ids of every text; see `Tokenizer.encode_batch`.

    Args:
        backend: the tokenizer.
        texts: the texts.
        add_special_tokens: whether the model's tokens go around each text.
        eos: the id that each row ends with, None for whatever it ends with.
        max_length: at most so many ids a row.
    """
    check_texts(texts)
    if max_length is None:
        encodings = backend.encode_batch_fast(list(texts), add_special_tokens=add_special_tokens)
        return [_ended(encoding.ids, eos) for encoding in encodings]
    if max_length < 0:
        raise ValueError(f"max_length must not be negative, got {max_length}")
    # The frame is put around a text after its end was cut off, so that all of it fits.
    frame = backend.encode("", add_special_tokens=add_special_tokens).ids
    room = max_length - len(_ended(frame, eos))
    encodings = backend.encode_batch_fast(list(texts), add_special_tokens=False)
    rows = [_framed(backend, encoding, max(room, 0), add_special_tokens) for encoding in encodings]
    return [_ended(row, eos)[:max_length] for row in rows]


def _framed(backend: Backend, encoding: Encoding, room: int, add_special_tokens: bool) -> list[int]:
    encoding.truncate(room)
    ids: list[int] = backend.post_process(encoding, None, add_special_tokens).ids
    return ids


def _ended(ids: list[int], eos: int | None) -> list[int]:
    return ids if eos is None or ids[-1:] == [eos] else [*ids, eos]


def check_texts(texts: Sequence[str]) -> None:
    """Checks that every text is a string that can be encoded.

    Raises:
        TypeError: one is not a string, or `texts` is one itself.
        ValueError: one holds a lone surrogate.
    """
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, got one string; use encode for it")
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, got {type(text).__name__}")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    "text must not hold lone surrogates; clean it with "
                    "text.encode('utf-8', 'replace').decode()"
                ) from None
