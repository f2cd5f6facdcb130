"""The tokenizer of a model, from a directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.tokenizers import byte_level_backend

from mlxrs.errors import ChatTemplateError, FormatError, ModelNotFoundError
from mlxrs.tokenizer import Tokenizer

USER = [{"role": "user", "content": "Hi"}]
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}"


def write(folder: Path, name: str, value: object) -> None:
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    byte_level_backend().save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_tokenizer_json_alone_is_enough(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)

    assert tokenizer.encode("é") == [0xC3, 0xA9]
    assert tokenizer.vocab_size == 260
    assert tokenizer.eos_token_ids == frozenset()
    assert tokenizer.bos_token is tokenizer.eos_token is tokenizer.bos_token_id is None


@pytest.mark.parametrize("spelling", ["<|end|>", {"content": "<|end|>", "special": True}])
def test_special_tokens_come_as_text_or_object(model: Path, spelling: object) -> None:
    write(model, "tokenizer_config.json", {"eos_token": spelling, "bos_token": "<|im_start|>"})

    tokenizer = Tokenizer.from_directory(model)

    assert tokenizer.eos_token == "<|end|>"
    assert tokenizer.eos_token_ids == {256}
    assert tokenizer.bos_token_id == 257


def test_a_reply_ends_at_the_end_tokens_of_all_files(model: Path) -> None:
    write(model, "tokenizer_config.json", {"eos_token": "<|end|>"})
    write(model, "generation_config.json", {"eos_token_id": [257, 256]})
    write(model, "config.json", {"eos_token_id": 258})

    assert Tokenizer.from_directory(model).eos_token_ids == {256, 257, 258}


def test_end_tokens_that_are_no_ids_are_refused(model: Path) -> None:
    write(model, "generation_config.json", {"eos_token_id": ["</s>"]})

    with pytest.raises(FormatError, match="eos_token_id must be"):
        Tokenizer.from_directory(model)


def test_end_token_outside_the_vocabulary_is_refused(model: Path) -> None:
    write(model, "tokenizer_config.json", {"eos_token": "</s>"})

    with pytest.raises(FormatError, match="eos_token must be in the vocabulary"):
        Tokenizer.from_directory(model)


def test_missing_tokenizer_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"tokenizer\.json"):
        Tokenizer.from_directory(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"model": 3}'])
def test_damaged_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_text(text)

    with pytest.raises(FormatError, match="not a tokenizer"):
        Tokenizer.from_directory(tmp_path)


def test_padding_and_truncation_of_the_file_are_off(tmp_path: Path) -> None:
    backend = byte_level_backend()
    backend.enable_padding(length=8)
    backend.enable_truncation(2)
    backend.save(str(tmp_path / "tokenizer.json"))

    assert Tokenizer.from_directory(tmp_path).encode("abc") == [0x61, 0x62, 0x63]


def test_special_token_in_a_text_becomes_that_token(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)

    ids = tokenizer.encode("a<|end|>")

    assert ids == [0x61, 256]
    assert tokenizer.decode(ids) == "a<|end|>"
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a"


def test_special_tokens_come_from_their_map_unless_the_config_tells(model: Path) -> None:
    write(model, "special_tokens_map.json", {"bos_token": "<|im_start|>", "eos_token": "a"})
    write(model, "tokenizer_config.json", {"eos_token": {"content": "<|end|>"}})

    tokenizer = Tokenizer.from_directory(model)

    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|end|>")
    assert tokenizer.eos_token_ids == {256}


def test_detokenizers_of_one_tokenizer_are_independent(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)
    first, second = tokenizer.detokenizer(), tokenizer.detokenizer()

    first.add_token(0x61)

    assert (first.text, second.text) == ("a", "")


def test_chat_without_a_template_is_refused(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)

    assert tokenizer.chat_template is None
    with pytest.raises(ChatTemplateError, match="no chat template"):
        tokenizer.apply_chat_template(USER)


@pytest.mark.parametrize(
    "spelling",
    [
        TEMPLATE,
        [{"name": "tool_use", "template": "x"}, {"name": "default", "template": TEMPLATE}],
    ],
    ids=["string", "list"],
)
def test_template_comes_from_the_config(model: Path, spelling: object) -> None:
    config = {"bos_token": "<|im_start|>", "chat_template": spelling}
    write(model, "tokenizer_config.json", config)

    tokenizer = Tokenizer.from_directory(model)

    assert tokenizer.apply_chat_template(USER) == "<|im_start|>user:Hi;"
    assert tokenizer.apply_chat_template_ids(USER) == [257, *b"user:Hi;"]


def test_template_file_comes_before_the_config(model: Path) -> None:
    write(model, "tokenizer_config.json", {"chat_template": "config"})
    (model / "chat_template.jinja").write_text("file", encoding="utf-8")

    assert Tokenizer.from_directory(model).apply_chat_template(USER) == "file"


def test_template_that_is_no_text_is_refused(model: Path) -> None:
    (model / "chat_template.jinja").write_bytes(b"\xff\xfe")

    with pytest.raises(FormatError, match="UTF-8"):
        Tokenizer.from_directory(model)


@pytest.mark.parametrize("entry", [{}, {"name": "default"}, "default", 3, None])
def test_template_list_without_names_is_refused(model: Path, entry: object) -> None:
    write(model, "tokenizer_config.json", {"chat_template": [entry]})

    with pytest.raises(FormatError, match="must have name and template"):
        Tokenizer.from_directory(model)


def test_template_sees_prompt_flag_tools_and_variables(model: Path) -> None:
    source = "{{ add_generation_prompt }} {{ tools }} {{ enable_thinking }} {{ documents }}"
    (model / "chat_template.jinja").write_text(source, encoding="utf-8")
    tokenizer = Tokenizer.from_directory(model)

    text = tokenizer.apply_chat_template(
        USER,
        add_generation_prompt=False,
        tools=[{"name": "f"}],
        variables={"enable_thinking": True},
    )

    assert text == "False [{'name': 'f'}] True None"


def test_text_that_cannot_be_encoded_is_refused(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)

    with pytest.raises(ValueError, match="lone surrogates"):
        tokenizer.encode("a\ud800")
    with pytest.raises(TypeError, match="text must be a str, got bytes"):
        tokenizer.encode(b"a")  # type: ignore[arg-type]


def test_ids_outside_the_vocabulary_add_no_text(model: Path) -> None:
    tokenizer = Tokenizer.from_directory(model)

    assert tokenizer.decode([0x61, 99999, 0x62]) == "ab"
    assert tokenizer.id_to_token(99999) is None
    assert tokenizer.token_to_id("no such token") is None


def test_a_tokenizer_goes_into_json_and_comes_back(tmp_path):
    tokenizer = Tokenizer(byte_level_backend())
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")

    again = Tokenizer.from_file(tmp_path / "tokenizer.json")

    assert again.encode("naïve <|end|>") == tokenizer.encode("naïve <|end|>")
