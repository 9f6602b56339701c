"""The audit trail: who did what to whose record, only ever added to."""

from datetime import datetime

from sqlalchemy import insert

from bot.storage.store import Tx
from bot.storage.tables import audit


async def note(
    tx: Tx, action: str, now: datetime, *, by: int | None = None, subject: str = "", **detail: str | int
) -> None:
    """Add one line: what was done (`action`), by which member, to what."""
    await tx.run(insert(audit).values(at=now, by=by, action=action, subject=subject, detail=detail))
