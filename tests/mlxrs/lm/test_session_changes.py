"""Editing, taking back, answering anew and branching."""

import copy
import pickle

import pytest
from support.chat import chat, contents, offset

from mlxrs.errors import ChatSessionError, PrefixLostError
from mlxrs.lm.cache import RotatingKVCache
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel

SEED = [ChatMessage.user("hello"), ChatMessage.assistant("world")]


def anew(session, prompt: str) -> str:
    """Return what a session over the same messages answers, which has read nothing."""
    messages = session.history or session.pending_history
    return chat(6, RecallModel(11), history=messages).respond(prompt)


def test_an_edited_message_is_read_anew_and_those_behind_it_stay():
    session = chat(6, RecallModel(11))
    session.respond("hello world")
    session.respond("the quick fox")

    session.edit(0, "hello fox")

    assert contents(session)[0] == ("user", "hello fox") and len(session.history) == 4
    expected = anew(session, "brown")
    reply = session.respond("brown")
    # Common are `<s>`, the role and "hello".
    assert reply == expected and reply.cached_tokens == 5


def test_pending_messages_can_be_edited_and_taken_back():
    session = chat(6, history=[*SEED, ChatMessage.user("fox"), ChatMessage.assistant("brown")])

    session.edit(-1, "quick")
    assert session.pending_history[3] == ChatMessage.assistant("quick")
    assert session.undo() == [ChatMessage.user("fox"), ChatMessage.assistant("quick")]

    assert session.pending_history == SEED and session.history == []


@pytest.mark.parametrize("index", [2, -3])
def test_only_messages_there_are_can_be_edited(index):
    session = chat(6, history=SEED)

    with pytest.raises(IndexError, match=f"no message {index}: the conversation has 2"):
        session.edit(index, "fox")


def test_undo_takes_back_whole_turns():
    session = chat(6, RecallModel(11))
    for turn in ("hello", "world", "fox"):
        session.respond(turn)
    session.respond("quick", role="tool")
    first = session.history[:2]

    taken = session.undo(2)

    assert session.history == first
    assert [message.content for message in taken][0::2] == ["world", "fox", "quick"]
    expected = anew(session, "brown")
    reply = session.respond("brown")
    assert reply == expected and reply.cached_tokens >= 8


@pytest.mark.parametrize("turns, error", [(0, ValueError), (2, ChatSessionError)])
def test_undo_takes_back_only_turns_there_are(turns, error):
    session = chat(6)
    session.respond("hello")

    with pytest.raises(error, match="turns"):
        session.undo(turns)

    assert len(session.history) == 2


def test_a_reply_is_regenerated_reading_one_token():
    model = RecallModel(11)
    session = chat(6, model)
    session.respond("hello world")
    first = session.respond("fox")
    fed = model.fed

    again = session.regenerate()

    assert again == first and again.cached_tokens == again.prompt_tokens - 1
    assert model.fed - fed <= 6 and len(session.history) == 4


def test_a_message_whose_reply_failed_can_be_answered_anew():
    model = FailingModel(FakeModel(11), calls=1)
    session = chat(6, model)
    with pytest.raises(ModelBroke):
        session.respond("hello")
    model._calls = 100

    reply = session.regenerate()

    assert reply.generation_tokens == 6 and len(session.history) == 2


def test_the_last_pending_message_can_be_answered():
    session = chat(3, history=[*SEED, ChatMessage.user("fox")])

    with session.stream_regenerate() as stream:
        text = "".join(response.text for response in stream)

    assert contents(session)[2:] == [("user", "fox"), ("assistant", text)]


@pytest.mark.parametrize("history", [[], [ChatMessage.assistant("hi")], [ChatMessage.system("x")]])
def test_there_must_be_a_message_to_answer(history):
    session = chat(3, history=history)

    with pytest.raises(ChatSessionError, match="no message to answer anew"):
        session.regenerate()

    assert session.pending_history == history


def test_a_fork_goes_its_own_way_and_reads_only_what_is_new():
    session = chat(6, RecallModel(11), instructions="fox")
    session.respond("hello world")
    before, held = contents(session), offset(session)

    twin = session.fork()
    twin.instructions = "brown"
    twin.params.max_tokens = 3
    twin.instructions = "fox"
    reply = twin.respond("the quick")

    assert contents(session) == before and session.params.max_tokens == 6
    assert offset(session) == held and reply.cached_tokens >= held - 5
    session.params.max_tokens = 3
    assert session.respond("the quick") == reply
    assert contents(session) == contents(twin)


def test_a_fork_goes_back_as_far_as_its_origin():
    """In rings that have come round."""
    model = RecallModel(11, lambda: [RotatingKVCache(max_size=8)])
    session = chat(6, model)
    for turn in ("hello world", "the fox", "quick brown"):
        session.respond(turn)
    before = session.history[:4]

    twin = session.fork().fork()
    replies = []
    for one in (twin, session):
        one.undo()
        replies.append(one.respond("brown"))

    assert replies[0] == replies[1] == chat(6, model, history=before).respond("brown")
    assert replies[0].cached_tokens == replies[1].cached_tokens > 8
    again = [one.regenerate() for one in (twin, session)]
    assert again[0] == again[1] and again[0].cached_tokens == again[1].cached_tokens


def test_a_fork_of_a_session_that_has_said_nothing():
    session = chat(6, history=SEED)

    twin = session.fork()
    twin.respond("fox")

    assert session.pending_history == SEED and not session.has_cache
    assert len(twin.history) == 4


def test_a_given_cache_that_cannot_be_kept_ends_the_turn(tmp_path):
    """A loaded session cannot go back to the moment the cache was given."""
    from mlxrs.lm.session import ChatSession

    model = RecallModel(11, lambda: [RotatingKVCache(max_size=8)])
    given = model.make_cache()
    import mlxc as mx

    model(mx.array([[3, 4, 5]]), given)
    session = chat(6, model, cache=given)
    session.respond("hello world")
    session.save(tmp_path / "a.safetensors")
    loaded = ChatSession.load(tmp_path / "a.safetensors", model, session._tokenizer)
    loaded.instructions = "fox"
    before = loaded.history

    with pytest.raises(PrefixLostError, match="cannot be read again"):
        loaded.respond("quick")

    assert loaded.history == before
    loaded.instructions = None
    assert loaded.respond("quick") == session.respond("quick")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_a_fork(copied):
    session = chat(3, RecallModel(11))
    session.respond("hello")

    twin = copied(session)

    assert twin.respond("world") == session.fork().respond("world")
    assert len(twin.history) == 4 and len(session.history) == 2


def test_a_session_is_not_pickled_and_says_what_to_do_instead():
    with pytest.raises(TypeError, match=r"save\(\) keeps it in a file"):
        pickle.dumps(chat(3))


def test_a_session_shows_how_long_it_is():
    session = chat(3, history=[ChatMessage.user("hello")])

    assert repr(session) == "<ChatSession of 1 messages>"


def test_a_session_whose_caches_were_used_elsewhere_answers_as_one_read_anew():
    model = RecallModel(11)
    session, other = chat(3, model), chat(3, model)
    for each in (session, other):
        each.respond("hello")

    list(generate_step(model, [1, 2], params=GenConfig(max_tokens=2), cache=session.current_cache))

    replies = [each.respond("world") for each in (session, other)]
    assert replies[0] == replies[1] and replies[0].cached_tokens == 0 < replies[1].cached_tokens
