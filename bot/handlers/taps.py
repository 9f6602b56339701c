"""Taps on buttons: read what the button means, call one service, answer the tap."""

import contextlib
from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery

from bot.content.library import Content
from bot.services import (
    case_handing,
    cases,
    conversation,
    countries,
    enrolment,
    erasure,
    export,
    follow_ups,
    menus,
    oncall,
    plan_proposals,
    plan_screens,
    practice,
    prompts,
    roster_menu,
    safety,
    safety_plan,
    week,
)
from bot.services.contacts import COUNTRY
from bot.services.turn import Turn
from bot.storage.store import Store
from bot.telegram.taps import CaseTap, MenuTap, PromptTap, RunTap, read_tap


async def tapped(query: CallbackQuery, store: Store, content: Content, turn: Turn, link_base: str) -> None:
    said = await _act(query.data or "", store, content, turn, link_base)
    if turn.hurried and not turn.caring:
        return  # each answer is one more request to Telegram
    with contextlib.suppress(TelegramAPIError):  # only stops the button's spinner
        await query.answer(turn.voice(content).label(said) if said else None)


async def _act(data: str, store: Store, content: Content, turn: Turn, link_base: str) -> str:
    """Do what the button says; return the key of the word for the tap."""
    match read_tap(data):
        case RunTap() as tap:
            return await practice.tap(store, content, turn, tap)
        case PromptTap(prompt=prompt, verb=verb):
            return await _prompt(store, content, turn, prompt, verb)
        case CaseTap() as tap:
            return await _case(store, content, turn, tap)
        case MenuTap() as tap:
            await _menu(store, content, turn, tap, link_base)
            return ""
        case None:
            await conversation.stale_tap(store, turn)
            return "tap-gone"


async def _prompt(store: Store, content: Content, turn: Turn, prompt: int, verb: str) -> str:
    match verb:
        case "start":
            return await prompts.start(store, content, turn, prompt)
        case "skip":
            return await prompts.skip(store, content, turn, prompt)
        case _:
            return await prompts.snooze(store, content, turn, prompt, verb)


async def _case(store: Store, content: Content, turn: Turn, tap: CaseTap) -> str:
    match tap.verb:
        case "as":
            return await cases.ask_note(store, content, turn, tap.case, tap.value)
        case "give":
            return await case_handing.hand_to(store, content, turn, tap.case, tap.value)
        case "propose":
            return await plan_proposals.ask_change(store, content, turn, tap.case, tap.value)
        case verb if service := CASES.get(verb):
            return await service(store, content, turn, tap.case)
        case _:
            await cases.open_card(store, content, turn, tap.case)
            return ""


async def _menu(store: Store, content: Content, turn: Turn, tap: MenuTap, link_base: str) -> None:
    if tap.menu == "invite":
        await enrolment.send_invitation(store, content, turn, tap.value, link_base=link_base)
    elif service := MENUS.get(tap.menu):
        await service(store, content, turn, tap.value)
    else:
        await conversation.stale_tap(store, turn)


CASES: dict[str, Callable[[Store, Content, Turn, int], Awaitable[str]]] = {
    "ack": cases.acknowledge,
    "mine": cases.assign,
    "note": cases.ask_note,
    "resolve": cases.choose_disposition,
    "lower": cases.choose_level,
    "reopen": cases.reopen,
    "answers": cases.show_answers,
    "plan": plan_proposals.show_plan,
}
"""Which service answers which button of a case."""

MENUS: dict[str, Callable[[Store, Content, Turn, str], Awaitable[None]]] = {
    "consent": enrolment.consent,
    "language": enrolment.choose_language,
    "zone": enrolment.choose_zone,
    "leave": enrolment.leave,
    "topic": menus.show_skills,
    "skill": menus.show_skill,
    "begin": menus.begin_skill,
    "measure": menus.begin_measure,
    follow_ups.MENU: follow_ups.answer,
    "caring": follow_ups.choose_caring,
    "settings": menus.show_settings,
    "week": week.choose,
    plan_screens.MENU: safety_plan.choose,
    plan_proposals.MENU: plan_proposals.decide,
    oncall.ONCALL: oncall.choose,
    safety.HELP_NOW: safety.help_now_answered,
    COUNTRY: countries.choose,
    erasure.MENU: erasure.forget,
    export.MENU: export.export_me,
    roster_menu.MENU: roster_menu.choose,
}
"""Which service answers which menu."""


def make_router() -> Router:
    """Return a router with these handlers, in the order in which they are tried."""
    router = Router(name="taps")
    router.callback_query.register(tapped)
    return router
