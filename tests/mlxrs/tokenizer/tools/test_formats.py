"""The format of calls is inferred from the signs in a template."""

from __future__ import annotations

import pytest

from mlxrs.tokenizer.tools import format_named, infer_format, infer_reasoning


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("<minimax:tool_call>", "minimax_m2"),
        ("<|tool_call>call:", "gemma4"),
        ("<start_function_call>", "function_gemma"),
        ("<longcat_tool_call>", "longcat"),
        ("<tool_call>{{ name }}<arg_key>", "glm47"),
        ("<|tool_list_start|>", "pythonic"),
        ("<|tool_call_start|>", "pythonic"),
        ("<tool_call>\n<function=", "qwen3_coder"),
        ("<tool_call>\\n<function=", "qwen3_coder"),
        ("<|tool_calls_section_begin|>", "kimi_k2"),
        ("[TOOL_CALLS]", "mistral"),
        ("<tool_call> tool_call.name", "json_tools"),
        ("<|python_tag|> tools", "llama3"),
        ("{% if tools %}", "json"),
    ],
)
def test_template_shows_the_format(template: str, name: str) -> None:
    format = infer_format(template)

    assert format is not None
    assert format.name == name


def test_template_without_tools_or_reasoning_shows_none() -> None:
    assert infer_format("{{ messages }}") is None
    assert infer_reasoning("{{ messages }}") is None


def test_unknown_format_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(ValueError, match="json_tools.*got 'x'"):
        format_named("x")
