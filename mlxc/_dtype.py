"""Data types, their categories, and how two of them promote."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ._handle import Handle

if TYPE_CHECKING:
    from ._array import array


class DtypeCategory(Enum):
    """Groups of data types, as `issubdtype` compares them."""

    complexfloating = 0
    floating = 1
    inexact = 2
    signedinteger = 3
    unsignedinteger = 4
    integer = 5
    number = 6
    generic = 7

    def __repr__(self) -> str:
        return f"DtypeCategory.{self.name}"


class Dtype:
    """The type of an array's elements. There is one object a type; compare with `==` or `is`.

    Attributes:
        size: bytes an element.
    """

    __slots__ = ("_category", "_code", "_name", "size")

    def __init__(self, code: int, name: str, size: int, category: DtypeCategory) -> None:
        self._code = code
        self._name = name
        self._category = category
        self.size = size

    def __repr__(self) -> str:
        return f"mlx.core.{self._name}"

    def __reduce__(self) -> str:
        return f"{self._name}_" if self._name == "bool" else self._name


_C = DtypeCategory

bool_ = Dtype(0, "bool", 1, _C.generic)
uint8 = Dtype(1, "uint8", 1, _C.unsignedinteger)
uint16 = Dtype(2, "uint16", 2, _C.unsignedinteger)
uint32 = Dtype(3, "uint32", 4, _C.unsignedinteger)
uint64 = Dtype(4, "uint64", 8, _C.unsignedinteger)
int8 = Dtype(5, "int8", 1, _C.signedinteger)
int16 = Dtype(6, "int16", 2, _C.signedinteger)
int32 = Dtype(7, "int32", 4, _C.signedinteger)
int64 = Dtype(8, "int64", 8, _C.signedinteger)
float16 = Dtype(9, "float16", 2, _C.floating)
float32 = Dtype(10, "float32", 4, _C.floating)
float64 = Dtype(11, "float64", 8, _C.floating)
bfloat16 = Dtype(12, "bfloat16", 2, _C.floating)
complex64 = Dtype(13, "complex64", 8, _C.complexfloating)

#: By the value of C's `mlx_dtype`.
DTYPES = (
    bool_,
    uint8,
    uint16,
    uint32,
    uint64,
    int8,
    int16,
    int32,
    int64,
    float16,
    float32,
    float64,
    bfloat16,
    complex64,
)


def code_of(dtype: Dtype | None, otherwise: Dtype | None = None) -> int:
    """The value of C's `mlx_dtype`, `otherwise` for None; a TypeError for what is no data type."""
    try:
        return (otherwise if dtype is None else dtype)._code  # type: ignore[union-attr]
    except AttributeError:
        raise TypeError(f"dtype must be a data type, as mx.float32, not {dtype!r}") from None


_PARENT = {
    _C.complexfloating: _C.inexact,
    _C.floating: _C.inexact,
    _C.inexact: _C.number,
    _C.signedinteger: _C.integer,
    _C.unsignedinteger: _C.integer,
    _C.integer: _C.number,
    _C.number: _C.generic,
}


def issubdtype(arg1: Dtype | DtypeCategory, arg2: Dtype | DtypeCategory, /) -> bool:
    """Whether a data type or category lies within another.

    Args:
        arg1: a data type or category.
        arg2: what it may be part of; a data type contains only itself.

    Raises:
        ValueError: an argument is neither.

    Example:
        >>> import mlxc as mx
        >>> mx.issubdtype(mx.bfloat16, mx.floating)
        True
    """
    for name, value in (("arg1", arg1), ("arg2", arg2)):
        if not isinstance(value, (Dtype, DtypeCategory)):
            raise ValueError(f"{name} must be a data type or a category, got {value!r}")
    if isinstance(arg2, Dtype):
        return arg1 is arg2
    category: DtypeCategory | None = arg1._category if isinstance(arg1, Dtype) else arg1
    while category is not None and category is not arg2:
        category = _PARENT.get(category)
    return category is arg2


def promote_types(a: Dtype, b: Dtype) -> Dtype:
    """The smallest type that both are converted to when they meet in one operation.

    Raises:
        TypeError: `a` or `b` is no data type.

    Example:
        >>> import mlxc as mx
        >>> mx.promote_types(mx.int8, mx.uint8)
        mlx.core.int16
    """
    if a is b and type(a) is Dtype:
        return a
    low, high = sorted((a, b), key=code_of)
    if low is bool_ or high is complex64:
        return high
    if _is_float(low) or _is_float(high):
        return _promote_floats(low, high)
    if low._category is high._category:
        return low if low.size > high.size else high
    # An unsigned and a signed integer: the signed type that holds both, up to float32.
    unsigned, signed = low, high
    if signed.size > unsigned.size:
        return signed
    return {1: int16, 2: int32, 4: int64, 8: float32}[unsigned.size]


def _is_float(dtype: Dtype) -> bool:
    return dtype._category is DtypeCategory.floating


def _promote_floats(low: Dtype, high: Dtype) -> Dtype:
    if not _is_float(low):
        return high
    if not _is_float(high):
        return low
    if float64 in (low, high):
        return float64
    # float16 and bfloat16 meet in float32, as either does with float32.
    return float32


def result_type(*arrays_and_dtypes: array | Dtype | bool | int | float | complex) -> Dtype:
    """The type that all the arguments are converted to when they meet as arrays.

    Python scalars count as the arrays made of them: bool, int32, float32, complex64. In an
    operation they count less: a float beside a float16 array leaves it float16.

    Raises:
        ValueError: there are no arguments, or one is no array, data type or Python scalar.

    Example:
        >>> import mlxc as mx
        >>> mx.result_type(mx.array([1, 2], dtype=mx.int8), mx.float16)
        mlx.core.float16
    """
    if not arrays_and_dtypes:
        raise ValueError("[result_type] Requires at least one array or dtype.")
    result: Dtype | None = None
    for item in arrays_and_dtypes:
        dtype = _dtype_of(item)
        result = dtype if result is None else promote_types(result, dtype)
    assert result is not None
    return result


_SCALARS: dict[type, Dtype] = {bool: bool_, int: int32, float: float32, complex: complex64}


def _dtype_of(item: array | Dtype | bool | int | float | complex) -> Dtype:
    if isinstance(item, Dtype):
        return item
    scalar = _SCALARS.get(type(item))
    if scalar is not None:
        return scalar
    if isinstance(item, Handle):
        return item.dtype
    raise ValueError(f"[result_type] an array, a data type or a scalar has a type, not {item!r}")
