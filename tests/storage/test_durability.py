"""What is committed is on the disk, and what is deleted leaves nothing in the file."""

from pathlib import Path

import pytest
from conftest import VAULT
from filling import SHIPPED_PRAGMAS
from sqlalchemy import text

from bot.storage import store as stores


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("synchronous", 2), ("journal_mode", "wal"), ("secure_delete", 1), ("foreign_keys", 1), ("busy_timeout", 15_000)],
)
async def test_every_connection_to_sqlite_is_set_up_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pragma: str, value: int | str
) -> None:
    monkeypatch.setattr(stores, "PRAGMAS", SHIPPED_PRAGMAS)
    store = stores.Store(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", VAULT)
    async with store.begin() as writing, store.read() as reading:
        assert [await tx.value(text(f"PRAGMA {pragma}")) for tx in (writing, reading)] == [value, value]
    await store.close()
