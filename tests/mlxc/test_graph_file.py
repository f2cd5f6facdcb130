"""Exported functions as mlxc reads and computes them, whoever wrote the file."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from support import exportable
from support.assert_close import assert_close

import mlxc as mx
from mlxc._graph_file import read_graphs
from mlxc._graph_rules import PLAIN, RULES, parameters_of
from mlxc._seal import LENGTH

pytestmark = pytest.mark.native

#: Operations that only a GPU has, or that MLX does not write.
ELSEWHERE = {
    *("RMSNorm", "RMSNormVJP", "LayerNorm", "LayerNormVJP", "RoPE", "ScaledDotProductAttention"),
    *("BitwiseInvert", "Contiguous", "Copy", "NumberOfElements", "StopGradient"),
}


def unsealed(path) -> bytes:
    """What mlx.core would have written."""
    return path.read_bytes()[:-LENGTH]


def exported(path, function, *inputs, **options) -> bytes:
    mx.export_function(path, function, *inputs, **options)
    return unsealed(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.mlxfn"


@pytest.mark.parametrize("name", exportable.CASES)
def test_an_imported_function_computes_what_was_exported(path, name):
    function, inputs = exportable.CASES[name]
    expected = function(*inputs)

    mx.export_function(path, function, *inputs)
    results = mx.import_function(path)(*inputs)

    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    assert len(results) == len(expected)
    for result, value in zip(results, expected, strict=True):
        assert (result.shape, result.dtype) == (value.shape, value.dtype)
        assert_close(result, value)


def test_the_functions_that_are_tried_hold_every_operation(path):
    met = set()

    def noted(name: str) -> str:
        met.add(name)
        return parameters_of(name)

    for function, inputs in exportable.CASES.values():
        mx.export_function(path, function, *inputs)
        read_graphs(path, noted)
    matrices = mx.ones((2, 3, 3)), mx.ones((3, 3))
    mx.export_function(path, lambda a, b: a @ b, *matrices, shapeless=True)
    read_graphs(path, noted)

    assert {*PLAIN, *RULES} - met == ELSEWHERE


@pytest.mark.parametrize(
    "function",
    [
        lambda a: a @ a.T + a.sum(axis=1, keepdims=True),
        lambda a: mx.softmax(a, axis=-1) * a.sum(axis=0),
        lambda a: a.mean() + mx.concatenate([a, a]),
        lambda a: mx.expand_dims(a, 0).flatten(0, 1).T,
    ],
)
def test_a_shapeless_function_takes_other_lengths(path, function):
    other = mx.arange(20.0).reshape(4, 5)
    mx.export_function(path, function, mx.ones((2, 3)), shapeless=True)

    assert_close(mx.import_function(path)(other)[0], function(other))


def test_a_constant_of_several_forms_is_in_the_file_once(path):
    constant = mx.arange(3.0) + 0
    mx.eval(constant)
    with mx.exporter(path, lambda a: (a + constant, constant)) as export:
        export(mx.ones(3))
        export(mx.ones((2, 3)))
    imported = mx.import_function(path)

    assert imported(mx.ones(3))[0].tolist() == [1.0, 2.0, 3.0]
    assert imported(mx.ones((2, 3)))[0].tolist() == [[1.0, 2.0, 3.0]] * 2
    assert imported(mx.ones((2, 3)))[1].tolist() == [0.0, 1.0, 2.0]


def test_a_shapeless_function_refuses_lengths_that_do_not_fit(path):
    mx.export_function(path, lambda a: a @ a, mx.ones((2, 2)), shapeless=True)

    with pytest.raises(ValueError, match="matmul"):
        mx.import_function(path)(mx.ones((2, 3)))


def test_the_operations_of_a_gpu_are_computed_on_any_device():
    a, w, g = (mx.random.normal(shape, key=mx.random.key(0)) for shape in ((2, 8), (8,), (2, 8)))

    def computed(name, parameters, *inputs):
        node = type("Node", (), {"parameters": parameters, "outputs": [0], "forms": []})
        return RULES[name][1](node, *parameters)(*inputs)

    assert_close(computed("RMSNorm", [1e-5], a, w), mx.fast.rms_norm(a, w, 1e-5))
    none = mx.array(1.0)
    assert_close(
        computed("LayerNorm", [1e-5], a, none, none), mx.fast.layer_norm(a, None, None, 1e-5)
    )
    backwards = computed("RMSNormVJP", [1e-5], a, w, g)
    expected = mx.vjp(lambda a, w: mx.fast.rms_norm(a, w, 1e-5), [a, w], [g])[1]
    for one, other in zip(backwards, expected, strict=True):
        assert_close(one, other)


def test_indices_beyond_an_axis_are_brought_within_it(path):
    places = mx.array([1, 12345])
    data = exported(path, lambda a: (a[places], a.at[places].add(1.0)), mx.arange(4.0))
    path.write_bytes(data)

    taken, added = mx.import_function(path)(mx.arange(4.0))

    assert taken.tolist() == [1.0, 3.0]
    assert added.tolist() == [0.0, 2.0, 2.0, 4.0]


@pytest.mark.parametrize("huge", [2**31, 2**40, 2**63, 2**64 - 1])
def test_a_length_beyond_the_file_is_refused(path, huge):
    data = exported(path, lambda a: a + 1, mx.ones(2))
    path.write_bytes(struct.pack("<Q", huge) + data[8:])

    with pytest.raises(ValueError, match="is truncated"):
        mx.import_function(path)


def test_a_result_of_another_shape_than_the_file_says_is_refused(path):
    data = exported(path, lambda a: mx.exp(a), mx.ones(1234))
    path.write_bytes(data[:-9] + struct.pack("<i", 1235) + data[-5:])

    with pytest.raises(ValueError, match=r"Exp makes .*1234.*the file says .*1235"):
        mx.import_function(path)


def test_an_operation_that_is_none_is_refused(path):
    data = exported(path, lambda a: mx.sinh(a), mx.ones(2))
    path.write_bytes(data.replace(b"Sinh", b"Load"))

    with pytest.raises(ValueError, match="operation 'Load' cannot be imported"):
        mx.import_function(path)


def test_operands_that_do_not_come_before_are_refused(path):
    data = exported(path, lambda a: mx.exp(a), mx.ones(2))
    tape = data.rindex(struct.pack("<QQ", 1, read_graphs(path, parameters_of).traces[0].inputs[0]))
    path.write_bytes(data[: tape + 8] + bytes(8) + data[tape + 16 :])

    with pytest.raises(ValueError, match="operands of Exp that do not come before it"):
        mx.import_function(path)


DAMAGE = """
import random, resource, struct, sys
import mlxc as mx

