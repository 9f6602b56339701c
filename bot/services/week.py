"""A participant's own week: what comes when, own times, quiet hours, days off, pauses."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from babel.dates import get_day_names

from bot.content.library import Content
from bot.domain.programme import Hours
from bot.domain.understanding import hours_in
from bot.domain.words import Words, join
from bot.services.enrolment import ask_zone
from bot.services.plans import plan_anew, read_pause, read_preferences
from bot.services.turn import Turn, no_longer_asked, programme_is_away, reply
from bot.services.voice import Voice, button, column, grid
from bot.storage import audit, people, prompts
from bot.storage.people import Member
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Keyboard, Message, written
from bot.telegram.taps import MenuTap

WEEK = "week"
PAUSES = {"1d": timedelta(days=1), "3d": timedelta(days=3), "7d": timedelta(days=7), "14d": timedelta(days=14)}
SHOWN_AHEAD = 6


async def show(store: Store, content: Content, turn: Turn) -> None:
    """Show what comes next and what can be changed."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None:
            await reply(tx, turn, turn.voice(content).message("not-a-participant"))
            return
        await no_longer_asked(tx, turn)
        if await programme_is_away(tx, content, turn, member):
            return
        await reply(tx, turn, replace(await _overview(tx, content, turn, member), fresh=True))


async def choose(store: Store, content: Content, turn: Turn, choice: str) -> None:
    """Ask for what was chosen in the week's menu, or change it at once where a tap says it all."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None:
            await reply(tx, turn, turn.voice(content).message("not-a-participant"))
            return
        await no_longer_asked(tx, turn)
        if await programme_is_away(tx, content, turn, member):
            return
        await _chosen(tx, content, turn, member, choice)


async def _chosen(tx: Tx, content: Content, turn: Turn, member: Member, choice: str) -> None:
    kind, _, value = choice.partition("=")
    match kind, value:
        case "pause", "":
            await reply(tx, turn, _pause_menu(turn.voice(content)))
        case "pause", _:
            await _pause(tx, content, turn, member, value)
        case "days", "":
            await reply(tx, turn, _days_menu(turn.voice(content), member))
        case "days", _:
            await _toggle_day(tx, content, turn, member, int(value))
        case "zone", _:
            await ask_zone(tx, content, turn)
        case "own", _:
            await _set_hours(tx, content, turn, member, value, None)
        case (("window" | "quiet"), _):
            await _ask_hours(tx, content, turn, member, kind, value)
        case "stream", _:
            await _toggle_stream(tx, content, turn, member, value)
        case _:
            await reply(tx, turn, await _overview(tx, content, turn, member))


async def typed_hours(tx: Tx, content: Content, turn: Turn, member: Member, what: str, text: str) -> bool:
    """Take hours that were asked for; False (and asked again) when the text names none."""
    if await programme_is_away(tx, content, turn, member):
        return True
    hours = hours_in(text)
    if hours is None:
        await reply(tx, turn, turn.voice(content).message("hours-unclear"))
        return False
    await _set_hours(tx, content, turn, member, what, hours)
    return True


async def _set_hours(tx: Tx, content: Content, turn: Turn, member: Member, what: str, hours: Hours | None) -> None:
    """Keep own hours for a stream ("window:ID") or for quiet; None goes back to the programme's."""
    kind, _, stream = what.partition(":")
    pair = [f"{hours.start:%H:%M}", f"{hours.end:%H:%M}"] if hours else None
    changed: dict[str, Any] = dict(member.preferences)
    if kind == "quiet":
        changed["quiet"] = pair
    else:
        others = {name: own for name, own in changed.get("windows", {}).items() if name != stream}
        changed["windows"] = {**others, stream: pair} if pair else others
    await _keep(tx, content, turn, member, preferences=changed)


async def _ask_hours(tx: Tx, content: Content, turn: Turn, member: Member, kind: str, stream: str) -> None:
    assert turn.person  # noqa: S101 - a member is known
    voice = turn.voice(content)
    what = f"{kind}:{stream}" if stream else kind
    await people.change_person(tx, turn.person.id, dialogue={"kind": "hours", "what": what})
    keys = [
        voice.button("hours-programme", MenuTap(menu=WEEK, value=f"own={what}")),
        voice.button("button-back", MenuTap(menu=WEEK)),
    ]
    title = _stream_name(content, voice, member, stream) if stream else ""
    await reply(tx, turn, _in_card(voice.message(f"hours-ask-{kind}", column(keys), stream=title)))


async def _pause(tx: Tx, content: Content, turn: Turn, member: Member, value: str) -> None:
    until = None if value not in PAUSES else turn.now + PAUSES[value]
    kept = [pause for pause in member.pauses if not _running(pause, turn.now)]
    added = [] if value == "end" else [[turn.now.isoformat(), until.isoformat() if until else None]]
    await _keep(tx, content, turn, member, pauses=[*kept, *added])


async def _toggle_day(tx: Tx, content: Content, turn: Turn, member: Member, day: int) -> None:
    off = set(member.preferences.get("days_off", ()))
    changed = {**member.preferences, "days_off": sorted(off ^ {day})}
    member = replace(member, preferences=changed)
    await _keep(tx, content, turn, member, preferences=changed, say=False)
    await reply(tx, turn, _days_menu(turn.voice(content), member))


