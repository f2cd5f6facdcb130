"""Memory of arrays."""

import sys

import pytest

import mlxc as mx

MIB = 2**20


def test_active_memory_grows_and_shrinks_with_arrays():
    before = mx.get_active_memory()

    a = mx.zeros((MIB,), mx.uint8) + 1
    mx.eval(a)
    with_array = mx.get_active_memory()
    del a

    assert with_array - before >= MIB
    assert mx.get_active_memory() < with_array


def test_the_peak_is_kept_until_it_is_reset():
    mx.reset_peak_memory()
    before = mx.get_peak_memory()

    a = mx.ones((4 * MIB,), mx.uint8) + 1
    mx.eval(a)
    del a

    assert mx.get_peak_memory() >= before + 4 * MIB
    mx.reset_peak_memory()
    assert mx.get_peak_memory() < 4 * MIB


def test_a_cleared_cache_is_empty():
    a = mx.ones((MIB,)) + 1
    mx.eval(a)
    del a

    mx.clear_cache()

    assert mx.get_cache_memory() == 0


@pytest.mark.native
def test_setting_a_limit_gives_the_one_before():
    before = mx.get_memory_limit()

    assert mx.set_memory_limit(2**40) == before
    assert mx.get_memory_limit() == 2**40
    assert mx.set_memory_limit(before) == 2**40
    cache = mx.set_cache_limit(MIB)
    assert mx.set_cache_limit(cache) == MIB


@pytest.mark.parametrize("name", ["set_memory_limit", "set_cache_limit", "set_wired_limit"])
def test_a_negative_limit_is_refused(name):
    with pytest.raises(ValueError, match="limit must not be negative, got -1"):
        getattr(mx, name)(-1)


def test_metal_is_only_there_on_a_mac():
    assert mx.metal.is_available() <= (sys.platform == "darwin")
