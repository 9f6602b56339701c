"""A Markdown file taken apart: front matter, what stands before the first step, and one section a `##` heading."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from markdown_it.tree import SyntaxTreeNode

from bot.content.attributes import Attributes, read_attributes
from bot.content.findings import Finding, Place, Report
from bot.content.front_matter import FrontMatter, read_front_matter, split
from bot.content.rendering import block, blocks, inline, is_task, leads_outside, styled, tree
from bot.content.sources import Source
from bot.domain.words import Words, join, plain

_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(\[[ xX]\]\s+)?")
_SCORE = re.compile(r"\s*=\s*-?\d+\s*")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a list. `target` when the item is a link; `raw` is the item as it was typed."""

    label: str
    target: str = ""
    task: bool = False
    raw: str
    place: Place
    target_place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a section. `items` when it is a list; `subheading` when it is a `###`, without its marks."""

    words: Words
    place: Place
    items: tuple[Item, ...] = ()
    subheading: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture as it was written."""

    src: str
    alt: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands from one `##` heading to the next; the part before the first one has no heading.

    `stray` are the links to steps and files that are not an item of a list, `fields` where each `{name}` first stands.
    """

    id: str
    title: str
    heading: Words
    place: Place
    attributes: Attributes
    blocks: tuple[Block, ...]
    images: tuple[Image, ...]
    stray: tuple[tuple[str, Place], ...]
    fields: dict[str, Place]

    @property
    def body(self) -> Words:
        return join(tuple(part.words for part in self.blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file taken apart, and what was found wrong on the way. `front` is None where it is missing or broken."""

    front: FrontMatter | None
    opening: Section
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]

    def section(self, identifier: str) -> Section | None:
        return next((section for section in self.sections if section.id == identifier), None)


@lru_cache(maxsize=2048)
def take_apart(source: Source) -> Document:
    """Take a file apart. The same text is taken apart once, so that a reload costs what changed."""
    report = Report(source.file)
    plain_markdown = source.kind in {"messages", "risk"}
    yaml, markdown, before = (None, source.text, 0) if plain_markdown else split(source.text)
    front = None if plain_markdown else read_front_matter(yaml, report)
    lines = _Lines(markdown.split("\n"), before)
    parts = list(_parted(tree(markdown)))
    opening = _section(None, parts[0][1], lines, report)
    sections = tuple(_section(heading, nodes, lines, report) for heading, nodes in parts[1:])
    if source.kind != "risk":
        _report_html(parts, lines, report)
    return Document(front=front, opening=opening, sections=sections, findings=report.findings)


def anchor(title: str) -> str:
    """Return the anchor that Git hosts make of a heading."""
    return _NOT_IN_ANCHORS.sub("", title.strip().lower()).replace(" ", "-")


class _Lines:
    """The lines of the Markdown, and how many lines of the file stand before them."""

    def __init__(self, lines: list[str], before: int) -> None:
        self._lines = lines
        self._before = before

    def start(self, node: SyntaxTreeNode) -> Place:
        return Place(self._span(node)[0] + self._before + 1, 1)

    def raw(self, node: SyntaxTreeNode) -> list[str]:
        return self._lines[slice(*self._span(node))]

    def find(self, text: str, node: SyntaxTreeNode) -> Place:
        """Return where a text first stands in a block, or the block's start."""
        for number in range(*self._span(node)):
            column = self._lines[number].find(text)
            if column >= 0:
                return Place(number + self._before + 1, column + 1)
        return self.start(node)

    def _span(self, node: SyntaxTreeNode) -> tuple[int, int]:
        around: SyntaxTreeNode | None = node
        while around is not None:
            if not around.is_root and around.map:
                return around.map
            around = around.parent
        return (0, 1)


def _parted(root: SyntaxTreeNode) -> Iterator[tuple[SyntaxTreeNode | None, list[SyntaxTreeNode]]]:
    heading: SyntaxTreeNode | None = None
    nodes: list[SyntaxTreeNode] = []
    for node in root.children:
        if node.type == "heading" and node.tag == "h2":
            yield heading, nodes
            heading, nodes = node, []
        else:
            nodes.append(node)
    yield heading, nodes


