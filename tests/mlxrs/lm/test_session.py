"""A chat session, turn by turn.

A turn over a cache keeping c tokens, feeding f ids and ending by length at m tokens leaves
c + f - 1 + m tokens cached: the token generated last is never read. Offsets alone do not tell
reuse from reading all again, so the ids handed to the model are counted too.
"""

import gc

import pytest
from support.tiny_configs import LLAMA
from support.word_tokenizers import (
    byte_level_tokenizer,
    tokenizer_without_template,
    word_tokenizer,
)

import mlxc as mx
from mlxrs.errors import ChatTemplateError, ContextLengthError, StreamEndedError
from mlxrs.lm.cache import KVCache
from mlxrs.lm.messages import ChatMessage, Role
from mlxrs.lm.models.llama import Model, ModelArgs
from mlxrs.lm.params import GenConfig
from mlxrs.lm.response import FinishReason
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot


def chat(max_tokens: int, model=None, tokenizer=None, **options) -> ChatSession:
    return ChatSession(
        model or FakeModel(11),
        tokenizer or word_tokenizer(),
        params=GenConfig(max_tokens=max_tokens),
        **options,
    )


def offset(session: ChatSession) -> int:
    offsets = {cache.offset for cache in session.current_cache}
    assert len(offsets) == 1, "the layers are out of step"
    return offsets.pop()


def contents(session: ChatSession) -> list[tuple[str, str]]:
    return [(str(message.role), message.content) for message in session.history]


def unfinished(count: int) -> str:
    """What a fresh detokenizer makes of `count` unfinished bytes in the end."""
    detokenizer = byte_level_tokenizer().detokenizer()
    for _ in range(count):
        detokenizer.add_token(11)
    detokenizer.finalize()
    return detokenizer.text


def test_a_session_has_a_cache_from_the_first_turn_on():
    session = chat(4)
    assert not session.has_cache and session.current_cache is None and session.history == []

    assert session.respond("hello")

    assert session.has_cache and len(session.current_cache) == 2


def test_turns_alternate_in_the_history_and_share_one_cache():
    session = chat(3)
    session.respond("hello world")
    first = offset(session)
    assert [message.role for message in session.history] == [Role.USER, Role.ASSISTANT]

    session.respond("the quick fox")

    assert len(session.history) == 4
    assert session.history[2] == ChatMessage.user("the quick fox")
    assert session.history[3].role is Role.ASSISTANT
    assert offset(session) > first


def test_the_second_turn_feeds_only_what_is_new():
    model = FakeModel(11)
    session = chat(3, model)
    session.respond("hello world")
    first, fed = offset(session), model.fed
    rendered = len(session.render("the quick fox"))
    assert (first, rendered, model.fed) == (11, 21, fed)

    reply = session.respond("the quick fox")

    assert offset(session) == 23 == first + (rendered - first) - 1 + 3
    assert model.fed - fed == (rendered - first) + 3 - 1
    assert (reply.prompt_tokens, reply.cached_tokens) == (21, 11)


def test_changed_instructions_drop_what_no_longer_heads_the_conversation():
    model = FakeModel(11)
    session = chat(3, model)
    session.respond("hello")
    fed = model.fed
    session.instructions = "hello world the quick"

    reply = session.respond("world")

    assert offset(session) == 27
    # Common are `<s>`, three ids of a role (all roles are unknown words) and "hello".
    assert reply.cached_tokens == 5
    assert model.fed - fed == 25 - 5 + 3 - 1


def test_a_diverging_turn_rewinds_to_the_common_beginning():
    """The cached reply is one the next rendering spells with other ids."""
    model = FakeModel(11, logits=one_hot(11, 2))
    tokenizer = word_tokenizer()
    tokenizer.eos_token_ids = frozenset()
    session = chat(3, model, tokenizer)
    session.respond("hello")
    session._history[1] = ChatMessage.assistant("fox")
    fed = model.fed

    reply = session.respond("world")

    # All of the first prompt is kept, its reply is read anew.
    assert reply.cached_tokens == 8
    rendered = 1 + (3 + 1) + (3 + 1) + (3 + 1) + 3
    assert offset(session) == rendered - 1 + 3
    assert model.fed - fed == rendered - 8 + 3 - 1


