"""Halves of a block give the same bits as their operations one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.assert_close import assert_close
from support.kernels import choose, cpu_kernels, instruction_sets

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

    def options(self, start: int, mask: str | None) -> dict[str, object]:
        return {
            "forms": self.forms,
            "eps": EPS,
            "start": start,
            "scale": SCALE,
            "dims": D - 8,
            "traditional": self.traditional,
            "base": self.base,
            "rope_scale": 0.5,
            "head_eps": self.head_eps,
            "mask": mask,
        }

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
def test_an_attention_block_has_the_bits_of_its_operations(case, isa, B, L, start, S, activations):
    x = normal(B, L, F, seed=20)
    keys, values = normal(B, H_KV, S, D, seed=21), normal(B, H_KV, S, D, seed=22)
    mask = "causal" if L > 1 else None

    with cpu_kernels(instruction_set=isa):
        got = mx.fast.attention_block(
            x, keys, values, case.of_attention, **case.options(start, mask)
        )
        expected = case.attention(x, keys, values, start, mask)
        mx.eval(got, expected)

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

    got = mx.fast.attention_block(x, held, held, case.of_attention, **case.options(3, None))

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

    got = mx.fast.attention_block(x, held, held, case.of_attention, **case.options(0, "causal"))
    forward = mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)

    for one, other in zip(got, case.attention(x, held, held, 0, "causal"), strict=True):
        assert mx.array_equal(one, other, equal_nan=True)
    assert mx.array_equal(forward, case.feed_forward(x), equal_nan=True)


def test_mlx_computes_the_same_where_kernels_are_off():
    case, x, held = CASES["normed heads"], normal(2, 3, F, seed=20), normal(2, 2, 8, D, seed=21)

    def both() -> list[mx.array]:
        block = mx.fast.attention_block(
            x, held, held, case.of_attention, **case.options(2, "causal")
        )
        forward = mx.fast.feed_forward_block(x, case.of_feed_forward, forms=case.forms, eps=EPS)
        mx.eval(block, forward)
        return [*block, forward]

    kernels = both()
    with cpu_kernels(False):
        mlx = both()
    for one, other in zip(kernels, mlx, strict=True):
        assert_close(one, other)


def test_what_stands_in_for_them_computes_the_same():
    case, x, held = CASES["normed heads"], normal(2, 3, F, seed=20), normal(2, 2, 8, D, seed=21)
    options = case.options(2, "causal")
    got = _composed_blocks.attention_block(
        x, held, held, case.of_attention, *options.values(), None
    )
    forward = _composed_blocks.feed_forward_block(x, case.of_feed_forward, case.forms, EPS, 0, None)

    expected = mx.fast.attention_block(x, held, held, case.of_attention, **options)
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

    out, keys, values = mx.fast.attention_block(
        x, keys, values, case.of_attention, **case.options(7, None)
    )
    mx.eval(out, keys, values)
    assert mx.get_peak_memory() - mx_before < held

    kept = keys[...]
    mx.eval(kept)
    out, after, values = mx.fast.attention_block(
        x, keys, values, case.of_attention, **case.options(8, None)
    )
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
        y, keys, values = mx.fast.attention_block(
            x, keys, values, case.of_attention, **case.options(start, None)
        )
        mx.async_eval(y, keys, values)
    mx.eval(y)

    assert mx.get_peak_memory() - before < held


WRONG = {
    "no x": (dict(x=mx.zeros((1, F))), "must be"),
    "another type": (dict(x=mx.zeros((1, 1, F), dtype=mx.float16)), "float32"),
    "rows outside": (dict(start=8), "within keys and values"),
    "a batch that does not fit": (dict(x=mx.zeros((2, 1, F))), "in B"),
    "weights missing": (dict(weights=[mx.zeros((F,))]), "begin with a norm"),
    "odd dims": (dict(dims=3), "even"),
    "another mask": (dict(mask="window"), "mask must be"),
    "no such form": (dict(forms=((48, 4), (32, 4))), "no kernel"),
    "another form": (dict(forms=((32, 8), (32, 4))), "must be a matrix"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(change, words):
    case, held = CASES["plain"], mx.zeros((1, H_KV, 8, D))
    given = case.options(0, None) | {"x": mx.zeros((1, 1, F)), "weights": case.of_attention}
    given |= change
    x, weights = given.pop("x"), given.pop("weights")

    with pytest.raises(ValueError, match=words):
        mx.fast.attention_block(x, held, held, weights, **given)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation must be one of"):
        mx.fast.feed_forward_block(
            mx.zeros((1, F)), [], forms=((32, 4), (32, 4)), eps=EPS, activation="relu"
        )
    with pytest.raises(ValueError, match="three matrices"):
        mx.fast.feed_forward_block(mx.zeros((1, F)), [], forms=((32, 4), (32, 4)), eps=EPS)
