"""What arrays become outside: numpy arrays, bytes, pickles, text in a format.

Each function is a method of `array`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ._convert import item, new_array
from ._dtype import DTYPES, bfloat16, uint16
from ._ffi import lib
from ._handle import swap, wrap

if TYPE_CHECKING:
    from numpy import ndarray

    from ._array import array


def to_numpy(self: array, dtype: Any = None, copy: bool | None = None) -> ndarray[Any, Any]:
    """The array for numpy, sharing its memory if neither type nor `copy` forbid it.

    Raises:
        BufferError: the array is bfloat16, and the package ml_dtypes is not installed.
    """
    import numpy

    shared = _shared_with_numpy(self)
    if copy is False and dtype is not None:
        return shared.astype(dtype, copy=False)
    return numpy.array(shared, dtype=dtype, copy=bool(copy) or None)


def _shared_with_numpy(a: array) -> ndarray[Any, Any]:
    import numpy

    if lib.h_dtype(a._h) != bfloat16._code:
        return numpy.asarray(memoryview(a))
    try:
        import ml_dtypes  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise BufferError(
            "numpy has no bfloat16 of its own: pip install ml_dtypes, or convert first, as in "
            "a.astype(mx.float32)"
        ) from None
    view: ndarray[Any, Any] = _bits(a).view(ml_dtypes.bfloat16)
    return view


def _bits(a: array) -> ndarray[Any, Any]:
    """A bfloat16 array as numpy's uint16."""
    import numpy

    return numpy.asarray(memoryview(wrap(lib.h_view(a._h, uint16._code, 0))))


def to_bytes(self: array) -> bytes:
    """The elements in row-major order, each as it is in memory."""
    if lib.h_dtype(self._h) == bfloat16._code:
        return _bits(self).tobytes()
    return memoryview(self).tobytes()


def get_state(self: array) -> tuple[ndarray[Any, Any], int]:
    """What a pickle holds: a numpy array, of uint16 for bfloat16, and the number of the type."""
    import numpy

    code = lib.h_dtype(self._h)
    values = _bits(self) if code == bfloat16._code else numpy.asarray(memoryview(self))
    return values, code


def set_state(self: array, state: tuple[ndarray[Any, Any], int]) -> None:
    """Take on what `get_state` gave."""
    values, code = state
    if code == bfloat16._code:
        bits = new_array(values, uint16)
        swap(self, wrap(lib.h_view(bits._h, code, 0)))
    else:
        swap(self, new_array(values, DTYPES[code]))


def reduce(self: array) -> tuple[Any, ...]:
    """The array for pickle; an array of one value takes on the state."""
    return type(self), (False,), get_state(self)


def formatted(self: array, spec: str) -> str:
    """An array without axes as its one element is formatted; any array for an empty format."""
    if self.ndim == 0:
        return format(item(self), spec)
    if spec:
        raise TypeError(f"the format {spec!r} is for arrays without axes, not {self.ndim} of them")
    return str(self)


def namespace(self: array, api_version: str | None = None) -> ModuleType:
    """The module whose functions work on the array, for code that knows the array API only.

    Raises:
        ValueError: an `api_version` is given; arrays follow no version to the letter.
    """
    if api_version is not None:
        raise ValueError("api_version must be None: mlxc follows no version to the letter")
    return sys.modules["mlxc"]
