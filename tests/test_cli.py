"""The command line: examples in each help, light commands that are light, errors without a trace."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from bot.storage.vault import Vault, read_keys

ROOT = Path(__file__).parent.parent
LIGHT = (["--help"], ["content", "check", "--help"], ["db", "upgrade", "--help"], ["timetable", "--help"])


def commands() -> list[list[str]]:
    def below(command, path: list[str]) -> list[list[str]]:
        deeper = getattr(command, "commands", None)
        return [found for name in deeper for found in below(deeper[name], [*path, name])] if deeper else [path]

    return below(typer.main.get_command(app), [])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command as on another machine: an empty folder, and only these settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("INTERLUDE_")]:
        monkeypatch.delenv(name)

    def run(*given: str, env: dict[str, str] | None = None) -> Result:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, given)

    return run


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(path: list[str]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert f"Example: interlude {' '.join(path)}" in " ".join(shown.output.split())


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_stands_in_the_readme(path: list[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    group, *name = path
    assert f"`interlude {group}" in readme
    assert all(f"`{part}`" in readme or f"{group} {part}" in readme for part in name)


@pytest.mark.parametrize("given", LIGHT, ids=" ".join)
def test_light_commands_do_not_import_what_is_heavy(given: list[str]) -> None:
    program = (
        "import sys; from bot.cli import app\n"
        f"try: app({given!r})\nexcept SystemExit: pass\n"
        "heavy = {'aiogram', 'sqlalchemy', 'alembic', 'apscheduler', 'starlette'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_timetable_is_printed_as_csv() -> None:
    given = ["timetable", "--programme", "adult-evening", "--timezone", "America/New_York"]
    done = CliRunner().invoke(app, [*given, "--from", "2026-11-02", "--days", "7", "--format", "csv"])
    head, first, *_ = done.stdout.splitlines()
    assert head == "local,utc,stream,activity,reason"
    assert re.fullmatch(r"2026-11-0\dT[\d:]{8}-05:00,2026-11-0\dT[\d:]{8}\+00:00,check-in,daily-check-in,", first)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--programme", "adult-evning"), "did you mean 'adult-evening'"),
        (("--timezone", "America/NewYork"), "did you mean 'America/New_York'"),
        (("--from", "tomorrow"), "write it as YYYY-MM-DD"),
        (("--format", "xml"), "choose table, csv or json"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_explained(changed: tuple[str, str], said: str) -> None:
    given = {
        "--programme": "adult-evening",
        "--timezone": "America/New_York",
        "--from": "2026-11-02",
        "--days": "2",
        "--format": "csv",
    } | dict([changed])
    done = CliRunner().invoke(app, ["timetable", *[part for pair in given.items() for part in pair]])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "no bot token"),
        ({"INTERLUDE_TOKEN": "1:a"}, "no encryption key"),
        ({"INTERLUDE_TOKEN": "1:a", "INTERLUDE_KEYS": "k1:short"}, "32 bytes in base64"),
        ({"INTERLUDE_DATABASE_URL": "mysql://x"}, "must begin with sqlite+aiosqlite"),
        ({"INTERLUDE_TOKEN": "1:a", "INTERLUDE_KEYS": f"k1:{'A' * 43}="}, "interlude db upgrade"),
        (
            {
                "INTERLUDE_TOKEN": "1:a",
                "INTERLUDE_KEYS": f"k1:{'A' * 43}=",
                "INTERLUDE_DATABASE_URL": "sqlite+aiosqlite:////nowhere/at/all.db",
            },
            "cannot be opened",
        ),
        (
            {
                "INTERLUDE_TOKEN": "1:a",
                "INTERLUDE_KEYS": f"k1:{'A' * 43}=",
                "INTERLUDE_DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
            },
            "cannot be opened",
        ),
    ],
    ids=["token", "keys", "short key", "database address", "empty database", "no folder", "no server"],
)
def test_run_says_in_one_line_what_is_missing(run, env: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    done = run("run", env=env)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_upgrade_check_backup_and_restore_work_on_a_new_machine(run) -> None:
    env = {"INTERLUDE_KEYS": f"k1:{'A' * 43}="}
    assert "at version" in run("db", "upgrade", env=env).stdout
    assert "whole" in run("db", "check", env=env).stdout
    assert "copied to" in run("db", "backup", "copy.db", env=env).stdout
    again = run("db", "backup", "copy.db", env=env)
    assert again.exit_code == 2
    assert "nothing is overwritten" in again.stderr
    refused = run("db", "restore", "copy.db", env=env)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("interlude: nothing was restored: there is a database at var/interlude.db")
    done = run("db", "restore", "copy.db", "--replace", env=env).stdout
    assert "restored from copy.db" in done
    assert "is kept as var/interlude.db.before-" in done
    assert "next: interlude audit verify" in done
    assert "whole" in run("db", "check", env=env).stdout


def test_the_doctor_says_how_to_mend_everything(run) -> None:
    env = {"INTERLUDE_TELEGRAM_URL": "http://127.0.0.1:1", "INTERLUDE_CONTENT_DIR": "nowhere"}
    done = run("doctor", env=env)
    assert done.exit_code == 1
    for said in ("INTERLUDE_KEYS=k1:", "interlude db upgrade", "set INTERLUDE_CONTENT_DIR", "@BotFather"):
        assert said in done.stdout


def test_the_doctor_warns_of_a_programme_in_which_nobody_can_be_alerted(run, tmp_path: Path) -> None:
    key = "k1:" + "A" * 43 + "="
    run("db", "upgrade", env={"INTERLUDE_KEYS": key, "INTERLUDE_TELEGRAM_URL": "http://127.0.0.1:1"})
    assert "✓ alerts" in run("doctor").stdout
    with closing(sqlite3.connect(next(tmp_path.rglob("*.db")))) as database, database:
        database.execute(
            "INSERT INTO people (id, telegram_id, code, language, zones, created_at) "
            "VALUES (1, 5, 'ROBIN2', 'en', '[]', '2026-11-02 14:00:00')"
        )
        database.execute(
            "INSERT INTO members (id, person_id, programme, role, standing, level, preferences, pauses, created_at) "
            "VALUES (1, 1, 'adult-evening', 'participant', 'active', '', '{}', '[]', '2026-11-02 14:00:00')"
        )
    told = run("doctor").stdout
    assert "✗ alerts: nobody can be alerted in adult-evening" in told
    assert "interlude invite --programme adult-evening --role clinician" in told


def test_rotating_keys_says_what_was_done_and_fails_while_something_needs_an_older_key(run, tmp_path: Path) -> None:
    old, new = (f"k{number}:{letter * 43}=" for number, letter in ((1, "A"), (2, "E")))
    run("db", "upgrade", env={"INTERLUDE_KEYS": old})
    vault = Vault(read_keys(old))
    with closing(sqlite3.connect(next(tmp_path.rglob("*.db")))) as database, database:
        for person in (1, 2):
            values = (person, str(person), vault.seal("people.name", person, "Robin Sample"))
            database.execute(
                "INSERT INTO people (id, code, name_sealed, language, zones, created_at) "
                "VALUES (?, ?, ?, 'en', '[]', '2026-11-02 14:00:00')",
                values,
            )
        database.execute("UPDATE people SET name_sealed = x'00112233445566' WHERE id = 2")
    done = run("keys", "rotate", env={"INTERLUDE_KEYS": f"{new},{old}"})
    assert done.exit_code == 1
    assert "1 values sealed anew\nno longer needed, but for older backups: k1" in done.stdout
    assert "people.name: the value of row 2 cannot be read" in done.stderr
    assert "Robin" not in done.output
    with closing(sqlite3.connect(next(tmp_path.rglob("*.db")))) as database, database:
        database.execute("DELETE FROM people WHERE id = 2")
    done = run("keys", "rotate", env={"INTERLUDE_KEYS": new})
    assert (done.exit_code, done.stdout) == (0, "0 values sealed anew\n")
