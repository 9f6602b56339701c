"""Markdown to words: styles, links, bullets and fields, ready for any messenger."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from bot.content.attributes import TRAILING, are_attributes
from bot.content.nodes import Node, nested
from bot.domain.words import Span, Style, Words

FIELD = re.compile(r"\{([^\W\d_][\w-]*)\}")
"""A field's name begins with a letter."""
RULE = "———"
_STYLES: dict[str, Style] = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_SENT = re.compile(r"(https?|tg|mailto):", re.IGNORECASE)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_TASK = re.compile(r"\[[ xX]\]\s+")


def parse(markdown: str) -> list[Node]:
    """Parse Markdown into its blocks. A heading's attributes are taken out of its text and stand beside it."""
    return nested(_parser().parse(markdown))


def blocks(nodes: Iterable[Node]) -> Words:
    """Render blocks, an empty line between them."""
    return _joined([block(node) for node in nodes], "\n\n")


def block(node: Node) -> Words:
    match node.type:
        case "paragraph":
            return inline(node.children)
        case "heading":
            return styled(inline(node.children), "bold")
        case "bullet_list" | "ordered_list":
            return _listed(node)
        case "blockquote":
            return styled(blocks(node.children), "blockquote")
        case "fence" | "code_block":
            return styled(_with_fields(node.content.rstrip("\n")), "pre")
        case "hr":
            return (Span(text=RULE),)
        case _:
            return (Span(text=node.content.strip("\n")),)


def inline(nodes: Sequence[Node]) -> Words:
    """Render the inside of a paragraph; pictures are left to whoever shows them."""
    spans: list[Span] = []
    _collect(nodes, frozenset(), "", spans)
    return _merged(_trimmed(spans))


def styled(words: Words, style: Style) -> Words:
    """Give all the words one more style."""
    return tuple(replace(span, styles=span.styles | {style}) for span in words)


def leads_outside(href: str) -> bool:
    """Tell the address of a page from a link to a step or a file."""
    return bool(_OUTSIDE.match(href))


def is_task(item: Node) -> bool:
    """Tell an item with a box to tick."""
    first = item.children[0] if item.children else None
    return first is not None and first.type == "paragraph" and bool(_TASK.match(first.children[0].content))


def _collect(nodes: Iterable[Node], styles: frozenset[Style], url: str, into: list[Span]) -> None:
    """Add what the nodes say, in these styles."""
    for node in nodes:
        match node.type:
            case "text" | "html_inline":
                into.append(Span(text=node.content, styles=styles, url=url))
            case "inline":
                _collect(node.children, styles, url, into)
            case "softbreak" | "hardbreak":
                into.append(Span(text=" " if node.type == "softbreak" else "\n", styles=styles, url=url))
            case "field":
                into.append(Span(text=node.content, styles=styles, url=url, field=node.content[1:-1]))
            case "code_inline":
                into.extend(replace(span, styles=styles | {"code"}, url=url) for span in _with_fields(node.content))
            case "strong" | "em" | "s":
                _collect(node.children, styles | {_STYLES[node.type]}, url, into)
            case "link":
                _collect(node.children, styles, node.address if _SENT.match(node.address) else "", into)


def _with_fields(text: str) -> Words:
    """Find the fields of a text in which nothing else is Markdown."""
    parts = FIELD.split(text)
    spans = [Span(text=f"{{{p}}}", field=p) if i % 2 else Span(text=p) for i, p in enumerate(parts)]
    return tuple(span for span in spans if span.text)


def _listed(node: Node) -> Words:
    numbered = node.type == "ordered_list"
    marks = [f"{node.start + i}. " if numbered else "• " for i in range(len(node.children))]
    return _joined([_item(item, mark) for item, mark in zip(node.children, marks, strict=True)], "\n")


def _item(node: Node, mark: str) -> Words:
    words = _joined([block(child) for child in node.children], "\n")
    inner = tuple(replace(span, text=span.text.replace("\n", "\n   ")) if "\n" in span.text else span for span in words)
    if is_task(node) and inner:
        rest = replace(inner[0], text=_TASK.sub("", inner[0].text, count=1))
        return _merged([Span(text="☐ "), rest, *inner[1:]])
    return _merged([Span(text=mark), *inner])


def _joined(parts: Sequence[Words], between: str) -> Words:
    joined: list[Span] = []
    for part in parts:
        if part and joined:
            joined.append(Span(text=between))
        joined.extend(part)
    return _merged(joined)


def _trimmed(spans: list[Span]) -> list[Span]:
    """Take away the space at both ends, which a picture may have left."""
    if spans and spans[0].text[:1].isspace():
        spans[0] = replace(spans[0], text=spans[0].text.lstrip())
    if spans and spans[-1].text[-1:].isspace():
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip())
    return spans


def _merged(spans: Iterable[Span]) -> Words:
    """Make neighbours of one style one span."""
    merged: list[Span] = []
    for span in spans:
        before = merged[-1] if merged else None
        if before and not before.field and not span.field and (before.styles, before.url) == (span.styles, span.url):
            merged[-1] = Span(text=before.text + span.text, styles=span.styles, url=span.url)
        elif span.text:
            merged.append(span)
    return tuple(merged)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("strikethrough")
    parser.inline.ruler.before("escape", "field", _field_rule)
    parser.core.ruler.before("inline", "attributes", _attributes_rule)
    return parser


def _field_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's own signature
    found = FIELD.match(state.src, state.pos)
    if not found or found.end() > state.posMax:
        return False
    if not silent:
        state.push("field", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _attributes_rule(state: StateCore) -> None:
    for heading, text in pairwise(state.tokens):
        if heading.type == "heading_open":
            _take_attributes(heading, text)


def _take_attributes(heading: Token, text: Token) -> None:
    found = TRAILING.search(text.content)
    if found and are_attributes(found[1]):
        heading.meta["attributes"] = found[1]
        text.content = text.content[: found.start()].rstrip()
