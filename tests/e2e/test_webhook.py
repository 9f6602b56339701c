"""Updates that Telegram brings by webhook are committed before it is told so, and taken from nobody else."""

import asyncio
import json
import socket

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select

from bot.app import wired
from bot.config import Settings
from bot.storage.tables import inbox

SECRET = "only-telegram-knows-this"


@pytest.fixture
async def hooked(stage):
    """Interlude on a webhook, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    await stage.serving.aclose()
    url = f"http://127.0.0.1:{port}/telegram"
    known = stage.settings.model_dump() | {
        "listen": f"127.0.0.1:{port}",
        "webhook_url": url,
        "webhook_secret": SecretStr(SECRET),
    }
    settings = Settings(_env_file=None, **known)
    async with wired(settings, stage.app.library) as app:
        running = asyncio.create_task(app.run())
        stage.app = app
        try:
            yield url
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def updates_kept(stage) -> int:
    async with stage.app.store.read() as tx:
        return int(await tx.value(select(func.count()).select_from(inbox)))


async def test_a_participant_joins_by_webhook(stage, hooked: str) -> None:
    await stage.participant()
    assert await updates_kept(stage) >= 4


async def bring(url: str, body: bytes, secret: str = SECRET) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    async with httpx.AsyncClient() as client, asyncio.timeout(10):
        while True:
            try:
                return (await client.post(url, content=body, headers=headers)).status_code
            except httpx.ConnectError:
                await asyncio.sleep(0.02)


async def test_strangers_bring_nothing(stage, hooked: str) -> None:
    update = b'{"update_id": 900000000, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}}'
    before = await updates_kept(stage)
    assert await bring(hooked, update, secret="a-wrong-secret-of-sixteen") == 403
    assert await bring(hooked, update, secret="") == 403
    assert await bring(hooked, b"{not an update") == 400
    assert await bring(hooked, b"x" * (256 * 1024 + 1)) == 413
    assert await updates_kept(stage) == before
    assert await bring(hooked, update) == 200
    assert await bring(hooked, update) == 200
    assert await updates_kept(stage) == before + 1


async def test_the_largest_update_of_telegrams_is_taken(stage, hooked: str) -> None:
    text = "\\u2764" * 4096
    entities = [{"type": "bold", "offset": n, "length": 1} for n in range(100)]
    keys = [[{"text": "\\u2764" * 64, "callback_data": "x" * 64}] for _ in range(100)]
    message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": text, "entities": entities}
    whole = message | {"reply_markup": {"inline_keyboard": keys}}
    update = json.dumps({"update_id": 900000002, "message": whole | {"reply_to_message": whole}})
    body = update.replace("\\\\", "\\").encode()
    assert 128 * 1024 < len(body) < 256 * 1024
    assert await bring(hooked, body) == 200


async def test_what_cannot_be_committed_is_not_said_to_have_arrived(stage, hooked: str, monkeypatch) -> None:
    update = b'{"update_id": 900000001, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}}'

    async def broken(*_args) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("bot.storage.inbox.keep", broken)
    assert await bring(hooked, update) == 503
    monkeypatch.undo()
    assert await bring(hooked, update) == 200


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"webhook_url": "https://interlude.example.org"}, "have a path"),
        ({"webhook_url": "http://interlude.example.org/telegram"}, "https://"),
        ({"webhook_url": "https://interlude.example.org/telegram"}, "INTERLUDE_LISTEN"),
        (
            {"webhook_url": "https://interlude.example.org/t", "listen": "127.0.0.1:8080", "webhook_secret": "short"},
            "INTERLUDE_WEBHOOK_SECRET",
        ),
    ],
)
def test_a_webhook_that_cannot_be_is_explained(known: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(_env_file=None, **known)


async def test_polling_ends_a_webhook_that_was_set_before(stage) -> None:
    """Somebody who goes back to polling needs no further step."""
    await stage.serving.aclose()
    await stage.app.bot.set_webhook("http://127.0.0.1:9/telegram")
    await stage.app.bot.session.close()
    await stage.restart()
    user = await stage.telegram.add_user("Robin Sample")
    await stage.telegram.say(user, "/start")
    await stage.telegram.wait_for(user, "Hello", seconds=15)
