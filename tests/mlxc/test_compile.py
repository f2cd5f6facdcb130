"""Compiled functions: when they run, what they capture, and that nothing of them stays."""

import gc
import subprocess
import sys
import threading
import weakref
from functools import partial
from typing import NamedTuple

import pytest

import mlxc as mx
from mlxc import _closure, _compile

X = mx.array([1.0, 2.0])


def test_constants_of_equal_value_and_other_type_are_told_apart():
    compiled = mx.compile(lambda x, n: (x * 1, repr(n)))

    constants = [1, 1.0, True, "1", None, 0.0, -0.0]

    assert [compiled(X, n)[1] for n in constants] == [repr(n) for n in constants]


def test_not_a_number_does_not_trace_again():
    runs = []
    compiled = mx.compile(lambda x, n: runs.append(n) or x * 1)

    compiled(X, float("nan")), compiled(X, float("nan"))

    assert len(runs) == 1


def test_a_list_and_a_tuple_arrive_as_they_are():
    compiled = mx.compile(lambda x: type(x).__name__)

    assert [compiled([X]), compiled((X,))] == ["list", "tuple"]


def test_results_may_have_another_form_for_other_arguments():
    compiled = mx.compile(lambda x: [x] * x.size)

    assert [len(compiled(mx.ones((n,)))) for n in (1, 3, 1)] == [1, 3, 1]


def test_state_of_another_shape_is_traced_again():
    state = [mx.array([1.0])]
    compiled = mx.compile(lambda x: (x + state[0].sum(), state[0].size), inputs=state)

    first = compiled(X)
    state[0] = mx.array([1.0, 2.0, 3.0])

    assert (first[1], compiled(X)[1]) == (1, 3)
    assert compiled(X)[0].tolist() == [7.0, 8.0]


def test_state_is_whole_after_an_exception():
    state = {"n": mx.array(1.0)}

    def fails(x):
        state["n"].shape  # noqa: B018
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        mx.compile(fails, inputs=state, outputs=state)(X)
    assert state["n"].item() == 1.0


def test_a_method_can_be_compiled():
    class Model:
        def __init__(self):
            self.state = [mx.array(0.0)]
            self.step = mx.compile(self._step, inputs=self.state, outputs=self.state)

        def _step(self, x):
            self.state[0] = self.state[0] + x.sum()
            return self.state[0] * 2

    model = Model()

    assert [model.step(X).item(), model.step(X).item(), model.state[0].item()] == [6.0, 12.0, 6.0]


def test_a_dropped_function_leaves_nothing():
    class Model:
        def __init__(self):
            self.run = mx.compile(self._run)

        def _run(self, x):
            return mx.exp(x) + 1

    gc.collect()
    _closure.release_dropped()
    before = _traced_functions()
    model = Model()
    mx.eval(model.run(X), model.run(X[:1]))
    gone = weakref.ref(model)
    del model
    gc.collect()
    _closure.release_dropped()

    assert gone() is None
    assert _traced_functions() == before


def _traced_functions():
    """How many functions C may still call in order to trace."""
    return sum(type(o) is partial and o.func is _compile._trace for o in gc.get_objects())


def test_arrays_of_a_dropped_function_are_freed():
    def use(n):
        big = mx.ones((1000, 1000)) * n
        mx.eval(big)
        mx.eval(mx.compile(lambda x: x + big)(X[0]))

    use(1)
    mx.clear_cache()
    before = mx.get_active_memory()
    for n in range(20):
        use(n)
    gc.collect()

    assert mx.get_active_memory() < before + 4_000_000 * 3


def test_a_compiled_function_runs_in_other_threads():
    compiled = mx.compile(lambda x: mx.exp(x * 0) + x)
    found = []

    def work():
        found.append(compiled(mx.array([1.0, 2.0])).tolist())

    for _ in range(3):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert found == [[2.0, 3.0]] * 3
    assert compiled(X).tolist() == [2.0, 3.0]


def test_the_environment_can_disable_it():
    program = (
        "import mlxc as mx; runs = []\n"
        "f = mx.compile(lambda x: runs.append(1) or x + 1)\n"
        "f(mx.array(1)), f(mx.array(1)); print(len(runs))"
    )
    environment = {"MLX_DISABLE_COMPILE": "1"}

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )

    assert (done.stdout, done.stderr) == ("2\n", "")


def test_outputs_of_another_length_than_traced_are_refused():
    state = []
    compiled = mx.compile(lambda x: state.append(x * 2), outputs=state)
    compiled(X)
    state.clear()

    with pytest.raises(ValueError, match="as many arrays"):
        compiled(X)


@pytest.mark.parametrize("argument", [object(), 1j, b"bytes", {1, 2}])
def test_arguments_of_other_types_are_refused(argument):
    with pytest.raises(ValueError, match=f"got {type(argument).__name__}"):
        mx.compile(lambda x, y: x)(X, argument)


def test_a_compiled_object_keeps_nothing_but_its_name():
    class Model:
        """Doc."""

        def __init__(self):
            self.weight = mx.array(2.0)

        def __call__(self, x):
            return x * self.weight

    model = Model()
    compiled = mx.compile(model)

    assert compiled(X).tolist() == [2.0, 4.0]
    assert compiled.__doc__ == "Doc."
    assert not hasattr(compiled, "weight")


def test_tuples_of_other_types_come_back_as_they_are():
    class Vector(tuple):
        pass

    class State(NamedTuple):
        a: mx.array
        b: mx.array

    state = mx.compile(lambda s: State(s.a + 10, s.b * 10))(State(mx.array(1), mx.array(2)))
    vector = mx.compile(lambda v: Vector([v[0] + 10]))(Vector([mx.array(1)]))

    assert (type(state), state.a.item(), state.b.item()) == (State, 11, 20)
    assert (type(vector), vector[0].item()) == (Vector, 11)


def test_the_oldest_graph_goes_when_there_are_too_many():
    calls = []

    @mx.compile
    def scaled(x, by):
        calls.append(by)
        return x * by

    for by in range(_compile.MOST_TRACES + 1):
        scaled(mx.array(1), by)
    calls.clear()

    assert scaled(mx.array(2), 1).item() == 2
    assert scaled(mx.array(2), _compile.MOST_TRACES).item() == 2 * _compile.MOST_TRACES
    assert calls == []
    assert scaled(mx.array(2), 0).item() == 0
    assert calls == [0]
