"""Errors told to Sentry, for who sets INTERLUDE_SENTRY_DSN: the type and the places, and nothing of what was said.

An event is made anew of what is allowed: Sentry's own would hold messages, variables, requests and host names.
"""

import atexit
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentry_sdk.transport import Transport

Report = Callable[[BaseException], None]
"""Tells somebody of an error."""

OF_A_FRAME = ("module", "function", "lineno")
OF_AN_EVENT = ("event_id", "timestamp", "level", "platform", "release")

LAST_WORDS = 2.0
"""Seconds that the end of the process waits for what is still to be told."""


class NotInstalled(Exception):
    """A setting asks for what is not here, or cannot be. The message says what to do."""


def reporter(dsn: str, transport: "type[Transport] | None" = None) -> Report | None:
    """Return what tells Sentry of errors, None without a DSN. Raises NotInstalled, also for what is no DSN."""
    if not dsn:
        return None
    try:
        import sentry_sdk  # noqa: PLC0415 - only for who asks for it
    except ImportError:
        raise NotInstalled(
            "INTERLUDE_SENTRY_DSN is set and sentry-sdk is not installed: pip install 'interlude[sentry]'"
        ) from None
    try:
        client = sentry_sdk.Client(
            dsn=dsn,
            transport=transport,
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            server_name="",
            release=f"interlude@{version('interlude')}",
            before_send=lambda event, _hint: scrubbed(event),
        )
    except sentry_sdk.utils.BadDsn:
        raise NotInstalled("INTERLUDE_SENTRY_DSN is no DSN: it looks like https://KEY@HOST/NUMBER") from None

    atexit.register(client.close, timeout=LAST_WORDS)

    def report(error: BaseException) -> None:
        event, hint = sentry_sdk.utils.event_from_exception(error, client_options=client.options)
        client.capture_event(event, hint)

    return report


def scrubbed(event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - Sentry's own type of an event
    """Return an event with nothing but the types of its exceptions and where they were raised."""
    kept = {name: event[name] for name in OF_AN_EVENT if name in event}
    values = (event.get("exception") or {}).get("values") or []
    return {**kept, "exception": {"values": [_exception(one) for one in values]}}


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames") or []
    places = [{name: frame[name] for name in OF_A_FRAME if name in frame} for frame in frames]
    return {"type": value.get("type"), "module": value.get("module"), "stacktrace": {"frames": places}}
