"""Activities as JSON and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.frozen import NotFrozen, freeze, thaw
from bot.content.library import Content
from bot.domain.activity import (
    Choice,
    Finish,
    FlagRule,
    FreeText,
    Goto,
    Many,
    Measure,
    Number,
    Option,
    Route,
    Scale,
    Skill,
    Step,
    Switch,
    TimeOfDay,
)


def test_every_activity_that_is_shipped_comes_back_the_same(content: Content):
    shipped = [one for kind in (content.skills, content.measures) for each in kind.values() for one in each.values()]
    assert shipped
    for activity in shipped:
        assert thaw(freeze(activity)) == activity


finite = st.floats(allow_nan=False)
targets = st.sampled_from([Goto(step="a"), Finish(), Finish(outcome="helped"), Switch(skill="b")])
routes = st.lists(st.builds(Route, low=finite, high=st.none() | finite, target=targets), max_size=2).map(tuple)
options = st.lists(st.builds(Option, target=st.none() | targets), max_size=2).map(tuple)
asks = st.one_of(
    st.builds(Scale, routes=routes),
    st.builds(Number, low=st.none() | finite, high=st.none() | finite, routes=routes),
    st.builds(Choice, options=options),
    st.builds(Many, options=options),
    st.sampled_from([FreeText(), TimeOfDay()]),
)
steps = st.dictionaries(
    st.text(max_size=5), st.builds(Step, ask=st.none() | asks, target=targets), min_size=1, max_size=3
)
flags = st.lists(st.builds(FlagRule, at_least=st.none() | finite, at_most=st.none(), equals=st.none()), max_size=2)
activities = st.builds(Skill, steps=steps) | st.builds(Measure, steps=steps, flags=flags.map(tuple))


@given(activities)
def test_any_activity_comes_back_the_same(activity: Skill | Measure):
    assert thaw(freeze(activity)) == activity
    assert list(thaw(freeze(activity)).steps) == list(activity.steps)


def test_defaults_are_left_out_so_that_fields_can_be_added(content: Content):
    skill = next(iter(content.skills.values()))["en"]
    assert "avoid_if" not in json.loads(freeze(skill)) or skill.avoid_if


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"is": "Goto", "step": "a"}', '{"is": "Skill"}', '{"is": "os"}', "7"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(NotFrozen):
        thaw(text)
