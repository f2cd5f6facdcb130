"""The one door to C: `ffi` and `lib` of the extension module, and the handle type in it."""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

from . import _load
from ._fork import watch_forks
from ._load import blas

_load.load()

from . import _mlx  # type: ignore[attr-defined]  # noqa: E402

ffi = _mlx.ffi

# A module's attributes are found four times as fast as those of cffi's own `lib`.
lib: Any = ModuleType("mlxc._ffi.lib")


def _first_use(name: str) -> Any:
    value = getattr(_mlx.lib, name)
    setattr(lib, name, value)
    return value


lib.__getattr__ = _first_use

# The same file holds a second module: the C base type of arrays, which needs mlx_array_free.
_name = f"{__name__}._handle"
_spec = spec_from_file_location(
    _name, _mlx.__file__, loader=ExtensionFileLoader(_name, _mlx.__file__)
)
assert _spec is not None and _spec.loader is not None
handle = module_from_spec(_spec)
_spec.loader.exec_module(handle)
sys.modules[_name] = handle

#: Whether C is an mlx-c that was built elsewhere, without the functions of our own.
foreign: bool = lib.mlxc_error_kind() < 0

lib.mlxc_install_error_handler()
lib.mlxc_park_streams_at_exit()
lib.mlxc_watch_threads()
watch_forks(lib, handle)

__all__ = ["blas", "ffi", "foreign", "handle", "lib"]
