"""Steps become text and figures."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .responder import Responder
from .response import GenerationResponse
from .steps import Step

if TYPE_CHECKING:
    from ..tokenizer.detokenizer import StreamingDetokenizer


class ResponseStream:
    """An iterator of `GenerationResponse`, one a token; also a context manager that closes it.

    However it ends (read to the end, closed, or by an error), the generation stops, the caches
    are left without the token on its way, and text that was still withheld is in `text`.
    """

    def __init__(
        self,
        steps: Generator[Step, None, None],
        detokenizer: StreamingDetokenizer,
        prompt_tokens: int,
        cached_tokens: int = 0,
        stop_strings: Sequence[str] = (),
    ) -> None:
        """Wrap a generation.

        Args:
            steps: From `generate_step`.
            detokenizer: A new one.
            prompt_tokens: Tokens of the whole prompt.
            cached_tokens: How many of them were cached, and so are not read by `steps`.
            stop_strings: Texts that end it.
        """
        self._steps = steps
        self._responder = Responder(detokenizer, prompt_tokens, cached_tokens, stop_strings)

    @property
    def tokens(self) -> list[int]:
        """The ids of all responses so far; those that end it are among them."""
        return self._responder.tokens

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole prompt."""
        return self._responder.prompt_tokens

    @property
    def cached_tokens(self) -> int:
        """How many of them were cached."""
        return self._responder.cached_tokens

    @property
    def text(self) -> str:
        """The text of all responses so far, and once ended the tail that was withheld."""
        return self._responder.text

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GenerationResponse:
        if self._responder.ended:
            raise StopIteration
        self._responder.start()
        try:
            response = self._responder.respond(next(self._steps))
        except BaseException:
            self.close()
            raise
        if self._responder.ended:
            self._steps.close()
        return response

    def close(self) -> None:
        """End the generation; again does nothing."""
        if not self._responder.ended:
            self._steps.close()
            self._responder.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
