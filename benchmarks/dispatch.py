"""What does it cost in Python to put one operation into the graph, beside the official mlx.core?

    python benchmarks/dispatch.py [--quick] [--rounds N]

Nothing is evaluated: the time is that of the call, of building the node, and of releasing it.
Below the mean is what it costs to call a transformed function of two operations.
"""

from __future__ import annotations

import json
from math import prod
from statistics import median
from timeit import Timer

from support import Figures, Peer, cell, measure, parser, print_table, ratio

PEERS = [Peer("mlxc", "mlxrs"), Peer("mlx", "mlx")]
OPERATIONS = [
    "a + b",
    "mx.add(a, b)",
    "a.reshape(8, 2)",
    "a[1:3]",
    "a @ b",
    "a * 2.0",
]
TRANSFORMS = [
    "compile(f)(a)",
    "vmap(f)(a)",
    "grad(g)(a)",
    "value_and_grad(g)(a)",
]


def main() -> None:
    options = parser("Nanoseconds an operation", rounds=5).parse_args()
    if options.child:
        print(json.dumps(run(options.child, quick=options.quick)))
        return
    found = measure(__file__, PEERS, options)
    ours, mlx = found["mlxc"], found.get("mlx")

    def row(name: str) -> list[str]:
        return [
            f"`{name}`",
            cell(ours, name, ".0f"),
            cell(mlx, name, ".0f"),
            ratio(ours, mlx, name),
        ]

    rows = [row(name) for name in OPERATIONS]
    if mlx:
        ratios = [ours[name] / mlx[name] for name in OPERATIONS]
        rows.append(["geometric mean", "", "", f"{prod(ratios) ** (1 / len(ratios)):.2f}×"])
    rows += [row(name) for name in TRANSFORMS]
    print_table(["operation", "mlxc ns", "mlx ns", "mlxc / mlx"], rows)


def run(peer: str, *, quick: bool) -> Figures:
    """Returns nanoseconds by operation."""
    if peer == "mlxc":
        import mlxc as mx
    else:
        import mlx.core as mx

    a, b = mx.ones((4, 4)), mx.ones((4, 4))
    mx.eval(a, b)

    def f(x):
        return x * 2.0 + 1.0

    def g(x):
        return (x * x).sum()

    made = {
        "compile(f)": mx.compile(f),
        "vmap(f)": mx.vmap(f),
        "grad(g)": mx.grad(g),
        "value_and_grad(g)": mx.value_and_grad(g),
    }
    calls, runs = (2_000, 5) if quick else (20_000, 15)
    figures = {}
    for operation in OPERATIONS:
        timer = Timer(operation, globals={"mx": mx, "a": a, "b": b})
        figures[operation] = nanoseconds(timer, calls, runs)
    for transform in TRANSFORMS:
        timer = Timer("function(a)", globals={"function": made[transform[:-3]], "a": a})
        figures[transform] = nanoseconds(timer, calls // 10, runs)
    return figures


def nanoseconds(timer: Timer, calls: int, runs: int) -> float:
    timer.timeit(calls)
    return median(timer.repeat(runs, calls)) / calls * 1e9


if __name__ == "__main__":
    main()
