import pytest

from mlxrs.lm.thinking import split_thinking


@pytest.mark.parametrize(
    "text, thinking, answer",
    [
        ("4", None, "4"),
        (" 4\n", None, " 4\n"),
        ("<think>2 and 2</think>\n4", "2 and 2", "4"),
        ("\n<think>\n2 and 2\n</think>\n\n4", "2 and 2", "4"),
        ("2 and 2\n</think>4", "2 and 2", "4"),
        ("<think>\n\n</think>\n\n4", "", "4"),
        ("<think>still at it", "still at it", ""),
        ("[THINK]a[/THINK]b", "a", "b"),
        ("<seed:think>a</seed:think>b", "a", "b"),
        ("<think>a</think>b</think>", "a", "b</think>"),
        ("say <think> aloud", None, "say <think> aloud"),
        ("", None, ""),
    ],
)
def test_thinking_is_what_stands_before_its_end(text, thinking, answer):
    assert split_thinking(text) == (thinking, answer)
