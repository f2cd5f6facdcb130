"""Many replies at once: prompts are read beside running rows, and rows come and go.

A prompt is read in chunks (`reading`), of a common beginning once; then its row joins those that
are decoded together (`decoding`), where each has settings, random keys, constraint and stop strings
of its own (`choosing`). What a row says does not depend on the others.
"""

from .decoding import RowEvent
from .generate import batch_generate, batch_stream_generate
from .generator import BatchGenerator

__all__ = ["BatchGenerator", "RowEvent", "batch_generate", "batch_stream_generate"]
