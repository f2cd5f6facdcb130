"""Arrays in files: what is saved comes back, and what is malformed is refused."""

import io
import json
import os
import struct
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from support.assert_close import as_numpy, assert_close
from support.draw import floats

import mlxc as mx

DTYPES = [
    mx.bool_,
    mx.uint8,
    mx.uint16,
    mx.uint32,
    mx.uint64,
    mx.int8,
    mx.int16,
    mx.int32,
    mx.int64,
    mx.float16,
    mx.bfloat16,
    mx.float32,
    mx.complex64,
]
EVERY = {repr(dtype): mx.array([[1, 0, 3]]).astype(dtype) for dtype in DTYPES}
EMPTY = mx.zeros((0, 3))


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(as_numpy(actual), as_numpy(expected))


# --- what is saved comes back ---


@pytest.mark.parametrize("array", [*EVERY.values(), mx.array(1.5), EMPTY], ids=repr)
def test_npy_gives_back_the_array(tmp_path, array):
    mx.save(tmp_path / "a.npy", array)

    assert_same(mx.load(tmp_path / "a.npy"), array)


def test_npy_is_read_by_numpy_and_written_by_it(tmp_path):
    x = floats((3, 4), seed=1)
    mx.save(tmp_path / "a.npy", mx.array(x))
    np.save(tmp_path / "b.npy", np.asfortranarray(x))
    np.save(tmp_path / "c.npy", x.astype(">f4"))

    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), x)
    assert_close(mx.load(tmp_path / "b.npy"), x)
    assert_close(mx.load(tmp_path / "c.npy"), x)


@pytest.mark.parametrize("save", [mx.savez, mx.savez_compressed], ids=["plain", "compressed"])
def test_npz_gives_back_the_arrays(tmp_path, save):
    named = {"file": mx.array([1]), "half": mx.array([1.5], dtype=mx.bfloat16)}

    save(tmp_path / "a.npz", mx.array([2.0]), **named)

    loaded = mx.load(tmp_path / "a.npz")
    assert list(loaded) == ["arr_0", "file", "half"]
    for name, array in named.items():
        assert_same(loaded[name], array)
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["arr_0"].tolist() == [2.0]


def test_npz_refuses_a_name_twice(tmp_path):
    with pytest.raises(ValueError, match="arr_0"):
        mx.savez(tmp_path / "a.npz", mx.array(1), arr_0=mx.array(2))


def test_safetensors_give_back_arrays_and_metadata(tmp_path):
    mx.save_safetensors(tmp_path / "a.safetensors", EVERY, {"format": "mlx", "é": "ü"})

    arrays, metadata = mx.load(tmp_path / "a.safetensors", return_metadata=True)

    assert metadata == {"format": "mlx", "é": "ü"}
    assert arrays.keys() == EVERY.keys()
    for name, array in EVERY.items():
        assert_same(arrays[name], array)


def test_safetensors_are_read_by_its_library_and_written_by_it(tmp_path):
    arrays = {"b": floats((2, 3), seed=1), "a": np.arange(4), "empty": np.zeros((0, 2))}
    arrays["empty"] = arrays["empty"].astype(np.float32)
    mx.save_safetensors(tmp_path / "ours.safetensors", {n: mx.array(x) for n, x in arrays.items()})
    save_file(arrays, tmp_path / "theirs.safetensors")

    theirs = load_file(tmp_path / "ours.safetensors")
    ours = mx.load(tmp_path / "theirs.safetensors")

    for name, x in arrays.items():
        np.testing.assert_array_equal(theirs[name], x)
        np.testing.assert_array_equal(np.array(ours[name]), x)


def test_a_transposed_array_is_saved_as_it_looks(tmp_path):
    a = mx.array(floats((2, 3), seed=1)).T
    mx.save_safetensors(tmp_path / "a.safetensors", {"a": a})

    assert_same(mx.load(tmp_path / "a.safetensors")["a"], a)


def test_the_ending_is_appended(tmp_path):
    mx.save(tmp_path / "a", mx.array(1))
    mx.savez(str(tmp_path / "a"), mx.array(1))
    mx.save_safetensors(tmp_path / "a.b", {"a": mx.array(1)})

    assert sorted(os.listdir(tmp_path)) == ["a.b.safetensors", "a.npy", "a.npz"]


def test_the_format_can_be_named(tmp_path):
    mx.save(tmp_path / "a.npy", mx.array([1]))
    os.rename(tmp_path / "a.npy", tmp_path / "a.bin")

    assert mx.load(tmp_path / "a.bin", format="npy").tolist() == [1]


# --- whole or not at all ---


