"""The ways models write calls, and how a chat template tells which one a model uses."""

from __future__ import annotations

from dataclasses import dataclass

from .gemma import gemma_call
from .payloads import (
    Payload,
    json_calls,
    keyed_json_calls,
    mistral_calls,
    named_json_call,
    pair_call,
    python_or_json_calls,
    xml_call,
)

_JSON = (('"', '"'),)
_PYTHON = (('"', '"'), ("'", "'"))


@dataclass(frozen=True)
class Bracket:
    """Tags around one call, or around a list of calls.

    Attributes:
        start: the tag a call begins with; empty for a call without one.
        ends: the tags any of which it ends with; without any, it ends with its last bracket.
        read: reads what stands between.
        quotes: what texts stand between, inside which no tag ends the call.
        may_end_open: whether a call that reads well is whole even if no tag ends it, as where
            generation stops at that tag. What has no end of its own could be cut short.
    """

    start: str
    ends: tuple[str, ...]
    read: Payload
    quotes: tuple[tuple[str, str], ...] = _JSON
    may_end_open: bool = True


@dataclass(frozen=True)
class ToolFormat:
    """How one family of models writes calls.

    Attributes:
        name: the name of the format.
        brackets: the tags of calls.
        sections: tags around several calls, with nothing else between them.
        bare: whether a reply may be a call without tags, an object of JSON.
        channels: whether the whole reply is made of messages with channels, as gpt-oss writes.
        ends_reasoning: whether the tags cannot be mere words of reasoning.
        signs: what a template has all of if its model writes so.
    """

    name: str
    brackets: tuple[Bracket, ...] = ()
    sections: tuple[tuple[str, str], ...] = ()
    bare: bool = False
    channels: bool = False
    ends_reasoning: bool = False
    signs: tuple[str, ...] = ()

    @property
    def openings(self) -> tuple[str, ...]:
        """The tags that a reply which calls may begin with."""
        starts = [bracket.start for bracket in self.brackets if bracket.start]
        return (*(start for start, _ in self.sections), *starts)


def _tags(name: str, sign: str, tag: str, read: Payload = json_calls) -> ToolFormat:
    return ToolFormat(name, (Bracket(f"<{tag}>", (f"</{tag}>",), read),), signs=(sign,))


def _xml(start: str, end: str, parameter: str, end_parameter: str) -> Bracket:
    return Bracket(start, (end,), xml_call, ((parameter, end_parameter),), may_end_open=False)


def _pairs(tag: str, prefix: str = "") -> Bracket:
    quotes = ((f"<{prefix}arg_value>", f"</{prefix}arg_value>"),)
    read = pair_call(prefix)
    return Bracket(f"<{tag}>", (f"</{tag}>",), read, quotes, may_end_open=False)


_PYTHONIC = Bracket("<|tool_call_start|>", ("<|tool_call_end|>",), python_or_json_calls, _PYTHON)
_FUNCTION = _xml("<function=", "</function>", "<parameter=", "</parameter>")

