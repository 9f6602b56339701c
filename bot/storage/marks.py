"""Small facts that outlive a restart, by name."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.store import Tx
from bot.storage.tables import marks


async def mark(tx: Tx, name: str) -> str | None:
    """Return what is kept under a name."""
    found: str | None = await tx.value(select(marks.c.value).where(marks.c.name == name))
    return found


async def set_mark(tx: Tx, name: str, value: str, now: datetime) -> None:
    """Keep a value under a name."""
    add = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    changed = {"value": value, "at": now}
    await tx.run(add(marks).values(name=name, **changed).on_conflict_do_update(index_elements=["name"], set_=changed))


async def clear_mark(tx: Tx, name: str, value: str) -> None:
    """Keep nothing under a name any more, unless another value is there by now."""
    await tx.run(delete(marks).where(marks.c.name == name, marks.c.value == value))
