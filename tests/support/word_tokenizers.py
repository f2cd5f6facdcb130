"""Tokenizers of a dozen words, one id a word, with a chat template that can be counted by hand.

A rendered conversation is `<s>`, for each message `<|role|>` (three ids, all unknown words) and
its content, and at the end `<|assistant|>`: one message of one word makes 1 + 3 + 1 + 3 ids.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.chat_template import ChatTemplates

WORDS = ["<unk>", "<s>", "</s>", "hello", "world", "the", "quick", "brown", "fox"]
THINK = ["<think>", "</think>"]  # ids 9 and 10
# The byte 0xE2 begins a character of three bytes; alone it is unfinished.
UNFINISHED = "â"  # id 11

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}<|assistant|>"
)
# Shows replies without their thinking, as the templates of reasoning models do.
FORGETFUL_TEMPLATE = TEMPLATE.replace(
    "message['content']", "message['content'].split('</think>') | last"
)


def word_tokenizer() -> Tokenizer:
    """Return the tokenizer of 11 ids whose replies encode back to the same ids."""
    return _with_template(_backend([*WORDS, *THINK]))


def forgetful_tokenizer() -> Tokenizer:
    """Return the same with a template that leaves out all thinking."""
    return _with_template(_backend([*WORDS, *THINK]), FORGETFUL_TEMPLATE)


def byte_level_tokenizer() -> Tokenizer:
    """Return the same with a byte-level decoder and the unfinished id 11."""
    backend = _backend([*WORDS, *THINK, UNFINISHED])
    backend.decoder = decoders.ByteLevel()
    return _with_template(backend)


def tokenizer_without_template() -> Tokenizer:
    """Return a tokenizer of three words, id 2 ending, that knows no chat template."""
    return Tokenizer(_backend(["<unk>", "hello", "world"]), eos_token_ids=[2])


def write_word_tokenizer(directory: Path) -> None:
    """Write `word_tokenizer` as the files of a Hugging Face directory."""
    _backend([*WORDS, *THINK]).save(str(directory / "tokenizer.json"))
    config = {"bos_token": "<s>", "eos_token": "</s>", "chat_template": TEMPLATE}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))


def _backend(words: list[str]) -> Backend:
    vocab = {word: i for i, word in enumerate(words)}
    backend = Backend(models.WordLevel(vocab, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.add_special_tokens([w for w in ("<unk>", "<s>", "</s>") if w in vocab])
    backend.add_tokens(
        [AddedToken(w, special=False, normalized=False) for w in THINK if w in vocab]
    )
    return backend


def _with_template(backend: Backend, template: str = TEMPLATE) -> Tokenizer:
    return Tokenizer(
        backend,
        special_tokens={"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        eos_token_ids=[2],
        chat_templates=ChatTemplates({"default": template}),
    )
