"""A sandbox of its own for each test, with one bot, and that bot as aiogram drives it."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.sandbox import Sandbox, SandboxClient, serve

TOKEN = "4242:test"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with serve() as served:
        yield served


@pytest.fixture
async def telegram(sandbox: Sandbox) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(sandbox.url) as client:
        await client.limits(per_second=0, per_chat=0, group_per_minute=0)
        await client.add_bot(TOKEN, "sandbox_test_bot", "Sandbox")
        yield client


@pytest.fixture
async def connect(sandbox: Sandbox):
    """Makes aiogram bots of the sandbox, by token."""
    bots = []

    def made(token: str = TOKEN) -> Bot:
        bots.append(Bot(token, AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))))
        return bots[-1]

    yield made
    for bot in bots:
        if bot.session._session:  # aiogram's own close waits a quarter of a second for TLS, which is not used here
            await bot.session._session.close()


@pytest.fixture
def bot(connect, telegram: SandboxClient) -> Bot:
    return connect()


@pytest.fixture
async def ana(telegram: SandboxClient) -> int:
    """A user who has started the bot."""
    user = await telegram.add_user("Ana Invented")
    await telegram.say(user, "/start")
    return user


@pytest.fixture
async def drained(bot: Bot, ana: int) -> int:
    """The offset of the next update: what came before is confirmed."""
    last = (await bot.get_updates())[-1].update_id
    await bot.get_updates(offset=last + 1)
    return last + 1
