"""The database itself refuses to change or remove what happened to a case, but for what erasing and new keys need.

An event goes when its case does, and never by itself: the case's row takes its events along. Nor does a row written
over an older one (SQLite's REPLACE, which removes without asking the triggers) change either history.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

FOREIGN_KEY = 'fk_case_events_case_id'

# What, when, by whom and to which case stays. A note is at most sealed anew, which begins with the id of another key;
# who did it and who was alerted are at most left out, since the person was erased.
LEAVES_OUT = """
    NEW.id = OLD.id AND NEW.case_id = OLD.case_id AND NEW.kind = OLD.kind AND NEW.at = OLD.at AND NEW.key = OLD.key
    AND (NEW."by" IS NULL OR NEW."by" = OLD."by")
    AND (
        (NEW.note_sealed IS NULL AND OLD.note_sealed IS NULL) OR NEW.note_sealed = OLD.note_sealed
        OR substr(NEW.note_sealed, 1, 4) <> substr(OLD.note_sealed, 1, 4)
    )
    AND ({same} OR ({but_for_whom} AND {nobody}))
"""

SQLITE = (
    """
    CREATE TRIGGER history_keeps_events BEFORE DELETE ON case_events
    WHEN EXISTS (SELECT 1 FROM cases WHERE id = OLD.case_id)
    BEGIN SELECT RAISE(ABORT, 'the history of a case is only added to'); END
    """,
    """
    CREATE TRIGGER history_keeps_words BEFORE UPDATE ON case_events WHEN NOT COALESCE((%s), 0)
    BEGIN SELECT RAISE(ABORT, 'the history of a case is only added to'); END
    """ % LEAVES_OUT.format(
        same="json(NEW.detail) = json(OLD.detail)",
        but_for_whom="json_remove(NEW.detail, '$.to') = json_remove(OLD.detail, '$.to')",
        nobody="json_extract(NEW.detail, '$.to') = '0' AND json_extract(OLD.detail, '$.to') IS NOT NULL",
    ),
    """
    CREATE TRIGGER history_keeps_places BEFORE INSERT ON case_events
    WHEN EXISTS (SELECT 1 FROM case_events WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the history of a case is only added to'); END
    """,
    """
    CREATE TRIGGER audit_keeps_places BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END
    """,
)
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION public.history_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF NOT EXISTS (SELECT FROM public.cases WHERE id = OLD.case_id) THEN RETURN OLD; END IF;
        END IF;
        RAISE EXCEPTION 'the history of a case is only added to';
    END $$
    """,
    """
    CREATE TRIGGER history_keeps_events BEFORE DELETE ON case_events
    FOR EACH ROW EXECUTE FUNCTION public.history_refuses()
    """,
    """
    CREATE TRIGGER history_keeps_all BEFORE TRUNCATE ON case_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.history_refuses()
    """,
    """
    CREATE TRIGGER history_keeps_words BEFORE UPDATE ON case_events
    FOR EACH ROW WHEN (NOT COALESCE((%s), false)) EXECUTE FUNCTION public.history_refuses()
    """ % LEAVES_OUT.format(
        same="NEW.detail::jsonb = OLD.detail::jsonb",
        but_for_whom="NEW.detail::jsonb - 'to' = OLD.detail::jsonb - 'to'",
        nobody="NEW.detail->>'to' = '0' AND OLD.detail->>'to' IS NOT NULL",
    ),
)


def upgrade() -> None:
    _take_along('CASCADE')
    connection = op.get_bind()
    for statement in POSTGRESQL if connection.dialect.name == 'postgresql' else SQLITE:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == 'postgresql':
        connection.exec_driver_sql('DROP FUNCTION public.history_refuses() CASCADE')
    else:
        connection.exec_driver_sql('DROP TRIGGER audit_keeps_places')
        for name in ('history_keeps_events', 'history_keeps_words', 'history_keeps_places'):
            connection.exec_driver_sql(f'DROP TRIGGER {name}')
    _take_along(None)


def _take_along(how: str | None) -> None:
    """Let a case's row take its events along, or not. SQLite makes the table anew, with all its rows."""
    with op.batch_alter_table('case_events') as table:
        table.drop_constraint(FOREIGN_KEY, type_='foreignkey')
        table.create_foreign_key(FOREIGN_KEY, 'cases', ['case_id'], ['id'], ondelete=how)