def test_streamed_text_is_the_reply_of_respond():
    streaming, waiting = chat(5), chat(5)

    text = "".join(response.text for response in streaming.stream_respond("hello"))

    assert text == waiting.respond("hello")
    assert contents(streaming) == contents(waiting)


def test_the_history_records_what_was_streamed():
    session = chat(4)

    text = "".join(response.text for response in session.stream_respond("hello"))

    assert contents(session) == [("user", "hello"), ("assistant", text)]
    assert session.render("x")[8:12] == [10, 10, 10, 10]


def test_only_the_last_response_says_why_it_ended():
    reasons = [response.finish_reason for response in chat(3).stream_respond("hello")]

    assert reasons == [None, None, FinishReason.LENGTH]


def test_clear_forgets_all_but_instructions_and_settings():
    session = chat(3, instructions="be terse", history=[ChatMessage.user("fox")])
    session.respond("hello")
    assert session.has_cache and session.history

    session.clear()

    assert not session.has_cache and session.history == []
    assert session.instructions == "be terse" and session.params.max_tokens == 3
    reply = session.respond("hello")
    assert session.has_cache and len(session.history) == 2 and reply.cached_tokens == 0


def test_clear_forgets_messages_given_at_construction():
    session = chat(3, history=[ChatMessage.user("fox")])

    session.clear()
    session.respond("hello")

    assert len(session.history) == 2


def test_a_dropped_stream_records_what_it_gave():
    session = chat(10)
    stream = session.stream_respond("hello")
    text = next(stream).text
    del stream
    gc.collect()

    first = offset(session)
    assert len(session.history) == 2
    assert session.history[1].role is Role.ASSISTANT
    assert session.history[1].content.startswith(text)
    session.respond("world")
    assert offset(session) > first


def test_leaving_a_loop_early_ends_the_turn():
    session = chat(10)

    for _ in session.stream_respond("hello"):
        break

    assert len(session.history) == 2


def test_the_turn_after_a_dropped_stream_feeds_only_what_is_new():
    model = FakeModel(11)
    session = chat(8, model)
    stream = session.stream_respond("hello world")
    next(stream), next(stream)
    del stream
    gc.collect()
    first, fed, rendered = offset(session), model.fed, len(session.render("the quick fox"))
    # The prompt of 9 and the first of the two tokens: the look-ahead is undone.
    assert (first, rendered) == (10, 20)

    session.respond("the quick fox")

    assert offset(session) == 27 == first + (rendered - first) - 1 + 8
    assert model.fed - fed == (rendered - first) + 8 - 1


def test_a_closed_stream_stays_ended_and_commits_once():
    session = chat(8)
    with session.stream_respond("hello") as stream:
        text = next(stream).text
    stream.close()

    assert list(stream) == []
    assert contents(session)[1:] == [("assistant", stream.text)]
    assert stream.text.startswith(text)


def test_a_stream_never_begun_records_an_empty_reply():
    model = FakeModel(11)
    session = chat(8, model)

    session.stream_respond("hello")
    gc.collect()

    assert contents(session) == [("user", "hello"), ("assistant", "")]
    assert model.windows == [] and offset(session) == 0
    assert session.respond("world").generation_tokens == 8


def test_the_message_is_in_the_history_while_the_reply_streams():
    session = chat(8)

    with session.stream_respond("hello") as stream:
        next(stream)
        assert contents(session) == [("user", "hello")]


def test_another_turn_ends_the_stream_before_it():
    session = chat(8)
    stream = session.stream_respond("hello")
    next(stream)

    session.respond("world")

    assert [role for role, _ in contents(session)] == ["user", "assistant"] * 2
    with pytest.raises(StreamEndedError, match="another turn"):
        next(stream)
    del stream
    gc.collect()
    assert len(session.history) == 4


