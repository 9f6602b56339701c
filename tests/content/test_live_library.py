"""The library that follows its folder, on real files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bot.content.live import LiveLibrary, Reloaded

SOUND = "## Stop {#stop}\n\nStop.\n"
OTHER = "## Stop {#stop}\n\nStop, and wait.\n"
BROKEN = "## Stop {#stop next=#nowhere}\n"
SPANISH = (
    "---\ntitle: Alto\nsummary: Un alto.\nprompt: ¿Un alto?\nreviewed: 2026-11-03, traductora\n---\n## Alto {#stop}\n"
)
RULE = """## Wish to be dead {#wish-to-be-dead level=orange category=ideation}

### Says
- want to be dead
### Flags
- i want to be dead
"""
PATIENCE = 20
"""Seconds until a test gives up; far more than it takes."""


@pytest.fixture
def library(folder, write) -> LiveLibrary:
    write("skills/stop.md", SOUND)
    return LiveLibrary(folder)


def body(library: LiveLibrary) -> str:
    return library.content.skill("stop", "en").steps["stop"].body[0].text


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_a_change_is_live_after_a_reload(library, write):
    write("skills/stop.md", OTHER)
    assert library.reload() == Reloaded(changed=("stop",))
    assert body(library) == "Stop, and wait."


def test_a_reload_without_a_change_says_nothing(library):
    before = library.content
    assert not library.reload()
    assert library.content.detector is before.detector


def test_a_broken_file_keeps_its_last_good_version_and_others_change(library, write):
    write("skills/stop.md", BROKEN)
    write("skills/walk.md", "## Walk {#walk}\n")
    reloaded = library.reload()
    assert reloaded.changed == ("walk",)
    assert codes(reloaded.findings) == ["C020"]
    assert body(library) == "Stop."
    assert set(library.content.skills) == {"stop", "walk"}


def test_a_file_that_stays_broken_for_several_reloads_keeps_its_version(library, write):
    write("skills/stop.md", BROKEN)
    library.reload()
    write("skills/stop.md", "")
    library.reload()
    assert body(library) == "Stop."


def test_a_finding_is_told_once_and_again_when_it_says_something_else(library, write):
    write("skills/stop.md", BROKEN)
    assert codes(library.reload().findings) == ["C020"]
    write("skills/stop.md", "\n\n" + BROKEN)
    assert library.reload().findings == ()
    write("skills/stop.md", BROKEN.replace("nowhere", "anywhere"))
    again = library.reload()
    assert (codes(again.findings), codes(again.mended)) == (["C020"], ["C020"])


def test_what_is_mended_is_told(library, write):
    write("skills/stop.md", BROKEN)
    library.reload()
    write("skills/stop.md", OTHER)
    reloaded = library.reload()
    assert (reloaded.changed, codes(reloaded.mended)) == (("stop",), ["C020"])
    assert library.findings == ()


def test_a_file_that_is_broken_from_the_start_is_missing_until_it_is_mended(folder, write):
    write("skills/stop.md", BROKEN)
    library = LiveLibrary(folder)
    assert (codes(library.findings), dict(library.content.skills)) == (["C020"], {})
    write("skills/stop.md", SOUND)
    assert library.reload().changed == ("stop",)
    assert body(library) == "Stop."


def test_a_file_that_is_gone_is_gone(library, write, folder):
    write("skills/walk.md", "## Walk {#walk}\n")
    library.reload()
    (folder / "skills" / "walk.md").unlink()
    assert library.reload().changed == ("walk",)
    assert set(library.content.skills) == {"stop"}


def test_a_folder_that_is_just_being_replaced_changes_nothing(library, folder):
    folder.rename(folder.with_name("away"))
    reloaded = library.reload()
    assert (reloaded.changed, codes(reloaded.findings)) == ((), ["C021"])
    assert body(library) == "Stop."
    folder.with_name("away").rename(folder)
    assert codes(library.reload().mended) == ["C021"]


def test_a_translation_that_no_longer_fits_its_original_keeps_its_last_good_version(library, write):
    write("skills/stop.es.md", SPANISH)
    library.reload()
    write("skills/stop.md", SOUND + "\n## Wait {#wait}\n")
    reloaded = library.reload()
    assert (reloaded.changed, codes(reloaded.findings)) == (("stop",), ["C040"])
    assert set(library.content.skill("stop", "en").steps) == {"stop", "wait"}
    assert set(library.content.skill("stop", "es").steps) == {"stop"}


def test_rules_and_messages_have_their_last_good_version_too(library, write):
    write("risk/en.md", RULE)
    write("messages/en.md", "## hello\n\nHello.\n")
    assert library.reload().changed == ("messages/en", "risk/en")
    write("risk/en.md", RULE.replace("- want to be dead", "- (want"))
    write("messages/en.md", "## hello\n")
    assert codes(library.reload().findings) == ["C005", "C071"]
    assert library.content.detector.examine("i want to be dead")
    assert library.content.message("en", "hello")[0].text == "Hello."


class Watch:
    """Collects what a watch tells, and waits for it."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Reloaded] = asyncio.Queue()

    async def tell(self, reloaded: Reloaded) -> None:
        await self._told.put(reloaded)

    async def until(self, seen: Callable[[Reloaded], bool]) -> Reloaded:
        async with asyncio.timeout(PATIENCE):
            while not seen(reloaded := await self._told.get()):
                pass
            return reloaded


@asynccontextmanager
async def watching(library: LiveLibrary) -> AsyncIterator[Watch]:
    watch = Watch()
    task = asyncio.create_task(library.watch(watch.tell))
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("force_polling", [False, True])
async def test_a_watch_makes_a_change_live_and_tells_of_broken_files(folder, write, force_polling):
    write("skills/stop.md", SOUND)
    library = LiveLibrary(folder, force_polling=force_polling)
    async with watching(library) as watch:
        write("skills/stop.md", OTHER)
        await watch.until(lambda told: "stop" in told.changed)
        assert body(library) == "Stop, and wait."
        write("skills/stop.md", BROKEN)
        await watch.until(lambda told: codes(told.findings) == ["C020"])
        assert body(library) == "Stop, and wait."
        write("skills/stop.md", SOUND)
        await watch.until(lambda told: codes(told.mended) == ["C020"])
        assert body(library) == "Stop."


async def test_a_watch_catches_up_with_what_changed_before_it_began(library, write):
    write("skills/stop.md", OTHER)
    async with watching(library) as watch:
        assert (await watch.until(bool)).changed == ("stop",)


async def test_a_file_that_is_written_beside_and_moved_into_place_is_one_change(library, folder):
    async with watching(library) as watch:
        beside = folder / "skills" / ".stop.md.tmp"
        beside.write_text((folder / "skills" / "stop.md").read_text().replace("\nStop.", "\nMoved."))
        beside.replace(folder / "skills" / "stop.md")
        assert await watch.until(bool) == Reloaded(changed=("stop",))
        assert body(library) == "Moved."
