"""A SentencePiece model file alone makes a tokenizer."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sentencepiece import data, model_bytes, number

from mlxrs.errors import FormatError, UnsupportedError
from mlxrs.tokenizer import Tokenizer

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
BASE = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
WORDS = ["▁", "a", "b", "c", "bc", "ab", "▁a"]
PIECES = [*BASE, *((word, -float(i), NORMAL) for i, word in enumerate(WORDS))]
BYTES = [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]

# Most text is of a few letters and spaces in a row, where neighbours compete for a merge.
TEXT = st.text(st.sampled_from("ab  =-\n.eé中🙂") | st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def tokenizer_of(tmp_path: Path):
    def make(content: bytes) -> Tokenizer:
        (tmp_path / "tokenizer.model").write_bytes(content)
        return Tokenizer.from_file(tmp_path / "tokenizer.model")

    return make


def texts(tokenizer: Tokenizer, text: str) -> list[str | None]:
    ids = tokenizer.encode(text, add_special_tokens=False)
    return [tokenizer.id_to_token(index) for index in ids]


def test_neighbours_with_the_best_score_are_merged_first(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES))

    assert texts(tokenizer, "abc") == ["▁a", "bc"]
    assert texts(tokenizer, "ab") == ["▁", "ab"]


def test_unigram_takes_the_best_sum_of_scores(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES, model_type=1))

    # "▁"+"ab" costs 5, "▁a"+"b" 8, "▁"+"a"+"b" only 3.
    assert texts(tokenizer, "ab") == ["▁", "a", "b"]


def test_text_begins_with_a_space_that_decoding_takes_away(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES))

    assert texts(tokenizer, " a") == ["▁", "▁a"]
    assert tokenizer.decode(tokenizer.encode(" a"), skip_special_tokens=True) == " a"
    assert texts(tokenizer, "") == []


def test_model_without_a_space_in_front_keeps_texts_as_they_are(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES, prefix_space=False))

    assert texts(tokenizer, "a a") == ["a", "▁a"]
    assert tokenizer.decode(tokenizer.encode(" a"), skip_special_tokens=True) == " a"


def test_spaces_collapse_if_the_model_says_so(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES, collapse_spaces=True))

    assert texts(tokenizer, "  b   a ") == ["▁", "b", "▁a"]


def test_unknown_text_becomes_bytes_or_the_unknown_token(tokenizer_of) -> None:
    assert texts(tokenizer_of(model_bytes(PIECES)), "aéc") == ["▁a", "<unk>", "c"]
    with_bytes = tokenizer_of(model_bytes([*PIECES, *BYTES]))
    assert texts(with_bytes, "aéc") == ["▁a", "<0xC3>", "<0xA9>", "c"]


@settings(max_examples=200, deadline=None)
@given(text=TEXT)
def test_any_text_round_trips_through_bytes(text: str) -> None:
    tokenizer = with_bytes()
    ids = tokenizer.encode(text)

    # The mark is the spelling of a space: as text it cannot be told from one.
    assert tokenizer.decode(ids, skip_special_tokens=True) == text.replace("▁", " ")


@cache
def with_bytes() -> Tokenizer:
    from mlxrs.tokenizer.from_sentencepiece import sentencepiece_parts

    parts = sentencepiece_parts(model_bytes([*PIECES, *BYTES]))
    return Tokenizer(parts.backend)


def test_special_tokens_are_those_of_the_trainer(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes(PIECES, ids={41: -1, 42: 2}))
    assert (tokenizer.bos_token, tokenizer.eos_token) == (None, "</s>")
    assert tokenizer.eos_token_ids == {2}
    assert tokenizer.encode("a")[0] != 1

    tokenizer = tokenizer_of(model_bytes(PIECES))
    assert tokenizer.encode("a")[0] == tokenizer.bos_token_id == 1


def test_control_tokens_are_found_in_texts_and_skipped(tokenizer_of) -> None:
    tokenizer = tokenizer_of(model_bytes([*PIECES, ("<sep>", 0.0, USER)]))

    ids = tokenizer.encode("b</s>b<sep>", add_special_tokens=False)

    assert [tokenizer.id_to_token(i) for i in ids] == ["▁", "b", "</s>", "b", "<sep>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "bb<sep>"


def test_directory_adds_its_tokens_and_flags(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(model_bytes(PIECES))
    (tmp_path / "tokenizer_config.json").write_text(
        '{"add_bos_token": false, "add_eos_token": true, "eos_token": "<|end|>", '
        '"added_tokens_decoder": {"10": {"content": "<|end|>", "special": true}}}'
    )

    tokenizer = Tokenizer.from_directory(tmp_path)

    assert tokenizer.encode("a<|end|>") == [9, 10, 2]
    assert tokenizer.eos_token_ids == {2, 10}
    assert tokenizer.decode([9, 10, 2], skip_special_tokens=True) == "a"


def test_added_token_that_leaves_a_hole_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(model_bytes(PIECES))
    (tmp_path / "tokenizer_config.json").write_text(
        '{"added_tokens_decoder": {"12": {"content": "<|end|>"}}}'
    )

    with pytest.raises(FormatError, match="added token 12"):
        Tokenizer.from_directory(tmp_path)


REFUSED = {
    "no pieces": (b"", FormatError, "1 to"),
    "cut off": (model_bytes(PIECES)[:-3], FormatError, "too far"),
    "text": (b"hello world, this is no model", FormatError, "not a SentencePiece model"),
    "endless number": (b"\x08" + b"\xff" * 11, FormatError, "without an end"),
    "group": (b"\x0b", FormatError, "wire type 3"),
    "piece that is a number": (number(1, 5), FormatError, "message belongs"),
    "piece without text": (data(1, number(3, 1)), FormatError, "must have a text"),
    "score that is no number": (
        model_bytes([*PIECES, ("x", float("nan"), 1)]),
        FormatError,
        "finite",
    ),
    "piece twice": (model_bytes([*PIECES, ("a", 0.0, 1)]), FormatError, "unique"),
    "words": (model_bytes(PIECES, model_type=3), UnsupportedError, "model type 3"),
    "spaces behind words": (
        model_bytes(PIECES, ids={24: 1}),
        UnsupportedError,
        "spaces at the ends",
    ),
    "character map cut off": (
        model_bytes(PIECES) + data(3, data(2, b"\xff\xff\0\0")),
        FormatError,
        "character map",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_models_that_cannot_be_served_are_refused(name: str, tokenizer_of) -> None:
    content, error, message = REFUSED[name]

    with pytest.raises(error, match=message):
        tokenizer_of(content)


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8))
def test_damaged_models_raise_errors_of_ours_or_work(changes: list[tuple[int, int]]) -> None:
    from mlxrs.tokenizer.from_sentencepiece import sentencepiece_parts

    content = bytearray(model_bytes(PIECES))
    for place, byte in changes:
        content[place % len(content)] = byte
    try:
        parts = sentencepiece_parts(bytes(content))
    except (FormatError, UnsupportedError):
        return
    parts.backend.encode("abc é")


MISTRAL = [
    "tokenizer.model.v1",
    "mistral_instruct_tokenizer_240216.model.v2",
    "mistral_instruct_tokenizer_240323.model.v3",
    "mistral_instruct_tokenizer_241114.model.v7",
    "mistral_instruct_tokenizer_241114.model.v7m1",
]


@pytest.mark.reference
@pytest.mark.parametrize("file", MISTRAL)
def test_ids_equal_those_of_mistral_common(file: str) -> None:
    import mistral_common
    from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer

    path = Path(mistral_common.__file__).parent / "data" / file
    tokenizer, reference = Tokenizer.from_file(path), SentencePieceTokenizer(path)
    assert tokenizer.bos_token_id == reference.bos_id
    assert tokenizer.eos_token_ids == {reference.eos_id}
    assert tokenizer.vocab_size == reference.n_words

    @settings(max_examples=200, deadline=None)
    @given(text=TEXT)
    def check(text: str) -> None:
        ids = reference.encode(text, bos=True, eos=False)
        assert tokenizer.encode(text) == ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text.replace("▁", " ")

    check()


@pytest.mark.reference
@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("collapse", [True, False])
def test_ids_equal_those_of_sentencepiece_with_its_normalizer(kind: str, collapse: bool) -> None:
    import sentencepiece

    from mlxrs.tokenizer.from_sentencepiece import sentencepiece_parts

    lines = [line for line in Path(__file__).read_text("utf-8").splitlines() if line.strip()]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        vocab_size=400,
        model_type=kind,
        byte_fallback=True,
        remove_extra_whitespaces=collapse,
        hard_vocab_limit=False,
        minloglevel=3,
    )
    reference = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    tokenizer = Tokenizer(sentencepiece_parts(written.getvalue()).backend)

    # Of unigram splits of the same score, as in runs of one letter, either may be taken.
    plain = [line for line in lines if "<" not in line]
    samples = [*plain[::3], "  ﬁ ①  ｱ\u3000Å  ", "", " ", "é\te\u0301", "\n\n x", "🙂 \u200d👧"]
    for text in samples if kind == "bpe" else [s for s in samples if "  " not in s]:
        expected = reference.encode(text)
        assert tokenizer.encode(text, add_special_tokens=False) == expected
        assert tokenizer.decode(expected) == reference.decode(expected)
