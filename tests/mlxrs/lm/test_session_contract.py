"""What a chat session promises, one test a promise.

The fixtures can be counted by hand: `hello` renders to 8 ids, `hello world` to 9. A turn over a
cache keeping c tokens, feeding f ids and ending by length at m tokens leaves c + f - 1 + m tokens
cached: the token generated last is never read. Offsets alone do not tell reuse from reading all
again, so the ids handed to the model are counted too.
"""

import pytest
from support.chat import chat, contents, offset, restored, unfinished
from support.word_tokenizers import byte_level_tokenizer, tokenizer_without_template

import mlxc as mx
from mlxrs import errors
from mlxrs.lm.cache import KVCache, load_prompt_cache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.drafting import Drafting
from mlxrs.lm.messages import ChatMessage, Role
from mlxrs.lm.prefix import CachedPrefix
from mlxrs.lm.response import FinishReason
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot


def test_01_a_session_has_a_cache_from_the_first_turn_on():
    session = chat(4)
    assert not session.has_cache and session.current_cache is None and session.history == []

    assert session.respond("hello")

    assert session.has_cache


def test_02_turns_alternate_in_the_history_and_share_one_cache():
    session = chat(3)
    session.respond("hello world")
    first = offset(session)
    assert [message.role for message in session.history] == [Role.USER, Role.ASSISTANT]

    session.respond("the quick fox")

    assert len(session.history) == 4
    assert session.history[2] == ChatMessage.user("the quick fox")
    assert session.history[3].role is Role.ASSISTANT
    assert offset(session) > first > 0


def test_03_the_second_turn_feeds_only_what_is_new():
    model = FakeModel(11)
    session = chat(3, model)
    session.respond("hello world")
    first, fed = offset(session), model.fed
    rendered = len(session.render("the quick fox"))
    assert (first, rendered, model.fed, len(session.history)) == (11, 21, fed, 2)

    reply = session.respond("the quick fox")

    assert offset(session) == 23 == first + (rendered - first) - 1 + 3
    assert model.fed - fed == (rendered - first) + 3 - 1
    assert (reply.prompt_tokens, reply.cached_tokens) == (21, 11)


def test_04_changed_instructions_drop_what_no_longer_heads_the_conversation():
    model = FakeModel(11)
    session = chat(3, model)
    session.respond("hello")
    fed = model.fed
    session.instructions = "hello world the quick"
    assert len(session.render("world")) == 25

    reply = session.respond("world")

    assert offset(session) == 27 == 25 - 1 + 3
    # Common are `<s>`, three ids of a role (all roles are unknown words) and "hello".
    assert reply.cached_tokens == 5
    assert model.fed - fed == 25 - 5 + 3 - 1


def test_05_all_layers_advance_alike():
    session = chat(3)

    session.respond("hello")

    assert len(session.current_cache) == 2
    assert [cache.offset for cache in session.current_cache] == [10, 10]


def test_06_streamed_text_is_the_reply_of_respond():
    streaming, waiting = chat(5), chat(5)

    text = "".join(response.text for response in streaming.stream_respond("hello world"))

    assert text == waiting.respond("hello world")
    assert contents(streaming) == contents(waiting)


def test_07_the_history_records_what_was_streamed():
    session = chat(4)

    text = "".join(response.text for response in session.stream_respond("hello"))

    assert contents(session) == [("user", "hello"), ("assistant", text)]
    # Said verbatim, the reply is the tokens it was made of.
    assert session.render("x")[8:12] == [10, 10, 10, 10]


def test_08_only_the_last_response_says_why_it_ended():
    reasons = [response.finish_reason for response in chat(3).stream_respond("hello")]

    assert reasons == [None, None, FinishReason.LENGTH]


def test_09_clear_forgets_all_but_instructions_and_settings():
    session = chat(3, instructions="be terse")
    session.respond("hello")
    assert session.has_cache and session.history

    session.clear()

    assert not session.has_cache and session.history == []
    assert session.instructions == "be terse" and session.params.max_tokens == 3
    reply = session.respond("world")
    assert session.has_cache and len(session.history) == 2 and reply.cached_tokens == 0


