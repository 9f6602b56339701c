"""One row that cannot be read, or one update that hangs, stops nobody else."""

import asyncio

import pytest
from cast import Cast
from sqlalchemy import Table, text, update

from bot import intake
from bot.clock import Clock
from bot.content.library import Content
from bot.delivery import Delivery
from bot.headway import Headway
from bot.services import cases, conversation, practice, prompts
from bot.storage import inbox as records
from bot.storage.channels import add_channel
from bot.storage.inbox import Arrived
from bot.storage.store import Store
from bot.storage.tables import answers, channels, inbox, outbox, people, runs
from bot.telegram.message import Message
from bot.telegram.sender import Placed

RED = "I want to kill myself tonight"
BAD = b"k1\0\0 of another row"


@pytest.fixture
async def cast(store: Store, content: Content) -> Cast:
    return Cast(store=store, content=content)


@pytest.fixture
async def clinic(cast: Cast) -> Cast:
    for name, role in (("Quill", "clinician"), ("Senior", "supervisor"), ("Ellis", "staff")):
        await cast.invited(name, role)
    for name in ("Robin", "Kim"):
        await cast.joined(name)
    return cast


async def spoil(store: Store, table: Table, column: str, **where) -> None:
    async with store.begin() as tx:
        of_it = [table.c[name] == value for name, value in where.items()]
        await tx.run(update(table).where(*of_it).values({column: BAD}))


