"""Kernels of one's own for the GPU, in Metal or CUDA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._errors import check, raise_last_error
from .._ffi import ffi, lib
from .._handle import addresses, as_array, at, unpack
from .._structs import c_stream, c_vector
from ._launch import add_template, config, function, strings, texts

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._dtype import Dtype
    from .._handle import ArrayLike
    from ._launch import Three

    Template = Sequence[tuple[str, bool | int | Dtype]]

MATH_MODES = ("safe", "relaxed", "fast")


class Kernel:
    """A kernel for one kind of GPU, made by `metal_kernel` or `cuda_kernel`; call it to run it."""

    def __init__(self, backend: str, kernel: Any) -> None:
        if not kernel.ctx:
            raise_last_error()
        self._backend = backend
        self._kernel = ffi.gc(ffi.new(f"mlx_fast_{backend}_kernel*", kernel), self._free)

    def _free(self, kernel: Any) -> None:
        function(self._backend, "free")(kernel[0])

    def __call__(
        self,
        *,
        inputs: Sequence[ArrayLike],
        output_shapes: Sequence[Sequence[int]],
        output_dtypes: Sequence[Dtype],
        grid: Three,
        threadgroup: Three,
        template: Template | None = None,
        init_value: float | None = None,
        verbose: bool = False,
        stream: StreamOrDevice = None,
    ) -> list[array]:
        """Run the kernel, when the results are evaluated.

        Args:
            inputs: arrays or scalars, one for each of the input names.
            output_shapes: the shape of each output.
            output_dtypes: the dtype of each output.
            grid: how many threads there are along each of three axes.
            threadgroup: how many of them make a group.
            template: the names in the source that stand for a dtype, an integer or a bool, with
                what each stands for.
            init_value: what the outputs are filled with before; None leaves them as they are.
            verbose: print the source that is compiled.
            stream: the stream or device to run on; None is the default.

        Raises:
            RuntimeError: there is no such GPU.
            ValueError: the numbers of names, shapes and dtypes differ.
        """
        arrays = list(map(as_array, inputs))
        outputs = ffi.new("mlx_vector_array*")
        with (
            config(self._backend, output_shapes, output_dtypes, grid, threadgroup) as c_config,
            c_vector(arrays) as c_inputs,
        ):
            for name, value in template or ():
                add_template(self._backend, c_config, name, value)
            if init_value is not None:
                check(function(self._backend, "config_set_init_value")(c_config, init_value))
            check(function(self._backend, "config_set_verbose")(c_config, verbose))
            apply = function(self._backend, "apply")
            check(apply(outputs, self._kernel[0], c_inputs, c_config, c_stream(stream)))
        return unpack(int(ffi.cast("uintptr_t", outputs[0].ctx)))


def metal_kernel(
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
    source: str,
    header: str = "",
    ensure_row_contiguous: bool = True,
    atomic_outputs: bool = False,
    compile_options: Mapping[str, str] | None = None,
) -> Kernel:
    """A kernel from Metal source, compiled when it first runs.

    Args:
        name: what the kernel is called.
        input_names: what the inputs are called in the source.
        output_names: what the outputs are called, at least one.
        source: the body of the function; MLX writes its head. `NAME_shape`, `NAME_strides` and
            `NAME_ndim` are at hand for each input that the source uses them of.
        header: what stands before the function.
        ensure_row_contiguous: copy inputs that are not contiguous in memory.
        atomic_outputs: let the elements of outputs be atomic.
        compile_options: "math_mode", which is "safe", "relaxed" or "fast"; by default "safe".

    Returns:
        A callable; see its `__call__`.

    Raises:
        ValueError: there is no output, or an option is unknown.

    Example:
        >>> import mlxc as mx
        >>> kernel = mx.fast.metal_kernel(
        ...     name="exponential",
        ...     input_names=["a"],
        ...     output_names=["out"],
        ...     source="uint i = thread_position_in_grid.x; out[i] = metal::exp(a[i]);",
        ... )
        >>> def exponential(a):
        ...     return kernel(
        ...         inputs=[a],
        ...         output_shapes=[a.shape],
        ...         output_dtypes=[a.dtype],
        ...         grid=(a.size, 1, 1),
        ...         threadgroup=(256, 1, 1),
        ...     )[0]
    """
    parts = texts(name=name, source=source, header=header)
    math_mode = _math_mode(compile_options)
    with (
        strings(input_names, "input_names") as ins,
        strings(output_names, "output_names") as outs,
    ):
        arguments = (parts[0], ins, outs, *parts[1:], ensure_row_contiguous, atomic_outputs)
        if math_mode == 0:
            return Kernel("metal", lib.mlx_fast_metal_kernel_new(*arguments))
        kernel = ffi.new("mlx_fast_metal_kernel*")
        check(lib.mlxc_metal_kernel(kernel, *arguments, math_mode))
        return Kernel("metal", kernel[0])


def cuda_kernel(
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
    source: str,
    header: str = "",
    ensure_row_contiguous: bool = True,
    shared_memory: int = 0,
) -> Kernel:
    """A kernel from CUDA source, compiled when it first runs.

    Args:
        name: what the kernel is called.
        input_names: what the inputs are called in the source.
        output_names: what the outputs are called.
        source: the body of the function; MLX writes its head.
        header: what stands before the function.
        ensure_row_contiguous: copy inputs that are not contiguous in memory.
        shared_memory: dynamic shared memory in bytes.

    Returns:
        A callable; see its `__call__`.

    Raises:
        RuntimeError: MLX was built without CUDA.

    Example:
        >>> import mlxc as mx
        >>> def negative(a):  # of 64 elements
        ...     kernel = mx.fast.cuda_kernel(
        ...         name="negative",
        ...         input_names=["a"],
        ...         output_names=["out"],
        ...         source="int i = cooperative_groups::this_grid().thread_rank(); out[i] = -a[i];",
        ...     )
        ...     return kernel(
        ...         inputs=[a],
        ...         output_shapes=[a.shape],
        ...         output_dtypes=[a.dtype],
        ...         grid=(64, 1, 1),
        ...         threadgroup=(32, 1, 1),
        ...     )[0]
    """
    parts = texts(name=name, source=source, header=header)
    with (
        strings(input_names, "input_names") as ins,
        strings(output_names, "output_names") as outs,
    ):
        arguments = (parts[0], ins, outs, *parts[1:], ensure_row_contiguous, shared_memory)
        return Kernel("cuda", lib.mlx_fast_cuda_kernel_new(*arguments))


def precompiled_cuda_kernel(
    *,
    name: str,
    compiled_source: bytes,
    inputs: Sequence[ArrayLike],
    output_shapes: Sequence[Sequence[int]],
    output_dtypes: Sequence[Dtype],
    scalars: Sequence[bool | int | float],
    grid: Three,
    threadgroup: Three,
    shared_memory: int = 0,
    init_value: float | None = None,
    ensure_row_contiguous: bool = False,
    stream: StreamOrDevice = None,
) -> list[array]:
    """Run a CUDA kernel that is compiled already.

    Args:
        name: the name of the kernel in the compiled code.
        compiled_source: PTX or a cubin.
        inputs: arrays or scalars, which become arrays.
        output_shapes: the shape of each output.
        output_dtypes: the dtype of each output.
        scalars: arguments behind the arrays, passed by value as bool, int or float.
        grid: how many threads, not blocks, there are along each of three axes.
        threadgroup: how many of them make a block.
        shared_memory: dynamic shared memory in bytes.
        init_value: what the outputs are filled with before; None leaves them as they are.
        ensure_row_contiguous: copy inputs that are not contiguous in memory.
        stream: the stream or device to run on; None is the default.

    Returns:
        The outputs.

    Raises:
        RuntimeError: MLX was built without CUDA.
        TypeError: `compiled_source` is not bytes.
        ValueError: a scalar is of another type.

    Example:
        >>> import mlxc as mx
        >>> def scaled(a, factor, ptx):  # of a kernel scaled(const float*, float*, float, int)
        ...     return mx.fast.precompiled_cuda_kernel(
        ...         name="scaled",
        ...         compiled_source=ptx,
        ...         inputs=[a],
        ...         output_shapes=[a.shape],
        ...         output_dtypes=[mx.float32],
        ...         scalars=[factor, a.size],
        ...         grid=(a.size, 1, 1),
        ...         threadgroup=(256, 1, 1),
        ...     )[0]
    """
    (c_name,) = texts(name=name)
    if not isinstance(compiled_source, bytes):
        raise TypeError(f"compiled_source must be bytes, got {type(compiled_source).__name__}")
    kinds = list(map(_scalar_kind, scalars))
    arrays = list(map(as_array, inputs))
    with config("cuda", output_shapes, output_dtypes, grid, threadgroup) as c_config:
        if init_value is not None:
            check(lib.mlx_fast_cuda_kernel_config_set_init_value(c_config, init_value))
        return unpack(
            lib.h_precompiled_cuda_kernel(
                c_name,
                compiled_source,
                len(compiled_source),
                addresses(arrays),
                len(arrays),
                int(ffi.cast("uintptr_t", c_config.ctx)),
                list(map(float, scalars)),
                kinds,
                len(kinds),
                shared_memory,
                ensure_row_contiguous,
                at(stream),
            )
        )


def _math_mode(options: Mapping[str, str] | None) -> int:
    """The number of the math mode in C."""
    if options is None:
        return 0
    if not isinstance(options, Mapping):
        raise ValueError("[metal_kernel] Expected `compile_options` to be a dict.")
    for option in options:
        if option != "math_mode":
            raise ValueError(f"[metal_kernel] Unknown compile option `{option}`.")
    mode = options.get("math_mode", "safe")
    if mode not in MATH_MODES:
        raise ValueError(
            f"[metal_kernel] Expected math_mode to be 'safe', 'relaxed', or 'fast', got {mode!r}."
        )
    return MATH_MODES.index(mode)


def _scalar_kind(value: object) -> int:
    """0 for a bool, 1 for an int, 2 for a float."""
    for kind, of in enumerate((bool, int, float)):
        if isinstance(value, of):
            return kind
    raise ValueError(
        "[precompiled_cuda_kernel] Invalid scalar argument type. "
        f"Received {type(value).__name__} but must be one of bool, int or float"
    )
