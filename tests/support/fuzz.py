"""Calls of every public function with arguments that make little sense, as source text.

Run as a program, it makes calls in a folder and evaluates what they return. Each call is written to
the file `calls` there before it is made, so that the last line is the one that the process died of.
What raises an exception that no caller expects is printed:

    python -m tests.support.fuzz SEED COUNT FOLDER
"""

from __future__ import annotations

import faulthandler
import inspect
import os
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

#: How a line begins that tells of an exception.
UNEXPECTED = "UNEXPECTED"

CALLS = "calls"
ADDRESSES = 6 << 30

#: What a call may raise.
EXPECTED = (
    ValueError,
    LookupError,  # a tree lacks what another has
    TypeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    OSError,
    BufferError,
    ZeroDivisionError,
    StopIteration,
)

#: What an array in the place of these says is not checked, as in mlx.core: zeros are in bounds.
INDICES = "key indices lhs_indices rhs_indices segments start_indices targets".split()

#: They change the process for the calls after them, wait for another one, or take any name.
LEFT_OUT = {
    "mx.set_memory_limit",
    "mx.memory_limit",
    "mx.set_wired_limit",
    "mx.wired_limit",
    "mx.clear_streams",
    "mx.distributed.init",
    "array.__getattribute__",
    "array.__setattr__",
    "array.__delattr__",
}

DTYPES = (
    "bool_ uint8 uint16 uint32 uint64 int8 int16 int32 int64 "
    "float16 float32 float64 bfloat16 complex64"
).split()

HUGE = ("2**31-1", "2**31", "-2**31", "2**32", "2**62", "2**63-1", "2**63", "-2**63", "2**64")

NONSENSE = (
    "None",
    "'x'",
    "b'\\xff'",
    "1.5",
    "float('nan')",
    "object()",
    "[[1], [2, 3]]",
    "[None]",
    "[[[]]]",
    "{}",
    "True",
    "(1, 'x')",
    "1j",
    "...",
    "slice(None)",
    "range(3)",
    "float",
    "mx",
    "mx.float16",
    *HUGE,
    "[2**31, -2**31]",
    "[2**64, 2**64]",
    "(2**31 - 1,) * 3",
)

FUNCTIONS = (
    "lambda *a, **k: a[0]",
    "lambda *a, **k: a[0].sum()",
    "lambda *a, **k: (a[0] * a[-1]).sum()",
    "lambda *a, **k: (a[0].sum(), a)",
    "lambda *a, **k: None",
    "lambda *a, **k: 1",
    "lambda *a, **k: 1 / 0",
    "lambda *a, **k: a[0].tolist()",
    "mx.sin",
    "mx.add",
    "None",
    "3",
)

