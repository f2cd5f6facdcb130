"""Quantized matrices unpacked, whole and row by row: as MLX's own operations do it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx
from mlxc.fast import _composed

pytestmark = pytest.mark.native

FORMS = [("affine", bits, group) for bits in (1, 2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
FORMS += [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]
Form = tuple[str, int, int]


@pytest.fixture(params=instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    with cpu_kernels(instruction_set=request.param):
        yield


def draw(*shape: int, dtype: mx.Dtype = mx.float32) -> mx.array:
    rng = np.random.default_rng(sum(shape))
    return mx.array(rng.standard_normal(shape).astype(np.float32)).astype(dtype)


def options(form: Form) -> dict:
    return dict(zip(("mode", "bits", "group_size"), form, strict=True))


def theirs(arrays: list[mx.array], form: Form, dtype: mx.Dtype | None = None) -> np.ndarray:
    with cpu_kernels(False):
        return as_numpy(mx.dequantize(*arrays, **options(form), dtype=dtype))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_float32_has_the_bits_of_mlx(form: Form, instruction_set: None) -> None:
    for shape in ((3, 128), (2, 5, 8320)):
        arrays = mx.quantize(draw(*shape), **options(form))

        y = mx.dequantize(*arrays, **options(form), dtype=mx.float32)

        assert y.dtype == mx.float32
        np.testing.assert_array_equal(as_numpy(y), theirs(arrays, form, mx.float32))
        none = mx.dequantize(*(a[:0] for a in arrays), **options(form))
        assert none.shape == (0, *shape[1:])


@pytest.mark.parametrize("form", [("affine", 3, 64), ("affine", 4, 32), *FORMS[-3:]], ids=str)
@pytest.mark.parametrize("scales", FLOATS, ids=repr)
@pytest.mark.parametrize("dtype", [None, *FLOATS], ids=repr)
def test_types_are_those_of_mlx(
    form: Form, scales: mx.Dtype, dtype: mx.Dtype | None, instruction_set: None
) -> None:
    arrays = mx.quantize(draw(5, 192, dtype=scales), **options(form))

    y = mx.dequantize(*arrays, **options(form), dtype=dtype)

    with cpu_kernels(False):
        expected = mx.dequantize(*arrays, **options(form), dtype=dtype)
    assert y.dtype == expected.dtype
    coarsest = max((y, arrays[1]), key=lambda a: 0 if a.dtype == mx.uint8 else -a.itemsize)
    kind = mx.bfloat16 if mx.bfloat16 in (y.dtype, arrays[1].dtype) else coarsest.dtype
    assert_close(y.astype(kind), expected.astype(kind))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_rows_are_those_of_the_whole_table(form: Form, instruction_set: None) -> None:
    arrays = mx.quantize(draw(37, 256), **options(form))
    biases = arrays[2] if len(arrays) > 2 else None
    ids = mx.array([[36, 0, 5], [-1, -37, 5]])

    rows = mx.fast.quantized_take(*arrays[:2], biases, ids, **options(form), dtype=mx.float32)

    expected = theirs(arrays, form, mx.float32)[np.array(ids)]
    np.testing.assert_array_equal(as_numpy(rows), expected)


INTEGERS = (mx.int8, mx.int16, mx.int32, mx.int64, mx.uint8, mx.uint16, mx.uint32, mx.uint64)


@pytest.mark.parametrize("dtype", INTEGERS, ids=repr)
def test_indices_are_any_integers_of_any_shape(dtype: mx.Dtype) -> None:
    arrays = mx.quantize(draw(9, 64))
    floats = theirs(arrays, ("affine", 4, 64))
    wide = mx.arange(24).reshape(4, 6).astype(dtype) % 9
    for ids in (
        wide,
        wide[:, ::2],
        wide.T,
        wide[1, 1],
        mx.broadcast_to(wide[:1], (3, 6)),
        wide[:0],
    ):
        rows = mx.fast.quantized_take(*arrays, ids)
        np.testing.assert_array_equal(as_numpy(rows), floats[np.array(ids)])


@pytest.mark.parametrize("dtype", [mx.int32, mx.int64, mx.uint32, mx.uint64], ids=repr)
def test_indices_out_of_bounds_leave_the_process_alive(dtype: mx.Dtype) -> None:
    arrays = mx.quantize(draw(9, 64))
    bound = 2**62 if dtype.size == 8 else 2**31 - 1
    rows = mx.fast.quantized_take(*arrays, mx.array([9, bound, bound - 1], dtype))
    assert rows.shape == (3, 64)
    assert np.isfinite(as_numpy(rows)).all()
    if dtype in (mx.int32, mx.int64):
        rows = mx.fast.quantized_take(*arrays, mx.array([-10, -bound], dtype))
        assert np.isfinite(as_numpy(rows)).all()


@pytest.mark.parametrize("scales", FLOATS, ids=repr)
@pytest.mark.parametrize("dtype", [None, *FLOATS], ids=repr)
@pytest.mark.parametrize("form", [("affine", 4, 32), ("nvfp4", 4, 16)], ids=str)
def test_rows_are_rounded_once(scales: mx.Dtype, dtype: mx.Dtype | None, form: Form) -> None:
    arrays = mx.quantize(draw(9, 64, dtype=scales), **options(form))
    biases = arrays[2] if len(arrays) > 2 else None
    ids = mx.array([3, 8])

    rows = mx.fast.quantized_take(*arrays[:2], biases, ids, **options(form), dtype=dtype)

    wide = [arrays[0], *(a if a.dtype == mx.uint8 else a.astype(mx.float32) for a in arrays[1:])]
    kind = dtype or (mx.bfloat16 if form[0] == "nvfp4" else scales)
    exact = mx.array(theirs(wide, form, mx.float32)[[3, 8]])
    assert rows.dtype == kind
    np.testing.assert_array_equal(as_numpy(rows), as_numpy(exact.astype(kind)))


@pytest.mark.parametrize("form", [("affine", 4, 32), ("mxfp8", 8, 32)], ids=str)
@pytest.mark.parametrize("shape", [(), (2, 3)], ids=str)
def test_what_stands_in_for_the_kernel_gives_the_same_rows(form: Form, shape: tuple) -> None:
    arrays = mx.quantize(draw(9, 64), **options(form))
    table = (*arrays[:2], arrays[2] if len(arrays) > 2 else None)
    ids = mx.zeros(shape, mx.int32) - 2
    mode, bits, group = form
    rows = mx.fast.quantized_take(*table, ids, **options(form))

    with cpu_kernels(False):
        of_mlx = mx.fast.quantized_take(*table, ids, **options(form))
    composed = _composed.quantized_take(*table, ids, group, bits, mode, None, None)

    for other in (of_mlx, composed):
        assert other.dtype == rows.dtype
        np.testing.assert_array_equal(as_numpy(rows), as_numpy(other))


def test_tables_and_indices_need_not_be_contiguous(instruction_set: None) -> None:
    arrays = mx.quantize(draw(18, 128))
    floats = theirs(arrays, ("affine", 4, 64))
    every_other = [a[::2] for a in arrays]

    rows = mx.fast.quantized_take(*every_other, mx.array([8, 1]))

    np.testing.assert_array_equal(as_numpy(rows), floats[[16, 2]])
    np.testing.assert_array_equal(as_numpy(mx.dequantize(*every_other)), floats[::2])


def test_lazy_indices_are_looked_up() -> None:
    arrays = mx.quantize(draw(18, 128))
    logits = draw(1, 18)
    rows = mx.fast.quantized_take(*arrays, mx.argmax(logits, axis=-1))
    floats = theirs(arrays, ("affine", 4, 64))
    np.testing.assert_array_equal(as_numpy(rows), floats[np.array(logits).argmax(-1)])


def test_gradients_reach_scales_and_biases() -> None:
    packed, scales, biases = mx.quantize(draw(6, 64), 32)
    ids = mx.array([1, 4, 1])

    def loss(scales: mx.array, biases: mx.array) -> mx.array:
        rows = mx.fast.quantized_take(packed, scales, biases, ids, group_size=32)
        whole = mx.dequantize(packed, scales, biases, 32)
        return (rows**2).sum() + (whole**3).sum()

    ours = mx.grad(loss, argnums=(0, 1))(scales, biases)
    with cpu_kernels(False):
        expected = mx.grad(loss, argnums=(0, 1))(scales, biases)
    for gradient, other in zip(ours, expected, strict=True):
        assert_close(gradient, other)


@pytest.mark.parametrize("axis", [0, 1])
def test_operations_are_vectorized(axis: int) -> None:
    arrays = mx.quantize(draw(2, 9, 64))
    table = [a[0] for a in arrays]
    ids = mx.arange(6).reshape(2, 3)

    rows = mx.vmap(lambda ids: mx.fast.quantized_take(*table, ids), axis)(ids)
    of_tables = mx.vmap(lambda *table: mx.fast.quantized_take(*table, ids))(*arrays)
    whole = mx.vmap(mx.dequantize)(*arrays)

    floats = theirs(arrays, ("affine", 4, 64))
    chosen = np.moveaxis(np.array(ids), axis, 0)
    np.testing.assert_array_equal(as_numpy(rows), floats[0][chosen])
    np.testing.assert_array_equal(as_numpy(of_tables), floats[:, np.array(ids)])
    np.testing.assert_array_equal(as_numpy(whole), floats)


@pytest.mark.parametrize("shapeless", [False, True])
def test_operations_are_compiled(shapeless: bool) -> None:
    arrays = mx.quantize(draw(9, 64))
    floats = theirs(arrays, ("affine", 4, 64))

    def both(ids: mx.array) -> tuple[mx.array, mx.array]:
        return mx.fast.quantized_take(*arrays, ids + 1), mx.dequantize(*arrays) + 0

    compiled = mx.compile(both, shapeless=shapeless)
    for ids in (mx.array([3]), mx.array([1, 7])):
        rows, whole = compiled(ids)
        np.testing.assert_array_equal(as_numpy(rows), floats[np.array(ids) + 1])
        np.testing.assert_array_equal(as_numpy(whole), floats)


def test_operations_are_exported(tmp_path) -> None:
    arrays = mx.quantize(draw(9, 64))
    ids = mx.array([3, 1])
    file = str(tmp_path / "rows.mlxfn")

    mx.export_function(file, lambda ids: mx.fast.quantized_take(*arrays, ids), ids)

    (rows,) = mx.import_function(file)(ids)
    np.testing.assert_array_equal(as_numpy(rows), theirs(arrays, ("affine", 4, 64))[[3, 1]])


def test_what_does_not_fit_is_refused() -> None:
    w, scales, biases = mx.quantize(draw(9, 64))
    take, ids = mx.fast.quantized_take, mx.array([0])
    with pytest.raises(ValueError, match="2 dimensions"):
        take(w[0], scales[0], biases[0], ids)
    with pytest.raises(ValueError, match="[Ii]ntegral"):
        take(w, scales, biases, mx.array([0.0]))
    with pytest.raises(ValueError, match="[Bb]iases"):
        take(w, scales, None, ids)
    with pytest.raises(ValueError, match="scales"):
        take(w, scales[:, :0], biases[:, :0], ids)
    with pytest.raises(ValueError, match="group_size"):
        take(w, scales, biases, ids, group_size=0)
    with pytest.raises(ValueError, match="mode"):
        take(w, scales, biases, ids, mode="none")
    with pytest.raises(TypeError, match="biases"):
        take(w, scales, 3, ids)