def test_a_failed_save_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "a.safetensors"
    mx.save_safetensors(path, {"a": mx.array([1])})

    for bad in ({"a": mx.array([1.0], dtype=mx.float64)}, {"a\0b": mx.array(1)}):
        with pytest.raises(ValueError):
            mx.save_safetensors(path, bad)

    assert os.listdir(tmp_path) == ["a.safetensors"]
    assert mx.load(path)["a"].tolist() == [1]


@pytest.mark.native  # MLX < 0.32 aborts
def test_an_array_that_cannot_be_evaluated_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError, match="LU"), mx.stream(mx.cpu):
        mx.save(tmp_path / "b.npy", mx.linalg.inv(mx.zeros((2, 2))))

    assert os.listdir(tmp_path) == []


def test_a_file_can_be_saved_over_while_its_arrays_are_read(tmp_path):
    path = tmp_path / "a.safetensors"
    mx.save_safetensors(path, {"a": mx.array([1, 2]), "b": mx.array([3])})
    arrays = mx.load(path)

    mx.save_safetensors(path, {"b": arrays["b"] + arrays["a"]})

    assert mx.load(path)["b"].tolist() == [4, 5]
    assert arrays["a"].tolist() == [1, 2]


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "target.npy", tmp_path / "link.npy"
    target.touch()
    link.symlink_to(target)

    mx.save(link, mx.array([1]))

    assert link.is_symlink()
    assert mx.load(target).tolist() == [1]


@pytest.mark.parametrize(
    ("arrays", "metadata", "message"),
    [
        ({"a": 1}, None, r"arrays\['a'\] must be an array, got int"),
        ({1: mx.array(1)}, None, "a name in arrays must be a string, got 1"),
        ({}, {"k": 1}, r"metadata\['k'\] must be a string, got 1"),
    ],
)
def test_what_safetensors_cannot_hold_is_named(tmp_path, arrays, metadata, message):
    with pytest.raises(TypeError, match=message):
        mx.save_safetensors(tmp_path / "a.safetensors", arrays, metadata)


# --- what cannot be read ---


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.safetensors", "a.gguf"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        mx.load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        mx.save(tmp_path / "nowhere" / name, mx.array(1))


@pytest.mark.parametrize("name", ["a", "a.pt", "a.txt"])
def test_an_unknown_format_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="format must be one of"):
        mx.load(tmp_path / name)


def test_metadata_of_another_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match="return_metadata is for safetensors and gguf"):
        mx.load(tmp_path / "a.npy", return_metadata=True)


def safetensors(header, data=b"", *, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}}


DATA = bytes(4)

MALFORMED = {
    "no length": (b"", "truncated"),
    "half a length": (b"\x08\0\0", "truncated"),
    "a header beyond the file": (safetensors({}, length=10**6), "truncated"),
    "a huge header": (safetensors({}, length=2**63), "truncated"),
    "no json": (safetensors(b"{]"), "not JSON"),
    "no utf-8": (safetensors(b'{"\xff":1}'), "not JSON"),
    "utf-16": (safetensors('{"a":1}'.encode("utf-16")), "not JSON"),
    "deep nesting": (safetensors(b"[" * 100_000), "not JSON"),
    "no object": (safetensors([]), "not a JSON object"),
    "a name twice": (safetensors(b'{"a":{},"a":{}}'), "twice"),
    "a tensor that is no object": (safetensors({"a": 1}), "'a' is not described"),
    "an unknown type": (safetensors(tensor("F4"), DATA), "unknown dtype 'F4'"),
    "a type that is no string": (safetensors(tensor([]), DATA), "unknown dtype"),
    "a negative length": (safetensors(tensor(shape=(-1,)), DATA), "impossible shape"),
    "a fractional length": (safetensors(tensor(shape=(1.0,)), DATA), "impossible shape"),
    "a true length": (safetensors(tensor(shape=(True,)), DATA), "impossible shape"),
    "a huge length": (safetensors(tensor(shape=(0, 2**31), offsets=(0, 0))), "impossible shape"),
    "one offset": (safetensors(tensor(offsets=(0,)), DATA), "impossible data_offsets"),
    "offsets in reverse": (safetensors(tensor(offsets=(4, 0)), DATA), "data_offsets"),
    "offsets beyond the file": (safetensors(tensor(offsets=(4, 8)), DATA), "beyond the 4 bytes"),
    "too few bytes": (safetensors(tensor(shape=(2,)), DATA), "takes 8"),
    "too many bytes": (safetensors(tensor("F16"), DATA), "takes 2"),
    "an overflowing shape": (safetensors(tensor(shape=(2**31 - 1,) * 9), DATA), "takes"),
    "a zero in a name": (safetensors({"a\0b": tensor()["a"]}, DATA), "zero character"),
    "metadata that is no object": (safetensors({"__metadata__": []}), "__metadata__"),
    "metadata that is no string": (safetensors({"__metadata__": {"k": 1}}), "__metadata__"),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_safetensors_are_refused(tmp_path, content, message):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=message) as failure:
        mx.load(path)
    assert str(path) in str(failure.value)


