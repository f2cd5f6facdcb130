"""Does a token cost the same late in a long reply as early in it?

    python benchmarks/reply_length.py [--quick]

Two tables. The first is of everything but attention: a stand-in for a model writes keys and values
of SmolLM2-135M's shape into 30 caches and gives each token constant logits, so what is timed is
Python, cache writes, processors, sampling, detokenizer and stop strings. The second is of attention
alone, whose cost must grow with the tokens held: one query of a layer of that model.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from support import parser, print_table, seconds_per_call

import mlxc as mx
from mlxrs import GenConfig, Tokenizer, load, stream_generate
from mlxrs.lm.cache import Cache, KVCache

LAYERS, HEADS, KV_HEADS, HEAD_DIM = 30, 9, 3, 64
PLACES = [100, 1_000, 2_000, 4_000, 8_000]
WINDOW = 90  # tokens timed in front of each place
HELD = [512, 1_024, 2_048, 4_096, 8_192]
WAYS = {
    "greedy": GenConfig(),
    "sampled": GenConfig(temp=0.8, min_p=0.05, seed=0),
    "penalties, stop strings, logprobs": GenConfig(
        repetition_penalty=1.1,
        frequency_penalty=0.1,
        stop_strings=["<|never|>", "never to come"],
        top_logprobs=3,
    ),
}


class WithoutAttention:
    """Writes to its caches like a model, reads their last row only, and likes every token alike."""

    context_length = None

    def __init__(self, vocab_size: int) -> None:
        self._logits = mx.random.normal((vocab_size,), key=mx.random.key(0))

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        B, L = tokens.shape
        rows = mx.broadcast_to(tokens[:, None, :, None], (B, KV_HEADS, L, HEAD_DIM))
        rows = rows.astype(mx.float32)
        read = mx.zeros(())
        for layer in cache or ():
            keys, values = layer.update_and_fetch(rows, rows)
            read = read + keys[0, 0, -1, 0] + values[0, 0, -1, 0]
        logits = mx.roll(self._logits, tokens[0, -1]) + 0 * read
        return mx.broadcast_to(logits, (B, L, logits.size))

    def make_cache(self) -> list[Cache]:
        return [KVCache() for _ in range(LAYERS)]


def main() -> None:
    options = parser("What a token costs early and late in a reply", rounds=1).parse_args()
    _, tokenizer = load("smollm2-135m-instruct")
    places = PLACES[:2] if options.quick else PLACES
    rows = [[name, *outside(tokenizer, way, places)] for name, way in WAYS.items()]
    print_table(["ms a token, at token", *(f"{place:,}" for place in places)], rows)
    print()
    held = HELD[:3] if options.quick else HELD
    costs = [attention(count) for count in held]
    slope = (costs[-1] - costs[0]) / (held[-1] - held[0]) * 1000
    print_table(
        ["µs a layer, tokens held", *(f"{count:,}" for count in held), "µs per 1,000 more"],
        [["attention", *(f"{cost:.0f}" for cost in costs), f"{slope:.1f}"]],
    )


def outside(tokenizer: Tokenizer, way: GenConfig, places: list[int]) -> list[str]:
    """The milliseconds of a token around each of the places."""
    model = WithoutAttention(tokenizer.vocab_size)
    way.max_tokens = places[-1]
    way.logit_bias = {token: -1e9 for token in tokenizer.eos_token_ids}
    times = [perf_counter()]
    for _ in stream_generate(model, tokenizer, "Once upon a time", params=way):
        times.append(perf_counter())
    costs = [after - before for before, after in zip(times, times[1:], strict=False)]
    return [f"{median(costs[place - WINDOW : place]) * 1e3:.2f}" for place in places]


def attention(held: int) -> float:
    """The microseconds of one query over `held` keys and values."""
    query = mx.random.normal((1, HEADS, 1, HEAD_DIM))
    keys, values = (mx.random.normal((1, KV_HEADS, held, HEAD_DIM)) for _ in range(2))
    mx.eval(query, keys, values)

    def attend() -> None:
        mx.eval(mx.fast.scaled_dot_product_attention(query, keys, values, scale=HEAD_DIM**-0.5))

    return seconds_per_call(attend, least=0.05, runs=7) * 1e6


if __name__ == "__main__":
    main()
