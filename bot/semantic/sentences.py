"""Labelled sentences as files: what the second opinion learns from, and what `interlude risk test` tries."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

from bot.domain.activity import Level
from bot.domain.risk import CATEGORIES

Labelled = Literal["none", "yellow", "orange", "red"]
LEVELS: tuple[Labelled, ...] = get_args(Labelled)
KINDS = ("explicit", "implied", "near", "everyday")
"""Plainly said; only hinted at; harmless with the words of something grave; harmless and far from it."""
LANGUAGE_CODE = 2
EXAMPLES = Path("risk", "examples")
"""Where the training sentences stand in a content folder."""


class BadSentences(Exception):
    """A file of sentences cannot be used. The message names the file, the line, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One line: what was written, its level, and where known its category, kind and language ("" where not).

    `id` is the file's name and the number of the line where it begins: "en-risk:17".
    """

    id: str
    text: str
    level: Labelled
    category: str = ""
    kind: str = ""
    language: str = ""


def training_sentences(content: Path) -> tuple[Sentence, ...]:
    """Return all sentences under risk/examples of a content folder. Raises BadSentences."""
    files = sorted((content / EXAMPLES).glob("*.csv"))
    if not files:
        raise BadSentences(f"there are no sentences to learn from: put CSV files into {content / EXAMPLES}")
    sentences = tuple(chain.from_iterable(read_sentences(file) for file in files))
    for sentence in sentences:
        if not sentence.kind or (sentence.level != "none" and not sentence.category):
            raise BadSentences(f"{sentence.id}: a sentence to learn from needs a kind, and above none a category")
    return sentences


def read_sentences(file: Path) -> tuple[Sentence, ...]:
    """Return the sentences of one CSV file with the columns text and level. Raises BadSentences."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return tuple(_sentences(file, lines))
    except UnicodeDecodeError:
        raise BadSentences(f"{file}: not UTF-8: save the file as UTF-8") from None
    except OSError as error:
        raise BadSentences(f"{file}: cannot be read: {error.strerror}") from None
    except csv.Error as error:
        raise BadSentences(f"{file}: no sound CSV: {error}") from None


def fingerprint(sentences: Sequence[Sentence]) -> str:
    """Return what tells one set of sentences from another: 64 hexadecimal digits."""
    lines = [f"{one.id}\t{one.level}\t{one.category}\t{one.kind}\t{one.language}\t{one.text}" for one in sentences]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sentences(file: Path, lines: Iterator[str]) -> Iterator[Sentence]:
    rows = csv.DictReader(lines, strict=True)
    if missing := [name for name in ("text", "level") if name not in (rows.fieldnames or ())]:
        raise BadSentences(f"{file}:1: no column '{missing[0]}': the first line names the columns, text,level,...")
    line = rows.line_num + 1
    for row in rows:
        try:
            yield _sentence(file, line, row)
        except ValueError as error:
            raise BadSentences(f"{file}:{line}: {error}") from None
        line = rows.line_num + 1


def _sentence(file: Path, line: int, row: dict[str | None, str | list[str] | None]) -> Sentence:
    if None in row or None in row.values():
        raise ValueError("more or fewer cells than columns: put a text with commas into double quotes")
    cells = {name: value.strip() for name, value in row.items() if name and isinstance(value, str)}
    if not cells["text"]:
        raise ValueError("the text is empty")
    level = next((known for known in LEVELS if known == cells["level"]), None)
    if level is None:
        raise ValueError(f"unknown level '{cells['level']}': one of {', '.join(LEVELS)}")
    category, kind = cells.get("category", ""), cells.get("kind", "")
    if category not in ("", *CATEGORIES):
        raise ValueError(f"unknown category '{category}': one of {', '.join(CATEGORIES)}")
    if kind not in ("", *KINDS):
        raise ValueError(f"unknown kind '{kind}': one of {', '.join(KINDS)}")
    return Sentence(
        id=f"{file.stem}:{line}",
        text=cells["text"],
        level=level,
        category=category,
        kind=kind,
        language=cells.get("language", "") or _language(file),
    )


def _language(file: Path) -> str:
    """Return the language that the name of a file such as es-near.csv begins with."""
    first, dash, _ = file.stem.partition("-")
    return first if dash and len(first) == LANGUAGE_CODE else ""


def graver(one: Labelled, other: Labelled) -> bool:
    """Return whether one level is graver than the other."""
    return LEVELS.index(one) > LEVELS.index(other)


def gravest(levels: Sequence[Level]) -> Labelled:
    """Return the gravest of the levels found, "none" when nothing was."""
    return max(levels, key=LEVELS.index, default="none")
