"""Two sessions over one model talk to each other.

    python examples/debate.py [--model NAME] [--rounds N] [--seed N]

The weights are in memory once. Each side has a conversation of its own, in which the other is the
user, and reads only what it has not heard yet. A small model is soon of one mind with itself.
"""

from __future__ import annotations

import argparse

from mlxrs import ChatSession, GenConfig, load

QUESTION = "Why are your pets the best?"
INSTRUCTIONS = (
    "You are a {mine} owner. You think {mine}s are much better than {other}s. "
    "Answer in one short sentence."
)
SIDES = {"cat": "dog", "dog": "cat"}


def main() -> None:
    options = argparse.ArgumentParser(description="A debate between two sessions")
    options.add_argument("--model", default="smollm2-135m-instruct", help="default: %(default)s")
    options.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    options.add_argument("--seed", type=int, default=5, help="default: %(default)s")
    chosen = options.parse_args()

    model, tokenizer = load(chosen.model)
    speakers = {
        mine: ChatSession(
            model,
            tokenizer,
            instructions=INSTRUCTIONS.format(mine=mine, other=other),
            params=GenConfig(max_tokens=40, temp=0.7, top_p=0.9, seed=chosen.seed),
        )
        for mine, other in SIDES.items()
    }
    heard = QUESTION
    print(f"you: {QUESTION}")
    for _ in range(chosen.rounds):
        for name, speaker in speakers.items():
            reply = speaker.respond(heard)
            read = reply.prompt_tokens - reply.cached_tokens
            print(f"{name}: {reply}  [{read} of {reply.prompt_tokens} tokens read]")
            heard = f"{reply} Do you disagree?"


if __name__ == "__main__":
    main()
