"""Runs the migrations on the connection that the program hands over."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bot.storage.tables import Utc, metadata


def _render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Keep migrations free of the program's own types, so that they outlive them."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Utc) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True, render_item=_render
)
with context.begin_transaction():
    context.run_migrations()
