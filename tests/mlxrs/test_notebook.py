"""Replies in notebooks: drawn while they come, and as the value of a cell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from support.chat import chat

from mlxrs.lm.reply import Reply
from mlxrs.notebook import show
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot

EXAMPLE = Path(__file__).parents[2] / "examples" / "notebook.ipynb"


@pytest.fixture(autouse=True)
def no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))


def output_of(*cells: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the outputs of the cells, run by a kernel, and all that was drawn on the way."""
    nbformat = pytest.importorskip("nbformat")
    sources = [f"import sys; sys.path[:] = {sys.path}", *cells]
    made = [nbformat.v4.new_code_cell(source) for source in sources]
    return execute(nbformat.v4.new_notebook(cells=made))


def execute(notebook: Any) -> tuple[list[dict[str, Any]], list[str]]:
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient").NotebookClient(notebook, timeout=120)
    drawn: list[str] = []

    def note(message: dict[str, Any], *rest: Any) -> Any:
        if message["msg_type"] in ("display_data", "update_display_data"):
            drawn.append(message["content"]["data"]["text/markdown"])
        return process(message, *rest)

    process, client.process_message = client.process_message, note
    done = client.execute()
    return [output for cell in done.cells for output in cell.get("outputs", [])], drawn


def test_a_reply_is_drawn_while_it_comes_and_as_the_value_of_a_cell():
    outputs, drawn = output_of(
        "import mlxrs.notebook\n"
        "from support.chat import chat\n"
        "from mlxrs.testing import FakeModel, one_hot\n"
        "mlxrs.notebook.INTERVAL = 0\n"
        "session = chat(4, FakeModel(11, logits=one_hot(11, 3)))",
        "reply = mlxrs.notebook.show(session.stream_respond('hello'))",
        "reply",
    )
    text = str(chat(4, FakeModel(11, logits=one_hot(11, 3))).respond("hello"))

    assert [output["data"]["text/markdown"] for output in outputs] == [text, text]
    assert outputs[0]["output_type"] == "display_data"
    # Empty at first, then what there was after each token, and the whole of it.
    assert len(drawn) == 1 + 4 + 1 and drawn == sorted(drawn, key=len)
    assert drawn[0] == "" and drawn[-1] == text


def test_the_notebook_among_the_examples_runs():
    nbformat = pytest.importorskip("nbformat")

    outputs, drawn = execute(nbformat.read(EXAMPLE, as_version=4))

    assert [output["output_type"] for output in outputs] == [
        "display_data",
        "execute_result",
        "execute_result",
    ]
    assert len(drawn) > 3 and outputs[0]["data"]["text/markdown"] == drawn[-1]


def test_without_a_notebook_the_text_is_printed(capsys: pytest.CaptureFixture[str]):
    session = chat(3)

    reply = show(session.stream_respond("hello"))

    assert capsys.readouterr().out == f"{reply}\n" and session.history[-1].content == reply
    assert reply.prompt_tokens > 0 and reply.generation_tokens == 3 and reply.ttft > 0


def test_what_there_is_of_a_reply_stays_when_it_breaks(capsys: pytest.CaptureFixture[str]):
    session = chat(9, FailingModel(FakeModel(11), calls=4))

    with pytest.raises(ModelBroke):
        show(session.stream_respond("hello"))

    assert capsys.readouterr().out == f"{session.history[-1].content}\n" != "\n"


@pytest.mark.parametrize(
    "text, markdown",
    [
        ("**4**", "**4**"),
        ("<think>\n2 and 2\n\nis\n</think>\n\n**4**", "> 2 and 2\n>\n> is\n\n**4**"),
        ("<think>2 and", "> 2 and\n\n"),
    ],
)
def test_thinking_is_a_quotation(text: str, markdown: str):
    assert Reply(text)._repr_markdown_() == markdown
