"""`interlude channel`: addresses are added, shown without secrets, tried and removed; errors say what to do."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from smtp_server import PASSWORD, Mailbox, free_port
from typer.testing import CliRunner

from bot.cli import app

CONTENT = Path(__file__).parent.parent / "content"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(port=free_port())
    box.open()
    yield box
    box.close()


@pytest.fixture
def channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `interlude channel` on a new machine that has a database."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("INTERLUDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INTERLUDE_KEYS", f"k1:{'A' * 43}=")
    monkeypatch.setenv("INTERLUDE_CONTENT_DIR", str(CONTENT))
    assert CliRunner().invoke(app, ["db", "upgrade"]).exit_code == 0

    def run(*given: str, typed: str = "") -> Result:
        done = CliRunner().invoke(app, ["channel", *given], input=typed)
        assert PASSWORD not in done.output + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def test_a_channel_is_added_listed_tried_and_removed(channel, mailbox: Mailbox) -> None:
    added = channel("add", "--programme", "adult-evening", mailbox.address())
    assert "channel 1: E-Mail (q…@clinic.example), adult-evening" in added.stdout
    assert channel("list").stdout == "1\tadult-evening\t(all)\tE-Mail (q…@clinic.example)\n"
    assert "was accepted" in channel("test", "1").stdout
    assert "only a test" in mailbox.text()
    assert "removed" in channel("remove", "1").stdout
    assert channel("list").stdout == ""
    gone = channel("test", "1")
    assert gone.exit_code == 2
    assert "interlude channel list" in gone.stderr


def test_the_address_can_be_typed_unseen(channel, mailbox: Mailbox) -> None:
    done = channel("add", "--programme", "adult-evening", typed=f"{mailbox.address()}\n")
    assert "channel 1" in done.stdout


def test_a_test_says_in_plain_words_what_is_wrong(channel, mailbox: Mailbox) -> None:
    channel("add", "--programme", "adult-evening", mailbox.address(password="wrong"))
    done = channel("test", "1")
    assert done.exit_code == 2
    assert "does not take the user name or the password" in done.stderr
    mailbox.close()
    assert "can't be reached" in channel("test", "1").stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--clinician", "QX7R2K", "malto://u:pw@clinic.example"], "did you mean mailto://"),
        (["--clinician", "QX7R2K", "mailto://u:pw@clinic.example"], "nobody with the code QX7R2K"),
        (["--programme", "nowhere", "mailto://u:pw@clinic.example"], "adult-evening"),
        (["mailto://u:pw@clinic.example"], "--clinician CODE or --programme ID"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(channel, given: list[str], said: str) -> None:
    done = channel("add", *given)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
