"""Encoding with options, in batches, and padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tokenizers import byte_level_metadata

from mlxrs.tokenizer import Tokenizer

FRAME = {"tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_eos_token": True}
BOS, EOS = 260, 259


def plain() -> Tokenizer:
    return Tokenizer.from_gguf(byte_level_metadata())


def framed() -> Tokenizer:
    return Tokenizer.from_gguf(byte_level_metadata() | FRAME)


def test_end_token_is_added_once() -> None:
    assert plain().encode("a", add_eos=True) == [0x61, EOS]
    assert framed().encode("a", add_eos=True) == [BOS, 0x61, EOS]
    assert plain().encode("a<|end|>", add_eos=True) == [0x61, EOS]
    assert plain().encode("", add_eos=True) == [EOS]


def test_end_token_is_refused_where_there_is_none() -> None:
    metadata = byte_level_metadata()
    del metadata["tokenizer.ggml.eos_token_id"]

    with pytest.raises(ValueError, match="add_eos needs"):
        Tokenizer.from_gguf(metadata).encode("a", add_eos=True)


def test_truncation_cuts_the_text_and_keeps_added_tokens() -> None:
    assert plain().encode("abc", max_length=2) == [*b"ab"]
    assert framed().encode("abc", max_length=4) == [BOS, *b"ab", EOS]
    assert framed().encode("abc", max_length=4, add_special_tokens=False) == [*b"abc"]
    assert plain().encode("abc", max_length=3, add_eos=True) == [*b"ab", EOS]
    assert framed().encode("abc", max_length=5) == framed().encode("abc")


def test_length_zero_returns_nothing() -> None:
    assert framed().encode("abc", max_length=0, add_eos=True) == []


@given(
    text=st.text(max_size=20),
    length=st.integers(0, 30),
    special=st.booleans(),
    eos=st.booleans(),
)
def test_truncation_is_a_prefix_and_within_bounds(
    text: str, length: int, special: bool, eos: bool
) -> None:
    tokenizer = framed()
    whole = tokenizer.encode(text, add_special_tokens=special, add_eos=eos)

    cut = tokenizer.encode(text, add_special_tokens=special, add_eos=eos, max_length=length)

    assert len(cut) == min(length, len(whole))
    # The first token stays before the last one does.
    tail = int(length > 1 if special else eos and length > 0)
    assert cut[: len(cut) - tail] == whole[: len(cut) - tail]
    assert cut[len(cut) - tail :] == whole[len(whole) - tail :]


@given(texts=st.lists(st.text(max_size=20), max_size=5))
def test_batch_equals_its_items(texts: list[str]) -> None:
    tokenizer = framed()

    rows = tokenizer.encode_batch(texts)

    assert rows == [tokenizer.encode(text) for text in texts]
    assert tokenizer.decode_batch(rows, skip_special_tokens=True) == texts


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="max_length must not be negative, got -1"):
        plain().encode("a", max_length=-1)
    with pytest.raises(TypeError, match="got one string"):
        plain().encode_batch("ab")
    with pytest.raises(TypeError, match="text must be a str, got int"):
        plain().encode_batch(["a", 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="lone surrogates"):
        plain().encode_batch(["a", "\ud800"])


def test_rows_are_padded_on_either_side() -> None:
    tokenizer = plain()
    rows = tokenizer.encode_batch(["abc", "", "a"])

    left, right = tokenizer.pad(rows), tokenizer.pad(rows, side="right", pad_token_id=7)

    assert left.input_ids.tolist() == [[*b"abc"], [EOS] * 3, [EOS, EOS, 0x61]]
    assert left.attention_mask.tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 1]]
    assert right.input_ids.tolist() == [[*b"abc"], [7] * 3, [0x61, 7, 7]]
    assert right.attention_mask.tolist() == [[1, 1, 1], [0, 0, 0], [1, 0, 0]]
    assert left.input_ids.dtype == left.attention_mask.dtype == np.int32


def test_length_is_rounded_up_to_a_multiple() -> None:
    assert plain().pad([[1, 2, 3]], multiple_of=4).input_ids.shape == (1, 4)
    assert plain().pad([[1, 2, 3, 4]], multiple_of=4).input_ids.shape == (1, 4)
    assert plain().pad([]).input_ids.shape == (0, 0)


def test_padding_is_that_of_the_model() -> None:
    tokenizer = Tokenizer.from_gguf(byte_level_metadata() | {"tokenizer.ggml.padding_token_id": 5})

    assert tokenizer.pad([[1], [1, 2]]).input_ids.tolist() == [[5, 1], [1, 2]]


def test_padding_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="side must be 'left' or 'right'"):
        plain().pad([[1]], side="middle")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="multiple_of must be at least 1"):
        plain().pad([[1]], multiple_of=0)


def test_end_tokens_are_added_by_text_or_id() -> None:
    tokenizer = plain()

    tokenizer.add_eos_token("<|im_start|>")
    tokenizer.add_eos_token(3)

    assert tokenizer.eos_token_ids == {EOS, BOS, 3}
    with pytest.raises(ValueError, match="token must be in the vocabulary, got 'nothing'"):
        tokenizer.add_eos_token("nothing")
    with pytest.raises(ValueError, match="in the vocabulary, got 99999"):
        tokenizer.add_eos_token(99999)


def test_special_tokens_have_properties() -> None:
    metadata = byte_level_metadata() | {"tokenizer.ggml.unknown_token_id": 1}
    tokenizer = Tokenizer.from_gguf(metadata)

    assert (tokenizer.eos_token_id, tokenizer.bos_token_id) == (EOS, BOS)
    assert tokenizer.unk_token == tokenizer.id_to_token(1)
    assert tokenizer.pad_token is tokenizer.pad_token_id is None
    assert tokenizer.special_token_ids == {EOS, BOS}


@pytest.mark.parametrize("index", [-1, 1 << 32, 1 << 70])
def test_ids_that_no_vocabulary_has_add_no_text(index: int) -> None:
    tokenizer = plain()

    assert tokenizer.decode([0x61, index, 0x62]) == "ab"
    assert tokenizer.id_to_token(index) is None
    detokenizer = tokenizer.detokenizer()
    detokenizer.add_token(index)
    assert detokenizer.text == ""
