"""What is sent stands in the chat as it was meant; what Telegram says that is not understood is tried again."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.sandbox import SandboxClient, serve
from bot.telegram.bot import QuickBot
from bot.telegram.limits import Limits
from bot.telegram.message import Entity, Key, Message
from bot.telegram.sender import Passing, Placed, Refused, Sender

TOKEN = "4242:test"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
ROBIN = 1


@asynccontextmanager
async def served(answer) -> AsyncIterator[str]:
    """A server that gives every request this answer; gives its address."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


SHOWN = Message(
    text="Breathe 🙂 slowly",
    entities=(
        Entity(type="bold", offset=0, length=7),
        Entity(type="text_link", offset=11, length=6, url="https://a.example/"),
    ),
    keyboard=(
        (Key(text="Start", data="go"), Key(text="More", url="https://b.example/")),
        (Key(text="Number", copy="988"),),
    ),
    protect=True,
    silent=True,
)


@pytest.fixture
async def telegram() -> AsyncIterator[SandboxClient]:
    async with serve() as sandbox, SandboxClient(sandbox.url) as client:
        await client.add_bot(TOKEN, "sandbox_test_bot")
        await client.add_crowd(ROBIN, 1)
        yield client


@pytest.fixture
async def bot(telegram: SandboxClient) -> AsyncIterator[QuickBot]:
    made = QuickBot(TOKEN, telegram.url)
    yield made
    await made.hang_up()


@pytest.fixture
def sender(bot: QuickBot, tmp_path: Path) -> Sender:
    (tmp_path / "tree.png").write_bytes(PNG)
    return Sender(bot, lambda: tmp_path, Limits(per_chat=1000, chat_burst=100), paid=True)


async def test_a_message_stands_as_it_was_meant(sender: Sender, telegram: SandboxClient) -> None:
    placed = await sender.deliver(ROBIN, SHOWN, None)
    shown = await telegram.last(ROBIN)
    assert placed == Placed(message_id=shown["message_id"], photo=False)
    assert shown["text"] == SHOWN.text
    assert shown["entities"] == [
        {"type": "bold", "offset": 0, "length": 7},
        {"type": "text_link", "offset": 11, "length": 6, "url": "https://a.example/"},
    ]
    assert shown["reply_markup"]["inline_keyboard"] == [
        [{"text": "Start", "callback_data": "go"}, {"text": "More", "url": "https://b.example/"}],
        [{"text": "Number", "copy_text": {"text": "988"}}],
    ]
    assert shown["has_protected_content"] is True
    given = (await telegram.log())[-1]["params"]
    assert (given["disable_notification"], given["allow_paid_broadcast"]) == (True, True)
    assert given["link_preview_options"] == {"is_disabled": True}


async def test_a_card_is_changed_in_place_and_loses_buttons_that_are_left_out(
    sender: Sender, telegram: SandboxClient
) -> None:
    first = await sender.deliver(ROBIN, SHOWN, None)
    assert await sender.deliver(ROBIN, Message(text="Done"), first) == first
    (shown,) = await telegram.chat(ROBIN)
    assert (shown["text"], "reply_markup" in shown) == ("Done", False)
    assert await sender.deliver(ROBIN, Message(text="Done"), first) == first, "as it is already"


async def test_a_fresh_card_takes_the_buttons_off_the_old_one(sender: Sender, telegram: SandboxClient) -> None:
    first = await sender.deliver(ROBIN, SHOWN, None)
    await sender.deliver(ROBIN, Message(text="Again", fresh=True), first)
    old, new = await telegram.chat(ROBIN)
    assert ("reply_markup" in old, new["text"]) == (False, "Again")


@pytest.mark.parametrize("picture", ["gone.png", "a-folder", "forest.png"])
async def test_a_picture_that_is_gone_unreadable_or_none_is_told_in_words(
    picture: str, sender: Sender, telegram: SandboxClient, tmp_path: Path
) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "forest.png").write_bytes(PNG)
    await telegram.fault("400", "sendPhoto", times=2, description="Bad Request: IMAGE_PROCESS_FAILED")
    message = Message(text="Look", picture=picture, alt="A green tree")
    placed = await sender.deliver(ROBIN, message, None)
    assert (placed.photo, placed.unshown) == (False, picture)
    assert (await telegram.last(ROBIN))["text"] == "Look\n\nA green tree"
    assert (await sender.deliver(ROBIN, message, placed)).message_id == placed.message_id, "changed in place"
    (shown,) = await telegram.chat(ROBIN)
    assert shown["text"] == "Look\n\nA green tree"


