"""Stop strings, against looking at the whole text at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxrs.lm.stop import StopMatcher

letters = st.sampled_from("abé")


def fed(stops, pieces):
    """What came out of each piece, and in the end, and the matcher."""
    matcher = StopMatcher(stops)
    out = [matcher.feed(piece) for piece in pieces]
    return out, matcher.flush(), matcher


@given(st.lists(st.text(letters, max_size=4), max_size=3), st.lists(st.text(letters, max_size=3)))
@settings(max_examples=300)
def test_pieces_give_what_the_whole_gives(stops, pieces):
    text, out, ended = "", [], None
    matcher = StopMatcher(stops)
    for piece in pieces:
        out.append(matcher.feed(piece))
        if ended is None:
            text += piece
            found = [(text.find(stop), i) for i, stop in enumerate(stops) if stop and stop in text]
            ended = min(found) if found else None
    out.append(matcher.flush())

    assert "".join(out) == (text if ended is None else text[: ended[0]])
    assert matcher.matched == (None if ended is None else stops[ended[1]])


@given(st.lists(st.text(letters, min_size=1, max_size=4), min_size=1, max_size=3), st.text(letters))
@settings(max_examples=200)
def test_no_beginning_of_a_stop_string_leaks_and_nothing_else_is_withheld(stops, text):
    matcher = StopMatcher(stops)
    out = matcher.feed(text)
    beginnings = {stop[:n] for stop in stops for n in range(len(stop))}
    withheld = max((text[i:] for i in range(len(text) + 1) if text[i:] in beginnings), key=len)

    assert matcher.matched is not None or out + withheld == text


def test_a_stop_string_over_several_pieces_ends_the_text_inside_a_piece():
    assert fed(["quic"], ["hello ", "qu", "ick brown"])[0] == ["hello ", "", ""]


def test_a_beginning_that_leads_elsewhere_comes_out_whole():
    out, _, matcher = fed(["stop!"], ["a st", "o", "ne"])

    assert out == ["a ", "", "stone"]
    assert matcher.matched is None


def test_the_first_to_begin_counts_and_of_equals_the_first_named():
    assert fed(["cd", "bc"], ["abcd"])[2].matched == "bc"
    assert fed(["bcd", "bc"], ["abcd"])[2].matched == "bcd"


def test_what_is_withheld_comes_out_at_the_end():
    assert fed(["stop"], ["sto"])[:2] == ([""], "sto")


@pytest.mark.parametrize("stops", [[], [""]])
def test_without_stop_strings_everything_passes_at_once(stops):
    assert fed(stops, ["a", "", "b"])[:2] == (["a", "", "b"], "")
