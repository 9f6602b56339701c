"""Addresses that Apprise knows, of e-mail, SMS, pagers and the like: read, shown without secrets, and written to."""

import logging
import threading
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from apprise import NotifyBase

Failure = Literal["unknown-host", "not-reached", "login", "certificate", "too-slow", "not-accepted", "bad-address"]

EXAMPLE = "mailtos://USER:PASSWORD@mail.example.org?to=quill@example.org"
GUIDE = "docs/CHANNELS.md has an example for each service"

_SIGNS: tuple[tuple[Failure, tuple[str, ...]], ...] = (
    ("unknown-host", ("name or service not known", "nodename nor servname", "name resolution", "getaddrinfo")),
    ("certificate", ("certificate", "ssl:", "starttls extension")),
    ("login", ("authentication", "(535", "(530", "unauthorized", "error=401", "error=403", "(401", "(403")),
    ("too-slow", ("timed out", "timeout")),
    ("not-reached", ("connection refused", "unreachable", "connection reset", "connection unexpectedly closed")),
)
"""What stands in Apprise's own lines, in small letters, when something fails."""


class BadAddress(ValueError):
    """An address that can't be used. The message says what to do, and holds nothing of what is secret in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A sound address: the `kind` of service it is for, and as it may be `shown`."""

    kind: str
    shown: str


class _Heard(logging.Handler):
    """Keeps what Apprise says in this thread, to tell why something failed; it goes nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, when somebody listens in this thread."""
        lines: list[str] | None = getattr(self.here, "lines", None)
        if lines is not None and (record.levelno >= logging.WARNING or "Exception: " in record.getMessage()):
            lines.append(record.getMessage().lower())


_heard = _Heard()


def read(address: str) -> Address:
    """Return what an address is for and how it is shown. Raises BadAddress."""
    service = _service(address)
    if service is None:
        raise BadAddress(_what_is_wrong(address))
    if len(service) > 1 or getattr(service, "cc", None) or getattr(service, "bcc", None):
        raise BadAddress(
            "this address writes to more than one: add a channel for each, so that each is tried by itself"
        )
    return Address(kind=_kind(address), shown=_shown(service))


def send(address: str, title: str, body: str) -> Failure | None:
    """Send a text, and return why it failed, None when it was accepted. Blocks for as long as the server takes."""
    lines: list[str] = []
    try:
        service = _service(address)
        if service is None:
            return "bad-address"
        _heard.here.lines = lines
        from apprise import NotifyFormat, NotifyType  # noqa: PLC0415

        accepted = service.notify(title=title, body=body, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT)
        return None if accepted else _why(lines)
    except Exception as error:  # noqa: BLE001 - a service may raise anything, and its words may hold the address
        return _why([*lines, f"{type(error).__name__}: {error}".lower()])
    finally:
        _heard.here.lines = None


def _why(lines: list[str]) -> Failure:
    said = "\n".join(lines)
    return next((failure for failure, signs in _SIGNS if any(sign in said for sign in signs)), "not-accepted")


def _service(address: str) -> "NotifyBase | None":
    """Return the service of an address, None when Apprise does not take it. Loads Apprise: half a second, 40 MB."""
    _hush()
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - heavy, and only for who has channels

    asset = AppriseAsset(app_id="Interlude", app_desc="Interlude", app_url="", storage_mode="memory")
    return Apprise.instantiate(address.strip(), asset=asset)


def _hush() -> None:
    """Keep what Apprise and its HTTP client log to ourselves: it may hold addresses."""
    own = logging.getLogger("apprise")
    own.addHandler(_heard)
    own.propagate = False
    own.setLevel(logging.DEBUG)
    for library in ("urllib3", "requests"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _kind(address: str) -> str:
    return address.partition("://")[0].strip().lower()


def _shown(service: "NotifyBase") -> str:
    """Return the service's name, and of whom it reaches only enough to know them by."""
    targets = getattr(service, "targets", None) or ()
    last = next(iter(targets), None)
    target = last[-1] if isinstance(last, tuple) else last
    name = str(service.service_name)
    return f"{name} ({_masked(target)})" if isinstance(target, str) and target else name


def _masked(target: str) -> str:
    name, at, host = target.rpartition("@")
    return f"{name[:1]}…@{host}" if at else f"…{target[-2:]}"


def _what_is_wrong(address: str) -> str:
    """Say what to do about an address that Apprise does not take; only the service's name stands in it."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415

    kind = _kind(address)
    known = NotificationManager()  # type: ignore[no-untyped-call]
    if "://" not in address:
        return f"an address begins with the service's name and ://, like {EXAMPLE}; {GUIDE}"
    if kind not in known:
        names = known.schemas()  # type: ignore[no-untyped-call]
        meant = get_close_matches(kind, [name for name in names if name], n=1)
        hint = f"did you mean {meant[0]}://?" if meant else GUIDE
        return f"Apprise knows no service {kind}://; {hint}"
    service = known[kind]
    if not service.enabled:
        return f"{service.service_name} does not work on this machine: it needs something that is not installed"
    forms = " or ".join(form.replace("{schema}", kind) for form in service.templates[:3])
    return (
        f"this is no whole address for {service.service_name}: it looks like {forms}. "
        f"Signs such as @ : / # in a password are written as %40 %3A %2F %23; {GUIDE}"
    )
