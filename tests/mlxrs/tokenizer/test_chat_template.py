"""Chat templates render as the model's authors expect, and can do no harm."""

from __future__ import annotations

import json

import pytest

from mlxrs.errors import ChatTemplateError
from mlxrs.tokenizer import chat_template
from mlxrs.tokenizer.chat_template import ChatTemplate, ChatTemplates


def render(source: str, **context: object) -> str:
    return ChatTemplate(source).render(context)


def test_blocks_are_trimmed() -> None:
    source = "{% for m in messages %}\n    {% if m %}\n{{ m }}\n    {% endif %}\n{% endfor %}\n"

    assert render(source, messages=["a", "b"]) == "a\nb\n"


def test_loops_can_break_and_continue() -> None:
    source = (
        "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}"
        "{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}"
    )

    assert render(source) == "023"


VALUE = {"z": ["<é>", None, True], "a": {"n": 1.5}}


def test_tojson_writes_plain_json_in_the_order_given() -> None:
    assert render("{{ v | tojson }}", v=VALUE) == json.dumps(VALUE, ensure_ascii=False)
    assert render("{{ v | tojson(indent=2) }}", v=VALUE) == json.dumps(
        VALUE, ensure_ascii=False, indent=2
    )
    assert render("{{ v | tojson(separators=(',', ':')) }}", v=VALUE) == json.dumps(
        VALUE, ensure_ascii=False, separators=(",", ":")
    )


def test_python_methods_of_strings_and_dicts_work() -> None:
    source = "{% for k, v in d.items() %}{{ k.upper() }}={{ v.strip() }};{% endfor %}"

    assert render(source, d={"a": " x "}) == "A=x;"


@pytest.mark.parametrize(
    "source",
    [
        "{% generation %}hi{% endgeneration %}",
        "{%- generation -%} hi {%- endgeneration -%}",
        "{% for x in [1] %}{% generation %}hi{% endgeneration %}{% endfor %}",
        "{% set x = 'hi' %}{% generation %}{{ x }}{% endgeneration %}",
    ],
)
def test_generation_tag_is_read_as_its_content(source: str) -> None:
    assert render(source) == "hi"


def test_generation_tag_in_raw_text_is_text() -> None:
    source = "{% raw %}{% generation %}{% endraw %}"

    assert render(source) == "{% generation %}"


def test_date_follows_the_format() -> None:
    assert len(render("{{ strftime_now('%Y-%m-%d') }}")) == 10


def test_unknown_names_are_empty_and_can_be_asked_for() -> None:
    assert render("[{{ bos_token }}]{% if tools is defined %}x{% endif %}") == "[]"


def test_exception_of_the_template_reaches_the_caller_with_its_words() -> None:
    with pytest.raises(ChatTemplateError, match="rendering: roles must alternate") as caught:
        render("{{ raise_exception('roles must alternate') }}")

    assert caught.value.__cause__ is not None


def test_template_that_does_not_compile_says_so() -> None:
    with pytest.raises(ChatTemplateError, match="does not compile") as caught:
        render("{% for %}")

    assert caught.value.__cause__ is not None


HARMFUL = {
    "attributes of Python": "{{ ''.__class__.__mro__ }}",
    "a function's globals": "{{ raise_exception.__globals__['json'] }}",
    "changing the messages": "{{ messages.append(1) }}",
    "long repetition": "{{ 'a' * 10000000000 }}",
    "long repetition of lists": "{{ 10000000000 * [0] }}",
    "large power": "{{ 10 ** (10 ** 10) }}",
    "large product": "{% set n = namespace(x=10**1000) %}"
    "{% for i in range(40) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "long range": "{% for i in range(10**9) %}x{% endfor %}",
    "deep indent": "{{ [1] | tojson(indent=1000000000) }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "missing attribute": "{{ nothing.at.all }}",
    "type error": "{{ 1 + 'a' }}",
    "division by zero": "{{ 1 / 0 }}",
    "reading files": "{% include '/etc/passwd' %}",
    "bad date": "{{ strftime_now(3) }}",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_or_broken_template_is_an_error_of_ours(name: str) -> None:
    messages = [{"role": "user"}]

    with pytest.raises(ChatTemplateError):
        render(HARMFUL[name], messages=messages)

    assert messages == [{"role": "user"}]


def test_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "MAX_OUTPUT_CHARACTERS", 100)

    assert render("{% for i in range(100) %}x{% endfor %}") == "x" * 100
    with pytest.raises(ChatTemplateError, match="more than 100 characters"):
        render("{% for i in range(101) %}x{% endfor %}")


def test_source_is_bounded() -> None:
    with pytest.raises(ChatTemplateError, match="characters"):
        render("x" * ((1 << 20) + 1))


def test_template_for_tools_is_taken_with_tools_only() -> None:
    templates = ChatTemplates({"default": "plain", "tool_use": "tools"})

    plain, tools = templates.select(with_tools=False), templates.select(with_tools=True)

    assert plain is not None and tools is not None
    assert (plain.source, tools.source) == ("plain", "tools")
    assert ChatTemplates({"default": "plain"}).select(with_tools=True) == ChatTemplate("plain")
    assert ChatTemplates().select(with_tools=False) is None
