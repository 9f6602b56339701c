"""A safety plan keeps every step that it was given, in order, and takes a suggestion only beside what was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.safety_plan import (
    AT_HIGH_DISTRESS,
    LONGEST,
    STEPS,
    Outdated,
    SafetyPlan,
    TooLong,
    at_high_distress,
    changed,
    cut_to,
    go_on_at,
    merged,
    next_missing,
    plan_of,
)
from bot.domain.words import units

steps = st.sampled_from(STEPS)
texts = st.text(max_size=40)
plans = st.dictionaries(steps, texts).map(plan_of)


@given(st.lists(st.tuples(steps, texts)))
def test_a_step_holds_what_was_written_last_and_the_others_stay(edits: list) -> None:
    plan = SafetyPlan()
    last: dict[str, str] = {}
    for step, text in edits:
        plan = changed(plan, step, text)
        last[step] = text.strip()
    assert {step: plan.text(step) for step in last} == last
    assert set(plan.missing) == {step for step in STEPS if not last.get(step)}
    assert list(plan.texts) == [step for step in STEPS if step in plan.texts]


def test_names_of_no_step_are_left_out() -> None:
    assert plan_of({"people": "Ana", "of-old": "x"}).texts == {"people": "Ana"}


def test_a_text_counts_as_the_messenger_counts_it() -> None:
    assert changed(SafetyPlan(), "people", f" {'a' * LONGEST} ").text("people") == "a" * LONGEST
    assert changed(SafetyPlan(), "people", "🌊" * (LONGEST // 2))
    for text in ("a" * (LONGEST + 1), "🌊" * (LONGEST // 2 + 1)):
        with pytest.raises(TooLong):
            changed(SafetyPlan(), "people", text)


@given(plans)
def test_filling_in_comes_to_every_empty_step_once(plan: SafetyPlan) -> None:
    met, step = [], next_missing(plan)
    while step:
        met.append(step)
        step = next_missing(plan, step)
    assert tuple(met) == plan.missing


@given(plans, st.none() | steps)
def test_it_goes_on_after_the_last_change_and_comes_back_to_what_was_skipped(plan: SafetyPlan, last) -> None:
    step = go_on_at(plan, last)
    assert (step is None) == (not plan.missing)
    later = [one for one in plan.missing if last and STEPS.index(one) > STEPS.index(last)]
    assert step == next(iter(later or plan.missing), None)


@given(plans, plans, steps, texts)
def test_a_suggestion_changes_its_step_of_the_newest_plan_or_nothing(base, newest, step, text) -> None:
    if base.text(step) != newest.text(step):
        with pytest.raises(Outdated):
            merged(base, newest, step, text)
        return
    plan = merged(base, newest, step, text)
    assert plan.text(step) == text.strip()
    assert [plan.text(one) for one in STEPS if one != step] == [newest.text(one) for one in STEPS if one != step]


@given(plans)
def test_at_high_distress_ones_own_coping_comes_first_and_no_warning_signs(plan: SafetyPlan) -> None:
    shown = [step for step, _ in at_high_distress(plan)]
    assert shown == [step for step in AT_HIGH_DISTRESS if step in plan.texts]
    assert AT_HIGH_DISTRESS[:2] == ("by-myself", "people")
    assert set(STEPS) - set(AT_HIGH_DISTRESS) == {"warning-signs"}


@given(st.text(), st.integers(-5, 60))
def test_what_is_cut_fits_and_ends_at_a_word(text: str, room: int) -> None:
    kept = cut_to(text, room)
    if units(text) <= room:
        assert kept == text
        return
    assert units(kept) <= max(0, room)
    assert not kept or text.startswith(kept[:-1])
    assert not kept or text[len(kept) - 1].isspace()
