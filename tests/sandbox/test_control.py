"""The face for tests and the page: users, taps, links, chats, the clock, the log, events, and what is refused."""

import asyncio
import json
from datetime import datetime

import aiohttp
import pytest
import uvicorn
from aiogram import Bot
from aiogram.exceptions import TelegramForbiddenError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.sandbox import Sandbox, SandboxClient, control, serve
from bot.sandbox.client import SandboxError

real_config = uvicorn.Config
KEYS = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="Not now", callback_data="no"), InlineKeyboardButton(text="No", callback_data="n")],
        [InlineKeyboardButton(text="Read", url="https://example.org/")],
    ]
)


async def test_taps_find_their_button_by_label_part_or_data(bot: Bot, ana: int, drained: int, telegram) -> None:
    message = {"message_id": (await bot.send_message(ana, "x", reply_markup=KEYS)).message_id}
    for button in ("No", "not n"):
        assert await telegram.tap(ana, message, button, wait=0) == {"answered": False}
    await telegram.tap(ana, message, data="of another message", wait=0)
    assert [one.callback_query.data for one in await bot.get_updates(offset=drained)] == [
        "n",
        "no",
        "of another message",
    ]
    for button in ("Perhaps", "Read", ""):
        with pytest.raises(SandboxError, match="there are: Not now, No, Read"):
            await telegram.tap(ana, message, button)
    with pytest.raises(SandboxError, match="no such message"):
        await telegram.tap(ana, {"message_id": 999}, "No")
    with pytest.raises(SandboxError, match="no such message"):
        await telegram.tap(ana, {"message_id": 1}, data="on their own message")


async def test_what_users_send_reaches_the_bot_as_its_kind(bot: Bot, ana: int, drained: int, telegram) -> None:
    for kind in ("sticker", "voice", "photo", "document"):
        await telegram.say(ana, caption="with /words", **{kind: True})
    got = [one.message for one in await bot.get_updates(offset=drained)]
    assert [one.content_type for one in got] == ["sticker", "voice", "photo", "document"]
    assert [one.caption for one in got] == [None, "with /words", "with /words", "with /words"]
    assert got[2].caption_entities[0].type == "bot_command"
    assert (await bot.get_file(got[2].photo[-1].file_id)).file_size == got[2].photo[-1].file_size
    await telegram.say(ana, contact=True)
    await telegram.say(ana, location=True)
    contact, place = [one.message for one in (await bot.get_updates(offset=drained))[-2:]]
    assert contact.contact.user_id == ana
    assert place.location.latitude == 40


async def test_a_text_stays_text_whatever_it_looks_like(bot: Bot, ana: int, drained: int, telegram) -> None:
    said = ['{"update_id": 1}', "true", "<b>x</b>", "  spaces  ", "null", "🙂"]
    for text in said:
        await telegram.say(ana, text)
    assert [one.message.text for one in await bot.get_updates(offset=drained)] == said
    assert [one["text"] for one in await telegram.chat(ana)][1:] == said


async def test_a_huge_text_comes_in_pieces(bot: Bot, ana: int, drained: int, telegram) -> None:
    await telegram.say(ana, "🙂" * 5000)
    got = [one.message.text for one in await bot.get_updates(offset=drained)]
    assert [len(text) for text in got] == [2048, 2048, 904]


async def test_users_edit_their_own_words_only(bot: Bot, ana: int, drained: int, telegram) -> None:
    text, photo = await telegram.say(ana, "befor"), await telegram.say(ana, photo=True, caption="befor")
    theirs = await bot.send_message(ana, "mine")
    await telegram.edit(ana, text, "before /help")
    await telegram.edit(ana, photo, "before")
    edited = [one.edited_message for one in (await bot.get_updates(offset=drained))[-2:]]
    assert [(one.text, one.caption) for one in edited] == [("before /help", None), (None, "before")]
    assert edited[0].entities[0].type == "bot_command"
    with pytest.raises(SandboxError, match="no such message of this user"):
        await telegram.edit(ana, {"message_id": theirs.message_id}, "x")
    with pytest.raises(SandboxError, match="nothing"):
        await telegram.edit(ana, text, " ")


