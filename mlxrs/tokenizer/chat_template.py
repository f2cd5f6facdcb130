"""Chat templates: how a model wants a conversation to be written.

A template is a program from outside. It runs in Jinja's sandbox, on values it cannot change, and
its output is bounded; whatever goes wrong in it is a `ChatTemplateError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import ChatTemplateError

if TYPE_CHECKING:
    from jinja2 import Template

MAX_SOURCE_CHARACTERS = 1 << 20
MAX_OUTPUT_CHARACTERS = 1 << 26


@dataclass(frozen=True)
class ChatTemplate:
    """One template; it is compiled when it is rendered first."""

    source: str

    @cached_property
    def _template(self) -> Template:
        from .jinja_sandbox import sandbox

        if len(self.source) > MAX_SOURCE_CHARACTERS:
            raise ChatTemplateError(
                f"a chat template must have at most {MAX_SOURCE_CHARACTERS} characters, "
                f"got {len(self.source)}; the model is damaged"
            )
        try:
            return sandbox().from_string(self.source)
        except Exception as error:
            raise ChatTemplateError(
                f"the chat template does not compile: {str(error) or type(error).__name__}"
            ) from error

    def render(self, context: Mapping[str, object]) -> str:
        """Renders the template with the names in `context`.

        Raises:
            ChatTemplateError: the template does not compile, raised an error, or wrote too much.
        """
        pieces: list[str] = []
        left = MAX_OUTPUT_CHARACTERS
        try:
            for piece in self._template.generate(context):
                pieces.append(piece)
                left -= len(piece)
                if left < 0:
                    raise ChatTemplateError(
                        f"the chat template wrote more than {MAX_OUTPUT_CHARACTERS} characters; "
                        "shorten the messages"
                    )
        except ChatTemplateError:
            raise
        except Exception as error:
            raise ChatTemplateError(
                f"the chat template failed while rendering: {str(error) or type(error).__name__}"
            ) from error
        return "".join(pieces)


class ChatTemplates:
    """The templates of one model, by name; most models have one or none.

    Args:
        sources: template sources by name. The name `default` is the ordinary one; `tool_use`, if
            there, is taken for conversations with tools.
    """

    def __init__(self, sources: Mapping[str, str] | None = None) -> None:
        self._templates = {name: ChatTemplate(text) for name, text in (sources or {}).items()}

    @property
    def default(self) -> str | None:
        """The source of the default template."""
        template = self._templates.get("default")
        return None if template is None else template.source

    def select(self, *, with_tools: bool) -> ChatTemplate | None:
        """Returns the template for a conversation with or without tools."""
        default = self._templates.get("default")
        return self._templates.get("tool_use", default) if with_tools else default
