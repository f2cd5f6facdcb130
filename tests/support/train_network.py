"""Trains a network of mlx.nn for some steps: `python train_network.py MODULE` prints the losses.

MODULE takes the place of mlx.core, so that mlx.nn and mlx.optimizers run on it unchanged.
"""

from __future__ import annotations

import importlib
import json
import sys
from functools import partial
from typing import Any

SUBMODULES = ("distributed", "fast", "fft", "linalg", "random")


def train(module: str) -> list[float]:
    mx: Any = importlib.import_module(module)
    sys.modules["mlx.core"] = mx
    sys.modules |= {f"mlx.core.{name}": getattr(mx, name) for name in SUBMODULES}
    nn = importlib.import_module("mlx.nn")
    optimizers = importlib.import_module("mlx.optimizers")

    mx.random.seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        lambda x: x.flatten(1),
        nn.Linear(36, 8),
        nn.LayerNorm(8),
        nn.Dropout(0.1),
        nn.Linear(8, 1),
    )
    optimizer = optimizers.AdamW(1e-2)
    x, y = mx.random.normal((6, 8, 8, 1)), mx.arange(6.0)[:, None]

    def loss(model: Any, x: Any, y: Any) -> Any:
        return nn.losses.mse_loss(model(x), y)

    state = [net.state, optimizer.state, mx.random.state]

    @partial(mx.compile, inputs=state, outputs=state)
    def step(x: Any, y: Any) -> Any:
        value, gradients = nn.value_and_grad(net, loss)(net, x, y)
        gradients, _ = optimizers.clip_grad_norm(gradients, 1.0)
        optimizer.update(net, gradients)
        return value

    return [step(x, y).item() for _ in range(10)]


if __name__ == "__main__":
    print(json.dumps(train(*sys.argv[1:])))
