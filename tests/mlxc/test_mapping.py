"""Arrays over a mapped file: read in place, never written, freed or handed on."""

import gc
import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.assert_close import as_numpy
from support.draw import floats

import mlxc as mx
from mlxc._mapping import maps_files

pytestmark = pytest.mark.skipif(not maps_files(), reason="this backend copies what it loads")

ROWS, COLUMNS = 64, 1024
TYPES = {
    "BOOL": mx.bool_,
    "U8": mx.uint8,
    "U16": mx.uint16,
    "U32": mx.uint32,
    "U64": mx.uint64,
    "I8": mx.int8,
    "I16": mx.int16,
    "I32": mx.int32,
    "I64": mx.int64,
    "F16": mx.float16,
    "BF16": mx.bfloat16,
    "F32": mx.float32,
    "C64": mx.complex64,
}


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(as_numpy(actual), as_numpy(expected))


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "a.safetensors"
    mx.save_safetensors(place, {"w": mx.array(floats((ROWS, COLUMNS), seed=1))})
    return place


def mappings(path):
    """How often the file is mapped in this process."""
    with open("/proc/self/maps") as maps:
        return sum(line.rstrip().removesuffix(" (deleted)").endswith(str(path)) for line in maps)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux_only
def test_a_file_is_mapped_once_and_as_long_as_an_array_lives(path):
    arrays = mx.load(path)
    view = arrays["w"][3:5]
    mx.eval(view)
    expected = as_numpy(arrays["w"])[3:5].copy()
    assert mappings(path) == 1

    del arrays
    gc.collect()
    assert mappings(path) == 1
    np.testing.assert_array_equal(as_numpy(view), expected)

    del view
    gc.collect()
    assert mappings(path) == 0


def test_loading_allocates_nothing_for_the_arrays(path):
    mx.clear_cache()
    before = mx.get_active_memory()

    w = mx.load(path)["w"]
    rows = w[:2]
    mx.eval(w, rows)

    assert mx.get_active_memory() - before < w.nbytes // 16
    assert mx.get_array_buffer_size(w, rows) == w.nbytes


IN_PLACE = {
    "a[...] = 0": "a[...] = 0",
    "a[3] = 1": "a[3] = 1",
    "a[:, ::2] = 1": "a[:, ::2] = 1",
    "a[rows] = 1": "a[mx.array([1, 2])] = 1",
    "a[mask] = 1": "a[a > 0] = 1",
    "at.add": "a = a.at[2].add(1)",
    "+=": "a += 1",
    "*=": "a *= a",
    "@=": "a @= mx.ones((1024, 1024))",
    "negative": "a = -a",
    "exp": "a = mx.exp(a)",
    "select": "a = mx.where(a > 0, a, 0)",
    "softmax": "a = mx.softmax(a, axis=-1)",
    "rms_norm": "a = mx.fast.rms_norm(a, None, 1e-5)",
    "rope": "a = mx.fast.rope(a[None, None], 64, traditional=False, base=1e4, scale=1, offset=3)",
    "sort": "a = mx.sort(a, axis=0)",
    "cumsum": "a = mx.cumsum(a, axis=0)",
    "astype": "a = a.astype(mx.int32) + 1",
    "view": "a = a.view(mx.uint32) + 1",
    "reshape": "a = a.reshape(-1) + 1",
    "transpose": "a = mx.contiguous(a.T) * 2",
    "put_along_axis": "a = mx.put_along_axis(a, mx.zeros((64, 1), mx.int32), mx.array(1.0), 1)",
    "slice_update": "a = mx.slice_update(a, mx.ones((1, 4)), mx.array([0, 0]), (0, 1))",
    "compile": "a = mx.compile(lambda x: mx.sin(x) + x * 2)(a)",
    "grad": "a = mx.grad(lambda x: (x * x).sum())(a)",
    "matmul": "a = a @ a.T",
    "addmm": "a = mx.addmm(a, mx.ones((64, 8)), mx.ones((8, 1024)))",
}

#: Makes the mapping read-only: whoever writes into it ends the process.
PROTECTED = """
import ctypes, mlxc as mx
protect = ctypes.CDLL(None).mprotect
protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for statement in {statements!r}:
    a = None
    a = mx.load({path!r})["w"]
    with open("/proc/self/maps") as maps:
        [place] = [line.split()[0] for line in maps if {path!r} in line]
    start, end = (int(bound, 16) for bound in place.split("-"))
    assert protect(start, end - start, 1) == 0
    print(statement, flush=True)
    exec(statement)
    mx.eval(a)
"""


