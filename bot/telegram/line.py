"""A line to Telegram: JSON posted over connections that are kept open, for a quarter of what a general client takes."""

import asyncio
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit

import certifi
import httptools
from aiohappyeyeballs import start_connection

RESTS_AT_MOST = 15.0
"""Seconds of rest after which a connection is not used again: the other end may be about to close it."""

NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which a server's next address is tried as well."""

_JSON = "Content-Type: application/json\r\n"


class Broken(OSError):
    """The connection ended, or what came was no HTTP, before the answer was there."""


class Line:
    """Posts to one server. Connections are opened as they are needed; the one used last is used next."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        secure = address.scheme == "https"
        self._tls = ssl.create_default_context(cafile=certifi.where()) if secure else None
        self._host = address.hostname or ""
        self._port = address.port or (443 if secure else 80)
        self._head = f"HTTP/1.1\r\nHost: {address.netloc.rpartition('@')[2]}\r\n{_known_as(address)}"
        self._resting: list[_Connection] = []

    async def post(self, path: str, body: bytes, *, seconds: float) -> tuple[int, bytes]:
        """Post JSON to a path; return the status and the body of the answer.

        Raises OSError: TimeoutError after so many seconds, Broken when the server hung up.
        """
        request = f"POST {path} {self._head}{_JSON}Content-Length: {len(body)}\r\n\r\n".encode() + body
        async with asyncio.timeout(seconds):
            connection = self._rested() or await self._connected()
            try:
                return await connection.ask(request)
            finally:
                self._lay_down(connection)

    def hang_up(self) -> None:
        """Close the connections that rest."""
        while self._resting:
            self._resting.pop().hang_up()

    def _rested(self) -> "_Connection | None":
        latest = asyncio.get_running_loop().time() - RESTS_AT_MOST
        while self._resting:
            connection = self._resting.pop()
            if connection.at_rest and connection.since > latest:
                return connection
            connection.hang_up()
        return None

    async def _connected(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        opened = await start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS_AFTER, interleave=1)
        try:
            name = self._host if self._tls else None
            _, connection = await loop.create_connection(_Connection, sock=opened, ssl=self._tls, server_hostname=name)
        except BaseException:
            opened.close()
            raise
        return connection

    def _lay_down(self, connection: "_Connection") -> None:
        """Keep a connection for the next; one that is in the middle of something says nothing more that is wanted."""
        if connection.at_rest:
            self._resting.append(connection)
        else:
            connection.hang_up()


class _Connection(asyncio.Protocol):
    """One connection, which is asked one thing at a time. `since` says from when on it was at rest."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []
        self._begun = False
        self.at_rest = False
        self.since = 0.0

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of what is answered. Raises Broken."""
        self.at_rest, self._begun, self._body = False, False, []
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def hang_up(self) -> None:
        """End the connection."""
        self.at_rest = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read what came; what nobody asked for ends the connection."""
        with suppress(httptools.HttpParserError):
            if not self.at_rest:
                self._parser.feed_data(data)
                return
        self.hang_up()
        self._fail()

    def connection_lost(self, error: Exception | None) -> None:
        """Take what came for the whole when the answer had begun: some end by this alone, and no half JSON is JSON."""
        self.at_rest = False
        if self._begun and error is None:
            self._finish()
        self._fail()

    def on_message_begin(self) -> None:
        """Be in the middle of something, asked or not."""
        self.at_rest = False

    def on_headers_complete(self) -> None:
        """Know that an answer has begun."""
        self._begun = self._parser.get_status_code() >= 200

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Hand over the answer, and rest."""
        if not self._begun:
            return
        if self._answer is None:
            raise Broken
        self.at_rest = self._parser.should_keep_alive()
        self.since = asyncio.get_running_loop().time()
        self._finish()

    def _finish(self) -> None:
        answer, self._answer = self._answer, None
        if answer and not answer.done():
            answer.set_result((self._parser.get_status_code(), b"".join(self._body)))

    def _fail(self) -> None:
        answer, self._answer = self._answer, None
        if answer and not answer.done():
            answer.set_exception(Broken())


def _known_as(address: SplitResult) -> str:
    """Return the header that says who asks, for a server whose address names that."""
    if not address.username:
        return ""
    who = f"{unquote(address.username)}:{unquote(address.password or '')}"
    return f"Authorization: Basic {b64encode(who.encode()).decode()}\r\n"
