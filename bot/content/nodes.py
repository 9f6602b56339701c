"""Parsed Markdown as a tree: what stands inside of what, and on which lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it.token import Token

Lines = tuple[int, int]


@dataclass(slots=True, eq=False)
class Node:
    """A block, or a part of one. `lines` are the first line of the block around it and the one after its last.

    A node knows nothing of what it stands in: without circles its memory is free as soon as the file is read.
    """

    type: str
    lines: Lines
    tag: str = ""
    content: str = ""
    address: str = ""
    start: int = 1
    attributes: str | None = None
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """Yield the node and all inside of it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def nested(tokens: Iterable[Token], lines: Lines = (0, 1)) -> list[Node]:
    """Nest the parser's flat tokens."""
    root = Node("root", lines)
    around = [root]
    for token in tokens:
        if token.nesting < 0:
            around.pop()
            continue
        node = _node(token, around[-1].lines)
        around[-1].children.append(node)
        if token.nesting > 0:
            around.append(node)
        elif token.children:
            node.children = nested(token.children, node.lines)
    return root.children


def _node(token: Token, lines: Lines) -> Node:
    if token.map:
        lines = (token.map[0], token.map[1])
    node = Node(token.type.removesuffix("_open"), lines, token.tag, token.content)
    if token.attrs:
        node.address = str(token.attrs.get("href") or token.attrs.get("src") or "")
        node.start = int(token.attrs.get("start", 1))
    node.attributes = token.meta.get("attributes")
    return node
