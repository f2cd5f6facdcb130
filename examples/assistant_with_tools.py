"""An assistant that looks things up with Python functions, and asks before it does.

    python examples/assistant_with_tools.py [--model NAME] [--yes]

A model that was trained to call functions decides by itself when to. SmolLM2-135M, the default, is
too small for that, so a grammar makes its first reply a call: it still chooses the function and the
arguments, and answers in words of its own. `--model` takes one that needs no such help.

Needs `pip install "mlxrs[structured]"`.
"""

from __future__ import annotations

import argparse
import json

from mlxrs import ChatSession, GenConfig, Grammar, Toolbox, load
from mlxrs.tokenizer.tools import ToolCall

SMALL = "smollm2-135m-instruct"
QUESTIONS = ["How warm is it in Rome?", "What is 17 plus 25?"]
DEGREES = {"Oslo": 4, "Rome": 19, "Cairo": 31}


def weather(city: str) -> dict[str, object]:
    """Tells how warm it is in a city, in degrees Celsius.

    Args:
        city: The name of the city.
    """
    return {"city": city, "degrees": DEGREES[city]}


def add(a: float, b: float) -> float:
    """Adds two numbers."""
    return a + b


def ask(call: ToolCall) -> bool:
    """Let the user decide whether a call may run."""
    return input(f"Run {call.name}({call.arguments})? [y/n] ").strip().lower() == "y"


def show(call: ToolCall) -> bool:
    """Let every call run."""
    print(f"running {call.name}({call.arguments})")
    return True


def one_call(tools: Toolbox) -> Grammar:
    """Return the grammar of a reply that calls one of the tools."""
    calls = [
        {
            "type": "object",
            "properties": {
                "name": {"const": schema["function"]["name"]},
                "arguments": schema["function"]["parameters"] | {"additionalProperties": False},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for schema in tools.schemas
    ]
    form = {"anyOf": calls, "x-guidance": {"whitespace_flexible": False}}
    return Grammar.lark(f'start: "<tool_call>" call "</tool_call>"\ncall: %json {json.dumps(form)}')


def main() -> None:
    options = argparse.ArgumentParser(description="An assistant with tools")
    options.add_argument("--model", default=SMALL, help="default: %(default)s")
    options.add_argument("--yes", action="store_true", help="run calls without asking")
    chosen = options.parse_args()

    model, tokenizer = load(chosen.model)
    tools = Toolbox([weather, add], approve=show if chosen.yes else ask)
    session = ChatSession(model, tokenizer, tools=tools, params=GenConfig(max_tokens=100))
    for question in QUESTIONS:
        constraint = one_call(tools).constraint(tokenizer) if chosen.model == SMALL else None
        session.respond(question, constraint=constraint)
    for message in session.history:
        print(f"{message.role}: {message.content}")


if __name__ == "__main__":
    main()
