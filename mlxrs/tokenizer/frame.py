"""The tokens around every text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


def frame(backend: Backend, *, first: int | None, last: int | None) -> None:
    """Lets `backend` begin every text with the token `first` and end it with `last`."""
    from tokenizers.processors import TemplateProcessing

    if first is None and last is None:
        return
    # The template has names of its own, as a token's text may hold characters it reserves.
    pieces: list[Any] = [*(["FIRST"] if first is not None else []), "$A"]
    pieces += ["LAST"] if last is not None else []
    named = [("FIRST", first), ("LAST", last)]
    backend.post_processor = TemplateProcessing(
        single=pieces,
        special_tokens=[
            {"id": name, "ids": [token], "tokens": [backend.id_to_token(token)]}
            for name, token in named
            if token is not None
        ],
    )
