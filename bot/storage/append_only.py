"""The triggers by which the database itself keeps what is only ever added to: the audit trail and the history of cases.

The migrations 0005 and 0007 make them.
"""

from sqlalchemy import Connection

AUDIT_REFUSES = """
CREATE OR REPLACE FUNCTION public.audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$
"""
HISTORY_REFUSES = """
CREATE OR REPLACE FUNCTION public.history_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM public.cases WHERE id = OLD.case_id) THEN RETURN OLD; END IF;
    END IF;
    RAISE EXCEPTION 'the history of a case is only added to';
END $$
"""
REFUSES = (AUDIT_REFUSES, HISTORY_REFUSES)
"""What PostgreSQL's triggers call. It is not among the tables of a backup, so that a restore makes it first."""

_GUARDS = {
    "sqlite": {
        "audit": {"audit_keeps_lines", "audit_keeps_words", "audit_keeps_places"},
        "case_events": {"history_keeps_events", "history_keeps_words", "history_keeps_places"},
    },
    "postgresql": {
        "audit": {"audit_keeps_lines", "audit_keeps_words", "audit_keeps_all"},
        "case_events": {"history_keeps_events", "history_keeps_words", "history_keeps_all"},
    },
}

_STANDING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('{table}') AND tgenabled <> 'D'",
}


def unguarded(connection: Connection) -> list[str]:
    """Return in words which triggers are gone or switched off."""
    kind = connection.dialect.name
    return [
        f"the trigger {name} on the table {table} is missing"
        for table, wanted in _GUARDS[kind].items()
        for name in sorted(wanted - _standing(connection, table))
    ]


def _standing(connection: Connection, table: str) -> set[str]:
    query = _STANDING[connection.dialect.name].format(table=table)
    return {row[0] for row in connection.exec_driver_sql(query)}
