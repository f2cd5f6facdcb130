"""What transforms answer, case by case, as text: the same program for mlxc and for mlx.core.

`python transform_cases.py MODULE` prints a JSON object from the name of a case to its answer.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from typing import Any

CASES: dict[str, Callable[[Any], Any]] = {}


def case(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[function.__name__] = function
    return function


def shown(mx: Any, value: Any) -> Any:
    """Arrays as [dtype, values]; containers as lists that start with their type."""
    if isinstance(value, mx.array):
        return [str(value.dtype).rpartition(".")[2], value.tolist()]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(shown(mx, v) for v in value)]
    if isinstance(value, dict):
        return {str(k): shown(mx, v) for k, v in sorted(value.items())}
    return value


def answers(mx: Any, *calls: Callable[[], Any]) -> list[Any]:
    """What each call gives, or the type of its exception."""
    found = []
    for call in calls:
        try:
            found.append(shown(mx, call()))
        except Exception as error:
            found.append(type(error).__name__)
    return found


@case
def vjp_forms(mx):
    x, y, c = mx.array([1.0, 2.0]), mx.array([3.0, 4.0]), mx.array([1.0, 10.0])
    return answers(
        mx,
        lambda: mx.vjp(mx.sin, (x,), (c,)),
        lambda: mx.vjp(mx.sin, [x], [c]),
        lambda: mx.vjp(lambda a, b: (a * b, a + b), [x, y], [c, c]),
        lambda: mx.vjp(lambda a, b: [a * b], [x, y], [c]),
        lambda: mx.vjp(lambda a: a * 2, x, c),
        lambda: mx.vjp(lambda a: a * 2, [x], [c, c]),
        lambda: mx.vjp(lambda a: a * 2, [x], [mx.array(1.0)]),
        lambda: mx.vjp(lambda a: a * 2, [x], [c.astype(mx.float16)]),
        lambda: mx.vjp(lambda a: {"a": a}, [x], [c]),
        lambda: mx.vjp(lambda a: 3, [x], [c]),
        lambda: mx.vjp(lambda a: (a, 3), [x], [c]),
        lambda: mx.vjp(lambda a: a, [3.0], [c]),
        lambda: mx.vjp(lambda a: (a, (a, a)), [x], [c, c, c]),
        lambda: mx.vjp(lambda: x, [], [c]),
    )


@case
def jvp_forms(mx):
    x, y, t = mx.array([1.0, 2.0]), mx.array([3.0, 4.0]), mx.array([1.0, 10.0])
    return answers(
        mx,
        lambda: mx.jvp(mx.sin, (x,), (t,)),
        lambda: mx.jvp(mx.sin, [x], [t]),
        lambda: mx.jvp(lambda a, b: (a * b, a + b), [x, y], [t, t]),
        lambda: mx.jvp(lambda a: a * 2, x, t),
        lambda: mx.jvp(lambda a: a * 2, [x], [t, t]),
        lambda: mx.jvp(lambda a: a * 2, [x], [mx.array(1.0)]),
        lambda: mx.jvp(lambda a: {"a": a}, [x], [t]),
        lambda: mx.jvp(lambda a: 3, [x], [t]),
        lambda: mx.jvp(lambda a: a, [3.0], [t]),
        lambda: mx.jvp(lambda a: mx.vjp(mx.sin, [a], [t])[1][0], [x], [t]),
    )


@case
def vmap_axes(mx):
    a = mx.arange(6).reshape(2, 3)
    b = mx.arange(6).reshape(3, 2) * 10
    v = mx.array([1, 2, 3])
    pair = {"x": a, "y": (b, v)}

    def tree(p):
        return p["x"].sum() + p["y"][0].sum() + p["y"][1].sum()

    return answers(
        mx,
        lambda: mx.vmap(lambda x: x + 1)(a),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, 1))(a, b),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None))(a, v),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None), out_axes=1)(a, v),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, -1), out_axes=-1)(a, b),
        lambda: mx.vmap(lambda x: (x.sum(), [x]), out_axes=(0, [1]))(a),
        lambda: mx.vmap(lambda x: (x.sum(), [x]), out_axes=(0, 1))(a),
        lambda: mx.vmap(lambda x: {"s": x.sum(), "x": x}, out_axes={"s": 0, "x": 1})(a),
        lambda: mx.vmap(tree, in_axes=({"x": 1, "y": (0, 0)},))(pair),
        lambda: mx.vmap(tree, in_axes={"x": 1, "y": (0, 0)})(pair),
        lambda: mx.vmap(tree, in_axes={"x": 1, "y": 0})(pair),
        lambda: mx.vmap(tree, in_axes=({"x": 1, "y": (0, None)},))(pair),
        lambda: mx.vmap(tree, in_axes={"x": None, "y": (None, 0)})(pair),
        lambda: mx.vmap(lambda x, y: x.sum() + y.sum(), in_axes=((0, 0),))(a, b.T),
        lambda: mx.vmap(lambda x, y: x.sum() + y.sum(), in_axes=[0, 1])(a, b),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=(0, 1))((a, b)),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=([0, 1],))([a, b]),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=[0, 1])([a, b]),
        lambda: mx.vmap(lambda x: v)(a),
        lambda: mx.vmap(lambda x: x * 2, in_axes=(0,), out_axes=(0,))(a),
        lambda: mx.vmap(lambda x: (x * 2,), in_axes=(0,), out_axes=(0,))(a),
        lambda: mx.vmap(lambda x: [x, x], out_axes=[1, 0])(a),
        lambda: mx.vmap(lambda x: [x, x], out_axes=(1, 0))(a),
    )


@case
def vmap_wrong(mx):
    a = mx.arange(6).reshape(2, 3)
    return answers(
        mx,
        lambda: mx.vmap(lambda x: x, in_axes=2)(a),
        lambda: mx.vmap(lambda x: x, in_axes=-3)(a),
        lambda: mx.vmap(lambda x: x, out_axes=2)(a),
        lambda: mx.vmap(lambda x: x, out_axes=-3)(a),
        lambda: mx.vmap(lambda x: x, in_axes="a")(a),
        lambda: mx.vmap(lambda x: x, in_axes=1.0)(a),
        lambda: mx.vmap(lambda x, y: x + y)(a, a.T),
        lambda: mx.vmap(lambda x, y: x + y)(a, 2),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None))(a, 2),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0,))(a, a),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, 0, 0))(a, a),
        lambda: mx.vmap(lambda x: x, in_axes=(0, 0))(a),
        lambda: mx.vmap(lambda x: x)(x=a),
        lambda: mx.vmap(lambda x: x)(mx.array(1)),
        lambda: mx.vmap(lambda x: 3)(a),
        lambda: mx.vmap(lambda x: (x, 3))(a),
        lambda: mx.vmap(lambda x: None)(a),
        lambda: mx.vmap(lambda: a)(),
        lambda: mx.vmap(lambda p: p["x"], in_axes=({"z": 0},))({"x": a}),
        lambda: mx.vmap(3),
    )


@case
def vmap_over_transforms(mx):
    x = mx.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w = mx.array([10.0, 100.0])

    def loss(v):
        return (w * v * v).sum()

    return answers(
        mx,
        lambda: mx.vmap(mx.grad(loss))(x),
        lambda: mx.grad(lambda y: mx.vmap(loss)(y).sum())(x),
        lambda: mx.vmap(mx.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))(w, w),
        lambda: mx.vmap(mx.vmap(lambda a: a + 1, in_axes=0), in_axes=1, out_axes=1)(x),
        lambda: mx.vmap(mx.value_and_grad(loss))(x),
        lambda: mx.vmap(mx.compile(loss))(x),
        lambda: mx.compile(mx.vmap(loss))(x),
        lambda: mx.vmap(lambda v: mx.jvp(mx.sin, [v], [v])[1][0])(x),
        lambda: mx.jvp(lambda y: mx.vmap(loss)(y), [x], [x]),
        lambda: mx.vmap(lambda a, b: a @ b)(x[:, None], x[:, :, None]),
        lambda: mx.vmap(mx.checkpoint(loss))(x),
        lambda: mx.vmap(mx.grad(mx.checkpoint(loss)))(x),
    )


@case
def checkpoint_forms(mx):
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    return answers(
        mx,
        lambda: mx.checkpoint(lambda a: a * 2)(x),
        lambda: mx.checkpoint(lambda a, b: {"s": a + b, "n": 3})(x, b=y),
        lambda: mx.checkpoint(lambda a, n: a * n)(x, 3),
        lambda: mx.checkpoint(lambda t: [t["a"][0] * t["a"][1], (t["k"],)])({"a": (x, y), "k": 1}),
        lambda: mx.grad(lambda a: mx.checkpoint(lambda b: mx.exp(b).sum())(a))(x),
        lambda: mx.grad(mx.checkpoint(lambda a, *, b: (a * b).sum()), argnames="b")(x, b=y),
        lambda: mx.grad(mx.checkpoint(lambda a: (a * y).sum()))(x),
        lambda: mx.grad(lambda z: mx.checkpoint(lambda a: (a * z).sum())(x))(y),
        lambda: mx.checkpoint(lambda: x)(),
    )


@case
def custom_vjp(mx):
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    seen = []

    @mx.custom_function
    def f(a, b):
        return mx.sin(a) * b

    @f.vjp
    def f_vjp(primals, cotangent, output):
        seen.append([type(primals).__name__, type(cotangent).__name__, type(output).__name__])
        return mx.ones_like(primals[0]) * 7 * cotangent, output * 0 + 9

    @mx.custom_function
    def one(a):
        return a * 2

    @one.vjp
    def one_vjp(primals, cotangent, output):
        seen.append([type(primals).__name__, type(cotangent).__name__, type(output).__name__])
        return cotangent * 5

    @mx.custom_function
    def tree(t, *, k=2):
        return {"p": t["a"] * t["b"][0] * k, "q": [t["a"]]}

    @tree.vjp
    def tree_vjp(primals, cotangents, outputs):
        seen.append([shown(mx, primals), sorted(cotangents), sorted(outputs)])
        (t,) = primals if isinstance(primals, tuple) else (primals,)
        return {"a": cotangents["p"] * 2, "b": [t["b"][0] * 3]}

    def use(t):
        out = tree(t)
        return out["p"].sum() + out["q"][0].sum()

    return answers(
        mx,
        lambda: f(x, y),
        lambda: mx.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(x, y),
        lambda: mx.grad(lambda a: one(a).sum())(x),
        lambda: mx.vjp(one, [x], [y]),
        lambda: mx.jvp(one, [x], [y]),
        lambda: mx.vmap(one)(x),
        lambda: mx.vmap(mx.grad(one))(x),
        lambda: mx.grad(use)({"a": x, "b": [y]}),
        lambda: tree({"a": x, "b": [y]}, k=3),
        lambda: mx.grad(lambda a: tree({"a": a, "b": [y]}, k=5)["p"].sum())(x),
        lambda: mx.grad(mx.grad(one))(mx.array(1.0)),
        lambda: mx.compile(mx.grad(one))(mx.array(1.0)),
        lambda: mx.grad(mx.compile(one))(mx.array(1.0)),
        lambda: f(x, 3.0),
        lambda: mx.grad(lambda a: f(a, 3.0).sum())(x),
        lambda: seen,
    )


@case
def custom_vjp_results(mx):
    x = mx.array([1.0, 2.0])

    def rule(result):
        @mx.custom_function
        def f(a, b):
            return a * b

        f.vjp(lambda p, c, o: result)
        return mx.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(x, x)

    def raising():
        @mx.custom_function
        def f(a):
            return a

        @f.vjp
        def f_vjp(p, c, o):
            raise KeyError("abort")

        return mx.grad(lambda a: f(a).sum())(x)

    def twice():
        f = mx.custom_function(lambda a: a * 2)
        f.vjp(lambda p, c, o: c)
        f.vjp(lambda p, c, o: c * 100)
        return mx.grad(f)(mx.array(1.0))

    return answers(
        mx,
        lambda: rule((x, x)),
        lambda: rule([x, x]),
        raising,
        twice,
    )


@case
def custom_captured(mx):
    x, y = mx.array(2.0), mx.array(3.0)

    def g(x, y):
        @mx.custom_function
        def f(x):
            return x * y

        @f.vjp
        def f_vjp(x, dx, fx):
            raise ValueError("abort")

        return f(x)

    return answers(
        mx,
        lambda: g(x, y),
        lambda: mx.grad(g)(x, y),
        lambda: mx.grad(g, argnums=1)(x, y),
    )


@case
def custom_jvp(mx):
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    seen = []

    @mx.custom_function
    def f(a, b):
        return a * b

    @f.jvp
    def f_jvp(primals, tangents):
        seen.append([shown(mx, primals), shown(mx, tangents)])
        return primals[0] * 100 if tangents[0] is None else tangents[0] * 10

    @mx.custom_function
    def one(a):
        return a * 2

    @one.jvp
    def one_jvp(primals, tangents):
        seen.append([shown(mx, primals), shown(mx, tangents)])
        return mx.ones((2,))

    return answers(
        mx,
        lambda: mx.jvp(f, [x, y], [x, y]),
        lambda: mx.jvp(lambda a: f(a, y), [x], [y]),
        lambda: mx.jvp(lambda a: f(y, a), [x], [y]),
        lambda: mx.jvp(one, [x], [y]),
        lambda: mx.jvp(lambda a: f(a, 3.0), [x], [y]),
        lambda: mx.grad(lambda a: one(a).sum())(x),
        lambda: seen,
    )


@case
def custom_vmap(mx):
    x, y = mx.arange(6).reshape(2, 3), mx.arange(6).reshape(3, 2)
    seen = []

    @mx.custom_function
    def f(a, b):
        return a + b

    @f.vmap
    def f_vmap(inputs, axes):
        seen.append([shown(mx, inputs), shown(mx, axes)])
        return (inputs[0] + inputs[1]) * 10, 0

    @mx.custom_function
    def two(a):
        return a + 1, a.sum()

    @two.vmap
    def two_vmap(inputs, axes):
        seen.append([shown(mx, inputs), shown(mx, axes)])
        return (inputs, mx.array(5)), (axes, None)

    @mx.custom_function
    def broken(a):
        return a

    broken.vmap(lambda inputs, axes: inputs)

    @mx.custom_function
    def tree(t):
        return {"r": t["a"] + t["b"]}

    @tree.vmap
    def tree_vmap(inputs, axes):
        seen.append([shown(mx, inputs), shown(mx, axes)])
        return {"r": inputs["a"] * 3}, {"r": axes["a"]}

    return answers(
        mx,
        lambda: mx.vmap(f)(x, x),
        lambda: mx.vmap(f, in_axes=(0, None))(x, mx.array([1, 2, 3])),
        lambda: mx.vmap(two)(x),
        lambda: mx.vmap(two, in_axes=1)(x),
        lambda: mx.vmap(two, in_axes=1, out_axes=1)(x),
        lambda: mx.vmap(broken)(x),
        lambda: mx.vmap(tree, in_axes={"a": 0, "b": None})({"a": x, "b": mx.array(1)}),
        lambda: f(x, y.T),
        lambda: seen,
    )


@case
def compile_forms(mx):
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    return answers(
        mx,
        lambda: mx.compile(lambda a, b: mx.exp(-a) + b)(x, y),
        lambda: mx.compile(lambda a, b=None: a + b)(x, b=y),
        lambda: mx.compile(lambda a, n: a * n)(x, 3),
        lambda: mx.compile(lambda a, n: a * 2 if n == "two" else a)(x, "two"),
        lambda: mx.compile(lambda t: {"s": t["a"][0] + t["b"], "n": 3, "l": [(t["b"],)]})(
            {"a": [x], "b": y}
        ),
        lambda: mx.compile(lambda a: None)(x),
        lambda: mx.compile(lambda a: 3)(x),
        lambda: mx.compile(lambda: x * 2)(),
        lambda: mx.compile(lambda a: (a, a))(x),
        lambda: mx.compile(lambda a: [])(x),
        lambda: mx.compile(lambda a, b: a)(x, object()),
        lambda: mx.compile(lambda a, b: a)(x, 2 + 1j),
        lambda: mx.compile(lambda a, b: a)(x, True),
        lambda: mx.compile(lambda a, b: a)(x, b"b"),
        lambda: mx.compile(lambda a, b: a)(x, {1: y}),
        lambda: mx.compile(lambda a: a.item())(x),
        lambda: mx.compile(lambda a: a if a.sum() > 0 else -a)(x),
        lambda: mx.compile(mx.compile(lambda a: mx.exp(a) * 2))(x),
        lambda: mx.grad(mx.compile(lambda a: (a * a).sum()))(x),
        lambda: mx.compile(mx.grad(lambda a: (a * a).sum()))(x),
        lambda: mx.compile(3),
        lambda: mx.compile(lambda a: {"z": a, "a": a + 1})(x),
        lambda: mx.compile(lambda *args, **kwargs: (args, kwargs))(x, [y], k=x, j="s"),
    )


@case
def compile_traces(mx):
    """How often the function runs as arguments change."""
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0, 5.0])

    def runs(*calls, **options):
        count = 0

        def fun(*args, **kwargs):
            nonlocal count
            count += 1
            return [a * 2 for a in args if isinstance(a, mx.array)]

        compiled = mx.compile(fun, **options)
        counts = []
        for args, kwargs in calls:
            compiled(*args, **kwargs)
            counts.append(count)
        return counts

    return [
        runs(((x,), {}), ((x,), {}), ((y,), {}), ((x,), {}), ((x.astype(mx.float16),), {})),
        runs(((x,), {}), ((y,), {}), ((y[None],), {}), ((x[None],), {}), shapeless=True),
        runs(((x, 1), {}), ((x, 2), {}), ((x, 1), {}), ((x, 1.0), {}), ((x, "1"), {})),
        runs(((x,), {"a": 1}), ((x,), {"b": 1}), ((x,), {"a": 1, "b": 1}), ((x,), {})),
        runs(((x,), {"a": 1, "b": 2}), ((x,), {"b": 2, "a": 1})),
        runs(((x, None), {}), ((x,), {}), ((x, 0), {})),
        runs((([x],), {}), (({"a": x},), {}), (({"b": x},), {}), (([[x]],), {}), (([x],), {})),
    ]


@case
def compile_state(mx):
    x = mx.array([1.0, 2.0])

    def run():
        state = {"n": mx.array(1.0), "l": [mx.array(5.0), "text"], "t": (mx.array(2.0),)}
        count = 0

        def step(a):
            nonlocal count
            count += 1
            state["n"] = state["n"] + a.sum()
            state["l"][0] = state["l"][0] * 2
            return a * state["n"] + state["t"][0]

        compiled = mx.compile(step, inputs=state, outputs=state)
        first, second = compiled(x), compiled(x)
        state["n"] = mx.array(100.0)
        return [first, second, compiled(x), state, count]

    def captured_only():
        state = [mx.array(1.0)]
        compiled = mx.compile(lambda a: a + state[0], inputs=state)
        first = compiled(x)
        state[0] = mx.array(10.0)
        return [first, compiled(x), state]

    def outputs_only():
        state = []

        def fun(a):
            state.append(a * 3)
            return a

        compiled = mx.compile(fun, outputs=state)
        result = compiled(x)
        return [result, state]

    def in_place():
        state = [mx.array(1.0)]

        def fun(a):
            state[0] += a.sum()
            return state[0] * 1

        compiled = mx.compile(fun, inputs=state, outputs=state)
        return [compiled(x), compiled(x), state]

    def optimizer():
        params = {"w": mx.array([1.0, 1.0])}

        def step(a):
            loss, grads = mx.value_and_grad(lambda p: ((p["w"] * a) ** 2).sum())(params)
            params["w"] = params["w"] - 0.1 * grads["w"]
            return loss

        compiled = mx.compile(step, inputs=params, outputs=params)
        return [compiled(x), compiled(x), compiled(x), params]

    def uncaptured():
        y = x * 2 + 1
        compiled = mx.compile(lambda a: a + y)
        return [compiled(x), compiled(x)]

    def grads_of_state():
        state = [mx.array(3.0)]
        compiled = mx.compile(lambda a: (a * state[0]).sum(), inputs=state)
        return [mx.grad(compiled)(x), mx.vmap(compiled)(x)]

    return answers(
        mx, run, captured_only, outputs_only, in_place, optimizer, uncaptured, grads_of_state
    )


@case
def compile_after_failure(mx):
    x = mx.array([1.0, 2.0])
    fail = True

    def fun(a):
        if fail:
            raise KeyError("first")
        return a * 2

    compiled = mx.compile(fun)
    first = answers(mx, lambda: compiled(x))
    fail = False
    return [first, answers(mx, lambda: compiled(x))]


@case
def compile_shapeless(mx):
    x, y = mx.arange(4.0), mx.arange(6.0)
    reshaped = mx.compile(lambda a: a.reshape(2, 2), shapeless=True)
    summed = mx.compile(lambda a: mx.exp(a * 0).sum() + a, shapeless=True)
    return answers(
        mx,
        lambda: [summed(x), summed(y)],
        lambda: [reshaped(x)],
        lambda: [reshaped(x), reshaped(y)],
        lambda: mx.compile(lambda a: a[:2], shapeless=True)(x),
    )


@case
def compile_switch(mx):
    x = mx.array([1.0, 2.0])
    count = 0

    def fun(a):
        nonlocal count
        count += 1
        return a * 2

    compiled = mx.compile(fun)
    counts = []
    mx.disable_compile()
    for _ in range(2):
        compiled(x)
        counts.append(count)
    mx.enable_compile()
    for _ in range(2):
        compiled(x)
        counts.append(count)
    return counts


@case
def compile_disabled_state(mx):
    x = mx.array([1.0, 2.0])
    state = [mx.array(1.0)]

    def fun(a):
        state[0] = state[0] + 1
        return a * state[0]

    mx.disable_compile()
    try:
        compiled = mx.compile(fun, inputs=state, outputs=state)
        return answers(mx, lambda: [compiled(x), compiled(x), state])
    finally:
        mx.enable_compile()


@case
def compile_object(mx):
    def named(a):
        """Doc."""
        return a

    compiled = mx.compile(named)

    return [
        getattr(compiled, "__name__", None),
        getattr(compiled, "__doc__", None),
        getattr(mx.vmap(named), "__name__", None),
        getattr(mx.grad(named), "__name__", None),
        getattr(mx.checkpoint(named), "__name__", None),
    ]


@case
def export_forms(mx):
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    path = os.path.join(tempfile.mkdtemp(), "f.mlxfn")

    def through(fun, args, kwargs, *call, **options):
        mx.export_function(path, fun, *args, **kwargs, **options)
        imported = mx.import_function(path)
        (cargs, ckwargs), *_ = call or [(args, kwargs)]
        return imported(*cargs, **ckwargs)

    def add(a, b):
        return a + b

    return answers(
        mx,
        lambda: through(add, (x, y), {}),
        lambda: through(add, (x,), {"b": y}),
        lambda: through(add, (), {"a": x, "b": y}),
        lambda: through(add, ((x, y),), {}),
        lambda: through(add, ([x, y],), {}),
        lambda: through(add, ({"a": x, "b": y},), {}),
        lambda: through(add, ((x,), {"b": y}), {}),
        lambda: through(add, ((x,),), {"b": y}),
        lambda: through(add, (x, y), {}, ([(x, y)], {})),
        lambda: through(add, (x, y), {}, ([x], {})),
        lambda: through(add, (x, y), {}, ([x, mx.ones((3,))], {})),
        lambda: through(add, (x, y), {}, ([mx.ones((3,)), mx.ones((3,))], {})),
        lambda: through(add, (x, y), {}, ([mx.ones((3,)), mx.ones((3,))], {}), shapeless=True),
        lambda: through(add, (x, y), {}, ([x.astype(mx.float16), y], {})),
        lambda: through(add, (x, 3), {}),
        lambda: through(add, ("a", 3), {}),
        lambda: through(lambda a: (a, [a]), (x,), {}),
        lambda: through(lambda a: (a, a + 1), (x,), {}),
        lambda: through(lambda a: [a, a + 1], (x,), {}),
        lambda: through(lambda a: {"a": a}, (x,), {}),
        lambda: through(lambda a: 3, (x,), {}),
        lambda: through(lambda: x, (), {}),
        lambda: through(mx.compile(lambda a: mx.exp(a) + 1), (x,), {}),
        lambda: mx.import_function(path + ".missing"),
        lambda: mx.export_function(path, 3, x),
        lambda: through(add, (x, y), {}, ([x, y], {}), metadata="hello"),
        lambda: mx.import_function(path, return_metadata=True)[1],
        lambda: mx.export_function(lambda d: None, add, x, y, metadata="a"),
    )


@case
def export_several(mx):
    path = os.path.join(tempfile.mkdtemp(), "f.mlxfn")

    def fun(*args, extra=None):
        total = args[0]
        for a in args[1:]:
            total = total + a
        return total if extra is None else total * extra

    def write():
        with mx.exporter(path, fun, metadata="m") as exporter:
            exporter(mx.array(1))
            exporter(mx.array(1), mx.array(2))
            exporter(mx.array(1), extra=mx.array(2))
            exporter((mx.array(1), mx.array(2), mx.array(3)))
        imported, metadata = mx.import_function(path, return_metadata=True)
        one, two = mx.array(1), mx.array(2)
        return [
            imported(one),
            imported(one, two),
            imported(two, extra=two),
            imported((two,), {"extra": two}),
            imported(one, two, two),
            metadata,
        ]

    def twice():
        with mx.exporter(path, fun) as exporter:
            exporter(mx.array(1))
            exporter(mx.array(1))

    def after_close():
        exporter = mx.exporter(path, fun)
        exporter(mx.array(1))
        exporter.close()
        exporter.close()
        exporter(mx.array(1), mx.array(2))

    def raising():
        def bad(a):
            raise KeyError("bad")

        mx.exporter(path, bad)(mx.array(1))

    return answers(mx, write, twice, after_close, raising)


@case
def export_callback(mx):
    x = mx.array([[1.0, 2.0]])
    seen = []

    def fun(a, b):
        return mx.sum(mx.softmax(a + b, axis=-1) * mx.array([2.0, 3.0]), axis=0)

    def tensor(entry):
        _, shape, dtype = entry
        return [shape, str(dtype).rpartition(".")[2]]

    mx.export_function(seen.append, fun, x, b=x)
    return [
        {
            "type": event["type"],
            "keys": sorted(event),
            "name": event.get("name"),
            "inputs": [tensor(entry) for entry in event.get("inputs", [])],
            "outputs": [tensor(entry) for entry in event.get("outputs", [])],
            "constants": [shown(mx, value) for _, value in event.get("constants", [])],
            "keywords": [name for name, _ in event.get("keywords", [])],
            "arguments": shown(mx, event.get("arguments")),
        }
        for event in seen
    ]


@case
def dot(mx):
    a, b = mx.array(1.0), mx.array(2.0)
    text = io.StringIO()
    path = os.path.join(tempfile.mkdtemp(), "g.dot")
    out = mx.exp(a + b)
    found = answers(
        mx,
        lambda: mx.export_to_dot(text, out, a=a, b=b),
        lambda: mx.export_to_dot(path, out, a=a),
        lambda: mx.export_to_dot(3, out),
        lambda: mx.export_to_dot(path, 3),
        lambda: mx.export_to_dot(path, out, a=3),
        lambda: mx.export_to_dot(path, [out, out]),
    )
    with open(path) as file:
        written = file.read()
    return [found, re.sub(r"\b\d{6,}\b", "N", text.getvalue()), "digraph" in written]


@case
def grad_in_place(mx):
    tree = [mx.array(1.0), {"k": mx.array(2.0)}]
    first, second = tree[0], tree[1]["k"]

    def fun(pair):
        pair[0] = pair[0] * pair[1]["k"]
        return pair[0]

    gradient = shown(mx, mx.grad(fun)(tree))
    return [gradient, tree[0] is first, tree[1]["k"] is second, shown(mx, tree)]


@case
def grad_wrong(mx):
    x = mx.array([1.0, 2.0])

    def total(a, b=None):
        return a.sum() if b is None else (a * b).sum()

    return answers(
        mx,
        lambda: mx.grad(total, argnums=-1)(x),
        lambda: mx.grad(total, argnums=(0, 0))(x),
        lambda: mx.grad(total, argnums=(1, 0))(x, x),
        lambda: mx.grad(total, argnums=[0])(x),
        lambda: mx.grad(total, argnums=[])(x),
        lambda: mx.grad(total, argnames="b")(x, b=x),
        lambda: mx.grad(total, argnums=0, argnames=["b"])(x, b=x),
        lambda: mx.grad(total, argnames=["b", "b"])(x, b=x),
        lambda: mx.grad(total, argnames="c")(x, b=x),
        lambda: mx.grad(total, argnums=1)(x, b=x),
        lambda: mx.grad(lambda a: (a.sum(), 3))(x),
        lambda: mx.value_and_grad(lambda a: (a.sum(), a, "s", {"k": a}))(x),
        lambda: mx.value_and_grad(lambda a: [a.sum(), a])(x),
        lambda: mx.grad(lambda a: a)(x),
        lambda: mx.grad(lambda a: 3)(x),
        lambda: mx.grad(lambda a: ())(x),
        lambda: mx.grad(lambda a: (3, a.sum()))(x),
        lambda: mx.grad(total)(3.0),
        lambda: mx.grad(lambda t: t["a"].sum())({"a": x, "n": 3, "s": "x"}),
        lambda: mx.grad(lambda a: a.sum())(mx.array([1, 2])),
        lambda: mx.grad(total, argnums=(0, 1))(x, x),
        lambda: mx.grad(total, argnums=1.0),
        lambda: mx.grad(3),
    )


def main(module: str) -> None:
    mx = importlib.import_module(module)
    print(json.dumps({name: run(mx) for name, run in CASES.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
