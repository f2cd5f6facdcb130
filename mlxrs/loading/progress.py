"""A download bar on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, TextIO

_WIDTH = 30


class ProgressBar:
    """Draws how much of a download is done; draws nothing where nobody watches a terminal.

    Args:
        label: the text before the bar.
        stream: where to draw; standard error by default.

    Example:
        >>> with ProgressBar("smollm2-135m-instruct") as bar:
        ...     pull("smollm2-135m-instruct", progress=bar)
    """

    def __init__(self, label: str, *, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._visible = self._stream.isatty()
        self._line = ""

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        """Draws the bar at `done_bytes` of `total_bytes`."""
        share = min(done_bytes / total_bytes, 1.0) if total_bytes > 0 else 0.0
        bar = "#" * round(share * _WIDTH)
        megabytes = f"{done_bytes / 1e6:.0f}/{total_bytes / 1e6:.0f} MB"
        line = f"{self._label} [{bar:<{_WIDTH}}] {share:4.0%} {megabytes}"
        if self._visible and line != self._line:
            # Blanks cover what is left of a longer line before.
            self._stream.write(f"\r{line:<{len(self._line)}}")
            self._stream.flush()
            self._line = line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._line:
            self._stream.write("\n")
            self._stream.flush()
