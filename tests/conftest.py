"""What holds for all tests."""

import pytest
from hypothesis import settings

from mlxc._ffi import foreign

# Time is never asserted: a machine under load is no failure.
settings.register_profile("mlxrs", deadline=None)
settings.load_profile("mlxrs")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if foreign and item.get_closest_marker("native"):
        pytest.skip("mlxc was built with a foreign mlx-c")
