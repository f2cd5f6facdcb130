"""mlxrs, as a user has it: `load`, `generate_step`, `BatchGenerator`, `ChatSession`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from support import peak_memory

from .work import Figures, Work, seconds, token_ids, writing_speed

if TYPE_CHECKING:
    from mlxrs import Tokenizer
    from mlxrs.lm.models import LanguageModel
    from mlxrs.lm.steps import Step

QUESTION = "Which of these lines did you like best?"
ROW_PROMPT = 16


def measure(work: Work) -> Figures:
    # OpenBLAS and mlxc read these when they are loaded.
    for name in ("OPENBLAS_NUM_THREADS", "MLXRS_NUM_THREADS"):
        os.environ[name] = str(work.threads)
    import mlxc
    import mlxrs
    from mlxc.tree import tree_flatten

    started = perf_counter()
    model, tokenizer = mlxrs.load(work.model)
    loaded = perf_counter() - started
    figures: Figures = {}
    first = seconds(lambda: next(generate(model, ROW_PROMPT, 1)))
    if work.load:
        figures["load"] = loaded
        figures["load to first token"] = loaded + first
        figures["start to first token"] = seconds_since_start()
    for _ in generate(model, ROW_PROMPT, 8):
        pass
    for length in sorted({*work.prompts, *work.contexts}):
        tokens = generate(model, max(length, 1), work.written + 1 if length in work.contexts else 1)
        first = seconds(lambda tokens=tokens: next(tokens))
        if length in work.prompts:
            figures[f"prefill {length}"] = length / first
        if length in work.contexts:
            figures[f"decode at {length}"] = writing_speed(tokens)
    for rows in work.batches:
        figures[f"batch {rows}"] = batch_speed(model, tokenizer, rows, work.written)
    if work.conversation:
        figures |= second_turn(model, tokenizer, work.conversation)
    # Only products with packed weights round the other operand.
    packed = any(array.dtype == mlxc.uint32 for _, array in tree_flatten(model.parameters()))
    bits = {"int8": 8, "int16": 16, "float32": 32}[mlxc.cpu_kernels().activations]
    figures["bits"] = float(bits if packed else 32)
    return figures | {"memory": peak_memory()}


def generate(model: LanguageModel, prompt: int, count: int) -> Iterator[Step]:
    import mlxrs

    return mlxrs.generate_step(model, token_ids(prompt), params=mlxrs.GenConfig(max_tokens=count))


def batch_speed(model: LanguageModel, tokenizer: Tokenizer, rows: int, written: int) -> float:
    """Returns the tokens a second of all rows together, from when all have their first."""
    import mlxrs

    prompts = [[token + row for token in token_ids(ROW_PROMPT)] for row in range(rows)]
    with mlxrs.BatchGenerator(model, tokenizer) as batch:
        batch.insert(prompts, mlxrs.GenConfig(max_tokens=written))
        waiting = set(range(rows))
        while waiting:
            waiting -= {row for row, _ in batch.next()}
        return writing_speed(batch)


def second_turn(model: LanguageModel, tokenizer: Tokenizer, size: int) -> Figures:
    """Returns the seconds to the first token of a second turn, cold and with what was read."""
    from mlxrs import ChatSession, GenConfig

    lines = ""
    while len(tokenizer.encode(lines)) < size:
        start = lines.count("\n")
        lines += "".join(f"{i}. The ferry left at {i % 24}:00.\n" for i in range(start, start + 20))
    params = GenConfig(max_tokens=8)
    session = ChatSession(model, tokenizer, params=params)
    session.respond(lines)
    again = ChatSession(model, tokenizer, params=params, history=session.history)
    figures = {}
    for name, conversation in (("cold", again), ("reused", session)):
        with conversation.stream_respond(QUESTION) as reply:
            figures[f"second turn, {name}"] = seconds(lambda reply=reply: next(reply))
    return figures


def seconds_since_start() -> float:
    """Returns how old this process is."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
