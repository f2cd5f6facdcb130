"""C failures as Python exceptions, with the message of the thread that failed."""

from __future__ import annotations

import re
from _thread import _local
from typing import NoReturn

from ._ffi import ffi, foreign, lib

KINDS: dict[int, type[Exception]] = {1: ValueError, 2: IndexError, 3: MemoryError, 5: OverflowError}

#: A foreign mlx-c tells no kind; there the first of these found in MLX's message decides.
MESSAGES: tuple[tuple[str, type[Exception]], ...] = (
    (r"std::bad_alloc", MemoryError),
    (r"outside the supported range", OverflowError),
    (r"(?i)\binvalid (?:start_|end_)?ax[ei]s\b", IndexError),
    (r"(?i)\bax[ei]s \S+ (?:is out of bounds|invalid) ", IndexError),
    (r"out of range", IndexError),
    (r"The only valid values for backend are", ValueError),
    (r"Cannot split the distributed group", RuntimeError),
    (r"\[[A-Z]\w*::|::eval", RuntimeError),  # a primitive at work, as [LUF::eval_cpu]
    (r"\[(?:load|save|read|write|malloc|metal|ring|mpi|nccl|jaccl|distributed)", RuntimeError),
    (r"\bno GPU implementation|\bThere is no Stream|\bFailed to |\bUnable to ", RuntimeError),
    (r"\A[\[A-Z]", ValueError),
)

#: What the macro mlx_error of a foreign mlx-c puts behind a message.
PLACE = re.compile(r" at \S+:\d+\s*\Z")


class Pending(_local):
    """The exception that a Python callback raised below the C call in progress."""

    exception: BaseException | None = None


pending = Pending()


def raise_last_error() -> NoReturn:
    """Raise what made the calling thread's last C call fail.

    An exception out of a Python callback is raised as it was; anything else by the C++ class:
    invalid_argument and length_error are ValueError, out_of_range IndexError, bad_alloc
    MemoryError, overflow_error OverflowError, the rest RuntimeError.
    """
    if (exception := pending.exception) is not None:
        pending.exception = None
        raise exception
    message = ffi.string(lib.mlxc_error_message()).decode("utf-8", "replace")
    if foreign:
        message = PLACE.sub("", message)
        raise type_of(message)(message)
    error = KINDS.get(lib.mlxc_error_kind(), RuntimeError)
    if error is RuntimeError or error is MemoryError:  # as evaluations fail
        lib.mlxc_forget_lost_tasks()
    raise error(message)


def type_of(message: str) -> type[Exception]:
    """The exception that an MLX message stands for, as far as its words tell."""
    return next((error for words, error in MESSAGES if re.search(words, message)), RuntimeError)


def check(status: int) -> None:
    """Raise the last error unless `status` is 0."""
    if status:
        raise_last_error()
