"""How long a text may be in one message, and how it is measured."""

from bot.domain.words import Words

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units, as the messenger counts."""
FIELD_LENGTH = 12
"""What a field counts until it is filled."""
COMFORTABLE = 600
"""What one step should not exceed."""
LONGEST_LABEL = 40
MOST_BUTTONS = 100


def units(words: Words) -> int:
    """Return the length of words in UTF-16 units, with an allowance for each field."""
    bare = "".join(span.text for span in words if not span.field)
    return len(bare.encode("utf-16-le", errors="replace")) // 2 + FIELD_LENGTH * sum(bool(span.field) for span in words)
