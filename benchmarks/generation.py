"""How many tokens a second does SmolLM2-135M-Instruct write: in batches, guessed, by a grammar?

    python benchmarks/generation.py [--quick] [--rounds N]

Both have the same weights: mlx-lm the 4-bit blocks of the GGUF file as float32, where its CPU
kernels are fastest, mlxrs what `load` makes of the file by default. Prompts are token ids of
different lengths; the time is that from the moment every reply has begun. A dash stands where the
peer has nothing of the kind.
"""

from __future__ import annotations

import json
import tempfile
from argparse import SUPPRESS
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from support import Figures, Peer, cell, child, measure, parser, print_table, ratio

if TYPE_CHECKING:
    from mlxrs import Tokenizer
    from mlxrs.lm.models import LanguageModel

MODEL = "smollm2-135m-instruct"
PEERS = [
    Peer("mlxrs", "mlxrs"),
    Peer("mlx-lm float32", "mlx-lm"),
]
WRITTEN, QUICK_WRITTEN = 48, 12
TEXT = (
    "The lighthouse keeper counted the ships that passed before noon, wrote their names into a "
    "heavy green book, and climbed the stairs again when the fog came in from the north."
)

OurRow = Callable[["LanguageModel", "Tokenizer", bool], float]
"""Of model, tokenizer and whether it is to be quick: the figure of a row."""
TheirRow = Callable[[Any, bool], float]
"""Of mlx-lm's model and whether it is to be quick: likewise."""


def main() -> None:
    options = parser("Replies of SmolLM2-135M-Instruct on this machine", rounds=3)
    options.add_argument("--folder", default="", help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(CHILDREN[chosen.child](Path(chosen.folder), quick=chosen.quick)))
        return
    with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
        chat = str(Path(__file__).with_name("chat.py"))
        child(chat, "--child", "convert", "--folder", folder)
        found = measure(__file__, PEERS, chosen, "--folder", folder)
    ours, peers = found["mlxrs"], [peer for peer in found if peer != "mlxrs"]
    rows = [
        [
            name,
            cell(ours, name, ".1f"),
            *(cell(found[peer], name, ".1f") for peer in peers),
            *(ratio(ours, found[peer], name) for peer in peers),
        ]
        for name in ours
    ]
    head = ["tokens/s in all", "mlxrs", *peers, *(f"mlxrs / {peer}" for peer in peers)]
    print_table(head, rows)


def batch(model: LanguageModel, tokenizer: Tokenizer, quick: bool, *, size: int) -> float:
    """Returns the tokens a second of a `BatchGenerator`."""
    from mlxrs import BatchGenerator, GenConfig

    written = QUICK_WRITTEN if quick else WRITTEN
    with BatchGenerator(model, tokenizer) as generator:
        generator.insert(prompts(size), GenConfig(max_tokens=written))
        return rate(lambda: [row for row, _ in generator.next()], size)


def batch_of_mlx_lm(model: Any, quick: bool, *, size: int) -> float:
    """Returns the tokens a second of mlx-lm's `BatchGenerator`."""
    from mlx_lm.generate import BatchGenerator

    generator = BatchGenerator(model, max_tokens=QUICK_WRITTEN if quick else WRITTEN)
    generator.insert(prompts(size))

    return rate(lambda: [response.uid for response in generator.next()[1]], size)


def single(
    model: LanguageModel, tokenizer: Tokenizer, quick: bool, *, guessed: bool, ruled: bool
) -> float:
    """Returns the tokens a second of one reply that copies a text of its prompt.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        quick: Whether it is to be short.
        guessed: Whether tokens are guessed by prompt lookup.
        ruled: Whether a grammar has to allow them; it allows all the reply would say without.
    """
    from mlxrs import GenConfig, Grammar, PromptLookupConfig, generate

    message = {"role": "user", "content": f"Repeat this text word for word.\n\n{TEXT}"}
    reply = generate(
        model,
        tokenizer,
        tokenizer.apply_chat_template_ids([message]),
        params=GenConfig(max_tokens=QUICK_WRITTEN if quick else WRITTEN),
        constraint=Grammar.regex(r"[^<]*").constraint(tokenizer) if ruled else None,
        speculative=PromptLookupConfig() if guessed else None,
    )
    return reply.generation_tps


def rate(step: Callable[[], list[int]], size: int) -> float:
    """Returns tokens a second from the moment every row has begun to the first one's end.

    Args:
        step: Gives the rows that went on by a token.
        size: How many rows there are.
    """
    while len(set(step())) < size:
        pass
    started, count = perf_counter(), 0
    while len(rows := step()) == size:
        count += len(rows)
    return count / (perf_counter() - started)


def prompts(count: int) -> list[list[int]]:
    """Returns ordinary tokens of SmolLM2, in no order, 9 to 24 a prompt."""
    lengths = [9 + 5 * row % 16 for row in range(count)]
    return [
        [1000 + (7919 * i + 31 * row) % 40_000 for i in range(length)]
        for row, length in enumerate(lengths)
    ]


SIZES = (1, 4, 8, 16)
OURS: Mapping[str, OurRow] = {
    **{f"batch of {size}": partial(batch, size=size) for size in SIZES},
    "a copied text": partial(single, guessed=False, ruled=False),
    "by prompt lookup": partial(single, guessed=True, ruled=False),
    "by a grammar": partial(single, guessed=False, ruled=True),
    "by both": partial(single, guessed=True, ruled=True),
}
THEIRS: Mapping[str, TheirRow] = {
    f"batch of {size}": partial(batch_of_mlx_lm, size=size) for size in SIZES
}


def run_mlxrs(folder: Path, *, quick: bool) -> Figures:
    import mlxrs

    model, tokenizer = mlxrs.load(MODEL)
    return {name: row(model, tokenizer, quick) for name, row in OURS.items()}


def run_mlx_lm(folder: Path, *, quick: bool) -> Figures:
    from mlx_lm.utils import load_model

    model, _ = load_model(folder / "float32")
    return {name: row(model, quick) for name, row in THEIRS.items()}


CHILDREN = {
    "mlxrs": run_mlxrs,
    "mlx-lm float32": run_mlx_lm,
}

if __name__ == "__main__":
    main()
