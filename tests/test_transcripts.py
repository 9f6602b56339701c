"""Every way through every shipped skill and measure goes as it was reviewed."""

import pytest
from conftest import ROOT
from transcribing import FOLDER, file_of, shipped, written

from bot.content.library import Content, load

KEPT = sorted(FOLDER.rglob("*.txt"))


@pytest.fixture(scope="module")
def told(content: Content) -> dict[str, str]:
    return {str(file_of(activity)): written(activity) for activity in shipped(content)}


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_the_conversations_go_as_they_were_reviewed(file, told: dict[str, str]) -> None:
    assert told.get(str(file)) == file.read_text(encoding="utf-8"), (
        "the content or the engine changed what people meet: `python -m tests.transcripts` writes it anew, read it"
    )


def test_nothing_that_people_are_led_through_has_no_transcript(told: dict[str, str]) -> None:
    assert {str(file) for file in KEPT} == told.keys()


def test_something_is_shipped() -> None:
    content = load(ROOT / "content").content
    assert len(content.skills) >= 24
    assert {"daily-check-in", "phq-9", "gad-7", "c-ssrs"} <= content.measures.keys()
    assert all({"en", "es"} <= versions.keys() for versions in content.skills.values())
