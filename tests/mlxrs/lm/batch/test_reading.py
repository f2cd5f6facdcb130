from hypothesis import given
from hypothesis import strategies as st
from support.word_tokenizers import word_tokenizer

from mlxrs.lm.batch.reading import SHARED, segments_of
from mlxrs.lm.batch.row import Row
from mlxrs.lm.params import GenConfig
from mlxrs.lm.pick import TokenPicker
from mlxrs.lm.responder import Responder

TOKENIZER = word_tokenizer()


def rows_of(prompts, caches=None):
    caches = caches or [None] * len(prompts)
    return [
        Row(
            number,
            prompt,
            cache,
            TokenPicker(GenConfig()),
            Responder(TOKENIZER.detokenizer(), len(prompt)),
            (),
            1,
        )
        for number, (prompt, cache) in enumerate(zip(prompts, caches, strict=True))
    ]


def paths(segments, before=()):
    """The ids read for each row, by its id."""
    found = {}
    for segment in segments:
        ids = [*before, *segment.ids]
        assert set(segment.rows) <= set(segment.leaves)
        found |= {row.id: ids for row in segment.rows}
        found |= paths(segment.children, ids)
    return found


def size(segments):
    return sum(len(segment.ids) + size(segment.children) for segment in segments)


BLOCKS = [[n] * (SHARED + 3) for n in range(3)] + [[4, 5], [4, 6], [7]]


@given(st.lists(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4), max_size=7))
def test_every_prompt_is_read_but_for_its_last_token(blocks):
    prompts = [sum(parts, []) for parts in blocks]

    segments = segments_of(rows_of(prompts))

    assert paths(segments) == {n: prompt[:-1] for n, prompt in enumerate(prompts)}
    assert size(segments) <= sum(len(prompt) - 1 for prompt in prompts)


def test_a_tree_of_prompts_is_read_once():
    a, b, c = ([n] * SHARED for n in range(3))
    prompts = [a + b + [5, 1], a + b + [6], a + c + [7], a + c + [7], c + [1]]

    segments = segments_of(rows_of(prompts))

    assert size(segments) == len(a + b + [5]) + len(c) + len(c)
    assert [segment.leaves[0].id for segment in segments] == [0, 4]


def test_a_short_beginning_in_common_is_read_again():
    prompts = [[1] * 4 + [2, 3], [1] * 4 + [4, 5]]

    assert size(segments_of(rows_of(prompts))) == 5 + 5


def test_equal_prompts_are_read_once_however_short():
    assert size(segments_of(rows_of([[1, 2, 3]] * 4))) == 2


def test_prompts_behind_different_caches_have_nothing_in_common():
    one, other = [], []
    prompt = [1] * 100

    segments = segments_of(rows_of([prompt] * 4, [one, other, one, None]))

    assert [(s.cache, [row.id for row in s.leaves]) for s in segments] == [
        (one, [0, 2]),
        (other, [1]),
        (None, [3]),
    ]


def test_prompts_that_each_go_on_a_little_further_are_read_at_any_depth():
    prompts = [[1] * (SHARED * n + 1) for n in range(1, 1500, 100)]

    segments = segments_of(rows_of(prompts))

    assert size(segments) == len(prompts[-1]) - 1
