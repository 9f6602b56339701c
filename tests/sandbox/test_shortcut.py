"""Whichever way a request comes, whole, in pieces, in chunks or two at once, it is answered alike."""

import asyncio
import json
import re
from urllib.parse import urlsplit

import pytest

from bot.sandbox import Sandbox, SandboxClient

BODY = json.dumps({"chat_id": 1, "text": "Hello", "disable_notification": True}).encode()


def request(body: bytes = BODY, *headers: str, method: str = "sendMessage", token: str = "4242:test") -> bytes:
    asked = f"POST /bot{token}/{method} HTTP/1.1"
    head = [asked, "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def chunked(body: bytes = BODY) -> bytes:
    head = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


async def answers(sandbox: Sandbox, pieces: list[bytes], count: int) -> list[tuple[int, dict]]:
    """Send pieces on one connection, and return so many answers: the status and what is said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(sandbox.url).port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            return [await answer(reader) for _ in range(count)]
    finally:
        writer.close()
        await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


WHOLE = request()
WAYS = {
    "whole": [WHOLE],
    "head and body": [WHOLE[: -len(BODY)], BODY],
    "cut within the head": [WHOLE[:30], WHOLE[30:]],
    "cut within the body": [WHOLE[:-5], WHOLE[-5:]],
    "chunked": [chunked()],
    "with a query": [WHOLE.replace(b"/sendMessage", b"/sendMessage?protect_content=1")],
    "to be closed": [request(BODY, "Connection: close")],
}


@pytest.fixture
async def robin(telegram: SandboxClient) -> None:
    await telegram.add_crowd(1, 1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_is_answered_alike_however_it_comes(way: str, sandbox: Sandbox, robin: None) -> None:
    ((status, said),) = await answers(sandbox, WAYS[way], 1)
    assert (status, said["ok"], said["result"]["text"]) == (200, True, "Hello")


async def test_requests_on_one_connection_are_answered_in_their_order_by_either_way(
    sandbox: Sandbox, robin: None
) -> None:
    numbered = [json.dumps({"chat_id": 1, "text": str(number)}).encode() for number in range(5)]
    one_after_another = [request(numbered[0]), chunked(numbered[1]), request(numbered[2])]
    at_once = [request(numbered[3]) + request(numbered[4])]
    found = await answers(sandbox, one_after_another, 3) + await answers(sandbox, at_once, 2)
    assert [said["result"]["text"] for _, said in found] == ["0", "1", "2", "3", "4"]


async def test_what_comes_while_a_slow_answer_is_awaited_waits_for_its_turn(
    sandbox: Sandbox, telegram: SandboxClient, robin: None
) -> None:
    await telegram.fault("slow", "sendMessage", seconds=0.2)
    other = json.dumps({"chat_id": 1, "text": "Later"}).encode()
    found = await answers(sandbox, [WHOLE, request(other)], 2)
    assert [said["result"]["text"] for _, said in found] == ["Hello", "Later"]


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        (request(b"[1]"), 400, "can't parse parameters"),
        (request(b"{"), 400, "can't parse parameters"),
        (request(token="4242:other"), 401, "Unauthorized"),
        (request(token="other"), 404, "Not Found"),
        (request(method="sendNothing"), 404, "method not found"),
    ],
)
async def test_what_is_wrong_is_refused_as_telegram_refuses_it(
    asked: bytes, status: int, why: str, sandbox: Sandbox, robin: None
) -> None:
    ((found, said),) = await answers(sandbox, [asked], 1)
    assert (found, said["ok"], said["error_code"]) == (status, False, status)
    assert why in said["description"]


async def test_a_connection_that_is_to_break_off_does(sandbox: Sandbox, telegram: SandboxClient, robin: None) -> None:
    await telegram.fault("reset", "sendMessage")
    with pytest.raises(asyncio.IncompleteReadError):
        await answers(sandbox, [WHOLE], 1)
