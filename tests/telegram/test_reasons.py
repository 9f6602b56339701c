"""Why something could not be sent is kept in words that repeat nothing of it."""

import pytest
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramBadRequest, TelegramNetworkError
from aiogram.methods import SendMessage

from bot.telegram.limits import Limits
from bot.telegram.message import Message
from bot.telegram.sender import Passing, Refused, Sender

SEND = SendMessage(chat_id=1, text="zq-words")


class Fails:
    """A bot whose every message ends like this."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def ask(self, *_given) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ClientDecodeError("Failed", ValueError("no JSON"), {"text": "zq-words"}), "ClientDecodeError"),
        (TelegramNetworkError(SEND, "InvalidURL: https://api.telegram.org/bot42:zq-token/x"), "TelegramNetworkError"),
        (TelegramBadRequest(SEND, "Bad Request: can't parse zq-words"), "TelegramBadRequest"),
        (TelegramBadRequest(SEND, "Bad Request: chat not found"), "TelegramBadRequest: chat not found"),
        (TelegramAPIError(SEND, "zq-words"), "TelegramAPIError"),
    ],
)
async def test_a_reason_repeats_nothing_that_was_sent(error: Exception, said: str) -> None:
    sender = Sender(Fails(error), lambda: None, Limits())
    with pytest.raises((Passing, Refused)) as failed:
        await sender.deliver(1, Message(text="zq-words"), None)
    assert str(failed.value) == said
