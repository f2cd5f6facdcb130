"""The first thing `mlxrs` imports: without a backend the command says in one line what to install.

Python imports this package before any code of the command runs. Programs get the ImportError.
"""

from __future__ import annotations

import os
import sys

# While `python -m` looks for a module, it imports the packages around it with this argv[0].
LOOKING = "-m"


def is_command() -> bool:
    """Whether this process is the command `mlxrs`, or `python -m mlxrs`."""
    program = os.path.basename(sys.argv[0]) if sys.argv else ""
    return program.removesuffix(".exe") in ("mlxrs", LOOKING)


try:
    import mlxc  # noqa: F401
except ImportError as error:
    if is_command():
        sys.exit(f"mlxrs: error: {error}")
    raise
