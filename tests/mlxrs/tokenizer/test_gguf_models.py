"""The kinds of GGUF vocabularies besides byte-level BPE, on a dozen tokens."""

from __future__ import annotations

import pytest

from mlxrs.errors import FormatError
from mlxrs.tokenizer import Tokenizer

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
PIECES = ["<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁a"]


def pieces(model: str, **more: object) -> dict[str, object]:
    metadata: dict[str, object] = {
        "model": model,
        "tokens": PIECES,
        "scores": [0.0, 0.0, 0.0, *(-float(rank) for rank in range(len(PIECES) - 3))],
        "token_type": [UNKNOWN, CONTROL, CONTROL] + [NORMAL] * (len(PIECES) - 3),
        "unknown_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    } | more
    return {f"tokenizer.ggml.{key}": value for key, value in metadata.items()}


def words(**more: object) -> dict[str, object]:
    tokens = ["[UNK]", "[CLS]", "[SEP]", "▁hello", "▁cafe", "s", "▁,"]
    metadata = {
        "model": "bert",
        "tokens": tokens,
        "token_type": [CONTROL] * 3 + [NORMAL] * 4,
        "unknown_token_id": 0,
        "cls_token_id": 1,
        "seperator_token_id": 2,
    } | more
    return {f"tokenizer.ggml.{key}": value for key, value in metadata.items()}


def texts(tokenizer: Tokenizer, text: str) -> list[str | None]:
    return [tokenizer.id_to_token(index) for index in tokenizer.encode(text)]


def test_llama_merges_by_score_and_begins_with_bos() -> None:
    tokenizer = Tokenizer.from_gguf(pieces("llama"))

    assert texts(tokenizer, "ab") == ["<s>", "▁", "ab"]
    assert tokenizer.decode(tokenizer.encode(" ab"), skip_special_tokens=True) == " ab"


def test_llama_puts_a_space_behind_every_special_token() -> None:
    tokenizer = Tokenizer.from_gguf(pieces("llama"))

    assert texts(tokenizer, "a</s>a") == ["<s>", "▁a", "</s>", "▁a"]


def test_llama_without_the_space_in_front() -> None:
    tokenizer = Tokenizer.from_gguf(pieces("llama", add_space_prefix=False, add_bos_token=False))

    assert texts(tokenizer, "a a") == ["a", "▁a"]


def test_unigram_ends_with_eos() -> None:
    tokenizer = Tokenizer.from_gguf(pieces("t5"))

    # "▁" and "a" cost 0 + 1, "▁a" costs 4.
    assert texts(tokenizer, "a") == ["▁", "a", "</s>"]


def test_merges_in_the_file_stand_for_text_with_marks() -> None:
    metadata = pieces("gemma4", merges=["▁ a", "a b"], add_bos_token=True)

    assert texts(Tokenizer.from_gguf(metadata), "ab a") == ["<s>", "ab", "▁a"]


def test_words_are_framed_and_split_into_parts() -> None:
    tokenizer = Tokenizer.from_gguf(words())

    assert texts(tokenizer, "Hellos, café") == [
        "[CLS]",
        "hello",
        "##s",
        ",",
        "cafe",
        "[SEP]",
    ]
    ids = tokenizer.encode("hellos, cafe")
    assert tokenizer.decode(ids, skip_special_tokens=True) == "hellos, cafe"


def test_words_keep_capitals_if_the_file_says_so() -> None:
    metadata = words(**{"normalizer.lowercase": False})

    assert texts(Tokenizer.from_gguf(metadata), "Hello hello")[1:-1] == ["[UNK]", "hello"]


REFUSED = {
    "scores missing": (pieces("llama", scores=None), "finite floats"),
    "scores too few": (pieces("llama", scores=[0.0]), "finite floats"),
    "score that is no number": (pieces("llama", scores=[float("nan")] * 8), "finite floats"),
    "piece twice": (pieces("llama", tokens=["a"] * 8), "unique"),
    "no unknown piece": (pieces("t5", unknown_token_id=8), "below 8"),
    "character map that is cut off": (pieces("t5", precompiled_charsmap=[255] * 5), "map"),
    "character map of texts": (pieces("t5", precompiled_charsmap=["a"]), "list of bytes"),
    "word twice": (words(tokens=["▁a", "▁a", "b", "c", "d", "e", "f"], token_type=[1] * 7), "un"),
    "no unknown word": (words(unknown_token_id=7), "below 7"),
    "unknown word left out": (words(unknown_token_id=None), "below 7"),
    "merges of other tokens": (pieces("gemma4", merges=["x y"]), "pairs of the vocabulary"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_vocabularies_that_cannot_be_served_are_refused(name: str) -> None:
    metadata, message = REFUSED[name]
    known = {key: value for key, value in metadata.items() if value is not None}

    with pytest.raises(FormatError, match=message):
        Tokenizer.from_gguf(known)
