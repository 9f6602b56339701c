"""What follows from something worrying: a flag, a case, alerts, and at once the people and numbers to turn to."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from bot.content.library import Content
from bot.domain import cases as life
from bot.domain.activity import LEVELS, Level
from bot.domain.flow import Answer
from bot.domain.pieces import LONGEST_MESSAGE, pieces
from bot.domain.programme import Programme
from bot.domain.risk.rules import COULD_NOT_BE_EXAMINED
from bot.domain.safety_plan import SafetyPlan
from bot.domain.words import Words, join
from bot.semantic.opinion import RULE, SecondOpinion
from bot.services.alerts import add_flags, working
from bot.services.contacts import contact_lines, contact_words, country_key, country_of, number_keys, programme_of
from bot.services.plan_screens import own_words_first, plan_key
from bot.services.reach import Reached, reachable, reached
from bot.services.safety_plan import owner, plan_for_now
from bot.services.staff import tell_set_aside
from bot.services.turn import Turn, no_longer_asked, reply
from bot.services.voice import Voice
from bot.storage import people
from bot.storage.cases import Flag
from bot.storage.outbox import Lane
from bot.storage.people import Member, Person
from bot.storage.runs import add_answer
from bot.storage.store import Store, Tx
from bot.telegram.message import Message, written
from bot.telegram.taps import MenuTap, tap_data

HELP_NOW = "help-now"
DISTRESS = "distress"
"""The category of a flag for high distress, and the item of a measure that asks for it."""

LONGEST_THOUGHT = 2.0
"""Seconds that the second opinion may take; it needs hundredths."""
LONGEST_EVIDENCE = 64
LONGEST_COMMAND = 64

log = structlog.get_logger()


async def examine(content: Content, text: str, answer_id: int | None) -> tuple[Flag, ...]:
    """Return what the risk rules find in a text; where they find nothing, what the second opinion says.

    What is longer than a message of Telegram's is examined piece by piece, and everybody else's work goes on between.
    """
    found: tuple[Flag, ...] = ()
    for number, piece in enumerate(pieces(text)):
        if number:
            await asyncio.sleep(0)
        found = _gravest_by_rule((*found, *_by_rules(content, piece, answer_id)))
    if found or content.second_opinion is None:
        return found
    for piece in pieces(text):
        if thought := await _second_opinion(content.second_opinion, piece, answer_id):
            return thought
    return ()


def _by_rules(content: Content, text: str, answer_id: int | None) -> Iterator[Flag]:
    for finding in content.detector.examine(text):
        yield Flag(
            level=finding.level,
            category=finding.category,
            rule=finding.rule,
            version=finding.version,
            answer_id=answer_id,
            lowered_by=finding.lowered_by,
        )


def _gravest_by_rule(found: Iterable[Flag]) -> tuple[Flag, ...]:
    """Keep one flag of each rule, the gravest first, as the rules do within one text."""
    gravest: dict[str, Flag] = {}
    for flag in sorted(found, key=lambda flag: LEVELS.index(flag.level)):
        gravest.setdefault(flag.rule, flag)
    return tuple(gravest.values())


async def _second_opinion(asked: SecondOpinion, text: str, answer_id: int | None) -> tuple[Flag, ...]:
    """Return at most a yellow flag. Beside the event loop; an opinion that fails or comes late is left out."""
    try:
        opinion = await asyncio.wait_for(asyncio.to_thread(asked.consider, text), LONGEST_THOUGHT)
    except Exception as error:  # noqa: BLE001 - what the rules found stands, whatever happens here
        log.warning("no second opinion on a text, the rules stand alone", why=type(error).__name__)
        return ()
    if not opinion.worth_a_look:
        return ()
    similar_to = ", ".join(example.id for example in opinion.similar)[:LONGEST_EVIDENCE]
    return (
        Flag(
            level="yellow",
            category=opinion.category,
            rule=RULE,
            version=opinion.version,
            answer_id=answer_id,
            similar_to=similar_to,
        ),
    )


async def respond(
    tx: Tx, content: Content, turn: Turn, member: Member, person: Person, found: Sequence[Flag]
) -> Level | None:
    """Flag what was found, alert, and answer the participant with where help is. Returns the gravest level found."""
    level = life.highest(flag.level for flag in found)
    if level is None:
        return None
    told = await reached(tx, await add_flags(tx, content, member, person, found, turn.now))
    plan = await plan_for_now(tx, member)
    distressed = any(flag.category == DISTRESS for flag in found)
    message = level_message(content, member, person, level, plan, turn.now, distressed=distressed, told=told)
    await reply(tx, turn, message, Lane.SAFETY)
    return level


def level_message(
    content: Content,
    member: Member,
    person: Person,
    level: Level,
    plan: SafetyPlan,
    now: datetime,
    *,
    distressed: bool = False,
    told: Reached = "clinician",
) -> Message:
    """Return what a participant is told at once at this level, when alerts reached `told`.

    Red, orange and whatever comes of high distress begin with their own safety plan. Where no clinician was reached,
    whom they can turn to comes next, and then that nobody, or only staff, was told.
    """
    voice = Voice(content, person.language)
    programme = programme_of(content, member, person.language)
    country = country_of(person, programme)
    own_plan = ((plan_key(voice),),) if plan else ()
    keyboard = (*own_plan, *number_keys(content, voice, programme, country), (country_key(voice, country),))
    if level == "yellow":
        key = "risk-yellow" if told == "clinician" else f"risk-yellow-{told}"
        lines = contact_lines(content, voice, programme, country)
        back = _back(voice, programme, person, now) if programme else ()
        words = join((voice.words(key), lines, back))
        return written(own_words_first(voice, plan, words) if distressed else words, keyboard)
    contacts = contact_words(content, voice, programme, country)
    staffed = _staffed(voice, programme, person, now, told) if programme else ()
    if told == "clinician":
        parts = (voice.words(f"risk-{level}"), contacts, staffed)
    else:
        parts = (contacts, voice.words(f"risk-{level}-{told}"), staffed)
    return written(own_words_first(voice, plan, join(parts)), keyboard)


def _back(voice: Voice, programme: Programme, person: Person, now: datetime) -> Words:
    """Out of hours, say when the team is back, by the person's own clock."""
    opens = life.opening(now, working(programme))
    return () if opens == now else voice.words("office-back", when=voice.moment(opens, ZoneInfo(person.zone)))


