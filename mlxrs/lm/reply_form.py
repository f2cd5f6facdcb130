"""What a reply is to be like: free, constrained, or an object in JSON."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from .pick import Constraint
from .reply import Reply
from .response import FinishReason
from .structured import Grammar
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

    def constraint(self, tokenizer: Tokenizer, eos: Collection[int]) -> Constraint | None:
        """Return the constraint of the next reply, a new one each time.

        Args:
            tokenizer: That of the model.
            eos: Ids that end a reply beside those of the tokenizer.
        """
        if self._grammar is None:
            constraint, self._constraint = self._constraint, None
            return constraint
        return self._grammar.constraint(tokenizer, eos=tokenizer.eos_token_ids | set(eos))

    def read(self, reply: Reply) -> Reply:
        """Note in a reply by a schema which object it stands for, unless it was cut short."""
        if self._grammar is not None and reply.finish_reason is FinishReason.EOS:
            reply.parsed = typed_value(self._schema, json.loads(reply))
        return reply
