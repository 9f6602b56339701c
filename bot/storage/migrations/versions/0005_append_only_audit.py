"""The database itself lets nobody change or remove a line of the audit trail, except as an erasure does.

An erasure takes a line's salt away and what it says about a person; digest and chain stay.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

SAID = 'the audit trail is only added to'
CHANGED = (
    'NEW.salt IS NOT NULL OR NEW.id <> OLD.id OR NEW.digest <> OLD.digest OR NEW.chain <> OLD.chain'
)


def upgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(
            f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit WHEN {CHANGED} "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
        op.execute(f"CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{SAID}'); END")
        return
    op.execute(
        f"CREATE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{SAID}'; END $$"
    )
    for name, when in (
        ('audit_unchanged', f'BEFORE UPDATE ON audit FOR EACH ROW WHEN ({CHANGED})'),
        ('audit_kept', 'BEFORE DELETE ON audit FOR EACH ROW'),
        ('audit_not_emptied', 'BEFORE TRUNCATE ON audit FOR EACH STATEMENT'),
    ):
        op.execute(f'CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit_only_added()')


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        for name in ('audit_unchanged', 'audit_kept'):
            op.execute(f'DROP TRIGGER {name}')
        return
    op.execute('DROP FUNCTION audit_only_added() CASCADE')
