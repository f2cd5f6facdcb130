"""A Python function is told to a model as a JSON schema."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal, Optional

import pytest

from mlxrs.tokenizer.tools.schema import argument_schemas, tool_schema


class Sky(Enum):
    BLUE = "blue"
    GREY = "grey"


def forecast(
    city: str,
    days: int = 1,
    unit: Literal["C", "F"] = "C",
    places: list[list[float]] | None = None,
    extra: dict[str, int | str] = {},  # noqa: B006
    sky: Sky = Sky.BLUE,
    pair: tuple[int, str] = (1, "a"),
    both: int | str = 1,
    old: Optional[bool] = None,  # noqa: UP045
) -> str:
    """
    Tells the weather.

    Nothing else.

    Args:
        city: Where to look,
            which may take two lines.
        days: How many days.
        unit: Of temperatures.
        places: More places.
        extra: More.
        sky: The sky.
        pair: A pair.
        both: Either.
        old: Old style.

    Returns:
        A sentence.
    """
    return city


@pytest.mark.reference
def test_schema_is_that_of_transformers() -> None:
    from transformers.utils import get_json_schema

    expected = get_json_schema(forecast)
    expected["function"].pop("return", None)

    assert tool_schema(forecast) == expected


def test_arguments_without_a_default_are_required() -> None:
    def nothing() -> None: ...

    assert tool_schema(forecast)["function"]["parameters"]["required"] == ["city"]
    assert tool_schema(nothing)["function"]["parameters"] == {"type": "object", "properties": {}}


def test_texts_may_stand_beside_the_types() -> None:
    def find(query: Annotated[str, "what to look for"], rest: Any, *, sizes: tuple[int, ...]): ...

    assert tool_schema(find)["function"]["parameters"]["properties"] == {
        "query": {"type": "string", "description": "what to look for"},
        "rest": {},
        "sizes": {"type": "array", "items": {"type": "integer"}},
    }


def test_function_that_json_cannot_call_is_refused() -> None:
    def bare(x): ...

    def many(*xs: int): ...

    def foreign(x: complex): ...

    def choice(x: Literal[b"a"]): ...

    def unknown(x: "Elsewhere"): ...  # noqa: F821, UP037

    for function, message in [
        (5, "a tool must be a function, got 5; write one around it"),
        (partial(many, 1), "a tool must be a function"),
        (unknown, "unknown: its type hints cannot be read: .*Elsewhere"),
        (bare, "must have a type hint"),
        (many, "must name its arguments"),
        (foreign, "a type that JSON knows"),
        (choice, "must choose among"),
    ]:
        with pytest.raises(TypeError, match=message):
            tool_schema(function)


def test_schemas_of_arguments_are_found_in_every_form_of_a_tool() -> None:
    properties = tool_schema(forecast)["function"]["parameters"]["properties"]

    for tool in (forecast, tool_schema(forecast), tool_schema(forecast)["function"]):
        assert argument_schemas([tool]) == {"forecast": properties}
    assert argument_schemas([{"name": "f"}]) == {"f": {}}
    with pytest.raises(ValueError, match="a tool must be"):
        argument_schemas([{"type": "function"}])
