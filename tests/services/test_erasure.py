"""Erasing a person: asked twice, all or nothing, told to who looks after them, and nothing is left that points back."""

import asyncio
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from cast import Cast
from sqlalchemy import insert, select

from bot.services import alerts, cases, conversation, enrolment, erasure, export, follow_ups, prompts, roster
from bot.services.access import Refused
from bot.storage import audit as trail
from bot.storage import inbox as updates
from bot.storage import outbox
from bot.storage.backup import back_up
from bot.storage.erasure import owned_rows
from bot.storage.people import Person
from bot.storage.store import Store
from bot.storage.tables import (
    absences,
    answers,
    audit,
    cards,
    consents,
    inbox,
    members,
    metadata,
    new_id,
    people,
    runs,
    safety_plans,
    shifts,
)
from bot.storage.tables import (
    follow_ups as follow_up_rows,
)
from bot.storage.tables import (
    outbox as outbox_rows,
)
from bot.telegram.taps import MenuTap

RED = "I want to kill myself tonight"
SECRET = "the blue door on Elm Lane"
BIG_ID = 7_654_321_098
"""A Telegram id whose bytes stand nowhere by chance."""


async def forget(cast: Cast, name: str, choice: str = "") -> None:
    await erasure.forget(cast.store, cast.content, await cast.turn(name), choice)


async def last_button(cast: Cast, name: str) -> str:
    """The value of the button that erases, after it was asked twice."""
    await forget(cast, name)
    sure = await cast.button(name, "Erase everything")
    await forget(cast, name, sure.value)
    tap = await cast.button(name, "Yes, erase it now")
    assert isinstance(tap, MenuTap)
    return tap.value


async def erased(cast: Cast, name: str) -> None:
    await forget(cast, name, await last_button(cast, name))


