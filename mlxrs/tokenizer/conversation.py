"""A conversation as text: what is told to a chat template, and what is cut off behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ..errors import ChatTemplateError
from .chat_template import ChatTemplates, Rendered
from .plain_data import Plain, plain, plain_messages, turn_arguments

# Nothing that a person writes ends so; the space shows whether the template strips messages.
_MARK = "CONTINUE_FINAL_MESSAGE_TAG "


def render_conversation(
    templates: ChatTemplates,
    special_tokens: Mapping[str, str],
    messages: Sequence[Mapping[str, object]],
    *,
    add_generation_prompt: bool | None = None,
    continue_final_message: bool = False,
    tools: Sequence[Mapping[str, object] | Callable[..., object]] | None = None,
    documents: Sequence[Mapping[str, object]] | None = None,
    chat_template: str | None = None,
    variables: Mapping[str, object] | None = None,
) -> Rendered:
    """Renders a conversation; see `Tokenizer.apply_chat_template`."""
    if add_generation_prompt and continue_final_message:
        raise ChatTemplateError(
            "add_generation_prompt is not compatible with continue_final_message: a reply either "
            "begins or goes on; set one of them"
        )
    template = templates.select(with_tools=tools is not None, wanted=chat_template)
    told = plain_messages(messages)
    final = _mark_final(told) if continue_final_message else ""
    if add_generation_prompt is None:
        add_generation_prompt = not continue_final_message
    schemas = None if tools is None else [_schema(tool) for tool in tools]
    context: dict[str, object] = {
        **special_tokens,
        "messages": told,
        "tools": plain(schemas),
        "documents": plain(documents),
        "add_generation_prompt": add_generation_prompt,
        **{name: plain(value) for name, value in (variables or {}).items()},
    }
    try:
        rendered = template.render_spans(context)
    except ChatTemplateError:
        # Some templates want the arguments of earlier calls as JSON text, others as objects.
        if not turn_arguments(told):
            raise
        with suppress(ChatTemplateError):
            return _finished(template.render_spans(context), final, continue_final_message)
        raise
    return _finished(rendered, final, continue_final_message)


def _finished(rendered: Rendered, final: str, continue_final_message: bool) -> Rendered:
    return _cut_at_mark(rendered, final) if continue_final_message else rendered


def _schema(tool: Mapping[str, object] | Callable[..., object]) -> Mapping[str, object]:
    from .tools.schema import tool_schema

    return tool_schema(tool) if callable(tool) else tool


def _mark_final(messages: list[dict[str, Plain]]) -> str:
    """Puts the mark behind the last message's text, and returns that text."""
    if not messages:
        raise ChatTemplateError("continue_final_message needs a final message, got none")
    message = messages[-1]
    match message.get("content"):
        case str(text):
            message["content"] = text + _MARK
            return text
        case list(blocks):
            for block in reversed(blocks):
                last = block.get("text") if isinstance(block, dict) else None
                if isinstance(block, dict) and isinstance(last, str):
                    block["text"] = last + _MARK
                    return last
    raise ChatTemplateError(
        "continue_final_message needs text to go on from: the content of the final message must "
        f"be a string, got {type(message.get('content')).__name__}"
    )


def _cut_at_mark(rendered: Rendered, final: str) -> Rendered:
    text, place = rendered.text, rendered.text.rfind(_MARK.rstrip())
    if place < 0 or final.strip() not in text:
        raise ChatTemplateError(
            "continue_final_message: the chat template does not write the final message as it is; "
            "end the prompt by hand instead"
        )
    kept = text[:place]
    if not text.startswith(_MARK, place):
        kept = kept.rstrip()
    spans = [(start, min(end, len(kept))) for start, end in rendered.generated if start < len(kept)]
    return Rendered(kept, spans)