class Taken:
    """A Telegram that takes every message."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, Message]] = []

    async def deliver(self, chat_id: int, message: Message, _at: Placed | None, *, urgent: bool) -> Placed:
        self.messages.append((chat_id, message))
        return Placed(message_id=len(self.messages), photo=False)


class StandingClock(Clock):
    """The clock of the made-up people."""

    def __init__(self, cast: Cast) -> None:
        super().__init__()
        self._cast = cast

    def now(self):
        return self._cast.now


async def sent_out(cast: Cast, until) -> list[tuple[int, Message]]:
    """Have all that waits sent until a moment comes; return what was."""
    telegram = Taken()
    delivery = Delivery(cast.store, telegram, StandingClock(cast), Headway(), lambda: cast.content)
    running = asyncio.create_task(delivery.run())
    try:
        async with asyncio.timeout(20):
            while not until(telegram.messages):
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return telegram.messages


async def test_an_update_that_cannot_be_read_is_set_aside_and_flagged_and_all_others_go_on(stage) -> None:
    staff, clinician = await stage.colleague("Sam Specimen", "staff"), await stage.colleague("Dr. Quill Example")
    robin, kim = await stage.participant(), await stage.participant("Kim Sample")
    async with stage.app.store.begin() as tx:
        await records.keep(tx, [Arrived(update_id=7, chat_id=robin, payload="{}")], stage.app.clock.now())
        await tx.run(update(inbox).where(inbox.c.update_id == 7).values(payload_sealed=BAD))
    await stage.telegram.say(kim, "/help")
    await stage.telegram.wait_for(kim, "What I can do", seconds=20)
    for _ in range(4):
        await stage.telegram.move_clock(by=40)
        await asyncio.sleep(1.1)
    await stage.telegram.wait_for(staff, "1 set aside so far", seconds=20)
    await stage.telegram.wait_for(clinician, "text that could not be examined", seconds=20)


async def test_an_update_that_hangs_fails_and_its_chat_goes_on(stage, monkeypatch: pytest.MonkeyPatch) -> None:
    clinician, robin = await stage.colleague("Dr. Quill Example"), await stage.participant()
    monkeypatch.setattr(intake, "HANDLED_WITHIN", 0.2)

    async def hangs(*_given) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as hanging:
        hanging.setattr(conversation, "wrote", hangs)
        await stage.telegram.say(robin, RED)
        answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=9)
        assert "988" in answer["text"]
    monkeypatch.setattr(intake, "HANDLED_WITHIN", 60)
    for _ in range(3):
        await stage.telegram.move_clock(by=40)
    await stage.telegram.wait_for(clinician, "case 1", seconds=20)
    async with stage.app.store.read() as tx:
        assert await tx.value(text("SELECT count(*) FROM inbox WHERE done_at IS NULL")) == 0


async def test_an_alert_that_cannot_be_read_goes_to_the_next_and_staff_are_told(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    before = await clinic.alerts_to("Senior")
    await clinic.writes("Kim", "hello there everybody")
    quill = clinic.ids["Quill"]
    await spoil(clinic.store, outbox, "payload_sealed", chat_id=quill, state="ready", lane=0)
    senior, ellis, kim = (clinic.ids[name] for name in ("Senior", "Ellis", "Kim"))

    def all_there(messages: list[tuple[int, Message]]) -> bool:
        alerted = [one for chat, one in messages if chat == senior and one.fresh and one.card.startswith("case:")]
        told = [one for chat, one in messages if chat == ellis and "can't be read" in one.text]
        return len(alerted) > before and bool(told) and kim in {chat for chat, _ in messages}

    await sent_out(clinic, all_there)
    async with clinic.store.read() as tx:
        failed = await tx.all(text("SELECT error FROM outbox WHERE state = 'failed'"))
    assert {row.error for row in failed} == {"cannot be read"}


async def test_who_waits_for_an_answer_that_cannot_be_read_gets_the_contacts(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    robin = clinic.ids["Robin"]
    await spoil(clinic.store, outbox, "payload_sealed", chat_id=robin, state="ready")
    messages = await sent_out(clinic, lambda found: any(chat == robin for chat, _ in found))
    (answer,) = [one.text for chat, one in messages if chat == robin]
    assert "got lost on my side" in answer
    assert "988" in answer


async def test_a_name_that_cannot_be_read_keeps_no_alert_and_no_prompt_back(clinic: Cast) -> None:
    await spoil(clinic.store, people, "name_sealed", telegram_id=clinic.ids["Quill"])
    await spoil(clinic.store, people, "name_sealed", telegram_id=clinic.ids["Robin"])
    await clinic.writes("Robin", RED)
    assert await clinic.alerts_to("Quill") == 1
    clinic.later(hours=26)
    assert await prompts.replan(clinic.store, clinic.content, clinic.now) >= 0
    assert await prompts.deliver_due(clinic.store, clinic.content, clinic.now)


async def test_a_channel_that_cannot_be_read_keeps_no_alert_back(clinic: Cast) -> None:
    now, member = clinic.now, (await clinic.member("Quill")).id
    async with clinic.store.begin() as tx:
        place = {"programme": "adult-evening", "member_id": member}
        await add_channel(tx, **place, kind="mail", address="mailto://a", shown="a", now=now)
    await spoil(clinic.store, channels, "address_sealed", kind="mail")
    await clinic.writes("Robin", RED)
    assert await clinic.alerts_to("Quill") == 1


async def test_a_practice_that_cannot_be_read_stops_no_other_and_words_in_it_are_examined(clinic: Cast) -> None:
    for name in ("Robin", "Kim"):
        await clinic.begins(name, "daily-check-in", "measure")
    async with clinic.store.begin() as tx:
        await tx.run(update(runs).values(due_at=clinic.now))
    robin = (await clinic.member("Robin")).id
    await spoil(clinic.store, runs, "state_sealed", member_id=robin)
    clinic.later(minutes=1)
    assert await practice.elapse(clinic.store, clinic.content, clinic.now) == 1
    await clinic.writes("Robin", RED)
    assert await clinic.alerts_to("Quill") == 1


async def test_an_answer_that_cannot_be_read_hides_no_other_from_a_clinician(clinic: Cast) -> None:

    await clinic.writes("Robin", "I wish I was dead")
    await spoil(clinic.store, answers, "text_sealed")
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    shown = (await clinic.got("Quill"))[-1].text
    assert "(cannot be read any more)" in shown
    assert RED in shown
