import pytest
from support.word_tokenizers import word_tokenizer

from mlxrs.lm.batch import batch_generate, batch_stream_generate
from mlxrs.lm.generate import generate
from mlxrs.lm.params import GenConfig
from mlxrs.testing import FakeModel, RecallModel, one_hot

V = 11
TOKENIZER = word_tokenizer()
PROMPTS = ["the quick fox", [6], "brown fox hello world the", [5, 5]]


def test_replies_are_those_of_each_prompt_alone_in_their_order():
    params = [GenConfig(max_tokens=count, seed=7, temp=1.0) for count in (9, 0, 5, 9)]

    replies = batch_generate(RecallModel(V), TOKENIZER, PROMPTS, params=params)

    for reply, prompt, config in zip(replies, PROMPTS, params, strict=True):
        expected = generate(RecallModel(V), TOKENIZER, prompt, params=config)
        assert reply == expected
        assert reply.finish_reason == expected.finish_reason
        assert reply.prompt_tokens == expected.prompt_tokens
        assert reply.generation_tokens == expected.generation_tokens
        assert (reply.ttft > 0) == (reply.generation_tokens > 0)


def test_no_prompts_make_no_replies():
    assert batch_generate(RecallModel(V), TOKENIZER, []) == []


def test_a_text_for_all_prompts_is_refused():
    with pytest.raises(ValueError, match="put it in a list"):
        batch_generate(RecallModel(V), TOKENIZER, "the fox")


def test_stop_strings_end_rows_and_are_never_seen():
    model = FakeModel(V, logits=one_hot(V, 5))
    params = [GenConfig(max_tokens=4, stop_strings=["the the"]), GenConfig(max_tokens=2)]

    first, second = batch_generate(model, TOKENIZER, ["fox", "fox"], params=params)

    assert (first, first.stop_string, first.finish_reason) == ("", "the the", "stop")
    assert (second, second.finish_reason) == ("the the", "length")


def test_streamed_responses_are_named_by_their_prompt():
    params = GenConfig(max_tokens=4, eos=[])
    texts = [""] * len(PROMPTS)

    for row, response in batch_stream_generate(RecallModel(V), TOKENIZER, PROMPTS, params=params):
        texts[row] += response.text

    assert texts == batch_generate(RecallModel(V), TOKENIZER, PROMPTS, params=params)


def test_nothing_is_computed_before_the_stream_is_read_or_after_it_is_closed():
    model = FakeModel(V)
    responses = batch_stream_generate(model, TOKENIZER, PROMPTS)
    assert model.calls == []

    next(responses)
    responses.close()

    assert list(responses) == []


def test_errors_of_rows_come_when_the_others_have_ended():
    def broken(tokens, logits):
        raise ZeroDivisionError

    params = [GenConfig(max_tokens=3, logits_processors=[broken]), GenConfig(max_tokens=3)]
    heard = []

    with pytest.raises(ExceptionGroup) as caught:
        for row, _ in batch_stream_generate(FakeModel(V), TOKENIZER, ["fox"] * 2, params=params):
            heard.append(row)

    assert heard == [1, 1, 1]
    (error,) = caught.value.exceptions
    assert isinstance(error, ZeroDivisionError)
    assert error.__notes__ == ["in row 0 of the batch"]
