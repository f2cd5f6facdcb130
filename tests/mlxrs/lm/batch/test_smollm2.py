"""SmolLM2 says the same to five prompts at once as to each alone."""

from functools import cache

from support.models import smollm2_gguf

from mlxrs.lm.batch import BatchGenerator
from mlxrs.lm.cache import make_prompt_cache
from mlxrs.lm.load import load
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step

INSTRUCTIONS = (
    "<|im_start|>system\nYou answer in one sentence, as a teacher would who likes short words and "
    "clear pictures, and you never ask back.<|im_end|>\n<|im_start|>user\n"
)
PROMPTS = [
    "Once upon a time",
    INSTRUCTIONS + "What is a river?<|im_end|>\n<|im_start|>assistant\n",
    "The three most common words of the English language are",
    INSTRUCTIONS + "Why is the sky blue in the daytime?<|im_end|>\n<|im_start|>assistant\n",
    "def fibonacci(n):\n",
]
LENGTH = 32
# Where logits of equal models differ by the order of float32 sums only; they are 20 at most.
CLOSE = 5e-3


@cache
def smollm2():
    return load(str(smollm2_gguf()))


@cache
def alone(prompt, temp, seed):
    """The tokens, and by how much each was likelier than the next."""
    model, tokenizer = smollm2()
    length = 5 if temp else LENGTH
    params = GenConfig(max_tokens=length, temp=temp, seed=seed, top_logprobs=2)
    ids = tokenizer.encode(prompt)
    steps = generate_step(model, ids, params=params, eos=tokenizer.eos_token_ids)
    return [(step.token, step.top_logprobs[0][1] - step.top_logprobs[1][1]) for step in steps]


def together(params, **sizes):
    model, tokenizer = smollm2()
    with BatchGenerator(model, tokenizer, **sizes) as batch:
        rows = batch.insert(PROMPTS, params)
        events = list(batch)
    return [[event.token for id, event in events if id == row] for row in rows]


def test_greedy_text_of_ragged_prompts_is_the_same():
    for said, prompt in zip(together(GenConfig(max_tokens=LENGTH)), PROMPTS, strict=True):
        expected = alone(prompt, 0.0, 0)
        for place, (token, (wanted, gap)) in enumerate(zip(said, expected, strict=False)):
            if token != wanted:
                print(f"token {place} differs where two were {gap:.2g} apart")
                assert gap < CLOSE
                break
        else:
            assert len(said) == len(expected)


def test_prompts_read_in_chunks_beside_running_rows_give_the_same_text():
    params = [GenConfig(max_tokens=6) for _ in PROMPTS]

    sizes = {"prefill_step_size": 7, "prefill_batch_size": 2, "completion_batch_size": 3}
    for said, prompt in zip(together(params, **sizes), PROMPTS, strict=True):
        assert said == [token for token, _ in alone(prompt, 0.0, 0)][:6]


def test_drawn_text_depends_on_the_seed_of_the_row():
    params = [GenConfig(max_tokens=5, temp=0.8, seed=seed) for seed in range(len(PROMPTS))]

    for seed, (said, prompt) in enumerate(zip(together(params), PROMPTS, strict=True)):
        assert said == [token for token, _ in alone(prompt, 0.8, seed)][:5]


def test_quantized_caches_of_a_batch_give_the_same_text():
    model, tokenizer = smollm2()
    params = GenConfig(max_tokens=6)
    caches = [make_prompt_cache(model, kv_bits=8) for _ in PROMPTS[:3]]
    with BatchGenerator(model, tokenizer) as batch:
        rows = batch.insert(PROMPTS[:3], params, caches=caches)
        events = list(batch)

    for row, prompt in zip(rows, PROMPTS, strict=False):
        cache, ids = make_prompt_cache(model, kv_bits=8), tokenizer.encode(prompt)
        expected = [step.token for step in generate_step(model, ids, params=params, cache=cache)]
        assert [event.token for id, event in events if id == row] == expected
