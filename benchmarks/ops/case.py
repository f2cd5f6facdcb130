"""One operation to be timed, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import perf_counter

LEAST = 0.02
RUNS = 7
PATIENCE = 0.2  # seconds after which a time is not measured again


@dataclass(frozen=True)
class Case:
    """An operation of one shape.

    Attributes:
        section: what it belongs to.
        name: operation, types and shape.
        unit: "GB/s" where reading bounds it, "GFLOP/s" where computing does, "µs" for what is so
            small that its call counts.
        work: bytes moved, in GB, or operations, in GFLOP; not counted in µs.
        ours: makes the lazy result.
        mlx: the same for MLX's own operation, where another size must do; `mlx_work` is its work.
        numpy: the same in numpy, computed at once.
        beyond_caches: whether each call reads more than the caches hold.
    """

    section: str
    name: str
    unit: str
    work: float
    ours: Callable[[], object]
    mlx: Callable[[], object] | None = None
    mlx_work: float = 0
    numpy: Callable[[], object] | None = None
    beyond_caches: bool = False

    def rate(self, seconds: float, work: float) -> float:
        return seconds * 1e6 if self.unit == "µs" else work / seconds

    def ours_rate(self) -> float:
        return self.rate(lazy_seconds(self.ours), self.work)

    def mlx_rate(self) -> float:
        if self.mlx is None:
            return self.rate(lazy_seconds(self.ours), self.work)
        return self.rate(lazy_seconds(self.mlx), self.mlx_work)

    def numpy_rate(self) -> float | None:
        return self.rate(best(self.numpy), self.work) if self.numpy else None


def lazy_seconds(make: Callable[[], object]) -> float:
    """Returns the best time of one result among as many as make a measurable whole.

    They are evaluated at once, as those of a model are: so the way to the stream's thread is paid
    for once, and the work around a kernel each time.
    """
    import mlxc as mx

    mx.eval(make())
    started = perf_counter()
    mx.eval(make())
    once = perf_counter() - started
    if once > PATIENCE:
        return once
    count = min(ceil(LEAST / once), 200)
    return best(lambda: mx.eval([make() for _ in range(count)])) / count


def best(function: Callable[[], object]) -> float:
    """Returns the best time of some calls; fewer where one takes long."""
    times: list[float] = []
    while len(times) < RUNS and sum(times) < PATIENCE:
        started = perf_counter()
        function()
        times.append(perf_counter() - started)
    return min(times)
