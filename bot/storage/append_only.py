"""The triggers by which the database itself keeps the audit trail as it is; the migration 0005 makes them."""

from sqlalchemy import Connection

REFUSES = """
CREATE OR REPLACE FUNCTION public.audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$
"""
"""What PostgreSQL's triggers call. It is not among the tables of a backup, so that a restore makes it first."""

_GUARDS = {"sqlite": {"audit_keeps_lines", "audit_keeps_words"}}
_GUARDS["postgresql"] = {*_GUARDS["sqlite"], "audit_keeps_all"}

_STANDING = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('audit') AND tgenabled <> 'D'",
}


def unguarded(connection: Connection) -> list[str]:
    """Return in words which triggers are gone or switched off."""
    kind = connection.dialect.name
    standing = {row[0] for row in connection.exec_driver_sql(_STANDING[kind])}
    return [f"the trigger {name} on the table audit is missing" for name in sorted(_GUARDS[kind] - standing)]
