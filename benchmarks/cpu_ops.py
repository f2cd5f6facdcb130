"""How fast is each operation of a language model on the CPU, and how fast could it be?

    python benchmarks/cpu_ops.py [--quick] [--rounds N] [--threads N …] [--sections NAME …]

Each operation as mlxc computes it, with float32 and, for quantized weights, with int8 activations;
as MLX's own operation does (`mlxc.cpu_kernels(False)`, with the same OpenBLAS, on one thread but
for that); and in numpy. GB/s count the bytes an operation has to move, and for products of up to
4 rows those of the matrix alone. "of reading" compares them with the speed at which as many threads
read memory, measured by a small C program in the same run, for operands beyond the caches. Times of
a token are µs, and less is better. A cell is the best of several measurements; MLX's own quantized
products are measured on 256 rows of the matrix, because they take so long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support import child, parser, print_table

SECTIONS = ("qmm", "matmul", "norm", "rope", "attention", "elementwise", "tables")
PROBE = Path(__file__).parent / "ops" / "read_bandwidth.c"
PROBED = 512  # MB

COLUMNS = ("mlxc", "int8", "MLX", "numpy")


def main() -> None:
    options = parser("Operations on the CPU", rounds=1)
    options.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    options.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(measure(int(chosen.child), chosen.sections, quick=chosen.quick)))
        return
    with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
        probe = compile_probe(Path(folder))
        for threads in chosen.threads:
            found: list[dict] = []
            bandwidth = 0.0
            for round in range(1 if chosen.quick else chosen.rounds):
                print(f"{threads} threads, round {round + 1}", file=sys.stderr)
                quick = ["--quick"] if chosen.quick else []
                arguments = ["--child", str(threads), *quick, "--sections", *chosen.sections]
                bandwidth = max(bandwidth, read_bandwidth(probe, threads))
                found.append(child(__file__, *arguments))
            report(threads, bandwidth, found)


def compile_probe(folder: Path) -> Path:
    """Compiles the C program that reads memory."""
    compiler = os.environ.get("CC", "cc").split()
    program = folder / "read_bandwidth"
    options = ["-O3", "-march=native", "-pthread"]
    subprocess.run([*compiler, *options, str(PROBE), "-o", str(program)], check=True)
    return program


def read_bandwidth(program: Path, threads: int) -> float:
    """Returns GB/s."""
    command = [str(program), str(threads), str(PROBED)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[0])


def measure(threads: int, sections: list[str], *, quick: bool) -> dict[str, dict]:
    """Returns, by case, its unit, whether it reads beyond the caches, and the rates by column."""
    # numpy and mlxc read these when they are loaded.
    for name in ("OPENBLAS_NUM_THREADS", "MLXRS_NUM_THREADS"):
        os.environ[name] = str(threads)
    from ops.cases import cases_of

    import mlxc as mx

    mx.set_default_device(mx.cpu)
    rows = {}
    for case in cases_of(sections, quick=quick):
        rates = {"mlxc": case.ours_rate(), "numpy": case.numpy_rate()}
        if case.section == "qmm":
            mx.cpu_kernels(activations="int8")
            rates["int8"] = case.ours_rate()
            mx.cpu_kernels(activations="float32")
        mx.cpu_kernels(False)
        rates["MLX"] = case.mlx_rate()
        mx.cpu_kernels(True)
        rates = {name: rate for name, rate in rates.items() if rate is not None}
        rows[case.name] = {"unit": case.unit, "beyond": case.beyond_caches, "rates": rates}
    return rows


def report(threads: int, bandwidth: float, rounds: list[dict[str, dict]]) -> None:
    """Prints the table of one number of threads."""
    print(f"\n{threads} threads; memory is read at {bandwidth:.1f} GB/s.\n")
    rows = []
    for name, first in rounds[0].items():
        small = first["unit"] == "µs"
        best = {
            column: (min if small else max)(round[name]["rates"][column] for round in rounds)
            for column in COLUMNS
            if column in first["rates"]
        }
        ours = best.get("int8", best["mlxc"])
        gain = best["MLX"] / ours if small else ours / best["MLX"]
        share = f"{ours / bandwidth:.0%}" if first["beyond"] else "–"
        cells = [f"{best[column]:.3g}" if column in best else "–" for column in COLUMNS]
        rows.append([name, first["unit"], *cells, f"{gain:.1f}×", share])
    titles = ["mlxc, float32", "mlxc, int8", "MLX's own", "numpy"]
    print_table(["", "unit", *titles, "best / MLX's own", "of reading"], rows)


if __name__ == "__main__":
    main()
