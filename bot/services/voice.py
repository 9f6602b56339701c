"""The words of the interface in one language, from content/messages, as messages and button labels."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from babel.dates import format_date, format_datetime

from bot.content.library import Content
from bot.domain.words import Words, fill, plain
from bot.telegram.message import Key, Keyboard, Message, written
from bot.telegram.taps import AnyTap, tap_data


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one language. Raises UnknownContent for a key that no message file has."""

    content: Content
    language: str

    def words(self, key: str, **values: str) -> Words:
        """Return the message of this key with its fields filled."""
        return fill(self.content.message(self.language, key), values)

    def label(self, key: str, **values: str) -> str:
        """Return the message of this key as plain text."""
        return plain(self.words(key, **values))

    def message(self, key: str, keyboard: Keyboard = (), **values: str) -> Message:
        """Return the message of this key, ready to be posted."""
        return written(self.words(key, **values), keyboard)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Return a moment in local time and the language's own words: "Mon 2 Nov, 14:05"."""
        return format_datetime(moment.astimezone(zone), "EEE d MMM, HH:mm", locale=self.language)

    def day(self, day: date) -> str:
        """Return a day in the language's own words: "Mon 2 Nov"."""
        return format_date(day, "EEE d MMM", locale=self.language)

    def button(self, key: str, tap: AnyTap, **values: str) -> Key:
        """Return a button with the label of this key."""
        return Key(text=self.label(key, **values), data=tap_data(tap))


def button(label: str, tap: AnyTap) -> Key:
    """Return a button with a label that is content or data already."""
    return Key(text=label, data=tap_data(tap))


def column(keys: list[Key]) -> Keyboard:
    """Return the buttons one under another."""
    return tuple((key,) for key in keys)


def grid(keys: list[Key], across: int) -> Keyboard:
    """Return the buttons side by side, so many in a row."""
    return tuple(tuple(keys[start : start + across]) for start in range(0, len(keys), across))
