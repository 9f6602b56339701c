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
_TIME = re.compile(r"\b(\d{1,2})(?:[:.h](\d{2}))?\s*(a\.?\s?m\.?|p\.?\s?m\.?)?(?!\d)", re.IGNORECASE)
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
    """Return the time of day that a text names ("7:30", "19.30", "7 pm"), or None."""
    matches = _TIME.findall(folded(text))
    if len(matches) != 1:
        return None
    hour, minute, half = int(matches[0][0]), int(matches[0][1] or 0), matches[0][2][:1].lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def hours_in(text: str) -> Hours | None:
    """Return the hours that a text names ("8:30-10", "from 9 to 11 pm"), or None."""
    found = _TIME.findall(folded(text))
    if len(found) != 2:
        return None
    start, end = (time_in(f"{hour}:{minute or '00'} {half}") for hour, minute, half in found)
    return Hours(start=start, end=end) if start and end and start != end else None


def _only(found: list[int]) -> int | None:
    return found[0] if len(found) == 1 else None
