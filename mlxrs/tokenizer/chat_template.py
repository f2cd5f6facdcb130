"""Chat templates: how a model wants a conversation to be written.

A template is a program from outside. It runs in Jinja's sandbox, on copies of plain data, and its
work and its output are bounded; whatever goes wrong in it is a `ChatTemplateError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ChatTemplateError

if TYPE_CHECKING:
    from jinja2 import Template

MAX_SOURCE_CHARACTERS = 1 << 18
MAX_OUTPUT_CHARACTERS = 1 << 26


class Rendered(NamedTuple):
    """What a template wrote.

    Attributes:
        text: all of it.
        generated: the spans of text that `{% generation %}` marks as the assistant's.
    """

    text: str
    generated: list[tuple[int, int]]


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
        with _reported("does not compile"):
            return sandbox().from_string(self.source)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names that it uses and does not always set itself.

        Raises:
            ChatTemplateError: it does not compile.
        """
        from jinja2.meta import find_undeclared_variables

        from .jinja_sandbox import sandbox

        with _reported("does not compile"):
            return frozenset(find_undeclared_variables(sandbox().parse(self.source)))

    def render(self, context: Mapping[str, object]) -> str:
        """Renders the template with the names in `context`; see `render_spans`."""
        return self.render_spans(context).text

    def render_spans(self, context: Mapping[str, object]) -> Rendered:
        """Renders the template with the names in `context`, and keeps what is the assistant's.

        Raises:
            ChatTemplateError: the template does not compile, raised an error, or does or writes
                too much.
        """
        from .jinja_meter import BASE_WORK, WORK_PER_CHARACTER, Meter, meter

        with _reported("failed while rendering"):
            size = Meter(MAX_OUTPUT_CHARACTERS).weigh(dict(context))
        count = Meter(BASE_WORK + WORK_PER_CHARACTER * size)
        token = meter.set(count)
        try:
            # Compiling works out constant expressions, so it is metered too.
            template = self._template
            pieces: list[str] = []
            with _reported("failed while rendering"):
                for piece in template.generate(context):
                    pieces.append(piece)
                    count.written += len(piece)
                    if count.written > MAX_OUTPUT_CHARACTERS:
                        raise OverflowError(
                            f"it wrote more than {MAX_OUTPUT_CHARACTERS} characters; "
                            "shorten the messages"
                        )
        finally:
            meter.reset(token)
        return Rendered("".join(pieces), count.generated)


@contextmanager
def _reported(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ChatTemplateError(
            f"the chat template {what}: {str(error) or type(error).__name__}"
        ) from error


class ChatTemplates:
    """The templates of one model, by name; most models have one or none.

    Args:
        sources: template sources by name. The name `default` is the ordinary one; `tool_use`, if
            there, is taken for conversations with tools.
    """

    def __init__(self, sources: Mapping[str, str] | None = None) -> None:
        self._templates = {name: ChatTemplate(text) for name, text in (sources or {}).items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the templates."""
        return tuple(self._templates)

    @property
    def default(self) -> str | None:
        """The source of the default template."""
        template = self._templates.get("default")
        return None if template is None else template.source

    @property
    def show_tools(self) -> bool:
        """Whether the template for a conversation with tools writes them down."""
        template = self._templates.get("tool_use") or self._templates.get("default")
        return template is not None and "tools" in template.source

    def select(self, *, with_tools: bool, wanted: str | None = None) -> ChatTemplate:
        """Returns the template for a conversation.

        Args:
            with_tools: whether there are tools.
            wanted: the name of a template, or the source of another; by default the one that
                suits.

        Raises:
            ChatTemplateError: there is no such template.
        """
        if wanted is not None:
            known = self._templates.get(wanted)
            if known is None and "{" not in wanted:
                raise ChatTemplateError(
                    f"chat_template must be one of {', '.join(self.names) or 'no names'} or the "
                    f"source of a template, got {wanted!r:.80}"
                )
            return known or ChatTemplate(wanted)
        template = self._templates.get("tool_use") if with_tools else None
        template = template or self._templates.get("default")
        if template is None and self._templates:
            raise ChatTemplateError(
                f"chat_template must name one of {', '.join(self.names)}: this model has no "
                "default chat template"
            )
        if template is None:
            raise ChatTemplateError(
                "this model has no chat template, and none is invented; use an instruction-tuned "
                "model, or generate from plain text"
            )
        return template
