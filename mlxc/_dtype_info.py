"""What data types hold, and how they relate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._dtype import (
    Dtype,
    DtypeCategory,
    bfloat16,
    bool_,
    complex64,
    float16,
    float32,
    float64,
    issubdtype,
    promote_types,
)

if TYPE_CHECKING:
    from ._array import array

__all__ = ["can_cast", "finfo", "iinfo", "isdtype"]

#: The bits of the exponent and of the fraction.
FORMATS = {float16: (5, 10), bfloat16: (8, 7), float32: (8, 23), float64: (11, 52)}


class finfo:
    """The limits of a floating-point type.

    Args:
        arg: the type; complex64 has the limits of its parts.

    Attributes:
        bits: the number of bits of a value.
        min: the smallest value, which is negative.
        max: the largest value.
        eps: the distance from 1 to the next larger value.
        smallest_normal: the smallest positive value of full precision.
        dtype: the type.

    Raises:
        ValueError: the type is neither floating point nor complex.

    Example:
        >>> import mlxc as mx
        >>> mx.finfo(mx.bfloat16).eps
        0.0078125
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "smallest_normal")

    def __init__(self, arg: Dtype, /) -> None:
        _check_dtype(arg)
        if not issubdtype(arg, DtypeCategory.inexact):
            raise ValueError(f"[finfo] dtype {arg._name} is not inexact.")
        self.dtype = float32 if arg is complex64 else arg
        exponent, fraction = FORMATS[self.dtype]
        largest = 2 ** (exponent - 1) - 1
        self.bits = 1 + exponent + fraction
        self.max = float((2 ** (fraction + 1) - 1) * 2 ** (largest - fraction))
        self.min = -self.max
        self.eps = 2.0**-fraction
        self.smallest_normal = 2.0 ** (1 - largest)

    def __repr__(self) -> str:
        return f"finfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype._name})"


class iinfo:
    """The limits of an integer type.

    Args:
        arg: the type.

    Attributes:
        min: the smallest value.
        max: the largest value.
        dtype: the type.

    Raises:
        ValueError: the type is not one of integers.

    Example:
        >>> import mlxc as mx
        >>> mx.iinfo(mx.int8)
        iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ("dtype", "max", "min")

    def __init__(self, arg: Dtype, /) -> None:
        _check_dtype(arg)
        if not issubdtype(arg, DtypeCategory.integer):
            raise ValueError(f"[iinfo] Only integer types supported but {arg._name} was provided")
        self.dtype = arg
        bits = 8 * arg.size
        signed = issubdtype(arg, DtypeCategory.signedinteger)
        self.min = -(2 ** (bits - 1)) if signed else 0
        self.max = 2 ** (bits - 1 if signed else bits) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype._name})"


def can_cast(from_: array | Dtype, to: Dtype) -> bool:
    """Whether a type can become another by promotion: the two promote to the latter.

    Args:
        from_: a type, or an array, which stands for its type.
        to: the type to become.

    Raises:
        ValueError: `from_` is neither an array nor a type.

    Example:
        >>> import mlxc as mx
        >>> mx.can_cast(mx.int32, mx.float16), mx.can_cast(mx.float32, mx.int32)
        (True, False)
    """
    _check_dtype(to)
    dtype = from_ if isinstance(from_, Dtype) else getattr(from_, "dtype", None)
    if not isinstance(dtype, Dtype):
        raise ValueError("[can_cast] `from_` must be an array or a dtype.")
    return promote_types(dtype, to) is to


#: The kinds of the array API standard.
KINDS: dict[str, tuple[Dtype | DtypeCategory, ...]] = {
    "bool": (bool_,),
    "signed integer": (DtypeCategory.signedinteger,),
    "unsigned integer": (DtypeCategory.unsignedinteger,),
    "integral": (DtypeCategory.integer,),
    "real floating": (DtypeCategory.floating,),
    "complex floating": (DtypeCategory.complexfloating,),
    "numeric": (DtypeCategory.number,),
}


def isdtype(dtype: Dtype, kind: Dtype | str | tuple[Dtype | str, ...]) -> bool:
    """Whether a type is of one or more kinds.

    Args:
        dtype: the type.
        kind: a type, the name of a kind, or a tuple of these: "bool", "signed integer",
            "unsigned integer", "integral", "real floating", "complex floating", "numeric".

    Raises:
        ValueError: a kind is unknown.

    Example:
        >>> import mlxc as mx
        >>> mx.isdtype(mx.float16, ("integral", "real floating"))
        True
    """
    _check_dtype(dtype)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return any([_is_of_kind(dtype, one) for one in kinds])


def _is_of_kind(dtype: Dtype, kind: Dtype | str) -> bool:
    if isinstance(kind, Dtype):
        return dtype is kind
    if not isinstance(kind, str):
        raise ValueError(
            "[isdtype] `kind` must be a dtype, a string, or a tuple of dtypes and strings."
        )
    if kind not in KINDS:
        raise ValueError(f"[isdtype] Unknown data type kind: {kind!r}.")
    return any(issubdtype(dtype, group) for group in KINDS[kind])


def _check_dtype(value: object) -> None:
    if not isinstance(value, Dtype):
        raise TypeError(f"expected a data type, as mx.float32, got {value!r}")
