from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from mlxrs.lm.typed_value import typed_value


class Sky(Enum):
    CLEAR = "clear"
    CLOUDY = "cloudy"


@dataclass
class City:
    name: str
    people: int
    sky: Sky = Sky.CLEAR
    twins: list[City] = field(default_factory=list)


class Place(TypedDict):
    at: tuple[float, float]
    note: NotRequired[str]


@pytest.mark.parametrize(
    "kind, data, value",
    [
        (str, "a", "a"),
        (float, 3, 3.0),
        (None, None, None),
        (bool, True, True),
        (Literal["a", 1], 1, 1),
        (int | str | None, "x", "x"),
        (bool | int, 1, 1),
        (Annotated[int, "years"], 3, 3),
        (list, [1, "a"], [1, "a"]),
        (list[float], [1, 2], [1.0, 2.0]),
        (int, 1.0, 1),
        (Any, [1, "a"], [1, "a"]),
        (set[int], [1, 2, 1], {1, 2}),
        (frozenset[str], ["a"], frozenset("a")),
        (Sequence[int], [1, 2], [1, 2]),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, Sky], {"now": "clear"}, {"now": Sky.CLEAR}),
        (Place, {"at": [1, 2]}, {"at": (1.0, 2.0)}),
        ({"type": "array"}, [1], [1]),
    ],
)
def test_data_become_values_of_the_type(kind, data, value):
    made = typed_value(kind, data)

    assert made == value and type(made) is type(value)


def test_dataclasses_are_made_with_all_that_is_in_them():
    city = City("Oslo", 700_000, twins=[City("Rome", 3, Sky.CLOUDY)])
    data = json.loads(json.dumps(asdict(city), default=lambda sky: sky.value))

    assert typed_value(City, data) == city
    assert typed_value(City, {"name": "Oslo", "people": 1}) == City("Oslo", 1)


@pytest.mark.parametrize(
    "kind, data",
    [
        (int, True),
        (int, 1.5),
        (str, 1),
        (float, "1"),
        (None, 0),
        (Literal[1], True),
        (int | None, "a"),
        (list[int], {"a": 1}),
        (list[int], ["a"]),
        (tuple[int, str], [1]),
        (dict[str, int], [1]),
        (Sky, "green"),
        (City, {"name": "Oslo"}),
        (City, {"name": "Oslo", "people": 1, "mayor": "x"}),
        (City, ["Oslo", 1]),
    ],
)
def test_data_of_another_type_are_refused(kind, data):
    with pytest.raises(ValueError):
        typed_value(kind, data)
