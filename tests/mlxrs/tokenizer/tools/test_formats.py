"""The format of calls is inferred from the signs in a template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.replies import calls
from support.word_tokenizers import write_word_tokenizer

from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.tools import ToolCall, format_named, infer_format, infer_reasoning


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


@pytest.mark.parametrize(("named", "read"), [("glm47", True), ("unheard_of", False)])
def test_format_that_the_files_name_goes_before_the_template(
    tmp_path: Path, named: str, read: bool
) -> None:
    write_word_tokenizer(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config["tool_parser_type"] = named
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))

    tokenizer = Tokenizer.from_directory(tmp_path)
    reply = "<tool_call>now</tool_call>"

    assert calls(tokenizer.reply_parser().parse(reply)) == ([ToolCall("now", {})] if read else [])
    assert calls(tokenizer.reply_parser(tool_format="glm47").parse(reply)) == [ToolCall("now", {})]
