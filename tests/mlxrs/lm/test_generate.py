from threading import Event

import pytest
from support.word_tokenizers import byte_level_tokenizer, word_tokenizer

from mlxrs.lm.cache import cached_tokens
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.generate import generate, stream_generate
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.response import FinishReason
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot


def test_a_text_prompt_is_encoded_and_continued():
    model = FakeModel(11, logits=one_hot(11, 3))

    reply = generate(model, word_tokenizer(), "the quick fox", params=GenConfig(max_tokens=2))

    assert model.windows[0] + model.windows[1] == [5, 6, 8]
    assert reply == "hello hello"
    assert (reply.prompt_tokens, reply.generation_tokens) == (3, 2)
    assert reply.finish_reason is FinishReason.LENGTH


def test_responses_count_tokens_and_join_to_the_text():
    params = GenConfig(max_tokens=3)
    model, tokenizer = FakeModel(11, logits=one_hot(11, 4)), word_tokenizer()

    responses = list(stream_generate(model, tokenizer, [3, 4], params=params))

    assert "".join(response.text for response in responses) == "world world world"
    assert [response.generation_tokens for response in responses] == [1, 2, 3]
    assert {response.prompt_tokens for response in responses} == {2}
    assert responses[0].generation_tps == 0.0
    assert all(response.prompt_tps > 0 for response in responses)


def test_withheld_text_comes_with_the_last_response():
    responses = list(
        stream_generate(
            FakeModel(12), byte_level_tokenizer(), "fox", params=GenConfig(max_tokens=2)
        )
    )

    assert "".join(response.text for response in responses) == "\ufffd\ufffd"
    assert responses[-1].text.endswith("\ufffd")


def test_an_error_leaves_the_text_so_far_with_its_tail():
    stream = stream_generate(FailingModel(FakeModel(12), 2), byte_level_tokenizer(), [3])

    with pytest.raises(ModelBroke):
        list(stream)

    assert stream.tokens == [11, 11]
    assert stream.text == "\ufffd\ufffd"
    assert list(stream) == []


def test_nothing_is_computed_before_the_stream_is_read():
    model = FakeModel(11)

    with stream_generate(model, word_tokenizer(), "fox"):
        assert model.windows == []


def test_the_caches_continue_a_text():
    model = FakeModel(11)
    cache = model.make_cache()

    generate(model, word_tokenizer(), "fox", params=GenConfig(max_tokens=2), cache=cache)
    generate(model, word_tokenizer(), "the fox", params=GenConfig(max_tokens=1), cache=cache)

    assert cache[0].offset == (1 + 1) + 2


class Counter(FakeModel):
    """Says the token after the one it was shown last."""

    def scores(self, tokens):
        return one_hot(self.vocab_size, tokens + 1)


@pytest.mark.parametrize(
    "stops, text, reason, stop",
    [
        ([], "the quick brown fox", "length", None),
        ([""], "the quick brown fox", "length", None),
        (["quic"], "the ", "stop", "quic"),
        (["ck bro"], "the qui", "stop", "ck bro"),
        (["own", "quick"], "the ", "stop", "quick"),
        (["quick red"], "the quick brown fox", "length", None),
        (["fox"], "the quick brown ", "stop", "fox"),
        (["fox jumps"], "the quick brown fox", "length", None),
    ],
)
def test_a_stop_string_ends_the_text_in_front_of_it(stops, text, reason, stop):
    model, tokenizer = Counter(11), word_tokenizer()
    cache = model.make_cache()
    params = GenConfig(max_tokens=4, stop_strings=stops)

    responses = list(stream_generate(model, tokenizer, [4], params=params, cache=cache))

    assert "".join(response.text for response in responses) == text
    assert [response.finish_reason for response in responses[:-1]] == [None] * (len(responses) - 1)
    assert (responses[-1].finish_reason, responses[-1].stop_string) == (reason, stop)
    assert cache[0].offset == len(responses)


def test_nothing_of_a_stop_string_is_seen_before_it_is_complete():
    params = GenConfig(max_tokens=4, stop_strings=["quick brown fox"])

    responses = list(stream_generate(Counter(11), word_tokenizer(), [4], params=params))

    assert [response.text for response in responses] == ["the", " ", "", ""]


def test_a_stop_string_completed_by_the_tail_comes_before_the_other_reasons():
    params = GenConfig(max_tokens=2, stop_strings=["\ufffd\ufffd"])

    reply = generate(FakeModel(12), byte_level_tokenizer(), "fox", params=params)

    assert (reply, reply.finish_reason, reply.stop_string) == ("", "stop", "\ufffd\ufffd")


def test_text_withheld_for_a_stop_string_is_not_lost_when_the_stream_is_closed():
    params = GenConfig(stop_strings=["the quick fox"])
    stream = stream_generate(Counter(11), word_tokenizer(), [4], params=params)

    assert [next(stream).text, next(stream).text] == ["", ""]
    stream.close()

    assert stream.text == "the quick"


def test_a_reply_carries_logprobs_where_they_are_asked_for():
    params = GenConfig(max_tokens=1, top_logprobs=2)

    (response,) = stream_generate(
        FakeModel(11, logits=one_hot(11, 4)), word_tokenizer(), "fox", params=params
    )

    assert response.top_logprobs[0] == (4, response.logprob)
    assert response.logprobs.shape == (11,)


def test_a_cancelled_reply_has_no_reason():
    cancel = Event()
    cancel.set()

    reply = generate(FakeModel(11), word_tokenizer(), "fox", cancel=cancel)

    assert (reply, reply.finish_reason, reply.generation_tokens) == ("", None, 0)


@pytest.mark.parametrize(
    "speculative",
    [
        SpeculativeDecodingConfig(FakeModel(100, logits=one_hot(100, 11)), 2),
        PromptLookupConfig(2, min_ngram_size=1),
    ],
)
def test_speculation_changes_no_text_and_tells_how_well_it_guessed(speculative):
    model, tokenizer = FakeModel(100, logits=one_hot(100, 11)), byte_level_tokenizer()
    params = GenConfig(max_tokens=9, stop_strings=["no such text"], collect_logprobs=True)
    expected = list(stream_generate(model, tokenizer, [1, 11], params=params))

    with stream_generate(
        model, tokenizer, [1, 11], params=params, speculative=speculative
    ) as stream:
        responses = list(stream)

    assert [(r.token, r.text, r.logprob) for r in responses] == [
        (r.token, r.text, r.logprob) for r in expected
    ]
    assert [r.generation_tokens for r in responses] == list(range(1, 10))
    stats = responses[-1].speculation
    assert stats.accepted == sum(r.from_draft for r in responses) > 0
    reply = generate(model, tokenizer, [1, 11], params=params, speculative=speculative)
    assert reply.speculation == stats
    assert generate(model, tokenizer, [1, 11], params=params).speculation is None


def test_a_stop_string_ends_speculation_with_its_caches():
    model, tokenizer = FakeModel(20, logits=one_hot(20, 3)), word_tokenizer()
    words = generate(model, tokenizer, [1], params=GenConfig(max_tokens=3))
    cache, draft_cache = model.make_cache(), model.make_cache()
    reply = generate(
        model,
        tokenizer,
        [1],
        params=GenConfig(max_tokens=20, stop_strings=[words[-3:]]),
        cache=cache,
        speculative=SpeculativeDecodingConfig(model, 5, draft_cache=draft_cache),
    )

    assert reply.finish_reason is FinishReason.STOP
    assert cached_tokens(cache) == cached_tokens(draft_cache) == reply.generation_tokens