async def test_deep_links_start_the_bot_with_their_payload(bot: Bot, telegram: SandboxClient) -> None:
    ben = await telegram.add_user("Ben Invented", "es")
    await telegram.open(ben, "https://t.me/sandbox_test_bot?start=a-b_c")
    await telegram.open(ben, "t.me/Sandbox_Test_Bot")
    first, second = [one.message for one in await bot.get_updates()]
    assert (first.text, second.text) == ("/start a-b_c", "/start")
    assert first.from_user.language_code == "es"
    for link in ("https://example.org", "https://t.me/sandbox_test_bot?start=a b", "https://t.me/nobody_bot?start=x"):
        with pytest.raises(SandboxError):
            await telegram.open(ben, link)


async def test_blocking_is_told_and_writing_lets_the_bot_in_again(bot: Bot, ana: int, drained: int, telegram) -> None:
    await telegram.block(ana)
    await telegram.say(ana, "back")
    left, returned, said = await bot.get_updates(offset=drained)
    assert [one.my_chat_member.new_chat_member.status for one in (left, returned)] == ["kicked", "member"]
    assert said.message.text == "back"
    assert await bot.send_message(ana, "welcome back")


async def test_users_are_listed_with_whom_they_blocked_until_they_leave(telegram: SandboxClient, ana: int) -> None:
    ben = await telegram.add_user("Ben Invented", username="ben_invented")
    await telegram.block(ana)
    listed = await telegram.call("GET", "/users")
    assert [(one["id"], one.get("username"), one["blocked"]) for one in listed] == [
        (ana, None, ["sandbox_test_bot"]),
        (ben, "ben_invented", []),
    ]
    await telegram.remove_user(ana)
    assert [one["id"] for one in await telegram.call("GET", "/users")] == [ben]
    with pytest.raises(SandboxError, match="there is no user"):
        await telegram.say(ana, "still here?")
    await telegram.add_user("Ana Again", user_id=ana)
    assert await telegram.say(ana, "back")


