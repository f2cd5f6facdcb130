"""The examples of the manuals run one after the other, on a model that answers at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.word_tokenizers import byte_level_tokenizer

import mlxrs
from mlxrs.testing import RecallModel

MANUAL = Path(__file__).parent.parent / "docs" / "chat.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.M | re.S)


def test_the_examples_about_chat_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("llguidance")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mlxrs, "load", lambda name: (RecallModel(12), byte_level_tokenizer()))
    names: dict[str, object] = {}

    for example in EXAMPLES:
        exec(compile(example, str(MANUAL), "exec"), names)

    printed = capsys.readouterr().out
    assert "True True" in printed and "0 messages left out" in printed
    assert len(EXAMPLES) > 10
