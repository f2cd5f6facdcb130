"""A byte-level tokenizer from GGUF metadata."""

from __future__ import annotations

import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizers import byte_level_metadata

from mlxrs.errors import FormatError, UnsupportedError
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.pre_tokenizers import PRE_TOKENIZERS


def test_text_is_merged_in_the_order_of_the_merges() -> None:
    tokenizer = Tokenizer.from_gguf(byte_level_metadata())

    ids = tokenizer.encode("hello hell")

    assert [tokenizer.id_to_token(i) for i in ids] == ["he", "ll", "o", "Ġhe", "ll"]


def test_special_tokens_come_by_their_ids() -> None:
    tokenizer = Tokenizer.from_gguf(byte_level_metadata())

    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|end|>")
    assert tokenizer.bos_token_id == 260
    assert tokenizer.eos_token_ids == {259}
    assert tokenizer.encode("<|end|>") == [259]


def test_end_of_turn_and_message_end_a_reply_too() -> None:
    metadata = byte_level_metadata() | {
        "tokenizer.ggml.eot_token_id": 260,
        "tokenizer.ggml.eom_token_id": 1,
    }

    assert Tokenizer.from_gguf(metadata).eos_token_ids == {259, 260, 1}


@pytest.mark.parametrize("bos", [True, False])
@pytest.mark.parametrize("eos", [True, False])
def test_sequence_is_framed_as_the_file_says(bos: bool, eos: bool) -> None:
    flags = {"tokenizer.ggml.add_bos_token": bos, "tokenizer.ggml.add_eos_token": eos}
    tokenizer = Tokenizer.from_gguf(byte_level_metadata() | flags)

    assert tokenizer.encode("a") == [260] * bos + [0x61] + [259] * eos
    assert tokenizer.encode("a", add_special_tokens=False) == [0x61]


def test_user_defined_tokens_are_found_and_not_special() -> None:
    types = [1] * 259 + [3, 4]
    tokenizer = Tokenizer.from_gguf(byte_level_metadata() | {"tokenizer.ggml.token_type": types})

    assert tokenizer.encode("<|im_start|>") == [260]
    assert tokenizer.decode([260, 259], skip_special_tokens=True) == "<|im_start|>"


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(PRE_TOKENIZERS)), text=st.text(max_size=40))
def test_any_text_round_trips(name: str, text: str) -> None:
    tokenizer = tokenizer_with(name)
    expected = unicodedata.normalize("NFC", text) if PRE_TOKENIZERS[name].nfc else text

    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == expected


@cache
def tokenizer_with(pre_tokenizer: str) -> Tokenizer:
    return Tokenizer.from_gguf(byte_level_metadata() | {"tokenizer.ggml.pre": pre_tokenizer})


SPLITS = {
    "gpt-2": ["I", "'ll", "Ġbuy", "Ġ2024", "Ġapples", "Ġ", "Ġnow", "..."],
    "smollm": ["I", "'ll", "Ġbuy", "Ġ", "2", "0", "2", "4", "Ġapples", "Ġ", "Ġnow", "..."],
    "llama-bpe": ["I", "'ll", "Ġbuy", "Ġ", "202", "4", "Ġapples", "Ġ", "Ġnow", "..."],
    "qwen2": ["I", "'ll", "Ġbuy", "Ġ", "2", "0", "2", "4", "Ġapples", "Ġ", "Ġnow", "..."],
}


@pytest.mark.parametrize("name", SPLITS)
def test_text_is_split_before_merging_as_the_name_says(name: str) -> None:
    splitter = PRE_TOKENIZERS[name].pre_tokenizer()

    pieces = [piece for piece, _ in splitter.pre_tokenize_str("I'll buy 2024 apples  now...")]

    assert pieces == SPLITS[name]


REFUSED = {
    "no model": ("tokenizer.ggml.model", None, FormatError, "must be a string"),
    "other model": ("tokenizer.ggml.model", "rwkv", UnsupportedError, "known are: bert, gemma4"),
    "other splitter": ("tokenizer.ggml.pre", "x", UnsupportedError, "tokenizer.json"),
    "no tokens": ("tokenizer.ggml.tokens", None, FormatError, "list of strings"),
    "empty vocabulary": ("tokenizer.ggml.tokens", [], FormatError, "list of strings"),
    "tokens that are numbers": ("tokenizer.ggml.tokens", [1, 2], FormatError, "list of strings"),
    "token twice": ("tokenizer.ggml.tokens", ["a"] * 261, FormatError, "unique"),
    "merge without a space": ("tokenizer.ggml.merges", ["ab"], FormatError, "pairs of tokens"),
    "merge of unknown tokens": ("tokenizer.ggml.merges", ["qq zz"], FormatError, "vocabulary"),
    "merge into no token": (
        "tokenizer.ggml.merges",
        ["a b"],
        FormatError,
        "joined in the vocabulary",
    ),
    "types that are too few": ("tokenizer.ggml.token_type", [1], FormatError, "261 numbers"),
    "end outside": ("tokenizer.ggml.eos_token_id", 261, FormatError, "below 261"),
    "end negative": ("tokenizer.ggml.eos_token_id", -1, FormatError, "below 261"),
    "flag that is a number": ("tokenizer.ggml.add_bos_token", 1, FormatError, "true or false"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_metadata_that_cannot_be_served_are_refused(name: str) -> None:
    key, value, error, message = REFUSED[name]

    with pytest.raises(error, match=message):
        Tokenizer.from_gguf(byte_level_metadata() | {key: value})


def test_templates_come_with_the_file() -> None:
    templates = {
        "tokenizer.chat_template": "{{ bos_token }}plain",
        "tokenizer.chat_template.tool_use": "tools",
    }
    tokenizer = Tokenizer.from_gguf(byte_level_metadata() | templates)

    assert tokenizer.apply_chat_template([]) == "<|im_start|>plain"
    assert tokenizer.apply_chat_template([], tools=[]) == "tools"
