import pytest
from support.word_tokenizers import byte_level_tokenizer, word_tokenizer

from mlxrs.lm.generate import generate, stream_generate
from mlxrs.lm.params import GenConfig
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
