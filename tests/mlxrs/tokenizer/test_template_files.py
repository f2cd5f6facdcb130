"""Every place of a model directory that may hold a chat template is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlxrs.errors import FormatError
from mlxrs.tokenizer.template_files import read_templates


def test_template_is_one_string_or_a_list_with_names(tmp_path: Path) -> None:
    listed = [{"name": "default", "template": "a"}, {"name": "rag", "template": "b"}]

    assert read_templates(tmp_path, {"chat_template": "x"}).default == "x"
    assert read_templates(tmp_path, {"chat_template": listed}).names == ("default", "rag")
    assert read_templates(tmp_path, {}).names == ()


@pytest.mark.parametrize("folder", ["chat_templates", "additional_chat_templates"])
def test_files_go_before_the_config(tmp_path: Path, folder: str) -> None:
    (tmp_path / "chat_template.jinja").write_text("file é", encoding="utf-8")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "tool_use.jinja").write_text("tools")

    templates = read_templates(tmp_path, {"chat_template": "config"})

    assert templates.default == "file é"
    assert templates.select(with_tools=True).source == "tools"


@pytest.mark.parametrize("value", [[1], [{"name": "default"}], [{"template": "x"}]])
def test_malformed_list_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(FormatError, match="must have name and template"):
        read_templates(tmp_path, {"chat_template": value})


def test_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "chat_template.jinja"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError, match="must be UTF-8"):
        read_templates(tmp_path, {})
    file.write_bytes(b" " * (1 << 21))
    with pytest.raises(FormatError, match="at most"):
        read_templates(tmp_path, {})
    file.unlink()
    file.mkdir()
    with pytest.raises(FormatError, match="must be a file"):
        read_templates(tmp_path, {})


def test_many_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "chat_templates").mkdir()
    for i in range(257):
        (tmp_path / "chat_templates" / f"{i}.jinja").touch()

    with pytest.raises(FormatError, match="at most 256 templates"):
        read_templates(tmp_path, {})
