"""Whatever an update holds: it raises nothing, is not lost without a word, and answers nobody but its writer."""

import asyncio
import copy
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from cast import Cast
from conftest import NOW, VAULT
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.applications import Starlette

from bot import intake as pump
from bot.app import Comforter, _dispatcher
from bot.content.live import LiveLibrary
from bot.headway import Headway
from bot.intake import Intake, _event
from bot.services.safety import is_cry
from bot.storage import inbox, runs
from bot.storage.inbox import Arrived
from bot.storage.store import Store
from bot.storage.tables import inbox as updates
from bot.storage.tables import outbox, people
from bot.telegram.message import unpacked
from bot.telegram.taps import CaseTap, MenuTap, PromptTap, RunTap, tap_data
from bot.web.webhook import SECRET_HEADER, webhook_route

EXAMPLES = 40 * int(os.environ.get("FUZZ", "1"))
ROBIN, PEER, QUILL = 100, 101, 102
SECRET = "an-invented-secret"


class Recording(BaseSession):
    """Telegram, which takes whatever it is asked and says yes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[TelegramMethod] = []

    async def make_request(self, bot: Bot, method: TelegramMethod, timeout: int | None = None) -> Any:
        self.asked.append(method)
        return True

    async def stream_content(self, *_args, **_more) -> AsyncIterator[bytes]:
        yield b""

    async def close(self) -> None:
        return None


@dataclass
class Now:
    """A clock that goes on an hour whenever it is told to."""

    now_: Any = NOW
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self):
        return self.now_


@dataclass
class Desk:
    """The way of an update from the webhook to the database, with nobody at the other end."""

    store: Store
    session: Recording
    intake: Intake
    clock: Now
    web: httpx.AsyncClient
    taps: list[str]
    told: int = 0

    async def bring(self, body: bytes) -> int:
        return (await self.web.post("/hook", content=body, headers={SECRET_HEADER: SECRET})).status_code

    async def work(self) -> None:
        """Handle what waits, and what is tried again, until nothing waits."""
        for _ in range(8):
            self.clock.now_ += timedelta(minutes=1)
            async with self.store.read() as tx:
                found = await inbox.waiting(tx, self.clock.now(), busy=frozenset(), limit=10)
            if not found:
                return
            for one in found:
                await self.intake.handle(one)

    async def rows(self, table) -> list:
        async with self.store.read() as tx:
            return list(await tx.all(select(table)))


async def opened(url: str, library: LiveLibrary) -> Desk:
    """Robin and Peer take part, Quill is their clinician, Peer has a practice and a case."""
    store, clock, session = Store(url, VAULT), Now(), Recording()
    cast = Cast(
        store=store, content=library.content, updates=itertools.count(-1000), ids={"Robin": ROBIN, "Peer": PEER}
    )
    await cast.invited("Quill", "clinician")
    for name in ("Robin", "Peer"):
        await cast.joined(name)
    await cast.begins("Peer", "box-breathing")
    await cast.begins("Robin", "box-breathing")
    await cast.writes("Peer", "I want to kill myself tonight")
    (case,) = await cast.cases()
    async with store.read() as tx:
        runs_ = [await runs.open_run(tx, (await cast.member(name)).id) for name in ("Peer", "Robin")]
    async with store.begin() as tx:
        await tx.run(update(updates).values(done_at=NOW))
    bot = Bot("4242:test", session=session)
    comforter, headway = Comforter(bot, library), Headway()
    dispatcher = _dispatcher(store, library, clock, "interlude_test_bot", comforter)
    desk = Desk(store=store, session=session, intake=None, clock=clock, web=None, taps=[])  # type: ignore[arg-type]

    async def report(_: int) -> None:
        desk.told += 1

    desk.intake = Intake(
        store, bot, dispatcher, clock, headway, comforter, lambda said: is_cry(library.content, said), report
    )
    app = Starlette(routes=[webhook_route("/hook", SECRET, desk.intake.keep)])
    desk.web = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk")
    known = [RunTap(run=run.id, turn=turn, act=act) for run in runs_ for turn in (0, 1) for act in ("go", "stop")]
    known += [CaseTap(case=case.id, verb=verb) for verb in ("ack", "answers", "resolve", "open", "as")]
    known += [PromptTap(prompt=case.id, verb="skip"), MenuTap(menu="forget", value="yes"), MenuTap(menu="people")]
    desk.taps = [tap_data(one) for one in known] + ["", "r:::::", "m:", "c:zzz:ack:", "r:-1:x:99:0", "🙂" * 16]
    return desk


def person(number: int) -> dict:
    return {"id": number, "is_bot": False, "first_name": "Robin", "language_code": "en"}


def message(number: int = ROBIN, **more) -> dict:
    chat = {"id": number, "type": "private", "first_name": "Robin"}
    return {"message_id": 5, "date": 1793628000, "chat": chat, "from": person(number), **more}


def seeds(taps: list[str]) -> list[dict]:
    """An update of every kind that Interlude asks for, as Telegram sends it."""
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    command = {"text": "/start abc", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}
    files = {"file_id": "a", "file_unique_id": "b"}
    spoken = [
        message(text="I feel a little better"),
        message(text="I want to kill myself"),
        message(**command),
        *(message(text=f"/{name}") for name in ("checkin", "queue", "people", "export_me", "forget_me", "help_now")),
        message(photo=photo, caption="look"),
        message(voice={**files, "duration": 3}),
        message(sticker={**files, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}),
        message(text="in reply", reply_to_message=message(text="before")),
        message(text="hi", chat={"id": -7, "type": "group", "title": "All"}),
        message(contact={"phone_number": "1", "first_name": "Robin"}),
    ]
    asked = {"id": "1", "from": person(ROBIN), "chat_instance": "1"}
    shown = message(text="shown") | {"from": person(4242) | {"is_bot": True}}
    tapped = [asked | {"message": shown, "data": data} for data in taps]
    tapped += [
        asked | {"message": shown | {"date": 0}, "data": taps[0]},
        asked | {"inline_message_id": "x", "data": "m:"},
    ]
    member = {"user": person(4242) | {"is_bot": True}}
    changed = [
        {"chat": message()["chat"], "from": person(ROBIN), "date": 1793628000}
        | {"old_chat_member": member | {"status": "member"}, "new_chat_member": member | {"status": now, **until}}
        for now, until in (("kicked", {"until_date": 0}), ("member", {}))
    ]
    return [
        *({"message": one} for one in spoken),
        *({"edited_message": one | {"edit_date": 1793628001}} for one in spoken[:2]),
        *({"callback_query": one} for one in tapped),
        *({"my_chat_member": one} for one in changed),
    ]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.sampled_from([0, -1, ROBIN, PEER, QUILL, 2**31, 2**52, 2**63, -(2**63) - 1, 1e308]),
    st.text(max_size=8),
    st.sampled_from(
        ["", "\0", "/", "/start ", "/start ' OR 1=1 --", "x" * 5000, "\u202e", "🙂", "r:1:1:1:1", "private"]
    ),
)
VALUES = st.recursive(SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=5), some))


def places(tree: Any, path: tuple = ()) -> Iterator[tuple]:
    """All ways into a tree of JSON."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in pairs:
        yield (*path, key)
        yield from places(below, (*path, key))


