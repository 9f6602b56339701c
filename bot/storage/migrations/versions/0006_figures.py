"""What the figures of /metrics are counted from is found by an index.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_inbox_set_aside", "inbox", ["set_aside_at"], sqlite_where=sa.text("set_aside_at IS NOT NULL"), postgresql_where=sa.text("set_aside_at IS NOT NULL"))
    op.create_index("ix_outbox_settled", "outbox", ["settled_at", "state"], sqlite_where=sa.text("settled_at IS NOT NULL"), postgresql_where=sa.text("settled_at IS NOT NULL"))
    op.create_index("ix_pages_settled", "pages", ["settled_at", "state"], sqlite_where=sa.text("settled_at IS NOT NULL"), postgresql_where=sa.text("settled_at IS NOT NULL"))
    op.create_index("ix_prompts_figures", "prompts", ["due_at", "status", "member_id"])
    op.create_index("ix_case_events_at", "case_events", ["at"])


def downgrade() -> None:
    op.drop_index("ix_case_events_at", "case_events")
    op.drop_index("ix_prompts_figures", "prompts")
    op.drop_index("ix_pages_settled", "pages")
    op.drop_index("ix_outbox_settled", "outbox")
    op.drop_index("ix_inbox_set_aside", "inbox")
