"""What the operations in the file of an exported function are: functions of this package."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from . import _graph_calls as calls
from . import _graph_products as products
from . import linalg
from ._ffi import lib
from .ops import (
    arithmetic,
    bitwise,
    cast,
    compare,
    create,
    elementwise,
    exponential,
    graph,
    join,
    layout,
    logic,
    matmul,
    reduce,
    scan,
    shape,
    sort,
    take,
    trigonometry,
)

if TYPE_CHECKING:
    from ._graph_calls import Operation
    from ._graph_file import Node

#: The operations without parameters.
PLAIN: dict[str, Operation] = {
    "Add": arithmetic.add,
    "ArcCos": trigonometry.arccos,
    "ArcCosh": trigonometry.arccosh,
    "ArcSin": trigonometry.arcsin,
    "ArcSinh": trigonometry.arcsinh,
    "ArcTan": trigonometry.arctan,
    "ArcTan2": arithmetic.arctan2,
    "ArcTanh": trigonometry.arctanh,
    "BitwiseInvert": bitwise.bitwise_invert,
    "Ceil": elementwise.ceil,
    "Conjugate": elementwise.conjugate,
    "Contiguous": layout.contiguous,
    "Copy": elementwise.positive,
    "Cos": trigonometry.cos,
    "Cosh": trigonometry.cosh,
    "DivMod": arithmetic.divmod,
    "Divide": arithmetic.divide,
    "Erf": exponential.erf,
    "ErfInv": exponential.erfinv,
    "Exp": exponential.exp,
    "Expm1": exponential.expm1,
    "Floor": elementwise.floor,
    "FloorDivide": arithmetic.floor_divide,
    "Full": elementwise.positive,
    "Greater": compare.greater,
    "GreaterEqual": compare.greater_equal,
    "Imag": elementwise.imag,
    "Less": compare.less,
    "LessEqual": compare.less_equal,
    "Log1p": exponential.log1p,
    "LogAddExp": arithmetic.logaddexp,
    "LogSumExp": partial(exponential.logsumexp, axis=-1, keepdims=True),
    "LogicalAnd": logic.logical_and,
    "LogicalNot": logic.logical_not,
    "LogicalOr": logic.logical_or,
    "Matmul": matmul.matmul,
    "Maximum": arithmetic.maximum,
    "Minimum": arithmetic.minimum,
    "Multiply": arithmetic.multiply,
    "Negative": elementwise.negative,
    "NotEqual": compare.not_equal,
    "Power": arithmetic.power,
    "QRF": linalg.qr,
    "Real": elementwise.real,
    "Remainder": arithmetic.remainder,
    "Round": elementwise.round,
    "Select": take.where,
    "Sigmoid": exponential.sigmoid,
    "Sign": elementwise.sign,
    "Sin": trigonometry.sin,
    "Sinh": trigonometry.sinh,
    "Square": elementwise.square,
    "StopGradient": graph.stop_gradient,
    "Subtract": arithmetic.subtract,
    "Tan": trigonometry.tan,
    "Tanh": trigonometry.tanh,
}

REDUCTIONS = reduce.all, reduce.any, reduce.sum, reduce.prod, reduce.min, reduce.max
SCANS = scan.cummax, scan.cummin, scan.cumsum, scan.cumprod, scan.logcumsumexp
BITWISE = (
    bitwise.bitwise_and,
    bitwise.bitwise_or,
    bitwise.bitwise_xor,
    bitwise.left_shift,
    bitwise.right_shift,
)
LOGARITHMS = exponential.log2, exponential.log10, exponential.log
SCATTERS = (
    lib.h_scatter_max,
    lib.h_scatter_min,
    lib.h_scatter_add,
    lib.h_scatter_prod,
    lib.h_scatter,
)
UPDATES = (
    lib.h_slice_update_max,
    lib.h_slice_update_min,
    lib.h_slice_update_add,
    lib.h_slice_update_prod,
    lib.h_slice_update,
)


def on(function: Callable[..., Any], *names: str) -> Callable[..., Operation]:
    """A rule by which a function takes the parameters, by these names, behind the operands."""
    return lambda node, *values: partial(function, **dict(zip(names, values, strict=True)))


def before(function: Callable[..., Any]) -> Callable[..., Operation]:
    """A rule by which a function takes the parameters before the operands."""
    return lambda node, *values: partial(function, *values)


#: The others: the kinds of their parameters, as `_graph_file.Reader.parameter` knows them, and
#: what makes of the node and its parameters a function of the operands.
RULES: dict[str, tuple[str, Callable[..., Operation]]] = {
    "Abs": ("", calls.absolute),
    "AddMM": ("ff", lambda node, alpha, beta: lambda a, b, c: matmul.addmm(c, a, b, alpha, beta)),
    "Arange": ("ddd", lambda node, *ends: partial(create.arange, *ends, node.forms[0][1])),
    "ArgPartition": ("ii", on(sort.argpartition, "kth", "axis")),
    "ArgReduce": (
        "ii",
        lambda node, kind, axis: partial(
            calls.pick((reduce.argmin, reduce.argmax), kind), axis=axis, keepdims=True
        ),
    ),
    "ArgSort": ("i", on(sort.argsort, "axis")),
    "AsStrided": ("ILQ", on(layout.as_strided, "shape", "strides", "offset")),
    "AsType": ("t", lambda node, dtype: lambda a: cast.astype(a, dtype)),
    "BitwiseBinary": ("i", lambda node, kind: calls.pick(BITWISE, kind)),
    "BlockMaskedMM": ("i", before(products.block_masked)),
    "Broadcast": ("I", before(calls.broadcast)),
    "BroadcastAxes": ("I", before(calls.broadcast_axes)),
    "Cholesky": ("?", on(linalg.cholesky, "upper")),
    "Concatenate": ("i", lambda node, axis: lambda *arrays: join.concatenate(arrays, axis)),
    "Convolution": ("IIIIIi?", products.convolution),
    "Depends": ("", calls.depend),
    "DynamicSlice": ("II", before(calls.dynamic_slice)),
    "DynamicSliceUpdate": ("I", before(calls.dynamic_slice_update)),
    "Eig": ("?", lambda node, vectors: linalg.eig if vectors else linalg.eigvals),
    "Eigh": (
        "s?",
        lambda node, part, vectors: partial(linalg.eigh if vectors else linalg.eigvalsh, UPLO=part),
    ),
    "Equal": ("?", lambda node, nan: calls.equal_or_nan if nan else compare.equal),
    "ExpandDims": ("I", on(shape.expand_dims, "axis")),
    "FFT": ("U???", before(calls.transform)),
    "Flatten": ("ii", on(shape.flatten, "start_axis", "end_axis")),
    "Gather": ("II", before(calls.gather)),
    "GatherAxis": ("i", before(calls.gather_axis)),
    "GatherMM": ("??", lambda node, left, right: partial(products.gather_mm, left or right)),
    "GatherQMM": ("iii???", products.gather_qmm),
    "Hadamard": ("f", on(matmul.hadamard_transform, "scale")),
    "Inverse": ("??", calls.inverse),
    "LayerNorm": ("f", before(calls.layer_norm)),
    "LayerNormVJP": (
        "f",
        lambda node, eps: partial(calls.backwards, partial(calls.layer_norm, eps)),
    ),
    "Log": (
        "i",
        lambda node, base: calls.pick(LOGARITHMS, base),
    ),
    "MaskedScatter": ("", before(calls.masked_scatter)),
    "NumberOfElements": ("I?t", before(calls.number_of_elements)),
    "Pad": ("III", before(calls.pad)),
    "Partition": ("ii", on(sort.partition, "kth", "axis")),
    "Quantize": ("iii?", products.packing),
    "QuantizedMatmul": ("iii?", products.quantized_matmul),
    "RMSNorm": ("f", before(calls.rms_norm)),
    "RMSNormVJP": ("f", lambda node, eps: partial(calls.backwards, partial(calls.rms_norm, eps))),
    "RandomBits": ("Ii", before(calls.random_bits)),
    "Reduce": (
        "iI",
        lambda node, kind, axes: partial(calls.pick(REDUCTIONS, kind), axis=axes, keepdims=True),
    ),
    "Reshape": ("I", on(shape.reshape, "shape")),
    "RoPE": ("i?ff?", calls.rope),
    "SVD": ("?", on(linalg.svd, "compute_uv")),
    "ScaledDotProductAttention": ("f????", calls.attention),
    "Scan": (
        "ii??",
        lambda node, kind, axis, reverse, inclusive: partial(
            calls.pick(SCANS, kind), axis=axis, reverse=reverse, inclusive=inclusive
        ),
    ),
    "Scatter": (
        "iI",
        lambda node, kind, axes: partial(calls.scatter, calls.pick(SCATTERS, kind), axes),
    ),
    "ScatterAxis": (
        "ii",
        lambda node, kind, axis: partial(calls.scatter_axis, calls.pick((True, False), kind), axis),
    ),
    "SearchSorted": (
        "?",
        lambda node, right: partial(sort.searchsorted, side="right" if right else "left"),
    ),
    "Slice": ("III", before(calls.slice_)),
    "SliceUpdate": (
        "iIII",
        lambda node, kind, *bounds: partial(calls.slice_update, calls.pick(UPDATES, kind), *bounds),
    ),
    "Softmax": ("?", lambda node, precise: partial(exponential.softmax, axis=-1, precise=precise)),
    "Sort": ("i", on(sort.sort, "axis")),
    "Split": ("Ii", on(shape.split, "indices_or_sections", "axis")),
    "Sqrt": ("?", lambda node, inverse: elementwise.rsqrt if inverse else elementwise.sqrt),
    "Squeeze": ("I", on(shape.squeeze, "axis")),
    "Transpose": ("I", on(shape.transpose, "axes")),
    "Unflatten": ("iI", on(shape.unflatten, "axis", "shape")),
    "View": ("t", on(cast.view, "dtype")),
}


def parameters_of(name: str) -> str:
    """The kinds of an operation's parameters.

    Raises:
        ValueError: there is no such operation, or none that may come from a file.
    """
    if name in PLAIN:
        return ""
    if name not in RULES:
        raise ValueError(f"[import_function] the operation {name!r:.80} cannot be imported")
    return RULES[name][0]


def operation(node: Node) -> Operation:
    """What computes the results of a node from its operands."""
    if plain := PLAIN.get(node.name):
        return plain
    return RULES[node.name][1](node, *node.parameters)