def _staffed(voice: Voice, programme: Programme, person: Person, now: datetime, told: Reached) -> Words:
    """Say whether the team is at work, and when it is next, by the person's own clock."""
    if told != "clinician":
        return _back(voice, programme, person, now)
    opens = life.opening(now, working(programme))
    if opens == now:
        return voice.words("staffed-now")
    return voice.words("not-staffed-now", when=voice.moment(opens, ZoneInfo(person.zone)))


def asks_for_help(said: str) -> bool:
    """Return whether somebody typed /help_now, in whatever letters and whatever came after it."""
    return said[:LONGEST_COMMAND].casefold().startswith("/help_now")


def is_cry(content: Content, said: str) -> bool:
    """Return whether what somebody wrote or tapped asks for help, by the rules alone: nothing else is needed for it.

    What is longer than Telegram lets anybody write is not examined here, where nothing waits, but taken for a cry.
    """
    asks = asks_for_help(said) or said.startswith(tap_data(MenuTap(menu=HELP_NOW)))
    if asks or len(said) > LONGEST_MESSAGE:
        return True
    return any(finding.level in ("red", "orange") for finding in content.detector.examine(said))


def with_contacts(content: Content, turn: Turn, key: str) -> Message:
    """Return the message of this key, and below it whom the person of the turn can turn to."""
    voice = turn.voice(content)
    programme = programme_of(content, turn.participant or turn.joining, turn.language)
    country = country_of(turn.person, programme)
    words = join((voice.words(key), contact_words(content, voice, programme, country)))
    return written(words, (*number_keys(content, voice, programme, country), (country_key(voice, country),)))


async def set_aside(store: Store, content: Content, chat_id: int, now: datetime) -> None:
    """Tell staff that something a person sent could not be handled, and flag it to who looks after them.

    `chat_id` is 0 for what holds nothing that anybody has to look at.
    """
    try:
        async with store.begin() as tx:
            await _flag_unexamined(tx, content, chat_id, now)
    finally:
        await tell_set_aside(store, content, now)


async def _flag_unexamined(tx: Tx, content: Content, chat_id: int, now: datetime) -> None:
    person = await people.person_by_telegram(tx, chat_id)
    places = await people.memberships(tx, person.id) if person else ()
    member = next((one for one in places if one.role == "participant" and one.standing == "active"), None)
    if person and member:
        flag = Flag(level="orange", category=COULD_NOT_BE_EXAMINED, rule="set-aside", version="1")
        await add_flags(tx, content, member, person, (flag,), now)


async def help_now(store: Store, content: Content, turn: Turn) -> None:
    """Show whom to turn to, and ask whether the clinician on call is to be told."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await show_help_now(tx, content, turn)


async def show_help_now(tx: Tx, content: Content, turn: Turn, country: str = "") -> None:
    """Post whom to turn to, in `country` where it was just chosen; never anything before that."""
    voice = turn.voice(content)
    programme = programme_of(content, turn.participant or turn.joining, turn.language)
    country = country or country_of(turn.person, programme)
    words = join((voice.words("help-now"), contact_words(content, voice, programme, country)))
    keyboard = number_keys(content, voice, programme, country)
    if turn.participant:
        can_tell = await reachable(tx, turn.participant.programme) == "clinician"
        words = join((words, voice.words("help-now-ask" if can_tell else "help-now-ask-nobody")))
        tell = "button-tell-clinician" if can_tell else "button-leave-word"
        keyboard = (
            *keyboard,
            (voice.button(tell, MenuTap(menu=HELP_NOW, value="tell")),),
            (voice.button("button-not-now", MenuTap(menu=HELP_NOW, value="no")),),
        )
    keyboard = (*keyboard, (country_key(voice, country),))
    await no_longer_asked(tx, turn)
    plan = await plan_for_now(tx, await owner(tx, turn))
    keyboard = (*keyboard, (plan_key(voice),)) if plan else keyboard
    message = written(own_words_first(voice, plan, words), keyboard)
    await reply(tx, turn, replace(message, card=HELP_NOW, fresh=True), Lane.SAFETY)


async def help_now_answered(store: Store, content: Content, turn: Turn, value: str) -> None:
    """Tell the clinician on call, or leave it, as the participant chose."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member, person = turn.participant, turn.person
        if value == "tell" and member and person:
            answer_id = await add_answer(tx, member.id, None, "remark", Answer(step=HELP_NOW), turn.now)
            flag = Flag(level="red", category=HELP_NOW, rule=HELP_NOW, version="1", answer_id=answer_id)
            await respond(tx, content, turn, member, person, (flag,))
        elif value == "tell":  # a button from when they were in a programme: nobody may believe that somebody was told
            await reply(tx, turn, with_contacts(content, turn, "risk-outsider"), Lane.SAFETY)
        else:
            await reply(tx, turn, voice.message("help-now-left"), Lane.SAFETY)