path, count, tests = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.path.append(tests)
from support.damage import damaged
from support.exportable import CASES
from mlxc._seal import LENGTH

def forged(data, rng):
    small = [
        place
        for place in range(20, len(data) - 4)
        if data[place] and data[place + 1 : place + 4] in (bytes(3), bytes([255] * 3))
    ]
    place = rng.choice(small)
    changes = (1, -1, 2, -2, 64, -64, 2**20, 2**30)
    value = struct.unpack_from("<i", data, place)[0] + rng.choice(changes)
    return data[:place] + struct.pack("<i", value) + data[place + 4 :]

resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
rng, wholes = random.Random(0), {}
refused = 0
for _ in range(count):
    name = rng.choice([*CASES])
    function, inputs = CASES[name]
    if name not in wholes:
        mx.export_function(path, function, *inputs)
        wholes[name] = open(path, "rb").read()[:-LENGTH]
    with open(path, "wb") as file:
        file.write((forged if rng.random() < 0.7 else damaged)(wholes[name], rng))
    try:
        mx.eval(mx.import_function(path)(*inputs))
    except (ValueError, MemoryError):
        refused += 1
print(count / 2 < refused < count)
"""


def test_no_damaged_or_forged_function_crashes(path):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", DAMAGE, str(path), "600", tests]

    done = subprocess.run(command, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
