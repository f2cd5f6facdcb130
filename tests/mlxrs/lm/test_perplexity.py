"""Perplexities beside a naive computation in numpy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.assert_close import assert_close
from support.models import smollm2_gguf
from support.tiny_configs import LLAMA
from support.word_tokenizers import word_tokenizer

import mlxc as mx
from mlxrs.lm.load import build_model
from mlxrs.lm.models import get_model_class
from mlxrs.lm.perplexity import make_windows, perplexity
from mlxrs.loading.checkpoint import read_checkpoint
from mlxrs.testing import FakeModel, one_hot
from mlxrs.tokenizer import Tokenizer


def tiny_llama():
    mx.random.seed(0)
    model_class, args_class = get_model_class("llama")
    return model_class(args_class.from_dict(LLAMA))


def naive_losses(model, windows):
    logits = np.array(model(mx.array(windows)), dtype=np.float64)[:, :-1]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logprobs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    targets = np.array(windows)[:, 1:]
    return -np.take_along_axis(logprobs, targets[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("batch, step", [(1, 1), (2, 3), (8, 256)])
def test_figures_are_those_of_a_naive_computation(batch, step):
    model = tiny_llama()
    tokens = np.random.default_rng(0).integers(0, 50, size=5 * 12 + 3).tolist()
    losses = naive_losses(model, np.reshape(tokens[:60], (5, 12)))

    found = perplexity(model, tokens, window_size=12, batch_size=batch, step_size=step)

    assert_close(found.losses, losses.reshape(-1).astype(np.float32))
    assert found.num_tokens == 5 * 11
    np.testing.assert_allclose(found.mean_loss, losses.mean(), rtol=1e-5)
    np.testing.assert_allclose(found.perplexity, np.exp(losses.mean()), rtol=1e-5)
    error = np.exp(losses.mean()) * losses.std(ddof=1) / np.sqrt(losses.size)
    np.testing.assert_allclose(found.std_error, error, rtol=1e-4)


def test_a_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary():
    found = perplexity(FakeModel(32, logits=mx.zeros((32,))), list(range(20)), window_size=10)

    np.testing.assert_allclose(found.perplexity, 32, rtol=1e-5)
    assert found.std_error < 1e-4


def test_windows_given_as_such_are_taken_as_they_are():
    model = tiny_llama()
    windows = mx.array(np.random.default_rng(1).integers(0, 50, size=(3, 8)))

    found = perplexity(model, windows)

    assert found.perplexity == perplexity(model, windows.flatten(), window_size=8).perplexity


def test_a_text_is_encoded():
    model, tokenizer = FakeModel(11, logits=one_hot(11, 3)), word_tokenizer()

    found = perplexity(model, "hello hello hello", tokenizer=tokenizer, window_size=2)

    wrong, right = np.log(10 + np.e), np.log(10 + np.e) - 1
    assert set(np.round(found.losses.tolist(), 4)) <= {round(wrong, 4), round(right, 4)}
    assert found.num_tokens == len(tokenizer.encode("hello hello hello")) // 2


def test_progress_counts_windows():
    told = []

    perplexity(
        FakeModel(9),
        [1] * 25,
        window_size=5,
        batch_size=2,
        progress=lambda *counts: told.append(counts),
    )

    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_what_is_left_behind_the_last_window_is_dropped():
    assert make_windows(range(7), 3).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "data, settings, message",
    [
        ([1, 2, 3], {"window_size": 1}, "window_size must be >= 2, got 1"),
        ([1, 2, 3], {"window_size": 4}, "window_size must be at most 3, the number of tokens"),
        ([1, 2, 3], {"window_size": 2, "batch_size": 0}, "batch_size must be >= 1, got 0"),
        ([1, 2, 3], {"window_size": 2, "step_size": 0}, "step_size must be >= 1, got 0"),
        (mx.zeros((2, 1), dtype=mx.int32), {}, r"windows \(N, L\) of at least 2"),
        ("text", {}, "a text needs tokenizer="),
        (mx.zeros((1, 2, 3), dtype=mx.int32), {}, "one row of ids"),
        ([1] * 20, {"window_size": 12}, "at most 11 for the context of this model"),
    ],
)
def test_what_cannot_be_measured_is_refused(data, settings, message):
    with pytest.raises(ValueError, match=message):
        perplexity(FakeModel(9, context_length=10), data, **settings)


MLX_LM = """
import json, sys
from pathlib import Path
import mlx.core as mx
from mlx_lm.perplexity import eval_ppl
from mlx_lm.utils import load_model

model, _ = load_model(Path(sys.argv[1]))
print(json.dumps(list(eval_ppl(model, mx.array(json.loads(sys.argv[2])), batch_size=2))))
"""


@pytest.mark.reference
def test_the_perplexity_of_smollm2_is_that_of_mlx_lm(tmp_path):
    checkpoint = read_checkpoint(smollm2_gguf(), quantized="dequantize")
    tokenizer = Tokenizer.from_gguf(checkpoint.metadata)
    weights = {name: array.astype(mx.float32) for name, array in checkpoint.weights.items()}
    (tmp_path / "config.json").write_text(json.dumps(checkpoint.config))
    mx.save_safetensors(str(tmp_path / "model.safetensors"), weights)
    windows = make_windows(tokenizer.encode(Path(__file__).read_text(encoding="utf-8")), 16)[:2]

    done = subprocess.run(
        [sys.executable, "-c", MLX_LM, str(tmp_path), json.dumps(windows.tolist())],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    value, error = json.loads(done.stdout.splitlines()[-1])[:2]
    found = perplexity(build_model(checkpoint.config, weights), windows)

    np.testing.assert_allclose(found.perplexity, value, rtol=1e-3)
    np.testing.assert_allclose(found.std_error, error, rtol=2e-2)
