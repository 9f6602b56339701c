"""How wide words are in the bundled font, and how they are broken or shortened to fit."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from struct import iter_unpack, unpack_from

FAMILY = "DejaVu Sans"
_FONTS = Path(__file__).parent.parent / "fonts"
REGULAR, BOLD = _FONTS / "DejaVuSans.ttf", _FONTS / "DejaVuSans-Bold.ttf"
_UNKNOWN = 0.6
"""The width in em of a character that the font has not."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line is, in the unit of `size`."""
    advances = _advances(BOLD if bold else REGULAR)
    return size * sum(advances.get(ord(char), _UNKNOWN) for char in text)


def shortened(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return the line, ended by an ellipsis where it is wider than `room`."""
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(f"{text}…", size, bold=bold) > room:
        text = text[:-1].rstrip()
    return f"{text}…"


def wrapped(text: str, room: float, size: float, *, lines: int) -> tuple[str, ...]:
    """Return the text in so many lines at most, none wider than `room`; the last one is shortened."""
    done: list[str] = []
    rest = text.split()
    while rest and len(done) < lines - 1:
        fitting = [n for n in range(1, len(rest) + 1) if width(" ".join(rest[:n]), size) <= room]
        taken = max(fitting, default=1)
        done.append(shortened(" ".join(rest[:taken]), room, size))
        rest = rest[taken:]
    return (*done, shortened(" ".join(rest), room, size)) if rest else tuple(done)


@lru_cache(maxsize=2)
def _advances(path: Path) -> Mapping[int, float]:
    """Return the width in em of each character of a TrueType file, by code point."""
    font = path.read_bytes()
    (tables,) = unpack_from(">H", font, 4)
    at = {tag: start for tag, _, start, _ in iter_unpack(">4sLLL", font[12 : 12 + 16 * tables])}
    (per_em,) = unpack_from(">H", font, at[b"head"] + 18)
    (proportional,) = unpack_from(">H", font, at[b"hhea"] + 34)
    widths = [unpack_from(">H", font, at[b"hmtx"] + 4 * glyph)[0] for glyph in range(proportional)]
    return {code: widths[min(glyph, proportional - 1)] / per_em for code, glyph in _glyphs(font, at[b"cmap"])}


def _glyphs(font: bytes, cmap: int) -> Iterator[tuple[int, int]]:
    """Yield each code point with its glyph, from the first subtable, which pyftsubset writes in format 4."""
    start = cmap + unpack_from(">L", font, cmap + 8)[0]
    (doubled,) = unpack_from(">H", font, start + 6)
    ends, starts, deltas, offsets = (start + 14 + gap for gap in (0, doubled + 2, 2 * doubled + 2, 3 * doubled + 2))
    for segment in range(0, doubled, 2):
        last, first, delta, offset = (
            unpack_from(">H", font, base + segment)[0] for base in (ends, starts, deltas, offsets)
        )
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = unpack_from(">H", font, offsets + segment + offset + 2 * (code - first))[0] if offset else code
            if glyph:
                yield code, (glyph + delta) & 0xFFFF
