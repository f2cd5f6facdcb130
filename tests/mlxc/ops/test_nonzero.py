"""Where elements are not zero, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mlxc as mx

TYPES = st.sampled_from([np.bool_, np.int8, np.uint32, np.float32, np.complex64])
ARRAYS = hnp.arrays(TYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@given(ARRAYS)
def test_positions_are_those_of_numpy(a):
    b = mx.array(a)

    assert mx.flatnonzero(b).tolist() == np.flatnonzero(a).tolist()
    assert mx.flatnonzero(b.T).tolist() == np.flatnonzero(a.T).tolist()
    rows = mx.argwhere(b)
    assert rows.shape == np.argwhere(a).shape
    assert rows.tolist() == np.argwhere(a).tolist()
    if a.ndim:
        assert [i.tolist() for i in mx.nonzero(b)] == [i.tolist() for i in np.nonzero(a)]


@given(hnp.arrays(np.int8, hnp.array_shapes(max_side=4)))
def test_indexing_by_nonzero_gives_the_elements(a):
    b = mx.array(a)

    assert b[mx.nonzero(b)].tolist() == a[a != 0].tolist()


def test_nan_is_not_zero():
    assert mx.flatnonzero(mx.array([0.0, float("nan"), -0.0])).tolist() == [1]


def test_positions_are_uint32():
    assert mx.flatnonzero(mx.array([1])).dtype is mx.uint32
    assert mx.argwhere(mx.array(1)).dtype is mx.uint32


def test_an_array_without_axes_has_no_nonzero():
    with pytest.raises(ValueError, match="axes"):
        mx.nonzero(mx.array(1))
