"""Custom kernels: what is checked before a GPU is needed, and what is said without one."""

import pytest

import mlxc as mx

# MLX < 0.32 makes no kernel where it cannot run, and has no options for compiling one.

A = mx.ones((4,))
LAUNCH = {
    "inputs": [A, 1.5],
    "output_shapes": [(4,)],
    "output_dtypes": [mx.float32],
    "grid": (4, 1, 1),
    "threadgroup": (4, 1, 1),
}
PRECOMPILED = LAUNCH | {"name": "f", "compiled_source": b"", "scalars": [True, 1, 2.5]}

without_metal = pytest.mark.skipif(mx.metal.is_available(), reason="a kernel would run")
without_cuda = pytest.mark.skipif(mx.cuda.is_available(), reason="a kernel would run")


def metal(**changed):
    options = {"name": "f", "input_names": ["a", "b"], "output_names": ["out"], "source": ""}
    return mx.fast.metal_kernel(**options | changed)


@pytest.mark.native
@without_metal
def test_a_metal_kernel_is_made_anywhere_and_runs_on_metal_only():
    kernel = metal()

    with pytest.raises(RuntimeError, match=r"\[metal_kernel\] No Metal back-end"):
        kernel(**LAUNCH, template=[("T", mx.float32), ("n", 3), ("flag", True)], init_value=0)


@pytest.mark.native
@without_metal
@pytest.mark.parametrize("mode", ["safe", "relaxed", "fast"])
def test_a_metal_kernel_has_a_math_mode(mode):
    kernel = metal(compile_options={"math_mode": mode})

    with pytest.raises(RuntimeError, match=r"\[metal_kernel\] No Metal back-end"):
        kernel(**LAUNCH, verbose=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (3, "Expected `compile_options` to be a dict"),
        ({"speed": "fast"}, "Unknown compile option `speed`"),
        ({"math_mode": "quick"}, "Expected math_mode to be 'safe', 'relaxed', or 'fast'"),
    ],
)
def test_unknown_compile_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        metal(compile_options=options)


@pytest.mark.native
def test_a_metal_kernel_needs_an_output():
    with pytest.raises(ValueError, match="Must specify at least one output"):
        metal(output_names=[])


@pytest.mark.parametrize("argument", ["name", "source", "header"])
def test_what_should_be_text_is_refused_otherwise(argument):
    with pytest.raises(TypeError, match=f"{argument} must be a string, got int"):
        metal(**{argument: 3})


@pytest.mark.parametrize("names", ["ab", ["a", 1]])
def test_names_are_a_sequence_of_strings(names):
    with pytest.raises(TypeError, match="input_names must be a sequence of strings"):
        metal(input_names=names)


@pytest.mark.native
@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"grid": (1, 1)}, TypeError, "grid must be three integers"),
        ({"threadgroup": (1, 1, 1.5)}, TypeError, "threadgroup must be three integers"),
        ({"output_dtypes": []}, ValueError, "must be of one length, got 1 and 0"),
        ({"output_dtypes": ["float32"]}, TypeError, "output_dtypes must be dtypes"),
        ({"template": [("T", 1.5)]}, ValueError, "'T' must be a Dtype, an int or a bool"),
        ({"stream": 3}, TypeError, "stream must be"),
    ],
)
def test_a_call_is_checked_before_it_runs(changed, error, words):
    with pytest.raises(error, match=words):
        metal()(**LAUNCH | changed)


@pytest.mark.native
def test_a_call_takes_its_arguments_by_name():
    with pytest.raises(TypeError):
        metal()([A])


@pytest.mark.native
@without_cuda
def test_a_cuda_kernel_needs_cuda():
    with pytest.raises(RuntimeError, match=r"\[cuda_kernel\] No CUDA back-end"):
        mx.fast.cuda_kernel("f", ["a"], ["out"], "", shared_memory=16)


@pytest.mark.native
@without_cuda
def test_a_precompiled_kernel_needs_cuda():
    with pytest.raises(RuntimeError, match=r"\[cuda_kernel\] No CUDA back-end"):
        mx.fast.precompiled_cuda_kernel(**PRECOMPILED, init_value=0.0)


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"compiled_source": "text"}, TypeError, "compiled_source must be bytes, got str"),
        ({"scalars": ["a"]}, ValueError, "Received str but must be one of bool, int or float"),
        ({"name": b"f"}, TypeError, "name must be a string, got bytes"),
    ],
)
def test_a_precompiled_kernel_is_checked_first(changed, error, words):
    with pytest.raises(error, match=words):
        mx.fast.precompiled_cuda_kernel(**PRECOMPILED | changed)
