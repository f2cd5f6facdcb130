"""Which detokenizer fits a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .base import StreamingDetokenizer
from .bpe import BpeDetokenizer, ByteLevelTable
from .naive import KnownTable, NaiveDetokenizer
from .spm import PieceTable, SpmDetokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_SPM = [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
]
_STRIP_FIRST_SPACE = {"type": "Strip", "content": " ", "start": 1, "stop": 0}


def detokenizers_for(
    backend: Backend, *, skip_special_tokens: bool = False
) -> Callable[[], StreamingDetokenizer]:
    """Returns what makes detokenizers that fit the decoder of `backend` and share one table."""
    decoder = {} if backend.decoder is None else json.loads(backend.decoder.__getstate__())
    steps = decoder.get("decoders", [decoder])
    if len(steps) == 1 and steps[0].get("type") == "ByteLevel":
        return partial(
            BpeDetokenizer, ByteLevelTable(backend, skip_special_tokens=skip_special_tokens)
        )
    if steps in (_SPM, [*_SPM, _STRIP_FIRST_SPACE]):
        return partial(
            SpmDetokenizer,
            PieceTable(backend, skip_special_tokens=skip_special_tokens),
            strip_first_space=len(steps) > len(_SPM),
        )
    return partial(
        NaiveDetokenizer, KnownTable(backend, skip_special_tokens=skip_special_tokens), backend
    )
