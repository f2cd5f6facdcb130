"""Replies of a given form: JSON by a schema, regular expressions, grammars."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import mlxc as mx

from ..errors import UnsupportedError
from .type_schema import type_schema

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

    from ..tokenizer import Tokenizer

_tokenizers: WeakKeyDictionary[Tokenizer, dict[frozenset[int], LLTokenizer]] = WeakKeyDictionary()


class Grammar:
    """The form of a reply, for any number of replies and tokenizers.

    A grammar is compiled when a tokenizer first meets it, and kept for the next reply. All of it
    is the work of llguidance (https://github.com/guidance-ai/llguidance), which the extra
    `structured` installs.

    Example:
        grammar = Grammar.json_schema({"type": "array", "items": {"type": "integer"}})
        reply = generate(model, tokenizer, prompt, constraint=grammar.constraint(tokenizer))
    """

    def __init__(self, definition: str) -> None:
        """Take a definition in a form of llguidance's own; the class methods make one.

        Raises:
            ValueError: It cannot be compiled.
            ModuleNotFoundError: llguidance is not installed.
        """
        matcher = _llguidance().LLMatcher
        failed, messages = matcher.validate_grammar_with_warnings(definition)
        if failed or messages:
            raise ValueError(f"the grammar cannot be compiled: {_first_lines(messages[0])}")
        self._definition = definition
        self._compiled: WeakKeyDictionary[Tokenizer, dict[frozenset[int], LLMatcher]] = (
            WeakKeyDictionary()
        )

    @classmethod
    def json_schema(
        cls, schema: Mapping[str, object] | type | Any, *, flexible_whitespace: bool = False
    ) -> Grammar:
        """Return the grammar of the JSON texts that a schema allows.

        Args:
            schema: A JSON schema, such as `{"type": "object"}`, or a type: a dataclass, a
                TypedDict, or what they are made of; see `type_schema`.
            flexible_whitespace: Whether white space may stand wherever JSON allows it. Otherwise
                there is one space behind each comma and colon, as `json.dumps` writes it.

        Raises:
            ValueError: The schema cannot be compiled: it contradicts itself, or has a keyword
                that would not be enforced. Nothing is ever ignored.
            ModuleNotFoundError: llguidance is not installed.

        Example:
            @dataclass
            class City:
                name: str
                people: int

            Grammar.json_schema(list[City])
        """
        rules = schema if isinstance(schema, Mapping) else type_schema(schema)
        try:
            text = json.dumps(rules, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"schema must be JSON: {error}") from None
        spaces: Any = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
        definition = _llguidance().LLMatcher.grammar_from_json_schema(
            text, overrides={"whitespace_flexible": True} if flexible_whitespace else spaces
        )
        return cls(definition)

    @classmethod
    def regex(cls, pattern: str) -> Grammar:
        """Return the grammar of the texts that a regular expression matches as a whole.

        Args:
            pattern: In the syntax of Rust's `regex`: without look-around and back-references.

        Raises:
            ValueError: It cannot be compiled.
            ModuleNotFoundError: llguidance is not installed.
        """
        return cls(_llguidance().LLMatcher.grammar_from_regex(pattern))

    @classmethod
    def lark(cls, text: str) -> Grammar:
        r"""Return a context-free grammar.

        Args:
            text: Rules in the syntax of Lark, the first of which is `start`.

        Raises:
            ValueError: It cannot be compiled.
            ModuleNotFoundError: llguidance is not installed.

        Example:
            Grammar.lark('start: "yes" | "no" | NUMBER\nNUMBER: /[0-9]+/')
        """
        return cls(_llguidance().LLMatcher.grammar_from_lark(text))

    @classmethod
    def gbnf(cls, text: str) -> Grammar:
        """Return a context-free grammar in the syntax of llama.cpp.

        Args:
            text: Rules, one of which is `root`.

        Raises:
            ValueError: It cannot be compiled.
            ModuleNotFoundError: llguidance is not installed.

        Example:
            Grammar.gbnf('root ::= "yes" | "no"')
        """
        _llguidance()
        from llguidance.gbnf_to_lark import GbnfToLarkError, gbnf_to_lark

        try:
            return cls.lark(gbnf_to_lark(text))
        except GbnfToLarkError as error:
            raise ValueError(f"the grammar cannot be compiled: {error}") from None

    def constraint(
        self, tokenizer: Tokenizer, *, eos: Collection[int] | None = None
    ) -> GrammarConstraint:
        """Return a new constraint, for one reply.

        Args:
            tokenizer: That of the model.
            eos: The ids that may end the reply where the grammar may end, and nowhere else; the
                tokenizer's where it is None. They should be those that end the generation.

        Raises:
            ValueError: There is no ending token, or one that is not in the vocabulary.
            UnsupportedError: llguidance does not know this kind of tokenizer.
        """
        endings = frozenset(tokenizer.eos_token_ids if eos is None else eos)
        compiled = self._compiled.setdefault(tokenizer, {})
        if endings not in compiled:
            vocabulary = _vocabulary(tokenizer, endings)
            matcher = _llguidance().LLMatcher(vocabulary, self._definition, log_level=0)
            if matcher.is_error():
                raise ValueError(
                    f"the grammar cannot be compiled: {_first_lines(matcher.get_error())}"
                )
            compiled[endings] = matcher
        size = _vocabulary(tokenizer, endings).vocab_size
        return GrammarConstraint(compiled[endings].deep_copy(), size, endings)


class GrammarConstraint:
    """A `Constraint` by a grammar; made by `Grammar.constraint`, for one reply."""

    def __init__(self, matcher: LLMatcher, vocab_size: int, eos: Collection[int]) -> None:
        self._matcher = matcher
        self._vocab_size = vocab_size
        self._eos = eos
        self._ended = 0

    @property
    def may_end(self) -> bool:
        """Whether what was said is complete."""
        return self._matcher.is_accepting()

    def mask(self) -> mx.array:
        """Return which tokens may come next, booleans `(V,)`; at the end those that end it.

        Raises:
            RuntimeError: The grammar is too ambiguous here to go on, or has no end.
        """
        import numpy as np

        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._require_sound()
        allowed = np.unpackbits(bits, count=self._vocab_size, bitorder="little")
        return mx.array(allowed.view(np.bool_))

    def accept(self, token: int) -> None:
        """Go on to the state behind `token`.

        Raises:
            ValueError: The grammar does not allow it here; nothing has changed.
            RuntimeError: The grammar is too ambiguous here to go on, or has no end.
        """
        if token in self._eos and self._matcher.is_accepting():
            self._ended += 1
        elif self._ended or self._matcher.try_consume_tokens([token]) != 1:
            self._require_sound()
            raise ValueError(f"the grammar does not allow token {token} here; mask() tells which")

    def _require_sound(self) -> None:
        if self._matcher.is_error():
            message = _first_lines(self._matcher.get_error())
            raise RuntimeError(f"the grammar cannot be followed any further: {message}")

    def rollback(self, count: int) -> None:
        """Take the last `count` tokens accepted back.

        Raises:
            ValueError: There were not so many.
        """
        inside = max(count - self._ended, 0)
        if inside and not self._matcher.rollback(inside):
            raise ValueError(f"there are no {count} tokens to take back")
        self._ended = max(self._ended - count, 0)


def _vocabulary(tokenizer: Tokenizer, eos: frozenset[int]) -> LLTokenizer:
    known = _tokenizers.setdefault(tokenizer, {})
    if eos not in known:
        if not eos:
            raise ValueError(
                "a grammar needs a token that ends the reply, and the tokenizer has none; add one "
                "with tokenizer.add_eos_token"
            )
        try:
            vocabulary = _llguidance().LLTokenizer(tokenizer.to_json(), eos_token=sorted(eos))
        except ValueError as error:
            raise UnsupportedError(
                f"llguidance cannot read this tokenizer: {_first_lines(str(error))}"
            ) from None
        known[eos] = vocabulary
    return known[eos]


def _llguidance() -> Any:
    try:
        import llguidance
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'grammars need llguidance: pip install "mlxrs[structured]"', name=error.name
        ) from None
    return llguidance


def _first_lines(message: str) -> str:
    """The part of an error of llguidance that is meant for people, in one line."""
    return " ".join(message.partition("<state>")[0].split())[:400]