async def lived_through_much(clinic: Cast) -> Person:
    """Robin practised, wrote, was in danger, was looked after; returns who she was."""
    clinic.ids["Robin2"] = BIG_ID
    await clinic.joined("Robin2", primary_id=(await clinic.member("Quill")).id)
    robin = await clinic.person("Robin2")
    await clinic.begins("Robin2", "box-breathing")
    await clinic.taps("Robin2", "7")
    await clinic.writes("Robin2", f"it happened behind {SECRET}")
    await clinic.writes("Robin2", RED)
    (case,) = await clinic.cases()
    turn = await clinic.turn("Quill")
    await cases.acknowledge(clinic.store, clinic.content, turn, case.id)
    await cases.show_answers(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await clinic.writes("Quill", f"called, she is near {SECRET}")
    member = await clinic.member("Robin2")
    async with clinic.store.begin() as tx:
        row_id = new_id()
        await outbox.place_card(tx, BIG_ID, "leave", outbox.Card(message_id=5, photo=False))
        await outbox.place_card(tx, 101, f"case:{case.id}", outbox.Card(message_id=6, photo=False))
        sealed = tx.vault.seal("safety_plans.steps", row_id, '{"by-myself": "walk the dog"}')
        plan = {"id": row_id, "member_id": member.id, "version": 1, "steps_sealed": sealed, "at": clinic.now}
        await tx.run(insert(safety_plans).values(plan | plan_extra(member.id)))
    clinic.later(hours=5)
    await follow_ups.deliver_due(clinic.store, clinic.content, clinic.now)
    await prompts.deliver_due(clinic.store, clinic.content, clinic.now)
    return robin


def plan_extra(member_id: int) -> dict[str, object]:
    return {"step": "by-myself", "by": member_id}


async def everything(store: Store) -> dict[str, list]:
    """All rows of all tables."""
    async with store.read() as tx:
        return {table.name: list(await tx.all(select(table))) for table in metadata.sorted_tables}


async def delivered(cast: Cast) -> None:
    """All that waits was handled or sent."""
    async with cast.store.begin() as tx:
        for row in await tx.all(select(outbox_rows.c.id).where(outbox_rows.c.state == "ready")):
            await outbox.settle(tx, row.id, "sent", cast.now)
        for row in await tx.all(select(inbox.c.update_id)):
            await updates.done(tx, row.update_id, cast.now)


async def test_it_is_explained_and_asked_twice_and_can_be_left(clinic: Cast) -> None:
    before = await clinic.kept(members)
    value = await last_button(clinic, "Robin")
    said = await clinic.said_to("Robin")
    for told in ("It can't be undone", "clinic's own records", "delete the chat", "Are you sure?"):
        assert told in said
    assert await clinic.kept(members) == before
    await forget(clinic, "Robin", "no")
    assert "Nothing was erased" in (await clinic.got("Robin"))[-1].text
    clinic.later(minutes=11)
    await forget(clinic, "Robin", value)
    assert "Are you sure?" in (await clinic.got("Robin"))[-1].text, "a button found later asks again"
    assert await clinic.kept(members) == before


@pytest.mark.parametrize("value", ["now-", "now-zzzzzzzzzzzzzzz", "now-1", "now--5", "yes-now", "now"])
async def test_a_forged_button_erases_nothing(clinic: Cast, value: str) -> None:
    await forget(clinic, "Robin", value)
    assert "Are you sure?" in (await clinic.got("Robin"))[-1].text
    assert len(await clinic.kept(people)) == 5


async def test_nothing_is_left_that_points_to_the_person(clinic: Cast) -> None:
    robin = await lived_through_much(clinic)
    member, (case,) = await clinic.member("Robin2"), await clinic.cases()
    await erased(clinic, "Robin2")
    assert "I don't know you any more" in (await clinic.got("Robin2"))[-1].text
    await delivered(clinic)
    await erasure.scrub(clinic.store, clinic.content, clinic.now)
    left = await everything(clinic.store)
    traces = (robin.id, robin.code, "Robin2", robin.telegram_id, member.id, case.id)
    for table, rows in left.items():
        for row in rows:
            assert not any(str(trace) in str(tuple(row)) for trace in traces), (table, row)
    vault = clinic.store.vault
    for row in left["outbox"]:
        said = vault.open("outbox.payload", row.key, row.payload_sealed) if row.payload_sealed else ""
        assert robin.code not in said
        assert SECRET not in said


async def test_the_audit_stays_whole_and_no_line_keeps_a_salt_to_guess_with(clinic: Cast) -> None:
    await lived_through_much(clinic)
    await erased(clinic, "Robin2")
    async with clinic.store.read() as tx:
        found = await trail.verify(tx)
    kept = await clinic.kept(audit)
    assert (found.whole, found.broken_id) == (len(kept), None)
    blank = [row for row in kept if "erased" in (row.action, row.subject)]
    assert found.erased == len(blank) > 1
    assert {row.salt for row in blank} == {None}


async def test_the_audit_keeps_that_it_was_done_when_where_and_how_much(clinic: Cast) -> None:
    await lived_through_much(clinic)
    await erased(clinic, "Robin2")
    (line,) = [row for row in await clinic.kept(audit) if row.action == "erase"]
    assert (line.at, line.by, line.subject) == (clinic.now, None, "adult-evening")
    assert (line.detail["by_role"], line.detail["role"]) == ("self", "participant")
    assert line.detail["rows_people"] == 1
    assert line.detail["rows_answers"] >= 2
    read = [row for row in await clinic.kept(audit) if row.action == "read answers"]
    assert [(row.subject, row.by is not None) for row in read] == [("erased", True)], "what clinicians did stays"


async def test_others_keep_what_is_theirs(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    await lived_through_much_of_another(clinic)
    before = await everything(clinic.store)
    robin = await clinic.person("Robin")
    await erased(clinic, "Kim")
    after = await everything(clinic.store)
    assert [row for row in after["people"] if row.id == robin.id] == [
        row for row in before["people"] if row.id == robin.id
    ]
    for table in ("answers", "flags", "cases", "case_events"):
        kept = {row.id for row in after[table]}
        theirs = {row.id for row in before[table]} - kept
        assert kept
        assert theirs


async def lived_through_much_of_another(clinic: Cast) -> None:
    await clinic.joined("Kim")
    await clinic.writes("Kim", RED)


async def test_who_is_on_call_is_told_of_an_open_case_and_the_person_sees_the_contacts(
    clinic: Cast,
) -> None:
    await clinic.writes("Robin", RED)
    code = (await clinic.person("Robin")).code
    before = len(await clinic.got("Robin"))
    value = await last_button(clinic, "Robin")
    assert "988" in (await clinic.got("Robin"))[-1].text
    await forget(clinic, "Robin", value)
    told = (await clinic.got("Quill"))[-1].text
    assert code in told
    assert "RED" in told
    assert "can't reach this person" in told
    assert "Robin" not in told
    assert "can't reach this person" in (await clinic.got("Senior"))[-1].text
    assert "can't reach" not in await clinic.said_to("Other")
    farewell = (await clinic.got("Robin"))[-1].text
    assert "988" in farewell
    assert len(await clinic.got("Robin")) < before, "only the farewell is left"
    assert await clinic.cases() == []


async def test_a_clinician_with_the_card_of_an_erased_case_is_told_it_is_not_there(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await erased(clinic, "Robin")
    with pytest.raises(Refused):
        await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    assert (await clinic.person("Quill")).dialogue is None
    clinic.later(hours=1)
    assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 0


async def test_no_other_case_gets_the_number_of_an_erased_one(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    await erased(clinic, "Robin")
    await clinic.joined("Kim")
    await clinic.writes("Kim", RED)
    assert [case.number for case in await clinic.cases()] == [2]


async def test_killed_in_the_middle_nothing_was_erased(clinic: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await clinic.writes("Robin", RED)
    value = await last_button(clinic, "Robin")
    turn = await clinic.turn("Robin")
    before = await everything(clinic.store)

    async def broken(*_given, **_more) -> None:
        raise RuntimeError("broken on purpose, after all is erased")

    monkeypatch.setattr(erasure, "_say_farewell", broken)
    with pytest.raises(RuntimeError):
        await erasure.forget(clinic.store, clinic.content, turn, value)
    assert await everything(clinic.store) == before
    monkeypatch.undo()
    await erasure.forget(clinic.store, clinic.content, turn, value)
    assert "I don't know you any more" in (await clinic.got("Robin"))[-1].text


async def test_twice_is_the_same_as_once(clinic: Cast) -> None:
    value = await last_button(clinic, "Robin")
    turns = [await clinic.turn("Robin"), await clinic.turn("Robin")]
    for turn in turns:
        await erasure.forget(clinic.store, clinic.content, turn, value)
    assert len([row for row in await clinic.kept(audit) if row.action == "erase"]) == 1
    await forget(clinic, "Robin")
    assert "nothing here about you" in (await clinic.got("Robin"))[-1].text


async def test_two_who_erase_the_same_person_at_once_erase_them_once(clinic: Cast) -> None:
    value = await last_button(clinic, "Robin")
    turn, code = await clinic.turn("Robin"), (await clinic.person("Robin")).code
    done = await asyncio.gather(
        erasure.forget(clinic.store, clinic.content, turn, value),
        erasure.erase_by_code(clinic.store, clinic.content, code, clinic.now),
        return_exceptions=True,
    )
    assert all(one is None or isinstance(one, dict | roster.NotFound) for one in done), done
    assert len([row for row in await clinic.kept(audit) if row.action == "erase"]) == 1


async def test_who_writes_afterwards_is_a_stranger_of_whom_nothing_is_kept(clinic: Cast) -> None:
    await erased(clinic, "Robin")
    await clinic.writes("Robin", "hello again, it was a long day")
    assert "you need an invitation" in (await clinic.got("Robin"))[-1].text
    assert [row for row in await clinic.kept(people) if row.telegram_id == clinic.ids["Robin"]] == []
    await clinic.writes("Robin", RED)
    assert "988" in (await clinic.got("Robin"))[-1].text, "a stranger's cry gets the contacts all the same"
    assert await clinic.cases() == []
    await clinic.joined("Robin")
    assert len([row for row in await clinic.kept(members) if row.role == "participant"]) == 1


async def test_a_message_on_its_way_leaves_nothing_when_it_arrives_after_the_erasure(clinic: Cast) -> None:
    async with clinic.store.read() as tx:
        robins = outbox_rows.c.chat_id == clinic.ids["Robin"]
        on_its_way = (await tx.all(select(outbox_rows.c.id).where(robins)))[0]
    await erased(clinic, "Robin")
    async with clinic.store.begin() as tx:
        assert not await outbox.settle(tx, on_its_way.id, "sent", clinic.now, message_id=77)
        await outbox.try_again(tx, on_its_way.id, clinic.now, "slow")
    async with clinic.store.read() as tx:
        assert await tx.all(select(cards).where(cards.c.chat_id == clinic.ids["Robin"])) == []


async def test_an_update_that_was_being_handled_meanwhile_is_a_strangers_when_tried_again(clinic: Cast) -> None:
    turn = await clinic.turn("Robin")
    code = (await clinic.person("Robin")).code
    await erasure.erase_by_code(clinic.store, clinic.content, code, clinic.now)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await conversation.wrote(clinic.store, clinic.content, turn, "I feel a bit better today, I think")
    again = await clinic.turn("Robin")
    await conversation.wrote(clinic.store, clinic.content, again, "I feel a bit better today, I think")
    assert "you need an invitation" in (await clinic.got("Robin"))[-1].text


async def test_who_has_left_can_be_erased_as_well(clinic: Cast) -> None:
    await enrolment.leave(clinic.store, clinic.content, await clinic.turn("Robin"), "yes")
    await erased(clinic, "Robin")
    assert [row for row in await clinic.kept(members) if row.role == "participant"] == []
    assert await clinic.kept(follow_up_rows) == []
    assert await clinic.kept(consents) == []


async def test_a_clinicians_erasure_leaves_the_history_without_who(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    quill = await clinic.member("Quill")
    await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await cases.ask_note(clinic.store, clinic.content, await clinic.turn("Quill"), case.id)
    await clinic.writes("Quill", "called, is with a friend")
    async with clinic.store.begin() as tx:
        on_duty = {"id": new_id(), "programme": "adult-evening", "member_id": quill.id, "created_at": clinic.now}
        await tx.run(
            insert(shifts).values(
                **on_duty, duty="on-call", weekday=0, starts="09:00", minutes=60, since=clinic.now.date()
            )
        )
        away = {"id": new_id(), "member_id": quill.id, "created_at": clinic.now}
        await tx.run(insert(absences).values(**away, first=clinic.now.date(), last=clinic.now.date()))
    await erased(clinic, "Quill")
    left = await everything(clinic.store)
    assert [row for row in left["members"] if row.id == quill.id] == []
    assert str(quill.id) not in str([tuple(row) for rows in left.values() for row in rows])
    assert left["shifts"] == left["absences"] == []
    noted = [row for row in left["case_events"] if row.kind == "noted"]
    assert [row.by for row in noted] == [None]
    (case,) = await clinic.cases()
    assert (case.state, case.assigned_to, case.acknowledged_by) == ("open", None, None), "nobody has it any more"
    await cases.open_card(clinic.store, clinic.content, await clinic.turn("Senior"), case.id)
    card = (await clinic.got("Senior"))[-1].text
    assert "an erased account" in card
    assert "called, is with a friend" in card
    assert "no longer a clinician" in await clinic.said_to("Senior")


async def test_every_table_that_leads_to_a_person_is_erased_and_told_of_or_left_out_on_purpose() -> None:
    from bot.storage.export import NOT_TOLD, TOLD

    owned = {table.name for table in owned_rows(1)}
    assert owned == {table.name for table in TOLD} | NOT_TOLD
    pointing = {
        (key.parent.table.name, key.parent.name, key.parent.nullable)
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in owned and key.parent.table.name not in owned
    }
    assert all(nullable for *_, nullable in pointing), pointing
    assert {name for name, *_ in pointing} == {"audit", "invitations"}


async def test_the_file_the_log_and_a_backup_hold_nothing_of_the_person(
    sqlite_template: Path, tmp_path: Path, content
) -> None:
    from conftest import VAULT

    file = tmp_path / "one.db"
    file.write_bytes(sqlite_template.read_bytes())
    store = Store(f"sqlite+aiosqlite:///{file}", VAULT)
    cast = Cast(store=store, content=content)
    await cast.invited("Quill", "clinician")
    await cast.invited("Senior", "supervisor")
    robin = await lived_through_much(cast)
    sealed = [row.text_sealed for row in await cast.kept(answers)]
    states = [row.state_sealed for row in await cast.kept(runs)]
    async with store.read() as tx:
        (name_sealed,) = await tx.all(select(people.c.name_sealed).where(people.c.telegram_id == BIG_ID))
    await erased(cast, "Robin2")
    await delivered(cast)
    assert (tmp_path / "one.db-wal").stat().st_size > 0
    await erasure.scrub(store, content, cast.now)
    back_up(file, tmp_path / "copy.db")
    secrets = [
        robin.code.encode(),
        str(BIG_ID).encode(),
        struct.pack(">q", BIG_ID)[2:],
        b"Robin2",
        SECRET.encode(),
        name_sealed[0][16:],
        *(text[16:] for text in sealed if text),
        *(state[16:] for state in states),
    ]
    for kept in ("one.db", "one.db-wal", "copy.db"):
        held = (tmp_path / kept).read_bytes()
        assert [secret for secret in secrets if secret in held] == [], kept
    await store.close()


async def test_nothing_is_scrubbed_before_the_last_words_are_sent(clinic: Cast) -> None:
    from bot.storage import marks
    from bot.storage.erasure import SCRUB

    await erased(clinic, "Robin")
    await erasure.scrub(clinic.store, clinic.content, clinic.now)
    async with clinic.store.read() as tx:
        assert await marks.mark(tx, SCRUB)
    await delivered(clinic)
    await erasure.scrub(clinic.store, clinic.content, clinic.now + timedelta(minutes=1))
    async with clinic.store.read() as tx:
        assert await marks.mark(tx, SCRUB) is None
    assert [row for row in await clinic.kept(outbox_rows) if row.chat_id == clinic.ids["Robin"]] == []


async def test_in_a_group_nothing_is_asked_erased_or_sent(clinic: Cast) -> None:
    turn = await clinic.turn("Robin", private=False)
    with pytest.raises(Refused):
        await erasure.forget(clinic.store, clinic.content, turn, "yes")
    with pytest.raises(Refused):
        await export.export_me(clinic.store, clinic.content, turn)
