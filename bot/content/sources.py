"""The files of a content folder: which there are, what their names say, and their text."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.content.findings import START, Place, Report

Kind = Literal["skill", "measure", "programme", "messages", "risk", "contacts"]
FOLDERS: dict[str, Kind] = {
    "skills": "skill",
    "measures": "measure",
    "programmes": "programme",
    "messages": "messages",
    "risk": "risk",
    "contacts": "contacts",
}
ORIGINAL_LANGUAGE = "en"
"""The language of a file that names none."""
LARGEST, LARGEST_RULES = 256 * 1024, 1024 * 1024
"""Bytes; the rules of a language, with their examples, are one long file."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of the folder `root`; `file` is how findings call it.

    Messages and risk rules have their language for an id. `translates` when the name says that the file is a
    translation of the one beside it.
    """

    root: Path
    path: Path
    file: str
    kind: Kind
    id: str
    language: str
    translates: bool
    text: str

    def beside(self, name: str) -> Path:
        """Return the path of a file that this one names."""
        return Path(os.path.normpath(self.path.parent / name))


def is_kebab(name: str) -> bool:
    return bool(_KEBAB.fullmatch(name))


def is_language(name: str) -> bool:
    return bool(_LANGUAGE.fullmatch(name))


def split_name(file_name: str) -> tuple[str, str]:
    """Return the id and the language (empty: none) that a file's name says: "stop.es.md" is ("stop", "es")."""
    name, _, language = file_name.removesuffix(".md").partition(".")
    return name, language


def paths(folder: Path) -> Iterator[tuple[Kind, Path]]:
    """Yield the content files of a folder, in a fixed order."""
    for name, kind in FOLDERS.items():
        for path in sorted((folder / name).rglob("*.md")):
            if path.is_file():
                yield kind, path


def read_source(root: Path, kind: Kind, path: Path, report: Report) -> Source | None:
    """Read one file; None where its name or its bytes are not to be used, which is then reported."""
    identifier, language, translates = _named(kind, path.name)
    if language and not is_language(language):
        report.add("C006", START, f"'{language}' is not a language code", "name the file such as stop.es.md")
        return None
    if kind not in {"messages", "risk"} and not is_kebab(identifier):
        hint = "use small letters, digits and hyphens"
        report.add("C006", START, f"'{identifier}' is not a kebab-case id", hint)
        return None
    text = _text(path, LARGEST_RULES if kind == "risk" else LARGEST, report)
    if text is None:
        return None
    return Source(
        root=root,
        path=path,
        file=report.file,
        kind=kind,
        id=identifier,
        language=language or ORIGINAL_LANGUAGE,
        translates=translates,
        text=text,
    )


def _named(kind: Kind, file_name: str) -> tuple[str, str, bool]:
    if kind in {"messages", "risk"}:
        language = file_name.removesuffix(".md")
        return language, language, False
    identifier, language = split_name(file_name)
    return identifier, language, bool(language)


def _text(path: Path, largest: int, report: Report) -> str | None:
    try:
        raw = path.read_bytes()
    except OSError as error:
        report.add("C001", START, f"cannot be read: {error.strerror}")
        return None
    if len(raw) > largest:
        report.add("C001", START, f"{len(raw) // 1024} KiB is too large: {largest // 1024} KiB at most")
        return None
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        report.add("C001", Place(line, 1), "not UTF-8", "save the file as UTF-8")
        return None