@linux_only
def test_no_operation_writes_into_the_mapping(path):
    code = PROTECTED.format(path=str(path), statements=list(IN_PLACE.values()))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.splitlines() == list(IN_PLACE.values())


@pytest.mark.parametrize("statement", IN_PLACE.values(), ids=IN_PLACE)
def test_operations_give_what_they_give_for_a_copy(path, statement):
    content = path.read_bytes()
    names = {"mx": mx, "a": mx.load(path)["w"]}
    copies = {"mx": mx, "a": mx.array(load_file(path)["w"])}

    exec(statement, names)
    exec(statement, copies)

    np.testing.assert_array_equal(as_numpy(names["a"]), as_numpy(copies["a"]))
    assert path.read_bytes() == content
    np.testing.assert_array_equal(as_numpy(mx.load(path)["w"]), load_file(path)["w"])


def test_writing_through_a_numpy_view_changes_the_array_and_not_the_file(path):
    arrays = mx.load(path)
    before = load_file(path)["w"][0, 0]

    np.asarray(arrays["w"])[0, 0] = before + 1

    assert arrays["w"][0, 0].item() == before + 1
    assert load_file(path)["w"][0, 0] == before == mx.load(path)["w"][0, 0].item()


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_read_at_any_offset(tmp_path, name):
    values = mx.array([[1, 0, 3]]).astype(TYPES[name])
    content = bytes(memoryview(values.view(mx.uint8)))
    for odd in range(9):
        places = {"before": [0, odd], "x": [odd, odd + len(content)]}
        header = json.dumps(
            {
                "before": {"dtype": "U8", "shape": [odd], "data_offsets": places["before"]},
                "x": {"dtype": name, "shape": values.shape, "data_offsets": places["x"]},
            }
        ).encode()
        file = tmp_path / f"{odd}.safetensors"
        file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(odd) + content)

        assert_same(mx.load(file)["x"], values)


def test_arrays_without_elements_and_without_axes_are_read(tmp_path):
    arrays = {"none": mx.zeros((0, 3)), "one": mx.array(2.5), "no rows": mx.zeros((4, 0))}
    mx.save_safetensors(tmp_path / "a.safetensors", arrays)

    loaded = mx.load(tmp_path / "a.safetensors")

    for name, array in arrays.items():
        assert_same(loaded[name], array)


def test_a_file_without_arrays_is_read(tmp_path):
    mx.save_safetensors(tmp_path / "a.safetensors", {})

    assert mx.load(tmp_path / "a.safetensors") == {}


@pytest.mark.parametrize("change", ["delete", "replace", "save over"])
def test_arrays_stay_when_their_file_goes(path, change):
    arrays = mx.load(path)
    expected = load_file(path)["w"].copy()

    if change == "delete":
        path.unlink()
    elif change == "replace":
        other = path.with_name("other")
        other.write_bytes(bytes(100))
        os.replace(other, path)
    else:
        mx.save_safetensors(path, {"w": arrays["w"] + 1})
        np.testing.assert_array_equal(as_numpy(mx.load(path)["w"]), expected + 1)

    np.testing.assert_array_equal(as_numpy(arrays["w"]), expected)


def test_a_file_cut_short_by_another_program_ends_the_process(path):
    code = f"""
import os, mlxc as mx
a = mx.load({str(path)!r})["w"]
os.truncate({str(path)!r}, 4096)
print("mapped", flush=True)
mx.eval(a.sum())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (-signal.SIGBUS, "mapped\n"), done


def test_a_pickled_array_has_its_own_values(path):
    pickled = pickle.dumps(mx.load(path))
    path.unlink()

    np.testing.assert_array_equal(
        as_numpy(pickle.loads(pickled)["w"]), floats((ROWS, COLUMNS), seed=1)
    )


def test_threads_read_and_drop_mapped_arrays(path):
    expected = float(load_file(path)["w"].astype(np.float64).sum())
    sums = []

    def read():
        for _ in range(20):
            sums.append(mx.load(path)["w"].sum().item())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sums) == 80
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-2)


@linux_only
def test_loading_again_and_again_leaves_no_mapping(path):
    for _ in range(100):
        mx.eval(mx.load(path)["w"] + 1)
    gc.collect()

    assert mappings(path) == 0


def test_an_open_file_is_copied(path):
    with open(path, "rb") as file:
        arrays = mx.load(file, format="safetensors")

    assert mx.get_active_memory() >= arrays["w"].nbytes
    np.testing.assert_array_equal(as_numpy(arrays["w"]), load_file(path)["w"])
