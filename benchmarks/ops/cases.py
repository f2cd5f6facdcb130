"""The operations of a language model, at the sizes of a token and of a prompt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import product

import numpy as np

import mlxc as mx

from .case import Case

Cases = Iterator[Case]
BEYOND = (32768, 4096)
INSIDE = (2048, 1024)
MLX_ROWS = 256
GROUP_SIZE = 32
AFFINE = (2, 3, 4, 5, 6, 8)
FLOATING_POINT = ("mxfp4", "mxfp8", "nvfp4")


def cases_of(sections: Collection[str], *, quick: bool) -> Cases:
    """Yields the cases of some sections; what a case needs is made when its turn comes."""
    mx.random.seed(1)
    makers = {
        "qmm": quantized_products,
        "matmul": products,
        "norm": normalizations,
        "rope": rotations,
        "attention": attention,
        "elementwise": elementwise,
        "tables": tables,
    }
    for name, cases in makers.items():
        if name in sections:
            yield from cases(quick=quick)


def quantized_products(*, quick: bool) -> Cases:
    for bits in (4, 8) if quick else AFFINE:
        yield from quantized(f"{bits}-bit", "affine", bits, quick=quick)
    for mode in () if quick else FLOATING_POINT:
        yield from quantized(mode, mode, None, quick=True)
    yield from quantized_gradients(quick=quick)


def quantized(name: str, mode: str, bits: int | None, *, quick: bool) -> Cases:
    """x (M, K) times a packed matrix (N, K)."""
    options = {"mode": mode} if bits is None else {"group_size": GROUP_SIZE, "bits": bits}
    for shape, beyond in ((BEYOND, True), (INSIDE, False)):
        N, K = shape
        part = mx.quantize(mx.random.normal((MLX_ROWS, K), scale=0.02), **options)
        packed = [mx.tile(array, (N // MLX_ROWS, 1)) for array in part]
        mx.eval(part, packed)
        size = sum(array.nbytes for array in packed)
        for M in (1, 512) if quick else (1, 4, 32, 512):
            if beyond and M == 512:
                continue
            x = mx.random.normal((M, K))
            mx.eval(x)
            streams = M <= 4
            work = size / 1e9 if streams else 2 * M * N * K / 1e9
            yield Case(
                "qmm",
                f"quantized_matmul {name}, M {M}, {N}×{K}",
                "GB/s" if streams else "GFLOP/s",
                work,
                partial(mx.quantized_matmul, x, *packed, **options),
                partial(mx.quantized_matmul, x, *part, **options),
                work * MLX_ROWS / N,
                beyond_caches=beyond and streams,
            )


def quantized_gradients(*, quick: bool) -> Cases:
    """y (M, N) times a packed matrix (N, K): what a gradient asks for."""
    N, K = INSIDE
    modes = (
        (("4-bit", "affine", 4),) if quick else (("4-bit", "affine", 4), ("mxfp8", "mxfp8", None))
    )
    for (name, mode, bits), M in product(modes, (1, 512)):
        options = {"mode": mode} if bits is None else {"group_size": GROUP_SIZE, "bits": bits}
        packed = mx.quantize(mx.random.normal((N, K), scale=0.02), **options)
        part = [array[:MLX_ROWS] for array in packed]
        y = mx.random.normal((M, N))
        mx.eval(packed, part, y)
        few = y[:, :MLX_ROWS]
        size = sum(array.nbytes for array in packed)
        work = size / 1e9 if M == 1 else 2 * M * N * K / 1e9
        yield Case(
            "qmm",
            f"quantized_matmul across {name}, M {M}, {N}×{K}",
            "GB/s" if M == 1 else "GFLOP/s",
            work,
            partial(mx.quantized_matmul, y, *packed, transpose=False, **options),
            partial(mx.quantized_matmul, few, *part, transpose=False, **options),
            work * MLX_ROWS / N,
        )


def products(*, quick: bool) -> Cases:
    """x (M, K) @ w.T with w (N, K)."""
    sizes = ((1, (16384, 4096)), (1, INSIDE), (512, (2048, 2048)))
    alike = [(dtype, dtype) for dtype in (mx.float32, mx.bfloat16, mx.float16)]
    for (of_x, of_w), (M, (N, K)) in product([*alike, (mx.float32, mx.bfloat16)], sizes):
        x, w = mx.random.normal((M, K)).astype(of_x), mx.random.normal((N, K)).astype(of_w)
        mx.eval(x, w)
        in_numpy = None
        if of_w == mx.float32:
            in_numpy = partial(np.matmul, np.array(x), np.array(w).T)
        types = " × ".join(dict.fromkeys(str(dtype).split(".")[-1] for dtype in (of_x, of_w)))
        yield Case(
            "matmul",
            f"x @ w.T {types}, M {M}, {N}×{K}",
            "GB/s" if M == 1 else "GFLOP/s",
            (w.nbytes if M == 1 else 2 * M * N * K) / 1e9,
            lambda x=x, w=w: x @ w.T,
            numpy=in_numpy,
            beyond_caches=M == 1 and N == 16384,
        )


def normalizations(*, quick: bool) -> Cases:
    """Of a token, and of a prompt."""
    for L in (1, 512):
        x, weight = mx.random.normal((1, L, 1024)), mx.random.normal((1024,))
        mx.eval(x, weight)
        n, w = np.array(x), np.array(weight)
        yield both(
            "norm",
            f"rms_norm {L}×1024",
            x,
            partial(mx.fast.rms_norm, x, weight, 1e-6),
            L,
            lambda n=n, w=w: n / np.sqrt(np.square(n).mean(-1, keepdims=True) + 1e-6) * w,
        )
        yield both(
            "norm",
            f"layer_norm {L}×1024",
            x,
            partial(mx.fast.layer_norm, x, weight, weight, 1e-6),
            L,
            lambda n=n, w=w: (
                (n - n.mean(-1, keepdims=True)) / np.sqrt(n.var(-1, keepdims=True) + 1e-6) * w + w
            ),
        )


def rotations(*, quick: bool) -> Cases:
    """Of 16 heads of 128, as a projection leaves them."""
    for L in (1, 512):
        heads = mx.random.normal((1, L, 16, 128))
        mx.eval(heads)
        q = heads.transpose(0, 2, 1, 3)
        h = np.array(heads).swapaxes(1, 2)
        rope = partial(mx.fast.rope, q, 128, traditional=False, base=1e6, scale=1.0, offset=700)
        angles = (700 + np.arange(L))[:, None] * 1e6 ** (-np.arange(64, dtype=np.float32) / 64)
        yield both("rope", f"rope 16×{L}×128", q, rope, L, partial(rotated, h, angles))


def rotated(h: np.ndarray, angles: np.ndarray) -> np.ndarray:
    sin, cos = np.sin(angles), np.cos(angles)
    a, b = h[..., :64], h[..., 64:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def attention(*, quick: bool) -> Cases:
    """16 query and 8 key heads of 128, as Qwen3-0.6B has."""
    H, H_kv, D = 16, 8, 128
    for S in (512, 2048) if quick else (512, 2048, 8192):
        q = mx.random.normal((1, H, 1, D))
        k, v = (mx.random.normal((1, H_kv, S, D)) for _ in range(2))
        mx.eval(q, k, v)
        run = partial(mx.fast.scaled_dot_product_attention, q, k, v, scale=D**-0.5)
        arrays = [np.array(array) for array in (q, k, v)]
        yield Case(
            "attention",
            f"attention of a token, {S} keys",
            "GB/s",
            2 * k.nbytes / 1e9,
            run,
            numpy=partial(attend, *arrays),
            beyond_caches=2 * k.nbytes > 6e7,
        )
    for S in (512,) if quick else (512, 2048):
        q = mx.random.normal((1, H, S, D))
        k, v = (mx.random.normal((1, H_kv, S, D)) for _ in range(2))
        mx.eval(q, k, v)
        run = partial(mx.fast.scaled_dot_product_attention, q, k, v, scale=D**-0.5, mask="causal")
        yield Case(
            "attention", f"causal attention of {S} tokens", "GFLOP/s", 2 * H * S * S * D / 1e9, run
        )


def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Attention of one token, over grouped keys."""
    q = q.reshape(1, k.shape[1], -1, q.shape[-1]) * q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(2, 3)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return scores / scores.sum(-1, keepdims=True) @ v