@given(at=st.integers(0, 200), byte=st.integers(0, 255), length=st.integers(0, 200))
def test_a_damaged_file_is_refused_or_read(tmp_path_factory, at, byte, length):
    path = tmp_path_factory.mktemp("damaged") / "a.safetensors"
    whole = safetensors(tensor(shape=(2, 2), offsets=(0, 16)), bytes(16))
    damaged = bytearray(whole)
    damaged[at % len(whole)] = byte
    path.write_bytes(damaged[: max(length, len(whole) // 2)])

    try:
        arrays = mx.load(path)
    except ValueError:
        return
    mx.eval(*arrays.values())


NPY = b"\x93NUMPY\1\0"
GOOD_NPY = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"


def npy(header, data=b""):
    return NPY + struct.pack("<H", len(header)) + header + data


BAD_NPY = {
    "empty": (b"", "not a .npy file"),
    "another file": (b"PK\3\4" * 10, "not a .npy file"),
    "another version": (b"\x93NUMPY\3\0" + bytes(20), "version"),
    "truncated header": (npy(GOOD_NPY)[:30], "header"),
    "truncated data": (npy(GOOD_NPY, bytes(7)), "takes 8 bytes, but 7"),
    "more data": (npy(GOOD_NPY, bytes(9)), "1 bytes follow its array"),
    "an object": (npy(GOOD_NPY.replace(b"<f4", b"|O8"), bytes(16)), "header"),
    "another type": (npy(GOOD_NPY.replace(b"<f4", b"<c4"), bytes(8)), "type c4"),
    "code": (npy(GOOD_NPY.replace(b"(2,)", b"(f(),)"), bytes(8)), "header"),
    "a negative length": (npy(GOOD_NPY.replace(b"(2,)", b"(-2,)"), bytes(8)), "header"),
}


@pytest.mark.parametrize(("content", "message"), BAD_NPY.values(), ids=BAD_NPY)
def test_malformed_npy_is_refused(tmp_path, content, message):
    path = tmp_path / "a.npy"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=message):
        mx.load(path)


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}], dtype=object))

    with pytest.raises(ValueError, match="header"):
        mx.load(tmp_path / "a.npz")


# --- archives ---


