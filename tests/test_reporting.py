"""Sentry is told of an error's type and places, and of nothing else; OpenTelemetry of durations and kinds."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from staging import stage

from bot.journal import set_up
from bot.reporting import NotInstalled, reporter
from bot.services import conversation
from bot.tracing import tracing

__all__ = ["stage"]

DSN = "https://key@sentry.example/1"
WORDS, NAME = "zq-what-somebody-wrote", "zq-whoever-it-was"


class Captured(Transport):
    """Keeps the envelopes that Sentry's client would send."""

    sent: ClassVar[list[Envelope]]

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)


@pytest.fixture
def sentry(capsys: pytest.CaptureFixture) -> Iterator[type[Captured]]:
    """A journal that tells a captured Sentry as well."""

    class Mine(Captured):
        sent: ClassVar[list[Envelope]] = []

    set_up("json", "warning", reporter(DSN, Mine))
    yield Mine
    set_up("json", "warning")


def fails(text: str) -> None:
    name = NAME
    try:
        {}[text + name]
    except KeyError as error:
        raise RuntimeError(f"cannot take {text} of {name}") from error


def test_an_error_is_told_with_its_type_and_places_only(sentry: type[Captured]) -> None:
    structlog.get_logger().warning("before it", text=WORDS)
    try:
        fails(WORDS)
    except RuntimeError:
        structlog.get_logger().exception("it failed", text=WORDS)
    [envelope] = sentry.sent
    assert WORDS not in envelope.serialize().decode()
    assert NAME not in envelope.serialize().decode()
    event = envelope.get_event()
    assert set(event) <= {"event_id", "timestamp", "level", "platform", "release", "exception"}
    values = event["exception"]["values"]
    assert [one["type"] for one in values] == ["KeyError", "RuntimeError"]
    assert all(set(one) == {"type", "module", "stacktrace"} for one in values)
    frames = values[-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fails"
    assert all(set(frame) <= {"module", "function", "lineno"} for frame in frames)


def test_what_is_logged_without_an_error_is_not_told(sentry: type[Captured]) -> None:
    structlog.get_logger().error("something is wrong", why=WORDS)
    assert sentry.sent == []


def test_a_report_that_fails_costs_no_line_in_the_log(capsys: pytest.CaptureFixture) -> None:
    def broken(_error: BaseException) -> None:
        raise OSError

    set_up("json", "warning", broken)
    try:
        fails(WORDS)
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    set_up("json", "warning")
    assert json.loads(capsys.readouterr().err)["exception"].startswith("RuntimeError at test_reporting.py")


def test_without_a_dsn_nobody_is_told() -> None:
    assert reporter("") is None


def test_what_is_set_and_not_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(NotInstalled, match=r"pip install 'interlude\[sentry\]'"):
        reporter(DSN)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(NotInstalled, match=r"pip install 'interlude\[otel\]'"):
        tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


def test_what_is_no_dsn_says_so() -> None:
    with pytest.raises(NotInstalled, match="is no DSN") as refused:
        reporter("sentry.example/secret-key")
    assert "secret-key" not in str(refused.value)


@pytest.mark.parametrize("known", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}])
def test_without_an_endpoint_nothing_is_traced(known: dict[str, str]) -> None:
    assert tracing(known) is None


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """An OTLP collector of this machine's own; gives the bodies that came."""
    bodies: list[bytes] = []

    class Collect(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_given) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collect)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield bodies
    server.shutdown()
    serving.join()
    server.server_close()


async def test_updates_and_requests_are_traced_without_a_word_or_an_id(
    stage, collector: list[bytes], monkeypatch
) -> None:
    async def broken(*_given) -> None:
        raise RuntimeError(WORDS)

    await stage.restart()
    robin = await stage.participant(NAME)
    monkeypatch.setattr(conversation, "wrote", broken)
    await stage.telegram.say(robin, WORDS)
    await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=15)
    await stage.serving.aclose()
    spans = [
        span
        for body in collector
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    told = {(span.name, one.key, one.value.string_value) for span in spans for one in span.attributes}
    assert ("update", "interlude.update.kind", "message") in told
    assert ("update", "error.type", "RuntimeError") in told
    assert ("telegram", "rpc.method", "sendMessage") in told
    assert {name for _, name, _ in told} == {"interlude.update.kind", "rpc.method", "error.type"}
    assert not any(span.events or span.status.message for span in spans)
    everything = b"".join(collector).lower()
    for secret in (WORDS, NAME, str(robin), stage.settings.token.get_secret_value()):
        assert secret.lower().encode() not in everything
