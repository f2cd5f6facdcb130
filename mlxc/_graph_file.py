"""The file of an exported function, read without believing it.

The format, in little-endian, as MLX 0.32 writes it. A text or list is its length in 8 bytes and
what it holds; a shape is a list of 4-byte lengths; a type is its number in 4 bytes and its size in
one; a bool is one byte.

- MLX's version, how many traces follow (4 bytes), whether they are shapeless, the metadata.
- For each trace: the names of the last inputs, the identifiers of the inputs, their shapes and
  types, the identifiers of the outputs, and the tape: a list of nodes in the order of computation.
- A node is an identifier (8 bytes) and whether an operation computes it. If none does, whether it
  is a constant, whose shape, type and elements follow unless an earlier trace has it too; otherwise
  it is an input. If one does, the identifiers of the operands, the stream (its number, kind and
  device, 4 bytes each), the operation's name and parameters, and in 8 bytes how many other results
  there are: if none, the shape and the type of the node, otherwise the lists of all identifiers,
  all shapes and all types.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from ._dtype import DTYPES, Dtype, bool_
from ._ffi import ffi, lib
from ._files import size_left
from ._handle import wrap

if TYPE_CHECKING:
    from ._array import array

    Form = tuple[tuple[int, ...], Dtype]

T = TypeVar("T")

BY_CODE = {dtype._code: dtype for dtype in DTYPES}
MAX_AXES = 64
MAX_BYTES = 2**48


@dataclass(slots=True)
class Node:
    """An operation of a trace."""

    name: str
    parameters: list[Any]
    on_cpu: bool
    inputs: list[int]
    outputs: list[int]
    forms: list[Form]


@dataclass(slots=True)
class Trace:
    """A function for inputs of certain shapes and types."""

    names: list[str]
    inputs: list[int]
    forms: list[Form]
    outputs: list[int]
    constants: dict[int, array]
    nodes: list[Node]


@dataclass(slots=True)
class GraphFile:
    shapeless: bool
    metadata: str
    traces: list[Trace]


def read_graphs(path: str, parameters: Callable[[str], str]) -> GraphFile:
    """What the file holds.

    Args:
        path: the file.
        parameters: tells of an operation, by name, the kinds of its parameters: a letter each, of
            those in `Reader.parameter`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not the file of an exported function, or is damaged.
    """
    with open(path, "rb") as file:
        return Reader(file).graphs(parameters)


class Reader:
    """One part of a file after the other, never more than there is."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.left = size_left(file)

    def graphs(self, parameters: Callable[[str], str]) -> GraphFile:
        version = self.text()
        if not version.replace(".", "").isalnum():
            raise self.fault(f"has the impossible version {version!r:.40}")
        count, shapeless, metadata = self.number("i"), self.flag(), self.text()
        if not 0 <= count <= self.left:
            raise self.fault(f"has the impossible number of {count} traces")
        constants: dict[int, array] = {}
        traces = [self.trace(parameters, constants) for _ in range(count)]
        return GraphFile(shapeless, metadata, traces)

    def trace(self, parameters: Callable[[str], str], constants: dict[int, array]) -> Trace:
        names = self.many(self.text, 8)
        inputs, forms = self.numbers("Q"), self.many(self.form, 13)
        outputs = self.numbers("Q")
        if len(forms) != len(inputs) or len(names) > len(inputs) or len({*inputs}) != len(inputs):
            raise self.fault("does not tell the shape and type of each input")
        known = {*inputs}
        used: dict[int, array] = {}
        nodes = []
        for _ in range(self.length(10)):
            place = self.number("Q")
            if self.flag():
                node = self.node(parameters, place)
                if not known.issuperset(node.inputs) or not known.isdisjoint(node.outputs):
                    raise self.fault(f"has operands of {node.name} that do not come before it")
                known.update(node.outputs)
                nodes.append(node)
                continue
            if self.flag():
                if place not in constants:
                    constants[place] = self.constant()
                used[place] = constants[place]
                known.add(place)
            elif place not in known:
                raise self.fault("has an input that is none")
        if not known.issuperset(outputs):
            raise self.fault("has outputs that are not computed")
        return Trace(names, inputs, forms, outputs, used, nodes)

    def node(self, parameters: Callable[[str], str], place: int) -> Node:
        inputs = self.numbers("Q")
        _, kind, _ = self.number("i"), self.number("i"), self.number("i")
        name = self.text()
        found = [self.parameter(letter) for letter in parameters(name)]
        if self.number("Q") == 0:
            return Node(name, found, kind == 0, inputs, [place], [self.form()])
        outputs = self.numbers("Q")
        shapes, dtypes = self.many(self.shape, 8), self.many(self.dtype, 5)
        if not len(outputs) == len(shapes) == len(dtypes) or place not in outputs:
            raise self.fault(f"does not tell the shape and type of each result of {name}")
        return Node(name, found, kind == 0, inputs, outputs, [*zip(shapes, dtypes, strict=True)])

    def parameter(self, letter: str) -> Any:
        if letter == "?":
            return self.flag()
        if letter == "t":
            return self.dtype()
        if letter == "s":
            return self.text()
        if letter in "ifdQ":
            return self.number(letter)
        return self.numbers({"I": "i", "L": "q", "U": "Q"}[letter])

    def constant(self) -> array:
        shape, dtype = self.form()
        data = self.take(prod(shape) * dtype.size)
        if dtype == bool_:
            data = bytes(map(bool, data))
        return wrap(lib.h_from_data(ffi.from_buffer(data), shape, len(shape), dtype._code))

    def form(self) -> Form:
        shape, dtype = self.shape(), self.dtype()
        if prod(shape) * dtype.size > MAX_BYTES:
            raise self.fault(f"has an array of the impossible shape {shape}")
        return shape, dtype

    def shape(self) -> tuple[int, ...]:
        shape = tuple(self.numbers("i"))
        if len(shape) > MAX_AXES or min(shape, default=0) < 0:
            raise self.fault(f"has the impossible shape {shape!r:.80}")
        return shape

    def dtype(self) -> Dtype:
        code, size = self.number("i"), self.number("B")
        dtype = BY_CODE.get(code)
        if dtype is None or dtype.size != size:
            raise self.fault(f"has the unknown type {code} of {size} bytes")
        return dtype

    def text(self) -> str:
        return self.take(self.length(1)).decode("utf-8", "surrogateescape")

    def flag(self) -> bool:
        value: int = self.number("B")
        if value > 1:
            raise self.fault(f"has {value} where true or false should be")
        return value == 1

    def many(self, read: Callable[[], T], size: int) -> list[T]:
        return [read() for _ in range(self.length(size))]

    def numbers(self, letter: str) -> list[int]:
        size = struct.calcsize(f"<{letter}")
        count = self.length(size)
        return list(struct.unpack(f"<{count}{letter}", self.take(count * size)))

    def number(self, letter: str) -> Any:
        (value,) = struct.unpack(f"<{letter}", self.take(struct.calcsize(f"<{letter}")))
        return value

    def length(self, size: int) -> int:
        """How many parts follow, which take at least `size` bytes each."""
        count = self.number("Q")
        if count * size > self.left:
            raise self.fault(f"is truncated: {count} parts of it do not fit in {self.left} bytes")
        return int(count)

    def take(self, size: int) -> bytes:
        data = self.file.read(size) if size <= self.left else b""
        if len(data) != size:
            raise self.fault("is truncated")
        self.left -= size
        return data

    def fault(self, what: str) -> ValueError:
        return ValueError(
            f"[import_function] {os.fsdecode(self.file.name)} {what}; it is damaged, or is no "
            "exported function of MLX 0.32"
        )
