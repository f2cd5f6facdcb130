"""Edges of the graph that change no values."""

import mlxc as mx


def test_stop_gradient_keeps_values_and_stops_gradients():
    a = mx.array([1.0, 2.0])

    assert mx.stop_gradient(a).tolist() == [1, 2]
    assert mx.grad(lambda x: mx.sum(x * mx.stop_gradient(x)))(a).tolist() == [1, 2]


def test_depends_keeps_values_and_their_number():
    a, b = mx.array([1, 2]), mx.array([3])

    assert mx.depends(a, b).tolist() == [1, 2]
    assert [x.tolist() for x in mx.depends([a, b], [b])] == [[1, 2], [3]]
    assert mx.depends([], [b]) == []
