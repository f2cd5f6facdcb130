"""Exported functions: forms, several in a file, callbacks, graphs."""

from support.differential import programs

CASES = programs(r"""
import os, tempfile
def export_forms():
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
export_forms()

import os, tempfile
def export_several():
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
    return answers(write, twice, after_close, raising)
export_several()

def export_callback():
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
            "constants": [shown(value) for _, value in event.get("constants", [])],
            "keywords": [name for name, _ in event.get("keywords", [])],
            "arguments": shown(event.get("arguments")),
        }
        for event in seen
    ]
export_callback()

import io, os, re, tempfile
def dot():
    a, b = mx.array(1.0), mx.array(2.0)
    text = io.StringIO()
    path = os.path.join(tempfile.mkdtemp(), "g.dot")
    out = mx.exp(a + b)
    found = answers(
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
dot()
""")