async def test_a_refusal_that_is_not_of_the_picture_stays_one(sender: Sender, telegram: SandboxClient) -> None:
    await telegram.fault("400", "sendPhoto", times=1)
    with pytest.raises(Refused):
        await sender.deliver(ROBIN, Message(text="Look", picture="tree.png", alt="A green tree"), None)


@pytest.mark.parametrize("given", [{"picture": "tree.png"}, {"drawn": base64.b64encode(PNG).decode()}])
async def test_a_picture_is_shown_with_its_words_and_changed_in_place(
    given: dict, sender: Sender, telegram: SandboxClient
) -> None:
    with_words = Message(text="A green tree", entities=SHOWN.entities[:1], keyboard=SHOWN.keyboard, **given)
    placed = await sender.deliver(ROBIN, with_words, None)
    shown = await telegram.last(ROBIN)
    assert (placed.photo, shown["caption"], len(shown["caption_entities"])) == (True, "A green tree", 1)
    assert await telegram.file(shown["photo"][0]["file_id"]) == PNG
    assert await sender.deliver(ROBIN, Message(text="The same tree", **given), placed) == placed
    (changed,) = await telegram.chat(ROBIN)
    assert (changed["caption"], "reply_markup" in changed) == ("The same tree", False)
    assert await sender.deliver(ROBIN, Message(text="No tree"), placed) != placed, "a picture cannot become a text"


async def test_a_file_is_sent_under_its_name(sender: Sender, telegram: SandboxClient) -> None:
    held = base64.b64encode(b"{}").decode()
    await sender.deliver(ROBIN, Message(text="What is kept", document=held, file_name="kept.json"), None)
    shown = await telegram.last(ROBIN)
    assert (shown["caption"], shown["document"]["file_name"]) == ("What is kept", "kept.json")
    assert await telegram.file(shown["document"]["file_id"]) == b"{}"


async def test_every_request_is_traced_by_its_method_only(
    bot: QuickBot, sender: Sender, telegram: SandboxClient
) -> None:
    traced = []

    @contextmanager
    def around(method: str):
        traced.append(method)
        yield

    bot.traced = around
    placed = await sender.deliver(ROBIN, SHOWN, None)
    await sender.deliver(ROBIN, Message(text="Done"), placed)
    assert traced == ["sendMessage", "editMessageText"]


async def test_a_refusal_says_whether_the_chat_can_be_reached_at_all(sender: Sender, telegram: SandboxClient) -> None:
    with pytest.raises(Refused) as too_long:
        await sender.deliver(ROBIN, Message(text="x" * 5000), None)
    await telegram.block(ROBIN)
    with pytest.raises(Refused) as blocked:
        await sender.deliver(ROBIN, SHOWN, None)
    assert (too_long.value.unreachable, blocked.value.unreachable) == (False, True)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>"),
        (200, '{"ok": true}'),
        (200, '{"ok": true, "result": true}'),
        (502, "Bad Gateway"),
        (500, '{"ok": false, "error_code": 500, "description": "Internal Server Error"}'),
    ],
)
async def test_what_is_not_understood_is_tried_again(status: int, body: str, tmp_path: Path) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body)

    async with served(answer) as url:
        bot = QuickBot(TOKEN, url)
        with pytest.raises(Passing):
            await Sender(bot, lambda: tmp_path, Limits()).deliver(ROBIN, SHOWN, None)
        await bot.hang_up()


async def test_nobody_there_is_tried_again(tmp_path: Path) -> None:
    bot = QuickBot(TOKEN, "http://127.0.0.1:9")
    with pytest.raises(Passing):
        await Sender(bot, lambda: tmp_path, Limits()).deliver(ROBIN, SHOWN, None)
    await bot.hang_up()
