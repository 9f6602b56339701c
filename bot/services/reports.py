"""A participant's progress as a picture: mood, distress before and after, what helped."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from statistics import fmean

from babel.dates import format_skeleton
from babel.numbers import format_decimal

from bot.content.library import Content
from bot.domain.flow import STOPPED, SWITCHED
from bot.domain.words import join, say
from bot.services import changes
from bot.services.turn import Turn, reply
from bot.services.voice import Voice
from bot.storage import runs
from bot.storage.people import Member
from bot.storage.runs import Practised
from bot.storage.store import Store
from bot.telegram.message import CAPTION_LIMIT, Message, written
from bot.telegram.pictures import Progress, ProgressWords, SkillProgress, alt_text, progress_png

SHOWN = timedelta(days=28)
MOOD = "mood"
"""The step of the check-in that asks for the mood, 0 to 10."""


async def show_progress(store: Store, content: Content, turn: Turn) -> None:
    """Show the participant's last four weeks as a picture; it is drawn before the transaction that posts it."""
    voice = turn.voice(content)
    member = turn.participant
    message = await _progress_message(store, content, turn, member) if member else voice.message("not-a-participant")
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await reply(tx, turn, message)


async def _progress_message(store: Store, content: Content, turn: Turn, member: Member) -> Message:
    voice = turn.voice(content)
    progress = await _progress(store, content, turn, member)
    if not progress.days and not progress.skills:
        return voice.message("progress-nothing")
    words = _words(voice)
    told = alt_text(progress, words)
    async with store.read() as tx:
        changed = await changes.for_oneself(tx, content, voice, member.id, turn.zone)
    caption = written(join((*changed, say(told)), "\n"), limit=CAPTION_LIMIT)
    return Message(text=caption.text, drawn=progress_png(progress, words), alt=told)


async def _progress(store: Store, content: Content, turn: Turn, member: Member) -> Progress:
    until = turn.now.astimezone(turn.zone).date()
    first = until - SHOWN + timedelta(days=1)
    since = datetime.combine(first, time(), tzinfo=turn.zone).astimezone(turn.now.tzinfo)
    async with store.read() as tx:
        moods = await runs.numbers_of(tx, member.id, MOOD, since)
        practised = (await runs.practised(tx, [member.id], since))[member.id]
    by_day: defaultdict[date, list[float]] = defaultdict(list)
    for at, mood in moods:
        by_day[at.astimezone(turn.zone).date()].append(mood)
    return Progress(
        days=tuple((day, fmean(said)) for day, said in sorted(by_day.items())),
        skills=tuple(_skills(content, turn.language, practised)),
        since=first,
        until=until,
    )


def _skills(content: Content, language: str, practised: Iterable[Practised]) -> Iterable[SkillProgress]:
    """Yield each skill that was practised to its end, or so far that it was rated."""
    by_skill: defaultdict[str, list[Practised]] = defaultdict(list)
    for one in practised:
        if one.after is not None or one.outcome not in (STOPPED, SWITCHED):
            by_skill[one.activity].append(one)
    for skill, done in by_skill.items():
        rated = [(one.before, one.after) for one in done if one.before is not None and one.after is not None]
        yield SkillProgress(
            title=content.skill(skill, language).title if skill in content.skills else skill.replace("-", " "),
            times=len(done),
            before=fmean(before for before, _ in rated) if rated else None,
            after=fmean(after for _, after in rated) if rated else None,
        )


def _words(voice: Voice) -> ProgressWords:
    return ProgressWords(
        title=voice.label("progress-title"),
        period=voice.label("progress-period"),
        mood=voice.label("progress-mood"),
        mood_scale=voice.label("progress-mood-scale"),
        no_mood=voice.label("progress-no-mood"),
        helped_most=voice.label("progress-helped-most"),
        distress=voice.label("progress-distress"),
        distress_scale=voice.label("progress-distress-scale"),
        before=voice.label("progress-before"),
        after=voice.label("progress-after"),
        times=voice.label("progress-times"),
        not_rated=voice.label("progress-not-rated"),
        more=voice.label("progress-more"),
        no_skills=voice.label("progress-no-skills"),
        alt_mood=voice.label("progress-alt-mood"),
        alt_skill=voice.label("progress-alt-skill"),
        alt_unrated=voice.label("progress-alt-unrated"),
        day=lambda day: format_skeleton("MMMd", day, locale=voice.language),
        number=lambda number: format_decimal(round(number, 1), "0.#", locale=voice.language),
    )
