"""No secret of the settings and no word of a person comes into a log line, an error or what is printed."""

import json

import pytest
import structlog
from typer.testing import CliRunner

from bot.cli import app
from bot.config import Settings
from bot.journal import set_up

SECRETS = {
    "INTERLUDE_TOKEN": "4242:CANARY-TOKEN",
    "INTERLUDE_KEYS": "k1:CANARY-KEY",
    "INTERLUDE_WEBHOOK_SECRET": "CANARY-HOOK",
    "INTERLUDE_DATABASE_URL": "postgresql+asyncpg://interlude:CANARY-PASSWORD@127.0.0.1:9/none",
    "INTERLUDE_HEARTBEAT_URL": "https://ping.example.org/CANARY-PING",
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("secrets")
def test_settings_do_not_show_their_secrets() -> None:
    assert "CANARY" not in repr(Settings(_env_file=None))


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("command", ["run", "doctor", "keys rotate"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WEBHOOK_URL", "https://interlude.example.org/telegram", "needs INTERLUDE_LISTEN"),
        ("MESSAGES_PER_SECOND", "CANARY", "INTERLUDE_MESSAGES_PER_SECOND"),
        ("DATABASE_URL", "postgres://interlude:CANARY@127.0.0.1/none", "must begin with"),
    ],
)
def test_wrong_settings_are_told_without_what_they_hold(
    command: str, name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"INTERLUDE_{name}", value)
    done = CliRunner().invoke(app, command.split())
    assert said in done.output
    assert done.exit_code in (1, 2)
    assert not isinstance(done.exception, ValueError | IndexError)
    assert "CANARY" not in done.output + repr(done.exception)


def test_a_log_line_holds_only_what_is_on_the_list(capfd: pytest.CaptureFixture[str]) -> None:
    set_up("json", "warning")  # a command that was tried before may have chosen otherwise
    structlog.get_logger().error("an update failed", update_id=7, text="CANARY", name="CANARY", turn={"name": "CANARY"})
    line = json.loads(capfd.readouterr().err)
    assert line.keys() == {"event", "level", "timestamp", "update_id"}


def test_of_an_exception_its_place_is_logged_and_not_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        int("CANARY")
    except ValueError:
        structlog.get_logger().exception("an update failed")
    said = capfd.readouterr().err
    assert "ValueError at test_secrets.py:" in said
    assert "CANARY" not in said
