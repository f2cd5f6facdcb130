"""What a model is told of its tools where its chat template does not show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

# How a model that is told so writes calls; the name is one of `mlxrs.tokenizer.tools`.
TOOL_FORMAT = "json_tools"


def tool_prompt(schemas: Sequence[Mapping[str, Any]]) -> str:
    """Return the part of a system message that shows a model its tools, and how to call them.

    Args:
        schemas: One a tool, as `tool_schema` makes them.
    """
    shown = "\n".join(json.dumps(schema["function"], ensure_ascii=False) for schema in schemas)
    return (
        f"You can call these functions:\n{shown}\n"
        "To call one, reply with its name and arguments between tags, and nothing else:\n"
        '<tool_call>{"name": "...", "arguments": {...}}</tool_call>\n'
        "You will be told the result. If no function helps, answer in words."
    )
