"""The functions a model may call, and the calls it makes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from ..tokenizer.tools import (
    CallEvent,
    InvalidCallEvent,
    ReplyParser,
    ToolCall,
    tool_schema,
)
from .messages import ChatMessage
from .tool_prompt import TOOL_FORMAT
from .typed_value import typed_value

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

ToolFunction: TypeAlias = Callable[..., object]
Approval: TypeAlias = Callable[[ToolCall], bool | Awaitable[bool]]

NOT_ALLOWED = "error: this call was not allowed"
PROMPT_END = 16  # how many of the last tokens of a prompt may hold the tag that begins reasoning


class Toolbox:
    """Runs the calls that stand in replies.

    What goes wrong in a call is told to the model, which may try another way: an unknown name,
    wrong arguments, an error in the function, a call that cannot be read or was not approved.

    Args:
        functions: The tools: functions with type hints and a docstring, `async` ones too.
        approve: Asked before each call whether it may run, `async` or not; None runs all.
        max_rounds: How often calls are run before the model must have answered.

    Attributes:
        schemas: What the model is told of each tool.

    Raises:
        TypeError: A function has an argument without a type hint, or one JSON has nothing for; or
            an argument is of another type.
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
        if callable(functions) or isinstance(functions, (str, bytes, Mapping)):
            raise TypeError(
                f"tools must be a list of functions, got {functions!r:.80}; write [...]"
            )
        if approve is not None and not callable(approve):
            raise TypeError(f"approve must be a function of a call, got {approve!r:.80}")
        if not isinstance(max_rounds, int):
            raise TypeError(f"max_rounds must be an integer, got {max_rounds!r:.80}")
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
        events = self.parser(tokenizer, prompt).parse(reply)
        return [event for event in events if isinstance(event, (CallEvent, InvalidCallEvent))]

    def parser(self, tokenizer: Tokenizer, prompt: Sequence[int]) -> ReplyParser:
        """Return a parser for a reply to a prompt, which knows how the model thinks and calls."""
        told = bool(self.schemas) and not tokenizer.shows_tools
        return tokenizer.reply_parser(
            prompt=tokenizer.decode(prompt[-PROMPT_END:]),
            tools=self.schemas,
            tool_format=TOOL_FORMAT if told else None,
        )

    def call_schema(self, tokenizer: Tokenizer) -> dict[str, Any] | None:
        """Return the JSON schema of a call, for models that write calls as JSON without tags."""
        bare = self.parser(tokenizer, []).format if self.schemas else None
        if bare is None or not bare.bare:
            return None
        arguments = "parameters" if bare.name == "llama3" else "arguments"
        return {
            "type": "object",
            "properties": {"name": {"enum": list(self._functions)}, arguments: {"type": "object"}},
            "required": ["name", arguments],
            "additionalProperties": False,
        }

    def run(self, event: CallEvent | InvalidCallEvent) -> ChatMessage:
        """Run a call; return the message that tells the model what came of it."""
        return _message(
            event, "" if isinstance(event, InvalidCallEvent) else self._outcome(event.call)
        )

    async def arun(self, event: CallEvent | InvalidCallEvent) -> ChatMessage:
        """Run a call without keeping the event loop waiting; return the message about it.

        Functions that are `async` are awaited in the running loop, others run in a thread; so is
        it with `approve`.
        """
        if isinstance(event, InvalidCallEvent):
            return _message(event, "")
        return _message(event, await self._aoutcome(event.call))

    def _outcome(self, call: ToolCall) -> str:
        function = self._functions.get(call.name)
        if function is None:
            return self._unknown(call)
        if self._approve is not None and not _waited(self._approve(call)):
            return NOT_ALLOWED
        try:
            return _told(_waited(function(**_arguments(function, call))))
        except Exception as error:
            return _failed(error)

    async def _aoutcome(self, call: ToolCall) -> str:
        function = self._functions.get(call.name)
        if function is None:
            return self._unknown(call)
        if self._approve is not None and not await _awaited(partial(self._approve, call)):
            return NOT_ALLOWED
        try:
            return _told(await _awaited(partial(function, **_arguments(function, call))))
        except Exception as error:
            return _failed(error)

    def _unknown(self, call: ToolCall) -> str:
        return f"error: there is no tool {call.name!r}, only {sorted(self._functions)}"


def _message(event: CallEvent | InvalidCallEvent, outcome: str) -> ChatMessage:
    if isinstance(event, InvalidCallEvent):
        return ChatMessage.tool(f"error: {event.reason}")
    told = event.call.result(outcome)
    return ChatMessage.tool(
        told["content"], name=told["name"], tool_call_id=told.get("tool_call_id")
    )


def _arguments(function: ToolFunction, call: ToolCall) -> dict[str, Any]:
    """Return the arguments of a call as the hints of the function have them.

    Raises:
        ValueError: One is not of its type.
    """
    hints = get_type_hints(function, include_extras=True)
    values = dict(call.arguments)
    for name in values.keys() & hints.keys():
        try:
            values[name] = typed_value(hints[name], values[name])
        except ValueError as error:
            raise ValueError(f"argument {name!r}: {error}") from None
    return values


def _told(value: object) -> str:
    return _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _failed(error: Exception) -> str:
    return _clean(f"error: {type(error).__name__}: {error}")


def _clean(text: str) -> str:
    # File names may hold lone surrogates, which no tokenizer takes.
    return text.encode("utf-8", "replace").decode()


def _waited(value: object) -> object:
    """Return a value, or what comes of it where it is a coroutine."""
    if not inspect.iscoroutine(value):
        return value
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    # In a thread of its own, because there may be a loop running in this one, as in notebooks.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, value).result()


async def _awaited(function: Callable[[], object]) -> object:
    """Return what a function returns, called in the loop if it is `async`, else in a thread."""
    import asyncio

    asynchronous = inspect.iscoroutinefunction(function)
    value = function() if asynchronous else await asyncio.to_thread(function)
    return await value if inspect.isawaitable(value) else value
