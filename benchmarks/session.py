"""What does a turn of a long conversation cost, and a fork of the conversation?

    python benchmarks/session.py [--quick] [--rounds N]

One conversation with SmolLM2-135M-Instruct, greedy, of replies of at most 16 tokens; the weights
are those of the GGUF file as float32 on both sides. mlx-lm keeps its caches as its server does: an
`LRUPromptCache` gives the longest beginning of a prompt it knows, as a copy, and takes the cache
back after the reply. It reads so slowly here that it talks for the first turns only.

"prompt" is the tokens of the whole conversation at a turn, "read" those of them that were handed to
the model, "reused" the part that was not. "first token" is the time from the message to the first
token of the reply, the chat template and mlx-lm's look-up included: the median of the rounds, and
the lowest and highest of mlxrs. The last row is mlxrs with the last prompt and no cache.

The second table is what a conversation's cache and a branch of it hold in memory: just branched
off (`fork`; mlx-lm's copy out of its cache), and when the branch has said something of its own.
"""

from __future__ import annotations

import json
import tempfile
from argparse import SUPPRESS
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from support import Figures, Peer, child, parser, print_table, runs

MODEL = "smollm2-135m-instruct"
MLX_LM = "mlx-lm float32"
PEERS = [Peer("mlxrs", "mlxrs"), Peer(MLX_LM, "mlx-lm")]
TURNS = {"mlxrs": 20, MLX_LM: 5}
QUICK_TURNS = {"mlxrs": 4, MLX_LM: 2}
REPLY = 16
FORKS, QUICK_FORKS = 4, 2
INSTRUCTIONS = "You are a patient teacher. Answer in one short sentence."
QUESTIONS = [
    "What is a river?",
    "Where does its water come from?",
    "And where does it go?",
    "What is a lake, then?",
    "Name a large lake.",
    "Which animals live in it?",
    "What do they eat?",
    "Do they sleep in winter?",
    "Why does ice float?",
    "Is the sea frozen too?",
    "Why is the sea salty?",
    "Can one drink its water?",
    "What are the tides?",
    "Does the moon have water?",
    "How far away is it?",
    "Who was there first?",
    "How did they come back?",
    "What did they bring with them?",
    "Where can I see it?",
    "Thank you. What should I ask next?",
]
BRANCH = "Say something else."


def main() -> None:
    options = parser("A conversation with SmolLM2-135M-Instruct on this machine", rounds=3)
    options.add_argument("--folder", default="", help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(CHILDREN[chosen.child](Path(chosen.folder), quick=chosen.quick)))
        return
    with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
        chat = str(Path(__file__).with_name("chat.py"))
        child(chat, "--child", "convert", "--folder", folder)
        child(__file__, "--child", "convert", "--folder", folder)
        found = runs(__file__, PEERS, chosen, "--folder", folder)
    turns = QUICK_TURNS if chosen.quick else TURNS
    print_turns(found, turns)
    print()
    print_memory(found, turns)


def print_turns(found: dict[str, list[Figures]], turns: dict[str, int]) -> None:
    """Prints the table of turns, a row each."""
    ours, theirs = found["mlxrs"], found.get(MLX_LM, [])
    rows = []
    for turn in range(1, turns["mlxrs"] + 1):
        prompt, read = (int(ours[0][f"{turn} {key}"]) for key in ("prompt", "read"))
        times = [run[f"{turn} first token"] * 1e3 for run in ours]
        row = [f"{turn}", f"{prompt}", f"{read}", f"{1 - read / prompt:.0%}"]
        row += [f"{median(times):.0f}", f"{min(times):.0f}–{max(times):.0f}"]
        if theirs and turn <= turns[MLX_LM]:
            slow = median(run[f"{turn} first token"] for run in theirs) * 1e3
            row += [f"{theirs[0][f'{turn} read']:.0f}", f"{slow:.0f}"]
            row += [f"{median(times) / slow:.3f}×"]
        else:
            row += ["–", "–", "–"]
        rows.append(row)
    times = [run["anew"] * 1e3 for run in ours]
    spread = f"{min(times):.0f}–{max(times):.0f}"
    last = [f"{turns['mlxrs']}, no cache", f"{prompt}", f"{prompt}", "0%", f"{median(times):.0f}"]
    rows.append([*last, spread, "–", "–", "–"])
    head = ["turn", "prompt", "read", "reused", "first token (ms)", "spread"]
    print_table([*head, "mlx-lm: read", "first token (ms)", "mlxrs / mlx-lm"], rows)


def print_memory(found: dict[str, list[Figures]], turns: dict[str, int]) -> None:
    """Prints the table of memory, a row for each peer."""
    rows = []
    for peer, seen in found.items():
        cache, forked, apart = (
            median(run[key] for run in seen) / 1e6 for key in ("cache", "fork", "apart")
        )
        row = [f"{peer}, after {turns[peer]} turns", f"{cache:.1f}"]
        row += [f"{forked:.1f}", f"{apart:.1f}", f"{apart / cache:.2f}×"]
        rows.append(row)
    head = ["", "its cache (MB)", "a fork (MB)", "after a turn (MB)", "a fork / the cache"]
    print_table(head, rows)


