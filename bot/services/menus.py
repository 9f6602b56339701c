"""What a participant can ask for: check-in, skills by topic or by typing, the last one again, help, settings."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from bot.content.library import Content
from bot.domain.activity import Skill
from bot.domain.understanding import folded
from bot.domain.words import Words, join
from bot.services import channels, practice
from bot.services.contacts import COUNTRY
from bot.services.enrolment import LANGUAGE_NAMES, ask_zone, language_menu
from bot.services.turn import Turn, no_longer_asked, programme_is_away, reply
from bot.services.voice import Voice, button, column, grid
from bot.storage import prompts, runs
from bot.storage.store import Store, Tx
from bot.telegram.message import Key, Message, written
from bot.telegram.taps import MenuTap

MOST_FOUND = 8
_ENOUGH = 3
"""Letters of a word that make it worth looking for."""


async def check_in(store: Store, content: Content, turn: Turn) -> None:
    """Begin the programme's check-in."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None:
            await reply(tx, turn, turn.voice(content).message("not-a-participant"))
            return
        if await programme_is_away(tx, content, turn, member):
            return
        streams = content.programme(member.programme, turn.language).levels.get(member.level, {})
        measure = streams["check-in"].measure if "check-in" in streams else ""
        measure = measure if measure in content.measures else "daily-check-in"
        if measure not in content.measures:
            await reply(tx, turn, turn.voice(content).message("programme-away"))
            return
        run = await practice.begin(tx, content, turn, member, kind="measure", activity_id=measure)
        await prompts.begun(tx, member.id, run.activity, run.id)


async def again(store: Store, content: Content, turn: Turn) -> None:
    """Go on with what was left open, or begin the last skill anew."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None:
            await reply(tx, turn, voice.message("not-a-participant"))
            return
        run = await runs.open_run(tx, member.id)
        last = await runs.last_activity(tx, member.id, "skill")
        if run:
            await practice.resume(tx, content, turn, member, run)
        elif last and last in content.skills:
            await practice.begin(tx, content, turn, member, kind="skill", activity_id=last)
        else:
            await reply(tx, turn, voice.message("again-nothing"))


async def show_topics(store: Store, content: Content, turn: Turn) -> None:
    """Show what skills help with."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await no_longer_asked(tx, turn)
        await reply(tx, turn, replace(_topics(content, turn), fresh=True))


async def show_skills(store: Store, content: Content, turn: Turn, topic: str) -> None:
    """Show the skills that help with a topic; without one, the topics again."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if not topic:
            await reply(tx, turn, _topics(content, turn))
            return
        found = [skill for skill in live_skills(content, turn.language) if topic in skill.helps_with]
        keys = [*_skill_keys(found), voice.button("button-back", MenuTap(menu="topic"))]
        message = voice.message("skills-for", column(keys), topic=topic_name(voice, topic))
        await reply(tx, turn, replace(message, card="skills"))


async def show_skill(store: Store, content: Content, turn: Turn, skill_id: str) -> None:
    """Show what a skill is, how long it takes, and who should leave it; with a button to begin."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if skill_id not in content.skills:
            await reply(tx, turn, voice.message("skill-gone"))
            return
        skill = content.skill(skill_id, turn.language)
        keys = [
            voice.button("button-begin", MenuTap(menu="begin", value=skill.id)),
            voice.button("button-back", MenuTap(menu="topic")),
        ]
        about = voice.words("skill-about", title=skill.title, summary=skill.summary, minutes=str(skill.minutes))
        caution = voice.words("skill-caution", cases=", ".join(skill.avoid_if)) if skill.avoid_if else ()
        await reply(tx, turn, replace(written(join((about, caution)), column(keys)), card="skills"))


