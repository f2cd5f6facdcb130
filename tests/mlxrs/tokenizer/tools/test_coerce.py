"""Arguments written as text become what their schema asks for."""

from __future__ import annotations

from typing import Any

import pytest

from mlxrs.tokenizer.tools.coerce import coerce_text, coerce_value, read_value


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", "string", None),
        ("3", None, "3"),
        ("3", "string", "3"),
        ("3", "integer", 3),
        ("3", "int64", 3),
        ("9" * 30, "integer", int("9" * 30)),
        ("3", "number", 3.0),
        ("1e400", "float", float("inf")),
        ("3.5", "integer", "3.5"),
        ("three", "integer", "three"),
        ("TRUE", "boolean", True),
        ("false", "bool", False),
        ("yes", "boolean", "yes"),
        ("[1, 2]", "array", [1, 2]),
        ("['a', None]", "array", ["a", None]),
        ("{'a': True}", "object", {"a": True}),
        ("[1", "array", "[1"),
        ("[1]", "object", "[1]"),
        ("3", ["string", "integer"], 3),
        ("x", ["integer", "string"], "x"),
    ],
)
def test_text_becomes_what_the_schema_asks_for_or_stays_text(
    text: str, kind: object, value: object
) -> None:
    made = coerce_text(text, None if kind is None else {"type": kind})

    assert (type(made), made) == (type(value), value)


def test_schema_may_be_a_choice_of_schemas() -> None:
    schema: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}

    assert coerce_text("3", schema) == 3.0
    assert coerce_text("x", schema) == "x"


def test_values_of_json_stay_as_they_are_unless_they_are_text() -> None:
    assert coerce_value(3, {"type": "string"}) == 3
    assert coerce_value("3", {"type": "integer"}) == 3
    assert coerce_value("null", {"type": "string"}) == "null"


@pytest.mark.parametrize("text", ["[" * 100_000, "f()", "1" * 5000, "(" * 300, "", "é"])
def test_what_is_no_value_is_text(text: str) -> None:
    assert read_value(text) == text
