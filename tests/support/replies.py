"""Replies that call two tools, as each format writes them, and what they say."""

from __future__ import annotations

from mlxrs.tokenizer.tools import (
    CallEvent,
    Event,
    InvalidCallEvent,
    MarkupEvent,
    ReasoningEvent,
    ReplyParser,
    TextEvent,
    ToolCall,
)

WEATHER = ToolCall("get_weather", {"city": 'Zürich "x" </tool_call>', "days": 3})
SEARCH = ToolCall("search", {"query": "a\nb", "deep": True})

_WEATHER_JSON = '{"city": "Zürich \\"x\\" </tool_call>", "days": 3}'
_SEARCH_JSON = '{"query": "a\\nb", "deep": true}'
_WEATHER = f'{{"name": "get_weather", "arguments": {_WEATHER_JSON}}}'
_SEARCH = f'{{"name": "search", "arguments": {_SEARCH_JSON}}}'


def _xml(start: str, end: str, parameter: str, end_parameter: str, close: str = ">") -> str:
    def call(name: str, **values: str) -> str:
        body = "".join(
            f"{parameter}{key}{close}\n{value}\n{end_parameter}\n" for key, value in values.items()
        )
        return f"{start}{name}{close}\n{body}{end}\n"

    return call("get_weather", city='Zürich "x" </tool_call>', days="3") + call(
        "search", query="a\nb", deep="true"
    )


def _pairs(tag: str, prefix: str = "") -> str:
    def call(name: str, **values: str) -> str:
        pairs = "".join(
            f"<{prefix}arg_key>{key}</{prefix}arg_key>\n"
            f"<{prefix}arg_value>{value}</{prefix}arg_value>\n"
            for key, value in values.items()
        )
        return f"<{tag}>{name}\n{pairs}</{tag}>\n"

    return call("get_weather", city='Zürich "x" </tool_call>', days="3") + call(
        "search", query="a\nb", deep="true"
    )


_BAR = "｜"

