"""What data types hold, and how they relate."""

import numpy as np
import pytest

import mlxc as mx


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_the_limits_of_floats_are_those_of_numpy(name):
    ours, theirs = mx.finfo(getattr(mx, name)), np.finfo(name)

    for limit in ("bits", "min", "max", "eps", "smallest_normal"):
        assert getattr(ours, limit) == getattr(theirs, limit)
    assert ours.dtype is getattr(mx, name)


def test_bfloat16_has_the_range_of_float32_and_8_bits_of_precision():
    info = mx.finfo(mx.bfloat16)

    assert info.max == mx.array(0x7F7F, mx.uint16).view(mx.bfloat16).item() == -info.min
    assert info.smallest_normal == mx.finfo(mx.float32).smallest_normal
    assert (info.bits, info.eps) == (16, 2**-7)


def test_complex64_has_the_limits_of_its_parts():
    assert repr(mx.finfo(mx.complex64)) == "finfo(min=-3.40282e+38, max=3.40282e+38, dtype=float32)"


@pytest.mark.parametrize("name", [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 32, 64)])
def test_the_limits_of_integers_are_those_of_numpy(name):
    ours, theirs = mx.iinfo(getattr(mx, name)), np.iinfo(name)

    assert (ours.min, ours.max) == (theirs.min, theirs.max)
    assert repr(ours) == f"iinfo(min={theirs.min}, max={theirs.max}, dtype={name})"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: mx.finfo(mx.int32), ValueError),
        (lambda: mx.iinfo(mx.bool_), ValueError),
        (lambda: mx.finfo("float32"), TypeError),
        (lambda: mx.can_cast(1, mx.float32), ValueError),
        (lambda: mx.isdtype(mx.int8, "whole"), ValueError),
        (lambda: mx.isdtype(mx.int8, ("integral", "whole")), ValueError),
        (lambda: mx.isdtype(mx.int8, ["integral"]), ValueError),
        (lambda: mx.isdtype("int8", "integral"), TypeError),
    ],
)
def test_what_has_no_answer_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_a_cast_is_possible_if_promotion_gives_the_type():
    assert mx.can_cast(mx.array([1]), mx.float32)
    assert mx.can_cast(mx.uint8, mx.int16)
    assert not mx.can_cast(mx.float32, mx.int32)
    assert not mx.can_cast(mx.int8, mx.uint8)


@pytest.mark.parametrize(
    ("dtype", "kind", "expected"),
    [
        (mx.bool_, "bool", True),
        (mx.bool_, "numeric", False),
        (mx.int8, "signed integer", True),
        (mx.int8, "unsigned integer", False),
        (mx.uint8, "integral", True),
        (mx.bfloat16, "real floating", True),
        (mx.complex64, "complex floating", True),
        (mx.complex64, ("integral", mx.complex64), True),
        (mx.complex64, (), False),
        (mx.int8, mx.int8, True),
    ],
)
def test_a_type_is_of_its_kinds(dtype, kind, expected):
    assert mx.isdtype(dtype, kind) is expected


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("acos", "arccos"),
        ("atan2", "arctan2"),
        ("bitwise_left_shift", "left_shift"),
        ("cumulative_sum", "cumsum"),
        ("empty", "zeros"),
        ("empty_like", "zeros_like"),
        ("pow", "power"),
    ],
)
def test_a_second_name_is_the_same_function(alias, name):
    assert getattr(mx, alias) is getattr(mx, name)