async def _toggle_stream(tx: Tx, content: Content, turn: Turn, member: Member, stream: str) -> None:
    told = content.programme(member.programme, turn.language).levels.get(member.level, {}).get(stream)
    if told is None or told.measure:  # what the team looks at is not switched off, only paused
        return
    off = set(member.preferences.get("switched_off", ()))
    await _keep(tx, content, turn, member, preferences={**member.preferences, "switched_off": sorted(off ^ {stream})})


async def _keep(
    tx: Tx,
    content: Content,
    turn: Turn,
    member: Member,
    *,
    say: bool = True,
    **changes: Any,  # noqa: ANN401
) -> None:
    """Keep what changed, plan anew by it, and show the week."""
    assert turn.person  # noqa: S101 - a member is known
    await people.change_member(tx, member.id, **changes)
    await people.change_person(tx, turn.person.id, dialogue=None)
    await audit.note(tx, "change week", turn.now, by=member.id, what=", ".join(changes))
    changed = replace(member, **changes)
    await plan_anew(tx, content, [(changed, turn.person)], turn.now)
    if say:
        await reply(tx, turn, await _overview(tx, content, turn, changed))


async def _overview(tx: Tx, content: Content, turn: Turn, member: Member) -> Message:
    voice = turn.voice(content)
    ahead = (await prompts.upcoming(tx, member.id))[:SHOWN_AHEAD]
    lines = tuple(
        voice.words(
            "week-line",
            when=voice.moment(prompt.due_at, turn.zone),
            what=_stream_name(content, voice, member, prompt.stream),
        )
        for prompt in ahead
    )
    paused = next((pause for pause in member.pauses if _running(pause, turn.now)), None)
    words = join(
        (
            voice.words("week", zone=turn.zone.key),
            join(lines, "\n") or voice.words("week-nothing"),
            _pause_words(voice, turn, paused),
            _quiet_words(content, voice, member),
        )
    )
    return _in_card(written(words, _overview_keys(content, voice, member, paused=bool(paused))))


def _pause_words(voice: Voice, turn: Turn, pause: list[str | None] | None) -> Words:
    if pause is None:
        return ()
    until = read_pause(pause).until
    return (
        voice.words("week-paused", until=voice.moment(until, turn.zone)) if until else voice.words("week-paused-open")
    )


def _quiet_words(content: Content, voice: Voice, member: Member) -> Words:
    """Both the programme's quiet hours and the person's own hold."""
    both = (content.programme(member.programme, voice.language).quiet, read_preferences(member.preferences).quiet)
    lines = (
        voice.words("week-quiet", start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}") for quiet in both if quiet
    )
    return join(tuple(lines), "\n")


def _overview_keys(content: Content, voice: Voice, member: Member, *, paused: bool) -> Keyboard:
    streams = content.programme(member.programme, voice.language).levels.get(member.level, {})
    off = set(member.preferences.get("switched_off", ()))
    keys = [
        voice.button(
            "week-window",
            MenuTap(menu=WEEK, value=f"window={stream}"),
            stream=_stream_name(content, voice, member, stream),
        )
        for stream, told in streams.items()
        if told.between and stream not in off
    ]
    keys += [
        voice.button(
            "week-switch-on" if stream in off else "week-switch-off",
            MenuTap(menu=WEEK, value=f"stream={stream}"),
            stream=_stream_name(content, voice, member, stream),
        )
        for stream, told in streams.items()
        if not told.measure
    ]
    pause = ("week-resume", "pause=end") if paused else ("week-pause", "pause")
    rest = [("week-quiet-button", "quiet"), ("week-days", "days"), pause, ("settings-zone", "zone")]
    return column(keys) + grid([voice.button(label, MenuTap(menu=WEEK, value=value)) for label, value in rest], 2)


def _pause_menu(voice: Voice) -> Message:
    keys = [voice.button(f"pause-{value}", MenuTap(menu=WEEK, value=f"pause={value}")) for value in PAUSES]
    keys.append(voice.button("pause-open", MenuTap(menu=WEEK, value="pause=open")))
    return _in_card(voice.message("pause-ask", column([*keys, _back(voice)])))


def _days_menu(voice: Voice, member: Member) -> Message:
    off = set(member.preferences.get("days_off", ()))
    names = get_day_names("wide", locale=voice.language)
    keys = [
        button(f"{'☐' if day in off else '☑'} {names[day]}", MenuTap(menu=WEEK, value=f"days={day}"))
        for day in range(7)
    ]
    return _in_card(voice.message("days-ask", (*grid(keys, 2), (_back(voice),))))


def _back(voice: Voice) -> Key:
    return voice.button("button-back", MenuTap(menu=WEEK))


def _stream_name(content: Content, voice: Voice, member: Member, stream: str) -> str:
    told = content.programme(member.programme, voice.language).levels.get(member.level, {}).get(stream)
    if told and told.measure:
        there = told.measure in content.measures
        return content.measure(told.measure, voice.language).title if there else told.measure
    there = told is not None and told.skill in content.skills
    return content.skill(told.skill, voice.language).title if told and there else voice.label("stream-skill")


def _running(pause: list[str | None], now: datetime) -> bool:
    read = read_pause(pause)
    return read.until is None or read.until > now


def _in_card(message: Message) -> Message:
    return replace(message, card=WEEK)