FORMATS: tuple[ToolFormat, ...] = (
    ToolFormat(
        "minimax_m2",
        (_xml("<invoke name=", "</invoke>", "<parameter name=", "</parameter>"),),
        (("<minimax:tool_call>", "</minimax:tool_call>"),),
        ends_reasoning=True,
        signs=("<minimax:tool_call>",),
    ),
    ToolFormat(
        "gemma4",
        (Bracket("<|tool_call>", ("<tool_call|>",), gemma_call('<|"|>'), (('<|"|>', '<|"|>'),)),),
        ends_reasoning=True,
        signs=("<|tool_call>",),
    ),
    ToolFormat(
        "function_gemma",
        (
            Bracket(
                "<start_function_call>",
                ("<end_function_call>",),
                gemma_call("<escape>"),
                (("<escape>", "<escape>"),),
            ),
        ),
        signs=("<start_function_call>",),
    ),
    ToolFormat(
        "longcat",
        (_pairs("longcat_tool_call", "longcat_"),),
        ends_reasoning=True,
        signs=("<longcat_tool_call>",),
    ),
    ToolFormat("harmony", channels=True, signs=("<|channel|>", "<|message|>")),
    ToolFormat(
        "deepseek_dsml",
        (
            _xml(
                "<｜DSML｜invoke name=",
                "</｜DSML｜invoke>",
                "<｜DSML｜parameter name=",
                "</｜DSML｜parameter>",
            ),
        ),
        (
            ("<｜DSML｜function_calls>", "</｜DSML｜function_calls>"),
            ("<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>"),
        ),
        ends_reasoning=True,
        signs=("DSML",),
    ),
    ToolFormat(
        "deepseek",
        (
            Bracket(
                "<｜tool▁call▁begin｜>",
                ("<｜tool▁call▁end｜>",),
                named_json_call("<｜tool▁sep｜>|```(?:json)?|\n", lead="function<｜tool▁sep｜>"),
            ),
        ),
        (("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),),
        ends_reasoning=True,
        signs=("<｜tool▁calls▁begin｜>",),
    ),
    ToolFormat(
        "kimi_k2",
        (
            Bracket(
                "<|tool_call_begin|>",
                ("<|tool_call_end|>",),
                named_json_call(
                    r"<\|tool_call_argument_begin\|>", prefix="functions.", numbered=True
                ),
            ),
        ),
        (("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),),
        ends_reasoning=True,
        signs=("<|tool_calls_section_begin|>",),
    ),
    ToolFormat("glm47", (_pairs("tool_call"),), signs=("<arg_key>",)),
    ToolFormat("pythonic", (_PYTHONIC,), signs=("<|tool_list_start|>",)),
    ToolFormat("pythonic", (_PYTHONIC,), signs=("<|tool_call_start|>",)),
    ToolFormat(
        "seed_oss",
        (_FUNCTION,),
        (("<seed:tool_call>", "</seed:tool_call>"),),
        signs=("<seed:tool_call>",),
    ),
    ToolFormat(
        "qwen3_coder",
        (_FUNCTION,),
        (("<tool_call>", "</tool_call>"),),
        signs=("<tool_call>", "<function="),
    ),
    ToolFormat(
        "minicpm5",
        (_xml("<function name=", "</function>", "<param name=", "</param>"),),
        signs=("<function name=",),
    ),
    ToolFormat(
        "mistral",
        (Bracket("[TOOL_CALLS]", (), mistral_calls),),
        ends_reasoning=True,
        signs=("[TOOL_CALLS]",),
    ),
    ToolFormat(
        "solar",
        (
            Bracket(
                "<|tool_call:begin|>",
                ("<|tool_call:end|>",),
                named_json_call(r"<\|tool_call:args\|>", lead=r"(?P<id>\w+)<\|tool_call:name\|>"),
            ),
        ),
        (("<|tool_calls|>", "<|end|>"),),
        signs=("<|tool_call:begin|>",),
    ),
    ToolFormat(
        "cohere",
        (Bracket("<|START_ACTION|>", ("<|END_ACTION|>",), json_calls),),
        ends_reasoning=True,
        signs=("<|START_ACTION|>",),
    ),
    ToolFormat(
        "apertus",
        (Bracket("<|tools_prefix|>", ("<|tools_suffix|>",), keyed_json_calls),),
        signs=("<|tools_prefix|>",),
    ),
    ToolFormat(
        "gigachat",
        (Bracket("<|function_call|>", (), json_calls),),
        signs=("<|function_call|>",),
    ),
    ToolFormat("granite", (Bracket("<|tool_call|>", (), json_calls),), signs=("<|tool_call|>",)),
    _tags("nemotron", "<TOOLCALL>", "TOOLCALL"),
    _tags("tool_calls", "<tool_calls>", "tool_calls"),
    _tags("json_tools", "<tool_call>", "tool_call"),
    ToolFormat(
        "llama3",
        (
            Bracket("<|python_tag|>", ("<|eom_id|>", "<|eot_id|>"), python_or_json_calls, _PYTHON),
            _FUNCTION,
        ),
        bare=True,
        signs=("<|python_tag|>",),
    ),
    ToolFormat(
        "json",
        (Bracket("<tool_call>", ("</tool_call>",), json_calls),),
        bare=True,
        signs=("tools",),
    ),
)


FORMAT_NAMES = frozenset(format.name for format in FORMATS)


def format_named(name: str) -> ToolFormat:
    """Returns a format by its name.

    Raises:
        ValueError: there is none of that name.
    """
    for format in FORMATS:
        if format.name == name:
            return format
    names = ", ".join(sorted(FORMAT_NAMES))
    raise ValueError(f"the tool format must be one of {names}, got {name!r}")


def infer_format(template: str) -> ToolFormat | None:
    """Returns the format in which a model with this chat template writes calls.

    A template shows the tags when it writes down earlier calls. One that knows of tools, but shows
    no tags, leaves calls in plain JSON; one that does not know of tools leaves None.
    """
    for format in FORMATS:
        if all(sign in template for sign in format.signs):
            return format
    return None
