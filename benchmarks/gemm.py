"""How fast is `a @ b` in float32, beside numpy and the official wheel?

    python benchmarks/gemm.py [--quick] [--rounds N]

numpy is measured in the process of mlxc, the official mlx.core in one of its own: both packages
would share one libmlx, and with it the BLAS that mlxc chose.
"""

from __future__ import annotations

import json

from support import Figures, Peer, cell, measure, parser, print_table, ratio, seconds_per_call

PEERS = [Peer("mlxc", "mlxrs"), Peer("mlx", "mlx")]
SIZES = [64, 128, 256, 512, 1024, 2048]
QUICK_SIZES = [64, 256, 512]


def main() -> None:
    options = parser("GFLOP/s of a @ b, float32, square matrices", rounds=3).parse_args()
    sizes = QUICK_SIZES if options.quick else SIZES
    if options.child:
        print(json.dumps(run(options.child, sizes)))
        return
    found = measure(__file__, PEERS, options)
    ours, mlx = found["mlxc"], found.get("mlx")
    print_table(
        ["size", "mlxc", "numpy", "mlx", "mlxc / numpy", "mlxc / mlx"],
        [
            [
                size,
                cell(ours, f"mlxc {size}", ".1f"),
                cell(ours, f"numpy {size}", ".1f"),
                cell(mlx, f"mlx {size}", ".1f"),
                f"{ours[f'mlxc {size}'] / ours[f'numpy {size}']:.2f}×",
                ratio({f"mlx {size}": ours[f"mlxc {size}"]}, mlx, f"mlx {size}"),
            ]
            for size in sizes
        ],
    )


def run(peer: str, sizes: list[int]) -> Figures:
    """Returns GFLOP/s by library and size."""
    if peer == "mlxc":
        import mlxc as mx
    else:
        import mlx.core as mx
    import numpy as np

    mx.set_default_device(mx.cpu)
    generator = np.random.default_rng(0)
    figures = {}
    for size in sizes:
        left, right = generator.standard_normal((2, size, size), dtype=np.float32)
        a, b = mx.array(left), mx.array(right)
        mx.eval(a, b)
        figures[f"{peer} {size}"] = gflops(size, lambda a=a, b=b: mx.eval(a @ b))
        if peer == "mlxc":
            figures[f"numpy {size}"] = gflops(size, lambda a=left, b=right: a @ b)
    return figures


def gflops(size: int, product) -> float:
    return 2 * size**3 / seconds_per_call(product, least=0.05, runs=5) / 1e9


if __name__ == "__main__":
    main()
