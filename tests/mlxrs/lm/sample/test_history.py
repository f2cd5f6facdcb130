from hypothesis import given, settings
from hypothesis import strategies as st

import mlxc as mx
from mlxrs.lm.sample import TokenHistory


@given(st.lists(st.one_of(st.integers(1, 300), st.integers(-40, -1)), max_size=8))
@settings(max_examples=30, deadline=None)
def test_it_holds_what_was_added_and_not_taken_back(changes):
    history, wanted, seen = TokenHistory(), [], []
    for change in changes:
        if change > 0:
            new = list(range(len(wanted), len(wanted) + change))
            history.append(mx.array(new, dtype=mx.uint32))
            wanted += new
        else:
            history.truncate(max(0, len(wanted) + change))
            del wanted[change:]
        seen.append((history.tokens, list(wanted)))

    assert len(history) == len(wanted)
    for tokens, then in seen:
        assert tokens.tolist() == then


def test_it_begins_empty():
    assert (len(TokenHistory()), TokenHistory().tokens.shape) == (0, (0,))
