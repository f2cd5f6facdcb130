"""The tokens of a request, where its processors see them before Python does."""

from __future__ import annotations

import mlxc as mx


class TokenHistory:
    """The tokens a request has read or drawn, in one growing buffer on the device.

    Drawn tokens join it while they are still being computed. Adding one costs the same however
    many there are, and `truncate` takes back those that were drawn in vain.
    """

    STEP = 256

    def __init__(self) -> None:
        self._buffer: mx.array | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, tokens: mx.array) -> None:
        """Add ids, integers `(L,)`, which need not be evaluated."""
        end = self._length + tokens.size
        if self._buffer is None or end > self._buffer.size:
            room = mx.zeros((-(-end // self.STEP) * self.STEP - self._length,), mx.uint32)
            self._buffer = (
                room
                if self._buffer is None
                else mx.concatenate([self._buffer[: self._length], room])
            )
        self._buffer[self._length : end] = tokens
        self._length = end

    def truncate(self, length: int) -> None:
        """Forget what lies beyond the first `length` tokens."""
        self._length = min(length, self._length)

    @property
    def tokens(self) -> mx.array:
        """All ids, uint32 `(L,)`."""
        if self._buffer is None:
            return mx.zeros((0,), mx.uint32)
        return self._buffer[: self._length]
