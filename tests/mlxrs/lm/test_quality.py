"""What quantized weights are worth: the perplexity of a real model on news, beside float64."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.kernels import choose
from support.models import smollm2_gguf
from support.naive_llama import naive_forward
from support.news import news

import mlxc as mx
from mlxrs import Tokenizer, load, perplexity
from mlxrs.lm.perplexity import make_windows
from mlxrs.loading.checkpoint import read_checkpoint

WINDOW, WINDOWS = 512, 5


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    """Token ids (5, 512) of news."""
    checkpoint = read_checkpoint(smollm2_gguf(), quantized="keep")
    text = news()[: WINDOW * WINDOWS * 8]
    ids = Tokenizer.from_gguf(checkpoint.metadata).encode(text)
    return np.array(make_windows(ids, WINDOW))[:WINDOWS]


@pytest.fixture(scope="module")
def reference(windows: np.ndarray) -> float:
    """The perplexity by a forward pass in float64, of the weights the file stands for."""
    checkpoint = read_checkpoint(smollm2_gguf(), quantized="dequantize")
    weights = {name: np.array(a).astype(np.float64) for name, a in checkpoint.weights.items()}
    losses = [losses_of(naive_forward(weights, checkpoint.config, row), row) for row in windows]
    return float(np.exp(np.mean(losses)))


def losses_of(logits: np.ndarray, row: np.ndarray) -> np.ndarray:
    logits = logits[:-1] - logits[:-1].max(axis=-1, keepdims=True)
    totals = np.log(np.exp(logits).sum(axis=-1))
    return totals - np.take_along_axis(logits, row[1:, None], axis=-1)[:, 0]


@pytest.fixture
def kernels() -> Iterator[None]:
    """Whatever a test or a loaded model chooses counts until its end."""
    before = mx.cpu_kernels()
    yield
    choose(before)


@pytest.mark.reference
@pytest.mark.usefixtures("kernels")
def test_a_model_as_it_is_loaded_is_within_half_a_percent_of_float64(
    windows: np.ndarray, reference: float
):
    model, _ = load(smollm2_gguf())

    found = perplexity(model, mx.array(windows)).perplexity

    print(f"{found:.4f}, float64 {reference:.4f}, {mx.cpu_kernels()}")
    np.testing.assert_allclose(found, reference, rtol=0.005)


@pytest.mark.reference
@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("held", [mx.float32, mx.float16], ids=str)
@pytest.mark.parametrize(
    "activations, tolerance", [("float32", 5e-4), ("int16", 5e-4), ("int8", 0.005)]
)
def test_packed_weights_are_worth_what_they_stand_for(
    windows: np.ndarray, reference: float, activations: str, tolerance: float, held: mx.Dtype
):
    model, _ = load(smollm2_gguf(), quantized="keep")
    mx.cpu_kernels(True, activations=activations)
    model.round_cache(held)

    found = perplexity(model, mx.array(windows)).perplexity

    print(f"{activations}, keys and values {held}: {found:.4f}, float64 {reference:.4f}")
    np.testing.assert_allclose(found, reference, rtol=tolerance)
