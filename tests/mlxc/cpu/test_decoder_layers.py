"""Layers of a decoder give the same bits as their operations one by one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.assert_close import assert_close
from support.kernels import FLOATS, choose, cpu_kernels, instruction_sets

import mlxc as mx
from mlxc.fast import _composed_blocks

pytestmark = pytest.mark.native

F, H, H_KV, D, N = 96, 6, 2, 32, 160
EPS, SCALE = 1e-5, 0.2


@pytest.fixture(params=["float32", "int16", "int8"])
def activations(request: pytest.FixtureRequest) -> Iterator[str]:
    before = mx.cpu_kernels()
    mx.cpu_kernels(activations=request.param)
    yield request.param
    choose(before)


def normal(*shape: int, seed: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(seed))


def packed(rows: int, columns: int, form: tuple[int, int], seed: int) -> list[mx.array]:
    return mx.quantize(normal(rows, columns, seed=seed) * columns**-0.5, *form)


def times(x: mx.array, matrix: list[mx.array], form: tuple[int, int]) -> mx.array:
    words, scales, biases = matrix
    return mx.quantized_matmul(x, words, scales, biases, group_size=form[0], bits=form[1])


class Case:
    """Weights of both halves, and the two computed operation by operation."""

    def __init__(
        self,
        inner: tuple[int, int] = (32, 4),
        outer: tuple[int, int] = (32, 4),
        head_eps: float | None = None,
        base: float | None = 1e4,
        traditional: bool = False,
    ) -> None:
        self.forms, self.head_eps, self.base = (inner, outer), head_eps, base
        self.traditional = traditional
        self.norm = normal(F, seed=1)
        self.q, self.k, self.v = (
            packed(heads * D, F, inner, seed) for seed, heads in enumerate((H, H_KV, H_KV), start=2)
        )
        self.o = packed(F, H * D, outer, 5)
        self.gate, self.up = packed(N, F, inner, 6), packed(N, F, inner, 7)
        self.down = packed(F, N, outer, 8)
        self.head_norms = [normal(D, seed=9), normal(D, seed=10)] if head_eps else []
        self.freqs = [] if base else [mx.abs(normal(D // 2, seed=11)) + 1]

    @property
    def of_attention(self) -> list[mx.array]:
        matrices = (*self.q, *self.k, *self.v, *self.o)
        return [self.norm, *matrices, *self.head_norms, *self.freqs]

    @property
    def of_feed_forward(self) -> list[mx.array]:
        return [self.norm, *self.gate, *self.up, *self.down]

    def half(self, **changes: object) -> mx.fast.AttentionHalf:
        given: dict[str, object] = {
            "weights": self.of_attention,
            "forms": self.forms,
            "eps": EPS,
            "scale": SCALE,
            "dims": D - 8,
            "traditional": self.traditional,
            "base": self.base,
            "rope_scale": 0.5,
            "head_eps": self.head_eps,
        }
        return mx.fast.AttentionHalf(**(given | changes))

    @property
    def feed_forward_half(self) -> mx.fast.FeedForwardHalf:
        return mx.fast.FeedForwardHalf(self.of_feed_forward, forms=self.forms, eps=EPS)

    def attend(
        self,
        x: mx.array,
        keys: mx.array,
        values: mx.array,
        start: int,
        mask: str | None,
        **changes: object,
    ) -> tuple[mx.array, mx.array, mx.array]:
        layer = mx.fast.DecoderLayers([(self.half(**changes), None)])
        y, (keys,), (values,) = layer(x, [keys], [values], start=start, mask=mask)
        return y, keys, values

    def attention(
        self, x: mx.array, keys: mx.array, values: mx.array, start: int, mask: str | None
    ) -> tuple[mx.array, mx.array, mx.array]:
        h = mx.fast.rms_norm(x, self.norm, EPS)
        B, L, _ = x.shape
        q, k, v = (
            times(h, w, self.forms[0]).reshape(B, L, -1, D) for w in (self.q, self.k, self.v)
        )
        if self.head_eps:
            q = mx.fast.rms_norm(q, self.head_norms[0], self.head_eps)
            k = mx.fast.rms_norm(k, self.head_norms[1], self.head_eps)
        q, k = (
            mx.fast.rope(
                y.transpose(0, 2, 1, 3),
                D - 8,
                traditional=self.traditional,
                base=self.base,
                scale=0.5,
                offset=start,
                freqs=self.freqs[0][: D // 2 - 4] if self.freqs else None,
            )
            for y in (q, k)
        )
        (keys, values), seen = mx.fast.write_rows(
            [keys, values], [k, v.transpose(0, 2, 1, 3)], start, start + L
        )
        out = mx.fast.scaled_dot_product_attention(q, *seen, scale=SCALE, mask=mask)
        out = out.transpose(0, 2, 1, 3).reshape(B, L, -1)
        return x + times(out, self.o, self.forms[1]), keys, values

    def feed_forward(self, x: mx.array) -> mx.array:
        h = mx.fast.rms_norm(x, self.norm, EPS)
        hidden = mx.fast.swiglu(
            times(h, self.gate, self.forms[0]), times(h, self.up, self.forms[0])
        )
        return x + times(hidden, self.down, self.forms[1])


CASES = {
    "plain": Case(),
    "other forms": Case((32, 8), (32, 3)),
    "normed heads": Case(head_eps=1e-6),
    "neighbours": Case(traditional=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize(
    ("B", "L", "start", "S"), [(1, 1, 0, 8), (1, 1, 300, 512), (2, 3, 5, 8), (1, 40, 24, 64)]
)
@pytest.mark.parametrize("held", FLOATS, ids=str)
def test_attention_has_the_bits_of_its_operations(case, isa, B, L, start, S, held, activations):
    x = normal(B, L, F, seed=20)
    keys, values = (normal(B, H_KV, S, D, seed=seed).astype(held) for seed in (21, 22))
    mask = "causal" if L > 1 else None

    with cpu_kernels(instruction_set=isa):
        got = case.attend(x, keys, values, start, mask)
        expected = case.attention(x, keys, values, start, mask)
        mx.eval(got, expected)

    assert [a.dtype for a in got] == [mx.float32, held, held]
    for one, other in zip(got, expected, strict=True):
        assert mx.array_equal(one, other)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("shape", [(1, 1, F), (1, 2, F), (2, 3, F), (37, F)], ids=str)
def test_a_feed_forward_block_has_the_bits_of_its_operations(case, isa, shape, activations):
    x = normal(*shape, seed=20)

    with cpu_kernels(instruction_set=isa):
        got = mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)
        expected = case.feed_forward(x)
        mx.eval(got, expected)

    assert mx.array_equal(got, expected)


def test_frequencies_stand_in_for_a_base():
    case = Case(base=None)
    case.freqs = [case.freqs[0][: D // 2 - 4]]
    x, held = normal(1, 1, F, seed=20), normal(1, H_KV, 8, D, seed=21)

    got = case.attend(x, held, held, 3, None)

    for one, other in zip(got, case.attention(x, held, held, 3, None), strict=True):
        assert mx.array_equal(one, other)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "gelu_sigmoid"])
def test_a_gate_has_the_activation_asked_for(activation):
    case, x = CASES["plain"], normal(1, 3, F, seed=20)
    h = mx.fast.rms_norm(x, case.norm, EPS)
    approximate = activation.removeprefix("gelu").removeprefix("_") or "none"
    gate, up = times(h, case.gate, (32, 4)), times(h, case.up, (32, 4))
    hidden = mx.fast.geglu(gate, up, approximate=approximate)

    got = mx.fast.feed_forward_block(
        x, case.of_feed_forward, forms=case.forms, eps=EPS, activation=activation
    )

    assert mx.array_equal(got, x + times(hidden, case.down, (32, 4)))


@pytest.mark.parametrize("L", [1, 5])
def test_rows_that_have_no_integers_are_multiplied_as_floats(L, activations):
    case, x = CASES["plain"], normal(1, L, F, seed=20)
    x[0, L - 1, 3] = 1e35
    held = normal(1, H_KV, 8, D, seed=21)

    got = case.attend(x, held, held, 0, "causal")
    forward = mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)

    for one, other in zip(got, case.attention(x, held, held, 0, "causal"), strict=True):
        assert mx.array_equal(one, other, equal_nan=True)
    assert mx.array_equal(forward, case.feed_forward(x), equal_nan=True)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_mlx_computes_the_same_where_kernels_are_off(dtype):
    case, x = CASES["normed heads"], normal(2, 3, F, seed=20)
    held = normal(2, 2, 8, D, seed=21).astype(dtype)

    def both() -> list[mx.array]:
        block = case.attend(x, held, held, 2, "causal")
        forward = mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)
        mx.eval(block, forward)
        return [*block, forward]

    kernels = both()
    with cpu_kernels(False):
        mlx = both()
    assert [a.dtype for a in mlx] == [a.dtype for a in kernels]
    for one, other in zip(kernels, mlx, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_what_stands_in_for_them_computes_the_same(dtype):
    case, x = CASES["normed heads"], normal(2, 3, F, seed=20)
    held = normal(2, 2, 8, D, seed=21).astype(dtype)
    layers = [(case.half(), None)]
    y, (keys,), (values,) = _composed_blocks.decoder_layers(
        layers, x, [held], [held], 2, "causal", None
    )
    got = y, keys, values
    forward = _composed_blocks.feed_forward_block(x, case.of_feed_forward, case.forms, EPS, 0, None)

    expected = case.attend(x, held, held, 2, "causal")
    for one, other in zip(got, expected, strict=True):
        assert_close(one, other)
    assert_close(forward, case.feed_forward(x))


def test_gradients_and_vmap_are_those_of_the_operations():
    case, x = CASES["plain"], normal(2, 3, F, seed=20)

    def loss(block):
        return lambda x: (block(x) ** 2).sum()

    def block(x):
        return mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)

    assert_close(mx.grad(loss(block))(x), mx.grad(loss(case.feed_forward))(x))
    assert_close(mx.vmap(block)(x), case.feed_forward(x))


def test_buffers_are_written_in_place_unless_somebody_holds_them():
    case, x = CASES["plain"], normal(1, 1, F, seed=20)
    keys, values = mx.zeros((1, H_KV, 8192, D)), mx.zeros((1, H_KV, 8192, D))
    mx.eval(keys, values, x, case.of_attention)
    held, mx_before = keys.nbytes, mx.get_active_memory()
    mx.reset_peak_memory()

    out, keys, values = case.attend(x, keys, values, 7, None)
    mx.eval(out, keys, values)
    assert mx.get_peak_memory() - mx_before < held

    kept = keys[...]
    mx.eval(kept)
    out, after, values = case.attend(x, keys, values, 8, None)
    mx.eval(out, after)
    assert mx.array_equal(kept[:, :, 8], mx.zeros((1, H_KV, D)))
    assert not mx.array_equal(after[:, :, 8], kept[:, :, 8])


def test_a_step_writes_in_place_though_the_one_before_is_still_computed():
    case, x = CASES["plain"], normal(1, 1, F, seed=20)
    keys, values = mx.zeros((1, H_KV, 32768, D)), mx.zeros((1, H_KV, 32768, D))
    mx.eval(keys, values, x, case.of_attention)
    held, before = keys.nbytes, mx.get_active_memory()
    mx.reset_peak_memory()

    for start in range(32760, 32768):
        y, keys, values = case.attend(x, keys, values, start, None)
        mx.async_eval(y, keys, values)
    mx.eval(y)

    assert mx.get_peak_memory() - before < held


WRONG = {
    "no x": (dict(x=mx.zeros((1, F))), "must be"),
    "another type": (dict(x=mx.zeros((1, 1, F), dtype=mx.float16)), "float32"),
    "buffers of integers": (dict(keys=mx.zeros((1, H_KV, 8, D), mx.int32)), "keys and values of"),
    "buffers of two types": (dict(keys=mx.zeros((1, H_KV, 8, D), mx.float16)), "of one type"),
    "rows outside": (dict(start=8), "within keys and values"),
    "a batch that does not fit": (dict(x=mx.zeros((2, 1, F))), "in B"),
    "weights missing": (dict(weights=[mx.zeros((F,))]), "those of each layer"),
    "odd dims": (dict(dims=3), "even"),
    "another mask": (dict(mask="window"), "mask must be"),
    "no such form": (dict(forms=((48, 4), (32, 4))), "no kernel"),
    "another form": (dict(forms=((32, 8), (32, 4))), "must be a matrix"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(change, words):
    case, held = CASES["plain"], mx.zeros((1, H_KV, 8, D))
    given = {"x": mx.zeros((1, 1, F)), "start": 0, "mask": None, "keys": held} | change

    with pytest.raises(ValueError, match=words):
        case.attend(given.pop("x"), given.pop("keys"), held, **given)


def test_an_unknown_activation_is_refused():
    half = mx.fast.FeedForwardHalf([], forms=((32, 4), (32, 4)), eps=EPS, activation="relu")
    with pytest.raises(ValueError, match="activation must be one of"):
        mx.fast.DecoderLayers([(CASES["plain"].half(), half)])
    with pytest.raises(ValueError, match="activation must be one of"):
        mx.fast.feed_forward_block(
            mx.zeros((1, F)), [], forms=((32, 4), (32, 4)), eps=EPS, activation="relu"
        )
    with pytest.raises(ValueError, match="three matrices"):
        mx.fast.feed_forward_block(mx.zeros((1, F)), [], forms=((32, 4), (32, 4)), eps=EPS)


@pytest.fixture
def layers() -> list[tuple[mx.fast.AttentionHalf, mx.fast.FeedForwardHalf | None]]:
    one, other = CASES["plain"], CASES["normed heads"]
    return [
        (one.half(), one.feed_forward_half),
        (other.half(), None),
        (other.half(), other.feed_forward_half),
    ]


def one_by_one(x: mx.array, held: list[mx.array], start: int, mask: str | None) -> list[mx.array]:
    """What `layers` compute: the sum behind the last, then keys and values of each."""
    rows: list[mx.array] = []
    for case, buffer, whole in zip(
        (CASES["plain"], CASES["normed heads"], CASES["normed heads"]), held, (1, 0, 1), strict=True
    ):
        x, *new = case.attention(x, buffer, buffer, start, mask)
        rows += new
        x = case.feed_forward(x) if whole else x
    return [x, *rows]


def buffers(count: int = 3) -> list[mx.array]:
    return [normal(1, H_KV, 16, D, seed=30 + i) for i in range(count)]


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize(("L", "mask"), [(1, None), (5, "causal")])
def test_layers_have_the_bits_of_their_operations(layers, isa, L, mask, activations):
    x, held = normal(1, L, F, seed=20), buffers()

    with cpu_kernels(instruction_set=isa):
        y, keys, values = mx.fast.DecoderLayers(layers)(x, held, held, start=3, mask=mask)
        expected = one_by_one(x, held, 3, mask)
        mx.eval(y, keys, values, expected)

    assert mx.array_equal(y, expected[0])
    for one, other in zip([*keys, *values], [*expected[1::2], *expected[2::2]], strict=True):
        assert mx.array_equal(one, other)


def test_weights_that_are_not_computed_yet_are_computed_first(layers):
    lazy = mx.fast.AttentionHalf(
        [weight + 0 if weight.dtype == mx.float32 else weight for weight in layers[0][0].weights],
        forms=((32, 4), (32, 4)),
        eps=EPS,
        scale=SCALE,
        dims=D - 8,
        rope_scale=0.5,
    )
    x, held = normal(1, 1, F, seed=20), buffers(1)

    y, _, _ = mx.fast.DecoderLayers([(lazy, None)])(x, held, held, start=3)

    assert mx.array_equal(y, CASES["plain"].attention(x, held[0], held[0], 3, None)[0])


def test_a_weight_that_is_written_into_counts_from_then_on():
    case, x, held = Case(), normal(1, 1, F, seed=20), buffers(1)
    run = mx.fast.DecoderLayers([(case.half(), case.feed_forward_half)])
    before, _, _ = run(x, held, held, start=3)
    mx.eval(before)

    case.norm[:8] = 3.0
    after, _, _ = run(x, held, held, start=3)

    expected = case.feed_forward(case.attention(x, held[0], held[0], 3, None)[0])
    assert not mx.array_equal(before, after)
    assert mx.array_equal(after, expected)


@pytest.mark.parametrize("argument", ["x", "weight"])
def test_gradients_of_layers_are_those_of_the_operations(argument):
    case, x, held = CASES["plain"], normal(1, 3, F, seed=20), buffers(1)

    def with_norm(norm: mx.array) -> mx.fast.DecoderLayers:
        weights = [norm, *case.of_attention[1:]]
        return mx.fast.DecoderLayers([(case.half(weights=weights), case.feed_forward_half)])

    def loss(x: mx.array, norm: mx.array) -> mx.array:
        return (with_norm(norm)(x, held, held, start=3, mask="causal")[0] ** 2).sum()

    def expected(x: mx.array, norm: mx.array) -> mx.array:
        other = Case()
        other.norm = norm
        y, _, _ = other.attention(x, held[0], held[0], 3, "causal")
        h = mx.fast.rms_norm(y, case.norm, EPS)
        hidden = mx.fast.swiglu(times(h, case.gate, (32, 4)), times(h, case.up, (32, 4)))
        return ((y + times(hidden, case.down, (32, 4))) ** 2).sum()

    argnums = ["x", "weight"].index(argument)
    got = mx.grad(loss, argnums)(x, case.norm)
    assert_close(got, mx.grad(expected, argnums)(x, case.norm))


def test_layers_are_compiled_and_copied(layers):
    x, held, run = normal(1, 1, F, seed=20), buffers(), mx.fast.DecoderLayers(layers)
    expected, _, _ = run(x, held, held, start=3)

    compiled = mx.compile(lambda x: run(x, held, held, start=3)[0])

    assert mx.array_equal(compiled(x), expected)
    assert mx.array_equal(copy.copy(run)(x, held, held, start=3)[0], expected)
    assert mx.array_equal(copy.deepcopy(run)(x, held, held, start=3)[0], expected)


def test_buffers_of_other_layers_are_refused(layers):
    run, held = mx.fast.DecoderLayers(layers), buffers(2)
    with pytest.raises(ValueError, match="those of 3 layers, got 2"):
        run(normal(1, 1, F, seed=20), held, held, start=3)


def test_weights_are_freed_with_the_layers():
    x, held = normal(1, 1, F, seed=20), buffers(1)
    mx.eval(x, held)
    mx.synchronize()
    before = mx.get_active_memory()
    case = Case()
    run = mx.fast.DecoderLayers([(case.half(), case.feed_forward_half)])
    mx.eval(run(x, held, held, start=3)[0])
    mx.synchronize()
    assert mx.get_active_memory() > before

    del case, run

    assert mx.get_active_memory() == before


def test_layers_run_in_several_threads_while_weights_change():
    case, x, held = Case(), normal(1, 1, F, seed=20), buffers(1)
    run = mx.fast.DecoderLayers([(case.half(), case.feed_forward_half)])

    def work(_: int) -> float:
        for _ in range(50):
            y, _, _ = run(x, held, held, start=3)
            case.norm[:] = case.norm
            mx.eval(y)
        return y.sum().item()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(4)))) == 1