def elementwise(*, quick: bool) -> Cases:
    """What comes between products."""
    for L in (1, 512):
        gate, up = (mx.random.normal((1, L, 3072)) for _ in range(2))
        scores = mx.random.normal((1, 16, L, 512))
        mx.eval(gate, up, scores)
        a, b, s = np.array(gate), np.array(up), np.array(scores)
        silu = mx.compile(lambda g, u: g * mx.sigmoid(g) * u)
        yield both(
            "elementwise",
            f"silu(a) * b, compiled {L}×3072",
            gate,
            lambda g=gate, u=up, f=silu: f(g, u),
            L,
            lambda a=a, b=b: a / (1 + np.exp(-a)) * b,
        )
        yield both(
            "elementwise",
            f"silu(a) * b {L}×3072",
            gate,
            lambda g=gate, u=up: g * mx.sigmoid(g) * u,
            L,
            lambda a=a, b=b: a / (1 + np.exp(-a)) * b,
        )
        yield both(
            "elementwise",
            f"a + b {L}×3072",
            gate,
            lambda g=gate, u=up: g + u,
            L,
            lambda a=a, b=b: a + b,
        )
        yield both(
            "elementwise",
            f"softmax 16×{L}×512",
            scores,
            partial(mx.softmax, scores, axis=-1),
            L,
            partial(soften, s),
        )


