"""A chat session, turn by turn, beyond what `test_session_contract` says."""

import gc
import weakref
from threading import Event, Thread

import pytest
from support.chat import chat, contents, offset, restored
from support.tiny_configs import LLAMA
from support.word_tokenizers import word_tokenizer

import mlxc as mx
from mlxrs.errors import ContextLengthError, StreamOpenError
from mlxrs.lm.cache import ArraysCache, CacheList, KVCache, RotatingKVCache
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.models.llama import Model, ModelArgs
from mlxrs.lm.response import FinishReason
from mlxrs.testing import FakeModel, RecallModel, one_hot


def test_a_diverging_turn_rewinds_to_the_common_beginning():
    """The cached reply is one the next rendering spells with other ids."""
    model = FakeModel(11, logits=one_hot(11, 2))
    tokenizer = word_tokenizer()
    tokenizer.eos_token_ids = frozenset()
    session = chat(3, model, tokenizer)
    session.respond("hello")
    session.edit(1, "fox")
    fed = model.fed

    reply = session.respond("world")

    # All of the first prompt is kept, its reply is read anew.
    assert reply.cached_tokens == 8
    rendered = 1 + (3 + 1) + (3 + 1) + (3 + 1) + 3
    assert offset(session) == rendered - 1 + 3
    assert model.fed - fed == rendered - 8 + 3 - 1


def test_clear_forgets_messages_given_at_construction():
    session = chat(3, history=[ChatMessage.user("fox")])

    session.clear()
    session.respond("hello")

    assert len(session.history) == 2


def test_leaving_a_loop_early_ends_the_turn():
    session = chat(10)

    for _ in session.stream_respond("hello"):
        break

    assert len(session.history) == 2


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


def test_settings_changed_in_place_count_from_the_next_turn_on():
    session = chat(3)
    with session.stream_respond("hello") as stream:
        session.params.max_tokens = 7
        assert len(list(stream)) == 3

    assert session.respond("hello").generation_tokens == 7


def test_changed_instructions_keep_a_restored_cache():
    session = chat(3, cache=restored(10))
    session.respond("hello")
    session.instructions = "hello world the quick"

    session.respond("world")

    assert offset(session) == 10 + 25 - 1 + 3


def test_a_restored_cache_must_fit_the_layers():
    with pytest.raises(ValueError, match="each of the model's 2 layers, got 1"):
        chat(3, cache=[KVCache()])


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


def test_a_conversation_beyond_the_context_leaves_the_session_as_it_was():
    model = FakeModel(11, context_length=20)
    session = chat(3, model)
    session.respond("hello world")
    before = contents(session)

    with pytest.raises(ContextLengthError, match="21 tokens behind 0 cached ones.*holds 20"):
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


def test_while_a_stream_is_open_the_session_can_only_be_looked_at(tmp_path):
    session = chat(8)
    session.respond("hello")
    stream = session.stream_respond("world")
    next(stream)
    before = contents(session)

    for change in (
        lambda: session.respond("fox"),
        lambda: session.stream_respond("fox"),
        session.regenerate,
        lambda: session.edit(0, "fox"),
        session.undo,
        session.fork,
        session.clear,
        lambda: session.save(tmp_path / "a"),
        lambda: session.save_cache(tmp_path / "a"),
    ):
        with pytest.raises(StreamOpenError, match="still streaming a reply"):
            change()

    assert contents(session) == before and list(tmp_path.iterdir()) == []
    assert len(session.render("fox")) > 0
    assert len(list(stream)) == 7
    assert len(session.history) == 4


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_a_stream_that_is_closed_or_cancelled_is_no_longer_open(end):
    session = chat(8)
    stream = session.stream_respond("hello")
    next(stream)

    getattr(stream, end)()
    session.respond("world")

    assert [role for role, _ in contents(session)] == ["user", "assistant"] * 2
    assert list(stream) == []
    assert len(session.history) == 4


def test_cancelling_ends_a_reply_within_a_token():
    session = chat(100)
    stream = session.stream_respond("hello")
    responses = [next(stream)]

    session.cancel()
    responses += stream

    assert len(responses) <= 2 and responses[-1].finish_reason is None
    assert len(session.history) == 2
    session.cancel()
    assert session.respond("world").generation_tokens == 100


def test_streams_and_sessions_go_without_the_garbage_collector():
    gc.disable()
    try:
        session = chat(8)
        stream = session.stream_respond("hello")
        next(stream)
        seen = [weakref.ref(session), weakref.ref(stream), weakref.ref(stream._turn)]
        del stream
        assert seen[0]() is session and seen[1]() is None and seen[2]() is None
        assert len(session.history) == 2
        del session
        assert seen[0]() is None
    finally:
        gc.enable()


def test_a_stream_outlives_the_name_of_its_session():
    stream = chat(3).stream_respond("hello")

    assert len(list(stream)) == 3


def test_the_given_cache_is_copied():
    caches = restored(10)
    session = chat(3, cache=caches)

    session.respond("hello")

    assert [cache.offset for cache in caches] == [10, 10]
    assert offset(session) == 20


def test_history_and_cache_do_not_go_together():
    with pytest.raises(ValueError, match=r"history= and cache=.*ChatSession.load"):
        chat(3, history=[ChatMessage.user("hello")], cache=restored(10))


def rotating(model: RecallModel, ids: list[int]) -> list[RotatingKVCache]:
    caches = model.make_cache()
    model(mx.array([ids]), caches)
    return caches


