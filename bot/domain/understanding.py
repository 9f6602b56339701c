"""What a person means who types where a button was asked: numbers in figures and words, options by name, times."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import time

from bot.domain.programme import Hours

NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "zero cero none nothing nada",
            "one uno una un",
            "two dos",
            "three tres",
            "four cuatro",
            "five cinco",
            "six seis",
            "seven siete",
            "eight ocho",
            "nine nueve",
            "ten diez",
            "eleven once",
            "twelve doce",
        )
    )
    for word in words.split()
}
YES = frozenset(["yes", "y", "yeah", "yep", "yup", "sure", "ok", "okay", "si", "sip", "claro", "vale", "correct"])
NO = frozenset(["no", "n", "nope", "nah", "nunca", "never"])
_FIGURE = re.compile(r"(?<![\w.,])-?\d{1,9}(?:[.,]\d{1,3})?(?![\w.,]*\d)")
_HALVES = {
    "a": ("a.m", "a. m", "am", "a m", "de la manana", "de la madrugada", "in the morning"),
    "p": ("p.m", "p. m", "pm", "p m", "de la tarde", "in the afternoon", "in the evening"),
    "night": ("de la noche", "at night"),
}
"""Words for the halves of a day, as `folded` writes them. At night it is late until midnight, and early after it."""

_HALF = {word: half for half, words in _HALVES.items() for word in words}
_TIME = re.compile(rf"\b(\d{{1,2}})(?:[:.h](\d{{2}}))?\s*({'|'.join(map(re.escape, _HALF))})?(?!\d)")
EARLY = 5
"""At night, an hour up to this one is of the early morning."""

_LONGEST_REMARK = 6
"""A number inside of more words than this is a story, not an answer."""


def folded(text: str) -> str:
    """Return the text in lower case, without accents, punctuation at its ends and doubled spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s/:.,+-]", " ", bare).split()).strip(" .,")


def number_in(text: str) -> float | None:
    """Return the one number a short text gives ("7", "seven", "about 7/10"), or None where it is not clear."""
    words = folded(text).replace("/10", "")
    if len(words.split()) > _LONGEST_REMARK:
        return None
    figures = [float(found.replace(",", ".")) for found in _FIGURE.findall(words)]
    spelt = [float(NUMBER_WORDS[word]) for word in re.split(r"[\s,]+", words) if word in NUMBER_WORDS]
    found = figures or spelt
    return found[0] if len(set(found)) == 1 else None


def option_in(text: str, labels: Sequence[str]) -> int | None:
    """Return the index of the option that the text names, by its words, its beginning, its place, or yes and no."""
    said = folded(text)
    names = [folded(label) for label in labels]
    if said in names:
        return names.index(said)
    for meant in (YES, NO):
        if said in meant:
            return _only([i for i, name in enumerate(names) if name.split(" ")[0].strip(",") in meant])
    starts = [i for i, name in enumerate(names) if said and name.startswith(said)]
    if starts:
        return _only(starts)
    place = re.fullmatch(r"(\d{1,2})", said)
    return int(place[1]) - 1 if place and 1 <= int(place[1]) <= len(labels) else None


def options_in(text: str, labels: Sequence[str]) -> tuple[int, ...] | None:
    """Return the options that a list such as "a walk, tea" or "1 and 3" names, or None when any part is unclear."""
    if (whole := option_in(text, labels)) is not None:
        return (whole,)
    parts = [part for part in re.split(r"[,;\n]|\band\b|\by\b", text) if part.strip()]
    found = [option_in(part, labels) for part in parts]
    known = tuple(sorted({index for index in found if index is not None}))
    return known if found and len(known) > 0 and None not in found else None


def time_in(text: str) -> time | None:
    """Return the time of day that a text names ("7:30", "19.30", "7 pm", "7 de la tarde"), or None."""
    matches = _TIME.findall(folded(text))
    return _time(*matches[0]) if len(matches) == 1 else None


def hours_in(text: str) -> Hours | None:
    """Return the hours that a text names ("8:30-10", "from 9 to 11 pm", "de 9 a 11 de la noche"), or None.

    A half of the day that is said of the end only holds for the beginning too, if that comes before it then.
    """
    found = _TIME.findall(folded(text))
    if len(found) != 2:
        return None
    (hour, minute, half), last = found
    start, end, alike = _time(hour, minute, half), _time(*last), _time(hour, minute, half or last[2])
    if alike and end and alike < end:
        start = alike
    return Hours(start=start, end=end) if start and end and start != end else None


def _time(hour: str, minute: str, said: str) -> time | None:
    """Return the time of what `_TIME` found."""
    number, half = int(hour), _HALF.get(said, "")
    if half and not 1 <= number <= 12:
        return None
    if half == "night":
        half = "p" if EARLY < number < 12 else "a"
    if half and not (number == 12 and said == "de la manana"):  # by which noon is meant
        number = number % 12 + (12 if half == "p" else 0)
    return time(number, int(minute or 0)) if number < 24 and int(minute or 0) < 60 else None


def _only(found: list[int]) -> int | None:
    return found[0] if len(found) == 1 else None