@st.composite
def mutated(draw: Callable, taps: list[str]) -> dict:
    """An update of which up to three parts are others, gone or doubled."""
    tree = copy.deepcopy(draw(st.sampled_from(seeds(taps))))
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(list(places(tree)) or [("update_id",)]))
        above = tree
        for key in way:
            above = above[key]
        match draw(st.sampled_from(["replace", "replace", "remove", "double"])):
            case "remove" if isinstance(above, dict):
                above.pop(last, None)
            case "double" if isinstance(above, dict):
                above[draw(st.sampled_from(["text", "data", "message", "from", "chat", "x"]))] = copy.deepcopy(
                    above.get(last)
                )
            case _:
                above[last] = draw(VALUES)
    return tree


def writers(body: bytes) -> set[int]:
    """Whose an update says that it is: who wrote, and where."""
    known = _event(Update.model_validate_json(body))
    where = getattr(getattr(known, "message", None) or known, "chat", None)
    return {one.id for one in (getattr(known, "from_user", None), where) if one}


def test_any_update_is_answered_to_its_writer_or_refused_and_never_lost(
    store_url: str, library: LiveLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "LOOK_AGAIN", 0)
    numbers = itertools.count(1000)
    with asyncio.Runner() as loop:
        desk = loop.run(opened(store_url, library))

        @settings(max_examples=EXAMPLES if desk.store.sqlite else EXAMPLES // 4)
        @given(mutated(desk.taps))
        def brought(sent: dict) -> None:
            loop.run(seen_through(desk, {"update_id": next(numbers)} | sent))

        try:
            brought()
        finally:
            loop.run(desk.web.aclose())
            loop.run(desk.store.close())


async def seen_through(desk: Desk, sent: dict) -> None:
    posted, set_aside = len(await desk.rows(outbox)), desk.told
    others = [row for row in await desk.rows(people) if row.telegram_id != ROBIN]
    desk.session.asked.clear()
    body = json.dumps(sent).encode()
    status = await desk.bring(body)
    assert status in (200, 400, 503)
    await desk.work()
    number = Update.model_validate_json(body).update_id if status == 200 else sent["update_id"]  # "8" is read as 8
    kept = [row for row in await desk.rows(updates) if row.update_id == number]
    assert len(kept) == (status == 200)
    assert all(row.done_at is not None for row in kept), "handled, or set aside where staff see it"
    assert desk.told - set_aside == sum(row.set_aside_at is not None for row in kept)
    if status == 200 and (mine := writers(body)):
        assert desk.told == set_aside, "only what nobody wrote may be set aside"
        await nobody_else_is_answered(desk, posted, mine)
        if ROBIN in mine:
            assert [row for row in await desk.rows(people) if row.telegram_id != ROBIN] == others


async def nobody_else_is_answered(desk: Desk, posted: int, mine: set[int]) -> None:
    for row in (await desk.rows(outbox))[posted:]:
        shown = unpacked(VAULT.open("outbox.payload", row.key, row.payload_sealed))
        assert row.chat_id in mine or (row.chat_id == QUILL and shown.card.startswith("case:")), row
    assert all(getattr(asked, "chat_id", None) in mine | {None} for asked in desk.session.asked)


async def test_what_nobody_can_read_holds_up_nobody_and_is_set_aside_where_staff_see_it(
    sqlite_template: Path, tmp_path: Path, library: LiveLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "LOOK_AGAIN", 0)
    (tmp_path / "test.db").write_bytes(sqlite_template.read_bytes())
    desk = await opened(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", library)
    unknown = Update.model_validate({"update_id": 1, "a_kind_of_next_year": {"text": "x"}})
    known = Update.model_validate({"update_id": 2, "message": message(text="/help")})
    assert await desk.intake.keep([unknown, known])
    async with desk.store.begin() as tx:
        await inbox.keep(tx, [Arrived(update_id=3, chat_id=PEER, payload='{"message": 7}')], desk.clock.now())
    await desk.work()
    kept = {row.update_id: row for row in await desk.rows(updates) if row.update_id > 0}
    assert all(row.done_at for row in kept.values())
    assert (kept[2].set_aside_at, kept[3].attempts, bool(kept[3].set_aside_at)) == (None, 3, True)
    assert "What I can do" in str([await texts(desk, ROBIN)])
    assert [asked.chat_id for asked in desk.session.asked] == [PEER], "its writer gets the contacts"
    await desk.web.aclose()
    await desk.store.close()


async def texts(desk: Desk, number: int) -> list[str]:
    mine = [row for row in await desk.rows(outbox) if row.chat_id == number]
    return [unpacked(VAULT.open("outbox.payload", row.key, row.payload_sealed)).text for row in mine]
