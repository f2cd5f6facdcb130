"""Trains a multilayer perceptron to tell two interleaved spirals apart.

    python examples/mlp.py

A step of training is one function of the batch: it takes the gradient of the loss and updates the
parameters, and `compile` turns all of it into one graph. The parameters are not its arguments, so
they are named as what it captures and what it changes.
"""

from __future__ import annotations

import math

import mlxc as mx

Layer = dict[str, mx.array]

SIZES = (2, 32, 32, 1)
POINTS = 200
STEPS = 400
LEARNING_RATE = 0.1
MOMENTUM = 0.9


def spirals(count: int, key: mx.array) -> tuple[mx.array, mx.array]:
    """Points (2 * count, 2) on two spirals, and 0 or 1 for each: which spiral it is on."""
    turn = mx.random.uniform(0.5, 3.0, (count,), key=key) * math.pi
    arm = mx.stack([mx.cos(turn), mx.sin(turn)], axis=1) * turn[:, None] / math.pi
    return mx.concatenate([arm, -arm]), mx.concatenate([mx.zeros((count,)), mx.ones((count,))])


def initial(sizes: tuple[int, ...], key: mx.array) -> list[Layer]:
    """Layers with random weights (inputs, outputs) that keep the scale of what they are given."""
    shapes = list(zip(sizes, sizes[1:], strict=False))
    keys = mx.random.split(key, len(shapes))
    return [
        {"weight": mx.random.normal(shape, key=k) / math.sqrt(shape[0]), "bias": mx.zeros(shape[1])}
        for shape, k in zip(shapes, keys, strict=True)
    ]


def logits(layers: list[Layer], points: mx.array) -> mx.array:
    """How much each of the points (N, 2) looks like one of the second spiral."""
    for layer in layers[:-1]:
        points = mx.tanh(points @ layer["weight"] + layer["bias"])
    return mx.squeeze(points @ layers[-1]["weight"] + layers[-1]["bias"], axis=1)


def loss(layers: list[Layer], points: mx.array, labels: mx.array) -> mx.array:
    """Mean cross entropy, in nats."""
    out = logits(layers, points)
    return mx.mean(mx.logaddexp(mx.array(0.0), out) - labels * out)


def main() -> None:
    data_key, layer_key = mx.random.split(mx.random.key(0))
    points, labels = spirals(POINTS, data_key)
    layers = initial(SIZES, layer_key)
    speeds = mx.tree.tree_map(mx.zeros_like, layers)
    state = {"layers": layers, "speeds": speeds}

    def step(points: mx.array, labels: mx.array) -> mx.array:
        value, gradients = mx.value_and_grad(loss)(state["layers"], points, labels)
        state["speeds"] = mx.tree.tree_map(
            lambda speed, gradient: MOMENTUM * speed - LEARNING_RATE * gradient,
            state["speeds"],
            gradients,
        )
        state["layers"] = mx.tree.tree_map(
            lambda weight, speed: weight + speed, state["layers"], state["speeds"]
        )
        return value

    compiled = mx.compile(step, inputs=state, outputs=state)
    for number in range(STEPS + 1):
        value = compiled(points, labels)
        mx.eval(value, state)
        if number % 100 == 0:
            print(f"step {number:3d}  loss {value.item():.4f}")
    right = mx.mean((logits(state["layers"], points) > 0) == (labels > 0))
    print(f"accuracy {right.item():.1%}")


if __name__ == "__main__":
    main()
