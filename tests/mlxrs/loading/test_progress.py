"""The download bar draws for people and is silent for pipes."""

from __future__ import annotations

import io

from mlxrs.loading.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_draws_on_a_terminal_and_ends_its_line() -> None:
    stream = Terminal()

    with ProgressBar("tiny", stream=stream) as bar:
        bar(0, 2_000_000)
        bar(1_000_000, 2_000_000)
        bar(2_000_000, 2_000_000)

    assert stream.getvalue().split("\r")[1:] == [
        "tiny [                              ]   0% 0/2 MB",
        "tiny [###############               ]  50% 1/2 MB",
        "tiny [##############################] 100% 2/2 MB\n",
    ]


def test_bar_is_silent_elsewhere() -> None:
    stream = io.StringIO()

    with ProgressBar("tiny", stream=stream) as bar:
        bar(1, 2)

    assert stream.getvalue() == ""
