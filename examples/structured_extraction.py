"""Takes facts out of sentences, as Python objects.

    python examples/structured_extraction.py [--model NAME]

The type of the object is the form of the reply: whatever the model says, it is JSON of that form.
Whether it is true is up to the model.

Needs `pip install "mlxrs[structured]"`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Literal

from mlxrs import ChatSession, GenConfig, load

SENTENCES = [
    "Ada Lovelace, 36, lives in London and is a mathematician.",
    "My neighbour Olaf is a carpenter from Bergen. He turned 61 last week.",
    "The painter Frida is 29 years old and comes from Coyoacan.",
]


@dataclass
class Person:
    name: str
    age: int
    place: str
    work: Literal["carpenter", "mathematician", "painter", "other"]


def main() -> None:
    options = argparse.ArgumentParser(description="Objects out of sentences")
    options.add_argument("--model", default="smollm2-135m-instruct", help="default: %(default)s")
    model, tokenizer = load(options.parse_args().model)
    session = ChatSession(
        model,
        tokenizer,
        instructions="Say who the sentence is about, as JSON with name, age, place and work.",
        params=GenConfig(max_tokens=80),
    )
    for sentence in SENTENCES:
        reply = session.respond(sentence, schema=Person)
        print(reply.parsed)
        session.undo()  # the next sentence is on its own, but the instructions are not read again


if __name__ == "__main__":
    main()
