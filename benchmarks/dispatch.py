"""What does it cost in Python to put one operation into the graph, beside the official mlx.core?

    python benchmarks/dispatch.py [--quick] [--rounds N]

Nothing is evaluated: the time is that of the call, of building the node, and of releasing it.
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


def main() -> None:
    options = parser("Nanoseconds an operation", rounds=5).parse_args()
    if options.child:
        print(json.dumps(run(options.child, quick=options.quick)))
        return
    found = measure(__file__, PEERS, options)
    ours, mlx = found["mlxc"], found.get("mlx")
    rows = [
        [
            f"`{operation}`",
            cell(ours, operation, ".0f"),
            cell(mlx, operation, ".0f"),
            ratio(ours, mlx, operation),
        ]
        for operation in OPERATIONS
    ]
    if mlx:
        ratios = [ours[operation] / mlx[operation] for operation in OPERATIONS]
        rows.append(["geometric mean", "", "", f"{prod(ratios) ** (1 / len(ratios)):.2f}×"])
    print_table(["operation", "mlxc ns", "mlx ns", "mlxc / mlx"], rows)


def run(peer: str, *, quick: bool) -> Figures:
    """Returns nanoseconds by operation."""
    if peer == "mlxc":
        import mlxc as mx
    else:
        import mlx.core as mx

    a, b = mx.ones((4, 4)), mx.ones((4, 4))
    mx.eval(a, b)
    names = {"mx": mx, "a": a, "b": b}
    calls, runs = (2_000, 5) if quick else (20_000, 15)
    figures = {}
    for operation in OPERATIONS:
        timer = Timer(operation, globals=names)
        timer.timeit(calls)
        figures[operation] = median(timer.repeat(runs, calls)) / calls * 1e9
    return figures


if __name__ == "__main__":
    main()