def _section(heading: SyntaxTreeNode | None, nodes: list[SyntaxTreeNode], lines: _Lines, report: Report) -> Section:
    words = inline(heading.children) if heading else ()
    attributes = _attributes(heading, lines, report) if heading else Attributes()
    title = plain(words)
    lists = [_block(node, lines) for node in nodes]
    return Section(
        id=attributes.id or anchor(title),
        title=title,
        heading=styled(words, "bold"),
        place=lines.start(heading) if heading else Place(1, 1),
        attributes=attributes,
        blocks=tuple(part for part in lists if part.words or part.items),
        images=tuple(_images(nodes, lines)),
        stray=tuple(_stray(nodes, lines)),
        fields=_fields([heading, *nodes] if heading else nodes, lines),
    )


def _attributes(heading: SyntaxTreeNode, lines: _Lines, report: Report) -> Attributes:
    inner = heading.meta.get("attributes")
    if inner is None:
        return Attributes()
    return read_attributes(inner, lines.find(f"{{{inner}}}", heading), report)


def _block(node: SyntaxTreeNode, lines: _Lines) -> Block:
    is_list = node.type in {"bullet_list", "ordered_list"}
    return Block(
        words=block(node),
        place=lines.start(node),
        items=tuple(_item(child, lines) for child in node.children) if is_list else (),
        subheading=plain(inline(node.children)) if node.type == "heading" and node.tag == "h3" else "",
    )


def _item(node: SyntaxTreeNode, lines: _Lines) -> Item:
    raw = lines.raw(node)
    mark = _ITEM.match(raw[0])
    start = mark.end() if mark else 0
    link = _lone_link(node)
    target = unquote(str(link.attrs["href"])) if link else ""
    label = " ".join(plain(blocks(node.children)).split())
    place = lines.start(node)._replace(column=start + 1)
    return Item(
        label=_without_box(label) if is_task(node) else label,
        target=target,
        task=is_task(node),
        raw=" ".join(line.strip() for line in [raw[0][start:], *raw[1:]]).strip(),
        place=place,
        target_place=_target_place(target, node, lines),
    )


def _without_box(label: str) -> str:
    return label[label.index("]") + 1 :].strip()


def _target_place(target: str, node: SyntaxTreeNode, lines: _Lines) -> Place:
    found = lines.find(f"]({target}", node)
    return found._replace(column=found.column + 2) if found != lines.start(node) else found


def _lone_link(node: SyntaxTreeNode) -> SyntaxTreeNode | None:
    """Return the link that is all of an item, a score aside."""
    if len(node.children) != 1 or node.children[0].type != "paragraph":
        return None
    inside = [part for text in node.children[0].children for part in text.children]
    parts = [part for part in inside if part.type != "text" or part.content]
    links = [part for part in parts if part.type == "link"]
    rest = "".join(part.content for part in parts if part.type != "link")
    rest = _without_box(rest) if is_task(node) else rest
    lone = len(links) == 1 and all(part.type in {"link", "text"} for part in parts)
    return links[0] if lone and (not rest.strip() or _SCORE.fullmatch(rest)) else None


def _images(nodes: list[SyntaxTreeNode], lines: _Lines) -> Iterator[Image]:
    for node in _walked(nodes):
        if node.type == "image":
            src = str(node.attrs["src"])
            yield Image(src=unquote(src), alt=_alt(node), place=lines.find("![", node))


def _alt(node: SyntaxTreeNode) -> str:
    return " ".join(plain(inline(node.children)).split())


def _stray(nodes: list[SyntaxTreeNode], lines: _Lines) -> Iterator[tuple[str, Place]]:
    for top in nodes:
        items = top.children if top.type in {"bullet_list", "ordered_list"} else []
        lone = {_identity(_lone_link(item)) for item in items}
        for node in top.walk():
            if node.type == "link" and _identity(node) not in lone:
                href = unquote(str(node.attrs["href"]))
                if not leads_outside(href):
                    yield href, _target_place(href, node, lines)


def _identity(node: SyntaxTreeNode | None) -> int:
    return id(node) if node else 0


def _fields(nodes: list[SyntaxTreeNode], lines: _Lines) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for node in nodes:
        for span in block(node):
            if span.field:
                places.setdefault(span.field, lines.find(span.text, node))
    return places


def _walked(nodes: list[SyntaxTreeNode]) -> Iterator[SyntaxTreeNode]:
    for node in nodes:
        yield from node.walk()


def _report_html(
    parts: list[tuple[SyntaxTreeNode | None, list[SyntaxTreeNode]]], lines: _Lines, report: Report
) -> None:
    for heading, nodes in parts:
        for node in _walked([heading, *nodes] if heading else nodes):
            if node.type in {"html_block", "html_inline"}:
                first = node.content.strip().split("\n")[0]
                report.add("W106", lines.find(first, node), f"raw HTML is shown as text: {first[:40]}")
