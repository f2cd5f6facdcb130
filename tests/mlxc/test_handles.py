"""Every C handle is freed once, also when something raises halfway."""

import gc

import pytest

import mlxc as mx


@pytest.fixture
def base_line():
    """Active memory before the test; the test ends by comparing with it."""
    gc.collect()
    mx.synchronize()
    return mx.get_active_memory()


def active_memory() -> int:
    gc.collect()
    mx.synchronize()
    return mx.get_active_memory()


def test_memory_returns_to_its_base_line_after_ops(base_line):
    a = mx.ones((256, 256))
    for _ in range(20):
        a = a @ a + 1.0
        a[0] = 2.0
        a += a.T
    mx.eval(a)
    assert active_memory() > base_line

    del a

    assert active_memory() == base_line


def test_memory_returns_to_its_base_line_after_failed_ops(base_line):
    a = mx.ones((256, 256))
    mx.eval(a)
    for _ in range(10):
        with pytest.raises(ValueError):
            a @ mx.ones((3, 3))
        with pytest.raises(ValueError):
            mx.concatenate([a, mx.ones((1, 2, 3))])
        with pytest.raises(ValueError):
            mx.array([a, mx.ones((2,))])
        with pytest.raises(ValueError):
            a[0] = mx.ones((7,))

    del a

    assert active_memory() == base_line


def test_memory_returns_to_its_base_line_after_a_failed_gradient(base_line):
    a = mx.ones((256, 256))

    def fun(x):
        y = (x * 2).sum()
        mx.eval(y)
        raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            mx.grad(fun)(a)

    del a

    assert active_memory() == base_line


def test_a_buffer_keeps_memory_and_releases_it(base_line):
    view = memoryview(mx.ones((256, 256)))
    assert active_memory() >= base_line + 256 * 256 * 4

    view.release()

    assert active_memory() == base_line


def test_a_cycle_through_an_array_holder_is_collected(base_line):
    class Node:
        def __init__(self) -> None:
            self.array = mx.ones((256, 256))
            self.me = self
            mx.eval(self.array)

    Node()

    assert active_memory() == base_line
