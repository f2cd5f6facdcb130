"""Memory shared with other libraries through DLPack, on the CPU.

The protocol: https://dmlc.github.io/dlpack/latest/python_spec.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._dtype import Dtype, code_of, float32, float64
from ._ffi import handle, lib
from ._handle import wrap

if TYPE_CHECKING:
    from ._array import array

#: What `__dlpack_device__` says: memory that the CPU reads, the first of it.
CPU = (1, 0)
VERSION = (1, 0)


def exported(
    a: array,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """The array as a DLPack capsule; evaluates it.

    Args:
        stream: ignored, as the values are there when the call returns.
        max_version: the newest version of DLPack that the reader knows; from (1, 0) on the capsule
            tells that the memory is to be read only.
        dl_device: where the reader wants the data, the CPU being (1, 0).
        copy: whether the reader gets memory of its own, which it may write to.

    Raises:
        BufferError: `dl_device` is not the CPU.
    """
    if dl_device is not None and tuple(dl_device) != CPU:
        raise BufferError(f"dl_device must be {CPU}, the CPU, or None, not {dl_device!r}")
    if copy:
        a, _ = handle.from_dlpack(handle.to_dlpack(a, False, False), True)
    versioned = max_version is not None and tuple(max_version) >= VERSION
    return handle.to_dlpack(a, versioned, bool(copy))


def device(a: array) -> tuple[int, int]:
    """Where DLPack finds the data: (1, 0), the CPU."""
    return CPU


def imported(x: Any, dtype: Dtype | None = None, copy: bool | None = None) -> array:
    """An array of the data of an object with `__dlpack__`; float64 is float32 unless asked for.

    Raises:
        TypeError: `x` does not speak DLPack.
        ValueError: the data is not on the CPU or of a type without a like here, or `copy` is False
            and the data has to be copied.
    """
    try:
        give, where = x.__dlpack__, x.__dlpack_device__
    except AttributeError:
        raise TypeError(f"x must speak DLPack, which {type(x).__name__} does not") from None
    if int(where()[0]) not in (1, 3):
        raise ValueError(f"x is on DLPack device {tuple(where())}; move it to the CPU first")
    try:
        capsule = give(max_version=VERSION)
    except TypeError:  # a producer from before version 1 takes no arguments
        capsule = give()
    except BufferError:  # torch refuses tensors that record gradients; only values are wanted
        if not hasattr(x, "detach"):
            raise
        capsule = x.detach().__dlpack__(max_version=VERSION)
    result, shared = handle.from_dlpack(capsule, bool(copy))
    if dtype is None and lib.h_dtype(result._h) == float64._code:
        dtype = float32
    converted = dtype is not None and lib.h_dtype(result._h) != code_of(dtype)
    if copy is False and (converted or not shared):
        raise ValueError("copy is False, but MLX has to copy this data; leave copy out")
    return wrap(lib.h_astype(result._h, code_of(dtype), 0)) if converted and dtype else result
