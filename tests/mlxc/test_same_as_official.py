"""mlxc answers as mlx.core does, which runs the same small programs in a process of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import differential

if find_spec("mlx.core") is None:
    pytest.skip("mlx.core is not installed", allow_module_level=True)

TOPICS = sorted(file.stem for file in Path(differential.__file__).parent.glob("same_cases/*.py"))


@pytest.mark.native
@pytest.mark.parametrize("topic", TOPICS)
def test_the_answers_are_those_of_mlx_core(topic: str):
    cases = import_module(f"support.same_cases.{topic}").CASES

    with ThreadPoolExecutor(2) as pool:
        official, own = pool.map(differential.answers, ("mlx.core", "mlxc"), (cases, cases))

    assert {
        case: (official[case], own[case])
        for case in cases
        if not differential.agree(official[case], own[case])
    } == {}
