"""JSON schemas of Python types."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal, NotRequired, TypedDict

import pytest

from mlxrs.lm.type_schema import type_schema


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float = 0.0
    color: Color = Color.RED
    hidden: int = field(default=0, init=False)


@dataclass
class Tree:
    value: str
    children: list[Tree]


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@pytest.mark.parametrize(
    "kind, schema",
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Color, {"enum": ["red", "blue"]}),
        (list, {"type": "array"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (dict, {"type": "object"}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (Annotated[str, "a name"], {"type": "string"}),
    ],
    ids=str,
)
def test_each_type_has_its_schema(kind, schema):
    assert type_schema(kind) == schema


def test_a_tuple_has_its_length():
    assert type_schema(tuple[int, str]) == {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
        "minItems": 2,
        "maxItems": 2,
    }


def test_a_dataclass_needs_the_fields_without_a_default_and_has_no_others():
    assert type_schema(Point) == {
        "$ref": "#/$defs/Point",
        "$defs": {
            "Point": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "x": {"type": "integer"},
                    "y": {"type": "number"},
                    "color": {"enum": ["red", "blue"]},
                },
                "required": ["x"],
            }
        },
    }


def test_a_typed_dict_needs_its_required_keys():
    movie = type_schema(Movie)["$defs"]["Movie"]

    assert movie["required"] == ["title"]
    assert movie["properties"] == {"title": {"type": "string"}, "year": {"type": "integer"}}


def test_a_class_may_refer_to_itself():
    tree = type_schema(Tree)["$defs"]["Tree"]

    assert tree["properties"]["children"] == {"type": "array", "items": {"$ref": "#/$defs/Tree"}}


def test_classes_of_one_name_are_kept_apart():
    def make(kind):
        @dataclass
        class Same:
            value: kind

        Same.__annotations__ = {"value": kind}
        return Same

    schema = type_schema(tuple[make(int), make(str)])

    values = [definition["properties"]["value"] for definition in schema["$defs"].values()]
    assert values == [{"type": "integer"}, {"type": "string"}]


def test_annotations_add_rules():
    few = Annotated[list[Annotated[int, "a number", {"minimum": 0}]], {"maxItems": 3}]

    assert type_schema(few) == {
        "type": "array",
        "items": {"type": "integer", "minimum": 0},
        "maxItems": 3,
    }


@dataclass
class Forgotten:
    value: "Elsewhere"  # noqa: F821, UP037


def test_hints_that_name_nothing_are_refused():
    with pytest.raises(ValueError, match="type hints of Forgotten cannot be read: .*Elsewhere"):
        type_schema(Forgotten)


@pytest.mark.parametrize("kind", [set[int], bytes, object, dict[int, str], "text"], ids=str)
def test_a_type_without_a_schema_is_refused(kind):
    with pytest.raises(ValueError, match="there is no JSON schema for"):
        type_schema(kind)
