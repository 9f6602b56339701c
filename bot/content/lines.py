"""The lines of a file's Markdown: where in the file a block, or a text inside of it, stands."""

from bot.content.findings import Place
from bot.content.nodes import Node


class Lines:
    """The Markdown's lines; `before` lines of the file stand before them."""

    def __init__(self, lines: list[str], before: int) -> None:
        self._lines = lines
        self._before = before

    def start(self, node: Node) -> Place:
        """Return the beginning of a block's first line."""
        return Place(node.lines[0] + self._before + 1, 1)

    def raw(self, node: Node) -> list[str]:
        """Return a block's lines as they were written."""
        return self._lines[slice(*node.lines)]

    def mention(self, text: str, node: Node) -> bool:
        """Tell whether a text stands anywhere in a block."""
        return any(text in line for line in self.raw(node))

    def find(self, text: str, node: Node) -> Place:
        """Return where a text first stands in a block, or the block's start."""
        for number, line in enumerate(self.raw(node), start=self.start(node).line):
            column = line.find(text)
            if column >= 0:
                return Place(number, column + 1)
        return self.start(node)
