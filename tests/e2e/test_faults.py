"""What goes wrong around Interlude, and what people see of it."""

import asyncio
import shutil

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.app import CannotStart, wired
from bot.storage import outbox
from bot.storage.outbox import Lane, Posting
from bot.telegram.message import Message, packed


async def test_a_clinician_who_blocked_the_bot_is_passed_over_at_once(stage) -> None:
    telegram = stage.telegram
    first = await stage.colleague("Dr. Quill Example")
    supervisor = await stage.colleague("Dr. Senior Example", "supervisor")
    robin = await stage.participant()
    await telegram.fault("403", "sendMessage", chat=first)
    await telegram.say(robin, "I want to kill myself tonight")
    await telegram.wait_for(supervisor, "case 1")


async def test_a_refused_pace_is_waited_out_and_nothing_is_lost(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.fault("429", "sendMessage", retry_after=1, times=1)
    await telegram.fault("502", "sendMessage", times=1)
    await telegram.fault("reset", "sendMessage", times=1)
    await telegram.say(robin, "/help")
    await stage.telegram.move_clock(by=5)
    for _ in range(6):
        await telegram.move_clock(by=3)
        await asyncio.sleep(0.4)
    assert "What I can do" in (await telegram.wait_for(robin, "What I can do", seconds=20))["text"]
    assert sum("What I can do" in one.get("text", "") for one in await telegram.chat(robin)) == 1


async def test_updates_that_come_twice_and_out_of_order_count_once(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.fault("slow", "getUpdates", seconds=1, times=1)
    await telegram.say(robin, "/help")
    await telegram.call("POST", "/updates", kind="duplicate", bot=telegram.bot)
    await telegram.wait_for(robin, "What I can do")
    chat = await telegram.quiet(robin)
    assert sum("What I can do" in one.get("text", "") for one in chat) == 1


async def test_a_restart_in_the_middle_of_a_practice_goes_on_where_it_was(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    await telegram.say(robin, "/checkin")
    await telegram.tap(robin, await telegram.wait_for(robin, "mood"), "6")
    card = await telegram.wait_for(robin, "How much distress")
    async with wired(stage.settings, stage.app.library) as restarted:
        assert restarted.store is not stage.app.store
    await telegram.tap(robin, card, "4")
    await telegram.wait_for(robin, "hurt yourself")


async def test_a_broken_content_file_changes_nothing_and_tells_staff_once(stage, tmp_path, light_content) -> None:
    folder = tmp_path / "content"
    shutil.copytree(light_content, folder)
    staff = await stage.colleague("Sam Specimen", "staff")
    await stage.restart(content=folder)
    skill, library = folder / "skills" / "box-breathing.md", stage.app.library
    good = skill.read_text(encoding="utf-8")
    skill.write_text(good.replace("title: Box breathing", "titel: Box"), encoding="utf-8")
    told = await stage.telegram.wait_for(staff, "could not go live", seconds=15)
    assert "box-breathing.md:" in told["text"]
    assert library.content.skill("box-breathing", "en").title == "Box breathing"
    skill.write_text(good.replace("title: Box breathing", "title: Square breathing"), encoding="utf-8")
    await stage.telegram.wait_for(staff, "fine again", seconds=15)
    assert library.content.skill("box-breathing", "en").title == "Square breathing"


async def test_when_an_update_fails_its_writer_still_gets_the_contacts(stage, monkeypatch) -> None:
    from bot.services import conversation

    async def broken(*_given) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(conversation, "wrote", broken)
    staff = await stage.colleague("Sam Specimen", "staff")
    clinician = await stage.colleague("Dr. Quill Example")
    robin = await stage.participant()
    await stage.telegram.say(robin, "I need help")
    answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=15)
    assert "988" in answer["text"]
    for _ in range(4):
        await stage.telegram.move_clock(by=40)
        await asyncio.sleep(1.1)
    await stage.telegram.wait_for(staff, "1 set aside so far")
    await stage.telegram.wait_for(clinician, "text that could not be examined")


@pytest.mark.parametrize("said", ["/help_now", "I want to kill myself tonight"])
async def test_without_a_database_a_cry_is_answered_at_once_with_the_contacts(stage, monkeypatch, said: str) -> None:
    await stage.colleague("Quill Example")
    robin = await stage.participant()

    def gone(*_given, **_more) -> None:
        raise OSError("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(stage.app.store, "begin", gone)
        await stage.telegram.say(robin, said)
        answer = await stage.telegram.wait_for(robin, "Something went wrong on my side", seconds=5)
        assert "988" in answer["text"]
        assert "Poison control" in answer["text"], "the programme's own contacts, remembered"
    await stage.telegram.wait_for(robin, "tell" if said == "/help_now" else "I have told", seconds=30)


async def test_on_a_full_disk_the_writer_gets_the_contacts_and_nothing_is_lost(stage) -> None:
    robin = await stage.participant()
    engine = stage.app.store.engine
    async with engine.connect() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    for _ in range(40):
        await stage.telegram.say(robin, "what I want to tell " * 100)
    assert "988" in (await stage.telegram.wait_for(robin, "Something went wrong on my side"))["text"]
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    await stage.telegram.move_clock(by=30)  # so many at once were a flood
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, "What I can do", seconds=20)
    async with stage.app.store.read() as tx:
        kept = await tx.value(text("SELECT count(*) FROM answers WHERE kind = 'remark'"))
    assert kept == 40


async def test_a_picture_that_cannot_be_read_goes_out_in_words_at_once_and_staff_are_told_once(stage, tmp_path) -> None:
    staff = await stage.colleague("Sam Specimen", "staff")
    robin, kim = await stage.participant(), await stage.participant("Kim Sample")
    now, shown = stage.app.clock.now(), Message(text="Look", picture="media/none.png", alt="A green tree")
    for number, chat in enumerate((robin, kim, robin)):
        async with stage.app.store.begin() as tx:
            posting = Posting(key=f"look:{number}", chat_id=chat, lane=Lane.REPLY, payload=packed(shown))
            await outbox.post(tx, [posting], now)
        await stage.telegram.wait_for(chat, "A green tree", seconds=3)
    told = await stage.telegram.wait_for(staff, "media/none.png is missing, or it can't be read")
    assert told
    await stage.restart()
    async with stage.app.store.begin() as tx:
        await outbox.post(tx, [Posting(key="again", chat_id=kim, lane=Lane.REPLY, payload=packed(shown))], now)
    await stage.telegram.quiet(staff)
    assert sum("media/none.png" in one.get("text", "") for one in await stage.telegram.chat(staff)) == 1


async def test_in_a_group_nothing_personal_is_said(stage) -> None:
    telegram = stage.telegram
    robin = await stage.participant()
    group = await telegram.call("POST", "/groups", title="Evening group", members=[robin, 4242])
    await telegram.say(robin, "/progress", group=group["id"])
    await telegram.say(robin, "I want to kill myself", group=group["id"])
    await telegram.say(robin, "/help")
    await telegram.wait_for(robin, "What I can do")
    shown = await telegram.call("GET", f"/chats/{group['id']}/messages")
    assert all(not one["from"]["is_bot"] for one in shown["messages"])


async def test_a_token_that_telegram_does_not_know_is_said_to_be_wrong(stage) -> None:
    settings = stage.settings.model_copy(update={"token": SecretStr("999:unknown")})
    with pytest.raises(CannotStart, match="check it with @BotFather"):
        async with wired(settings, stage.app.library):
            pass


async def test_a_message_that_went_out_but_could_not_be_settled_is_not_sent_again(stage, monkeypatch) -> None:
    robin = await stage.participant()
    settle, failures = outbox.settle_all, iter(range(5))

    async def failing(*given, **known):
        if next(failures, None) is not None:
            raise OSError("no space left on device")
        return await settle(*given, **known)

    monkeypatch.setattr(outbox, "settle_all", failing)
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, "What I can do")
    await stage.telegram.say(robin, "/settings")
    await stage.telegram.wait_for(robin, "Time zone:", seconds=20)
    assert sum("What I can do" in one.get("text", "") for one in await stage.telegram.chat(robin)) == 1


async def test_what_is_under_way_when_it_is_stopped_is_settled_and_not_sent_again(stage) -> None:
    robin = await stage.participant()
    await stage.telegram.fault("late_answer", "sendMessage", chat=robin, seconds=0.7)
    await stage.telegram.say(robin, "/help")
    await stage.telegram.wait_for(robin, "What I can do")
    await stage.restart()
    await stage.telegram.say(robin, "/settings")
    await stage.telegram.wait_for(robin, "Time zone:")
    assert sum("What I can do" in one.get("text", "") for one in await stage.telegram.chat(robin)) == 1
