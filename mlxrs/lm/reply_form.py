"""What a reply is to be like: free, constrained, or an object in JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from .pick import Constraint
from .reply import Reply
from .reply_phases import ReplyPhases
from .response import FinishReason
from .structured import Grammar
from .toolbox import PROMPT_END, Toolbox
from .turn_options import TurnOptions
from .type_schema import type_schema
from .typed_value import typed_value

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class ReplyForm:
    """The form of the reply to a message, and of those to the results of tools it calls.

    Args:
        constraint: What may be said in the first reply; None for anything.
        schema: What each shall be in JSON; None for anything.

    Raises:
        ValueError: There are both, or the schema cannot be compiled.
    """

    def __init__(self, constraint: Constraint | None, schema: object) -> None:
        if constraint is not None and schema is not None:
            raise ValueError("schema and constraint do not go together; give one of them")
        self._constraint = constraint
        self._schema = schema
        self._grammar = None if schema is None else Grammar.json_schema(schema)

    def constraint(
        self, tokenizer: Tokenizer, prompt: Sequence[int], options: TurnOptions, toolbox: Toolbox
    ) -> Constraint | None:
        """Return what holds for the reply to a prompt, a new one each time; None for nothing.

        Thinking is free within its budget, and what there is holds for the answer behind it.
        Where tools may be called, a schema leaves calls be.

        Args:
            tokenizer: That of the model.
            prompt: Its ids.
            options: The settings of the turn.
            toolbox: The functions the model may call.
        """
        eos = tokenizer.eos_token_ids | set(options.params.eos)
        answer = self._answer(tokenizer, eos, toolbox)
        if answer is None and options.thinking_budget is None:
            return None
        parser = toolbox.parser(tokenizer, prompt)
        tags = parser.reasoning
        end = tokenizer.decode(prompt[-PROMPT_END:]).rstrip()
        if tags is not None and end.endswith(tags.end):
            tags = None
        calls = parser.format.openings if self._grammar is not None and toolbox.schemas else ()
        if tags is None and not calls:
            return answer
        return ReplyPhases(
            tokenizer,
            tags,
            thinking=parser.in_reasoning,
            budget=options.thinking_budget,
            answer=answer,
            calls=calls,
            eos=eos,
        )

    def read(self, reply: Reply) -> Reply:
        """Note in a reply by a schema which object it stands for, unless it was cut short."""
        if self._grammar is not None and reply.finish_reason is FinishReason.EOS:
            reply.parsed = typed_value(self._schema, _json(reply))
        return reply

    def _answer(
        self, tokenizer: Tokenizer, eos: Collection[int], toolbox: Toolbox
    ) -> Constraint | None:
        if self._grammar is None:
            constraint, self._constraint = self._constraint, None
            return constraint
        call = toolbox.call_schema(tokenizer)
        grammar = self._grammar if call is None else _either(self._schema, call)
        return grammar.constraint(tokenizer, eos=eos)


def _json(reply: Reply) -> object:
    try:
        return json.loads(reply)
    except ValueError:
        # There is thinking in front.
        return json.loads(reply.answer)


def _either(schema: object, call: Mapping[str, object]) -> Grammar:
    """Return the grammar of what either of two schemas allows, written as `json.dumps` does."""
    answer = schema if isinstance(schema, Mapping) else type_schema(schema)
    spaces = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
    texts = [json.dumps({**rules, "x-guidance": spaces}) for rules in (answer, call)]
    return Grammar.lark("start: a | b\na: %json {}\nb: %json {}".format(*texts))
