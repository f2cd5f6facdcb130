"""Greedy text equals that of mlx-lm, token by token, on the same real weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.assert_close import TOLERANCES, as_numpy

import mlxc as mx
from mlxrs.lm.load import build_model
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import Step, generate_step
from mlxrs.loading.checkpoint import read_checkpoint
from mlxrs.loading.hub import resolve
from mlxrs.tokenizer import Tokenizer

MODEL = "smollm2-135m-instruct"
PROMPTS = [
    "What is the capital of France?",
    "Write a short poem about the sea in winter.",
    "List three prime numbers and explain why each is prime.",
]
TOKENS = 64

# In a process of its own: both packages would share one libmlx in this one.
MLX_LM = """
import json, sys
from pathlib import Path
import mlx.core as mx
from mlx_lm.generate import generate_step
from mlx_lm.utils import load_model

model, _ = load_model(Path(sys.argv[1]))
prompts, count = json.loads(sys.argv[2]), int(sys.argv[3])
print(json.dumps([
    [int(token) for token, _ in generate_step(mx.array(prompt), model, max_tokens=count)]
    for prompt in prompts
]))
"""


@pytest.mark.reference
def test_greedy_output_equals_that_of_mlx_lm(tmp_path: Path):
    checkpoint = read_checkpoint(resolve(MODEL), quantized="dequantize")
    tokenizer = Tokenizer.from_gguf(checkpoint.metadata)
    prompts = [
        tokenizer.apply_chat_template_ids([{"role": "user", "content": prompt}])
        for prompt in PROMPTS
    ]
    weights = {name: array.astype(mx.float32) for name, array in checkpoint.weights.items()}
    (tmp_path / "config.json").write_text(json.dumps(checkpoint.config))
    mx.save_safetensors(str(tmp_path / "model.safetensors"), weights)

    reference = mlx_lm_tokens(tmp_path, prompts)
    model = build_model(checkpoint.config, weights)
    for prompt, expected in zip(prompts, reference, strict=True):
        steps = list(generate_step(model, prompt, params=GenConfig(max_tokens=TOKENS)))
        assert len(expected) == len(steps) == TOKENS
        assert_same_until_a_tie(steps, expected)


def mlx_lm_tokens(directory: Path, prompts: list[list[int]]) -> list[list[int]]:
    done = subprocess.run(
        [sys.executable, "-c", MLX_LM, str(directory), json.dumps(prompts), str(TOKENS)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_same_until_a_tie(steps: list[Step], expected: list[int]) -> None:
    """Two tokens may change places only where their scores are equal within the tolerance."""
    for i, (step, token) in enumerate(zip(steps, expected, strict=True)):
        if step.token == token:
            continue
        relative, absolute = TOLERANCES[mx.float32]
        logits = as_numpy(step.logits)
        ours, theirs = float(logits[step.token]), float(logits[token])
        print(f"token {i}: {step.token} ({ours:.6f}) here, {token} ({theirs:.6f}) there")
        assert ours - theirs <= absolute + relative * abs(ours)
        return
