"""Streamed text of real vocabularies equals the full decode, whatever the tokens are."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vocabularies import gguf_vocabulary

from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.detokenizer.bpe import BpeDetokenizer
from mlxrs.tokenizer.detokenizer.naive import NaiveDetokenizer
from mlxrs.tokenizer.detokenizer.spm import SpmDetokenizer

KINDS = {
    "gpt-2": BpeDetokenizer,
    "llama-bpe": BpeDetokenizer,
    "llama-spm": SpmDetokenizer,
    "gemma-4": SpmDetokenizer,
    "nomic-bert-moe": SpmDetokenizer,
    "bert-bge": NaiveDetokenizer,
}
TEXTS = [
    "naïve café, e\u0301 a\u030a, \u0928\u093f",  # combining marks, composed and not
    "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👍🏽 🇩🇪",  # emoji joined out of several
    "日本語 한국어 العربية ខ្មែរ 𒀀𒀁",
    "a\x00b\x00\x00",
    "  two  spaces\n\n\tand lines\r\n",
    "\ufffd\ufffe\uffff",
]


def streamed(tokenizer: Tokenizer, tokens: list[int], skip: bool) -> str:
    detokenizer = tokenizer.detokenizer(skip_special_tokens=skip)
    segments = []
    for token in tokens:
        detokenizer.add_token(token)
        segments.append(detokenizer.last_segment)
    detokenizer.finalize()
    segments.append(detokenizer.last_segment)
    assert "".join(segments) == detokenizer.text
    return detokenizer.text


@cache
def telling_ids(name: str) -> tuple[list[int], list[int]]:
    """Returns the ids of bytes and of special tokens, which random ids would seldom hit."""
    tokenizer = gguf_vocabulary(name)
    bytes_ = {f"<0x{byte:02X}>" for byte in range(256)}
    texts = {index: tokenizer.id_to_token(index) or "" for index in range(1000)}
    single = [index for index, text in texts.items() if text in bytes_ or len(text) == 1]
    return single, sorted(tokenizer.special_token_ids)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=150, deadline=None)
@given(data=st.data(), skip=st.booleans())
def test_segments_joined_equal_the_full_decode(name: str, data: st.DataObject, skip: bool) -> None:
    tokenizer = gguf_vocabulary(name)
    single, special = telling_ids(name)
    # Some ids are beyond the vocabulary: they add no text.
    index = (
        st.integers(0, tokenizer.vocab_size + 9)
        | st.sampled_from(single)
        | st.sampled_from(special)
    )
    tokens = data.draw(st.lists(index, max_size=40))

    expected = tokenizer.decode(tokens, skip_special_tokens=skip)
    assert streamed(tokenizer, tokens, skip) == expected


@pytest.mark.parametrize("name", KINDS)
def test_marks_emoji_and_zero_bytes_stream_as_they_decode(name: str) -> None:
    tokenizer = gguf_vocabulary(name)
    kind = KINDS[name]
    assert type(tokenizer.detokenizer()) is kind

    for text in TEXTS:
        tokens = tokenizer.encode(text)
        assert streamed(tokenizer, tokens, True) == tokenizer.decode(
            tokens, skip_special_tokens=True
        )


@pytest.mark.parametrize("name", ["gpt-2", "llama-bpe", "llama-spm", "gemma-4"])
def test_encoding_keeps_every_byte(name: str) -> None:
    tokenizer = gguf_vocabulary(name)

    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


@pytest.mark.parametrize("name", ["gpt-2", "llama-spm", "bert-bge"])
def test_detokenizers_of_one_tokenizer_share_their_table(name: str) -> None:
    tokenizer = gguf_vocabulary(name)
    first, second = tokenizer.detokenizer(), tokenizer.detokenizer()

    assert first._table is second._table
    assert first._table is not tokenizer.detokenizer(skip_special_tokens=True)._table


@pytest.mark.parametrize("name", ["gpt-2", "llama-spm"])
def test_unknown_ids_are_not_remembered(name: str) -> None:
    detokenizer = gguf_vocabulary(name).detokenizer()
    known = len(detokenizer._table)

    for index in range(10**6, 10**6 + 100):
        detokenizer.add_token(index)

    assert len(detokenizer._table) == known
    assert detokenizer.text == ""
