"""Window functions, with numpy as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning"])
@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_a_window_agrees_with_numpy(name, length):
    assert_close(getattr(mx, name)(length), getattr(np, name)(length))