async def test_groups_are_for_their_members(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    stranger = await telegram.add_user("Ben Invented")
    group = (await telegram.call("POST", "/groups", title="Staff", members=[ana]))["id"]
    with pytest.raises(SandboxError, match="no group"):
        await telegram.say(stranger, "x", group=group)
    with pytest.raises(TelegramForbiddenError, match="not a member"):
        await bot.send_message(group, "x")


async def test_a_chat_is_read_in_full_or_as_what_changed(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    for number in range(5):
        await bot.send_message(ana, str(number))
    path = f"/chats/{ana}/messages?bot=sandbox_test_bot"
    before = await telegram.call("GET", path)
    assert [one["message_id"] for one in before["messages"]] == [1, 2, 3, 4, 5, 6]
    await bot.edit_message_text("changed", chat_id=ana, message_id=3)
    await bot.delete_message(ana, 5)
    changed = await telegram.call("GET", f"{path}&since={before['version']}")
    assert [(one["message_id"], one.get("deleted", False)) for one in changed["messages"]] == [(3, False), (5, True)]
    waiting = asyncio.create_task(telegram.call("GET", f"{path}&version={changed['version']}&timeout=30"))
    await bot.send_message(ana, "new")
    assert (await waiting)["messages"][-1]["text"] == "new"


async def test_waiting_for_words_ends_with_what_was_there_instead(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await bot.send_message(ana, "other words")
    with pytest.raises(TimeoutError, match="other words"):
        await telegram.wait_for(ana, "these words", seconds=0.05)
    assert len(await telegram.quiet(ana, 0.02)) == 2


async def test_the_log_tells_what_was_asked_and_answered(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await bot.send_message(ana, "x")
    with pytest.raises(Exception, match="chat not found"):
        await bot.send_message(5, "x")
    first, second = await telegram.log()
    assert (first["method"], first["status"], first["result"]["text"]) == ("sendMessage", 200, "x")
    assert (second["status"], second["result"]) == (400, "Bad Request: chat not found")
    assert datetime.fromisoformat(first["real"]) <= datetime.fromisoformat(second["real"])
    assert await telegram.log(after=first["n"]) == [second]
    await telegram.call("DELETE", "/log")
    assert await telegram.log() == []


async def test_the_log_keeps_the_newest() -> None:
    async with serve(log_size=2) as sandbox, SandboxClient(sandbox.url) as telegram:
        await telegram.add_bot("5:x", "short_memory_bot")
        async with aiohttp.ClientSession() as session:
            for number in range(4):
                await session.post(f"{sandbox.url}/bot5:x/setMyName", data={"name": str(number)})
        assert [(one["n"], one["params"]["name"]) for one in await telegram.log()] == [(3, "2"), (4, "3")]
        assert [one["n"] for one in await telegram.log(after=3)] == [4]


async def test_the_clock_moves_to_by_and_to_marks(telegram: SandboxClient) -> None:
    told = await telegram.move_clock(to="2026-11-02T14:00:00+00:00")
    assert told["now"].startswith("2026-11-02T14:00:0")
    assert (await telegram.move_clock(by=90))["now"].startswith("2026-11-02T14:01:3")
    await telegram.call("PUT", "/clock/marks", later="2026-11-02T20:00:00+00:00", soon="2026-11-02T15:00:00+00:00")
    assert [*(await telegram.clock())["marks"]] == ["soon", "later"]
    assert (await telegram.move_clock(mark="later"))["now"].startswith("2026-11-02T20:00:0")
    assert (await telegram.move_clock(mark="soon"))["now"].startswith("2026-11-02T20:00:0"), "never back"
    await telegram.call("PUT", "/clock/marks", soon=None)
    assert (await telegram.clock())["marks"] == {}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-07T20:00:00+00:00", "2026-03-08T13:00:00+00:00"),
        ("2026-10-31T20:00:00+00:00", "2026-11-01T14:00:00+00:00"),
        ("2026-11-02T04:59:00+00:00", "2026-11-02T14:00:00+00:00"),
    ],
)
async def test_tomorrow_is_the_zones_own_across_clock_changes(telegram, now: str, expected: str) -> None:
    await telegram.move_clock(to=now)
    told = await telegram.move_clock(tomorrow="09:00", timezone="America/New_York")
    assert abs((datetime.fromisoformat(told["now"]) - datetime.fromisoformat(expected)).total_seconds()) < 5


async def test_a_walk_stops_at_each_mark_on_the_way(telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LONGEST_SETTLING", 0.05)
    await telegram.move_clock(to="2026-11-02T14:00:00+00:00")
    marks = [f"2026-11-02T{hour}:00:00+00:00" for hour in (15, 16, 23)]
    await telegram.call("PUT", "/clock/marks", **{f"m{number}": mark for number, mark in enumerate(marks)})
    seen, version = [], (await telegram.clock())["version"]
    walking = asyncio.create_task(telegram.move_clock(to="2026-11-02T20:00:00+00:00", walk=True))
    while not seen or not seen[-1].startswith("2026-11-02T20"):
        told = await telegram.call("GET", f"/clock?after={version}&timeout=10")
        version = told["version"]
        seen.append(told["now"])
    await walking
    assert [moment[11:16] for moment in seen] == ["15:00", "16:00", "20:00"]


async def test_a_walk_waits_at_each_mark_for_the_next_to_be_told(
    telegram: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot is slow to say what comes next: the walk must not run past it."""
    monkeypatch.setattr(control, "SETTLED_AFTER", 0.05)
    hours = [f"2026-11-02T{hour}:00:00+00:00" for hour in (15, 16, 17)]
    await telegram.move_clock(to="2026-11-02T14:00:00+00:00")
    await telegram.call("PUT", "/clock/marks", next=hours[0])
    version = (await telegram.clock())["version"]
    walking = asyncio.create_task(telegram.move_clock(to="2026-11-02T20:00:00+00:00", walk=True))
    seen = []
    for following in [*hours[1:], None]:
        told = await telegram.call("GET", f"/clock?after={version}&timeout=10")
        seen.append(told["now"][11:16])
        await asyncio.sleep(2 * control.SETTLED_AFTER)
        version = (await telegram.call("PUT", "/clock/marks", next=following))["version"]
    assert (await walking)["now"][11:16] == "20:00"
    assert seen == ["15:00", "16:00", "17:00"]


async def test_messages_carry_the_clocks_time(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    await telegram.move_clock(to="2031-01-01T00:00:00+00:00")
    assert (await bot.send_message(ana, "x")).date.year == 2031


async def test_events_tell_the_page_of_every_change(
    bot: Bot, ana: int, telegram: SandboxClient, sandbox: Sandbox
) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{telegram.url}/sandbox/events") as stream:
        assert (await stream.content.readline()).startswith(b":")
        await bot.send_message(ana, "x")
        await bot.send_chat_action(ana, "typing")
        await telegram.move_clock(by=60)
        events = []
        while len(events) < 3:
            line = await asyncio.wait_for(stream.content.readline(), 5)
            if line.startswith(b"data: "):
                events.append(json.loads(line[6:]))
    assert [one["kind"] for one in events] == ["message", "action", "clock"]
    assert events[0]["chat"] == ana


async def test_the_page_is_told_which_phones_to_show(telegram: SandboxClient, ana: int) -> None:
    await telegram.call("PUT", "/stage", title="A play", phones=[{"user_id": ana, "label": "Ana", "note": ""}])
    assert (await telegram.call("GET", "/stage"))["title"] == "A play"
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/static/page.js", "/static/style.css"):
            async with session.get(telegram.url + path) as answer:
                assert answer.status == 200


async def test_a_user_or_bot_added_twice_is_one(bot: Bot, ana: int, telegram: SandboxClient) -> None:
    assert await telegram.add_user("Ana Renamed", user_id=ana) == ana
    assert (await bot.send_message(ana, "x")).chat.first_name == "Ana Renamed"
    await telegram.add_bot("4242:test", "sandbox_test_bot", "Renamed")
    assert (await bot.get_me()).first_name == "Renamed"


@pytest.mark.parametrize(
    ("verb", "path", "given", "said"),
    [
        ("POST", "/clock", {}, "say where to"),
        ("POST", "/clock", {"to": "soon"}, "'soon' is no moment"),
        ("POST", "/clock", {"to": "2026-11-02T09:00:00"}, "needs a time zone"),
        ("POST", "/clock", {"by": "long"}, "could not convert"),
        ("POST", "/clock", {"by": 1e300}, "."),
        ("POST", "/clock", {"mark": "dawn"}, "there is no mark 'dawn'; there are: none"),
        ("POST", "/clock", {"tomorrow": "25:00"}, "hour must be"),
        ("POST", "/clock", {"tomorrow": "09:00", "timezone": "Moon/Base"}, "no time zone 'Moon/Base'"),
        ("PUT", "/clock/marks", {"x": "soon"}, "'soon' is no moment"),
        ("POST", "/bots", {"token": "no"}, "a token looks like"),
        ("POST", "/bots", {"token": "5:x", "username": "sandbox_test_bot"}, "another bot named"),
        ("POST", "/users", {"id": -3}, "positive"),
        ("POST", "/users", {"id": "x"}, "invalid literal"),
        ("POST", "/groups", {"members": 5}, "."),
        ("POST", "/users/99/messages", {"text": "x"}, "there is no user 99"),
        ("POST", "/users/ANA/messages", {}, "a message needs a text"),
        ("DELETE", "/users/99", {}, "there is no user 99"),
        ("POST", "/users/ANA/messages", {"text": "x", "bot": "nobody"}, "there is no bot 'nobody'"),
        ("POST", "/users/ANA/taps", {"message_id": "x"}, "invalid literal"),
        ("POST", "/users/ANA/open", {}, "a link looks like"),
        ("GET", "/chats/99/messages", {}, "there is no user 99"),
        ("GET", "/files/none", {}, "there is no such file"),
        ("GET", "/nothing", {}, "Not Found"),
        ("DELETE", "/clock", {}, "Method Not Allowed"),
    ],
)
async def test_bad_input_is_refused_with_the_reason(telegram, ana: int, verb, path, given, said) -> None:
    with pytest.raises(SandboxError, match=said):
        await telegram.call(verb, path.replace("ANA", str(ana)), **given)


@pytest.mark.parametrize("body", ["{", "[1]", "\xff"])
async def test_a_body_that_is_no_json_object_is_refused(telegram: SandboxClient, body: str) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{telegram.url}/sandbox/users", data=body.encode("latin-1"))
        assert answer.status == 400
        assert "must be a JSON object" in (await answer.json())["error"]


async def test_an_idle_connection_is_ended_by_its_client_and_not_by_the_sandbox(monkeypatch) -> None:
    made = []
    monkeypatch.setattr(uvicorn, "Config", lambda *given, **more: made.append(real_config(*given, **more)) or made[-1])
    async with serve() as served, SandboxClient(served.url) as client:
        await client.add_bot("4242:test", "sandbox_test_bot", "Sandbox")
        kept_by_client = client._session.connector._keepalive_timeout
    assert made[0].timeout_keep_alive > kept_by_client
