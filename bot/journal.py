"""Logging: structured lines that hold only fields from an allow-list, so that nothing a person wrote can slip in."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED = frozenset(
    {
        "address",
        "attempts",
        "changed",
        "database",
        "event",
        "exception",
        "findings",
        "job",
        "level",
        "outbox_id",
        "page_id",
        "seconds",
        "timestamp",
        "unreachable",
        "update_id",
        "why",
    }
)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(form: Literal["text", "json"], level: Literal["debug", "info", "warning", "error"]) -> None:
    """Have everything logged go through the allow-list to standard error."""
    render: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_failed,
            _only_allowed,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is then: tests and servers replace it
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    for chatty in ("aiogram", "uvicorn", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    # These put whole exceptions, and with them what people wrote, into their lines; the jobs log what fails themselves.
    for telling in ("aiogram.event", "aiogram.dispatcher", "apscheduler"):
        logging.getLogger(telling).setLevel(logging.CRITICAL)


def _where_it_failed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep of an exception its type and where it was raised; its message may quote a person."""
    if not event.pop("exc_info", None):
        return event
    kind, _error, trace = sys.exc_info()
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    event["exception"] = f"{kind.__name__ if kind else '?'} at {' < '.join(reversed(places[-6:]))}"
    return event


def _only_allowed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in ALLOWED}