def test_clear_ends_a_stream_without_a_trace():
    session = chat(8)
    stream = session.stream_respond("hello")
    next(stream)

    session.clear()

    assert session.history == [] and not session.has_cache
    with pytest.raises(StreamEndedError):
        next(stream)
    assert session.history == []


def test_earlier_messages_join_at_the_first_turn_once():
    seed = [ChatMessage.user("hello"), ChatMessage.assistant("world")]
    session = chat(3, history=seed)
    assert not session.has_cache and session.history == []

    session.respond("the fox")
    assert session.has_cache
    assert session.history[:3] == [*seed, ChatMessage.user("the fox")]
    assert len(session.history) == 4

    session.respond("hello")
    assert len(session.history) == 6


def test_instructions_reach_the_prompt():
    plain, instructed = chat(1), chat(1, instructions="hello world the quick brown fox")

    plain.respond("hello")
    instructed.respond("hello")

    assert (offset(plain), offset(instructed)) == (8, 17)


def test_instructions_can_be_set_and_taken_back():
    session = chat(3)
    assert session.instructions is None

    session.instructions = "be brief"
    assert session.instructions == "be brief"

    session.instructions = None
    assert session.instructions is None


def test_settings_changed_in_place_count_from_the_next_turn_on():
    session = chat(3)
    with session.stream_respond("hello") as stream:
        session.params.max_tokens = 7
        assert len(list(stream)) == 3

    assert session.respond("hello").generation_tokens == 7


def restored(length: int) -> list[KVCache]:
    model = FakeModel(11)
    caches = model.make_cache()
    model(mx.zeros((1, length), dtype=mx.int32), caches)
    return caches


def test_a_restored_cache_stays_in_front_of_a_shorter_conversation():
    model = FakeModel(11)
    session = chat(3, model, cache=restored(10))
    assert session.has_cache

    session.respond("hello")
    assert offset(session) == 20 == 10 + 8 - 1 + 3

    rendered, first, fed = len(session.render("world")), offset(session), model.fed
    session.respond("world")
    assert (rendered, offset(session)) == (18, 30)
    assert offset(session) - first < rendered
    # Named are the 8 of the prompt and 2 of the reply; what the opaque ones say is unknown.
    assert model.fed - fed == (18 - 10) + 3 - 1


def test_a_restored_cache_stays_in_front_of_a_longer_conversation():
    session = chat(4, cache=restored(10))

    session.respond("hello world the quick brown fox")

    assert offset(session) == 26 == 10 + 13 - 1 + 4


def test_changed_instructions_keep_a_restored_cache():
    session = chat(3, cache=restored(10))
    session.respond("hello")
    session.instructions = "hello world the quick"

    session.respond("world")

    assert offset(session) == 10 + 25 - 1 + 3


def test_a_restored_cache_must_fit_the_layers():
    with pytest.raises(ValueError, match="each of the model's 2 layers, got 1"):
        chat(3, cache=[KVCache()])


def test_an_error_records_the_text_before_it():
    model = FailingModel(FakeModel(12, logits=one_hot(12, 11)), calls=4)
    session = chat(32, model, byte_level_tokenizer())
    streamed, tokens = "", []

    with pytest.raises(ModelBroke):
        for response in session.stream_respond("hello"):
            streamed += response.text
            tokens.append(response.token)

    # One call prefills, three give tokens.
    assert tokens == [11, 11, 11]
    assert session.history[1] == ChatMessage.assistant(unfinished(3))
    assert len(session.history) == 2
    assert len(session.history[1].content) > len(streamed)
    assert offset(session) == 8 + 2


def test_an_error_on_the_first_call_is_raised_unchanged_and_recorded():
    session = chat(8, FailingModel(FakeModel(11), calls=0))

    with pytest.raises(ModelBroke, match="^out of calls$"):
        session.respond("hello")

    assert contents(session) == [("user", "hello"), ("assistant", "")]
    assert offset(session) == 0


