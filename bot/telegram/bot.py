"""The bot as aiogram has it, and beside it a short way to ask Telegram for what is asked most: to show a message."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, SendMessage
from aiogram.types import Message, Update
from aiohttp import ClientError, ClientTimeout, FormData
from pydantic_core import from_json, to_json

from bot.telegram.line import Line

Given = Mapping[str, object]
"""The parameters of a method, by their names; None, False and what is empty stand for not given."""

Files = Mapping[str, tuple[str, bytes]]
"""Uploads: the name of each file and what is in it, by the parameter, or the attachment, that it is."""

PATIENCE_S = 60.0
_ASKED = SendMessage.model_construct(chat_id=0, text="")
"""Stands in aiogram's errors for what was asked. They keep it, and so it holds nothing of it."""


class QuickBot(Bot):
    """A bot that can also be asked by the name of a method.

    aiogram builds and checks the Bot API's types for every request and answer, which takes four times as long as
    sending the request does. `traced` gives what is open around each such request.
    """

    def __init__(self, token: str, server: str) -> None:
        self._http = AiohttpSession(api=TelegramAPIServer.from_base(server), limit=0)  # the sender counts by itself
        super().__init__(token, session=self._http)
        self._line = Line(server)
        self._path = urlsplit(self._http.api.api_url(token, "")).path
        self.traced: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()

    async def ask(self, method: str, given: Given, files: Files | None = None) -> object:
        """Have Telegram carry out a method; return its result as it is in JSON. Raises aiogram's errors."""
        known = {name: value for name, value in given.items() if value}
        with self.traced(method):
            return self._result(*await self._post(method, known, files))

    async def hang_up(self) -> None:
        """Close all connections."""
        self._line.hang_up()
        await self._http.close()

    async def _post(self, method: str, known: Given, files: Files | None) -> tuple[int, bytes]:
        try:
            if files:
                return await self._upload(method, _form(known, files))
            return await self._line.post(self._path + method, to_json(known), seconds=PATIENCE_S)
        except TimeoutError as error:
            raise TelegramNetworkError(_ASKED, "Request timeout error") from error
        except (ClientError, OSError) as error:
            raise TelegramNetworkError(_ASKED, type(error).__name__) from error

    async def _upload(self, method: str, form: FormData) -> tuple[int, bytes]:
        http, url = await self._http.create_session(), self._http.api.api_url(self.token, method)
        async with http.post(url, data=form, timeout=ClientTimeout(total=PATIENCE_S)) as answer:
            return answer.status, await answer.read()

    def _result(self, status: int, told: bytes) -> object:
        try:
            said = from_json(told)
        except ValueError as error:
            raise ClientDecodeError("no JSON", error, told) from error
        if isinstance(said, dict) and said.get("ok") is True and "result" in said:
            return said["result"]
        self._http.check_response(self, _ASKED, status, told.decode(errors="replace"))
        raise ClientDecodeError("no result", ValueError(), said)


def _form(known: Given, files: Files) -> FormData:
    form = FormData(quote_fields=False)
    for name, value in known.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, (file_name, held) in files.items():
        form.add_field(name, held, filename=file_name)
    return form


def warm_up() -> None:
    """Have pydantic build what an update and a message by aiogram's own way need.

    The first update would wait for it half a second, and with it all that is to be sent.
    """
    for model in (Response[list[Update]], Update, SendMessage, Response[Message]):
        model.model_rebuild()
