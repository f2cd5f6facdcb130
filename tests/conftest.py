"""What holds for all tests."""

import pytest
from hypothesis import settings

import mlxc as mx
from mlxc._ffi import foreign

# Time is never asserted: a machine under load is no failure. A change passes or fails by what it
# does, so the examples are the same in each run; --hypothesis-profile=explore looks for new ones.
settings.register_profile("mlxrs", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("mlxrs")


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Loading a model chooses, for the whole process: the next test does not depend on it.
    mx.cpu_kernels(activations="default")
    if foreign and item.get_closest_marker("native"):
        pytest.skip("mlxc was built with a foreign mlx-c")
