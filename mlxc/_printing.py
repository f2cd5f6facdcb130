"""How arrays are printed; the options are those of the whole process."""

from __future__ import annotations

import reprlib
from operator import index
from typing import Any

from ._errors import check
from ._ffi import ffi, lib
from ._handle import Handle

#: The decimal places of the least float64. With millions, C++ runs out of stack.
MOST_PLACES = 1074

__all__ = ["PrintOptions", "get_printoptions", "printoptions", "set_printoptions"]


class PrintOptions:
    """How arrays are printed.

    Args:
        precision: the number of decimal places; -1 shows six digits without trailing zeros.

    Raises:
        TypeError: `precision` is not an integer.
        ValueError: it is more than 1074, which no number has.
    """

    __slots__ = ("_precision",)

    def __init__(self, precision: int = -1) -> None:
        self._precision = _checked(precision)

    @property
    def precision(self) -> int:
        """The number of decimal places, or -1."""
        return self._precision

    @precision.setter
    def precision(self, arg: int) -> None:
        self._precision = _checked(arg)

    def __repr__(self) -> str:
        return f"PrintOptions(precision={self.precision})"


class _PrintOptionsContext:
    """Sets the options on entry, and what they were before on exit."""

    def __init__(self, arg: PrintOptions, /) -> None:
        self._options = arg
        self._before = arg

    def __enter__(self) -> _PrintOptionsContext:
        self._before = get_printoptions()
        set_printoptions(self._options.precision)
        return self

    def __exit__(self, *args: object) -> None:
        set_printoptions(self._before.precision)


def set_printoptions(precision: int = -1) -> None:
    """Set how arrays are printed from now on.

    Args:
        precision: as in `PrintOptions`.

    Raises:
        TypeError: `precision` is not an integer.
        ValueError: it is more than 1074, which no number has.

    Example:
        >>> import mlxc as mx
        >>> mx.set_printoptions(precision=2)
        >>> mx.array([1.2345])
        array([1.23], dtype=float32)
        >>> mx.set_printoptions()
    """
    check(lib.mlxc_set_print_precision(_checked(precision)))


def get_printoptions() -> PrintOptions:
    """How arrays are printed now; changing what is returned changes nothing else.

    Example:
        >>> import mlxc as mx
        >>> with mx.printoptions(precision=2):
        ...     mx.get_printoptions()
        PrintOptions(precision=2)
    """
    precision = ffi.new("int*")
    check(lib.mlxc_print_precision(precision))
    return PrintOptions(precision[0])


def printoptions(precision: int = -1) -> _PrintOptionsContext:
    """How arrays are printed within a `with` block.

    Args:
        precision: as in `PrintOptions`.

    Raises:
        TypeError: `precision` is not an integer.
        ValueError: it is more than 1074, which no number has.

    Example:
        >>> import mlxc as mx
        >>> with mx.printoptions(precision=2):
        ...     print(mx.array([1.2345]))
        array([1.23], dtype=float32)
    """
    return _PrintOptionsContext(PrintOptions(precision))


def _checked(precision: int) -> int:
    places = index(precision)
    if places > MOST_PLACES:
        raise ValueError(f"precision must be at most {MOST_PLACES}, got {places}")
    return places


# reprlib, with which pytest shows values, takes every class named array for array.array.
_repr_array = reprlib.Repr.repr_array


def _shortened(self: reprlib.Repr, x: Any, level: int) -> str:
    show = reprlib.Repr.repr_instance if isinstance(x, Handle) else _repr_array
    return show(self, x, level)


reprlib.Repr.repr_array = _shortened  # type: ignore[method-assign]
