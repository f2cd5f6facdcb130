"""What does streamed text cost a token, beside mlx-lm and transformers, and how fast is encoding?

    python benchmarks/tokenizer.py [--quick] [--rounds N]

A stream is one line of ordinary English, token by token, with the new text asked for after each.
Figures are nanoseconds a token around the 100th, 1,000th, 10,000th and 50,000th token of the line;
"new" is making a detokenizer, "first" a first use of it, 100 tokens long, tables included. The
byte-level vocabulary is that of SmolLM2, the SentencePiece one is Mistral's, if mistral-common is
installed. mlx-lm is measured with its detokenizer for the kind of vocabulary; transformers with
TextStreamer, whose cost grows with the line: it is stopped after 1,000 tokens.

Encoding is of 1 kB at a time, of one text of 200 kB, and of 64 texts of 3 kB together.
"""

from __future__ import annotations

import json
import tempfile
from argparse import SUPPRESS
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from time import perf_counter_ns

from support import Figures, Peer, cell, child, measure, parser, print_table, ratio

MODEL = "smollm2-135m-instruct"
PEERS = [Peer("mlxrs", "mlxrs"), Peer("mlx-lm", "mlx-lm"), Peer("transformers", "transformers")]
VOCABULARIES = ["byte-level", "SentencePiece"]
MARKS = [100, 1_000, 10_000, 50_000]
QUICK_MARKS = [100, 1_000]
SLOW_MARKS = [100, 1_000]
AROUND = 50  # tokens timed before each mark
REPEATS = 5
SENTENCE = (
    "The line goes on and on, as a long paragraph of plain English does, with its commas, a few "
    "numbers such as 1984 or 42, and names like Rotterdam that need more than one token; "
)
COLUMNS = [
    *((f"{mark:,}", "ns", ".0f") for mark in MARKS),
    ("new", "µs", ".1f"),
    ("first", "µs", ".0f"),
]
ENCODING = [("1 kB", "µs", ".0f"), ("200 kB", "MB/s", ".2f"), ("64 × 3 kB", "MB/s", ".2f")]


def main() -> None:
    options = parser("Streaming and encoding", rounds=3)
    options.add_argument("--folder", default="", help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(CHILDREN[chosen.child](Path(chosen.folder), quick=chosen.quick)))
        return
    with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
        child(__file__, "--child", "convert", "--folder", folder)
        found = measure(__file__, PEERS, chosen, "--folder", folder)
        names = [name for name in VOCABULARIES if (Path(folder) / name).exists()]
    for name in names:
        table(f"{name}, one token", found, COLUMNS, f"{name} ")
    table("encoding, byte-level", found, ENCODING, "encode ")


def table(
    title: str, found: dict[str, Figures], columns: list[tuple[str, str, str]], prefix: str
) -> None:
    present = [c for c in columns if any(prefix + c[0] in f for f in found.values())]
    rows = [
        [peer, *(cell(figures, prefix + key, form) for key, _, form in present)]
        for peer, figures in found.items()
        if any(prefix + key in figures for key, _, _ in present)
    ]
    rows += [
        [f"{peer} / mlxrs", *(ratio(figures, found["mlxrs"], prefix + c[0]) for c in present)]
        for peer, figures in found.items()
        if peer != "mlxrs" and any(prefix + key in figures for key, _, _ in present)
    ]
    print_table([title, *(f"{key} ({unit})" for key, unit, _ in present)], rows)
    print()


