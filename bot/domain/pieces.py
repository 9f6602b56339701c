"""A text longer than a message of Telegram's, cut so that its parts can be examined one after another."""

from collections.abc import Iterator

LONGEST_MESSAGE = 4096
"""Characters that Telegram takes in one message."""

OVERLAP = 512
"""Characters that two pieces have in common: what is said across a cut stands whole in one of them."""


def pieces(text: str) -> Iterator[str]:
    """Yield the text itself when it is no longer than a message, else pieces of that length, cut between words."""
    start = 0
    while len(text) - start > LONGEST_MESSAGE:
        end = _between_words(text, start + LONGEST_MESSAGE - OVERLAP, start + LONGEST_MESSAGE)
        yield text[start:end]
        start = _between_words(text, end - OVERLAP, end - OVERLAP // 2)
    yield text[start:]


def _between_words(text: str, first: int, last: int) -> int:
    """Return the last place after a blank within these bounds; where there is none, `last`, in the midst of a word."""
    place = max(text.rfind(" ", first, last), text.rfind("\n", first, last))
    return place + 1 if place >= 0 else last
