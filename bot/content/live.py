"""The library that follows its folder: a valid change is live at once, a broken file keeps its last good version."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from watchfiles import awatch

from bot.content.findings import Finding
from bot.content.library import Content, Loaded, load
from bot.content.messages import Messages
from bot.content.reading import Value
from bot.content.risk_file import RiskFile
from bot.domain.programme import CrisisLines
from bot.semantic.encoder import CannotRead
from bot.semantic.opinion import Mode, SecondOpinion, load_second_opinion
from bot.semantic.trained import FILE

Stamps = Mapping[Path, tuple[int, int, int]]
"""What tells one state of each file from another."""
SETTLE = 200
"""Milliseconds without a change before files are read: editors write in several steps."""
LOOK_AGAIN = 1000
"""Milliseconds without an event after which the files themselves are looked at."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What a reload changed: ids (for messages and risk rules "messages/es"), findings new since, findings mended."""

    changed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.findings or self.mended)


class LiveLibrary:
    """Holds the content of a folder and keeps it current, with the second opinion where it is switched on.

    Raises CannotRead when the second opinion must be on and cannot.
    """

    def __init__(self, folder: Path, *, force_polling: bool | None = None, second_opinion: Mode = "off") -> None:
        self._folder = folder
        self._force_polling = force_polling
        self._mode = second_opinion
        self._stamps = _stamps(folder)
        self._loaded = _with(load(folder), load_second_opinion(folder, self._mode))

    @property
    def content(self) -> Content:
        """The newest version of everything that can be used."""
        return self._loaded.content

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the folder now."""
        return self._loaded.findings

    def reload(self) -> Reloaded:
        """Read the folder again. A finding is told once, and again when it says something else."""
        stamps = _stamps(self._folder)
        before = self._loaded
        after = _with(load(self._folder, before=before), self._second_opinion(before, stamps))
        self._stamps, self._loaded = stamps, after
        return Reloaded(
            changed=tuple(_changed(before, after)),
            findings=_only_in(after, before),
            mended=_only_in(before, after),
        )

    def _second_opinion(self, before: Loaded, stamps: Stamps) -> SecondOpinion | None:
        """Return the second opinion as its file has it now; a file that cannot be used changes nothing."""
        file, held = self._folder / FILE, before.content.second_opinion
        if stamps.get(file) == self._stamps.get(file):
            return held
        try:
            return load_second_opinion(self._folder, "off" if self._mode == "off" else "on")
        except CannotRead as error:
            log.warning("the second opinion stays as it was", why=str(error))
            return held

    async def watch(self, on_reload: Callable[[Reloaded], Awaitable[None]]) -> None:
        """Reload whenever the folder changes, until cancelled; `on_reload` is told when that made a difference."""
        async for _ in self._changes():
            try:
                reloaded = await asyncio.to_thread(self.reload)
            except OSError:  # the folder is just being replaced: the next look finds it
                continue
            if reloaded:
                await on_reload(reloaded)

    async def _changes(self) -> AsyncIterator[None]:
        """Yield after every change, those included that no event told of: before the watch stood, or while polling.

        Polling compares times by the second, so it misses the second of two changes within one.
        """
        async for changes in awatch(
            self._folder,
            watch_filter=None,
            debounce=SETTLE * 5,
            step=SETTLE,
            rust_timeout=LOOK_AGAIN,
            yield_on_timeout=True,
            force_polling=self._force_polling,
        ):
            if changes or await self._changed_unnoticed():
                yield

    async def _changed_unnoticed(self) -> bool:
        if await asyncio.to_thread(_stamps, self._folder) == self._stamps:
            return False
        await asyncio.sleep(SETTLE / 1000)
        return True


def _with(loaded: Loaded, second_opinion: SecondOpinion | None) -> Loaded:
    return replace(loaded, content=replace(loaded.content, second_opinion=second_opinion))


def _stamps(folder: Path) -> Stamps:
    stamps = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone since it was listed
            state = path.stat()
            stamps[path] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return stamps


def _changed(before: Loaded, after: Loaded) -> Iterator[str]:
    files = dict.fromkeys((*before.values, *after.values))
    pairs = [(before.values.get(file), after.values.get(file)) for file in files]
    yield from dict.fromkeys(_name(value) for old, new in pairs if old != new and (value := new or old))


def _name(value: Value) -> str:
    match value:
        case Messages():
            return f"messages/{value.language}"
        case RiskFile():
            return f"risk/{value.language}"
        case CrisisLines():
            return f"contacts/{value.country}"
        case _:
            return value.id


def _only_in(one: Loaded, other: Loaded) -> tuple[Finding, ...]:
    """Return the findings that only one has, wherever in their file they stand."""
    known = {(finding.file, finding.code, finding.message) for finding in other.findings}
    return tuple(f for f in one.findings if (f.file, f.code, f.message) not in known)
