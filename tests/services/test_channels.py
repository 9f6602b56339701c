"""Alerts reach clinicians by e-mail too: at once when red, and whenever Telegram fails."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from cast import DAY, EVENING, Cast
from smtp_server import PASSWORD, Mailbox, free_port
from sqlalchemy import select

from bot import addresses, paging
from bot.clock import Clock
from bot.headway import Headway
from bot.paging import Paging
from bot.services import alerts, cases, channels, digests, menus, presence
from bot.storage import outbox as posts
from bot.storage.tables import channels as channel_table
from bot.storage.tables import flags, outbox, pages

RED, ORANGE = "I want to kill myself tonight", "I wish I was dead"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(port=free_port())
    box.open()
    yield box
    box.close()


async def add(cast: Cast, address: str, *, name: str = "", programme: str = "") -> int:
    known = addresses.read(address)
    if not name:
        found = await channels.add_for_programme(
            cast.store, cast.content, programme=programme, address=address, known=known, now=cast.now
        )
        return found.id
    code = (await cast.person(name)).code
    (one,) = await channels.add_for_clinician(
        cast.store, code=code, programme="", address=address, known=known, now=cast.now
    )
    return one.id


@asynccontextmanager
async def pumping(cast: Cast, send: paging.Send = addresses.send) -> AsyncIterator[Callable[[], None]]:
    """The pump, running on the cast's time; what is given takes the clock to the cast's present."""
    clock = Clock()
    pump = Paging(cast.store, clock, Headway(), lambda: cast.content, send)

    def on() -> None:
        clock.move(cast.now - datetime.now(UTC))
        cast.store.paged.set()

    on()
    running = asyncio.create_task(pump.run())
    try:
        yield on
    finally:
        running.cancel()
        await asyncio.gather(running, *pump._busy.values(), return_exceptions=True)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():
            await asyncio.sleep(0.02)


async def states(cast: Cast) -> list[str]:
    return [row.state for row in await cast.kept(pages)]


def all_are(cast: Cast, *wanted: str) -> Callable[[], Awaitable[bool]]:
    async def are() -> bool:
        return sorted(await states(cast)) == sorted(wanted)

    return are


async def alert_to(cast: Cast, name: str) -> int:
    """The number in the outbox of the last alert to somebody."""
    async with cast.store.read() as tx:
        chat = outbox.c.chat_id == cast.ids[name]
        query = select(outbox.c.id).where(chat, outbox.c.key.like("a%")).order_by(outbox.c.id.desc())
        found: int = await tx.value(query)
    return found


async def settled(cast: Cast, parcel: int, state: str) -> None:
    async with cast.store.begin() as tx:
        await posts.settle(tx, parcel, state, cast.now)


async def test_a_red_alert_comes_by_mail_at_once_with_no_name_and_no_word(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    async with pumping(clinic):
        await clinic.writes("Robin", "I have an exact plan to end my life")
        await until(all_are(clinic, "sent"))
    (mail,) = mailbox.got
    code = (await clinic.person("Robin")).code
    assert mail["To"] == "quill@clinic.example"
    red = [flag for flag in await clinic.kept(flags) if flag.level == "red"]
    category = max(red, key=lambda flag: flag.rule).category
    said = (
        f"🔴 RED · participant {code} {clinic.content.messages['en'][f'category-{category}'][0].text} "
        "Since Mon 2 Nov, 09:00 Please acknowledge by Mon 2 Nov, 09:05 Open Telegram to acknowledge."
    )
    assert mailbox.text().split() == said.split()
    whole = mail.as_string() + mailbox.text()
    for secret in ("Robin", "Sample", "exact", "end my", "life", PASSWORD):
        assert secret not in whole


async def test_the_mail_is_in_the_clinicians_language(clinic: Cast, mailbox: Mailbox) -> None:
    from bot.services import enrolment

    await enrolment.choose_language(clinic.store, clinic.content, await clinic.turn("Quill"), "es")
    await add(clinic, mailbox.address(), name="Quill")
    async with pumping(clinic):
        await clinic.writes("Robin", RED)
        await until(all_are(clinic, "sent"))
    assert "Abre Telegram" in mailbox.text()


async def test_red_pages_the_programme_at_first_and_past_the_end_of_the_chain(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), programme=EVENING)
    await add(clinic, mailbox.address("other@clinic.example"), programme=DAY)
    await clinic.writes("Robin", RED)
    paged = [len(await states(clinic))]
    for _ in range(5):
        clinic.later(minutes=5)
        await alerts.alert_due(clinic.store, clinic.content, clinic.now)
        paged.append(len(await states(clinic)))
    chain = clinic.content.programme(EVENING, "").alerts["red"].chain
    assert paged[0] == 1
    passed_over = 1  # without a rota all are on call, and nobody is left for the backup
    assert paged == [1 + max(0, alert + passed_over - len(chain)) if alert > 1 else 1 for alert in range(1, 7)]


async def test_an_orange_alert_pages_only_when_telegram_does_not_take_it_in_a_minute(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    await add(clinic, mailbox.address("all@clinic.example"), programme=EVENING)
    async with pumping(clinic) as on:
        await clinic.writes("Robin", ORANGE)
        clinic.later(seconds=59)
        on()
        await asyncio.sleep(0.2)
        assert await states(clinic) == ["ready"]
        clinic.later(seconds=2)
        on()
        await until(all_are(clinic, "sent"))
    assert [mail["To"] for mail in mailbox.got] == ["quill@clinic.example"]


async def test_an_orange_alert_that_telegram_took_is_not_paged(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    async with pumping(clinic) as on:
        await clinic.writes("Robin", ORANGE)
        await settled(clinic, await alert_to(clinic, "Quill"), "sent")
        clinic.later(seconds=61)
        on()
        await until(all_are(clinic, "dropped"))
    assert not mailbox.got


async def test_an_orange_alert_that_telegram_refused_is_paged_at_once(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    async with pumping(clinic):
        await clinic.writes("Robin", ORANGE)
        await settled(clinic, await alert_to(clinic, "Quill"), "failed")
        await until(all_are(clinic, "sent"))
    assert len(mailbox.got) == 1


async def test_a_clinician_known_to_have_blocked_the_bot_is_paged_and_the_next_alerted(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    await presence.reachable(clinic.store, clinic.content, await clinic.turn("Quill"), blocked=True)
    async with pumping(clinic):
        await clinic.writes("Robin", ORANGE)
        await until(all_are(clinic, "sent"))
    assert await clinic.alerts_to("Quill") == 0
    assert await clinic.alerts_to("Backup") + await clinic.alerts_to("Senior") >= 1


async def yellow(cast: Cast, *names: str) -> None:
    """Have these people leave a skill in high distress, and the next digest sent."""
    for name in names:
        await cast.begins(name, "box-breathing")
        for label in ("9", "Start", "Go on now", "9"):
            await cast.taps(name, label)
    cast.later(days=1)
    await digests.send_due(cast.store, cast.content, cast.now)


async def digest_to(cast: Cast, name: str) -> int:
    async with cast.store.read() as tx:
        found: int = await tx.value(
            select(outbox.c.id).where(outbox.c.chat_id == cast.ids[name], outbox.c.key.like("d%"))
        )
    return found


async def test_a_digest_is_paged_only_when_telegram_does_not_take_it_and_names_nobody(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await clinic.joined("Kim", primary_id=(await clinic.member("Quill")).id)
    await add(clinic, mailbox.address(), name="Quill")
    await add(clinic, mailbox.address("all@clinic.example"), programme=EVENING)
    async with pumping(clinic) as on:
        await yellow(clinic, "Robin", "Kim")
        on()
        await asyncio.sleep(0.2)
        assert await states(clinic) == ["ready"]
        first = min(await clinic.cases(), key=lambda case: case.number)
        await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Backup"), first.id)
        clinic.later(seconds=61)
        on()
        await until(all_are(clinic, "sent"))
    (mail,) = mailbox.got
    assert mail["To"] == "quill@clinic.example"
    assert mailbox.text().split() == [
        "🟡",
        "YELLOW",
        "·",
        "Adult",
        "IOP,",
        "evening",
        "track",
        "Cases",
        "that",
        "wait",
        "for",
        "a",
        "look",
        "today:",
        "2",
        "Open",
        "Telegram",
        "to",
        "see",
        "them.",
    ]


async def test_a_digest_that_telegram_took_is_not_paged_and_one_that_it_refused_is_at_once(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    async with pumping(clinic) as on:
        await yellow(clinic, "Robin")
        await settled(clinic, await digest_to(clinic, "Quill"), "sent")
        clinic.later(seconds=61)
        on()
        await until(all_are(clinic, "dropped"))
    async with clinic.store.begin() as tx:
        await tx.run(pages.delete())
        await posts.settle(tx, await digest_to(clinic, "Quill"), "failed", clinic.now)
        await tx.run(outbox.update().where(outbox.c.key.like("d%")).values(state="failed"))
    await clinic.joined("Kim", primary_id=(await clinic.member("Quill")).id)
    async with pumping(clinic):
        await yellow(clinic, "Kim")
        async with clinic.store.begin() as tx:
            await tx.run(outbox.update().where(outbox.c.key.like("d%")).values(state="failed"))
        await until(all_are(clinic, "sent"))
    assert len(mailbox.got) == 1


async def test_who_is_known_to_have_blocked_the_bot_is_paged_of_a_digest_and_the_next_gets_it(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    await presence.reachable(clinic.store, clinic.content, await clinic.turn("Quill"), blocked=True)
    async with pumping(clinic) as on:
        await yellow(clinic, "Robin")
        on()
        await until(all_are(clinic, "sent"))
    assert "Cases that wait for a look today: 1" in mailbox.text()
    assert "Yellow cases" in await clinic.said_to("Senior")


async def test_staff_and_supervisor_are_told_once_of_a_block_and_not_of_the_return(
    clinic: Cast, mailbox: Mailbox
) -> None:
    await clinic.invited("Ellis", "staff")
    await clinic.invited("Far", "staff", DAY)
    await add(clinic, mailbox.address(), name="Quill")
    for blocked in (True, True, False, True, False):
        await presence.reachable(clinic.store, clinic.content, await clinic.turn("Quill"), blocked=blocked)
        clinic.later(minutes=1)
    for name in ("Ellis", "Senior"):
        told = [message.text for message in await clinic.got(name) if "has blocked this bot" in message.text]
        assert len(told) == 1
        assert "Quill Sample" in told[0]
        assert "E-Mail (q…@clinic.example)" in told[0]
        assert PASSWORD not in told[0]
    for name in ("Far", "Backup", "Quill"):
        assert "has blocked this bot" not in await clinic.said_to(name)


async def test_a_participant_who_blocks_the_bot_is_nobodys_news(clinic: Cast) -> None:
    await presence.reachable(clinic.store, clinic.content, await clinic.turn("Robin"), blocked=True)
    assert "has blocked this bot" not in await clinic.said_to("Senior")


async def test_where_all_have_blocked_the_bot_alerts_do_not_go_round_and_round(clinic: Cast) -> None:
    await clinic.writes("Robin", RED)
    (case,) = await clinic.cases()
    for _ in range(20):
        async with clinic.store.begin() as tx:
            await alerts.alert_unreachable(tx, clinic.content, case.id, clinic.now)
    (case,) = await clinic.cases()
    chain = clinic.content.programme(EVENING, "").alerts["red"].chain
    assert case.alerts == len(chain) + 1
    clinic.later(minutes=5)
    assert await alerts.alert_due(clinic.store, clinic.content, clinic.now) == 1


async def test_two_flags_within_one_second_alert_each(clinic: Cast) -> None:
    await clinic.writes("Robin", ORANGE)
    clinic.later(milliseconds=20)
    await clinic.writes("Robin", RED)
    assert "RED" in (await clinic.got("Quill"))[-1].text
    assert await clinic.alerts_to("Quill") == 2


async def test_a_page_that_the_server_refuses_is_tried_again_and_arrives_once(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    mailbox.refuse = 2
    async with pumping(clinic) as on:
        await clinic.writes("Robin", RED)
        for tries in (1, 2):
            await until(lambda tries=tries: tried(clinic, tries))
            clinic.later(seconds=20)
            on()
        await until(all_are(clinic, "sent"))
        clinic.later(minutes=2)
        on()
        await asyncio.sleep(0.1)
    assert (mailbox.seen, len(mailbox.got)) == (3, 1)


async def last_tried(cast: Cast, tries: int) -> bool:
    return (await cast.kept(pages))[-1].attempts == tries


async def tried(cast: Cast, tries: int) -> bool:
    return [row.attempts for row in await cast.kept(pages)] == [tries]


async def test_a_server_that_is_down_gets_the_page_once_when_it_is_up(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    mailbox.close()
    async with pumping(clinic) as on:
        await clinic.writes("Robin", RED)
        await until(lambda: tried(clinic, 1))
        (row,) = await clinic.kept(pages)
        assert row.error == "not-reached"
        mailbox.open()
        clinic.later(seconds=20)
        on()
        await until(all_are(clinic, "sent"))
    assert len(mailbox.got) == 1


@pytest.mark.parametrize("text", [RED, ORANGE], ids=["red", "orange"])
async def test_only_red_is_tried_for_ever_and_never_more_than_a_minute_apart(clinic: Cast, text: str) -> None:
    await clinic.invited("Ellis", "staff")
    await add(clinic, "mailto://quill:pw@127.0.0.1:1?from=a@clinic.example&to=quill@clinic.example", name="Quill")
    async with pumping(clinic, lambda *_: "not-accepted") as on:
        await clinic.writes("Robin", text)
        clinic.later(seconds=61)
        for tries in range(1, paging.MOST_ATTEMPTS + 3):
            on()
            await until(lambda tries=tries: tried_or_given_up(clinic, tries))
            (row,) = await clinic.kept(pages)
            assert (row.not_before - clinic.now).total_seconds() <= paging.LONGEST_WAIT + 10
            clinic.later(seconds=61)
    assert await states(clinic) == (["ready"] if text == RED else ["failed"])
    told = [message.text for message in await clinic.got("Ellis") if "Pages don't get out" in message.text]
    assert len(told) == 1
    assert "did not take the message" in told[0]


async def tried_or_given_up(cast: Cast, tries: int) -> bool:
    (row,) = await cast.kept(pages)
    return row.attempts == tries or row.state == "failed"


@pytest.mark.parametrize("what", ["acknowledged", "resolved", "channel removed", "clinician removed"])
async def test_what_is_not_needed_any_more_is_dropped_before_it_is_tried_again(
    clinic: Cast, mailbox: Mailbox, what: str
) -> None:
    from bot.storage import people

    number = await add(clinic, mailbox.address(), name="Quill")
    mailbox.refuse = 1
    async with pumping(clinic) as on:
        await clinic.writes("Robin", RED)
        await until(lambda: tried(clinic, 1))
        (case,) = await clinic.cases()
        if what == "acknowledged":
            await cases.acknowledge(clinic.store, clinic.content, await clinic.turn("Backup"), case.id)
        elif what == "resolved":
            async with clinic.store.begin() as tx:
                await alerts.moved_on(tx, *await resolved(tx, case.id))
        elif what == "channel removed":
            await channels.remove(clinic.store, number, clinic.now)
        else:
            async with clinic.store.begin() as tx:
                await people.change_member(tx, (await clinic_member(tx, case)), standing="removed")
        clinic.later(seconds=61)
        on()
        await until(all_are(clinic, "dropped"))
    assert not mailbox.got


async def resolved(tx, case_id: int):
    from bot.domain import cases as life
    from bot.storage.cases import filed

    found = await filed(tx, case_id)
    assert found
    return found, life.resolved(found.case, "contacted-safe", "spoke with them")


async def clinic_member(tx, case) -> int:
    found: int = await tx.value(select(channel_table.c.member_id))
    return found


async def test_killed_between_sending_and_keeping_that_the_page_comes_twice_at_most(
    clinic: Cast, mailbox: Mailbox, monkeypatch
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    reached = asyncio.Event()

    async def killed(*_given) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with pumping(clinic):
        monkeypatch.setattr(Paging, "_settle", killed)
        await clinic.writes("Robin", RED)
        await asyncio.wait_for(reached.wait(), 10)
    monkeypatch.undo()
    assert await states(clinic) == ["ready"]
    async with pumping(clinic):
        await until(all_are(clinic, "sent"))
    assert len(mailbox.got) == 2


async def test_a_page_that_went_out_and_could_not_be_kept_is_not_sent_again(
    clinic: Cast, mailbox: Mailbox, monkeypatch
) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    monkeypatch.setattr(paging, "LOOK_AGAIN", 0.05)
    real, broken = paging.channels.settle, 2

    async def settle(*given) -> bool:
        nonlocal broken
        broken -= 1
        if broken >= 0:
            raise RuntimeError("broken on purpose")
        return await real(*given)

    monkeypatch.setattr(paging.channels, "settle", settle)
    async with pumping(clinic):
        await clinic.writes("Robin", RED)
        await until(all_are(clinic, "sent"))
    assert len(mailbox.got) == 1


async def test_one_slow_server_holds_up_nobody_else_and_is_not_asked_twice(
    clinic: Cast, mailbox: Mailbox, monkeypatch
) -> None:
    monkeypatch.setattr(paging, "LIMIT", 0.3)
    for name in ("Quill", "Backup", "Senior"):
        await add(clinic, mailbox.address(f"{name}@clinic.example"), name=name)
    await add(clinic, mailbox.address("all@clinic.example"), programme=EVENING)
    slow, asked = threading.Event(), []

    def send(address: str, title: str, body: str) -> addresses.Failure | None:
        asked.append(address)
        if "all@" in address:
            slow.wait(10)
            return None
        return addresses.send(address, title, body)

    async with pumping(clinic, send) as on:
        await clinic.writes("Robin", RED)
        on_call = await clinic.alerts_to("Quill") + await clinic.alerts_to("Backup")
        await until(all_are(clinic, "ready", *["sent"] * on_call))
        for tries in (1, 2, 3):
            await until(lambda tries=tries: last_tried(clinic, tries))
            clinic.later(seconds=61)
            on()
        slow.set()
        await until(all_are(clinic, "sent", *["sent"] * on_call))
    assert sum("all@" in address for address in asked) == 1


async def test_the_same_alert_is_never_paged_twice_by_a_channel(clinic: Cast, mailbox: Mailbox) -> None:
    await add(clinic, mailbox.address(), name="Quill")
    await clinic.writes("Robin", RED)
    (row,) = await clinic.kept(pages)
    async with clinic.store.begin() as tx:
        again = paging.channels.Paging(key=row.key, channel_id=row.channel_id, case_id=row.case_id, title="", body="")
        await paging.channels.page(tx, [again], clinic.now)
    assert len(await clinic.kept(pages)) == 1


async def test_the_address_is_sealed_for_its_row_and_gone_once_removed(clinic: Cast, mailbox: Mailbox) -> None:
    number = await add(clinic, mailbox.address(), name="Quill")
    (row,) = await clinic.kept(channel_table)
    assert PASSWORD.encode() not in row.address_sealed
    assert b"clinic.example" not in row.address_sealed
    await channels.remove(clinic.store, number, clinic.now)
    (row,) = await clinic.kept(channel_table)
    opened = clinic.store.vault.open("channels.address", row.id, row.address_sealed)
    assert PASSWORD not in opened
    with pytest.raises(channels.NoSuchChannel, match="interlude channel list"):
        await channels.remove(clinic.store, number, clinic.now)
    assert await add(clinic, mailbox.address(), name="Quill") == number + 1


async def test_only_who_is_alerted_may_have_a_channel(clinic: Cast, mailbox: Mailbox) -> None:
    with pytest.raises(channels.NoSuchChannel):
        await add(clinic, mailbox.address(), name="Robin")
    with pytest.raises(channels.NoSuchChannel):
        await add(clinic, mailbox.address(), programme="nowhere")


async def test_settings_show_a_clinician_their_channels_without_secrets(clinic: Cast, mailbox: Mailbox) -> None:
    await menus.show_settings(clinic.store, clinic.content, await clinic.turn("Quill"))
    assert "Other ways to reach you: none" in (await clinic.got("Quill"))[-1].text
    await add(clinic, mailbox.address(), name="Quill")
    await menus.show_settings(clinic.store, clinic.content, await clinic.turn("Quill"))
    shown = (await clinic.got("Quill"))[-1].text
    assert "E-Mail (q…@clinic.example)" in shown
    assert (await clinic.person("Quill")).code in shown
    assert PASSWORD not in shown
    await menus.show_settings(clinic.store, clinic.content, await clinic.turn("Robin"))
    assert "Other ways" not in (await clinic.got("Robin"))[-1].text
