"""The audit trail: who did what to whose record, only ever added to, each line chained to the one before it.

`digest` is the SHA-256 of a line's content and its random `salt`; `chain` is that of the last `chain` and the digest.
Erasing a person changes lines: it removes their salt as well, so that the digest holds for the chain and tells nothing.
What such a line says can no longer be checked, only that it stands in its place. The database refuses any other change
by triggers (see append_only); whoever owns it can take them away, which the chain then shows. It cannot tell that the
newest lines are missing, or that all of it was made anew: compare the last `chain` with one written down elsewhere.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, text

from bot.storage.store import Tx
from bot.storage.tables import Row, audit

START = "0" * 64
"""What the first line is chained to."""

BATCH = 1000
_LOCK = text("SELECT pg_advisory_xact_lock(4918230517)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How much of the trail is whole: the first broken line, if any, and the last `chain` before it."""

    whole: int
    erased: int
    chain: str
    broken_id: int | None = None
    broken_at: datetime | None = None


async def note(
    tx: Tx, action: str, now: datetime, *, by: int | None = None, subject: str = "", **detail: str | int
) -> None:
    """Add one line when the transaction commits: what was done (`action`), by which member, to what."""
    line = {"at": now, "by": by, "action": action, "subject": subject, "detail": detail}

    async def add() -> None:
        await _append(tx, line)

    tx.before_commit.append(add)


def digest_of(salt: str, line: Mapping[str, Any]) -> str:
    """Return the digest of a line's content and its salt."""
    at = line["at"].astimezone(UTC).isoformat(timespec="microseconds")
    content = [salt, at, line["by"], line["action"], line["subject"], line["detail"]]
    return _sha256(json.dumps(content, sort_keys=True, separators=(",", ":")))


async def verify(tx: Tx) -> Verified:
    """Walk the trail in its order, until the first line that was changed, put in, or has lost the one before it."""
    chain, whole, erased, last = START, 0, 0, 0
    while rows := await tx.all(select(audit).where(audit.c.id > last).order_by(audit.c.id).limit(BATCH)):
        for row in rows:
            if not _holds(row, chain):
                return Verified(whole=whole, erased=erased, chain=chain, broken_id=row.id, broken_at=row.at)
            chain, whole, erased, last = row.chain, whole + 1, erased + (row.salt is None), row.id
    return Verified(whole=whole, erased=erased, chain=chain)


async def _append(tx: Tx, line: Mapping[str, Any]) -> None:
    # Two writers at once would chain to the same line. It is the last thing a transaction waits for: no deadlock.
    if tx.dialect.name == "postgresql":
        await tx.run(_LOCK)
    before = await tx.value(select(audit.c.chain).order_by(audit.c.id.desc()).limit(1)) or START
    salt = secrets.token_hex(16)
    digest = digest_of(salt, line)
    await tx.run(insert(audit).values(**line, salt=salt, digest=digest, chain=_sha256(before + digest)))


def _holds(row: Row, before: str) -> bool:
    own = row.digest if row.salt is None else digest_of(row.salt, row._mapping)  # noqa: SLF001 - public in SQLAlchemy
    return bool(own == row.digest and row.chain == _sha256(before + row.digest))


def _sha256(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
