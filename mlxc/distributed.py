"""Arrays that several processes compute together.

Every process runs the same program. `init` joins them to a group by what their environment
says; for the backend "ring" that is `MLX_RANK`, the number of the process, and `MLX_HOSTFILE`, a
JSON file with the addresses of each, such as `[["10.0.0.1:5000"], ["10.0.0.2:5000"]]`. A function
of arrays is lazy like all others: the processes exchange data when its result is evaluated, and
all of the group have to evaluate the same ones in the same order. `stream` is the stream or
device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ._dtype import Dtype, code_of
from ._errors import check, pending
from ._ffi import ffi, lib
from ._handle import as_array, at, wrap

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = [
    "Group",
    "all_gather",
    "all_max",
    "all_min",
    "all_sum",
    "init",
    "is_available",
    "recv",
    "recv_like",
    "send",
    "sum_scatter",
]


class Group:
    """Processes that exchange arrays. Made by `init` and `split`."""

    __slots__ = ("_group",)

    _group: Any

    def __init__(self) -> None:
        raise TypeError("Group cannot be made directly; use mlxc.distributed.init()")

    def rank(self) -> int:
        """The number of this process in the group."""
        return int(lib.mlx_distributed_group_rank(self._group[0]))

    def size(self) -> int:
        """How many processes there are in the group."""
        return int(lib.mlx_distributed_group_size(self._group[0]))

    def split(self, color: int, key: int = -1) -> Group:
        """The smaller group of those processes that call this with the same color.

        Args:
            color: what the processes of one group have in common.
            key: orders the processes of the new group; below 0 it is their rank in this one.

        Raises:
            RuntimeError: the backend has no smaller groups.
        """
        group = ffi.new("mlx_distributed_group*")
        check(lib.mlx_distributed_group_split(group, self._group[0], color, key))
        return _own(group)

    def __repr__(self) -> str:
        return f"Group(rank={self.rank()}, size={self.size()})"


def is_available(backend: str = "any") -> bool:
    """Whether MLX was built with a backend, not whether there are other processes.

    Args:
        backend: as in `init`; an unknown one is not available.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.is_available("carrier pigeon")
        False
    """
    return bool(lib.mlx_distributed_is_available(_backend(backend)))


def init(
    strict: bool = False,
    backend: str = "any",
    *,
    all_gather_factory: Callable[[int, int], Callable[[bytes, int], bytes]] | None = None,
) -> Group:
    """Join the group of all processes.

    Args:
        strict: fail if there is no group to join; otherwise this process is then a group of one.
        backend: "ring", "jaccl", "mpi", "nccl", or "any" for the first that works, which later
            calls then give again.
        all_gather_factory: for "jaccl" only: called with the rank and the size, it gives a
            function of some bytes and their number that returns those of all ranks, by rank. The
            processes use it to find each other.

    Raises:
        RuntimeError: `strict` was asked for, and no group can be joined.
        ValueError: the backend is unknown, or has no use for `all_gather_factory`.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.init().size()
        1
    """
    if not isinstance(strict, bool):
        raise TypeError(f"strict must be True or False, got {strict!r}")
    name = _backend(backend)
    group = ffi.new("mlx_distributed_group*")
    if all_gather_factory is None:
        check(lib.mlx_distributed_init(group, strict, name))
        return _own(group)
    if backend != "jaccl":
        raise ValueError("all_gather_factory is only supported with backend='jaccl'.")
    if not callable(all_gather_factory):
        kind = type(all_gather_factory).__name__
        raise TypeError(f"all_gather_factory must be callable or None, got {kind}")
    payload = ffi.new_handle(cache(all_gather_factory))
    _side_channels.append(payload)
    check(lib.mlxc_distributed_init_jaccl(group, strict, payload))
    return _own(group)


#: Handles of factories: the group of all processes, and with it their use, never ends.
_side_channels: list[Any] = []


@ffi.def_extern(name="mlxc_all_gather", error=1)  # type: ignore[untyped-decorator]
def _all_gather(payload: Any, rank: int, size: int, src: Any, dst: Any, n_bytes: int) -> int:
    try:
        gather = ffi.from_handle(payload)(rank, size)
        gathered = gather(bytes(ffi.buffer(src, n_bytes)), n_bytes)
        if len(gathered) != size * n_bytes:
            raise ValueError(
                f"all_gather_factory's function must return {size} times {n_bytes} bytes, "
                f"got {len(gathered)}"
            )
        ffi.memmove(dst, gathered, size * n_bytes)
    except BaseException as exception:
        pending.exception = exception
        return 1
    return 0


def all_sum(x: ArrayLike, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """The sum of what all processes give.

    Args:
        x: of one shape and dtype in all processes.
        group: the processes that take part; None is the global group.

    Returns:
        The shape of `x`, the same everywhere.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.all_sum(mx.array([1, 2])).tolist()  # in a group of one
        [1, 2]
    """
    x = as_array(x)
    return wrap(lib.h_distributed_all_sum(x._h, _members(group), at(stream)))


def all_max(x: ArrayLike, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """The largest of what all processes give, for every element.

    Args:
        x: of one shape and dtype in all processes.
        group: the processes that take part; None is the global group.

    Returns:
        The shape of `x`, the same everywhere.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.all_max(mx.array([1, 2])).tolist()  # in a group of one
        [1, 2]
    """
    x = as_array(x)
    return wrap(lib.h_distributed_all_max(x._h, _members(group), at(stream)))


def all_min(x: ArrayLike, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """The smallest of what all processes give, for every element.

    Args:
        x: of one shape and dtype in all processes.
        group: the processes that take part; None is the global group.

    Returns:
        The shape of `x`, the same everywhere.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.all_min(mx.array([1, 2])).tolist()  # in a group of one
        [1, 2]
    """
    x = as_array(x)
    return wrap(lib.h_distributed_all_min(x._h, _members(group), at(stream)))


def all_gather(x: ArrayLike, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """What all processes give, one behind another along the first axis, by rank.

    Args:
        x: of one shape and dtype in all processes; a scalar counts as shape (1,).
        group: the processes that take part; None is the global group.

    Returns:
        `size` times as long as `x` on the first axis, the same everywhere; in a group of one, `x`.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.all_gather(mx.array([1, 2])).tolist()  # in a group of one
        [1, 2]
    """
    x = as_array(x)
    return wrap(lib.h_distributed_all_gather(x._h, _members(group), at(stream)))


def sum_scatter(
    x: ArrayLike, *, group: Group | None = None, stream: StreamOrDevice = None
) -> array:
    """The sum of what all processes give, of which each gets its part of the first axis.

    Args:
        x: of one shape and dtype in all processes; the size of the group divides the first axis.
        group: the processes that take part; None is the global group.

    Returns:
        The part with the number of this process's rank; in a group of one, `x`.

    Raises:
        ValueError: the size of the group does not divide the first axis.
        RuntimeError: when evaluated, if the backend cannot; only NCCL can.

    Example:
        >>> import mlxc as mx
        >>> mx.distributed.sum_scatter(mx.array([1, 2])).tolist()  # in a group of one
        [1, 2]
    """
    x = as_array(x)
    return wrap(lib.h_distributed_sum_scatter(x._h, _members(group), at(stream)))


def send(
    x: ArrayLike, dst: int, *, group: Group | None = None, stream: StreamOrDevice = None
) -> array:
    """Send an array to another process, which receives it at the same time.

    Args:
        x: the array.
        dst: the rank of the other process.
        group: the group that `dst` counts in; None is the global group.

    Returns:
        `x`; it is sent when this result is evaluated.

    Raises:
        ValueError: there is no other process, or none of that rank.

    Example:
        >>> import mlxc as mx
        >>> def hand_over(x, group):
        ...     if group.rank() == 0:
        ...         mx.eval(mx.distributed.send(x, 1, group=group))
        ...     elif group.rank() == 1:
        ...         x = mx.distributed.recv_like(x, 0, group=group)
        ...     return x
    """
    x = as_array(x)
    return wrap(lib.h_distributed_send(x._h, dst, _members(group), at(stream)))


def recv(
    shape: Sequence[int],
    dtype: Dtype,
    src: int,
    *,
    group: Group | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Receive an array from another process, which sends it at the same time.

    Args:
        shape: its shape.
        dtype: its dtype.
        src: the rank of the other process.
        group: the group that `src` counts in; None is the global group.

    Returns:
        The array; it is received when this result is evaluated.

    Raises:
        ValueError: there is no other process, or none of that rank.

    Example:
        >>> import mlxc as mx
        >>> def receive_tokens(length, group):
        ...     return mx.distributed.recv((length,), mx.int32, 0, group=group)
    """
    extents = list(shape)
    members = _members(group)
    s = at(stream)
    return wrap(lib.h_distributed_recv(extents, len(extents), code_of(dtype), src, members, s))


