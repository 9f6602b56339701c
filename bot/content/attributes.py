"""The attributes that a heading carries in braces: `{#id key=value key="some words" flag}`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bot.content.findings import START, Place, Report, did_you_mean

FLAGS = frozenset({"optional", "end"})
TRAILING = re.compile(r"""(?<!\\)\{((?:[^{}"“”]|["“][^"“”]*["”])*)\}\s*$""")
"""The last braces of a heading."""
_PART = re.compile(
    r"""\s*(?:\#(?P<id>[\w-]+)|(?P<key>[\w-]+)(?:=(?:["“](?P<quoted>[^"“”]*)["”]|(?P<bare>[^\s"“”]+)))?)"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What stood in the braces. A flag's value is empty; `places` tells where each key stands, the id under "#"."""

    id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    def place(self, key: str) -> Place:
        return self.places.get(key, START)

    def only(self, known: Collection[str], report: Report) -> None:
        """Report the keys that are not known here."""
        for key in self.values.keys() - set(known):
            report.add("C011", self.place(key), f"unknown attribute '{key}'", did_you_mean(key, known))


def are_attributes(inner: str) -> bool:
    """Tell attributes from a field such as `{before}` at a heading's end: a lone word that is no flag is a field."""
    words = inner.split()
    return bool(words) and (len(words) > 1 or words[0] in FLAGS or "#" in inner or "=" in inner)


def read_attributes(inner: str, place: Place, report: Report) -> Attributes:
    """Read what stands inside of the braces; `place` is that of the opening brace."""
    identifier, values, places = "", {}, {}
    position = 0
    while inner[position:].strip():
        found = _PART.match(inner, position)
        if not found:
            at = Place(place.line, place.column + 1 + position)
            report.add("C011", at, f"cannot read '{inner[position:].strip()}'", 'write key=value or key="some words"')
            break
        key = "#" if found["id"] else found["key"]
        at = Place(place.line, place.column + 1 + found.end() - len(found[0].lstrip()))
        if key in places:
            report.add("C011", at, f"'{key}' is given twice")
        places[key] = at
        if found["id"]:
            identifier = found["id"]
        else:
            values[key] = found["quoted"] if found["quoted"] is not None else found["bare"] or ""
        position = found.end()
    return Attributes(id=identifier, values=values, places=places)
