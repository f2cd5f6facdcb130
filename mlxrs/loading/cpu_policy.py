"""How a model is computed on a CPU: what is fastest there, and why.

Activations are float32: a processor has no arithmetic for bfloat16 or float16 but products. Packed
weights and matrices of 16 bits stay as they are stored, and kernels multiply them so: every token
reads all of them, and waits for memory more than for arithmetic. For that reason keys and values
are float16 where products are rounded anyway.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

if TYPE_CHECKING:
    import mlxc as mx

Activations: TypeAlias = Literal["float32", "int16", "int8"]
VARIABLE = "MLXRS_CPU_ACTIVATIONS"
CacheType: TypeAlias = Literal["float32", "float16"]
CACHE_VARIABLE = "MLXRS_CPU_CACHE"
#: The share of the memory that weights may take which become float32.
SHARE = 0.5


@dataclass(frozen=True)
class CpuPolicy:
    """What `cpu_policy` decided.

    Attributes:
        quantized: what becomes of packed weights, "keep" or "dequantize".
        matrices: what becomes of those of 16 bits, the weights of linear layers and the tables of
            embeddings: "keep" or "widen" to float32.
        dtype: "float32": of activations, and of all other weights that are not packed; or "stored",
            as the file has them.
        activations: "int16" or "int8" where products with packed weights round the other operand
            to integers with a scale for each group, else "float32"; see `mlxc.cpu_kernels`.
        cache: "float16" where keys and values are rounded to it before they are kept or attended
            to, else "float32", or "stored" where the model computes in what the file has.
        reasons: by the names above, a sentence each.
    """

    quantized: Literal["keep", "dequantize"]
    matrices: Literal["keep", "widen"]
    dtype: Literal["float32", "stored"]
    activations: Activations
    cache: CacheType | Literal["stored"]
    reasons: Mapping[str, str] = field(repr=False)

    def prepare(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """Returns weights in the types that the policy asks for, not evaluated."""
        import mlxc as mx

        if self.dtype == "stored":
            return dict(weights)
        keep = self.matrices == "keep"
        return {
            name: array.astype(mx.float32) if _widens(name, array, weights, keep) else array
            for name, array in weights.items()
        }


def cpu_policy(
    weights: Mapping[str, mx.array], environment: Mapping[str, str] | None = None
) -> CpuPolicy:
    """Decides how a model is computed on this machine's CPU.

    Args:
        weights: arrays by name, as the file has them.
        environment: where `MLXRS_CPU_ACTIVATIONS` is looked up, "float32", "int16" or "int8", and
            `MLXRS_CPU_CACHE`, "float32" or "float16"; None is that of the process. Without the
            former, what `mlxc.cpu_kernels` was told stands.

    Raises:
        ValueError: one of the variables has another value.
    """
    environment = os.environ if environment is None else environment
    reasons: dict[str, str] = {}
    quantized, dtype = _quantized(reasons), _dtype(weights, reasons)
    activations = _activations(environment, reasons)
    packed = quantized == "keep" and any(name.endswith(".scales") for name in weights)
    exact = not packed or activations == "float32"
    return CpuPolicy(
        quantized,
        _matrices(dtype, reasons),
        dtype,
        activations,
        _cache(dtype, exact, environment, reasons),
        reasons,
    )


def keeps_stored() -> bool:
    """Whether packed weights and matrices of 16 bits are computed with as they are."""
    import mlxc as mx

    return mx.cpu_kernels().enabled


def _quantized(reasons: dict[str, str]) -> Literal["keep", "dequantize"]:
    if keeps_stored():
        reasons["quantized"] = "kernels multiply packed weights as they are, and read less"
        return "keep"
    reasons["quantized"] = "without kernels, float32 matrices are multiplied faster"
    return "dequantize"


def _matrices(
    dtype: Literal["float32", "stored"], reasons: dict[str, str]
) -> Literal["keep", "widen"]:
    if keeps_stored():
        reasons["matrices"] = "kernels widen them as they read, which is exact, and read half"
        return "keep"
    if dtype == "stored":
        reasons["matrices"] = reasons["dtype"]
        return "keep"
    reasons["matrices"] = "without kernels, every product would make a float32 copy"
    return "widen"


def _dtype(
    weights: Mapping[str, mx.array], reasons: dict[str, str]
) -> Literal["float32", "stored"]:
    needed, available = bytes_widened(weights), _memory()
    if needed > SHARE * available:
        reasons["dtype"] = (
            f"what becomes float32 would take {needed >> 20} MiB, of {available >> 20}"
        )
        return "stored"
    reasons["dtype"] = "this is what processors compute fastest in, and most exactly"
    return "float32"


def _activations(environment: Mapping[str, str], reasons: dict[str, str]) -> Activations:
    import mlxc as mx

    wanted = _wanted(VARIABLE, get_args(Activations), environment)
    if wanted is not None:
        reasons["activations"] = f"the environment says {VARIABLE}={wanted}"
        return cast(Activations, wanted)
    kernels = mx.cpu_kernels()
    if kernels.chosen:
        reasons["activations"] = "chosen before, by mlxc.cpu_kernels or for another model"
        return cast(Activations, kernels.activations)
    if not kernels.int8_dot:
        reasons["activations"] = "there are no instructions for dot products of bytes"
        return "float32"
    reasons["activations"] = (
        "dot products of bytes are faster, and 16 bits lose one part in 65,000 of the greatest; "
        f"{VARIABLE}=int8 reads prompts faster still, as exactly as llama.cpp"
    )
    return "int16"


def _cache(
    dtype: str, exact: bool, environment: Mapping[str, str], reasons: dict[str, str]
) -> CacheType | Literal["stored"]:
    wanted = _wanted(CACHE_VARIABLE, get_args(CacheType), environment)
    if dtype == "stored":
        reasons["cache"] = "keys and values are of the type that the model computes in"
        return "stored"
    if wanted is not None:
        reasons["cache"] = f"the environment says {CACHE_VARIABLE}={wanted}"
        return cast(CacheType, wanted)
    if exact:
        reasons["cache"] = (
            "products are exact, so keys and values are, too; "
            f"{CACHE_VARIABLE}=float16 holds and reads half as much, as llama.cpp does"
        )
        return "float32"
    reasons["cache"] = (
        "every token reads all keys and values, so half as much, and products are rounded anyway; "
        f"{CACHE_VARIABLE}=float32 keeps them as they are"
    )
    return "float16"


def _wanted(variable: str, values: tuple[str, ...], environment: Mapping[str, str]) -> str | None:
    """What the environment says, if anything.

    Raises:
        ValueError: it is none of `values`.
    """
    wanted = environment.get(variable)
    if wanted is not None and wanted not in values:
        raise ValueError(f"{variable} must be one of {', '.join(values)}, got {wanted!r}")
    return wanted


def bytes_widened(weights: Mapping[str, mx.array]) -> int:
    """How many bytes those weights have as float32 that do not stay as they are stored."""
    keep = keeps_stored()
    return sum(
        array.size * 4 for name, array in weights.items() if _widens(name, array, weights, keep)
    )


def _widens(
    name: str, array: mx.array, weights: Mapping[str, mx.array], keep_matrices: bool
) -> bool:
    """Whether an array becomes float32: scales and biases of packed weights stay small."""
    import mlxc as mx

    if array.dtype not in (mx.bfloat16, mx.float16):
        return False
    module, _, leaf = name.rpartition(".")
    if leaf == "weight" and array.ndim == 2:
        return not keep_matrices
    return leaf not in ("scales", "biases") or f"{module}.scales" not in weights


def _memory() -> int:
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return 1 << 62
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
