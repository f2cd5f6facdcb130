"""The Python operators of arrays, each one frame above its C call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._ffi import lib
from ._handle import Handle, pair, swap, wrap

if TYPE_CHECKING:
    from ._array import array

    Operator = Callable[[Any, Any], array]

#: (name, C function, what it is called in messages); the order is that of BINARY_OPS in C.
OPERATORS = (
    ("add", lib.h_add, "addition"),
    ("sub", lib.h_subtract, "subtraction"),
    ("mul", lib.h_multiply, "multiplication"),
    ("truediv", lib.h_divide, "division"),
    ("floordiv", lib.h_floor_divide, "floor division"),
    ("mod", lib.h_remainder, "modulus"),
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

CODES = {name: code for code, (name, _, _) in enumerate(OPERATORS)}
FUNCTIONS = {name: (function, phrase) for name, function, phrase in OPERATORS}


def operator(name: str, *, reflected: bool = False) -> Operator:
    """The method behind `a OP b`, or behind `b OP a` if reflected.

    A Python scalar takes the array's type, as far as its kind allows.
    """
    function, phrase = FUNCTIONS[name]
    code = CODES[name]
    binary_float, binary_int = lib.h_binary_float, lib.h_binary_int

    def method(self: array, other: Any) -> array:
        kind = type(other)
        if kind is type(self):
            return wrap(function(self._h, other._h, 0))
        if kind is float:
            return wrap(binary_float(code, self._h, other, reflected))
        if kind is int:
            return wrap(binary_int(code, self._h, other, reflected))
        check_operand(other, phrase)
        a, b = pair(other, self) if reflected else pair(self, other)
        return wrap(function(a._h, b._h, 0))

    method.__name__ = f"__{'r' if reflected else ''}{name}__"
    return method


def matmul(self: array, other: array) -> array:
    """The method behind `a @ b`, which takes arrays only."""
    if type(other) is not type(self):
        raise ValueError(
            f"Cannot perform matrix multiplication on an mlxc.array and {type(other).__name__}"
        )
    return wrap(lib.h_matmul(self._h, other._h, 0))


def in_place(method: Operator) -> Operator:
    """The method behind `a OP= b`: every name bound to `a` sees the result."""

    def update(self: array, other: Any) -> array:
        swap(self, method(self, other))
        return self

    update.__name__ = method.__name__.replace("__", "__i", 1)
    return update


def equality(name: str, otherwise: bool) -> Callable[[Any, Any], Any]:
    """`==` or `!=`, which answer `otherwise` for what is no operand of an array."""
    method = operator(name)

    def compare(self: array, other: Any) -> Any:
        return method(self, other) if is_operand(other) else otherwise

    compare.__name__ = f"__{name}__"
    return compare


def is_operand(value: object) -> bool:
    return isinstance(value, (Handle, bool, int, float, complex)) or hasattr(value, "__array__")


def check_operand(value: object, phrase: str) -> None:
    if not is_operand(value):
        raise ValueError(f"Cannot perform {phrase} on an mlxc.array and {type(value).__name__}")
