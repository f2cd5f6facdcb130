"""How the CPU computes: its threads, and kernels of mlxc's own in the place of MLX's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ._cores import usable_cores
from ._ffi import blas, ffi, foreign, lib

__all__ = ["CpuKernels", "cpu_kernels", "num_threads", "set_num_threads"]

#: By the bytes of an activation, from one on.
ACTIVATIONS = ("int8", "int16", "float32")
#: What nobody has chosen; it is "float32".
DEFAULT = "default"
INSTRUCTION_SETS = ("portable", "neon", "neon_dot", "avx2", "avx_vnni", "avx512")

#: More would use up what the system gives to all processes, and threads that were started stay.
MOST_THREADS = 1024

#: Read in this order; the first that is set counts.
VARIABLES = ("MLXRS_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


_chosen = False


@dataclass(frozen=True)
class CpuKernels:
    """What `cpu_kernels` tells.

    Attributes:
        enabled: whether operations on the CPU use mlxc's kernels; otherwise MLX's own.
        activations: "float32", or "int16" or "int8" where products with quantized weights round
            the other operand to integers.
        chosen: whether `activations` is what somebody asked for, rather than the default.
        instruction_set: what the kernels are compiled for: "portable", "neon", "neon_dot", "avx2",
            "avx_vnni" or "avx512".
        int8_dot: whether it has instructions for dot products of bytes, which "int8"
            and "int16" are fast with.
        bf16_dot: whether it has instructions for dot products of bfloat16.
    """

    enabled: bool
    activations: str
    chosen: bool
    instruction_set: str
    int8_dot: bool
    bf16_dot: bool


def cpu_kernels(
    enabled: bool | None = None,
    *,
    activations: str | None = None,
    instruction_set: str | None = None,
) -> CpuKernels:
    """Chooses how operations on the CPU are computed, for the whole process, and tells how.

    The choice counts for operations called from then on; a function compiled before keeps the one
    it was traced with. What is not given stays as it is.

    Args:
        enabled: False for MLX's own operations, for comparison.
        activations: "float32"; or "int16" or "int8": products with quantized weights round each
            group of 32 elements of the other operand to integers with a scale of their own, in
            int16 by at most one part in 65,000 of the group's greatest element, in int8 by one
            in 254. That is faster; and the same for few and many rows, so a row's result depends
            on no other. "default" is "float32" until somebody, as mlxrs when it loads a model,
            chooses.
        instruction_set: one that the processor has, for comparison; the best one is the default.

    Raises:
        ValueError: `activations` is unknown, or the processor lacks the instruction set.

    Example:
        >>> import mlxc as mx
        >>> mx.cpu_kernels().activations
        'float32'
    """
    global _chosen
    if activations not in (None, DEFAULT, *ACTIVATIONS):
        raise ValueError(
            f"activations must be one of {(*ACTIVATIONS, DEFAULT)}, got {activations!r}"
        )
    if instruction_set is not None and instruction_set not in INSTRUCTION_SETS:
        raise ValueError(
            f"instruction_set must be one of {INSTRUCTION_SETS}, got {instruction_set!r}"
        )
    if instruction_set is not None and not lib.mlxc_cpu_set_isa(instruction_set.encode()):
        raise ValueError(f"instruction_set: this processor has no {instruction_set}")
    if enabled is not None:
        lib.mlxc_cpu_set_enabled(bool(enabled))
    if activations is not None:
        _chosen = activations != DEFAULT
        exactness = activations if _chosen else "float32"
        lib.mlxc_cpu_set_activation_bytes(ACTIVATIONS.index(exactness) + 1)
    return CpuKernels(
        enabled=lib.mlxc_cpu_enabled() and not foreign,
        activations=ACTIVATIONS[lib.mlxc_cpu_activation_bytes() - 1],
        chosen=_chosen,
        instruction_set=ffi.string(lib.mlxc_cpu_isa()).decode(),
        int8_dot=lib.mlxc_cpu_has_int8_dot(),
        bf16_dot=lib.mlxc_cpu_has_bf16_dot(),
    )


def num_threads() -> int:
    """How many threads an operation on the CPU may use.

    Example:
        >>> import mlxc as mx
        >>> mx.num_threads() >= 1
        True
    """
    return int(lib.mlxc_cpu_threads())


def set_num_threads(n: int) -> None:
    """Sets how many threads an operation on the CPU may use; kernels and OpenBLAS share them.

    At the start it is what the environment variable MLXRS_NUM_THREADS says, or OMP_NUM_THREADS or
    OPENBLAS_NUM_THREADS, or the number of cores that the process may run on, which a container's
    limit of processor time lowers.

    Args:
        n: 1 to 1024; 1 computes on MLX's thread alone.

    Raises:
        ValueError: `n` is another number.
        RuntimeError: the system gives the process fewer threads; then nothing has changed.

    Example:
        >>> import mlxc as mx
        >>> mx.set_num_threads(mx.num_threads())
    """
    if not 1 <= n <= MOST_THREADS:
        raise ValueError(f"set_num_threads: n must be 1 to {MOST_THREADS}, got {n}")
    if (most := lib.mlxc_cpu_set_threads(n)) < n:
        raise RuntimeError(f"set_num_threads: n is {n}, but the system allows {most} threads")
    if blas.openblas is not None:
        _openblas("void(*)(int)", "scipy_openblas_set_num_threads")(n)


def _openblas(signature: str, name: str) -> Any:
    return blas.openblas.load_function(ffi.typeof(signature), name)


def _default_threads() -> int:
    for name in VARIABLES:
        if (value := os.environ.get(name, "")).isdigit() and int(value) > 0:
            return min(int(value), MOST_THREADS)
    return usable_cores()


def _share_threads() -> None:
    """Let OpenBLAS run on the threads of the kernels."""
    wanted = _default_threads()
    set_num_threads(min(wanted, lib.mlxc_cpu_set_threads(wanted)))
    if blas.openblas is not None:
        hook = "scipy_openblas_set_threads_callback_function"
        _openblas("void(*)(void*)", hook)(lib.mlxc_cpu_blas_hook())


_share_threads()
