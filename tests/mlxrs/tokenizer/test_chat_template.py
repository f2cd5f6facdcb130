"""Chat templates render as the model's authors expect, and can do no harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.word_tokenizers import word_tokenizer

from mlxrs.errors import ChatTemplateError
from mlxrs.tokenizer import chat_template
from mlxrs.tokenizer.chat_template import ChatTemplate, ChatTemplates
from mlxrs.tokenizer.conversation import render_conversation


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
        render("x" * ((1 << 18) + 1))


def test_template_for_tools_is_taken_with_tools_only() -> None:
    templates = ChatTemplates({"default": "plain", "tool_use": "tools"})

    plain, tools = templates.select(with_tools=False), templates.select(with_tools=True)

    assert (plain.source, tools.source) == ("plain", "tools")
    assert ChatTemplates({"default": "plain"}).select(with_tools=True) == ChatTemplate("plain")
    assert templates.select(with_tools=True, wanted="default").source == "plain"
    assert templates.select(with_tools=False, wanted="{{ x }}").source == "{{ x }}"


def test_no_template_is_invented() -> None:
    with pytest.raises(ChatTemplateError, match="none is invented"):
        ChatTemplates().select(with_tools=False)
    with pytest.raises(ChatTemplateError, match="must name one of rag"):
        ChatTemplates({"rag": "x"}).select(with_tools=False)
    with pytest.raises(ChatTemplateError, match="one of rag"):
        ChatTemplates({"rag": "x"}).select(with_tools=False, wanted="tool_use")


def conversation(source: str, messages: list[dict[str, object]], **options: Any) -> str:
    templates = ChatTemplates({"default": source})
    return render_conversation(templates, {"eos_token": "</s>"}, messages, **options).text


MARKED = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}"
STRIPPED = MARKED.replace("m.content", "m.content | trim")


def said(content: object) -> list[dict[str, object]]:
    return [{"role": "user", "content": "Q"}, {"role": "assistant", "content": content}]


@pytest.mark.parametrize(
    ("source", "content", "end"),
    [
        (MARKED, "Sure", "<assistant>Sure"),
        (MARKED, "Sure: ", "<assistant>Sure: "),
        (STRIPPED, "Sure: ", "<assistant>Sure:"),
        (MARKED, "", "<assistant>"),
        (
            MARKED.replace("m.content", "m.content if m.content is string else m.content[0].text"),
            [{"type": "text", "text": "Sure"}],
            "<assistant>Sure",
        ),
    ],
)
def test_final_message_is_left_open_to_go_on_with(source: str, content: object, end: str) -> None:
    text = conversation(source, said(content), continue_final_message=True)

    assert text == "<user>Q</s>" + end


@pytest.mark.parametrize(
    ("source", "messages", "message"),
    [
        (MARKED, [], "needs a final message"),
        (MARKED, said(None), "must be a string"),
        (MARKED, said([{"type": "image"}]), "must be a string"),
        ("{{ messages[0].content }}", said("Sure"), "does not write the final message"),
        ("{{ messages[1].content | upper }}", said("Sure"), "does not write the final message"),
    ],
)
def test_message_that_cannot_be_gone_on_with_is_refused(
    source: str, messages: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(ChatTemplateError, match=message):
        conversation(source, messages, continue_final_message=True)


def test_reply_either_begins_or_goes_on() -> None:
    with pytest.raises(ChatTemplateError, match="not compatible"):
        conversation(MARKED, said("x"), continue_final_message=True, add_generation_prompt=True)


def test_template_sees_copies_of_plain_data_only() -> None:
    class Sly(str):
        def harm(self) -> None:
            raise AssertionError

    messages = [{"role": Sly("user"), "content": Sly("x"), "image": object(), "nothing": None}]

    assert conversation("{{ messages[0] }}", messages) == (
        "{'role': 'user', 'content': 'x', 'image': '<object>'}"
    )
    with pytest.raises(ChatTemplateError, match="harm"):
        conversation("{{ messages[0].content.harm() }}", messages)


def test_reasoning_stands_under_every_name_that_templates_read() -> None:
    source = "{{ messages[0].thinking }}{{ messages[0].reasoning_content }}"

    for name in ("thinking", "reasoning", "reasoning_content"):
        assert conversation(source, [{"role": "assistant", name: "Hm."}]) == "Hm.Hm."


def test_functions_become_schemas_for_the_template() -> None:
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    assert conversation("{{ tools[0].function.name }}", [], tools=[add]) == "add"


def test_variables_stand_above_all_other_names() -> None:
    options: dict[str, Any] = {"variables": {"enable_thinking": False, "eos_token": "!"}}

    assert conversation("{{ enable_thinking }}{{ eos_token }}", [], **options) == "False!"


def test_generation_spans_are_those_of_the_output() -> None:
    source = (
        "{% for m in messages %}[{{ m.role }}]"
        "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}.{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    rendered = ChatTemplate(source).render_spans({"messages": [*said("one"), *said("two")]})

    assert [rendered.text[a:b] for a, b in rendered.generated] == ["one.", "two."]


MASKED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }} {{ eos_token }}{% endgeneration %}"
    "{% else %}{{ m.content }} {% endif %}{% endfor %}"
)
WORDS = [
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "the quick"},
    {"role": "user", "content": "world"},
    {"role": "assistant", "content": "fox"},
]


def test_mask_has_ones_for_what_the_assistant_writes() -> None:
    ids, mask = word_tokenizer().apply_chat_template_mask(WORDS, chat_template=MASKED)

    assert ids == [3, 5, 6, 2, 4, 8, 2]
    assert mask == [0, 1, 1, 1, 0, 1, 1]


@pytest.mark.reference
def test_mask_is_that_of_transformers() -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = word_tokenizer()
    expected = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._backend, eos_token="</s>"
    ).apply_chat_template(
        WORDS, chat_template=MASKED, return_dict=True, return_assistant_tokens_mask=True
    )

    ids, mask = tokenizer.apply_chat_template_mask(WORDS, chat_template=MASKED)

    assert (ids, mask) == (expected["input_ids"], expected["assistant_masks"])


@pytest.mark.parametrize(
    "sources, shown",
    [
        ({"default": "{% for tool in tools %}{% endfor %}"}, True),
        ({"default": "{{ messages }}"}, False),
        ({"default": "{{ messages }}", "tool_use": "{{ tools }}"}, True),
        ({}, False),
    ],
)
def test_a_template_that_writes_tools_down_is_known(sources: dict[str, str], shown: bool) -> None:
    assert ChatTemplates(sources).show_tools is shown
