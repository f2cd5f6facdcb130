"""The Python operators of arrays, each one frame above its C call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._convert import INT64_MAX, INT64_MIN, check_fits
from ._dtype import DTYPES, DtypeCategory, issubdtype
from ._ffi import lib
from ._handle import Handle, combine, pair, swap, wrap
from .ops.matmul import empty_product

if TYPE_CHECKING:
    from ._array import array

    Operator = Callable[[Any, Any], array]

#: (name, C function, what it is called in messages); the order is that of BINARY_OPS in C.
OPERATORS = (
    ("add", lib.h_add, "addition"),
    ("sub", lib.h_subtract, "subtraction"),
    ("mul", lib.h_multiply, "multiplication"),
    ("truediv", lib.h_divide, "division"),
    ("floordiv", lib.h_safe_floor_divide, "floor division"),
    ("mod", lib.h_safe_remainder, "modulus"),
    ("pow", lib.h_power, "power"),
    ("lshift", lib.h_left_shift, "left shift"),
    ("rshift", lib.h_right_shift, "right shift"),
    ("and", lib.h_bitwise_and, "bitwise and"),
    ("or", lib.h_bitwise_or, "bitwise or"),
    ("xor", lib.h_bitwise_xor, "bitwise xor"),
    ("lt", lib.h_less, "less than comparison"),
    ("le", lib.h_less_equal, "less than or equal comparison"),
    ("gt", lib.h_greater, "greater than comparison"),
    ("ge", lib.h_greater_equal, "greater than or equal comparison"),
    ("eq", lib.h_equal, "equality comparison"),
    ("ne", lib.h_not_equal, "inequality comparison"),
)

#: Behind them in C comes the product of matrices.
MATMUL = len(OPERATORS)

CODES = {name: code for code, (name, _, _) in enumerate(OPERATORS)}
FUNCTIONS = {name: (function, phrase) for name, function, phrase in OPERATORS}


def operator(name: str, *, reflected: bool = False) -> Operator:
    """The method behind `a OP b`, or behind `b OP a` if reflected.

    A Python scalar takes the array's type, as far as its kind allows.
    """
    function, phrase = FUNCTIONS[name]
    code = CODES[name]
    binary_int = lib.h_binary_int

    def method(self: array, other: Any) -> array:
        if (result := combine(code, self, other, reflected)) is not None:
            return result
        if type(other) is int and _is_small(other, self):
            return wrap(binary_int(code, self._h, other, reflected))
        check_operand(other, phrase)
        a, b = pair(other, self) if reflected else pair(self, other)
        return wrap(function(a._h, b._h, 0))

    method.__name__ = f"__{'r' if reflected else ''}{name}__"
    return method


def _is_small(value: int, a: array) -> bool:
    """Whether C's integers hold a value that the array's type holds, or else a ValueError."""
    check_fits(value, lib.h_dtype(a._h))
    return INT64_MIN <= value <= INT64_MAX


FLOATING = {dtype._code for dtype in DTYPES if issubdtype(dtype, DtypeCategory.inexact)}


def bitwise(name: str) -> Operator:
    """The method behind `a OP b` for an operator of integers and booleans."""
    phrase = FUNCTIONS[name][1]
    combine = operator(name)

    def method(self: array, other: Any) -> array:
        if other is None:
            check_operand(other, phrase)
        if lib.h_dtype(self._h) in FLOATING or _is_floating(other):
            raise ValueError(f"Floating point types not allowed with {phrase}.")
        return combine(self, other)

    method.__name__ = f"__{name}__"
    return method


def _is_floating(value: Any) -> bool:
    if isinstance(value, Handle):
        return lib.h_dtype(value._h) in FLOATING
    return isinstance(value, (float, complex))


def matmul(self: array, other: array) -> array:
    """The method behind `a @ b`, which takes arrays only."""
    if type(other) is not type(self):
        raise TypeError(
            f"Cannot perform matrix multiplication on an mlxc.array and {type(other).__name__}"
        )
    product = combine(MATMUL, self, other, False)
    return product if product is not None and product.size else empty_product(self, other)


def in_place(method: Operator) -> Operator:
    """The method behind `a OP= b`: every name bound to `a` sees the result."""

    def update(self: array, other: Any) -> array:
        swap(self, method(self, other))
        return self

    update.__name__ = method.__name__.replace("__", "__i", 1)
    return update


_divide = operator("truediv")


def division_in_place(self: array, other: Any) -> array:
    """What `a /= b` takes over, which must be of a type that fractions fit."""
    if other is None:
        check_operand(other, "division")
    if lib.h_dtype(self._h) not in FLOATING:
        raise ValueError("In place division cannot cast to non-floating point type.")
    return _divide(self, other)


division_in_place.__name__ = _divide.__name__


def equality(name: str, otherwise: bool) -> Callable[[Any, Any], Any]:
    """`==` or `!=`, which answer `otherwise` for what is no operand of an array."""
    method = operator(name)

    def compare(self: array, other: Any) -> Any:
        return method(self, other) if is_operand(other) else otherwise

    compare.__name__ = f"__{name}__"
    return compare


PROTOCOLS = ("__array__", "__mlx_array__", "__dlpack__")


def is_operand(value: object) -> bool:
    if isinstance(value, (Handle, bool, int, float, complex)):
        return True
    return any(hasattr(value, name) for name in PROTOCOLS) or _has_buffer(value)


def _has_buffer(value: object) -> bool:
    try:
        return memoryview(value) is not None  # type: ignore[arg-type]
    except TypeError:
        return False


def check_operand(value: object, phrase: str) -> None:
    if not is_operand(value):
        error = TypeError if value is None else ValueError
        raise error(f"Cannot perform {phrase} on an mlxc.array and {type(value).__name__}")