#: Calls that make sense, to what computes by blocks, groups and heads; they are damaged.
SOUND = (
    "mx.quantized_matmul({x}((2, 3, 128)), *mx.quantize({x}((7, 128)), 32, 4), True, 32, 4)",
    "mx.quantized_matmul({x}((3, 64)), *mx.quantize({x}((64, 64)), 64, 8), False, 64, 8)",
    "mx.quantized_matmul({x}((3, 96)), *mx.quantize({x}((5, 96)), 32, 3), group_size=32, bits=3)",
    "mx.quantized_matmul({x}((9, 64)), *mx.quantize({x}((5, 64)), mode='mxfp4'), mode='mxfp4')",
    "mx.gather_qmm({x}((4, 1, 64)), *mx.quantize({x}((3, 9, 64)), 32, 4), rhs_indices={i}((4,)), "
    "transpose=True, group_size=32, bits=4)",
    "mx.gather_qmm({x}((4, 1, 64)), *mx.quantize({x}((3, 9, 64)), 32, 4), {i}((2, 5)), "
    "{i}((2, 5)), True, 32, 4)",
    "mx.gather_mm({x}((4, 1, 8)), {x}((3, 8, 9)), {i}((6,)), {i}((6,)))",
    "mx.matmul({x}((2, 5, 33)), {x}((33, 17)))",
    "mx.matmul({x}((2, 1, 5, 8)), {x}((3, 17, 8)).swapaxes(1, 2))",
    "mx.addmm({x}((17,)), {x}((5, 33)), {x}((17, 33)).T, 0.5, 2.0)",
    "mx.fast.scaled_dot_product_attention({x}((1, 4, 5, 32)), {x}((1, 2, 9, 32)), "
    "{x}((1, 2, 9, 32)), scale=0.2, mask='causal')",
    "mx.fast.scaled_dot_product_attention({x}((2, 4, 1, 80)), {x}((2, 4, 70, 80)), "
    "{x}((2, 4, 70, 16)), scale=0.2, mask={x}((1, 70)), sinks={x}((4,)))",
    "mx.fast.quantized_scaled_dot_product_attention({x}((1, 4, 3, 64)), "
    "mx.quantize({x}((1, 2, 9, 64)), 32, 8), mx.quantize({x}((1, 2, 9, 64)), 32, 8), scale=0.2, "
    "group_size=32, bits=8, mask={x}((3, 9)))",
    "mx.fast.write_rows([{x}((1, 2, 8, 4))], [{x}((1, 2, 3, 4))], 2, 5)",
    "mx.fast.rope({x}((2, 3, 5, 16)), 16, traditional=False, base=1e4, scale=1.0, offset=3)",
    "mx.fast.rope({x}((2, 3, 5, 16)), 8, traditional=True, base=None, scale=1.0, "
    "offset={i}((2,)), freqs={x}((4,)))",
    "mx.fast.rms_norm({x}((3, 40)), {x}((40,)), 1e-5)",
    "mx.fast.layer_norm({x}((3, 40)), {x}((40,)), {x}((40,)), 1e-5)",
    "mx.fast.swiglu({x}((3, 40)), {x}((3, 40)))",
    "mx.fast.cross_entropy({x}((3, 40)), {i}((3,)))",
    "mx.fast.gated_delta_update({x}((1, 3, 2, 8)), {x}((1, 3, 2, 8)), {x}((1, 3, 4, 8)), "
    "{x}((1, 3, 4)), {x}((1, 3, 4)), {x}((1, 4, 8, 8)))",
    "mx.softmax({x}((3, 40)), 1)",
    "mx.logsumexp({x}((3, 40)), 0)",
    "mx.argmax({x}((3, 40)), 1)",
    "mx.sort({x}((3, 40)), 0)",
    "mx.argpartition({x}((3, 40)), 5, 1)",
    "mx.random.categorical({x}((3, 40)), 1, (2, 3))",
    "mx.random.gumbel((3, 40), mx.float16)",
)


