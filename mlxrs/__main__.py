"""`python -m mlxrs` is the command `mlxrs`."""

import sys

from .cli import main

sys.exit(main())
