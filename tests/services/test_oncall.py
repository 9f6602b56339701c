"""The rota decides who is alerted; changes of it are asked for, accepted, told, and nobody else's."""

from datetime import UTC, date, datetime, time

import pytest
from cast import Cast

from bot.domain.rota import Absence, Shift
from bot.services import alerts, cases, clock_set_back, digests, handovers, oncall, presence, rota_changes
from bot.services.access import Refused
from bot.services.rota import BadRota
from bot.storage import rota as records
from bot.storage.tables import absences, covers

RED, ORANGE = "I want to kill myself tonight", "I wish I was dead"
NOON = datetime(2026, 11, 4, 17, 0, tzinfo=UTC)
"""A Wednesday, 12:00 in New York."""


@pytest.fixture
async def rota(clinic: Cast) -> Cast:
    """Quill is on call on weekdays from 9 to 17, Backup every day from 17 to 9."""
    clinic.now = NOON
    quill, backup = await clinic.member("Quill"), await clinic.member("Backup")
    shifts = [shift(quill.id, day, time(9), 8) for day in range(5)] + [
        shift(backup.id, day, time(17), 16) for day in range(7)
    ]
    async with clinic.store.begin() as tx:
        await records.add_shifts(tx, "adult-evening", shifts, clinic.now)
    return clinic


def shift(member_id: int, weekday: int, starts: time, hours: int) -> Shift:
    return Shift(
        member_id=member_id,
        duty="on-call",
        weekday=weekday,
        starts=starts,
        minutes=hours * 60,
        since=date(2026, 11, 2),
    )


async def taps(cast: Cast, name: str, label: str) -> None:
    tap = await cast.button(name, label)
    await oncall.choose(cast.store, cast.content, await cast.turn(name), tap.value)


async def shown(cast: Cast, name: str) -> str:
    await oncall.show(cast.store, cast.content, await cast.turn(name))
    return (await cast.got(name))[-1].text


async def test_a_red_alert_goes_to_who_is_on_call_and_then_to_the_backup(rota: Cast) -> None:
    await rota.writes("Robin", RED)
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup", "Senior")] == [1, 0, 0]
    await alerts.alert_due(rota.store, rota.content, rota.later(minutes=5))
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup", "Senior")] == [1, 1, 0]


async def test_at_night_it_goes_to_the_night_shift(rota: Cast) -> None:
    rota.now = datetime(2026, 11, 5, 3, 0, tzinfo=UTC)
    await rota.writes("Robin", RED)
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup")] == [0, 1]


async def test_who_is_away_is_passed_over_and_with_nobody_on_the_rota_all_clinicians_are_told(rota: Cast) -> None:
    quill = await rota.member("Quill")
    async with rota.store.begin() as tx:
        await records.add_absence(
            tx, Absence(member_id=quill.id, first=date(2026, 11, 4), last=date(2026, 11, 4)), NOON
        )
    await rota.writes("Robin", ORANGE)
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup")] == [0, 1]


async def test_who_said_to_be_away_later_sees_it_and_can_take_it_back(rota: Cast) -> None:
    await shown(rota, "Quill")
    await taps(rota, "Quill", "I am away …")
    await taps(rota, "Quill", "Tomorrow only")
    assert "You are away on Thu 5 Nov." in (await rota.got("Quill"))[-1].text
    await taps(rota, "Quill", "I will be there after all")
    assert "You are away" not in (await rota.got("Quill"))[-1].text
    assert "I will be there after all" not in await rota.labels("Quill")
    assert await rota.kept(absences) == []


async def test_oncall_shows_who_is_on_now_and_next_and_what_nobody_covers(rota: Cast) -> None:
    said = await shown(rota, "Quill")
    assert "Now: Quill Sample, until Wed 4 Nov" in said
    assert "Next: Backup Sample" in said
    assert "Nobody is on call at these times" in said
    with pytest.raises(Refused):
        await shown(rota, "Robin")


async def test_who_takes_over_is_on_call_until_the_shift_ends(rota: Cast) -> None:
    await shown(rota, "Backup")
    await taps(rota, "Backup", "Take over now")
    assert "Now: Backup Sample" in (await rota.got("Backup"))[-1].text
    await rota.writes("Robin", RED)
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup")] == [0, 1]


async def test_a_turn_is_a_colleagues_only_once_they_accept_and_only_theirs_to_accept(rota: Cast) -> None:
    await shown(rota, "Quill")
    await taps(rota, "Quill", "Ask a colleague to take my next turn")
    await taps(rota, "Quill", "Senior Sample")
    offer = await rota.button("Senior", "Yes, I take it")
    assert [row.accepted_at for row in await rota.kept(covers)] == [None]
    for other in ("Backup", "Other", "Quill"):
        with pytest.raises(Refused):
            await oncall.choose(rota.store, rota.content, await rota.turn(other), offer.value)
    for _ in range(2):
        await oncall.choose(rota.store, rota.content, await rota.turn("Senior"), offer.value)
    assert (await rota.said_to("Quill")).count("Senior Sample takes your turn") == 1
    rota.now = datetime(2026, 11, 5, 15, 0, tzinfo=UTC)
    assert "Now: Senior Sample" in await shown(rota, "Quill")


