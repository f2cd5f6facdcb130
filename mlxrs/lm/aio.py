"""Generation beside an asyncio loop, which goes on meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import mlxc as mx

from .cache import Cache
from .generate import stream_generate
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .response import GenerationResponse
from .steps import Progress
from .stream import ResponseStream
from .worker import in_thread

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


async def stream_generate_async(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int] | mx.array,
    *,
    params: GenConfig | None = None,
    cache: Sequence[Cache] | None = None,
    constraint: Constraint | None = None,
    progress: Progress | None = None,
) -> AsyncGenerator[GenerationResponse, None]:
    """Continue a prompt, one response a token, without blocking the event loop.

    The model runs in another thread. Cancelling the task, or closing the generator, ends the
    generation within a chunk of the prompt or one token. Arguments, responses and errors are
    those of `stream_generate`, the errors coming with the first response; `progress` is called
    on that other thread.

    Example:
        async for response in stream_generate_async(model, tokenizer, "Once upon a time"):
            print(response.text, end="", flush=True)
    """
    cancel = Event()
    begin = partial(
        stream_generate,
        model,
        tokenizer,
        prompt,
        params=params,
        cache=cache,
        constraint=constraint,
        progress=progress,
        cancel=cancel,
    )
    stream: ResponseStream = await in_thread(begin, cancel.set)
    following = partial(next, stream, None)
    try:
        while (response := await in_thread(following, cancel.set)) is not None:
            yield response
    finally:
        # Whatever the thread is at, it is at its last token.
        cancel.set()
        await in_thread(stream.close, cancel.set)
