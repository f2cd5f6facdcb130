"""The conversation at a real terminal, with a real model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command import Terminal
from support.models import smollm2_gguf

PROMPT = ">>> "
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    """Returns a function that begins a chat and waits for its prompt."""
    terminals = []

    def begin() -> Terminal:
        terminal = Terminal(
            "chat",
            *("--model", str(smollm2_gguf())),
            environment={"XDG_STATE_HOME": str(tmp_path / "state")},
        )
        terminals.append(terminal)
        terminal.read_until(PROMPT)
        return terminal

    yield begin
    for terminal in terminals:
        terminal.kill()


def ask(terminal: Terminal, line: str) -> str:
    """Types a line and returns all that is shown up to the next prompt."""
    terminal.type(f"{line}\n")
    terminal.read_until(line)
    return terminal.read_until(PROMPT)


def test_ctrl_c_stops_a_reply_and_keeps_the_session(
    start: Callable[[], Terminal], tmp_path: Path
) -> None:
    terminal = start()
    terminal.type("Write a long story about the sea.\n")
    terminal.read_until("story about the sea.")
    terminal.read_until(" the ")
    terminal.type(CTRL_C)
    terminal.read_until("(stopped)")
    terminal.read_until(PROMPT)

    reply = ask(terminal, "What is the capital of France?")
    ask(terminal, f"/save {tmp_path / 'talk.json'}")
    terminal.type(CTRL_D)

    assert terminal.exit_code() == 0
    assert "Paris" in reply
    talk = json.loads((tmp_path / "talk.json").read_text())
    assert [message["role"] for message in talk["messages"]] == ["user", "assistant"] * 2
    assert " the " in talk["messages"][1]["content"]


def test_ctrl_c_at_the_prompt_drops_the_line(start: Callable[[], Terminal]) -> None:
    terminal = start()
    terminal.type("forget this")
    terminal.read_until("forget this")
    terminal.press_until(CTRL_C, PROMPT)

    assert "no whole reply" in ask(terminal, "/stats")
    terminal.type(CTRL_D)
    assert terminal.exit_code() == 0


def test_the_second_turn_reads_only_what_is_new(start: Callable[[], Terminal]) -> None:
    terminal = start()
    ask(terminal, "What is the capital of France?")
    assert "(0 cached" in ask(terminal, "/stats")
    ask(terminal, "Thank you.")
    assert "(0 cached" not in ask(terminal, "/stats")
    ask(terminal, "/clear")
    ask(terminal, "Thank you.")
    assert "(0 cached" in ask(terminal, "/stats")


def test_errors_do_not_end_the_conversation(start: Callable[[], Terminal], tmp_path: Path) -> None:
    terminal = start()

    assert "mlxrs: error: no such command; /help lists them" in ask(terminal, "/sing")
    assert "mlxrs: error: /save needs a path" in ask(terminal, "/save")
    assert "mlxrs: error: /proc/none/x.json: No such file" in ask(
        terminal, "/save /proc/none/x.json"
    )
    assert "/clear" in ask(terminal, "/help")


def test_lines_are_recalled_in_the_next_chat(start: Callable[[], Terminal]) -> None:
    first = start()
    ask(first, "/stats")
    first.type(CTRL_D)
    assert first.exit_code() == 0

    second = start()
    second.type(f"{UP}\n")

    assert "no whole reply" in second.read_until(PROMPT)


def test_ctrl_c_ends_a_single_answer() -> None:
    question = "Write a long story about the sea."
    terminal = Terminal(
        "chat", "--model", str(smollm2_gguf()), "--prompt", question, environment={}
    )
    terminal.read_until(" the ")
    terminal.type(CTRL_C)

    assert terminal.exit_code() == 130