async def test_at_a_change_of_shift_both_get_what_is_open_once(rota: Cast) -> None:
    while await handovers.hand_over(rota.store, rota.content, rota.now):
        pass
    assert "You are on call" in await rota.said_to("Quill")
    await rota.writes("Robin", RED)
    rota.now = datetime(2026, 11, 4, 22, 1, tzinfo=UTC)
    for _ in range(3):
        await handovers.hand_over(rota.store, rota.content, rota.now)
    for name, word in (("Quill", "no longer on call"), ("Backup", "You are on call")):
        handed = [one.text for one in await rota.got(name) if word in one.text]
        assert len(handed) == 1
        assert "RED" in handed[0]
        assert "Robin" not in handed[0]


async def test_yellow_cases_come_together_at_the_start_of_the_next_working_day(rota: Cast) -> None:
    await rota.joined("Kim", primary_id=(await rota.member("Quill")).id)
    for name in ("Robin", "Kim"):
        await rota.begins(name, "box-breathing")
        for label in ("9", "Start", "Go on now", "9"):
            await rota.taps(name, label)
    assert [case.level for case in await rota.cases()] == ["yellow", "yellow"]
    assert await rota.alerts_to("Quill") == 0
    rota.now = datetime(2026, 11, 5, 14, 0, tzinfo=UTC)
    for _ in range(2):
        await digests.send_due(rota.store, rota.content, rota.now)
        await alerts.alert_due(rota.store, rota.content, rota.now)
    found = [one.text for one in await rota.got("Quill") if "Yellow cases" in one.text]
    assert len(found) == 1
    assert found[0].count("YELLOW") == 2
    assert "Robin" not in found[0]
    rota.now = datetime(2026, 11, 6, 14, 0, tzinfo=UTC)
    await digests.send_due(rota.store, rota.content, rota.now)
    assert "Yellow cases" in await rota.said_to("Senior")


async def test_a_yellow_case_from_before_a_public_holiday_of_the_country_waits_for_the_day_after_it(rota: Cast) -> None:
    rota.now = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
    await _left_in_distress(rota, "Robin")
    (case,) = await rota.cases()
    friday = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
    assert (case.next_alert, case.deadline) == (friday, friday.replace(hour=17)), "Thursday is Thanksgiving"
    assert await _digests(rota, "Quill", "Yellow cases") == []
    rota.now = friday
    assert len(await _digests(rota, "Quill", "Yellow cases")) == 1


HEAD = "member,duty,days,from,hours,every_weeks,since"


async def test_a_rota_is_read_from_a_file_shown_and_ended(clinic: Cast) -> None:
    clinic.now = NOON
    quill, store, content = (await clinic.person("Quill")).code, clinic.store, clinic.content
    asked = rota_changes.read_file([HEAD, f"{quill},on-call,mon;wed;fri,09:00,8,,2026-11-02"])
    assert await rota_changes.add(store, content, "adult-evening", asked, clinic.now) == 3
    rows = await rota_changes.table(store, content, "adult-evening", clinic.now, 1)
    assert rows[0] == ("on-call", "Wed 2026-11-04 12:00 – Wed 2026-11-04 17:00", f"Quill Sample ({quill})")
    assert rows[1][2] == "NOBODY"
    await rota_changes.stand_in(store, content, "adult-evening", quill, "2026-11-05T09:00", 2, "on-call", clinic.now)
    await rota_changes.away(store, content, "adult-evening", quill, date(2026, 11, 6), date(2026, 11, 6), clinic.now)
    rows = await rota_changes.table(store, content, "adult-evening", clinic.now, 1)
    covered = [times for _, times, who in rows if quill in who]
    assert len(covered) == 4, "on Friday she is away"
    assert covered[1].startswith("Thu 2026-11-05 09:00")
    assert await rota_changes.remove(store, content, "adult-evening", quill, clinic.now) == 3


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("X,on-call,someday,09:00,8,,", "line 2: 'someday' is no day"),
        ("X,on-call,mon,nine,8,,", "line 2: 'nine' is no time"),
        ("X,night,mon,09:00,8,,", "line 2: 'night' is no duty"),
        ("X,on-call,mon,09:00,999,,", "line 2: 999 hours are no shift"),
        ("X,on-call,mon,09:00,eight,,", "line 2: "),
        ("X,on-call,mon,09:00,inf,,", "line 2: inf hours are no shift"),
        ("X,on-call,mon,09:00,nan,,", "line 2: nan hours are no shift"),
        ("X,on-call,mon,09:00+05:00,8,,", "line 2: '09:00.05:00' names a zone"),
        ("X,on-call,mon,09:00,8,0,", "line 2: every_weeks"),
        ("X,on-call,mon,09:00,8,,soon", "line 2: "),
    ],
)
def test_a_bad_line_says_which_and_what_to_do(line: str, why: str) -> None:
    with pytest.raises(BadRota, match=why):
        rota_changes.read_file([HEAD, line])


