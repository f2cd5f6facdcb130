"""Commands that answer and exit, on a real model."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.command import COMMAND, mlxrs
from support.models import smollm2_gguf

import mlxrs as package

FRANCE = "What is the capital of France?"


def test_chat_writes_the_reply_to_stdout_and_the_figures_to_stderr() -> None:
    done = mlxrs("chat", "--prompt", FRANCE)

    assert done.returncode == 0
    assert "Paris" in done.stdout and done.stdout.endswith("\n")
    assert "tokens/s" in done.stderr and len(done.stderr.splitlines()) == 1


def test_chat_answers_what_is_piped_in() -> None:
    piped = mlxrs("chat", "--max-tokens", "8", piped=f"{FRANCE}\n".encode())
    given = mlxrs("chat", "--max-tokens", "8", "--prompt", FRANCE)

    assert piped.returncode == 0
    assert piped.stdout == given.stdout != ""


def test_chat_as_json_is_one_document_with_text_and_figures() -> None:
    done = mlxrs("chat", "--json", "--prompt", FRANCE)
    reply = json.loads(done.stdout)

    assert "Paris" in reply["text"]
    assert reply["finish_reason"] == "eos"
    assert reply["generation_tokens"] > 0
    assert done.stderr == ""


def test_system_text_is_read_with_the_prompt() -> None:
    def prompt_tokens(*options: str) -> int:
        done = mlxrs("chat", "--json", "--max-tokens", "1", "--prompt", "Hi", *options)
        return json.loads(done.stdout)["prompt_tokens"]

    once = "Speak like a pirate."

    # A word of this sentence is a token, and so is its full stop.
    more = prompt_tokens("--system", f"{once} {once}") - prompt_tokens("--system", once)
    assert more == 5


def test_a_seed_makes_sampling_repeatable() -> None:
    def sample(seed: int) -> str:
        options = ("--temp", "1.5", "--max-tokens", "12", "--seed", str(seed))
        return mlxrs("generate", "--prompt", "The", *options).stdout

    assert sample(7) == sample(7) != sample(8)


def test_generate_continues_a_text_without_a_template() -> None:
    done = mlxrs("generate", "--json", "--max-tokens", "4", "--prompt", "A B C D E F")
    reply = json.loads(done.stdout)

    assert reply["prompt_tokens"] == 6
    assert reply["text"].startswith(" G H")


def test_a_reader_that_leaves_early_is_no_complaint() -> None:
    with subprocess.Popen(
        [*COMMAND, "generate", "--prompt", "Count: 1, 2,", "--max-tokens", "200"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.read(1)
        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "models"], stdout=full, stderr=subprocess.PIPE, text=True)

    assert done.returncode == 1
    assert done.stderr == f"mlxrs: error: [Errno 28] {os.strerror(28)}\n"


def test_pull_prints_where_the_model_is() -> None:
    path = smollm2_gguf()

    done = mlxrs("pull", "smollm2-135m-instruct")

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")


def test_models_tells_what_is_here(tmp_path: Path) -> None:
    here = smollm2_gguf()

    [known] = json.loads(mlxrs("models", "--json").stdout)
    elsewhere = mlxrs("models", environment={"MLXRS_CACHE": str(tmp_path)})

    assert (known["name"], known["path"]) == ("smollm2-135m-instruct", str(here))
    assert "mlxrs pull smollm2-135m-instruct" in elsewhere.stdout


def test_info_describes_this_machine_and_a_model() -> None:
    done = mlxrs("info", "--json", str(smollm2_gguf()))
    sections = json.loads(done.stdout)

    assert sections["versions"]["mlxrs"] == package.__version__
    assert sections["blas"]["provider"] in ("openblas", "accelerate", "reference")
    assert sections["config"]["num_hidden_layers"] == 30
    assert sections["model"]["tensors"] == 272 + 2 * 211  # scales and biases beside each triple
    assert sections["tokenizer"]["vocab_size"] == 49152
    assert sections["tokenizer"]["chat_template"] is True


def test_info_without_a_model_needs_none(tmp_path: Path) -> None:
    done = mlxrs("info", environment={"MLXRS_CACHE": str(tmp_path / "cache")})

    assert done.returncode == 0
    assert "openblas" in done.stdout or "accelerate" in done.stdout
    assert not (tmp_path / "cache").exists()


def test_version_is_that_of_the_package() -> None:
    assert mlxrs("--version").stdout == f"mlxrs {package.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("sing",), ("chat", "--temp", "warm"), ("pull",), ("chat", "--quantized", "maybe")],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = mlxrs(*arguments)

    assert done.returncode == 2
    assert done.stdout == "" and "usage: mlxrs" in done.stderr
