"""Memory of arrays."""

import platform
import subprocess
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


HOLES = """
import resource
import mlxc as mx

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20

arrays = [mx.full((100 << 10,), 1, mx.uint8) for _ in range(2000)]
mx.eval(arrays)
del arrays[1::2], arrays[3::4]
mx.clear_cache()
cleared = resident()
mx.trim_memory()
print(cleared - resident(), sum(int(a.sum()) for a in arrays) == len(arrays) * (100 << 10))
"""


@pytest.mark.native
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="nothing is kept that we know of")
def test_memory_that_the_c_library_keeps_between_arrays_goes_back_to_the_system():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True)
    released, whole = done.stdout.split()

    assert int(released) > 40, done.stderr  # of 100 MB
    assert whole == "True"


def test_setting_a_limit_gives_the_one_before():
    before = mx.get_memory_limit()

    assert mx.set_memory_limit(2**40) == before
    assert mx.get_memory_limit() == 2**40
    assert mx.set_memory_limit(before) == 2**40


@pytest.mark.native  # on a CPU MLX < 0.32 has no cache
def test_setting_a_cache_limit_gives_the_one_before():
    cache = mx.set_cache_limit(MIB)
    assert mx.set_cache_limit(cache) == MIB


@pytest.mark.parametrize("name", ["set_memory_limit", "set_cache_limit", "set_wired_limit"])
def test_a_negative_limit_is_refused(name):
    with pytest.raises(TypeError, match="limit must not be negative, got -1"):
        getattr(mx, name)(-1)


def test_metal_is_only_there_on_a_mac():
    assert mx.metal.is_available() <= (sys.platform == "darwin")


@pytest.mark.native
def test_the_buffer_size_counts_shared_buffers_once():
    a = mx.zeros((MIB,), mx.uint8) + 1
    b = mx.ones((MIB,), mx.uint8) + 1
    half = a[: MIB // 2]
    mx.eval(a, b, half)

    size = mx.get_array_buffer_size(a)

    assert size >= MIB
    assert mx.get_array_buffer_size(a, [half, {"a": a}], "text", None) == size
    assert mx.get_array_buffer_size([a, b]) == 2 * size
    assert mx.get_array_buffer_size() == 0


@pytest.mark.native
def test_an_array_without_a_buffer_is_refused():
    with pytest.raises(ValueError, match="must be evaluated"):
        mx.get_array_buffer_size(mx.ones((3,)) + 1)


def test_a_limit_holds_for_its_block_only():
    before = mx.get_memory_limit()

    with mx.memory_limit(2**40):
        assert mx.get_memory_limit() == 2**40
    assert mx.get_memory_limit() == before

    with pytest.raises(ZeroDivisionError), mx.memory_limit(2**40):
        raise ZeroDivisionError
    assert mx.get_memory_limit() == before


def test_with_a_cache_of_nothing_freed_memory_is_given_back():
    with mx.cache_limit(0):
        a = mx.ones((MIB,)) + 1
        mx.eval(a)
        del a
        assert mx.get_cache_memory() == 0
    with mx.wired_limit(0):
        pass


@pytest.mark.parametrize("name", ["memory_limit", "cache_limit", "wired_limit"])
def test_a_block_with_a_negative_limit_does_not_begin(name):
    with pytest.raises(TypeError, match="limit must not be negative"), getattr(mx, name)(-1):
        raise AssertionError("the block began")


# --- the old places in mlxc.metal ---


@pytest.mark.parametrize(
    "name", ["get_active_memory", "get_peak_memory", "get_cache_memory", "device_info"]
)
def test_an_old_place_of_a_reading_warns(name):
    with pytest.deprecated_call(match=f"mlxc.metal.{name} is deprecated; use mlxc.{name}") as seen:
        result = getattr(mx.metal, name)()

    assert isinstance(result, dict if name == "device_info" else int)
    assert seen[0].filename == __file__


@pytest.mark.parametrize("name", ["set_memory_limit", "set_cache_limit", "set_wired_limit"])
def test_an_old_place_of_a_limit_sets_it(name):
    with pytest.deprecated_call():
        before = getattr(mx.metal, name)(0)

    assert getattr(mx, name)(before) == 0


def test_old_places_of_functions_without_result_do_the_same():
    with pytest.deprecated_call():
        mx.metal.reset_peak_memory()
    with pytest.deprecated_call():
        mx.metal.clear_cache()

    assert mx.get_cache_memory() == 0


@pytest.mark.skipif(mx.metal.is_available(), reason="it would be recorded")
def test_without_metal_nothing_is_recorded(tmp_path):
    path = tmp_path / "trace.gputrace"

    mx.metal.start_capture(path)
    mx.metal.stop_capture()

    assert not path.exists()
    with pytest.raises(TypeError, match="PathLike"):
        mx.metal.start_capture(3)


def test_cuda_and_metal_are_never_both_there():
    assert not (mx.metal.is_available() and mx.cuda.is_available())
    assert (mx.metal.is_available() or mx.cuda.is_available()) == mx.is_available(mx.gpu)
