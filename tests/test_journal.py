"""Logging tells where something failed and never what somebody said, whoever logs it."""

import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from bot.journal import guard_crashes, set_up

WORDS = "zq-what-somebody-wrote"


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Iterator[pytest.CaptureFixture]:
    """Standard error, with Python's own last resorts guarded."""
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    set_up("json", "warning")
    guard_crashes()
    yield capsys
    monkeypatch.undo()
    set_up("json", "warning")


def fails() -> None:
    raise RuntimeError(WORDS)


def raised() -> RuntimeError:
    with pytest.raises(RuntimeError) as failed:
        fails()
    return failed.value


def line(journal: pytest.CaptureFixture) -> dict:
    [said] = journal.readouterr().err.splitlines()
    assert WORDS not in said
    return json.loads(said)


def test_of_a_library_only_its_name_and_the_place_are_told(journal: pytest.CaptureFixture) -> None:
    logging.getLogger("some.library").error("cannot take %s", WORDS, exc_info=raised())
    told = line(journal)
    assert told["library"] == "some.library"
    assert told["why"].startswith("test_journal.py:")
    assert told["exception"].startswith("RuntimeError at test_journal.py:")
    assert told["level"] == "error"


def test_a_crash_is_told_without_its_message(journal: pytest.CaptureFixture) -> None:
    error = raised()
    sys.excepthook(RuntimeError, error, error.__traceback__)
    assert line(journal)["exception"].startswith("RuntimeError at test_journal.py:")


def test_a_thread_that_fails_is_told_without_its_message(journal: pytest.CaptureFixture) -> None:
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    assert "RuntimeError at test_journal.py:" in line(journal)["exception"]


def test_what_fails_where_python_ignores_it_is_told_without_its_message(journal: pytest.CaptureFixture) -> None:
    class Fails:
        def __del__(self) -> None:
            raise RuntimeError(WORDS)

    Fails()
    assert "RuntimeError at test_journal.py:" in line(journal)["exception"]
