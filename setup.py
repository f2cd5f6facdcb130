"""Hands the extension module to setuptools; everything else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).parent))

from build_ffi import EXTENSION, BuildExt  # noqa: E402

setup(
    ext_modules=[EXTENSION],
    cmdclass={"build_ext": BuildExt},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
