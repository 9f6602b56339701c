"""A Markdown file taken apart: front matter, what stands before the first step, and one section a `##` heading."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from bot.content.attributes import Attributes, read_attributes
from bot.content.findings import Finding, Place, Report
from bot.content.front_matter import FrontMatter, read_front_matter, split
from bot.content.lines import Lines
from bot.content.nodes import Node
from bot.content.plain_lists import PLAIN_LIST, parse_plain
from bot.content.rendering import block, blocks, inline, is_task, leads_outside, parse, styled
from bot.content.sources import Source
from bot.domain.words import Words, fields, join, plain

LISTS = frozenset({"bullet_list", "ordered_list"})
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
    lines = Lines(markdown.split("\n"), before)
    nodes = parse_plain(markdown) if source.kind == "risk" else parse(markdown)
    parts = list(_parted(nodes))
    opening = _section(None, parts[0][1], lines, report)
    sections = tuple(_section(heading, nodes, lines, report) for heading, nodes in parts[1:])
    if "<" in markdown and source.kind != "risk":
        _report_html(nodes, lines, report)
    return Document(front=front, opening=opening, sections=sections, findings=report.findings)


def anchor(title: str) -> str:
    """Return the anchor that Git hosts make of a heading."""
    return _NOT_IN_ANCHORS.sub("", title.strip().lower()).replace(" ", "-")


def _parted(blocks: list[Node]) -> Iterator[tuple[Node | None, list[Node]]]:
    heading: Node | None = None
    nodes: list[Node] = []
    for node in blocks:
        if node.type == "heading" and node.tag == "h2":
            yield heading, nodes
            heading, nodes = node, []
        else:
            nodes.append(node)
    yield heading, nodes


def _section(heading: Node | None, nodes: list[Node], lines: Lines, report: Report) -> Section:
    words = inline(heading.children) if heading else ()
    attributes = _attributes(heading, lines, report) if heading else Attributes()
    title = plain(words)
    parts = [_block(node, lines) for node in nodes]
    return Section(
        id=attributes.id or anchor(title),
        title=title,
        heading=styled(words, "bold"),
        place=lines.start(heading) if heading else Place(1, 1),
        attributes=attributes,
        blocks=tuple(part for part in parts if part.words or part.items),
        images=tuple(image for node in _with(heading, nodes) for image in _images(node, lines)),
        stray=tuple(_stray(heading, nodes, parts, lines)),
        fields=_fields([*([(heading, words)] if heading else []), *_paired(nodes, parts)], lines),
    )


def _with(heading: Node | None, nodes: list[Node]) -> list[Node]:
    return [heading, *nodes] if heading else nodes


def _paired(nodes: list[Node], parts: list[Block]) -> list[tuple[Node, Words]]:
    return [(node, part.words) for node, part in zip(nodes, parts, strict=True)]


def _attributes(heading: Node, lines: Lines, report: Report) -> Attributes:
    inner = heading.attributes
    if inner is None:
        return Attributes()
    return read_attributes(inner, lines.find(f"{{{inner}}}", heading), report)


def _block(node: Node, lines: Lines) -> Block:
    if node.type == PLAIN_LIST:
        items = tuple(_plain_item(child, lines) for child in node.children)
        return Block(words=(), place=lines.start(node), items=items)
    is_list = node.type in LISTS
    return Block(
        words=block(node),
        place=lines.start(node),
        items=tuple(_item(child, lines) for child in node.children) if is_list else (),
        subheading=plain(inline(node.children)) if node.type == "heading" and node.tag == "h3" else "",
    )


def _plain_item(node: Node, lines: Lines) -> Item:
    start, raw = _typed(node, lines)
    place = lines.start(node)._replace(column=start + 1)
    return Item(label=raw, raw=raw, place=place, target_place=place)


def _typed(node: Node, lines: Lines) -> tuple[int, str]:
    """Return where an item's text begins in its first line, and the item as it was typed."""
    raw = lines.raw(node)
    mark = _ITEM.match(raw[0])
    start = mark.end() if mark else 0
    return start, " ".join(line.strip() for line in [raw[0][start:], *raw[1:]]).strip()


def _item(node: Node, lines: Lines) -> Item:
    start, raw = _typed(node, lines)
    task = is_task(node)
    link = _lone_link(node, task=task) if lines.mention("]", node) else None
    target = unquote(link.address) if link else ""
    label = " ".join(plain(blocks(node.children)).split())
    return Item(
        label=_without_box(label) if task else label,
        target=target,
        task=task,
        raw=raw,
        place=lines.start(node)._replace(column=start + 1),
        target_place=_target_place(target, node, lines),
    )


def _without_box(label: str) -> str:
    return label[label.index("]") + 1 :].strip()


def _target_place(target: str, node: Node, lines: Lines) -> Place:
    found = lines.find(f"]({target}", node)
    return found._replace(column=found.column + 2) if found != lines.start(node) else found


def _lone_link(node: Node, *, task: bool) -> Node | None:
    """Return the link that is all of an item, a score aside."""
    if len(node.children) != 1 or node.children[0].type != "paragraph":
        return None
    inside = [part for text in node.children[0].children for part in text.children]
    parts = [part for part in inside if part.type != "text" or part.content]
    links = [part for part in parts if part.type == "link"]
    rest = "".join(part.content for part in parts if part.type != "link")
    rest = _without_box(rest) if task else rest
    lone = len(links) == 1 and all(part.type in {"link", "text"} for part in parts)
    return links[0] if lone and (not rest.strip() or _SCORE.fullmatch(rest)) else None


def _images(node: Node, lines: Lines) -> Iterator[Image]:
    if not lines.mention("![", node):
        return
    for inner in node.walk():
        if inner.type == "image":
            alt = " ".join(plain(inline(inner.children)).split())
            yield Image(src=unquote(inner.address), alt=alt, place=lines.find("![", inner))


def _stray(heading: Node | None, nodes: list[Node], parts: list[Block], lines: Lines) -> Iterator[tuple[str, Place]]:
    """Yield the links to steps and files that are not all of a list's item."""
    for node, part in zip(_with(heading, nodes), [None, *parts] if heading else parts, strict=True):
        if lines.mention("]", node):
            items = part.items if part else ()
            places = [child for child, item in zip(node.children, items, strict=False) if not item.target]
            for inner in places if items else [node]:
                yield from _links(inner, lines)


def _links(node: Node, lines: Lines) -> Iterator[tuple[str, Place]]:
    for inner in node.walk():
        if inner.type == "link":
            href = unquote(inner.address)
            if not leads_outside(href):
                yield href, _target_place(href, inner, lines)


def _fields(rendered: Iterable[tuple[Node, Words]], lines: Lines) -> dict[str, Place]:
    """Return where each name first stands."""
    places: dict[str, Place] = {}
    for node, words in rendered:
        for name in fields(words):
            places.setdefault(name, lines.find(f"{{{name}}}", node))
    return places


def _report_html(blocks: list[Node], lines: Lines, report: Report) -> None:
    for node in (inner for outer in blocks for inner in outer.walk()):
        if node.type in {"html_block", "html_inline"}:
            first = node.content.strip().split("\n")[0]
            report.add("W106", lines.find(first, node), f"raw HTML is shown as text: {first[:40]}")
