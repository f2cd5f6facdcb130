"""A conversation with a real model: what is kept, and that it goes on the same from a file."""

from support.models import smollm2

from mlxrs import ChatSession, GenConfig


def test_a_real_conversation_reads_only_what_is_new_and_goes_on_from_a_file(tmp_path):
    path = tmp_path / "talk.safetensors"
    model, tokenizer = smollm2()
    session = ChatSession(model, tokenizer, params=GenConfig(max_tokens=8))
    known = 0
    for prompt in ("What is a tensor?", "Is a matrix one?", "Name another one."):
        reply = session.respond(prompt)
        # All that was cached is kept; the reply's last token was never read.
        assert reply.cached_tokens == known
        known = reply.prompt_tokens + reply.generation_tokens - 1

    session.save(path)
    loaded = ChatSession.load(path, model, tokenizer)

    replies = [each.respond("And why?") for each in (session, loaded)]
    assert replies[0] == replies[1]
    assert replies[0].cached_tokens == replies[1].cached_tokens == known
