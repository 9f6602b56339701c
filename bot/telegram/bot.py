"""The bot as aiogram has it, and beside it a short way to ask Telegram for what is asked most: to show a message."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, SendMessage
from aiogram.types import Message, Update
from aiohttp import ClientError, ClientTimeout, FormData

Given = Mapping[str, object]
"""The parameters of a method, by their names; None, False and what is empty stand for not given."""

Files = Mapping[str, tuple[str, bytes]]
"""Uploads: the name of each file and what is in it, by the parameter, or the attachment, that it is."""

_PATIENCE = ClientTimeout(total=60)
_ASKED = SendMessage.model_construct(chat_id=0, text="")
"""Stands in aiogram's errors for what was asked. They keep it, and so it holds nothing of it."""


class QuickBot(Bot):
    """A bot that can also be asked by the name of a method.

    aiogram builds and checks the Bot API's types for every request and answer, which takes four times as long as
    sending the request does. `traced` gives what is open around each such request.
    """

    def __init__(self, token: str, server: str) -> None:
        self._line = AiohttpSession(api=TelegramAPIServer.from_base(server), limit=0)  # the sender counts by itself
        super().__init__(token, session=self._line)
        self.traced: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()

    async def ask(self, method: str, given: Given, files: Files | None = None) -> object:
        """Have Telegram carry out a method; return its result as it is in JSON. Raises aiogram's errors."""
        known = {name: value for name, value in given.items() if value}
        with self.traced(method):
            status, told = await self._post(method, _form(known, files) if files else None, known)
            return self._result(status, told)

    async def _post(self, method: str, form: FormData | None, known: Given) -> tuple[int, str]:
        http, url = await self._line.create_session(), self._line.api.api_url(self.token, method)
        body = None if form else known
        try:
            async with http.post(url, data=form, json=body, timeout=_PATIENCE) as answer:
                return answer.status, await answer.text()
        except TimeoutError as error:
            raise TelegramNetworkError(_ASKED, "Request timeout error") from error
        except ClientError as error:
            raise TelegramNetworkError(_ASKED, type(error).__name__) from error

    def _result(self, status: int, told: str) -> object:
        try:
            said = json.loads(told)
        except ValueError as error:
            raise ClientDecodeError("no JSON", error, told) from error
        if isinstance(said, dict) and said.get("ok") is True and "result" in said:
            return said["result"]
        self._line.check_response(self, _ASKED, status, told)
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
