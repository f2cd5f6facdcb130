"""Fused layers, with their formulas in numpy as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats
from support.kernels import cpu_kernels

import mlxc as mx

X = floats((2, 3, 8), seed=1)
WEIGHT, BIAS = floats((8,), seed=2), floats((8,), seed=3)
EPS = 1e-5


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weight"])
def test_rms_norm_divides_by_the_root_mean_square(weight):
    expected = X / np.sqrt(np.mean(X**2, -1, keepdims=True) + EPS)

    result = mx.fast.rms_norm(mx.array(X), None if weight is None else mx.array(weight), EPS)

    assert_close(result, expected if weight is None else expected * weight)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float64])
@pytest.mark.parametrize("kernels", [True, False])
def test_norms_of_nothing_end_where_it_is_transposed(kernels, dtype):
    x = mx.zeros((0, 1, 3, 1), dtype=dtype).T

    with cpu_kernels(kernels):
        for _ in range(50):  # what MLX finds beyond the shape differs from time to time
            norms = [mx.fast.rms_norm(x, None, 1e-5), mx.fast.layer_norm(x, None, None, 1e-5)]
            mx.eval(norms)

    assert [norm.shape for norm in norms] == [(1, 3, 1, 0)] * 2


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weight"])
@pytest.mark.parametrize("bias", [None, BIAS], ids=["plain", "bias"])
def test_layer_norm_has_mean_zero_and_variance_one(weight, bias):
    expected = (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + EPS)
    expected = expected if weight is None else expected * weight
    expected = expected if bias is None else expected + bias
    parameters = (None if p is None else mx.array(p) for p in (weight, bias))

    assert_close(mx.fast.layer_norm(mx.array(X), *parameters, EPS), expected)


def test_a_weight_of_another_length_is_refused():
    with pytest.raises(ValueError, match="weight"):
        mx.fast.rms_norm(mx.array(X), mx.ones((7,)), EPS)
    with pytest.raises(TypeError, match="weight must be an array or None, got float"):
        mx.fast.rms_norm(mx.array(X), 1.0, EPS)


# --- rope ---


def rotated(x, dims, periods, scale, offset, traditional):
    """Each pair of features of x (B, H, L, D) turned by position / period."""
    half = dims // 2
    pairs = [(2 * i, 2 * i + 1) if traditional else (i, half + i) for i in range(half)]
    result = x.astype(np.float64)
    for (i, j), period in zip(pairs, periods, strict=True):
        positions = scale * (np.reshape(offset, (-1, 1, 1)) + np.arange(x.shape[-2]))
        c, s = np.cos(positions / period), np.sin(positions / period)
        result[..., i] = x[..., i] * c - x[..., j] * s
        result[..., j] = x[..., i] * s + x[..., j] * c
    return result


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("offset", [0, 7, [3, 11]], ids=str)
@pytest.mark.parametrize("dims", [8, 4])
def test_rope_turns_pairs_by_their_position(traditional, offset, dims):
    x = floats((2, 3, 5, 8), seed=4)
    periods = 100.0 ** (np.arange(0, dims, 2) / dims)

    result = mx.fast.rope(
        mx.array(x),
        dims,
        traditional=traditional,
        base=100.0,
        scale=0.5,
        offset=mx.array(offset) if isinstance(offset, list) else offset,
    )

    assert_close(result, rotated(x, dims, periods, 0.5, offset, traditional))


def test_rope_takes_the_periods_themselves():
    x, periods = floats((1, 1, 4, 4), seed=5), np.float32([1, 3])

    result = mx.fast.rope(
        mx.array(x),
        4,
        traditional=False,
        base=None,
        scale=1.0,
        offset=2,
        freqs=mx.array(periods),
    )

    assert_close(result, rotated(x, 4, periods, 1, 2, False))


@pytest.mark.parametrize("freqs", [None, mx.ones((2,))], ids=["neither", "both"])
def test_rope_wants_one_of_base_and_freqs(freqs):
    base = None if freqs is None else 100.0

    with pytest.raises(ValueError, match="base"):
        mx.fast.rope(
            mx.ones((1, 1, 2, 4)),
            4,
            traditional=False,
            base=base,
            scale=1.0,
            offset=0,
            freqs=freqs,
        )


# --- attention ---


def attention(q, k, v, scale, mask=None, sinks=None):
    """The formula in float64, heads of k and v repeated; mask is added to the scores."""
    repeats = q.shape[1] // k.shape[1]
    k, v = k.repeat(repeats, 1).astype(np.float64), v.repeat(repeats, 1)
    scores = scale * (q @ k.swapaxes(-1, -2))
    scores = scores if mask is None else scores + mask
    if sinks is not None:
        column = np.broadcast_to(sinks[:, None, None], (*scores.shape[:-1], 1))
        scores = np.concatenate([scores, column], -1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights[..., : k.shape[-2]] @ v


def qkv(heads=4, kv_heads=4, queries=5, keys=5):
    return (
        floats((2, heads, queries, 16), seed=6),
        floats((2, kv_heads, keys, 16), seed=7),
        floats((2, kv_heads, keys, 16), seed=8),
    )


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (4, 2), (4, 1)])
@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (1, 7), (3, 7)])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_follows_its_formula(heads, kv_heads, queries, keys, causal):
    q, k, v = qkv(heads, kv_heads, queries, keys)
    hidden = np.triu(np.ones((queries, keys), bool), keys - queries + 1)
    mask = np.where(hidden, -np.inf, 0) if causal else None

    result = mx.fast.scaled_dot_product_attention(
        *map(mx.array, (q, k, v)), scale=0.25, mask="causal" if causal else None
    )

    assert_close(result, attention(q, k, v, 0.25, mask))


def test_attention_adds_an_array_to_the_scores():
    q, k, v = qkv()
    mask = floats((2, 1, 5, 5), seed=9)

    result = mx.fast.scaled_dot_product_attention(
        *map(mx.array, (q, k, v)), scale=0.25, mask=mx.array(mask)
    )

    assert_close(result, attention(q, k, v, 0.25, mask))


def test_attention_hides_where_a_boolean_mask_is_false():
    q, k, v = qkv()
    shown = np.tril(np.ones((5, 5), bool))

    result = mx.fast.scaled_dot_product_attention(
        *map(mx.array, (q, k, v)), scale=0.25, mask=mx.array(shown)
    )

    assert_close(result, attention(q, k, v, 0.25, np.where(shown, 0, -np.inf)))


def test_sinks_take_their_part_of_the_attention():
    q, k, v = qkv()
    sinks = floats((4,), seed=10)

    result = mx.fast.scaled_dot_product_attention(
        *map(mx.array, (q, k, v)), scale=0.25, sinks=mx.array(sinks)
    )

    assert_close(result, attention(q, k, v, 0.25, sinks=sinks))


@pytest.mark.parametrize(
    ("mask", "error"), [("full", ValueError), (1, TypeError), (mx.ones((3, 3)), ValueError)]
)
def test_a_mask_that_cannot_be_is_refused(mask, error):
    q, k, v = map(mx.array, qkv())

    with pytest.raises(error, match="(?i)mask|broadcast"):
        mx.fast.scaled_dot_product_attention(q, k, v, scale=1.0, mask=mask)


# --- cross entropy ---


def naive_cross_entropy(x, targets):
    logarithms = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return -np.take_along_axis(logarithms, targets[..., None], -1)[..., 0]


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16], ids=repr)
def test_cross_entropy_is_minus_the_logarithm_of_the_probability(dtype):
    x = mx.array(floats((2, 3, 5), seed=11)).astype(dtype)
    targets = np.array([[0, 1, 2], [4, 3, 2]])
    expected = naive_cross_entropy(np.array(x.astype(mx.float32)), targets)

    result = mx.fast.cross_entropy(x, mx.array(targets))

    assert result.dtype == mx.float32
    assert_close(result.astype(dtype), expected)


def test_the_gradient_of_cross_entropy_is_the_probability_less_the_target():
    x, targets = floats((4, 5), seed=12), np.array([1, 0, 4, 2])
    expected = np.exp(x) / np.exp(x).sum(-1, keepdims=True) - np.eye(5)[targets]

    gradient = mx.grad(lambda a: mx.fast.cross_entropy(a, mx.array(targets)).sum())(mx.array(x))

    assert_close(gradient, expected)


@pytest.mark.parametrize(
    ("logits", "targets", "words"),
    [
        (mx.zeros((2, 3)), mx.array([0, 1, 2]), r"targets shape \(3\) does not match"),
        (mx.array(1.0), mx.array(0), "must have at least 1 dimension"),
        (mx.zeros((2, 3)), mx.zeros((2,)), "must be integer class indices"),
        (mx.zeros((2, 3), mx.int32), mx.array([0, 1]), "unsupported logits type int32"),
    ],
)
def test_cross_entropy_refuses_what_does_not_fit(logits, targets, words):
    with pytest.raises(ValueError, match=words):
        mx.fast.cross_entropy(logits, targets)


@pytest.mark.native
@pytest.mark.skipif(mx.is_available(mx.gpu), reason="there is a fused kernel")
def test_a_fused_kernel_cannot_be_forced_on_a_cpu():
    x = mx.ones((1, 2, 3, 8))

    with pytest.raises(ValueError, match="no fused kernel is available"):
        mx.fast.scaled_dot_product_attention(x, x, x, scale=1.0, force_fused=True)


# --- the gated delta update ---


def naive_gated_delta(q, k, v, gamma, beta, state, mask):
    """One position after another, in float64."""
    heads = v.shape[2] // q.shape[2]
    q, k = q.repeat(heads, 2), k.repeat(heads, 2)
    state, outputs = state.astype(np.float64), np.zeros(v.shape)
    for b, t in np.ndindex(*mask.shape):
        if mask[b, t]:
            for h in range(v.shape[2]):
                kept = gamma[b, t, h] * state[b, h]
                error = v[b, t, h] - kept @ k[b, t, h]
                state[b, h] = kept + beta[b, t, h] * np.outer(error, k[b, t, h])
                outputs[b, t, h] = state[b, h] @ q[b, t, h]
    return outputs, state


@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.parametrize(("heads", "value_heads"), [(2, 2), (2, 4)])
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "from nothing"])
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "whole"])
def test_gated_delta_update_corrects_a_memory_that_forgets(
    length, heads, value_heads, begun, masked
):
    q, k = (floats((2, length, heads, 8), seed, -0.5, 0.5) for seed in (1, 2))
    v = floats((2, length, value_heads, 4), 3)
    gamma, beta = (floats((2, length, value_heads), seed, 0, 1) for seed in (4, 5))
    state = floats((2, value_heads, 4, 8), 6) if begun else np.zeros((2, value_heads, 4, 8))
    mask = np.arange(length) < np.array([[length], [(length + 1) // 2]])
    if not masked:
        mask = np.ones_like(mask)
    expected = naive_gated_delta(q, k, v, gamma, beta, state, mask)

    results = mx.fast.gated_delta_update(
        *map(mx.array, (q, k, v, gamma, beta)),
        mx.array(state.astype(np.float32)) if begun else None,
        mx.array(mask) if masked else None,
    )

    assert isinstance(results, list)
    for result, wanted in zip(results, expected, strict=True):
        assert_close(result, wanted)


def test_a_gated_delta_update_goes_on_from_its_state():
    q, k, v = (mx.array(floats((1, 6, 2, 8), seed, -0.5, 0.5)) for seed in (1, 2, 3))
    gamma, beta = (mx.array(floats((1, 6, 2), seed, 0, 1)) for seed in (4, 5))
    whole, last = mx.fast.gated_delta_update(q, k, v, gamma, beta)

    def part(places, state):
        return mx.fast.gated_delta_update(
            q[:, places], k[:, places], v[:, places], gamma[:, places], beta[:, places], state
        )

    first, state = part(slice(0, 2), None)
    second, state = part(slice(2, 6), state)

    assert_close(mx.concatenate([first, second], 1), whole)
    assert_close(state, last)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"q": (1, 3, 2, 4)}, r"q and k must be of one shape \(B, L, H, D\)"),
        ({"q": (3,), "k": (3,)}, r"q and k must be of one shape \(B, L, H, D\)"),
        ({"v": (1, 4, 2, 8)}, "must begin with the same B and L"),
        ({"gamma": (2, 3, 2)}, "must begin with the same B and L"),
        ({"v": (1, 3, 3, 8)}, "the 2 heads of q must divide the 3 heads of v"),
        ({"q": (1, 3, 0, 8), "k": (1, 3, 0, 8)}, "the 0 heads of q must divide"),
    ],
)
def test_a_gated_delta_update_refuses_shapes_that_do_not_fit(changed, words):
    x, gate = (1, 3, 2, 8), (1, 3, 2)
    shapes = {"q": x, "k": x, "v": x, "gamma": gate, "beta": gate} | changed

    with pytest.raises(ValueError, match=words):
        mx.fast.gated_delta_update(**{name: mx.ones(shape) for name, shape in shapes.items()})


def test_a_gated_delta_update_refuses_another_state():
    x, ones = mx.ones((1, 3, 2, 8)), mx.ones((1, 3, 2))

    with pytest.raises(ValueError, match="cannot be broadcast"):
        mx.fast.gated_delta_update(x, x, x, ones, ones, mx.zeros((1, 3)))
    with pytest.raises(TypeError, match="mask must be an array or None, got int"):
        mx.fast.gated_delta_update(x, x, x, ones, ones, mask=3)
