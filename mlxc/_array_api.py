"""What mlxc says of itself to code written for the array API standard."""

from __future__ import annotations

from typing import TypedDict

from ._device import Device, DeviceType, default_device, is_available
from ._dtype import DTYPES, Dtype, bfloat16, complex64, float16, float32, float64, int32
from ._dtype_info import KINDS, isdtype

__all__ = ["__array_namespace_info__"]

Capabilities = TypedDict(
    "Capabilities",
    {"boolean indexing": bool, "data-dependent shapes": bool, "max dimensions": int},
)


class ArrayNamespaceInfo:
    """The inspection functions of the array API standard."""

    def capabilities(self) -> Capabilities:
        """Which optional parts of the standard there are."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 10}

    def default_device(self) -> Device:
        """The device that arrays are made on."""
        return default_device()

    def devices(self) -> tuple[Device, ...]:
        """The devices there are."""
        return tuple(Device(kind) for kind in DeviceType if is_available(Device(kind)))

    def default_dtypes(self, *, device: Device | None = None) -> dict[str, Dtype]:
        """The types that arrays have if nothing else is said, by kind.

        Raises:
            TypeError: `device` is not a Device.
        """
        _check_device(device)
        return {
            "real floating": float32,
            "complex floating": complex64,
            "integral": int32,
            "indexing": int32,
        }

    def dtypes(
        self, *, device: Device | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, Dtype]:
        """The types of the standard, by name.

        Args:
            device: where; only the CPU has float64.
            kind: the kinds wanted, named as in `isdtype`; None is all.

        Raises:
            TypeError: `device` is not a Device.
            ValueError: a kind is unknown.
        """
        _check_device(device)
        left_out = {float16, bfloat16}
        if (default_device() if device is None else device).type is not DeviceType.cpu:
            left_out.add(float64)
        kinds = tuple(KINDS) if kind is None else kind
        found = (dtype for dtype in DTYPES if dtype not in left_out and isdtype(dtype, kinds))
        return {dtype._name: dtype for dtype in found}


def _check_device(device: Device | None) -> None:
    if not isinstance(device, Device | None):
        raise TypeError(f"device must be a Device, not {device!r}")


def __array_namespace_info__() -> ArrayNamespaceInfo:
    """What there is of the array API standard: devices, types and capabilities.

    Example:
        >>> import mlxc as mx
        >>> mx.__array_namespace_info__().default_dtypes()["integral"]
        mlx.core.int32
    """
    return ArrayNamespaceInfo()