def convert(folder: Path, *, quick: bool) -> Figures:
    """Writes each vocabulary as tokenizer.json, and the tokens of the line."""
    from mlxrs import Tokenizer, resolve
    from mlxrs.loading.checkpoint import read_checkpoint

    tokenizers = {"byte-level": Tokenizer.from_gguf(read_checkpoint(resolve(MODEL)).metadata)}
    try:
        package = distribution("mistral-common")
    except PackageNotFoundError:
        pass
    else:
        file = package.locate_file("mistral_common/data/tokenizer.model.v1")
        tokenizers["SentencePiece"] = Tokenizer.from_file(str(file))
    for name, tokenizer in tokenizers.items():
        (folder / name).mkdir()
        tokenizer._backend.save(str(folder / name / "tokenizer.json"))
        ids = tokenizer.encode(SENTENCE * (2 * MARKS[-1] // 40), add_special_tokens=False)
        (folder / name / "tokens.json").write_text(json.dumps(ids[: MARKS[-1]]))
    return {}


def run_mlxrs(folder: Path, *, quick: bool) -> Figures:
    from mlxrs import Tokenizer

    figures: Figures = {}
    for vocabulary in folders(folder):
        tokenizer = Tokenizer.from_directory(vocabulary)

        def stream(tokenizer: Tokenizer = tokenizer) -> Callable[[int], object]:
            detokenizer = tokenizer.detokenizer()

            def step(token: int) -> str:
                detokenizer.add_token(token)
                return detokenizer.last_segment

            return step

        figures |= stream_figures(vocabulary, stream, QUICK_MARKS if quick else MARKS)
    tokenizer = Tokenizer.from_directory(folder / "byte-level")
    return figures | encode_figures(tokenizer.encode, tokenizer.encode_batch)


def run_mlx_lm(folder: Path, *, quick: bool) -> Figures:
    from mlx_lm.tokenizer_utils import BPEStreamingDetokenizer, SPMStreamingDetokenizer
    from transformers import PreTrainedTokenizerFast

    kinds = {"byte-level": BPEStreamingDetokenizer, "SentencePiece": SPMStreamingDetokenizer}
    figures: Figures = {}
    for vocabulary in folders(folder):
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(vocabulary / "tokenizer.json"))
        kind = kinds[vocabulary.name]

        def stream(tokenizer=tokenizer, kind=kind) -> Callable[[int], object]:
            detokenizer = kind(tokenizer)

            def step(token: int) -> str:
                detokenizer.add_token(token)
                return str(detokenizer.last_segment)

            return step

        figures |= stream_figures(vocabulary, stream, QUICK_MARKS if quick else MARKS)
    return figures


def run_transformers(folder: Path, *, quick: bool) -> Figures:
    import numpy as np
    from transformers import PreTrainedTokenizerFast, TextStreamer

    class Silent(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            self.last = text

    figures: Figures = {}
    for vocabulary in folders(folder):
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(vocabulary / "tokenizer.json"))

        def stream(tokenizer=tokenizer) -> Callable[[int], object]:
            streamer = Silent(tokenizer)
            return lambda token: streamer.put(np.array([token]))

        figures |= stream_figures(vocabulary, stream, SLOW_MARKS)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "byte-level/tokenizer.json"))
    return figures | encode_figures(tokenizer.encode, lambda texts: tokenizer(texts)["input_ids"])


def folders(folder: Path) -> list[Path]:
    return [folder / name for name in VOCABULARIES if (folder / name).exists()]


def stream_figures(
    vocabulary: Path, stream: Callable[[], Callable[[int], object]], marks: list[int]
) -> Figures:
    """Returns nanoseconds a token before each mark, the best of some streams."""
    tokens: list[int] = json.loads((vocabulary / "tokens.json").read_text())
    first = elapsed(lambda: run(stream(), tokens[:100]))
    best = {mark: float("inf") for mark in marks}
    made = min(elapsed(stream) for _ in range(REPEATS))
    for _ in range(REPEATS):
        step = stream()
        done = 0
        for mark in marks:
            run(step, tokens[done : mark - AROUND])
            spent = elapsed(lambda step=step, mark=mark: run(step, tokens[mark - AROUND : mark]))
            best[mark] = min(best[mark], spent / AROUND)
            done = mark
    figures = {f"{vocabulary.name} {mark:,}": spent for mark, spent in best.items()}
    return figures | {
        f"{vocabulary.name} new": made / 1e3,
        f"{vocabulary.name} first": first / 1e3,
    }


def encode_figures(
    encode: Callable[[str], object], encode_batch: Callable[[list[str]], object]
) -> Figures:
    texts = [f"{index} {SENTENCE * 18}"[:3000] for index in range(64)]
    long = " ".join(texts)[:200_000]
    kilobytes = [long[start : start + 1000] for start in range(0, 100_000, 1000)]
    each = min(elapsed(lambda: [encode(text) for text in kilobytes]) for _ in range(REPEATS))
    whole = min(elapsed(lambda: encode(long)) for _ in range(REPEATS))
    batch = min(elapsed(lambda: encode_batch(texts)) for _ in range(REPEATS))
    return {
        "encode 1 kB": each / len(kilobytes) / 1e3,
        "encode 200 kB": len(long) / whole * 1e3,
        "encode 64 × 3 kB": sum(map(len, texts)) / batch * 1e3,
    }


def run(step: Callable[[int], object], tokens: list[int]) -> None:
    for token in tokens:
        step(token)


def elapsed(function: Callable[[], object]) -> float:
    started = perf_counter_ns()
    function()
    return perf_counter_ns() - started


CHILDREN = {
    "convert": convert,
    "mlxrs": run_mlxrs,
    "mlx-lm": run_mlx_lm,
    "transformers": run_transformers,
}

if __name__ == "__main__":
    main()