def convert(folder: Path, *, quick: bool) -> Figures:
    """Writes the tokenizer for mlx-lm."""
    from mlxrs import Tokenizer, resolve
    from mlxrs.loading.checkpoint import read_checkpoint

    tokenizer = Tokenizer.from_gguf(read_checkpoint(resolve(MODEL), quantized="keep").metadata)
    (folder / "tokenizer.json").write_text(tokenizer.to_json())
    (folder / "template.jinja").write_text(tokenizer.chat_template)
    (folder / "eos.json").write_text(json.dumps(sorted(tokenizer.eos_token_ids)))
    return {}


def run_mlxrs(folder: Path, *, quick: bool) -> Figures:
    import mlxc as mx
    from mlxrs import ChatSession, GenConfig, load

    model, tokenizer = load(MODEL)
    params = GenConfig(max_tokens=REPLY)

    def new(**options: Any) -> ChatSession:
        return ChatSession(model, tokenizer, instructions=INSTRUCTIONS, params=params, **options)

    new().respond("Hello.")
    session = new()
    figures: Figures = {}
    for turn, question in enumerate(asked("mlxrs", quick), 1):
        reply = session.respond(question)
        figures[f"{turn} prompt"] = reply.prompt_tokens
        figures[f"{turn} read"] = reply.prompt_tokens - reply.cached_tokens
        figures[f"{turn} first token"] = reply.ttft
    anew = new(history=session.history[:-2])
    figures["anew"] = anew.respond(question).ttft
    del anew

    forks: list[ChatSession] = []

    def fork() -> None:
        forks.append(session.fork())

    def speak(number: int) -> None:
        forks[number].respond(BRANCH)

    cached = sum(cache.nbytes for cache in session.current_cache or ())
    return figures | {"cache": cached} | branched(mx, fork, speak, quick)


def run_mlx_lm(folder: Path, *, quick: bool) -> Figures:
    import mlx.core as mx
    from mlx_lm.generate import generate_step
    from mlx_lm.models.cache import LRUPromptCache, make_prompt_cache
    from mlx_lm.utils import load_model
    from transformers import PreTrainedTokenizerFast

    model, _ = load_model(folder / "float32")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        chat_template=(folder / "template.jinja").read_text(),
    )
    endings = json.loads((folder / "eos.json").read_text())
    known = LRUPromptCache()
    messages = [{"role": "system", "content": INSTRUCTIONS}]
    figures: Figures = {}
    began: list[float] = []  # when the first token of each reply came

    def encode(shown: Sequence[dict[str, str]]) -> list[int]:
        return tokenizer.apply_chat_template(shown, add_generation_prompt=True, return_dict=False)

    def reply(rest: list[int], cache: list[Any]) -> list[int]:
        """Returns the tokens of a reply, the one that ends it included."""
        said = []
        for token, _ in generate_step(mx.array(rest), model, max_tokens=REPLY, prompt_cache=cache):
            if not said:
                began.append(perf_counter())
            said.append(int(token))
            if said[-1] in endings:
                break
        return said

    reply(encode([{"role": "user", "content": "Hello."}]), make_prompt_cache(model))
    for turn, question in enumerate(asked(MLX_LM, quick), 1):
        started = perf_counter()
        messages.append({"role": "user", "content": question})
        prompt = encode(messages)
        cache, rest = known.fetch_nearest_cache(MODEL, prompt)
        cache = cache or make_prompt_cache(model)
        said = reply(rest, cache)
        figures[f"{turn} prompt"], figures[f"{turn} read"] = len(prompt), len(rest)
        figures[f"{turn} first token"] = began[-1] - started
        held = [*prompt, *said][: cache[0].offset]
        known.insert_cache(MODEL, held, cache)
        text = tokenizer.decode([token for token in said if token not in endings])
        messages.append({"role": "assistant", "content": text})
    cached = known.nbytes
    del cache

    branch = [*messages, {"role": "user", "content": BRANCH}]
    forks: list[tuple[list[Any], list[int]]] = []

    def fork() -> None:
        forks.append(known.fetch_nearest_cache(MODEL, encode(branch)))

    def speak(number: int) -> None:
        reply(forks[number][1], forks[number][0])

    return figures | {"cache": cached} | branched(mx, fork, speak, quick)


def asked(peer: str, quick: bool) -> list[str]:
    """Returns the questions of a peer's conversation."""
    return QUESTIONS[: (QUICK_TURNS if quick else TURNS)[peer]]


def branched(
    mx: Any, fork: Callable[[], None], speak: Callable[[int], None], quick: bool
) -> Figures:
    """Returns the bytes a branch adds, new and when it has spoken, as the allocator counts them."""
    count = QUICK_FORKS if quick else FORKS
    before = mx.get_active_memory()
    for _ in range(count):
        fork()
    forked = mx.get_active_memory()
    for number in range(count):
        speak(number)
    apart = mx.get_active_memory()
    return {"fork": (forked - before) / count, "apart": (apart - before) / count}


CHILDREN = {"convert": convert, "mlxrs": run_mlxrs, MLX_LM: run_mlx_lm}

if __name__ == "__main__":
    main()