def recv_like(
    x: ArrayLike, src: int, *, group: Group | None = None, stream: StreamOrDevice = None
) -> array:
    """Receive an array with the shape and dtype of another; see `recv`.

    Args:
        x: the array whose shape and dtype are meant.
        src: the rank of the other process.
        group: the group that `src` counts in; None is the global group.

    Returns:
        The array; it is received when this result is evaluated.

    Raises:
        ValueError: there is no other process, or none of that rank.

    Example:
        >>> import mlxc as mx
        >>> def from_the_process_before(x, group):  # in all but the first
        ...     return mx.distributed.recv_like(x, group.rank() - 1, group=group)
    """
    x = as_array(x)
    return wrap(lib.h_distributed_recv_like(x._h, src, _members(group), at(stream)))


def _own(group: Any) -> Group:
    owned = Group.__new__(Group)
    owned._group = ffi.gc(group, _free)
    return owned


def _free(group: Any) -> None:
    lib.mlx_distributed_group_free(group[0])


def _backend(backend: str) -> bytes:
    if not isinstance(backend, str):
        raise TypeError(f"backend must be a string, got {type(backend).__name__}")
    return backend.encode()


def _members(group: Group | None) -> int:
    """The handle of a group that the caller keeps, 0 for the global one."""
    if group is None:
        return 0
    if not isinstance(group, Group):
        raise TypeError(f"group must be a Group or None, got {type(group).__name__}")
    return int(ffi.cast("uintptr_t", group._group[0].ctx))