@pytest.mark.parametrize(
    ("starts", "why"),
    [("2026-11-05T09:00Z", "names a zone"), ("tomorrow", "is no time"), ("2026-11-05T09:00+02:00", "zone")],
)
async def test_a_stand_in_begins_by_the_programmes_clock_alone(clinic: Cast, starts: str, why: str) -> None:
    quill = (await clinic.person("Quill")).code
    with pytest.raises(BadRota, match=why):
        await rota_changes.stand_in(
            clinic.store, clinic.content, "adult-evening", quill, starts, 8, "on-call", clinic.now
        )
    assert await clinic.kept(covers) == []


async def test_nobody_from_outside_is_put_on_a_rota(clinic: Cast) -> None:
    for name in ("Robin", "Other"):
        asked = [rota_changes.Asked(member=(await clinic.person(name)).code)]
        with pytest.raises(BadRota, match="no clinician or supervisor"):
            await rota_changes.add(clinic.store, clinic.content, "adult-evening", asked, clinic.now)
    with pytest.raises(BadRota, match="there is no programme"):
        await rota_changes.add(clinic.store, clinic.content, "nowhere", [], clinic.now)


async def _left_in_distress(cast: Cast, name: str) -> None:
    await cast.begins(name, "box-breathing")
    for label in ("9", "Start", "Go on now", "9"):
        await cast.taps(name, label)


async def _digests(cast: Cast, name: str, word: str) -> list[str]:
    await alerts.alert_due(cast.store, cast.content, cast.now)
    await digests.send_due(cast.store, cast.content, cast.now)
    return [one.text for one in await cast.got(name) if word in one.text]


NEWS = "New yellow findings"


@pytest.mark.parametrize("said", [RED, ORANGE])
async def test_of_a_yellow_finding_in_a_case_that_somebody_took_they_are_told_in_the_next_digest(
    rota: Cast, said: str
) -> None:
    await rota.writes("Robin", said)
    (case,) = await rota.cases()
    await cases.acknowledge(rota.store, rota.content, await rota.turn("Backup"), case.id)
    alerted = [await rota.alerts_to(name) for name in ("Quill", "Backup", "Senior")]
    await _left_in_distress(rota, "Robin")
    assert await _digests(rota, "Backup", NEWS) == []
    rota.now = datetime(2026, 11, 5, 14, 0, tzinfo=UTC)
    for _ in range(2):
        found = await _digests(rota, "Backup", NEWS)
    assert len(found) == 1
    assert (await rota.person("Robin")).code in found[0]
    assert await _digests(rota, "Quill", NEWS) == []
    rota.now = datetime(2026, 11, 6, 14, 0, tzinfo=UTC)
    assert len(await _digests(rota, "Backup", NEWS)) == 1, "what is told once is not told again"
    assert [await rota.alerts_to(name) for name in ("Quill", "Backup", "Senior")] == alerted, "it alerts nobody"
    assert (await rota.cases())[0].state == "acknowledged"


async def test_news_of_a_case_whose_holder_cannot_be_told_go_to_who_looks_after_it(rota: Cast) -> None:
    await rota.writes("Robin", ORANGE)
    (case,) = await rota.cases()
    await cases.acknowledge(rota.store, rota.content, await rota.turn("Backup"), case.id)
    await _left_in_distress(rota, "Robin")
    rota.now = datetime(2026, 11, 5, 14, 0, tzinfo=UTC)
    assert len(await _digests(rota, "Backup", NEWS)) == 1
    backup = await rota.turn("Backup")
    async with rota.store.begin() as tx:
        await presence.found_blocked(tx, rota.content, backup.telegram_id, rota.now)
        await digests.pass_on(tx, backup.members[0].id, rota.now)
    assert len(await _digests(rota, "Senior", NEWS)) == 1


async def test_a_restart_brings_news_of_a_case_no_sooner(rota: Cast) -> None:
    await rota.writes("Robin", RED)
    (case,) = await rota.cases()
    await cases.acknowledge(rota.store, rota.content, await rota.turn("Quill"), case.id)
    await _left_in_distress(rota, "Robin")
    await clock_set_back.put_right(rota.store, rota.content, rota.now)
    (case,) = await rota.cases()
    assert case.next_alert == datetime(2026, 11, 5, 14, 0, tzinfo=UTC)
