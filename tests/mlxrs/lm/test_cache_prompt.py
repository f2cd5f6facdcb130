"""Prompts read once and kept in files."""

from __future__ import annotations

import json
from threading import Event

import pytest
from support.tokenizers import byte_level_backend
from support.word_tokenizers import word_tokenizer

from mlxrs.errors import ContextLengthError, UnsupportedError
from mlxrs.lm.cache import (
    KVCache,
    RotatingKVCache,
    cached_tokens,
    load_prompt_cache,
    make_prompt_cache,
    token_ids_of,
)
from mlxrs.lm.cache_prompt import cache_prompt
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel
from mlxrs.tokenizer import Tokenizer

PROMPT = [3, 4, 5, 6, 7, 8, 3]


def say(model, prompt, cache=None):
    steps = generate_step(model, prompt, params=GenConfig(max_tokens=8), cache=cache)
    return [step.token for step in steps]


@pytest.mark.parametrize("size", [1, 3, 7, 2048])
@pytest.mark.parametrize(
    "make",
    [lambda: [KVCache(), KVCache()], lambda: [RotatingKVCache(5, keep=1), KVCache()]],
    ids=["full", "window"],
)
def test_a_loaded_cache_goes_on_as_if_all_was_read_anew(size, make, tmp_path):
    model = RecallModel(50, make)
    path = tmp_path / "prompt.safetensors"

    count = cache_prompt(model, word_tokenizer(), PROMPT, path, prefill_step_size=size)

    caches, metadata = load_prompt_cache(path)
    assert count == cached_tokens(caches) == len(PROMPT)
    assert token_ids_of(metadata) == PROMPT
    assert say(model, [9, 2], caches) == say(model, [*PROMPT, 9, 2])


def test_a_text_becomes_a_message_of_the_user_without_an_end(tmp_path):
    tokenizer = word_tokenizer()

    cache_prompt(FakeModel(11), tokenizer, "hello world", tmp_path / "prompt")

    _, metadata = load_prompt_cache(tmp_path / "prompt.safetensors")
    message = [{"role": "user", "content": "hello world"}]
    ended = tokenizer.apply_chat_template_ids(message)
    ids = token_ids_of(metadata)
    assert ids == ended[: len(ids)] and len(ids) < len(ended)
    assert tokenizer.decode(ids).endswith("hello world")


def test_a_text_without_a_chat_template_is_encoded_as_it_is(tmp_path):
    tokenizer = Tokenizer(byte_level_backend())

    count = cache_prompt(FakeModel(260), tokenizer, "abc", tmp_path / "prompt.safetensors")

    assert count == 3


def test_the_metadata_comes_back_and_the_two_names_of_mlx_lm_win(tmp_path):
    path = tmp_path / "prompt.safetensors"

    cache_prompt(
        FakeModel(11),
        word_tokenizer(),
        PROMPT,
        path,
        model_id="org/model",
        tokenizer_config={"trust_remote_code": False},
        metadata={"model": "mine", "note": "a note"},
        fingerprint="f1",
    )

    _, metadata = load_prompt_cache(path, fingerprint="f1")
    assert metadata["model"] == "org/model" and metadata["note"] == "a note"
    assert json.loads(metadata["tokenizer_config"]) == {"trust_remote_code": False}
    with pytest.raises(UnsupportedError):
        load_prompt_cache(path, fingerprint="f2")


def test_each_call_fills_caches_of_its_own(tmp_path):
    model = FakeModel(11)

    for name in ("first", "second"):
        cache_prompt(model, word_tokenizer(), PROMPT, tmp_path / name)

    caches, _ = load_prompt_cache(tmp_path / "second.safetensors")
    assert cached_tokens(caches) == len(PROMPT)


def test_caches_of_another_kind_can_be_filled(tmp_path):
    model = RecallModel(50)

    cache_prompt(
        model,
        word_tokenizer(),
        PROMPT,
        tmp_path / "packed",
        cache=make_prompt_cache(model, kv_bits=8),
    )

    caches, _ = load_prompt_cache(tmp_path / "packed.safetensors")
    assert say(model, [9], caches) == say(model, [*PROMPT, 9])


def test_progress_is_told_and_cancelling_leaves_no_file(tmp_path):
    told, cancel = [], Event()

    def progress(read, total):
        told.append((read, total))
        if read == 4:
            cancel.set()

    count = cache_prompt(
        FakeModel(11),
        word_tokenizer(),
        PROMPT,
        tmp_path / "prompt",
        prefill_step_size=2,
        progress=progress,
        cancel=cancel,
    )

    assert count == 0
    assert told == [(0, 7), (2, 7), (4, 7)]
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_model_leaves_no_file(tmp_path):
    with pytest.raises(ModelBroke):
        cache_prompt(FailingModel(FakeModel(11), 0), word_tokenizer(), PROMPT, tmp_path / "prompt")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "prompt, settings, message",
    [
        ([], {}, "at least one token id"),
        (PROMPT, {"prefill_step_size": 0}, "prefill_step_size must be >= 1, got 0"),
    ],
)
def test_what_cannot_be_cached_is_refused(prompt, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        cache_prompt(FakeModel(11), word_tokenizer(), prompt, tmp_path / "prompt", **settings)


def test_caches_that_hold_something_are_refused(tmp_path):
    model = FakeModel(11)
    cache = model.make_cache()
    say(model, [1, 2], cache)

    with pytest.raises(ValueError, match="cache must be empty, it holds 9 tokens"):
        cache_prompt(model, word_tokenizer(), PROMPT, tmp_path / "prompt", cache=cache)


def test_a_prompt_beyond_the_context_is_refused(tmp_path):
    with pytest.raises(ContextLengthError):
        cache_prompt(
            FakeModel(11, context_length=6), word_tokenizer(), [1] * 8, tmp_path / "prompt"
        )
