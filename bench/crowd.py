"""Many rows at once: a few are written, and the database copies them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Table, insert, literal, select

from bot.storage.store import Tx

Number = ColumnElement[int]


async def insert_many(
    tx: Tx,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    count: int,
    own: Callable[[Number], Mapping[str, ColumnElement[Any]]],
) -> None:
    """Insert `count` rows, numbered from 0: `rows`, and then copies of them in turn.

    `own` gives the columns in which each differs, "id" among them, by its number; the ids of `rows` are as it says.
    """
    await tx.run(insert(table), list(rows)[:count])
    if count <= len(rows):
        return
    number = select(literal(len(rows), BigInteger).label("n")).cte("numbers", recursive=True)
    number = number.union_all(select(number.c.n + 1).where(number.c.n < count - 1))
    changed = own(number.c.n)
    copied = select(*(changed.get(column.name, column) for column in table.c))
    copied = copied.select_from(number).join(table, table.c.id == own(number.c.n % len(rows))["id"])
    await tx.run(insert(table).from_select([column.name for column in table.c], copied))
