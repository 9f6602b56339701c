"""How long a text may be in one message, and how it is measured."""

from bot.domain.programme import Contact
from bot.domain.words import Words, say

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
"""UTF-16 units, as the messenger counts."""
FIELD_LENGTH = 12
"""What a field counts until it is filled."""
COMFORTABLE = 600
"""What one step should not exceed."""
LONGEST_LABEL = 40
MOST_BUTTONS = 100
MOST_CONTACTS, MOST_CRISIS_LINES = 2000, 900
"""What a programme's words for urgent moments and its contacts take, and a country's crisis lines: with what is said
around them they fit into one message, so that no number is ever cut off."""
AROUND_A_CONTACT = 60
"""What the line of a contact takes besides what its file says."""


def units(words: Words) -> int:
    """Return the length of words in UTF-16 units, with an allowance for each field."""
    bare = "".join(span.text for span in words if not span.field)
    return len(bare.encode("utf-16-le", errors="replace")) // 2 + FIELD_LENGTH * sum(bool(span.field) for span in words)


def contact_length(contact: Contact) -> int:
    """Return about how many characters a contact takes in a message."""
    hint = max(contact.hints.values(), key=len, default="")
    said = (contact.name, contact.call, contact.text, contact.url, contact.hours, hint)
    return sum(units(say(part)) for part in said) + AROUND_A_CONTACT
