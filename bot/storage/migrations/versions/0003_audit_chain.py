"""The audit trail is chained; lines that are there already are chained as they stand.

Revision ID: 0003
Revises: 0002
"""

import hashlib
import json
import secrets
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

audit = sa.table(
    'audit',
    sa.column('id', sa.BigInteger), sa.column('at', sa.DateTime(timezone=True)), sa.column('by', sa.BigInteger),
    sa.column('action', sa.String), sa.column('subject', sa.String), sa.column('detail', sa.JSON),
    sa.column('salt', sa.String), sa.column('digest', sa.String), sa.column('chain', sa.String),
)


def upgrade() -> None:
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('salt', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('digest', sa.String(length=64), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('chain', sa.String(length=64), nullable=False, server_default=''))
    _chain(op.get_bind())


def downgrade() -> None:
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_column('chain')
        batch_op.drop_column('digest')
        batch_op.drop_column('salt')


def _chain(connection: sa.Connection) -> None:
    chain, last = '0' * 64, 0
    while rows := connection.execute(sa.select(audit).with_only_columns(
        audit.c.id, audit.c.at, audit.c.by, audit.c.action, audit.c.subject, audit.c.detail
    ).where(audit.c.id > last).order_by(audit.c.id).limit(1000)).all():
        for row in rows:
            at = (row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)).astimezone(UTC)
            salt = secrets.token_hex(16)
            content = [salt, at.isoformat(timespec='microseconds'), row.by, row.action, row.subject, row.detail]
            digest = _sha256(json.dumps(content, sort_keys=True, separators=(',', ':')))
            chain, last = _sha256(chain + digest), row.id
            connection.execute(
                sa.update(audit).where(audit.c.id == row.id).values(salt=salt, digest=digest, chain=chain)
            )


def _sha256(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
