"""Sessions whose model calls tools by what it has read."""

from __future__ import annotations

import json

from support.tokenizers import byte_level_backend

import mlxc as mx
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel, one_hot
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.chat_template import ChatTemplates

EOS = 256
TEMPLATE = (
    "{% if tools %}[{% for tool in tools %}{{ tool.function.name }} {% endfor %}]{% endif %}"
    "{% for m in messages %}<|{{ m.role }}{{ ':' ~ m.name if m.name }}|>{{ m.content }}{% endfor %}"
    '<|assistant|>{% if quiet %}<think></think>{% endif %}{# <tool_call>{"name": #}'
)


class Talker(FakeModel):
    """Answers by the text it has read: with what a function says to what came last."""

    def __init__(self, answer):
        super().__init__(300)
        self.say = answer
        self.read: list[int] = []

    def answer(self, tokens, cache):
        self.read[cache[0].offset :] = tokens[0].tolist()
        super().answer(tokens, cache)
        context, _, said = (
            bytes(i for i in self.read if i < 256).decode().rpartition("<|assistant|>")
        )
        said = said.removeprefix("<think></think>")
        reply = [*self.say(context).encode(), EOS]
        return one_hot(300, mx.full(tokens.shape, reply[min(len(said), EOS, len(reply) - 1)]))


def call(name: str, **arguments: object) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def talk(answer, tools, template=TEMPLATE, **options) -> ChatSession:
    tokenizer = Tokenizer(
        byte_level_backend(),
        eos_token_ids=[EOS],
        chat_templates=ChatTemplates({"default": template}),
    )
    params = GenConfig(max_tokens=200)
    return ChatSession(Talker(answer), tokenizer, tools=tools, params=params, **options)


def once(said: str):
    """Say something to the user, and to the result of a tool that it is clear."""
    return lambda context: "Clear." if "<|tool" in context else said