def archive(path, members, method=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as file:
        warnings.simplefilter("ignore", UserWarning)  # the same name twice
        for name, content in members:
            file.writestr(name, content)


WHOLE_NPY = npy(GOOD_NPY, bytes(8))


@pytest.mark.parametrize(
    ("members", "method", "message"),
    [
        ([("a.npy", WHOLE_NPY), ("a.npy", WHOLE_NPY)], zipfile.ZIP_STORED, "names 'a' twice"),
        ([("a.npy", WHOLE_NPY), ("a", WHOLE_NPY)], zipfile.ZIP_STORED, "names 'a' twice"),
        ([("a.npy", WHOLE_NPY)], zipfile.ZIP_LZMA, "neither stored nor deflated"),
        ([("a.npy", b"text")], zipfile.ZIP_STORED, "not a .npy file"),
        ([("a.npy", WHOLE_NPY + bytes(9))], zipfile.ZIP_STORED, "more bytes follow"),
        ([("a.npy", npy(GOOD_NPY, bytes(7)))], zipfile.ZIP_DEFLATED, "takes 8 bytes, but 7"),
    ],
)
def test_malformed_archives_are_refused(tmp_path, members, method, message):
    archive(tmp_path / "a.npz", members, method)

    with pytest.raises(ValueError, match=message):
        mx.load(tmp_path / "a.npz")


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """The bomb of many members over one long run of zeros."""
    shape = 10**6
    content = npy(GOOD_NPY.replace(b"(2,)", b"(%d,)" % shape), bytes(4 * shape))
    archive(tmp_path / "a.npz", [("a.npy", content), ("b.npy", WHOLE_NPY)])
    data = bytearray((tmp_path / "a.npz").read_bytes())
    second = data.rindex(b"PK\1\2")
    first = data.rindex(b"PK\1\2", 0, second)
    data[second + 10 : second + 46] = data[first + 10 : first + 46]
    (tmp_path / "a.npz").write_bytes(data)

    with pytest.raises(ValueError, match="overlaps another member"):
        mx.load(tmp_path / "a.npz")


def test_a_member_that_promises_more_than_its_bytes_can_become_is_refused(tmp_path):
    archive(tmp_path / "a.npz", [("a.npy", WHOLE_NPY)])
    data = bytearray((tmp_path / "a.npz").read_bytes())
    at = data.rindex(b"PK\1\2") + 24
    data[at : at + 4] = struct.pack("<I", 2**31)
    (tmp_path / "a.npz").write_bytes(data)

    with pytest.raises(ValueError, match="cannot become 2147483648 bytes"):
        mx.load(tmp_path / "a.npz")


def test_an_encrypted_member_is_refused(tmp_path):
    archive(tmp_path / "a.npz", [("a.npy", WHOLE_NPY)])
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.npz").write_bytes(data)

    with pytest.raises(ValueError, match="'a.npy' is encrypted"):
        mx.load(tmp_path / "a.npz")


def test_an_archive_larger_than_memory_is_refused(tmp_path, monkeypatch):
    archive(tmp_path / "a.npz", [("a.npy", WHOLE_NPY)])
    monkeypatch.setattr(os, "sysconf", lambda name: 4)

    with pytest.raises(ValueError, match="bytes of memory; there are 16"):
        mx.load(tmp_path / "a.npz")


@given(at=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_read(tmp_path_factory, at, byte):
    path = tmp_path_factory.mktemp("damaged") / "a.npz"
    archive(path, [("a.npy", WHOLE_NPY), ("b.npy", WHOLE_NPY)])
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    path.write_bytes(data)

    try:
        mx.load(path)
    except ValueError:
        pass


# --- open files ---

SAVES = {
    "npy": lambda file, a: mx.save(file, a),
    "npz": lambda file, a: mx.savez(file, a=a),
    "safetensors": lambda file, a: mx.save_safetensors(file, {"a": a}, {"k": "v"}),
}


def only(loaded):
    return loaded["a"] if isinstance(loaded, dict) else loaded


@pytest.mark.parametrize("format", SAVES)
@pytest.mark.parametrize(
    "array", [*EVERY.values(), mx.array(1.5), EMPTY, mx.ones((2, 3)).T], ids=repr
)
def test_an_open_file_gives_back_the_array(format, array):
    file = io.BytesIO()

    SAVES[format](file, array)
    file.seek(0)

    assert_same(only(mx.load(file, format=format)), array)


@pytest.mark.parametrize("format", SAVES)
def test_what_was_read_from_an_open_file_outlives_it(tmp_path, format):
    path = tmp_path / f"a.{format}"
    with open(path, "wb") as file:
        SAVES[format](file, mx.array([1, 2]))
    with open(path, "rb") as file:
        loaded = mx.load(file)
    path.write_bytes(b"")

    assert only(loaded).tolist() == [1, 2]


@pytest.mark.parametrize("format", ["npy", "safetensors"])
def test_reading_begins_at_the_position(format):
    file = io.BytesIO(b"before")
    file.seek(6)
    SAVES[format](file, mx.array([1, 2]))
    file.seek(6)

    assert only(mx.load(file, format=format)).tolist() == [1, 2]


def test_arrays_saved_behind_each_other_are_read_so():
    file = io.BytesIO()
    mx.save(file, mx.array([1, 2]))
    mx.save(file, mx.array([3.0]))
    file.seek(0)

    assert mx.load(file, format="npy").tolist() == [1, 2]
    assert mx.load(file, format="npy").tolist() == [3.0]


def test_metadata_come_from_open_files_too():
    file = io.BytesIO()
    SAVES["safetensors"](file, mx.array(1))
    file.seek(0)

    assert mx.load(file, format="safetensors", return_metadata=True)[1] == {"k": "v"}


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="file must be a path or an open file"):
        mx.load(3)
    with pytest.raises(ValueError, match="file must be a path or an open file"):
        mx.save(3, mx.array(1))
    with pytest.raises(ValueError, match="format must be one of"):
        mx.load(io.BytesIO())
    with pytest.raises(ValueError, match="open for text"), open(tmp_path / "a.npy", "w+") as file:
        mx.load(file)


@pytest.mark.parametrize("big", [">f4", "<f8", ">c8", ">i2"])
@pytest.mark.parametrize("place", ["path", "open file", "archive"])
def test_what_numpy_writes_is_read_from_everywhere(tmp_path, big, place):
    x = np.arange(6).reshape(2, 3).astype(big)
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "a.npz", a=x)
    if place == "open file":
        with open(tmp_path / "a.npy", "rb") as file:
            loaded = mx.load(file)
    else:
        loaded = mx.load(tmp_path / ("a.npy" if place == "path" else "a.npz"))

    assert np.array(only(loaded)).dtype == x.dtype.newbyteorder("=")
    np.testing.assert_array_equal(np.array(only(loaded)), x)