def test_10_a_dropped_stream_records_what_it_gave():
    session = chat(10)
    stream = session.stream_respond("hello")
    text = next(stream).text
    del stream

    first = offset(session)
    assert session.has_cache and len(session.history) == 2
    assert session.history[1].role is Role.ASSISTANT
    assert session.history[1].content.startswith(text)
    session.respond("world")
    assert offset(session) > first


def test_11_the_turn_after_a_dropped_stream_feeds_only_what_is_new():
    model = FakeModel(11)
    session = chat(8, model)
    stream = session.stream_respond("hello world")
    next(stream), next(stream)
    del stream
    first, fed, rendered = offset(session), model.fed, len(session.render("the quick fox"))
    # The prompt of 9 and the first of the two tokens: the look-ahead is undone.
    assert (first, rendered) == (10, 20)

    session.respond("the quick fox")

    assert offset(session) == 27 == first + (rendered - first) - 1 + 8
    assert model.fed - fed == (rendered - first) + 8 - 1


def test_12_earlier_messages_join_at_the_first_turn_once():
    seed = [ChatMessage.user("hello"), ChatMessage.assistant("world")]
    session = chat(3, history=seed)
    assert not session.has_cache and session.history == [] and session.pending_history == seed

    session.respond("the fox")

    assert session.has_cache and session.pending_history == []
    assert session.history[:3] == [*seed, ChatMessage.user("the fox")]
    assert len(session.history) == 4


def test_13_there_is_no_cache_to_save_before_the_first_turn(tmp_path):
    with pytest.raises(errors.NoCacheError, match="no KV cache"):
        chat(3).save_cache(tmp_path / "cache.safetensors")

    assert list(tmp_path.iterdir()) == []


def test_14_instructions_reach_the_prompt():
    plain, instructed = chat(1), chat(1, instructions="hello world the quick brown fox")

    plain.respond("hello")
    instructed.respond("hello")

    assert (offset(plain), offset(instructed)) == (8, 17)


def test_15_instructions_and_settings_can_be_read_and_written():
    session = chat(3)
    assert session.instructions is None

    session.instructions = "be brief"
    assert session.instructions == "be brief"
    session.instructions = None
    assert session.instructions is None

    assert session.params.max_tokens == 3
    session.params.max_tokens = 7
    assert session.respond("hello").generation_tokens == 7


def speculating(max_tokens: int, model=None, draft=None, tokenizer=None) -> ChatSession:
    config = SpeculativeDecodingConfig(draft or FakeModel(11))
    return chat(max_tokens, model, tokenizer, speculative=config)


def test_16_a_speculative_session_runs_turns():
    session = speculating(4)
    assert not session.has_cache

    assert session.respond("hello") and len(session.history) == 2
    assert session.respond("world") and len(session.history) == 4

    assert session.history[2].content == "world"
    assert session.history[3].role is Role.ASSISTANT


def test_17_a_speculative_session_exposes_no_cache(tmp_path):
    path = tmp_path / "cache.safetensors"
    session = speculating(3)
    session.respond("hello")
    assert len(session.history) == 2
    assert not session.has_cache and session.current_cache is None

    with pytest.raises(errors.SpeculativeCacheError, match="speculative") as raised:
        session.save_cache(path)

    assert "call respond" not in str(raised.value) and not path.exists()


def test_18_a_restored_cache_stays_in_front_of_a_shorter_conversation():
    model = FakeModel(11)
    session = chat(3, model, cache=restored(10))
    assert session.has_cache and len(session.render("hello")) == 8 < 10

    session.respond("hello")
    assert offset(session) == 20 == 10 + 8 - 1 + 3

    rendered, first, fed = len(session.render("world")), offset(session), model.fed
    session.respond("world")
    assert (rendered, offset(session)) == (18, 30)
    assert offset(session) - first < rendered
    # Named are the 8 of the prompt and 2 of the reply; what the opaque ones say is unknown.
    assert model.fed - fed == (18 - 10) + 3 - 1


