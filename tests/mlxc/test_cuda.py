"""On an NVIDIA GPU: kernels of one's own, and the same answers as the CPU gives."""

import ctypes
import shutil
import subprocess
import threading

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx

pytestmark = pytest.mark.skipif(not mx.cuda.is_available(), reason="there is no NVIDIA GPU")

GRID = {"grid": (64, 1, 1), "threadgroup": (32, 1, 1)}


def test_a_kernel_computes_each_element():
    kernel = mx.fast.cuda_kernel(
        name="scaled_exponential",
        input_names=["a", "factor"],
        output_names=["out"],
        source="""
            auto i = cooperative_groups::this_grid().thread_rank();
            out[i] = factor[0] * exp(a[i]);
        """,
    )
    a = mx.random.normal((64,))

    (out,) = kernel(
        inputs=[a, mx.array([2.0])], output_shapes=[(64,)], output_dtypes=[mx.float32], **GRID
    )

    assert_close(out, 2 * np.exp(np.array(a)))


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.int32])
def test_a_template_names_a_dtype_and_a_number(dtype):
    kernel = mx.fast.cuda_kernel(
        name="shifted",
        input_names=["a"],
        output_names=["out", "twice"],
        source="""
            auto i = cooperative_groups::this_grid().thread_rank();
            T x = a[i] + T(SHIFT);
            out[i] = x;
            twice[i] = x + x;
        """,
    )
    a = mx.arange(64).astype(dtype)

    out, twice = kernel(
        inputs=[a],
        output_shapes=[(64,), (8, 8)],
        output_dtypes=[dtype, dtype],
        template=[("T", dtype), ("SHIFT", 3)],
        **GRID,
    )

    assert out.tolist() == [i + 3 for i in range(64)]
    assert twice.flatten().tolist() == [2 * (i + 3) for i in range(64)]


def test_what_a_kernel_leaves_alone_keeps_the_first_value():
    kernel = mx.fast.cuda_kernel(
        name="only_the_first",
        input_names=["a"],
        output_names=["out"],
        source="if (cooperative_groups::this_grid().thread_rank() == 0) { out[0] = a[0]; }",
    )

    (out,) = kernel(
        inputs=[mx.array([5.0])],
        output_shapes=[(3,)],
        output_dtypes=[mx.float32],
        init_value=-1.0,
        **GRID,
    )

    assert out.tolist() == [5.0, -1.0, -1.0]


def test_source_that_does_not_compile_raises_what_the_compiler_says():
    kernel = mx.fast.cuda_kernel("broken", ["a"], ["out"], "out[0] = nothing_of_this_name;")

    with pytest.raises(RuntimeError, match="nothing_of_this_name"):
        mx.eval(
            kernel(
                inputs=[mx.array([5.0])],
                output_shapes=[(1,)],
                output_dtypes=[mx.float32],
                **GRID,
            )
        )


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc")
def test_a_compiled_kernel_takes_arrays_and_scalars(tmp_path):
    source = tmp_path / "axpy.cu"
    source.write_text(
        """
        extern "C" __global__ void axpy(const float* x, float* y, float a, int n, bool negate) {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < n) { y[i] = (negate ? -a : a) * x[i]; }
        }
        """
    )
    code = tmp_path / "axpy.ptx"
    subprocess.run(["nvcc", "-ptx", "-arch=native", "-o", code, source], check=True)

    (y,) = mx.fast.precompiled_cuda_kernel(
        name="axpy",
        compiled_source=code.read_bytes(),
        inputs=[mx.arange(64).astype(mx.float32)],
        output_shapes=[(64,)],
        output_dtypes=[mx.float32],
        scalars=[0.5, 64, True],
        **GRID,
    )

    assert y.tolist() == [-0.5 * i for i in range(64)]


OPERATIONS = {
    "rms_norm": lambda x, w: mx.fast.rms_norm(x, w, 1e-5),
    "layer_norm": lambda x, w: mx.fast.layer_norm(x, w, w, 1e-5),
    "rope": lambda x, w: mx.fast.rope(
        x[None], 64, traditional=False, base=1e4, scale=1.0, offset=7
    ),
    "attention": lambda x, w: mx.fast.scaled_dot_product_attention(
        x.reshape(1, 2, 8, 64)[:, :, :5],
        x.reshape(1, 2, 8, 64),
        x.reshape(1, 2, 8, 64),
        scale=0.125,
        mask="causal",
    ),
    "softmax": lambda x, w: mx.softmax(x * w, axis=-1),
    "sort": lambda x, w: mx.sort(x, axis=0),
    "cumsum": lambda x, w: mx.cumsum(x, axis=1),
    "gather": lambda x, w: x[mx.array([3, 1, 1]), 2:9],
    "gradient": lambda x, w: mx.grad(lambda y: (mx.sin(y) * w).sum())(x),
    "compiled": lambda x, w: mx.compile(lambda y: mx.exp(-y * y) + w)(x),
    "mapped": lambda x, w: mx.vmap(lambda y: mx.logsumexp(y * w))(x),
    "dequantized": lambda x, w: mx.dequantize(*mx.quantize(x, group_size=32, bits=4), 32, 4),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_gpu_answers_as_the_cpu_does(name):
    x = np.random.default_rng(0).standard_normal((16, 64)).astype(np.float32)
    answers = []
    for device in (mx.gpu, mx.cpu):
        with mx.stream(device):
            answers.append(OPERATIONS[name](mx.array(x), mx.array(x[0])))
            mx.eval(answers[-1])

    assert_close(answers[0], answers[1])


def test_one_graph_runs_on_both_devices():
    a = mx.add(mx.ones((4,)), 1.0, stream=mx.cpu)
    b = mx.multiply(a, 3.0, stream=mx.gpu)
    c = mx.subtract(b, a, stream=mx.cpu)

    assert c.tolist() == [4.0] * 4


def test_numpy_reads_what_the_gpu_computed_and_the_gpu_what_numpy_holds():
    held = np.arange(12, dtype=np.float32).reshape(3, 4)

    a = mx.array(held) * 2

    assert np.array_equal(np.array(a), held * 2)
    assert np.array_equal(np.from_dlpack(a), held * 2)
    assert ctypes.c_float.from_address(np.asarray(a).ctypes.data).value == 0.0


def test_a_lazy_array_of_another_thread_is_computed():
    made = []
    thread = threading.Thread(target=lambda: made.append(mx.arange(5) * 2))
    thread.start()
    thread.join()

    assert (made[0] + 1).tolist() == [1, 3, 5, 7, 9]