def test_a_given_cache_is_kept_where_it_cannot_be_trimmed():
    """Its ring has come round when the instructions change."""
    model = RecallModel(11, lambda: [RotatingKVCache(max_size=16, keep=4)])
    given = rotating(model, [3, 4, 5, 6, 7, 8, 3, 4])
    session, anew = (chat(8, model, cache=given) for _ in range(2))
    session.respond("hello world")
    session.undo()
    session.instructions = anew.instructions = "fox"

    reply = session.respond("the quick")

    assert reply == anew.respond("the quick") and reply.cached_tokens == 0
    assert offset(session) == offset(anew)


def test_a_model_of_states_alone_continues_its_conversation():
    """Such caches know no positions; what they hold is known from what was read."""

    class Counting(FakeModel):
        """Says how many tokens it has read, modulo 11."""

        def make_cache(self):
            return [ArraysCache(1)]

        def answer(self, tokens, cache):
            read = mx.zeros((1,)) if cache[0][0] is None else cache[0][0]
            places = read + mx.arange(1, tokens.shape[1] + 1)[None]
            cache[0][0] = places[:, -1]
            return one_hot(11, 3 + (places % 6).astype(mx.int32))

    model = Counting(11)
    session = chat(4, model)
    for turn in ("hello", "the fox", "world"):
        anew = chat(4, Counting(11), history=session.history)
        fed, rendered = model.fed, len(session.render(turn))

        reply = session.respond(turn)

        assert reply == anew.respond(turn)
        assert model.fed - fed == rendered - reply.cached_tokens + 3
    assert reply.cached_tokens > 0
    assert session.regenerate() == reply


def test_what_cannot_be_trimmed_goes_back_to_the_end_of_a_turn_or_of_a_prompt():
    model = RecallModel(11, lambda: [RotatingKVCache(max_size=8)])
    session = chat(6, model)
    session.respond("hello world")
    first = session.respond("the quick fox")
    rendered = len(session.render("x")) - 1  # what the undone turns would share

    again = session.regenerate()
    assert again == first and again.cached_tokens == again.prompt_tokens - 1

    session.undo()
    reply = session.respond("the brown fox")
    assert 0 < reply.cached_tokens < rendered
    session.undo()
    anew = chat(6, model, history=session.history)
    assert anew.respond("the brown fox") == session.respond("the brown fox")


def test_parts_reach_the_template_as_a_list():
    tokenizer = word_tokenizer()
    shown = []
    plain = tokenizer.apply_chat_template_ids

    def record(messages, **options):
        shown.append(messages[-1]["content"])
        return plain([{**message, "content": "hello"} for message in messages])

    tokenizer.apply_chat_template_ids = record
    parts = [{"type": "text", "text": "hello"}]
    session = chat(3, tokenizer=tokenizer)

    session.respond(parts)

    assert shown == [parts]
    assert session.history[0].content == parts and session.history[0].text == "hello"


def test_a_reply_keeps_its_thinking_and_shows_its_answer():
    session = chat(2, FakeModel(11, logits=one_hot(11, 10)))

    reply = session.respond("hello")

    assert session.history[1].content == reply and "</think>" in reply
    assert reply.thinking == "" and "hello" not in reply.answer


def test_stop_strings_seeds_and_logprobs_are_settings_of_a_session():
    session = chat(8, RecallModel(11))
    session.params.seed, session.params.temp, session.params.collect_logprobs = 3, 1.0, True
    with session.stream_respond("hello") as stream:
        responses = list(stream)
    assert all(response.logprob <= 0 for response in responses)

    assert session.regenerate() == "".join(response.text for response in responses)

    session.params.stop_strings = [str(session.history[1].text)[2:5]]
    stopped = session.regenerate()
    assert stopped.finish_reason is FinishReason.STOP
    assert session.history[1].content == stopped


def test_a_constraint_holds_for_its_turn():
    class OnlyFox:
        def mask(self):
            return mx.arange(11) == 8

        def accept(self, token):
            assert token == 8

        def rollback(self, count):
            raise AssertionError

    session = chat(2)

    assert set(session.respond("hello", constraint=OnlyFox()).split()) == {"fox"}
    assert "fox" not in session.respond("hello")


@pytest.mark.parametrize("caches", [1, 2])
def test_hybrid_caches_are_rewound_by_snapshots(caches):
    class Hybrid(RecallModel):
        """Attends in one cache, and keeps the sum of all ids in another."""

        def make_cache(self):
            return [CacheList(KVCache(), ArraysCache(1)) for _ in range(caches)]

        def answer(self, tokens, cache):
            logits = super().answer(tokens, [layer[0] for layer in cache])
            state = cache[0][1][0]
            sums = mx.cumsum(tokens, axis=1) + (0 if state is None else state[:, None])
            cache[0][1][0] = sums[:, -1]
            chosen = (mx.argmax(logits, axis=-1) + sums) % 11
            return one_hot(11, chosen.astype(mx.uint32))

    model = Hybrid(11)
    session = chat(5, model)
    session.respond("hello world")
    session.instructions = "fox"
    for turn in ("the quick", "brown"):
        anew = chat(5, model, history=session.history, instructions="fox")
        assert session.respond(turn) == anew.respond(turn)
    session.undo()
    reply = session.respond("brown")
    assert reply.cached_tokens > 0 and reply == session.regenerate()


def test_a_cancelled_reply_that_another_thread_still_reads_is_open():
    """The model waits within a call until the other thread has tried."""
    inside, tried = Event(), Event()

    class Waiting(RecallModel):
        def answer(self, tokens, cache):
            if len(self.windows) == 3:
                inside.set()
                tried.wait(5)
            return super().answer(tokens, cache)

    session = chat(50, Waiting(11))
    reading = Thread(target=lambda: session.respond("hello"))
    reading.start()
    inside.wait(5)
    try:
        session.cancel()
        with pytest.raises(StreamOpenError):
            session.respond("world")
    finally:
        tried.set()
        reading.join()

    assert len(session.history) == 2
    assert session.respond("world")