async def begin_skill(store: Store, content: Content, turn: Turn, skill_id: str) -> None:
    """Begin a skill that was chosen from the menu; staff see it as a preview."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant or next(iter(turn.managing), None)
        if member is None or skill_id not in content.skills:
            await reply(tx, turn, turn.voice(content).message("skill-gone" if member else "not-a-participant"))
            return
        preview = member.role != "participant"
        await practice.begin(tx, content, turn, member, kind="skill", activity_id=skill_id, preview=preview)


async def begin_measure(store: Store, content: Content, turn: Turn, measure_id: str) -> None:
    """Begin a measure that was offered."""
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        member = turn.participant
        if member is None or measure_id not in content.measures:
            await reply(tx, turn, turn.voice(content).message("skill-gone" if member else "not-a-participant"))
            return
        await practice.begin(tx, content, turn, member, kind="measure", activity_id=measure_id)


async def show_help(store: Store, content: Content, turn: Turn) -> None:
    """Say what can be asked for, by role."""
    voice = turn.voice(content)
    parts: list[Words] = []
    if turn.participant or turn.joining or not turn.members:
        parts.append(voice.words("help-participant"))
    if turn.caring:
        parts.append(voice.words("help-clinician"))
    if turn.managing:
        parts.append(voice.words("help-staff"))
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        await reply(tx, turn, written(join(tuple(parts))))


async def show_settings(store: Store, content: Content, turn: Turn, choice: str = "") -> None:
    """Show the settings, or ask for the one that was chosen."""
    voice = turn.voice(content)
    async with store.begin(settles=turn.update_id, now=turn.now) as tx:
        if turn.person is None:
            await reply(tx, turn, voice.message("welcome-stranger"))
        elif choice == "language":
            await reply(tx, turn, replace(language_menu(voice, tuple(content.messages)), card="join", fresh=True))
        elif choice == "zone":
            await ask_zone(tx, content, turn)
        else:
            keys = [
                voice.button("settings-language", MenuTap(menu="settings", value="language")),
                voice.button("settings-zone", MenuTap(menu="settings", value="zone")),
            ]
            keys.append(voice.button("settings-country", MenuTap(menu=COUNTRY)))
            if turn.participant:
                keys.append(voice.button("settings-week", MenuTap(menu="week", value="")))
            language = LANGUAGE_NAMES.get(turn.language, turn.language)
            words = voice.words("settings", language=language, zone=turn.zone.key)
            if turn.caring:
                words = join((words, await channels.shown_to(tx, voice, turn.person, turn.caring)))
            await reply(tx, turn, replace(written(words, column(keys)), card="settings", fresh=True))


async def find(tx: Tx, content: Content, turn: Turn, text: str) -> bool:
    """Answer a typed search for skills; False when nothing is like it."""
    found = search(content, turn.voice(content), text)
    if not found:
        return False
    voice = turn.voice(content)
    await reply(tx, turn, replace(voice.message("skills-found", column(_skill_keys(found))), card="skills", fresh=True))
    return True


def search(content: Content, voice: Voice, text: str) -> list[Skill]:
    """Return the skills whose title, summary or topics the text names, the best first."""
    said = folded(text)
    words = [word for word in said.split() if len(word) >= _ENOUGH]
    ranked = []
    for skill in live_skills(content, voice.language):
        title = folded(skill.title)
        topics = " ".join(folded(topic_name(voice, topic)) for topic in skill.helps_with)
        rank = 3 * (said == title) + 2 * any(word in title for word in words) + any(word in topics for word in words)
        if rank:
            ranked.append((-rank, skill.title, skill))
    if not ranked and len(words) == 1:
        titles = {folded(skill.title): skill for skill in live_skills(content, voice.language)}
        return [titles[title] for title in get_close_matches(said, titles, n=3, cutoff=0.7)]
    return [skill for _, _, skill in sorted(ranked, key=lambda one: one[:2])][:MOST_FOUND]


def live_skills(content: Content, language: str) -> list[Skill]:
    """Return the skills that may be offered, by title."""
    skills = (content.skill(name, language) for name in content.skills)
    return sorted((skill for skill in skills if skill.status == "live"), key=lambda skill: skill.title)


def topic_name(voice: Voice, topic: str) -> str:
    """Return what a topic is called; a topic without a name of its own is called as it is written."""
    try:
        return voice.label(f"topic-{topic}")
    except LookupError:
        return topic.replace("-", " ")


def _topics(content: Content, turn: Turn) -> Message:
    voice = turn.voice(content)
    topics = sorted({topic for skill in live_skills(content, turn.language) for topic in skill.helps_with})
    named = sorted((topic_name(voice, topic), topic) for topic in topics)
    keys = [button(name, MenuTap(menu="topic", value=topic)) for name, topic in named]
    return replace(voice.message("skills", grid(keys, 2)), card="skills")


def skill_key(skill: Skill, tap: MenuTap) -> Key:
    """Return the button that stands for a skill."""
    return button(f"{skill.title} · {skill.minutes} min", tap)


def _skill_keys(skills: Iterable[Skill]) -> list[Key]:
    return [skill_key(skill, MenuTap(menu="skill", value=skill.id)) for skill in skills]
