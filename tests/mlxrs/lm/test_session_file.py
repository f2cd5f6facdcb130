"""Sessions in files."""

import json

import pytest
from support.chat import chat, contents, offset, restored
from support.tiny_configs import LLAMA
from support.word_tokenizers import byte_level_tokenizer, word_tokenizer

import mlxc as mx
from mlxrs.errors import FormatError, PrefixLostError, UnsupportedError
from mlxrs.lm.cache import KVCache, RotatingKVCache, load_prompt_cache, save_prompt_cache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.fingerprint import fingerprint
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.models.llama import Model, ModelArgs
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession
from mlxrs.lm.session_file import KEY
from mlxrs.testing import FakeModel, RecallModel

KINDS = {
    "full": {},
    "packed": {"kv_bits": 4},
    "bounded": {"max_kv_size": 16},
    "both": {"max_kv_size": 16, "kv_bits": 8},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_session_goes_on_as_the_saved_one(kind, tmp_path):
    path = tmp_path / "talk.safetensors"
    model = RecallModel(11)
    session = chat(6, model, instructions="fox", **KINDS[kind])
    session.params = GenConfig(max_tokens=6, temp=0.7, seed=5, logit_bias={3: -float("inf")})
    session.respond("hello world")
    session.respond("the quick")

    session.save(path)
    loaded = ChatSession.load(path, model, word_tokenizer())

    assert loaded.history == session.history and loaded.instructions == "fox"
    assert loaded.params == session.params and loaded.params is not session.params
    assert offset(loaded) == offset(session)
    assert [type(cache) for cache in loaded.current_cache] == [
        type(cache) for cache in session.current_cache
    ]
    reply, expected = loaded.respond("brown"), session.respond("brown")
    assert reply == expected and reply.cached_tokens == expected.cached_tokens > 0


def test_a_session_that_has_said_nothing_can_be_saved(tmp_path):
    path = tmp_path / "talk.safetensors"
    parts = [{"type": "text", "text": "é\u2028"}, {"type": "image", "url": "a"}]
    seed = [ChatMessage.user("hello"), ChatMessage.assistant("world"), ChatMessage.tool(parts)]
    session = chat(6, history=seed)

    session.save(path)
    loaded = ChatSession.load(path, FakeModel(11), word_tokenizer())

    assert loaded.pending_history == seed and loaded.history == [] and not loaded.has_cache


def test_a_given_cache_is_saved_with_the_session(tmp_path):
    path = tmp_path / "talk.safetensors"
    session = chat(3, cache=restored(10))
    session.respond("hello")

    session.save(path)
    loaded = ChatSession.load(path, FakeModel(11), word_tokenizer())
    loaded.instructions = session.instructions = "hello world"

    assert loaded.respond("world") == session.respond("world")
    assert offset(loaded) == offset(session) > 10 + 20


def test_a_speculative_session_is_saved_too(tmp_path):
    path = tmp_path / "talk.safetensors"
    model = RecallModel(11)
    config = SpeculativeDecodingConfig(RecallModel(11))
    session = chat(6, model, speculative=config)
    session.respond("hello")

    session.save(path)
    loaded = ChatSession.load(path, model, word_tokenizer(), speculative=config)
    plain = ChatSession.load(path, model, word_tokenizer())

    assert not loaded.has_cache and plain.has_cache
    replies = [each.respond("fox") for each in (loaded, plain, session)]
    assert len(set(replies)) == 1 and replies[0].speculation.accept_rate == 1
    assert replies[0].cached_tokens == replies[1].cached_tokens > 8


def test_a_session_file_is_a_prompt_cache_too(tmp_path):
    path = tmp_path / "talk.safetensors"
    session = chat(3)
    session.respond("hello")

    session.save(path)

    caches, metadata = load_prompt_cache(path)
    assert [cache.offset for cache in caches] == [10, 10] and KEY in metadata


@pytest.mark.parametrize(
    "model, tokenizer",
    [
        (RecallModel(11), word_tokenizer()),
        (FakeModel(11, num_layers=3), word_tokenizer()),
        (FakeModel(11, context_length=5), word_tokenizer()),
        (FakeModel(11), byte_level_tokenizer()),
    ],
)
def test_another_model_or_tokenizer_is_refused(model, tokenizer, tmp_path):
    path = tmp_path / "talk.safetensors"
    chat(3).save(path)

    with pytest.raises(UnsupportedError, match="filled by another model"):
        ChatSession.load(path, model, tokenizer)


def test_models_are_told_apart_by_their_weights():
    tokenizer = word_tokenizer()
    args = ModelArgs.from_dict(LLAMA | {"vocab_size": 11})
    mx.random.seed(1)
    one, same = Model(args), Model(args)
    same.update(one.parameters())
    other = Model(args)

    assert fingerprint(one, tokenizer) == fingerprint(same, tokenizer)
    assert fingerprint(one, tokenizer) != fingerprint(other, tokenizer)


def test_settings_with_functions_are_not_saved(tmp_path):
    session = chat(3)
    session.params.sampler = lambda logprobs: logprobs.argmax(axis=-1)

    with pytest.raises(ValueError, match="params.sampler must be empty"):
        session.save(tmp_path / "talk.safetensors")

    assert list(tmp_path.iterdir()) == []


def test_what_nobody_can_name_is_not_saved(tmp_path):
    class Doubling(FakeModel):
        def answer(self, tokens, cache):
            super().answer(tokens, cache)
            return super().answer(tokens, cache)

    path = tmp_path / "talk.safetensors"
    session = chat(3, Doubling(11))
    session.respond("hello")
    session.save(path)
    loaded = ChatSession.load(path, Doubling(11), word_tokenizer())
    assert loaded.history == session.history and not loaded.has_cache

    given = chat(3, Doubling(11), cache=restored(4))
    given.respond("hello")
    with pytest.raises(PrefixLostError):
        given.save(path)


def test_a_plain_prompt_cache_is_no_session(tmp_path):
    path = tmp_path / "cache.safetensors"
    save_prompt_cache(path, [KVCache(), KVCache()])

    with pytest.raises(FormatError, match="no session; load it with load_prompt_cache"):
        ChatSession.load(path, FakeModel(11), word_tokenizer())


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        ChatSession.load(tmp_path / "none.safetensors", FakeModel(11), word_tokenizer())


@pytest.mark.parametrize(
    "name, value",
    [
        ("format", 2),
        ("format", None),
        ("instructions", 3),
        ("params", []),
        ("params", {"max_tokens": -1}),
        ("params", {"nonsense": 1}),
        ("params", {"sampler": "os.system"}),
        ("params", {"eos": 3}),
        ("settings", {"overflow": "explode"}),
        ("settings", {"nonsense": 1}),
        ("settings", {"max_kv_size": "8"}),
        ("settings", {"kv_bits": True}),
        ("messages", {}),
        ("messages", ["hello"]),
        ("messages", [{"role": "robot", "content": "x"}]),
        ("messages", [{"role": "user", "content": 3}]),
        ("messages", [{"role": "user"}]),
        ("messages", [{"role": "tool", "content": "x", "name": 3}]),
        ("template_variables", None),
        ("begun", 1),
        ("opaque", -3),
        ("opaque", 3),
        ("opaque", True),
        (None, "[" * 100_000),
        (None, "3"),
    ],
)
def test_a_damaged_session_is_refused(name, value, tmp_path):
    path = tmp_path / "talk.safetensors"
    session = chat(3)
    session.respond("hello")
    session.save(path)
    caches, metadata = load_prompt_cache(path)
    told = value if name is None else json.dumps(json.loads(metadata[KEY]) | {name: value})
    save_prompt_cache(path, caches, {KEY: told}, token_ids=range(10))

    with pytest.raises(FormatError, match="is no session"):
        ChatSession.load(path, FakeModel(11), word_tokenizer())


def test_a_session_of_another_number_of_layers_is_refused(tmp_path):
    path = tmp_path / "talk.safetensors"
    session = chat(3)
    session.respond("hello")
    session.save(path)
    caches, metadata = load_prompt_cache(path)
    save_prompt_cache(path, caches[:1], {KEY: metadata[KEY]}, token_ids=range(10))

    with pytest.raises(FormatError, match="one cache for each layer"):
        ChatSession.load(path, FakeModel(11), word_tokenizer())


def test_a_loaded_session_rewinds_what_can_be_trimmed(tmp_path):
    path = tmp_path / "talk.safetensors"
    model = RecallModel(11)
    session = chat(6, model)
    session.respond("hello")
    session.respond("fox")
    session.save(path)

    loaded = ChatSession.load(path, model, word_tokenizer())
    loaded.undo()

    reply = loaded.respond("world")
    assert reply.cached_tokens >= 8
    assert contents(loaded)[2] == ("user", "world")
    assert reply == chat(6, model, history=loaded.history[:2]).respond("world")


def test_a_loaded_session_begins_anew_where_it_cannot_rewind(tmp_path):
    path = tmp_path / "talk.safetensors"
    model = RecallModel(11, lambda: [RotatingKVCache(max_size=8)])
    session = chat(6, model)
    session.respond("hello world")
    session.save(path)

    loaded = ChatSession.load(path, model, word_tokenizer())
    loaded.instructions = "fox"

    expected = chat(6, model, history=loaded.history, instructions="fox").respond("quick")
    assert loaded.respond("quick") == expected


def test_the_suffix_may_be_left_out_in_loading_too(tmp_path):
    session = chat(3, RecallModel(11))
    session.respond("hello")

    session.save(tmp_path / "talk")
    loaded = ChatSession.load(tmp_path / "talk", session._model, session._tokenizer)

    assert loaded.history == session.history


def test_a_folder_is_no_session(tmp_path):
    session = chat(3, RecallModel(11))

    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        ChatSession.load(tmp_path, session._model, session._tokenizer)