class Arguments:
    """Draws arguments by the annotation and the name of a parameter, as source text."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def of(self, annotation: str, name: str) -> str:
        if name == "key" and annotation == "Any":
            return self.index()
        if self.rng.random() < 0.04:
            return self.rng.choice(NONSENSE if name in INDICES else (*NONSENSE, self.array()))
        if name in INDICES:
            return f"mx.zeros({self.sizes()}, mx.{self.rng.choice(('uint32', 'int32'))})"
        kinds = [kind.strip() for kind in annotation.split("|")]
        return self._of_kind(self.rng.choice(kinds), name)

    def _of_kind(self, kind: str, name: str) -> str:
        draw: dict[str, Callable[[], str]] = {
            "None": lambda: "None",
            "bool": lambda: self.rng.choice(("True", "False")),
            "int": self.integer,
            "float": self.real,
            "array": self.array,
            "ArrayLike": self.array_like,
            "Scalar": self.real,
            "Dtype": self.dtype,
            "Device": lambda: "mx.cpu",
            "DeviceType": lambda: "mx.cpu",
            "StreamOrDevice": lambda: self.rng.choice(("None", "None", "mx.cpu")),
            "Stream": lambda: "mx.default_stream(mx.cpu)",
            "str": lambda: self.text(name),
        }
        if kind in draw:
            return draw[kind]()
        if kind.startswith(("Sequence[int]", "tuple[Sequence[int]")):
            return self.integers()
        if kind.startswith(("Sequence[array", "Iterable[ArrayLike", "Any")):
            return self.arrays()
        if kind.startswith("Mapping[str, array"):
            return f"{{'a': {self.array()}, 'b': {self.array_like()}}}"
        if kind.startswith("Callable"):
            return self.rng.choice(FUNCTIONS)
        if kind == "PadWidth":
            return self.rng.choice((self.integer, self.integers, self.pairs))()
        if kind.startswith("Literal"):
            return self.rng.choice(kind[8:-1].split(", "))
        return self.rng.choice(
            (self.array(), self.integer(), self.integers(), self.rng.choice(NONSENSE))
        )

    def index(self) -> str:
        parts = [self._index_part() for _ in range(self.rng.randint(1, 4))]
        return f"({', '.join(parts)},)" if self.rng.random() < 0.7 else parts[0]

    def _index_part(self) -> str:
        rng = self.rng
        bound = [rng.choice(("None", self.integer())) for _ in range(3)]
        return rng.choice(
            (
                self.integer(),
                f"slice({', '.join(bound)})",
                f"slice({', '.join(bound)})",
                "None",
                "...",
                f"mx.array({[rng.randint(-1, 0) for _ in range(rng.randint(0, 3))]}, mx.int32)",
                self.integers(),
                rng.choice(NONSENSE),
            )
        )

    def integer(self) -> str:
        if self.rng.random() < 0.08:
            return self.rng.choice(HUGE)
        return str(self.rng.randint(-4, 9) if self.rng.random() < 0.3 else self.rng.randint(-1, 3))

    def integers(self) -> str:
        return (
            repr([0] * self.rng.randint(0, 4))
            .replace("0", "{}")
            .format(*(self.integer() for _ in range(4)))
        )

    def pairs(self) -> str:
        return f"[{', '.join(f'({self.integer()}, {self.integer()})' for _ in range(2))}]"

    def real(self) -> str:
        values = ("0.0", "1.0", "-1.5", "1e-5", "1e300", "float('nan')", "float('inf')", "2")
        return self.rng.choice(values)

    def dtype(self) -> str:
        return "mx." + self.rng.choice(DTYPES)

    def text(self, name: str) -> str:
        words = {
            "mode": "affine mxfp4 mxfp8 nvfp4 full valid same causal constant x",
            "subscripts": "ij,jk->ik i...,...j ii-> ,-> ab,bc,cd->ad ij..->j i->ij",
            "norm": "backward forward ortho x",
            "indexing": "ij xy x",
            "ord": "fro nuc inf x",
            "UPLO": "L U x",
        }
        return repr(self.rng.choice(words.get(name, "fro ij a.npy x float32").split()))

    def sizes(self) -> str:
        return str([self.rng.choice((0, 1, 2, 3, 4, 5)) for _ in range(self.rng.randint(0, 4))])

    def array(self) -> str:
        rng = self.rng
        if rng.random() < 0.25:  # sizes that blocks and groups divide
            shape = str([rng.choice((1, 2, 32, 64, 128)) for _ in range(rng.randint(1, 3))])
        else:
            shape = self.sizes()
        made = rng.choice(
            (
                f"mx.ones({shape})",
                f"mx.zeros({shape})",
                f"mx.random.normal({shape})",
                f"mx.full({shape}, float('nan'))",
                f"mx.full({shape}, float('-inf'))",
                f"mx.random.randint(-3, 4, {shape})",
                f"mx.broadcast_to(mx.array(2.0), {shape})",
            )
        )
        if rng.random() < 0.6:
            made += f".astype({self.dtype()})"
        if rng.random() < 0.3:
            made += rng.choice((".T", "[..., ::2]", "[None]", "[..., ::-1]", "[...]"))
        return made

    def floats(self) -> str:
        """A function that makes an array of a shape."""
        made = self.rng.choice(("mx.random.normal({})", "mx.full({}, float('nan'))", "mx.ones({})"))
        if self.rng.random() < 0.5:
            made += f".astype(mx.{self.rng.choice(('float16', 'bfloat16'))})"
        if self.rng.random() < 0.1:
            made += f".astype({self.dtype()})"
        if self.rng.random() < 0.15:
            made += self.rng.choice(("[..., ::-1]", "[..., 1:]", "[..., ::2]", ".T", "[:0]", "[0]"))
        return f"(lambda shape: {made.format('shape')})"

    def zeros(self) -> str:
        """The same for indices."""
        return f"(lambda shape: mx.zeros(shape, mx.{self.rng.choice(('uint32', 'int32'))}))"

    def length(self, given: str) -> str:
        """What stands in the place of a number."""
        if self.rng.random() < 0.1:
            return self.rng.choice(HUGE)
        near = (int(given) - 1, int(given) + 1, 2 * int(given))
        return str(self.rng.choice((-1, 0, 1, 2, 3, 31, 33, 64, 129, *near)))

    def array_like(self) -> str:
        return self.array() if self.rng.random() < 0.9 else self.real()

    def arrays(self) -> str:
        if self.rng.random() < 0.3:
            return self.array()
        return f"[{', '.join(self.array() for _ in range(self.rng.randint(0, 3)))}]"


def functions(mx: ModuleType) -> dict[str, Callable[..., Any]]:
    """Public functions by their names in source text, methods of arrays as `array.NAME`."""
    found: dict[str, Callable[..., Any]] = {}
    for prefix, place in [("mx.", mx)] + [
        (f"mx.{name}.", module)
        for name, module in vars(mx).items()
        if inspect.ismodule(module) and name in mx.__all__
    ]:
        for name in place.__all__:
            value = getattr(place, name)
            if callable(value) and not inspect.isclass(value):
                found[prefix + name] = value
    for name in dir(mx.array):
        value = getattr(mx.array, name)
        if callable(value) and name not in ("__class__", "__init_subclass__", "__subclasshook__"):
            found[f"array.{name}"] = value
    return {name: value for name, value in found.items() if name not in LEFT_OUT}


def source(name: str, function: Callable[..., Any], draw: Arguments) -> str:
    """A call of the function."""
    rng, arguments = draw.rng, []
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        parameters = []
    if name.startswith("array."):
        name, parameters = f"({draw.array()}).{name[6:]}", parameters[1:]
    kinds = {parameter.kind for parameter in parameters}
    for parameter in parameters:
        annotation = str(parameter.annotation)
        if parameter.kind is parameter.VAR_POSITIONAL:
            arguments += [draw.of(annotation, "") for _ in range(rng.randint(0, 3))]
        elif parameter.kind is not parameter.VAR_KEYWORD and (
            parameter.default is parameter.empty or rng.random() < 0.5
        ):
            positional = (
                parameter.kind is parameter.POSITIONAL_ONLY
                or parameter.VAR_POSITIONAL in kinds
                and parameter.kind is not parameter.KEYWORD_ONLY
            )
            key = "" if positional else f"{parameter.name}="
            arguments.append(key + draw.of(annotation, parameter.name))
    return f"{name}({', '.join(arguments)})"


def damaged(draw: Arguments) -> str:
    """A call of SOUND with other types and layouts, and some numbers that are not its own."""
    rng = draw.rng
    chance = rng.choice((0, 0.05, 0.3))
    call = re.sub(
        r"(?<![\w.-])\d+(?![\w.])",
        lambda found: draw.length(found[0]) if rng.random() < chance else found[0],
        rng.choice(SOUND),
    )
    made = {"{x}": draw.floats, "{i}": draw.zeros}
    return re.sub("{[xi]}", lambda found: made[found[0]](), call)


def use(mx: ModuleType, result: Any) -> None:
    """Evaluate what a call returned, unless that would take long."""
    if callable(result) and not isinstance(result, (type, mx.Dtype)):
        result = result(mx.ones((2, 3)))
    arrays = [leaf for _, leaf in mx.tree.tree_flatten(result) if isinstance(leaf, mx.array)]
    small = [a for a in arrays if a.size < 10**6]
    mx.eval(small)
    for a in small[:4]:
        repr(a)
        a.tolist()


def is_expected(error: Exception) -> bool:
    """Whether a call may raise it; what a function that was passed raises comes out as it was."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return isinstance(error, EXPECTED) or frame.f_code.co_name == "<lambda>"


def main(seed: int, count: int, folder: str) -> None:
    import resource  # which Windows does not have

    import mlxc as mx

    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    warnings.simplefilter("ignore")
    rng = random.Random(seed)
    mx.random.seed(seed)
    draw, found = Arguments(rng), functions(mx)
    names = sorted(found)
    with open(CALLS, "w", buffering=1) as lines:
        for _ in range(count):
            name = rng.choice(names)
            call = damaged(draw) if rng.random() < 0.3 else source(name, found[name], draw)
            lines.write(call + "\n")
            try:
                use(mx, eval(call, {"mx": mx}))
            except Exception as error:
                if not is_expected(error):
                    print(f"{UNEXPECTED} {type(error).__name__}: {error} <- {call}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
