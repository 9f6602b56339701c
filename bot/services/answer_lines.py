"""How one answer looks to a clinician: when, to what by its title, and what was said."""

from zoneinfo import ZoneInfo

from bot.content.library import Content
from bot.domain.safety_plan import is_step
from bot.domain.words import Words
from bot.services import plan_screens
from bot.services.safety import HELP_NOW
from bot.services.voice import Voice
from bot.storage.runs import Kind, answer_text
from bot.storage.store import Tx
from bot.storage.tables import Row

AFTER_CASE = "after-case"
"""The step under which is kept how somebody is after a case: this, a colon, and what they said."""


def answer_line(tx: Tx, content: Content, voice: Voice, row: Row, zone: ZoneInfo) -> Words:
    """Return an answer as a line; what the participant took back says so."""
    said = _said(tx, voice, row)
    answer = f"{said} ({voice.label('answers-taken-back')})" if row.withdrawn_at else said
    return voice.words("answers-line", when=voice.moment(row.at, zone), what=_asked(content, voice, row), answer=answer)


def _asked(content: Content, voice: Voice, row: Row) -> str:
    menu, _, step = row.step.partition("#")
    if menu == plan_screens.MENU and is_step(step):
        return f"{voice.label('button-safety-plan')} / {plan_screens.step_title(voice, step)}"
    if row.step.startswith(AFTER_CASE):
        return voice.label("answers-after-case")
    if row.step == HELP_NOW:
        return "/help_now"
    parts = (_title(content, voice, row.activity or ""), row.step)
    return " / ".join(part for part in parts if part) or voice.label("answers-unasked")


def _title(content: Content, voice: Voice, activity: str) -> str:
    """Return what a skill or measure is called; one whose file is gone is called by its id."""
    kind: Kind = "skill" if activity in content.skills else "measure"
    known = activity in content.skills or activity in content.measures
    return content.activity(kind, activity, voice.language).title if known else activity


def _said(tx: Tx, voice: Voice, row: Row) -> str:
    if row.step.startswith(AFTER_CASE):
        return voice.label(f"follow-up-key-{row.step.rpartition(' ')[2]}")
    if row.step == HELP_NOW:
        return voice.label("category-help-now")
    text = answer_text(tx, row)
    if text is None:
        return voice.label("cannot-be-read")
    return text or (f"{row.number:g}" if row.number is not None else "–")
