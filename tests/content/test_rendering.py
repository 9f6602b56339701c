"""Markdown as it is shown in chat."""

import pytest

from bot.content.rendering import blocks, parse
from bot.domain.words import Span, Words, plain


def rendered(markdown: str) -> Words:
    return blocks(parse(markdown))


def span(text: str, *styles: str, **more: str) -> Span:
    return Span(text=text, styles=frozenset(styles), **more)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("one\n\ntwo", "one\n\ntwo"),
        ("one\ntwo", "one two"),
        ("one  \ntwo", "one\ntwo"),
        ("- tea\n- a walk", "• tea\n• a walk"),
        ("- tea\n\n- a walk", "• tea\n• a walk"),
        ("1. in\n2. out", "1. in\n2. out"),
        ("3. in\n4. out", "3. in\n4. out"),
        ("- tea\n  - green\n  - black\n- a walk", "• tea\n   • green\n   • black\n• a walk"),
        ("- [ ] tea\n- [x] a walk", "☐ tea\n☐ a walk"),
        ("text\n\n- tea\n\ntext", "text\n\n• tea\n\ntext"),
        ("one\n\n***\n\ntwo", "one\n\n———\n\ntwo"),
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("not \\*this\\*", "not *this*"),
        ("stop <b>now</b>", "stop <b>now</b>"),
        ("<div>\nnow\n</div>", "<div>\nnow\n</div>"),
        ("a | b\n--|--\n1 | 2", "a | b --|-- 1 | 2"),
        ("![a red sign](stop.png) Stop.", "Stop."),
        ("😀 ok", "😀 ok"),
        ("", ""),
    ],
)
def test_text(markdown, text):
    assert plain(rendered(markdown)) == text


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("**in**", [span("in", "bold")]),
        ("*in*", [span("in", "italic")]),
        ("~~in~~", [span("in", "strikethrough")]),
        ("`in`", [span("in", "code")]),
        ("### in", [span("in", "bold")]),
        ("**in *and* out**", [span("in ", "bold"), span("and", "bold", "italic"), span(" out", "bold")]),
        ("```\nin\n\nout\n```", [span("in\n\nout", "pre")]),
        ("> in\n>\n> **out**", [span("in\n\n", "blockquote"), span("out", "blockquote", "bold")]),
        ("[page](https://example.org)", [span("page", url="https://example.org")]),
        ("[*page*](https://example.org)", [span("page", "italic", url="https://example.org")]),
        ("<https://example.org>", [span("https://example.org", url="https://example.org")]),
        ("[call](tel:988)", [span("call")]),
        ("[step](#step)", [span("step")]),
        ("- **in**: breathe", [span("• "), span("in", "bold"), span(": breathe")]),
    ],
)
def test_styles(markdown, words):
    assert rendered(markdown) == tuple(words)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("from {before} on", [span("from "), span("{before}", field="before"), span(" on")]),
        ("**{before}**", [span("{before}", "bold", field="before")]),
        ("`{code}`", [span("{code}", "code", field="code")]),
        ("```\n{code}\n```", [span("{code}", "pre", field="code")]),
        ("[{name}](https://example.org)", [span("{name}", url="https://example.org", field="name")]),
        ("{a}{b}", [span("{a}", field="a"), span("{b}", field="b")]),
        ("{a}{a}", [span("{a}", field="a"), span("{a}", field="a")]),
        ("{qué-día}", [span("{qué-día}", field="qué-día")]),
        ("\\{before}", [span("{before}")]),
        ("{ before }", [span("{ before }")]),
        ("{}", [span("{}")]),
        ("{988}", [span("{988}")]),
    ],
)
def test_fields(markdown, words):
    assert rendered(markdown) == tuple(words)
