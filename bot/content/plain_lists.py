"""Files of headings, paragraphs and long lists of plain lines: their lists are taken as they stand, not as Markdown."""

import re

from bot.content.nodes import Node
from bot.content.rendering import parse

PLAIN_LIST = "plain_list"
"""The type of a list whose items are not taken apart."""
_ITEM = re.compile(r"- \S")
_OTHER = re.compile(r"#{1,3} |[^\W\d_]|$")


def parse_plain(markdown: str) -> list[Node]:
    """Parse a file into its blocks, each list as one block of lines. Where anything else stands in it, as Markdown."""
    lines = markdown.split("\n")
    lists = _lists(lines)
    if lists is None:
        return parse(markdown)
    for node in lists:
        lines[slice(*node.lines)] = [""] * (node.lines[1] - node.lines[0])
    return sorted([*parse("\n".join(lines)), *lists], key=lambda node: node.lines)


def _lists(lines: list[str]) -> list[Node] | None:
    """Return the lists of a file; None when a line is neither of an item, a heading nor a paragraph."""
    lists: list[Node] = []
    within = False
    for number, line in enumerate(lines):
        if _ITEM.match(line):
            if not within:
                lists.append(Node(PLAIN_LIST, (number, number)))
            lists[-1].children.append(Node("list_item", (number, number)))
            within = True
        elif not _OTHER.match(line):
            return None
        elif not line or line[0] == "#":
            within = False
        if within:
            _take(lists[-1], number)
    return lists


def _take(node: Node, line: int) -> None:
    """Let the list and its last item reach to the end of a line."""
    for reaching in (node, node.children[-1]):
        reaching.lines = (reaching.lines[0], line + 1)
