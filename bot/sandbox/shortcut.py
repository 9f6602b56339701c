"""A short way for what bots ask most: a request that comes in one piece, with JSON, on a connection that is at rest."""

import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from bot.sandbox.botapi import BotApi, Cut

_ASKED = re.compile(rb"POST /bot([^/?\s]+)/(\w+) HTTP/1\.1\r\n")
_RESTING = {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}
_NOT_PLAIN = (b"\r\ntransfer-encoding:", b"\r\nexpect:", b"\r\nconnection: close")


class ShortCut(H11Protocol):
    """uvicorn's protocol, which parses with h11 and calls the application; but for such requests, at a third of the
    time: under load it is Interlude that is to be measured, not what stands in for Telegram.
    """

    def __init__(self, api: BotApi, **known: Any) -> None:  # noqa: ANN401 - what uvicorn gives its protocols
        super().__init__(**known)
        self._api = api
        self._answering = False
        self._later = b""

    def data_received(self, data: bytes) -> None:
        """Answer what came, or leave it to h11."""
        if self._answering:
            self._later += data
        elif self._at_rest() and (asked := _plain_request(data)):
            self._unset_keepalive_if_required()
            self._answering = True
            task = self.loop.create_task(self._answer(*asked))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            super().data_received(data)

    def _at_rest(self) -> bool:
        return self.conn.states == _RESTING and not self.conn.trailing_data[0]

    async def _answer(self, token: str, method: str, body: bytes) -> None:
        answer = await self._api.json_method(token, method, body)
        if self.transport.is_closing():
            return
        if isinstance(answer, Cut):
            self.transport.close()
            return
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        status, said = answer.status_code, bytes(answer.body)
        self.transport.write(head % (status, STATUS_PHRASES[status], len(said)) + said)
        self._answering = False
        later, self._later = self._later, b""
        if later:
            self.data_received(later)


def _plain_request(data: bytes) -> tuple[str, str, bytes] | None:
    """Return a request's token, method and body; None when it is not whole, or anything but plain."""
    head, _, body = data.partition(b"\r\n\r\n")
    asked, headers = _ASKED.match(data), head.lower() + b"\r\n"
    whole = b"\r\ncontent-length: %d\r\n" % len(body) in headers
    is_json = b"\r\ncontent-type: application/json\r\n" in headers
    if not (asked and whole and is_json) or any(one in headers for one in _NOT_PLAIN):
        return None
    return asked[1].decode(), asked[2].decode(), body
