"""What does the graph of one token cost to build in Python, beside the official mlx.core?

    python benchmarks/graph.py [--quick] [--rounds N]

The graph is that of one decoding step of Qwen3-0.6B: 28 layers with grouped-query attention,
normed queries and keys, rotary positions, and a cache written in place; the output layer is the
embedding. Nothing is evaluated, and no weight ever takes memory: the time is that of the Python
code and of building the nodes. Where a GPU computes, it is what a token cannot get faster than.
"""

from __future__ import annotations

import json
from statistics import median
from time import perf_counter
from typing import Any

from support import Figures, Peer, cell, measure, parser, print_table, ratio

PEERS = [Peer("mlxc", "mlxrs"), Peer("mlx", "mlx")]
WEIGHTS = ["float32", "4-bit"]

LAYERS, HIDDEN, FFN, VOCABULARY = 28, 1024, 3072, 151936
HEADS, KV_HEADS, HEAD_DIM = 16, 8, 128
CAPACITY, OFFSET = 256, 100
EPS, THETA = 1e-6, 1e6
GROUP_SIZE, BITS = 64, 4

Weight = Any
"""An array (outputs, inputs), or its packed form: a tuple of weights, scales and biases."""


def main() -> None:
    options = parser("Milliseconds to build the graph of one token", rounds=5).parse_args()
    if options.child:
        print(json.dumps(run(options.child, quick=options.quick)))
        return
    found = measure(__file__, PEERS, options)
    ours, mlx = found["mlxc"], found.get("mlx")
    print_table(
        ["weights", "mlxc ms", "mlx ms", "mlxc / mlx"],
        [
            [
                weights,
                cell(ours, weights, ".2f"),
                cell(mlx, weights, ".2f"),
                ratio(ours, mlx, weights),
            ]
            for weights in WEIGHTS
        ],
    )


def run(peer: str, *, quick: bool) -> Figures:
    """Returns milliseconds by kind of weights."""
    if peer == "mlxc":
        import mlxc as mx
    else:
        import mlx.core as mx

    figures = {}
    for weights in WEIGHTS:
        model = make_model(mx, packed=weights == "4-bit")
        tokens = mx.array([[1]])  # (B, L)
        times = []
        for _ in range(10 if quick else 100):
            caches = make_caches(mx)
            started = perf_counter()
            logits = decode(mx, model, tokens, caches)
            times.append(perf_counter() - started)
            assert logits.shape == (1, 1, VOCABULARY)
        figures[weights] = median(times) * 1e3
    return figures


def make_model(mx: Any, *, packed: bool) -> dict[str, Any]:
    """Returns weights that are never computed."""

    def weight(outputs: int, inputs: int) -> Weight:
        w = mx.zeros((outputs, inputs))
        return tuple(mx.quantize(w, group_size=GROUP_SIZE, bits=BITS)) if packed else w

    layers = [
        {
            "input_norm": mx.ones((HIDDEN,)),
            "q_proj": weight(HEADS * HEAD_DIM, HIDDEN),
            "k_proj": weight(KV_HEADS * HEAD_DIM, HIDDEN),
            "v_proj": weight(KV_HEADS * HEAD_DIM, HIDDEN),
            "o_proj": weight(HIDDEN, HEADS * HEAD_DIM),
            "q_norm": mx.ones((HEAD_DIM,)),
            "k_norm": mx.ones((HEAD_DIM,)),
            "post_norm": mx.ones((HIDDEN,)),
            "gate_proj": weight(FFN, HIDDEN),
            "up_proj": weight(FFN, HIDDEN),
            "down_proj": weight(HIDDEN, FFN),
        }
        for _ in range(LAYERS)
    ]
    return {"embed": weight(VOCABULARY, HIDDEN), "layers": layers, "norm": mx.ones((HIDDEN,))}


def make_caches(mx: Any) -> list[tuple[Any, Any]]:
    """Returns keys and values of every layer, (B, H, S, D)."""
    shape = (1, KV_HEADS, CAPACITY, HEAD_DIM)
    return [(mx.zeros(shape), mx.zeros(shape)) for _ in range(LAYERS)]


def decode(mx: Any, model: dict[str, Any], tokens: Any, caches: list[tuple[Any, Any]]) -> Any:
    """Returns the logits, (B, L, V)."""
    h = embed(mx, model["embed"], tokens)  # (B, L, D)
    for layer, cache in zip(model["layers"], caches, strict=True):
        x = mx.fast.rms_norm(h, layer["input_norm"], EPS)
        h = h + attend(mx, layer, x, cache)
        x = mx.fast.rms_norm(h, layer["post_norm"], EPS)
        h = h + feed_forward(mx, layer, x)
    return linear(mx, model["embed"], mx.fast.rms_norm(h, model["norm"], EPS))


def attend(mx: Any, layer: dict[str, Any], x: Any, cache: tuple[Any, Any]) -> Any:
    B, L, _ = x.shape
    q = linear(mx, layer["q_proj"], x).reshape(B, L, HEADS, -1)
    k = linear(mx, layer["k_proj"], x).reshape(B, L, KV_HEADS, -1)
    v = linear(mx, layer["v_proj"], x).reshape(B, L, KV_HEADS, -1).transpose(0, 2, 1, 3)
    q = mx.fast.rms_norm(q, layer["q_norm"], EPS).transpose(0, 2, 1, 3)
    k = mx.fast.rms_norm(k, layer["k_norm"], EPS).transpose(0, 2, 1, 3)
    q = rotate(mx, q)
    k = rotate(mx, k)
    keys, values = cache
    end = OFFSET + L
    keys[..., OFFSET:end, :] = k
    values[..., OFFSET:end, :] = v
    out = mx.fast.scaled_dot_product_attention(
        q, keys[..., :end, :], values[..., :end, :], scale=HEAD_DIM**-0.5
    )
    return linear(mx, layer["o_proj"], out.transpose(0, 2, 1, 3).reshape(B, L, -1))


def rotate(mx: Any, x: Any) -> Any:
    return mx.fast.rope(x, HEAD_DIM, traditional=False, base=THETA, scale=1.0, offset=OFFSET)


def feed_forward(mx: Any, layer: dict[str, Any], x: Any) -> Any:
    gate = linear(mx, layer["gate_proj"], x)
    up = linear(mx, layer["up_proj"], x)
    return linear(mx, layer["down_proj"], gate * mx.sigmoid(gate) * up)


def linear(mx: Any, weight: Weight, x: Any) -> Any:
    if isinstance(weight, tuple):
        return mx.quantized_matmul(x, *weight, transpose=True, group_size=GROUP_SIZE, bits=BITS)
    return x @ weight.T


def embed(mx: Any, weight: Weight, tokens: Any) -> Any:
    if isinstance(weight, tuple):
        rows = [part[tokens] for part in weight]
        return mx.dequantize(*rows, group_size=GROUP_SIZE, bits=BITS)
    return weight[tokens]


if __name__ == "__main__":
    main()
