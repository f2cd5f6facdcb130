"""What small programs answer with mlxc and with mlx.core, each in a process of its own.

A case is Python text over `mx`, `np` and the names of `Run.names`. What its last line says is the
answer, or else the type of the exception it raises.
"""

from __future__ import annotations

import ast
import importlib
import json
import math
import operator
import pickle
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import chdir
from copy import copy, deepcopy
from typing import Any

DIED = "the process died"
#: What a case may take.
SECONDS = 30


def lines(text: str) -> list[str]:
    """A case a line."""
    return text.split("\n")[1:-1]


def programs(text: str) -> list[str]:
    """Cases of several lines, with an empty line between them."""
    return text.strip("\n").split("\n\n")


class Run:
    """Case after case in one process, as a user's program would."""

    def __init__(self, module: str) -> None:
        import numpy as np

        self.mx = importlib.import_module(module)
        mx = self.mx
        if module == "mlxc":
            mx.cpu_kernels(False)  # tests/mlxc/cpu compares them: they round half types less often

        class Holder:
            def __mlx_array__(self) -> Any:
                return mx.array([7, 8])

        def assigned(a: Any, key: Any, value: Any) -> Any:
            a[key] = value
            return a

        self.names = {
            "mx": mx,
            "np": np,
            "math": math,
            "operator": operator,
            "pickle": pickle,
            "copy": copy,
            "deepcopy": deepcopy,
            "Holder": Holder,
            "assigned": assigned,
            "tree": importlib.import_module("mlxc.tree" if module == "mlxc" else "mlx.utils"),
            "attempt": self.attempt,
            "answers": lambda *calls: [self.attempt(self.answered, call) for call in calls],
            "shown": self.shown,
        }

    def answer(self, case: str) -> str:
        *before, last = ast.parse(case).body
        assert isinstance(last, ast.Expr), case
        names = dict(self.names)
        self.mx.random.seed(0)
        try:
            exec(compile(ast.Module(before, []), "case", "exec"), names)
            return self.shown(eval(compile(ast.Expression(last.value), "case", "eval"), names))
        except Exception as error:
            return type(error).__name__

    def answered(self, call: Callable[[], Any]) -> str:
        return self.shown(call())

    @staticmethod
    def attempt(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What a call returns, or the type of the exception it raises."""
        try:
            return call(*args, **kwargs)
        except Exception as error:
            return type(error).__name__

    def shown(self, value: Any) -> str:
        """The text of a value, with the shapes of arrays, inside of containers too."""
        if isinstance(value, self.mx.array):
            return f"{value.shape} {value!r}"
        if isinstance(value, (list, tuple)):
            return f"{type(value).__name__}({', '.join(map(self.shown, value))})"
        if isinstance(value, dict):
            # Some of mlx.core's dicts have the order of a C++ map or of a set.
            items = sorted(value.items(), key=lambda item: str(item[0]))
            return f"dict({', '.join(f'{k}: {self.shown(v)}' for k, v in items)})"
        if type(value).__module__ == "numpy":
            return f"{value.shape} {value.dtype} {value!r}"
        return repr(value)


NUMBER = re.compile(r"(?<![\w.])-?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)")


def agree(one: str, other: str) -> bool:
    """Whether two answers are the same text, but for the last digits of fractions."""
    if one == other:
        return True
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=False)
    return NUMBER.sub("#", one) == NUMBER.sub("#", other) and all(
        a == b
        or ({*".e"} & {*a, *b} and math.isclose(float(a), float(b), rel_tol=2e-4, abs_tol=2e-5))
        for a, b in pairs
    )


def answers(module: str, cases: Sequence[str]) -> dict[str, str]:
    """What each case answers with a module as `mx`; where one ends the process, another goes on."""
    cases = list(dict.fromkeys(cases))
    found: dict[str, str] = {}
    while rest := cases[len(found) :]:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, module],
            input=json.dumps(rest),
            capture_output=True,
            text=True,
            timeout=300,
        )
        lines = done.stdout.splitlines()
        found |= zip(rest, map(json.loads, lines), strict=False)
        if len(lines) < len(rest):
            assert lines or module != "mlxc" or done.returncode < 0, done.stderr
            found[rest[len(lines)]] = DIED
    return found


def main(module: str) -> None:
    run = Run(module)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for case in json.load(sys.stdin):
            signal.alarm(SECONDS)
            print(json.dumps(run.answer(case)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
