"""Tools: what a model is told of them, and what it says to call them."""

from .events import (
    CallEvent,
    Event,
    InvalidCallEvent,
    MarkupEvent,
    ReasoningEvent,
    TextEvent,
    ToolCall,
)
from .formats import ToolFormat, format_named, infer_format
from .reasoning import ReasoningTags, infer_reasoning
from .reply_parser import ReplyParser
from .schema import tool_schema

__all__ = [
    "CallEvent",
    "Event",
    "InvalidCallEvent",
    "MarkupEvent",
    "ReasoningEvent",
    "ReasoningTags",
    "ReplyParser",
    "TextEvent",
    "ToolCall",
    "ToolFormat",
    "format_named",
    "infer_format",
    "infer_reasoning",
    "tool_schema",
]
