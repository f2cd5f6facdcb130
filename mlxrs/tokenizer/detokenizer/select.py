"""Which detokenizer fits a tokenizer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .base import StreamingDetokenizer
from .bpe import BpeDetokenizer
from .naive import NaiveDetokenizer
from .spm import SpmDetokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_SPM = [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"},
    {"type": "Fuse"},
]
_STRIP_FIRST_SPACE = {"type": "Strip", "content": " ", "start": 1, "stop": 0}


def detokenizer_for(backend: Backend) -> StreamingDetokenizer:
    """Returns a new detokenizer that fits the decoder of `backend`."""
    decoder = {} if backend.decoder is None else json.loads(backend.decoder.__getstate__())
    if decoder.get("type") == "ByteLevel":
        return BpeDetokenizer(backend)
    steps = decoder.get("decoders")
    if steps == _SPM:
        return SpmDetokenizer(backend, strip_first_space=False)
    if steps == [*_SPM, _STRIP_FIRST_SPACE]:
        return SpmDetokenizer(backend, strip_first_space=True)
    return NaiveDetokenizer(backend)
