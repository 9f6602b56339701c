"""Traces by OpenTelemetry, for who sets an OTLP endpoint: how long updates and requests to Telegram take.

A span holds the kind of update or the name of the method, and the type of an error; nobody's id and no words.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import TelegramObject, Update

from bot.reporting import NotInstalled
from bot.telegram.bot import QuickBot

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NAME = "interlude"


class Tracing:
    """Traces what it is put into, until it is ended."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)

    def follow(self, bot: QuickBot, dispatcher: Dispatcher) -> None:
        """Trace what this bot asks of Telegram, and the updates that are handled."""
        bot.session.middleware(_Requests(self._tracer))
        bot.traced = partial(_request, self._tracer)
        dispatcher.update.outer_middleware(_Updates(self._tracer))

    def end(self) -> None:
        """Send what waits; takes some seconds at most, in which it blocks."""
        self._provider.shutdown()


def tracing(environment: Mapping[str, str]) -> Tracing | None:
    """Return tracing as OpenTelemetry's own variables say, None without an endpoint. Raises NotInstalled."""
    wanted = any(environment.get(name) for name in ENDPOINTS)
    if not wanted or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise NotInstalled(
            "an OTEL_EXPORTER_OTLP_ENDPOINT is set and OpenTelemetry is not installed: pip install 'interlude[otel]'"
        ) from None
    named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": NAME}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


class _Updates(BaseMiddleware):
    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:  # noqa: ANN401 - aiogram's own signature
        kind = event.event_type if isinstance(event, Update) else ""
        with _span(self._tracer, "update", "interlude.update.kind", kind):
            return await handler(event, data)


class _Requests(BaseRequestMiddleware):
    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Response[TelegramType]:
        if method.__api_method__ == "getUpdates":  # it waits for half a minute on purpose
            return await make_request(bot, method)
        with _request(self._tracer, method.__api_method__):
            return await make_request(bot, method)


def _request(tracer: "Tracer", method: str) -> AbstractContextManager[None]:
    return _span(tracer, "telegram", "rpc.method", method)


@contextmanager
def _span(tracer: "Tracer", name: str, attribute: str, value: str) -> Iterator[None]:
    """Open a span; an error leaves its type in it, where OpenTelemetry by itself would leave its words."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        span.set_attribute(attribute, value)
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