def test_19_a_restored_cache_stays_in_front_of_a_longer_conversation():
    session = chat(4, cache=restored(10))

    session.respond("hello world the quick brown fox")

    assert offset(session) == 26 == 10 + 13 - 1 + 4


def test_20_a_dropped_speculative_stream_records_what_it_gave():
    says = one_hot(12, 11)
    session = speculating(
        12, FakeModel(12, logits=says), FakeModel(12, logits=says), byte_level_tokenizer()
    )
    stream = session.stream_respond("hello")
    responses = [next(stream) for _ in range(3)]
    del stream

    assert [response.token for response in responses] == [11, 11, 11]
    assert session.history[1:] == [ChatMessage.assistant(unfinished(3))]
    assert len(unfinished(3)) > len("".join(response.text for response in responses))


def test_21_a_given_cache_and_speculation_do_not_go_together():
    config = SpeculativeDecodingConfig(FakeModel(11))

    with pytest.raises(errors.CacheWithSpeculationError, match="cache=.*speculative="):
        chat(3, cache=restored(8), speculative=config)

    assert not chat(3, speculative=config).has_cache


def test_22_an_error_records_the_text_before_it():
    model = FailingModel(FakeModel(12, logits=one_hot(12, 11)), calls=4)
    session = chat(32, model, byte_level_tokenizer())
    streamed, tokens = "", []

    with pytest.raises(ModelBroke):
        for response in session.stream_respond("hello"):
            streamed += response.text
            tokens.append(response.token)

    # One call prefills, three give tokens.
    assert tokens == [11, 11, 11]
    assert session.history[1:] == [ChatMessage.assistant(unfinished(3))]
    assert len(session.history[1].content) > len(streamed)
    assert offset(session) == 8 + 2


def test_23_an_error_of_the_draft_model_records_the_text_before_it():
    says = one_hot(12, 11)
    target = FailingModel(FakeModel(12, logits=says), calls=64)
    draft = FailingModel(FakeModel(12, logits=says), calls=7)
    session = speculating(32, target, draft, byte_level_tokenizer())
    tokens = []

    with pytest.raises(ModelBroke):
        for response in session.stream_respond("hello"):
            tokens.append(response.token)

    # The draft model reads the prompt and guesses five; the sixth token comes with them.
    assert tokens == [11] * 6
    assert session.history[1:] == [ChatMessage.assistant(unfinished(6))]


def test_24_a_role_reads_as_its_text():
    assert [str(role) for role in Role] == ["system", "user", "assistant", "tool"]
    assert f"{Role.TOOL}" == "tool" == Role.TOOL.value
    assert ChatMessage.tool("x").role is Role.TOOL and ChatMessage.user("x").role is not Role.TOOL


def test_25_messages_keep_their_text_and_are_equal_by_value():
    for role in Role:
        message = getattr(ChatMessage, role)(" <think> \n")
        assert message.role is role and message.content == " <think> \n"

    assert ChatMessage(Role.TOOL, "owned") == ChatMessage.tool("owned")


def test_26_the_session_errors_explain_themselves_and_differ():
    no_cache = errors.NoCacheError()
    save = errors.SpeculativeCacheError()
    restore = errors.CacheWithSpeculationError()

    assert "no KV cache" in str(no_cache) and "save_cache" in str(no_cache)
    assert "speculative" in str(save) and "consumes its KV caches" in str(save)
    for way_out in ("cache=", "speculative=", ".cache(", ".speculative("):
        assert way_out in str(restore)
    assert len({str(no_cache), str(save), str(restore)}) == 3
    for error in (no_cache, save, restore):
        assert isinstance(error, errors.ChatSessionError)
        assert error.__cause__ is None and error.__context__ is None


