"""What is only ever added to, tried to be changed."""

import pytest
from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError

from bot.storage.store import Store

AUDIT, HISTORY = "the audit trail", "the history of a case"


async def refused(store: Store, statement: Executable, of: str) -> None:
    """Hold that the database refuses a statement, since this is only added to."""
    with pytest.raises(DBAPIError, match=f"{of} is only added to"):
        async with store.begin() as tx:
            await tx.run(statement)
