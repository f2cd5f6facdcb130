"""C failures as Python exceptions, with the message of the thread that failed."""

from __future__ import annotations

from _thread import _local
from typing import NoReturn

from ._ffi import ffi, lib

KINDS: dict[int, type[Exception]] = {1: ValueError, 2: IndexError, 3: MemoryError}

#: A foreign mlx-c tells no kind; these beginnings of MLX's messages decide there.
MESSAGES: tuple[tuple[str, type[Exception]], ...] = (
    ("std::bad_alloc", MemoryError),
    ("[metal::malloc]", MemoryError),
    ("[malloc", MemoryError),
    ("Invalid axis", IndexError),
    ("Axis ", IndexError),
    ("[eval]", RuntimeError),
    ("[load", RuntimeError),
    ("[save", RuntimeError),
    ("[safetensor]", RuntimeError),
    ("[Event", RuntimeError),
    ("There is no Stream", RuntimeError),
    ("[", ValueError),
    ("Shapes ", ValueError),
    ("Cannot ", ValueError),
)


class Pending(_local):
    """The exception that a Python callback raised below the C call in progress."""

    exception: BaseException | None = None


pending = Pending()


def raise_last_error() -> NoReturn:
    """Raise what made the calling thread's last C call fail.

    An exception out of a Python callback is raised as it was; anything else by the C++ class:
    invalid_argument is ValueError, out_of_range IndexError, bad_alloc MemoryError, the rest
    RuntimeError.
    """
    if (exception := pending.exception) is not None:
        pending.exception = None
        raise exception
    message = ffi.string(lib.mlxc_error_message()).decode("utf-8", "replace")
    kind = lib.mlxc_error_kind()
    if kind >= 0:
        raise KINDS.get(kind, RuntimeError)(message)
    for beginning, error in MESSAGES:
        if message.startswith(beginning):
            raise error(message)
    raise RuntimeError(message)


def check(status: int) -> None:
    """Raise the last error unless `status` is 0."""
    if status:
        raise_last_error()
