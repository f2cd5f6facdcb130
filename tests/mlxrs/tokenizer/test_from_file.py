"""A tokenizer from one file: tokenizer.json, tekken.json, tiktoken."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tokenizers import byte_level_backend

from mlxrs.errors import FormatError, ModelNotFoundError
from mlxrs.tokenizer import Tokenizer

WORDS = [b"he", b"ll", b"llo", b"hello", b" he", "é".encode(), b"\xf0\x9f"]
RANKED = [bytes([byte]) for byte in range(256)] + WORDS


def tiktoken_file(tokens: list[bytes] = RANKED) -> bytes:
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def tekken_file(**changes: object) -> dict[str, object]:
    config = {
        "pattern": r" ?\w+|\s+|.",
        "default_vocab_size": 256 + len(WORDS) - 1 + 10,
        "default_num_special_tokens": 10,
    }
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
        for rank, token in enumerate(RANKED)
    ]
    return {"config": config, "vocab": vocab} | changes


@pytest.fixture
def read(tmp_path: Path):
    def make(name: str, content: object, **arguments: object) -> Tokenizer:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / name).write_bytes(data)
        return Tokenizer.from_file(tmp_path / name, **arguments)

    return make


def test_tokenizer_json_is_read_alone(tmp_path: Path) -> None:
    byte_level_backend().save(str(tmp_path / "tokenizer.json"))

    assert Tokenizer.from_file(tmp_path / "tokenizer.json").encode("a") == [0x61]


def test_tiktoken_merges_by_rank(read) -> None:
    tokenizer = read("gpt2.tiktoken", tiktoken_file())

    # "he" comes before "ll"; "llo" is there, but "hello" stands as a whole.
    assert tokenizer.encode("hello hell helo") == [259, 260, 257, 260, 0x6C, 0x6F]
    assert tokenizer.eos_token_ids == frozenset()


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_tiktoken_round_trips_any_text(text: str) -> None:
    from mlxrs.tokenizer.from_tiktoken import tiktoken_parts

    tokenizer = Tokenizer(tiktoken_parts(tiktoken_file(), name="o200k_base").backend)

    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_tiktoken_takes_pattern_and_special_tokens(read) -> None:
    special = {"<|end|>": 300}
    tokenizer = read("mine.tiktoken", tiktoken_file(), pattern=".", special_tokens=special)

    assert tokenizer.encode("hello<|end|>") == [*b"hello", 300]
    assert tokenizer.special_token_ids == {300}
    assert tokenizer.decode([300, 280, 0x61], skip_special_tokens=True) == "a"


def test_tiktoken_of_an_unknown_name_needs_a_pattern(read) -> None:
    with pytest.raises(ValueError, match="pattern must be given for the vocabulary 'mine'"):
        read("mine.tiktoken", tiktoken_file())


def test_directory_of_a_tiktoken_file_takes_special_tokens_from_its_config(tmp_path: Path) -> None:
    (tmp_path / "qwen.tiktoken").write_bytes(tiktoken_file())
    config = {"added_tokens_decoder": {"263": {"content": "<|end|>", "special": True}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"eos_token": "<|end|>"}))

    tokenizer = Tokenizer.from_directory(tmp_path)

    assert tokenizer.encode("he<|end|>") == [256, 263]
    assert tokenizer.eos_token_ids == {263}


TIKTOKEN_REFUSED = {
    "line without a rank": (b"aGU= 0\nYQ==\n", "line 2"),
    "no base64": (b"aGU= 0\n*** 1\n", "line 2"),
    "falling rank": (b"aGU= 1\nYQ== 0\n", "rising"),
    "huge rank": (b"aGU= 0\nYQ== 99999999999\n", "rising"),
    "token twice": (b"aGU= 0\naGU= 1\n", "once"),
}


@pytest.mark.parametrize("name", TIKTOKEN_REFUSED)
def test_tiktoken_files_that_are_damaged_are_refused(name: str, read) -> None:
    content, message = TIKTOKEN_REFUSED[name]

    with pytest.raises(FormatError, match=message):
        read("gpt2.tiktoken", content)


def test_special_token_on_the_id_of_another_is_refused(read) -> None:
    with pytest.raises(FormatError, match="once"):
        read("gpt2.tiktoken", tiktoken_file(), special_tokens={"<|end|>": 256})


def test_pattern_that_is_no_expression_is_refused(read) -> None:
    with pytest.raises(ValueError, match="pattern must be a regular expression"):
        read("gpt2.tiktoken", tiktoken_file(), pattern="(")


def test_tekken_puts_special_tokens_first_and_cuts_the_vocabulary(read) -> None:
    tokenizer = read("tekken.json", tekken_file())

    assert tokenizer.encode("hello [INST]") == [1, 269, 0x20 + 10, 3]
    assert (tokenizer.bos_token, tokenizer.eos_token_ids) == ("<s>", {2})
    assert tokenizer.vocab_size == 272
    assert tokenizer.id_to_token(9) == "[TOOL_CALLS]"
    assert tokenizer.decode([1, 269], skip_special_tokens=True) == "hello"


def test_tekken_names_special_tokens_or_numbers_them(read) -> None:
    listed = [{"rank": 0, "token_str": "<unk>"}, {"rank": 2, "token_str": "</s>"}]

    tokenizer = read("tekken.json", tekken_file(special_tokens=listed))

    assert [tokenizer.id_to_token(i) for i in range(4)] == [
        "<unk>",
        "<SPECIAL_1>",
        "</s>",
        "<SPECIAL_3>",
    ]


TEKKEN_REFUSED = {
    "no config": ({"config": None}, "must have config"),
    "no vocabulary": ({"vocab": {"token_bytes": 1}}, "must have config"),
    "rank out of order": ({"vocab": [{"rank": 1, "token_bytes": "AA=="}] * 300}, "rank 0"),
    "token that is no base64": ({"vocab": [{"rank": 0, "token_bytes": "*"}] * 300}, "rank 0"),
    "special token outside": (
        {"special_tokens": [{"rank": 10, "token_str": "x"}]},
        "ranks below 10",
    ),
    "special token twice": (
        {"special_tokens": [{"rank": i, "token_str": "x"} for i in (0, 1)]},
        "special token once",
    ),
}


@pytest.mark.parametrize("name", TEKKEN_REFUSED)
def test_tekken_files_that_are_damaged_are_refused(name: str, read) -> None:
    changes, message = TEKKEN_REFUSED[name]

    with pytest.raises(FormatError, match=message):
        read("tekken.json", tekken_file(**changes))


def test_files_of_other_kinds_are_refused(read, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file"):
        Tokenizer.from_file(tmp_path / "missing")
    with pytest.raises(FormatError, match="must be a file"):
        Tokenizer.from_file(tmp_path)
    with pytest.raises(FormatError, match="not a tokenizer"):
        read("tokenizer.json", {"model": 3})
    with pytest.raises(ValueError, match="mlxrs.load"):
        read("model.gguf", b"GGUF....")
    with pytest.raises(ValueError, match="leave them out"):
        read("tokenizer.json", {}, pattern=".")


@pytest.mark.parametrize("charsmap", ["/////w==", "BAAAAAABAAA=", "no base64"])
def test_character_map_that_leads_nowhere_is_refused(read, charsmap: str) -> None:
    normalizer = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    content = {"normalizer": {"type": "Sequence", "normalizers": [normalizer]}, "model": {}}

    with pytest.raises(FormatError, match="character map"):
        read("tokenizer.json", content)


@pytest.mark.reference
def test_ids_equal_those_of_mistral_common() -> None:
    import mistral_common
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    path = Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"
    tokenizer, reference = Tokenizer.from_file(path), Tekkenizer.from_file(path)
    assert tokenizer.vocab_size == reference.n_words
    assert tokenizer.eos_token_ids == {reference.eos_id}
    assert tokenizer.pad_token_id == reference.pad_id

    @settings(max_examples=200, deadline=None)
    @given(
        text=st.text(st.sampled_from("aB 1.\n'é中🙂") | st.characters(exclude_categories=["Cs"]))
    )
    def check(text: str) -> None:
        ids = reference.encode(text, bos=True, eos=False)
        assert tokenizer.encode(text) == ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text

    check()


@pytest.mark.reference
def test_ids_equal_those_of_tiktoken() -> None:
    import tiktoken

    from mlxrs.tokenizer.from_tiktoken import tiktoken_parts

    pattern = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"
    ranks = {token: rank for rank, token in enumerate(RANKED)}
    reference = tiktoken.Encoding("mine", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    parts = tiktoken_parts(tiktoken_file(), name="mine", pattern=pattern)

    @settings(max_examples=300, deadline=None)
    @given(
        text=st.text(st.sampled_from("hello 🙂é'S12") | st.characters(exclude_categories=["Cs"]))
    )
    def check(text: str) -> None:
        assert parts.backend.encode(text).ids == reference.encode(text)

    check()
