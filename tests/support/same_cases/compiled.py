"""Compiled functions: forms, traces, state, failures, switches."""

from support.differential import programs

CASES = programs("""
def compile_forms():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    return answers(
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
compile_forms()

def compile_traces():
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
compile_traces()

def compile_state():
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
compile_state()

def compile_after_failure():
    x = mx.array([1.0, 2.0])
    fail = True
    def fun(a):
        if fail:
            raise KeyError("first")
        return a * 2
    compiled = mx.compile(fun)
    first = answers(lambda: compiled(x))
    fail = False
    return [first, answers(lambda: compiled(x))]
compile_after_failure()

def compile_shapeless():
    x, y = mx.arange(4.0), mx.arange(6.0)
    reshaped = mx.compile(lambda a: a.reshape(2, 2), shapeless=True)
    summed = mx.compile(lambda a: mx.exp(a * 0).sum() + a, shapeless=True)
    return answers(
        lambda: [summed(x), summed(y)],
        lambda: [reshaped(x)],
        lambda: [reshaped(x), reshaped(y)],
        lambda: mx.compile(lambda a: a[:2], shapeless=True)(x),
    )
compile_shapeless()

def compile_switch():
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
compile_switch()

def compile_disabled_state():
    x = mx.array([1.0, 2.0])
    state = [mx.array(1.0)]
    def fun(a):
        state[0] = state[0] + 1
        return a * state[0]
    mx.disable_compile()
    try:
        compiled = mx.compile(fun, inputs=state, outputs=state)
        return answers(lambda: [compiled(x), compiled(x), state])
    finally:
        mx.enable_compile()
compile_disabled_state()

def compile_object():
    def named(a):
        'Doc.'
        return a
    compiled = mx.compile(named)
    return [
        getattr(compiled, "__name__", None),
        getattr(compiled, "__doc__", None),
        getattr(mx.vmap(named), "__name__", None),
        getattr(mx.grad(named), "__name__", None),
        getattr(mx.checkpoint(named), "__name__", None),
    ]
compile_object()
""")
