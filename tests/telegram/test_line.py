"""What comes over a line is the whole answer to what was asked, or an error; only a sound connection serves again."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bot.telegram import line
from bot.telegram.line import Broken, Line

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Gives each request the next of its answers; one that is None hangs up instead. Counts connections."""

    def __init__(self, *answers: bytes | None, hangs_up: bool = False) -> None:
        self.answers = list(answers)
        self.hangs_up = hangs_up
        self.connections = 0
        self.asked: list[bytes] = []
        self._open: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.append(writer)
        while self.answers and (head := await self._head(reader)):
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self.asked.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0)
            if answer is None:
                break
            writer.write(answer)
            if self.hangs_up:
                break
        if self.answers or self.hangs_up:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return b""

    def leave(self) -> None:
        for writer in self._open:
            writer.close()


@asynccontextmanager
async def to(server: Server, *, path: str = "") -> AsyncIterator[Line]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    made = Line(f"http://robin:a%20word@127.0.0.1:{listening.sockets[0].getsockname()[1]}{path}")
    try:
        yield made
    finally:
        made.hang_up()
        server.leave()
        listening.close()
        await asyncio.sleep(0)


async def ask(made: Line, seconds: float = 5) -> tuple[int, bytes]:
    return await made.post("/bot/sendMessage", b"{}", seconds=seconds)


async def test_one_connection_serves_again_and_again() -> None:
    server = Server(OK, OK, OK)
    async with to(server) as made:
        assert [await ask(made) for _ in range(3)] == [(200, b"{}")] * 3
    assert server.connections == 1
    assert server.asked[0].startswith(b"POST /bot/sendMessage HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Basic cm9iaW46YSB3b3Jk\r\n" in server.asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
async def test_an_answer_is_taken_as_a_whole_however_it_is_told(answer: bytes) -> None:
    async with to(Server(answer, OK)) as made:
        assert [await ask(made), await ask(made)] == [(200, b"{}"), (200, b"{}")]


async def test_an_answer_may_end_with_the_connection() -> None:
    async with to(Server(b"HTTP/1.0 429 Slow\r\n\r\n{}", OK, hangs_up=True)) as made:
        assert [await ask(made), await ask(made)] == [(429, b"{}"), (200, b"{}")]


@pytest.mark.parametrize("answer", [None, b"SSH-2.0-nothing\r\n"])
async def test_what_is_no_answer_is_an_error_and_the_next_goes_over_another_connection(answer: bytes | None) -> None:
    server = Server(answer, OK)
    async with to(server) as made:
        with pytest.raises(Broken):
            await ask(made)
        assert await ask(made) == (200, b"{}")
    assert server.connections == 2


@pytest.mark.parametrize("answer", [OK + OK, OK + OK[:20], OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")])
async def test_a_connection_that_says_more_than_was_asked_or_closes_is_not_used_again(answer: bytes) -> None:
    server = Server(answer, OK)
    async with to(server) as made:
        assert [await ask(made), await ask(made)] == [(200, b"{}"), (200, b"{}")]
    assert server.connections == 2


async def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    server = Server(b"HTTP/1.1 200 OK\r\n", OK)
    async with to(server) as made:
        with pytest.raises(TimeoutError):
            await ask(made, seconds=0.1)
        assert not made._resting
        assert await ask(made) == (200, b"{}")
    assert server.connections == 2


async def test_a_connection_that_rested_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(OK, OK)
    async with to(server) as made:
        await ask(made)
        monkeypatch.setattr(line, "RESTS_AT_MOST", -1.0)
        await ask(made)
    assert server.connections == 2


async def test_nobody_there_is_an_error() -> None:
    with pytest.raises(OSError, match="9"):
        await ask(Line("http://127.0.0.1:9"))


def loops() -> list[Callable[[], asyncio.AbstractEventLoop] | None]:
    if sys.platform == "win32":
        return [None]
    import uvloop

    return [None, uvloop.new_event_loop]


@pytest.mark.parametrize("factory", loops())
def test_it_works_on_either_event_loop(factory) -> None:
    async def talk() -> None:
        server = Server(OK, None, OK)
        async with to(server) as made:
            assert await ask(made) == (200, b"{}")
            with pytest.raises(Broken):
                await ask(made)
            assert await ask(made) == (200, b"{}")

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(talk())
