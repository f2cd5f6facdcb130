"""mlxc answers as mlx.core does, which runs the same small programs in a process of its own."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import differential
from support.differential import DIED

if find_spec("mlx.core") is None:
    pytest.skip("mlx.core is not installed", allow_module_level=True)

TOPICS = sorted(file.stem for file in Path(differential.__file__).parent.glob("same_cases/*.py"))

#: Topics whose cases are combinations, most of which no program has; the others agree in all.
TABLES = {
    *("array_making", "array_becoming", "operators", "indexing", "elements", "creation"),
    *("shaping", "convolutions", "sorting", "products", "types"),
}

#: Cases that mlx.core answers and mlxc otherwise: what they match, and why.
OTHERWISE = {
    r"2j.*mx\.bool_|complex\d+\(1j\).*mx\.bool_|mx\.bool_\).*complex64\(1j\)": (
        "an imaginary number is true, as for astype; mlx.core looks at its real part"
    ),
    r"(np\.|memoryview|bytearray).*mx\.bfloat16": (
        "numpy has bfloat16 where ml_dtypes is installed; it gets there because bfloat16 has no "
        "buffer, while mlx.core exports one that numpy refuses"
    ),
    r"__array__\(np": "__array__ heeds its dtype",
    r"assigned\(.*(None|\.\.\.|\(\)|None\)), |\[(None|\.\.\.|\(\)|\(None,.*)\].* [-+*/]?= ": (
        "an assignment to the whole array converts to its type, as to any part"
    ),
    r"mx\.arange\(True, None": "the type of counting to True is bool, whatever else is None",
    r"(assigned\(.*,\s?|at\[)\(0,\s?slice\(None\),\s?mx.array|slice\(1,3\),None,1\)": (
        "what is written has the shape of what is read, as in numpy"
    ),
    r"roll\(.*, \(1, 2\), \((0,)?\)\)": (
        "each shift has its axis; mlx.core drops the shifts that have none"
    ),
    r"reshape\(\[3\], \[2\]\)": "lists as lengths are of a wrong type, not of a wrong value",
    r"mx\.array\(1j, mx\.bool_\)": "an imaginary number is true, as for astype",
    r"[!=]= None": "nothing equals None, as in Python; mlx.core raises a TypeError",
    r"pickle.*float64": "a pickle keeps float64",
    r"mx\.bool_.*2\*\*40": "a number is true even if its low 32 bits are 0",
}

#: What mlxc raises where mlx.core raises the former: the same, or what says more.
SAYS_MORE = {
    "RuntimeError": {"TypeError", "ValueError", "OverflowError", "IndexError", "AttributeError"},
    "TypeError": {"ValueError", "OverflowError", "IndexError", "UFuncTypeError"},
    "ValueError": {"IndexError", "OverflowError"},
    "SystemError": {"ValueError", "IndexError"},
}


def refused(answer: str) -> bool:
    return answer == DIED or answer.isidentifier() and answer.endswith("Error")


def is_the_same(case: str, own: str, official: str) -> bool:
    """Whether mlxc answers alike, or where mlx.core refuses, answers or says more."""
    if own == official:
        return True
    if own != DIED and any(re.search(pattern, case) for pattern in OTHERWISE):
        return True
    if own == "IndexError" and ("[" in case or "assigned" in case):
        return True  # integers are checked against their axis
    if refused(official):
        better = SAYS_MORE.get(official, {official})
        return own != DIED and (not refused(own) or official == DIED or own in better)
    return False


@pytest.mark.native
@pytest.mark.parametrize("topic", TOPICS)
def test_the_answers_are_those_of_mlx_core(topic):
    cases = import_module(f"support.same_cases.{topic}").CASES

    with ThreadPoolExecutor(2) as pool:
        official, own = pool.map(differential.answers, ("mlx.core", "mlxc"), (cases, cases))

    assert {
        case: (official[case], own[case])
        for case in cases
        if not differential.agree(official[case], own[case])
        and not (topic in TABLES and is_the_same(case, own[case], official[case]))
    } == {}
