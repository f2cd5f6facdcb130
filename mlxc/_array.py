"""The array class: construction, properties, conversion, operators, and ops as methods."""

from __future__ import annotations

from typing import Any

from . import _dlpack, _exchange, _indexing
from ._convert import item, make_pair, new_array, operand, to_list
from ._device import StreamOrDevice, stream_address
from ._dtype import DTYPES, Dtype, DtypeCategory, bool_, code_of, issubdtype
from ._errors import check, raise_last_error
from ._ffi import ffi, handle, lib
from ._handle import Handle, at, reshaped, transposed, wrap
from ._operators import bitwise, division_in_place, equality, in_place, matmul, operator
from ._structs import c_array
from .ops import diagonals, elementwise, exponential, reduce, scan, shape, statistics, trigonometry
from .ops._arguments import ints


class array(Handle):
    """An N-dimensional array, computed when its values are needed.

    Args:
        val: a Python scalar, nested lists of scalars or arrays, a numpy array, an object with
            `__mlx_array__`, with DLPack or with the buffer protocol. The data is copied.
        dtype: the data type; by default bool, int32 (int64 for large values), float32 or
            complex64 for Python data, and numpy's own type with float64 as float32.

    Raises:
        ValueError: `val` has an unknown type or its nested lists have unequal lengths.
        TypeError: `dtype` is not a data type.

    Example:
        >>> import mlxc as mx
        >>> mx.array([[1, 2], [3, 4]]) * 0.5
        array([[0.5, 1],
               [1.5, 2]], dtype=float32)
    """

    __slots__ = ("__weakref__",)

    def __new__(cls, val: Any, dtype: Dtype | None = None) -> array:
        return new_array(val, dtype)

    # --- properties ---

    @property
    def dtype(self) -> Dtype:
        """The type of the elements."""
        return DTYPES[lib.h_dtype(self._h)]

    @property
    def T(self) -> array:
        """The array with its axes reversed."""
        return wrap(lib.h_transpose(self._h, 0))

    @property
    def mT(self) -> array:
        """The array with its last two axes exchanged."""
        return shape.matrix_transpose(self)

    @property
    def real(self) -> array:
        """The real part."""
        return elementwise.real(self)

    @property
    def imag(self) -> array:
        """The imaginary part."""
        return elementwise.imag(self)

    # --- values ---

    def item(self) -> Any:
        """The one element as a Python scalar; evaluates the array.

        Raises:
            ValueError: the array has more or fewer elements than one.
        """
        return item(self)

    def tolist(self) -> Any:
        """The elements as nested lists, a scalar for a 0-d array; evaluates the array."""
        return to_list(self)

    def __bool__(self) -> bool:
        return bool(item(self))

    def __int__(self) -> int:
        return int(item(self))

    def __float__(self) -> float:
        return float(item(self))

    def __complex__(self) -> complex:
        return complex(item(self))

    def __index__(self) -> int:
        if self.ndim or not issubdtype(self.dtype, DtypeCategory.integer):
            raise TypeError("Only 0-dimensional integer arrays can be converted to an index.")
        return int(item(self))

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() 0-dimensional array.")
        return int(lib.h_dim(self._h, 0))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        text, address = ffi.new("mlx_string*", lib.mlx_string_new()), self._h
        try:
            check(lib.mlx_array_tostring(text, c_array(address)))
            shown = ffi.string(lib.mlx_string_data(text[0])).decode()
        finally:
            lib.mlx_string_free(text[0])
        if self.dtype is bool_:
            shown = shown.replace("true", "True").replace("false", "False")
        return str(shown)

    def __copy__(self) -> array:
        return wrap(lib.h_keep(self._h))

    def __deepcopy__(self, memo: dict[int, Any]) -> array:
        return wrap(lib.h_keep(self._h))

    # --- other forms ---

    __array__ = _exchange.to_numpy
    __array_namespace__ = _exchange.namespace
    __bytes__ = _exchange.to_bytes
    __dlpack__ = _dlpack.exported
    __dlpack_device__ = _dlpack.device
    __format__ = _exchange.formatted
    __getstate__ = _exchange.get_state
    __reduce__ = _exchange.reduce
    __setstate__ = _exchange.set_state

    # --- parts ---

    __getitem__ = _indexing.get_item
    __iter__ = _indexing.iterate
    __setitem__ = _indexing.set_item
    at = property(_indexing.at)

    # --- operators ---

    __add__, __radd__, __iadd__ = (
        operator("add"),
        operator("add", reflected=True),
        in_place(operator("add")),
    )
    __sub__, __rsub__, __isub__ = (
        operator("sub"),
        operator("sub", reflected=True),
        in_place(operator("sub")),
    )
    __mul__, __rmul__, __imul__ = (
        operator("mul"),
        operator("mul", reflected=True),
        in_place(operator("mul")),
    )
    __truediv__, __itruediv__ = operator("truediv"), in_place(division_in_place)
    __rtruediv__ = operator("truediv", reflected=True)
    __div__, __rdiv__ = __truediv__, __rtruediv__
    __floordiv__, __ifloordiv__ = operator("floordiv"), in_place(operator("floordiv"))
    __rfloordiv__ = operator("floordiv", reflected=True)
    __mod__, __rmod__, __imod__ = (
        operator("mod"),
        operator("mod", reflected=True),
        in_place(operator("mod")),
    )
    __pow__, __rpow__, __ipow__ = (
        operator("pow"),
        operator("pow", reflected=True),
        in_place(operator("pow")),
    )
    __lshift__, __ilshift__ = bitwise("lshift"), in_place(bitwise("lshift"))
    __rshift__, __irshift__ = bitwise("rshift"), in_place(bitwise("rshift"))
    __and__, __iand__ = bitwise("and"), in_place(bitwise("and"))
    __or__, __ior__ = bitwise("or"), in_place(bitwise("or"))
    __xor__, __ixor__ = bitwise("xor"), in_place(bitwise("xor"))
    __lt__, __le__ = operator("lt"), operator("le")
    __gt__, __ge__ = operator("gt"), operator("ge")
    __eq__ = equality("eq", otherwise=False)
    __ne__ = equality("ne", otherwise=True)

    __matmul__, __imatmul__ = matmul, in_place(matmul)

    def __neg__(self) -> array:
        return wrap(lib.h_negative(self._h, 0))

    def __pos__(self) -> array:
        return self

    def __abs__(self) -> array:
        return wrap(lib.h_abs(self._h, 0))

    def __invert__(self) -> array:
        if not issubdtype(self.dtype, DtypeCategory.integer) and self.dtype is not bool_:
            raise ValueError("Floating point types not allowed with bitwise inversion.")
        return wrap(lib.h_bitwise_invert(self._h, 0))

    # --- ops whose method differs from the function ---

    def astype(self, dtype: Dtype, stream: StreamOrDevice = None) -> array:
        """The array with its elements converted to `dtype`."""
        return wrap(lib.h_cpu_astype(self._h, code_of(dtype), at(stream)))

    def view(self, dtype: Dtype, *, stream: StreamOrDevice = None) -> array:
        """The same bytes read as another type; the last axis grows or shrinks with its size."""
        return wrap(lib.h_view(self._h, code_of(dtype), at(stream)))

    def reshape(self, *shape: Any, stream: StreamOrDevice = None) -> array:
        """The elements in another shape, given as integers or as one sequence; -1 is inferred."""
        if stream is None and (result := reshaped(self, shape)) is not None:
            return result
        if len(shape) == 1:
            shape = tuple(ints(shape[0], "shape"))
        return wrap(lib.h_reshape(self._h, shape, len(shape), at(stream)))

    def transpose(self, *axes: Any, stream: StreamOrDevice = None) -> array:
        """The axes in another order, given as integers or as one sequence; none reverses them."""
        if stream is None and (result := transposed(self, axes)) is not None:
            return result
        if not axes:
            return wrap(lib.h_transpose(self._h, at(stream)))
        if len(axes) == 1:
            axes = tuple(ints(axes[0], "axes"))
        return wrap(lib.h_transpose_axes(self._h, axes, len(axes), at(stream)))

    # --- ops that are methods as they stand ---

    abs = elementwise.abs
    conj = elementwise.conjugate
    cos = trigonometry.cos
    exp = exponential.exp
    log = exponential.log
    log10 = exponential.log10
    log1p = exponential.log1p
    log2 = exponential.log2
    reciprocal = elementwise.reciprocal
    round = elementwise.round
    rsqrt = elementwise.rsqrt
    sin = trigonometry.sin
    sqrt = elementwise.sqrt
    square = elementwise.square

    all = reduce.all
    any = reduce.any
    argmax = reduce.argmax
    argmin = reduce.argmin
    logsumexp = exponential.logsumexp
    max = reduce.max
    mean = statistics.mean
    min = reduce.min
    prod = reduce.prod
    std = statistics.std
    sum = reduce.sum
    var = statistics.var

    cummax = scan.cummax
    cummin = scan.cummin
    cumprod = scan.cumprod
    cumsum = scan.cumsum
    logcumsumexp = scan.logcumsumexp

    diag = diagonals.diag
    diagonal = diagonals.diagonal
    flatten = shape.flatten
    moveaxis = shape.moveaxis
    split = shape.split
    squeeze = shape.squeeze
    swapaxes = shape.swapaxes


array.__module__ = "mlxc"

handle.register(array, raise_last_error, operand, make_pair, stream_address)
