"""SmolLM2 says the same however it is run."""

from functools import cache

import pytest
from support.kernels import choose
from support.models import smollm2_gguf

import mlxc as mx
from mlxrs.lm.cache import load_prompt_cache, make_prompt_cache, save_prompt_cache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.load import load
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.speculative import speculative_step
from mlxrs.lm.steps import generate_step

PROMPTS = {
    "story": "Once upon a time, in a village by the sea,",
    "chat": (
        "<|im_start|>user\nName three rivers of Europe and what they flow through."
        "<|im_end|>\n<|im_start|>assistant\n"
    ),
}
LENGTH = 64
# Where logits of equal models differ by the order of float32 sums only; they are 20 at most.
CLOSE = 5e-3
# What a cache of 8 bits a value may change.
CLOSE_PACKED = 5e-2


@cache
def smollm2():
    return load(str(smollm2_gguf()))


@pytest.fixture(params=["float32", "int16", "int8"])
def activations(request):
    smollm2()  # which chooses them itself
    before = mx.cpu_kernels()
    smollm2()[0].round_cache(mx.float32 if request.param == "float32" else mx.float16)
    yield mx.cpu_kernels(activations=request.param).activations
    choose(before)


def ids(text):
    return smollm2()[1].encode(text, add_special_tokens=False)


def plain(prompt, *, cache=None, **settings):
    params = GenConfig(**({"max_tokens": LENGTH} | settings))
    steps = generate_step(smollm2()[0], prompt, params=params, cache=cache)
    return [step.token for step in steps]


@cache
def expected(text, activations):
    """The plain reply: its tokens, and by how much each was likelier than the next."""
    params = GenConfig(max_tokens=LENGTH, top_logprobs=2)
    steps = list(generate_step(smollm2()[0], ids(text), params=params))
    gaps = [step.top_logprobs[0][1] - step.top_logprobs[1][1] for step in steps]
    return [step.token for step in steps], gaps


def assert_same(found, text, activations, *, length=LENGTH, close=CLOSE):
    tokens, gaps = expected(text, activations)
    assert len(found) == LENGTH
    for place, (token, wanted) in enumerate(zip(found[:length], tokens, strict=False)):
        if token != wanted:
            print(f"token {place} differs where two were {gaps[place]:.2g} apart")
            assert gaps[place] < close
            return


def saved_and_restored(prompt, tmp_path):
    caches = make_prompt_cache(smollm2()[0])
    first = plain(prompt, cache=caches, max_tokens=LENGTH // 2)
    save_prompt_cache(tmp_path / "half.safetensors", caches)
    restored, _ = load_prompt_cache(tmp_path / "half.safetensors")
    return first + plain(first[-1:], cache=restored, max_tokens=LENGTH // 2)


def guessed(prompt, speculative):
    params = GenConfig(max_tokens=LENGTH)
    steps = speculative_step(smollm2()[0], prompt, params=params, speculative=speculative)
    return [step.token for step in steps]


WAYS = {
    "read in chunks of 7": lambda prompt, _: plain(prompt, prefill_step_size=7),
    "saved and restored midway": saved_and_restored,
    "guessed by itself": lambda prompt, _: guessed(
        prompt, SpeculativeDecodingConfig(smollm2()[0], 5)
    ),
    "guessed out of the prompt": lambda prompt, _: guessed(prompt, PromptLookupConfig(8)),
}


@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_greedy_text_is_the_same(way, text, activations, tmp_path):
    assert_same(way(ids(text), tmp_path), text, activations)


@pytest.mark.parametrize("activations", ["float32"], indirect=True)
@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS)
def test_a_cache_of_8_bits_says_the_same_for_a_while(text, activations):
    caches = make_prompt_cache(smollm2()[0], kv_bits=8)

    found = plain(ids(text), cache=caches)

    assert_same(found, text, activations, length=16, close=CLOSE_PACKED)


def test_a_seed_gives_the_same_text_whatever_runs_beside_it():
    settings = {"temp": 0.9, "top_p": 0.9, "seed": 11, "max_tokens": 24}
    alone = plain(ids(PROMPTS["story"]), **settings)

    params = GenConfig(**settings)
    beside = generate_step(smollm2()[0], ids(PROMPTS["story"]), params=params)
    other = generate_step(smollm2()[0], [1, 2], params=GenConfig(temp=1.0, max_tokens=24))
    pairs = list(zip(beside, other, strict=True))
    mx.random.seed(3)

    assert [step.token for step, _ in pairs] == alone
