"""A template cannot make a program slow or large, whatever it asks for."""

from __future__ import annotations

import pytest

from mlxrs.errors import ChatTemplateError
from mlxrs.tokenizer.chat_template import ChatTemplate

DOUBLED = "{% set n = namespace(x='ab', l=[1]) %}{% for i in range(60) %}_{% endfor %}"
BIG = "{% set b = 'a' * 1000000 %}"
LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}_{% endfor %}{% endfor %}"


def doubled(body: str, use: str = "") -> str:
    return DOUBLED.replace("_", body) + use


TOO_MUCH = {
    "loops in loops": LOOPS.replace("_", ""),
    "comparing big texts": BIG + LOOPS.replace("_", "{% if b == b ~ 'c' %}{% endif %}"),
    "searching a big text": BIG + LOOPS.replace("_", "{% if 'b' in b %}{% endif %}"),
    "tests of a big text": BIG + LOOPS.replace("_", "{% if 'b' is in b %}{% endif %}"),
    "slices of a big text": BIG + LOOPS.replace("_", "{% set x = b[1:] %}"),
    "splits of a big text": BIG + LOOPS.replace("_", "{% set x = b.split() %}"),
    "literals in a block": "{% set y %}" + LOOPS.replace("_", "x" * 10000) + "{% endset %}",
    "a text in a block": BIG + "{% set y %}" + LOOPS.replace("_", "{{ b }}") + "{% endset %}",
    "generation tags": LOOPS.replace("_", "{% generation %}{% endgeneration %}"),
    "macros that call themselves twice": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}"
    "{% endif %}{% endmacro %}{{ f(60) }}",
    "blocks that call themselves": "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "loops that call themselves": "{% for a in range(9) recursive %}{{ loop(range(9)) }}"
    "{{ loop(range(9)) }}{% endfor %}",
    "text and text": doubled("{% set n.x = n.x ~ n.x %}"),
    "text plus text": doubled("{% set n.x = n.x + n.x %}"),
    "lists plus lists": doubled("{% set n.l = n.l + n.l %}"),
    "lists of lists": doubled("{% set n.l = [n.l, n.l] %}", "{{ n.l }}"),
    "lists of lists as JSON": doubled("{% set n.l = [n.l, n.l] %}", "{{ n.l | tojson }}"),
    "lists of lists compared": doubled("{% set n.l = [n.l, n.l] %}", "{{ n.l == n.l }}"),
    "tuples of tuples as keys": doubled("{% set n.l = (n.l, n.l) %}", "{{ {n.l: 1} }}"),
    "dicts of dicts": doubled("{% set n.l = {'a': n.l, 'b': n.l} %}", "{{ n.l | string }}"),
    "dicts made by calls": doubled("{% set n.l = dict(a=n.l, b=n.l) %}", "{{ n.l }}"),
    "blocks of blocks": doubled("{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}"),
    "filtered blocks": doubled(
        "{% set y %}{% filter upper %}{{ n.x }}{{ n.x }}{% endfilter %}{% endset %}"
        "{% set n.x = y %}"
    ),
    "wide text": "{{ 'a' | center(10000000000) }}",
    "wide text by a method": "{{ 'a'.ljust(10000000000) }}",
    "zeros": "{{ 'a'.zfill(10000000000) }}",
    "tabs": "{{ ('\t' * 100000).expandtabs(1000000) }}",
    "a width": "{{ '%9999999999d' % 1 }}",
    "a width that is an argument": "{{ '%*d' % (9999999999, 1) }}",
    "a precision": "{{ '%.9999999999f' % 1 }}",
    "a name many times": BIG + "{{ ('%(a)s' * 100000) % {'a': b} }}",
    "a format": "{{ '{:9999999999}'.format(1) }}",
    "a format in a format": "{{ '{:{}}'.format(1, 9999999999) }}",
    "a format by a filter": "{{ '%9999999999d' | format(1) }}",
    "a format many times": BIG + "{{ ('{0}' * 100000).format(b) }}",
    "a format of a dict": "{{ '{a:9999999999}'.format_map({'a': 1}) }}",
    "replacing": BIG + "{{ b.replace('a', b) }}",
    "replacing nothing": BIG + "{{ b.replace('', b) }}",
    "replacing by a filter": BIG + "{{ b | replace('a', b) }}",
    "translating": BIG + "{{ b.translate({97: b}) }}",
    "joining": BIG + "{{ range(100000) | join(b) }}",
    "joining what is not there yet": BIG + "{{ range(100000) | map('string') | join(b) }}",
    "joining by a method": BIG + "{{ b.join(range(100000) | map('string')) }}",
    "mapping": "{{ range(100000) | map('string') | map('center', 1000000) | list | length }}",
    "indenting": "{{ ('a\n' * 100000) | indent(1000000) }}",
    "indenting with text": "{{ ('a\n' * 100000) | indent('a' * 1000000) }}",
    "indenting JSON": "{{ (range(100000) | list) | tojson(indent='a' * 1000000) }}",
    "batches": "{{ [1] | batch(10000000000, 0) | list }}",
    "slices": "{{ [1] | slice(10000000000) | list }}",
    "rounding": "{{ 5 | round(1000000000, 'ceil') }}",
    "filler": "{{ lipsum(1000000000) }}",
    "bytes": "{{ (5).to_bytes(10000000000, 'big') }}",
    "wrapping": "{{ ('a b ' * 200000) | wordwrap(1, wrapstring='a' * 1000000) }}",
    "stripping tags": "{{ ('<!---->' * 140000) | striptags }}",
    "links": "{{ (')' * 1000000 ~ 'a') | urlize }}",
    "sums of lists": "{% set l = range(9999) | list %}{{ ([l] * 10000) | sum(start=[]) }}",
    "attributes": "{{ {'a': '<' * 1000000} | xmlattr }}",
    "nested brackets": "{{ " + "(" * 100000 + "1" + ")" * 100000 + " }}",
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_template_that_asks_for_too_much_ends_soon(name: str) -> None:
    with pytest.raises(ChatTemplateError):
        ChatTemplate(TOO_MUCH[name]).render({})


def test_namespace_writes_nothing_of_what_it_holds() -> None:
    source = doubled("{% set n.x = namespace(a=n.x, b=n.x) %}", "{{ n.x }}")

    assert ChatTemplate(source).render({}) == "<Namespace>"


@pytest.mark.parametrize("name", ["__class__", "_x"])
def test_namespace_takes_no_names_of_pythons_own(name: str) -> None:
    with pytest.raises(ChatTemplateError, match="may not hold"):
        ChatTemplate("{% set n = namespace(**{name: 1}) %}").render({"name": name})


def test_work_grows_with_the_messages() -> None:
    """A long conversation may be read many times; the same work on nothing is refused."""
    text = "word " * 400_000
    source = "{% for i in range(40) %}{% if 'x' in t %}{% endif %}{% endfor %}{{ t | length }}"

    assert ChatTemplate(source).render({"t": text}) == str(len(text))
    with pytest.raises(ChatTemplateError, match="too much work"):
        ChatTemplate("{% set t = 'word ' * 200000 %}" + source + source).render({})


def test_limits_are_the_same_for_constants_worked_out_while_compiling() -> None:
    with pytest.raises(ChatTemplateError, match="too large"):
        ChatTemplate("{% set x = 'a' | center(4000000000) %}").render({})