REPLIES = {
    "json_tools": f"<tool_call>\n{_WEATHER}\n</tool_call>\n<tool_call>\n{_SEARCH}\n</tool_call>",
    "tool_calls": f"<tool_calls>[{_WEATHER}, {_SEARCH}]</tool_calls>",
    "nemotron": f"<TOOLCALL>[{_WEATHER}, {_SEARCH}]</TOOLCALL>",
    "qwen3_coder": "<tool_call>\n"
    + _xml("<function=", "</function>", "<parameter=", "</parameter>")
    + "</tool_call>",
    "seed_oss": "<seed:tool_call>\n"
    + _xml("<function=", "</function>", "<parameter=", "</parameter>")
    + "</seed:tool_call>",
    "minimax_m2": "<minimax:tool_call>\n"
    + _xml('<invoke name="', "</invoke>", '<parameter name="', "</parameter>", '">')
    + "</minimax:tool_call>",
    "minicpm5": _xml('<function name="', "</function>", '<param name="', "</param>", '">'),
    "glm47": _pairs("tool_call"),
    "longcat": _pairs("longcat_tool_call", "longcat_"),
    "pythonic": '<|tool_call_start|>[get_weather(city="Zürich \\"x\\" </tool_call>", days=3), '
    'search(query="a\\nb", deep=True)]<|tool_call_end|>',
    "mistral": f"[TOOL_CALLS]get_weather[ARGS]{_WEATHER_JSON}"
    f"[TOOL_CALLS]search[ARGS]{_SEARCH_JSON}",
    "kimi_k2": "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
    f"<|tool_call_argument_begin|>{_WEATHER_JSON}<|tool_call_end|><|tool_call_begin|>"
    f"functions.search:1<|tool_call_argument_begin|>{_SEARCH_JSON}<|tool_call_end|>"
    "<|tool_calls_section_end|>",
    "function_gemma": "<start_function_call>call:get_weather{city:<escape>"
    'Zürich "x" </tool_call><escape>,days:3}<end_function_call><start_function_call>'
    "call:search{query:<escape>a\nb<escape>,deep:true}<end_function_call>",
    "gemma4": '<|tool_call>call:get_weather{city:<|"|>Zürich "x" </tool_call><|"|>,days:3}'
    '<tool_call|><|tool_call>call:search{query:<|"|>a\nb<|"|>,deep:true}<tool_call|>',
    "deepseek": f"<{_BAR}tool▁calls▁begin{_BAR}>"
    + "\n".join(
        f"<{_BAR}tool▁call▁begin{_BAR}>function<{_BAR}tool▁sep{_BAR}>{name}\n"
        f"```json\n{arguments}\n```<{_BAR}tool▁call▁end{_BAR}>"
        for name, arguments in (("get_weather", _WEATHER_JSON), ("search", _SEARCH_JSON))
    )
    + f"<{_BAR}tool▁calls▁end{_BAR}>",
    "deepseek_dsml": f"<{_BAR}DSML{_BAR}function_calls>\n"
    f'<{_BAR}DSML{_BAR}invoke name="get_weather">\n'
    f'<{_BAR}DSML{_BAR}parameter name="city" string="true">Zürich "x" </tool_call>'
    f"</{_BAR}DSML{_BAR}parameter>\n"
    f'<{_BAR}DSML{_BAR}parameter name="days" string="false">3</{_BAR}DSML{_BAR}parameter>\n'
    f"</{_BAR}DSML{_BAR}invoke>\n"
    f'<{_BAR}DSML{_BAR}invoke name="search">\n'
    f'<{_BAR}DSML{_BAR}parameter name="query" string="true">a\nb</{_BAR}DSML{_BAR}parameter>\n'
    f'<{_BAR}DSML{_BAR}parameter name="deep" string="false">true</{_BAR}DSML{_BAR}parameter>\n'
    f"</{_BAR}DSML{_BAR}invoke>\n</{_BAR}DSML{_BAR}function_calls>",
    "harmony": "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
    f"{_WEATHER_JSON}<|call|><|start|>assistant to=functions.search<|channel|>commentary json"
    f"<|message|>{_SEARCH_JSON}<|call|>",
    "llama3": f"{_WEATHER}; {_SEARCH.replace('arguments', 'parameters')}",
    "json": f"{_WEATHER}\n{_SEARCH}",
    "cohere": '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "get_weather", "parameters": '
    f'{_WEATHER_JSON}}}, {{"tool_call_id": "1", "tool_name": "search", "parameters": '
    f"{_SEARCH_JSON}}}]<|END_ACTION|>",
    "apertus": f'<|tools_prefix|>[{{"get_weather": {_WEATHER_JSON}}}, {{"search": '
    f"{_SEARCH_JSON}}}]<|tools_suffix|>",
    "granite": f"<|tool_call|>[{_WEATHER}, {_SEARCH}]",
    "gigachat": f"<|function_call|>{_WEATHER}\n<|function_call|>{_SEARCH}",
    "solar": f"<|tool_calls|><|tool_call:begin|>abc<|tool_call:name|>get_weather<|tool_call:args|>"
    f"{_WEATHER_JSON}<|tool_call:end|><|tool_call:begin|>def<|tool_call:name|>search"
    f"<|tool_call:args|>{_SEARCH_JSON}<|tool_call:end|><|end|>",
}


def _schema(name: str, **types: str) -> dict[str, object]:
    properties = {key: {"type": kind} for key, kind in types.items()}
    return {"name": name, "parameters": {"type": "object", "properties": properties}}


TOOLS = [
    _schema("get_weather", city="string", days="integer"),
    _schema("search", query="string", deep="boolean"),
]


def calls(events: list[Event]) -> list[ToolCall]:
    """Returns the calls among events, without their ids."""
    found = [event.call for event in events if isinstance(event, CallEvent)]
    return [ToolCall(call.name, call.arguments) for call in found]


def text(events: list[Event]) -> str:
    """Returns what is said in events."""
    return "".join(event.text for event in events if isinstance(event, TextEvent))


def reasoning(events: list[Event]) -> str:
    """Returns what is thought in events."""
    return "".join(event.text for event in events if isinstance(event, ReasoningEvent))


def merged(events: list[Event]) -> list[Event]:
    """Returns events with neighbours of one kind, cut up by chance, put together."""
    made: list[Event] = []
    for event in events:
        match made[-1] if made else None, event:
            case (TextEvent(before), TextEvent(after)):
                made[-1] = TextEvent(before + after)
            case (ReasoningEvent(before), ReasoningEvent(after)):
                made[-1] = ReasoningEvent(before + after)
            case (MarkupEvent(before), MarkupEvent(after)):
                made[-1] = MarkupEvent(before + after)
            case _:
                made.append(event)
    return made


def read_in_pieces(parser: ReplyParser, pieces: list[str]) -> list[Event]:
    """Returns the events of a reply that comes in pieces."""
    events = [event for piece in pieces for event in parser.feed(piece)]
    return merged([*events, *parser.finish()])


def reasons(events: list[Event]) -> list[str]:
    """Returns what is wrong with the malformed calls among events."""
    return [event.reason for event in events if isinstance(event, InvalidCallEvent)]
