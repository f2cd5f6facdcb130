"""Streamed text equals the full decode, whatever the tokens are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizers import (
    byte_letters,
    byte_level_backend,
    metaspace_backend,
    spm_backend,
    word_backend,
)
from tokenizers import Tokenizer as Backend

from mlxrs.tokenizer.byte_letters import byte_of_letter
from mlxrs.tokenizer.detokenizer import StreamingDetokenizer, detokenizers_for
from mlxrs.tokenizer.detokenizer.bpe import BpeDetokenizer
from mlxrs.tokenizer.detokenizer.naive import KnownTable, NaiveDetokenizer
from mlxrs.tokenizer.detokenizer.spm import SpmDetokenizer

BACKENDS: dict[str, tuple[Backend, type[StreamingDetokenizer]]] = {
    "byte level": (byte_level_backend(), BpeDetokenizer),
    "sentencepiece": (spm_backend(strip=True), SpmDetokenizer),
    "sentencepiece, spaces kept": (spm_backend(strip=False), SpmDetokenizer),
    "metaspace": (metaspace_backend(), NaiveDetokenizer),
    "wordpiece": (word_backend(decoder=True), NaiveDetokenizer),
    "no decoder": (word_backend(decoder=False), NaiveDetokenizer),
}


def stream(detokenizer: StreamingDetokenizer, tokens: Sequence[int]) -> list[str]:
    segments = []
    for token in tokens:
        detokenizer.add_token(token)
        segments.append(detokenizer.last_segment)
    detokenizer.finalize()
    return [*segments, detokenizer.last_segment]


def size(backend: Backend) -> int:
    return int(backend.get_vocab_size())


@pytest.mark.parametrize("name", BACKENDS)
def test_class_is_chosen_by_the_decoder(name: str) -> None:
    backend, kind = BACKENDS[name]

    assert type(detokenizers_for(backend)()) is kind


@pytest.mark.parametrize("name", BACKENDS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_segments_joined_equal_the_full_decode(name: str, data: st.DataObject) -> None:
    backend, _ = BACKENDS[name]
    # Two ids more than there are: unknown ones add no text.
    tokens = data.draw(st.lists(st.integers(0, size(backend) + 1), max_size=40))
    detokenizer = detokenizers_for(backend)()

    segments = stream(detokenizer, tokens)

    expected = backend.decode(tokens, skip_special_tokens=False)
    assert "".join(segments) == detokenizer.text == expected
    assert detokenizer.tokens == tokens


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=20))
def test_byte_tokens_give_each_character_as_soon_as_it_is_whole(text: str) -> None:
    detokenizer = detokenizers_for(byte_level_backend())()
    expected = [
        part for character in text for part in [""] * (len(character.encode()) - 1) + [character]
    ]

    assert stream(detokenizer, list(text.encode())) == [*expected, ""]


def test_unfinished_character_appears_as_replacement_at_the_end() -> None:
    detokenizer = detokenizers_for(byte_level_backend())()

    assert stream(detokenizer, list("a🙂".encode()[:-1])) == ["a", "", "", "", "\ufffd"]


def test_leading_space_of_byte_level_text_is_kept() -> None:
    assert stream(detokenizers_for(byte_level_backend())(), list(b" far")) == [
        " ",
        "f",
        "a",
        "r",
        "",
    ]


def test_byte_zero_streams_as_nul() -> None:
    assert stream(detokenizers_for(byte_level_backend())(), [0, 0x41]) == ["\0", "A", ""]


def test_special_token_splits_a_character_as_decode_does() -> None:
    backend = byte_level_backend()
    end = backend.token_to_id("<|end|>")

    segments = stream(detokenizers_for(backend)(), [0xC3, end, 0xA9])

    assert segments == ["", "\ufffd<|end|>", "\ufffd", ""]
    assert "".join(segments) == backend.decode([0xC3, end, 0xA9], skip_special_tokens=False)


def test_sentencepiece_drops_one_space_at_the_very_start_only() -> None:
    backend = spm_backend(strip=True)
    ids = [backend.token_to_id(token) for token in ("▁▁", "▁Hello", "▁world", "!")]

    assert stream(detokenizers_for(backend)(), ids) == [" ", " Hello", " world", "!", ""]


def test_sentencepiece_byte_run_waits_for_its_end() -> None:
    backend = spm_backend(strip=True)
    hello = backend.token_to_id("▁Hello")

    assert stream(detokenizers_for(backend)(), [*"é".encode(), hello]) == ["", "", "é Hello", ""]
    assert stream(detokenizers_for(backend)(), [0xC3, 0xA9, 0xFF]) == ["", "", "", "\ufffd" * 3]


def test_naive_joins_words_as_the_decoder_does() -> None:
    backend = word_backend(decoder=True)
    ids = [backend.token_to_id(token) for token in ("hello", "##ing", "world", ".")]

    assert stream(detokenizers_for(backend)(), ids) == ["hello", "ing", " world", ".", ""]


def test_reset_begins_anew() -> None:
    detokenizer = detokenizers_for(byte_level_backend())()
    detokenizer.add_token(0xC3)

    detokenizer.reset()

    assert stream(detokenizer, [0x41]) == ["A", ""]
    assert detokenizer.tokens == [0x41]


def test_text_and_last_segment_do_not_disturb_each_other() -> None:
    detokenizer = detokenizers_for(byte_level_backend())()
    seen = []
    for token in b"abc":
        detokenizer.add_token(token)
        seen.append(detokenizer.text)
    assert seen == ["a", "ab", "abc"]
    assert detokenizer.last_segment == "abc"
    assert detokenizer.last_segment == ""
    assert detokenizer.text == "abc"


def test_byte_table_is_that_of_the_tokenizers_library() -> None:
    for byte, letter in enumerate(byte_letters()):
        assert byte_of_letter()[letter] == byte
    assert len(byte_of_letter()) == 256


class CountingBackend:
    """A backend that counts how many tokens it was asked to look up and to decode."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.decoder = backend.decoder
        self.decoded = 0
        self.looked_up = 0

    def id_to_token(self, token: int) -> str | None:
        self.looked_up += 1
        return self._backend.id_to_token(token)

    def decode(self, tokens: list[int], *, skip_special_tokens: bool) -> str:
        self.decoded += len(tokens)
        return str(self._backend.decode(tokens, skip_special_tokens=skip_special_tokens))


@pytest.mark.parametrize("name", ["byte level", "sentencepiece"])
def test_each_token_is_looked_up_once_for_all_detokenizers(name: str) -> None:
    backend = CountingBackend(BACKENDS[name][0])
    make = detokenizers_for(backend)

    for _ in range(3):
        stream(make(), [0x41, 0x42, 0xC3] * 2000)

    assert backend.looked_up == 3
    assert backend.decoded == 0


@pytest.mark.parametrize(
    "make", [metaspace_backend, byte_level_backend], ids=["text", "broken bytes"]
)
def test_naive_decodes_a_bounded_number_of_tokens_each_time(make: Callable[[], Backend]) -> None:
    backend = CountingBackend(make())
    detokenizer = NaiveDetokenizer(KnownTable(backend, skip_special_tokens=False), backend)

    stream(detokenizer, [3, 0xFF] * 500)

    assert backend.decoded <= 1001 * 4 * 16