def test_an_interrupt_ends_the_turn_and_the_next_one_works():
    class Interrupted(FakeModel):
        def scores(self, tokens):
            if len(self.windows) == 4:
                raise KeyboardInterrupt
            return super().scores(tokens)

    model = Interrupted(11)
    session = chat(8, model)

    with pytest.raises(KeyboardInterrupt):
        session.respond("hello")

    # Call 1 prefills, 2 and 3 give tokens, 4 would have looked ahead while token 2 was due.
    assert len(session.history) == 2
    assert offset(session) == 8 + 1
    assert session.respond("world").generation_tokens == 8


def test_no_tokens_wanted_means_no_model_call():
    model = FakeModel(11)
    session = chat(0, model)

    assert list(session.stream_respond("hello")) == []

    assert session.has_cache and offset(session) == 0 and model.windows == []
    assert contents(session) == [("user", "hello"), ("assistant", "")]


def test_the_ending_token_ends_the_turn_without_text():
    model = FakeModel(11, logits=one_hot(11, 2))
    session = chat(32, model)

    responses = list(session.stream_respond("hello"))

    assert [(r.token, r.text, r.finish_reason) for r in responses] == [(2, "", FinishReason.EOS)]
    assert contents(session) == [("user", "hello"), ("assistant", "")]
    # The call for a token behind the end had been launched; it left no trace.
    assert offset(session) == 8


def test_without_a_template_a_turn_fails_before_anything_happens():
    model = FakeModel(3)
    session = chat(8, model, tokenizer_without_template())

    for turn in (session.render, session.respond, session.stream_respond):
        with pytest.raises(ChatTemplateError, match="chat template"):
            turn("hello")

    assert session.history == [] and not session.has_cache and model.windows == []


def test_a_conversation_beyond_the_context_leaves_the_session_as_it_was():
    model = FakeModel(11, context_length=20)
    session = chat(3, model)
    session.respond("hello world")
    before = contents(session)

    with pytest.raises(ContextLengthError, match="10 tokens behind 11 cached ones.*holds 20"):
        session.respond("the quick fox")

    assert contents(session) == before and offset(session) == 11


def test_an_invalid_setting_leaves_the_session_as_it_was():
    session = chat(-1)

    with pytest.raises(ValueError, match="max_tokens must be an integer >= 0, got -1"):
        session.respond("hello")

    assert session.history == [] and not session.has_cache


def test_figures_of_a_reply():
    reply = chat(4).respond("hello")

    assert (reply.prompt_tokens, reply.cached_tokens, reply.generation_tokens) == (8, 0, 4)
    assert reply.ttft > 0 and reply.prompt_tps > 0 and reply.generation_tps > 0
    assert reply.finish_reason is FinishReason.LENGTH


def test_a_continued_conversation_answers_as_one_read_anew():
    """A real model: what is in the cache must be what the transcript says, at every position."""
    mx.random.seed(2)
    model = Model(ModelArgs.from_dict(LLAMA | {"vocab_size": 11, "max_position_embeddings": 512}))
    session = chat(6, model)
    for turn, instructions in [("hello", None), ("the fox", "world"), ("quick brown", "world")]:
        session.instructions = instructions
        anew = chat(6, model, history=session.history, instructions=instructions)

        with session.stream_respond(turn) as stream, anew.stream_respond(turn) as expected:
            assert [r.token for r in stream] == [r.token for r in expected]


def test_an_unknown_role_is_refused_before_anything_happens():
    session = chat(3)

    with pytest.raises(ValueError, match="role must be one of system, user, assistant, tool"):
        session.respond("hello", role="robot")

    assert session.history == []


def test_a_tool_can_speak():
    session = chat(3)

    session.respond("hello", role="tool")

    assert session.history[0] == ChatMessage.tool("hello")
