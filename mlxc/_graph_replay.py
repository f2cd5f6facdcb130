"""An exported function, computed again operation by operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ._device import DeviceType, cpu, default_device, stream
from ._graph_rules import operation
from .ops import create

if TYPE_CHECKING:
    from ._array import array
    from ._graph_calls import Operation
    from ._graph_file import Form, Node, Trace


class Replay:
    """A function of arrays of certain shapes and types.

    Args:
        trace: what a file tells of it.
        shapeless: whether arrays of other lengths, with as many axes, are taken too.

    Raises:
        ValueError: the operations do not fit together, or make arrays of other shapes or types
            than the file says.
    """

    def __init__(self, trace: Trace, shapeless: bool) -> None:
        places = {identifier: i for i, identifier in enumerate(trace.inputs)}
        self.start: list[array | None] = [None] * len(places)
        for identifier, constant in trace.constants.items():
            places[identifier] = len(self.start)
            self.start.append(constant)
        self.steps: list[tuple[Operation, list[int]]] = []
        self.names, self.forms, self.shapeless = trace.names, trace.forms, shapeless
        known = [create.zeros(shape, dtype) for shape, dtype in trace.forms]
        values: list[Any] = [*known, *self.start[len(known) :]]
        for node in trace.nodes:
            inputs = [places[identifier] for identifier in node.inputs]
            for identifier in node.outputs:
                places[identifier] = len(places)
            try:
                step = _placed(operation(node), node)
                results = _results(step(*(values[i] for i in inputs)))
            except Exception as error:
                raise ValueError(f"[import_function] {node.name} fails: {error}") from error
            if (made := [(a.shape, a.dtype) for a in results]) != node.forms:
                raise ValueError(
                    f"[import_function] {node.name} makes {made}, the file says {node.forms}"
                )
            values += results
            self.steps.append((step, inputs))
        self.outputs = [places[identifier] for identifier in trace.outputs]

    def takes(self, positional: Sequence[array], named: Mapping[str, array]) -> bool:
        """Whether it is a function of these arguments."""
        if len(positional) + len(named) != len(self.forms) or named.keys() != {*self.names}:
            return False
        given = [*positional, *(named[name] for name in self.names)]
        return all(map(self._fits, given, self.forms))

    def __call__(
        self, positional: Sequence[array], named: Mapping[str, array]
    ) -> tuple[array, ...]:
        given = [*positional, *(named[name] for name in self.names)]
        values: list[Any] = [*given, *self.start[len(given) :]]
        for step, inputs in self.steps:
            values += _results(step(*[values[i] for i in inputs]))
        return tuple([values[i] for i in self.outputs])

    def __str__(self) -> str:
        count = len(self.forms) - len(self.names)
        named = dict(zip(self.names, self.forms[count:], strict=True))
        return _shown(self.forms[:count], named)

    def _fits(self, a: array, form: Form) -> bool:
        shape, dtype = form
        same = a.ndim == len(shape) if self.shapeless else a.shape == shape
        return same and a.dtype == dtype


def shown(positional: Sequence[array], named: Mapping[str, array]) -> str:
    """The shapes and types of arguments."""
    given = [(a.shape, a.dtype) for a in positional]
    return _shown(given, {name: (a.shape, a.dtype) for name, a in named.items()})


def _shown(positional: Sequence[Form], named: Mapping[str, Form]) -> str:
    parts = [f"{dtype} {shape}" for shape, dtype in positional]
    parts += [f"{name}={dtype} {shape}" for name, (shape, dtype) in named.items()]
    return f"({', '.join(parts)})"


def _results(made: array | Sequence[array]) -> Sequence[array]:
    return made if isinstance(made, (list, tuple)) else [made]  # type: ignore[list-item]


def _placed(function: Operation, node: Node) -> Operation:
    """The function on the CPU, where the node was computed there and others are not."""
    if node.on_cpu and default_device().type is not DeviceType.cpu:
        return partial(_on_cpu, function)
    return function


def _on_cpu(function: Operation, *operands: array) -> array | Sequence[array]:
    with stream(cpu):
        return function(*operands)
