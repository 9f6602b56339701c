"""The database itself refuses to change or remove lines of the audit trail, but for what an erasure takes out.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

# Id, digest and chain stay, the salt goes, and besides: a line of what the person did keeps nothing of it; any other
# loses at most who it was about and who did it, and gains at most the role of who did it.
ERASES = """
    NEW.id = OLD.id AND NEW.digest = OLD.digest AND NEW.chain = OLD.chain AND NEW.salt IS NULL AND (
        (NEW.action = 'erased' AND NEW.by IS NULL AND NEW.subject = '' AND {nothing})
        OR (
            NEW.at = OLD.at AND NEW.action = OLD.action AND NEW.subject IN (OLD.subject, 'erased')
            AND (NEW.by IS NULL OR NEW.by = OLD.by) AND {same}
        )
    )
"""

SQLITE = (
    """
    CREATE TRIGGER audit_keeps_lines BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END
    """,
    """
    CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit WHEN NOT COALESCE((%s), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END
    """ % ERASES.replace('.by', '."by"').format(
        nothing="json(NEW.detail) = '{}'",
        same="json_remove(NEW.detail, '$.erased') = json_remove(OLD.detail, '$.erased')",
    ),
)
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION public.audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$
    """,
    'CREATE TRIGGER audit_keeps_lines BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION public.audit_refuses()',
    'CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuses()',
    """
    CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit FOR EACH ROW WHEN (NOT COALESCE((%s), false))
    EXECUTE FUNCTION public.audit_refuses()
    """ % ERASES.replace('.by', '."by"').format(
        nothing="NEW.detail::text = '{}'",
        same="NEW.detail::jsonb - 'erased' = OLD.detail::jsonb - 'erased'",
    ),
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in POSTGRESQL if connection.dialect.name == 'postgresql' else SQLITE:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == 'postgresql':
        connection.exec_driver_sql('DROP FUNCTION public.audit_refuses() CASCADE')
        return
    for name in ('audit_keeps_lines', 'audit_keeps_words'):
        connection.exec_driver_sql(f'DROP TRIGGER {name}')