def test_27_a_saved_cache_loads_with_one_cache_for_each_layer(tmp_path):
    path = tmp_path / "cache.safetensors"
    session = chat(3)
    session.respond("hello")

    session.save_cache(path)

    caches, metadata = load_prompt_cache(path)
    assert [cache.offset for cache in caches] == [10, 10] and metadata == {}


def test_28_without_a_template_a_turn_fails_before_anything_happens():
    model = FakeModel(3)
    session = ChatSession(model, tokenizer_without_template())

    for turn in (session.render, session.respond, session.stream_respond):
        with pytest.raises(errors.ChatTemplateError, match="chat template"):
            turn("hello")

    assert session.history == [] and not session.has_cache and model.windows == []


def test_29_an_error_on_the_first_call_is_raised_unchanged_and_recorded():
    session = chat(8, FailingModel(FakeModel(11), calls=0))

    with pytest.raises(ModelBroke, match="^out of calls$"):
        session.respond("hello")

    assert contents(session) == [("user", "hello"), ("assistant", "")]


def test_30_no_tokens_wanted_means_no_model_call():
    model = FakeModel(11)
    session = chat(0, model)

    assert list(session.stream_respond("hello")) == []

    assert session.has_cache and offset(session) == 0 and model.windows == []
    assert contents(session) == [("user", "hello"), ("assistant", "")]


def test_31_no_tokens_wanted_with_speculation_means_no_model_call():
    model, draft = FakeModel(11), FakeModel(11)
    session = speculating(0, model, draft)

    assert list(session.stream_respond("hello")) == []

    assert contents(session) == [("user", "hello"), ("assistant", "")]
    assert not session.has_cache and session.current_cache is None
    assert model.windows == draft.windows == []


def test_32_the_ending_token_ends_the_turn_without_text():
    session = chat(32, FakeModel(11, logits=one_hot(11, 2)))

    responses = list(session.stream_respond("hello"))

    assert [(r.token, r.text, r.finish_reason) for r in responses] == [(2, "", FinishReason.EOS)]
    assert FinishReason.EOS != FinishReason.LENGTH
    assert session.has_cache and contents(session) == [("user", "hello"), ("assistant", "")]


def test_33_the_caches_of_a_draft_model_are_made_when_they_are_needed():
    drafting = Drafting(SpeculativeDecodingConfig(FakeModel(11, num_layers=3)))
    assert drafting.prefix is None

    settings, missed = drafting.prepare([1, 2, 3], 0)

    assert len(settings.draft_cache) == 3 and missed == []
    assert (drafting.prefix.opaque, drafting.prefix.known) == (0, [])


def test_34_models_share_what_passes_calls_through():
    model = FailingModel(FakeModel(5), calls=1)
    caches = model.make_cache()

    assert model(mx.array([[0, 1, 2]]), caches).shape == (1, 3, 5)

    assert [cache.offset for cache in caches] == [3, 3]
    with pytest.raises(ValueError, match="input_embeddings"):
        FakeModel(5)(mx.array([[0]]), input_embeddings=mx.zeros((1, 1, 4)))


def test_35_a_cache_ahead_of_all_names_is_kept_but_not_continued():
    prefix = CachedPrefix([KVCache(), KVCache()])
    FakeModel(11)(mx.zeros((1, 20), dtype=mx.int32), prefix.caches)

    prefix.record([3], read=1)

    assert (prefix.opaque, prefix.known, prefix.exact) == (20, [], False)
    assert [cache.offset for cache in prefix.caches] == [20, 20]
    assert prefix.rewind_to([3, 4]) == 0
    assert [cache.offset for cache in prefix.caches] == [0, 0]


def test_35_a_session_reads_all_again_behind_such_a_cache():
    class Doubling(FakeModel):
        """Writes every token twice."""

        def answer(self, tokens, cache):
            super().answer(tokens, cache)
            return super().answer(tokens, cache)

    session = chat(3, Doubling(11))
    session.respond("hello")
    assert offset(session) == 20 and contents(session)[1][0] == "assistant"
    assert len(session.history) == 2

    assert session.respond("world").cached_tokens == 0