def soften(s: np.ndarray) -> np.ndarray:
    powers = np.exp(s - s.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def tables(*, quick: bool) -> Cases:
    """Looking up, choosing, and writing into a cache."""
    options = {"group_size": GROUP_SIZE, "bits": 4}
    w, scales, biases = mx.quantize(mx.random.normal((50_000, 1024)), **options)
    logits = mx.random.normal((1, 151_936))
    mx.eval(w, scales, biases, logits)
    for L in (1, 512):
        ids = mx.arange(L) * 97

        look_up = partial(mx.fast.quantized_take, w, scales, biases, ids, **options)
        yield Case("tables", f"embedding, 4-bit, {L} tokens", "µs", 0, look_up)
    key = mx.random.key(0)
    part = [array[:256] for array in (w, scales, biases)]
    mx.eval(part)
    work = (sum(array.nbytes for array in part) + 256 * 1024 * 4) / 1e9
    whole = partial(mx.dequantize, *part, **options)
    yield Case("tables", "dequantize 4-bit, 256×1024", "GB/s", work, whole)
    yield Case(
        "tables",
        "argmax of 151,936",
        "µs",
        0,
        partial(mx.argmax, logits, axis=-1),
        numpy=partial(np.argmax, np.array(logits)),
    )
    yield Case("tables", "logsumexp of 151,936", "µs", 0, partial(mx.logsumexp, logits, axis=-1))
    yield Case(
        "tables",
        "top 40 of 151,936",
        "µs",
        0,
        lambda: mx.argpartition(logits, -40, axis=-1)[..., -40:],
        numpy=partial(np.argpartition, np.array(logits), -40),
    )
    yield Case(
        "tables",
        "Gumbel noise of 151,936",
        "µs",
        0,
        partial(mx.random.gumbel, logits.shape, key=key),
        numpy=partial(np.random.default_rng(0).gumbel, size=logits.shape),
    )
    yield Case(
        "tables",
        "a token of 151,936 drawn",
        "µs",
        0,
        partial(mx.random.categorical, logits, key=key),
    )
    scores = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    mx.eval(scores)
    keep_k, keep_p = (
        partial(mx.fast.keep_top_k, scores, 40),
        partial(mx.fast.keep_top_p, scores, 0.9),
    )
    yield Case("tables", "keep the top 40 of 151,936", "µs", 0, keep_k)
    yield Case("tables", "keep the top 90 % of 151,936", "µs", 0, keep_p)
    yield Case("tables", "a token into a cache of 8×4096×128", "µs", 0, Cache().write)


class Cache:
    """Keys as a cache keeps them: nobody else holds the buffer, so it is written in place."""

    def __init__(self) -> None:
        self.keys, self.new = mx.zeros((1, 8, 4096, 128)), mx.ones((1, 8, 1, 128))
        self.offset = 0
        mx.eval(self.keys, self.new)

    def write(self) -> mx.array:
        self.offset = (self.offset + 1) % 4096
        self.keys[..., self.offset : self.offset + 1, :] = self.new
        return self.keys


def both(
    section: str,
    name: str,
    x: mx.array,
    run: Callable[[], object],
    L: int,
    in_numpy: Callable[[], object],
) -> Case:
    """Returns a case told in µs for one token, in GB/s of what is read and written for more."""
    unit = "µs" if L == 1 else "GB/s"
    return Case(section, name, unit, 2 * x.nbytes / 1e9, run, numpy=in_numpy)
