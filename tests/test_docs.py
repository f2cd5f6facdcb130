"""The examples of the manuals run one after the other, on a model that answers at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.tokenizers import byte_level_backend

import mlxrs
from mlxrs.testing import RecallModel
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.chat_template import ChatTemplates

MANUAL = Path(__file__).parent.parent / "docs" / "chat.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.M | re.S)


TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"


def tokenizer() -> Tokenizer:
    backend = byte_level_backend()
    end = backend.token_to_id("<|end|>")
    templates = ChatTemplates({"default": TEMPLATE})
    return Tokenizer(backend, eos_token_ids=[end], chat_templates=templates)


def test_the_examples_about_chat_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("llguidance")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mlxrs, "load", lambda name: (RecallModel(260), tokenizer()))
    names: dict[str, object] = {"__name__": __name__}

    for example in EXAMPLES:
        exec(compile(example, str(MANUAL), "exec", dont_inherit=True), names)

    printed = capsys.readouterr().out
    assert "Animal(name=" in printed
    assert "True True" in printed and "0 messages left out" in printed
    assert len(EXAMPLES) > 10
