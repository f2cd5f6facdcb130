"""The functions a model may call, and the calls it makes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..tokenizer.tools import CallEvent, InvalidCallEvent, ToolCall, tool_schema
from .messages import ChatMessage
from .tool_prompt import TOOL_FORMAT

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

ToolFunction: TypeAlias = Callable[..., object]
Approval: TypeAlias = Callable[[ToolCall], bool]

PROMPT_END = 16  # how many of the last tokens of a prompt may hold the tag that begins reasoning


class Toolbox:
    """Runs the calls that stand in replies.

    What goes wrong in a call is told to the model, which may try another way: an unknown name,
    wrong arguments, an error in the function, a call that cannot be read or was not approved.

    Args:
        functions: The tools: functions with type hints and a docstring, `async` ones too.
        approve: Asked before each call whether it may run; None runs all.
        max_rounds: How often calls are run before the model must have answered.

    Attributes:
        schemas: What the model is told of each tool.

    Raises:
        TypeError: A function has an argument without a type hint, or one JSON has nothing for.
        ValueError: Two functions have one name, or `max_rounds` is below 1.

    Example:
        tools = Toolbox([weather], approve=lambda call: call.arguments["city"] != "Atlantis")
        session = ChatSession(model, tokenizer, tools=tools)
    """

    def __init__(
        self,
        functions: Sequence[ToolFunction],
        *,
        approve: Approval | None = None,
        max_rounds: int = 8,
    ) -> None:
        if max_rounds < 1:
            raise ValueError(f"max_rounds must be >= 1, got {max_rounds}; 8 is the default")
        self.max_rounds = max_rounds
        self.schemas: list[dict[str, Any]] = [tool_schema(function) for function in functions]
        names = [schema["function"]["name"] for schema in self.schemas]
        if len(set(names)) < len(names):
            raise ValueError(f"tools must have different names, got {names}; rename one of them")
        self._functions: Mapping[str, ToolFunction] = dict(zip(names, functions, strict=True))
        self._approve = approve

    @classmethod
    def of(cls, tools: Toolbox | Sequence[ToolFunction]) -> Toolbox:
        """Return a toolbox of functions, or the one that is given."""
        return tools if isinstance(tools, Toolbox) else cls(tools)

    def calls(
        self, tokenizer: Tokenizer, prompt: Sequence[int], reply: str
    ) -> list[CallEvent | InvalidCallEvent]:
        """Return the calls in a reply, those that cannot be read among them.

        Args:
            tokenizer: Its chat template shows how the model writes calls; without that, they are
                written as `tool_prompt` says.
            prompt: The ids of what is answered.
            reply: The answer.
        """
        if not self.schemas:
            return []
        parser = tokenizer.reply_parser(
            prompt=tokenizer.decode(prompt[-PROMPT_END:]),
            tools=self.schemas,
            tool_format=None if tokenizer.shows_tools else TOOL_FORMAT,
        )
        events = parser.parse(reply)
        return [event for event in events if isinstance(event, (CallEvent, InvalidCallEvent))]

    def run(self, event: CallEvent | InvalidCallEvent) -> ChatMessage:
        """Run a call; return the message that tells the model what came of it."""
        if isinstance(event, InvalidCallEvent):
            return ChatMessage.tool(f"error: {event.reason}")
        told = event.call.result(self._outcome(event.call))
        return ChatMessage.tool(
            told["content"], name=told["name"], tool_call_id=told.get("tool_call_id")
        )

    def _outcome(self, call: ToolCall) -> str:
        function = self._functions.get(call.name)
        if function is None:
            return f"error: there is no tool {call.name!r}, only {sorted(self._functions)}"
        if self._approve is not None and not self._approve(call):
            return "error: this call was not allowed"
        try:
            value = function(**call.arguments)
            if inspect.iscoroutine(value):
                import asyncio

                value = asyncio.run(value)
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        except Exception as error:
            return f"error: {type(error).__name__}: {error}"
