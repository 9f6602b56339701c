"""Logging: structured lines that hold only fields from an allow-list, so that nothing a person wrote can slip in."""

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED = frozenset(
    {
        "attempts",
        "changed",
        "database",
        "event",
        "exception",
        "findings",
        "job",
        "level",
        "library",
        "outbox_id",
        "page_id",
        "picture",
        "seconds",
        "timestamp",
        "unreachable",
        "update_id",
        "why",
    }
)
log = structlog.get_logger()

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(
    form: Literal["text", "json"],
    level: Literal["debug", "info", "warning", "error"],
    report: Callable[[BaseException], None] | None = None,
) -> None:
    """Have everything logged go through the allow-list to standard error; of errors `report` is told as well."""
    render: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            partial(_where_it_failed, report),
            _only_allowed,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is then: tests and servers replace it
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    for chatty in ("aiogram", "uvicorn", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    for doubled in ("aiogram.event", "aiogram.dispatcher", "apscheduler"):  # the jobs log what fails themselves
        logging.getLogger(doubled).setLevel(logging.CRITICAL)


def guard_crashes() -> None:
    """Have what nothing else catches told as everything else is: Python itself would print whole messages."""

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("Interlude failed", exc_info=error)

    sys.excepthook = crashed
    threading.excepthook = lambda given: log.error("a thread failed", exc_info=given.exc_value)
    sys.unraisablehook = lambda given: log.error(
        "something failed where nobody can see to it", exc_info=given.exc_value
    )


class _Libraries(logging.Handler):
    """Tells that a library logged something, and where: its words may quote an exception, and that a person."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line by the allow-list."""
        error = record.exc_info[1] if record.exc_info else None
        where = f"{record.filename}:{record.lineno} {record.funcName}"
        log.log(record.levelno, "a library tells of something", library=record.name, why=where, exc_info=error)


def _where_it_failed(
    report: Callable[[BaseException], None] | None, _: WrappedLogger, __: str, event: EventDict
) -> EventDict:
    """Keep of an exception its type and where it was raised; its message may quote a person."""
    if given := event.pop("exc_info", None):
        error = given if isinstance(given, BaseException) else sys.exc_info()[1]
        if error and report:
            with contextlib.suppress(Exception):  # a line in the log is worth more than a report
                report(error)
        event["exception"] = f"{type(error).__name__ if error else '?'} at {_places(error)}"
    return event


def _places(error: BaseException | None) -> str:
    """Return where an exception was raised and by whom that was called, the last six places."""
    frames = traceback.walk_tb(error.__traceback__ if error else None)
    places = [f"{frame.f_code.co_filename.rpartition('/')[2]}:{line} {frame.f_code.co_name}" for frame, line in frames]
    return " < ".join(reversed(places[-6:]))


def _only_allowed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in ALLOWED}
