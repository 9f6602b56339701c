"""Activities for tests: a small one written by hand, and any valid one, drawn by Hypothesis."""

from datetime import date, timedelta
from types import MappingProxyType

from hypothesis import strategies as st

from bot.domain.activity import (
    Breath,
    Choice,
    Finish,
    FreeText,
    Goto,
    Many,
    Number,
    Option,
    Pace,
    Route,
    Scale,
    Skill,
    Step,
    Switch,
    TimeOfDay,
)
from bot.domain.words import Span, say


def skill(*steps: Step, intro: str = "") -> Skill:
    return Skill(
        id="made-up",
        language="en",
        version="1",
        title="Made up",
        summary="For tests.",
        intro=say(intro),
        steps=MappingProxyType({step.id: step for step in steps}),
        source="none",
        reviewed=date(2026, 11, 2),
        reviewer="nobody",
        approach="DBT",
        helps_with=("anxiety",),
        minutes=1,
    )


LABELS = st.sampled_from(["Yes", "No", "A walk", "Tea", "Sí", "7", "yes, and more"])


def targets(names: list[str]):
    ends = st.builds(Finish, outcome=st.sampled_from(["", "helped"]))
    return st.one_of(st.sampled_from([Goto(step=name) for name in names]), ends, st.just(Switch(skill="other")))


def options(names: list[str], *, routing: bool):
    target = targets(names) if routing else st.one_of(st.none(), targets(names))
    one = st.builds(Option, label=LABELS, target=target, score=st.one_of(st.none(), st.integers(0, 3)))
    return st.lists(one, min_size=1, max_size=4).map(tuple)


def routes(names: list[str], low: int, high: int):
    cut = st.integers(low, high - 1)
    return st.one_of(
        st.just(()),
        st.tuples(cut, targets(names), targets(names)).map(
            lambda drawn: (
                Route(low=low, high=drawn[0], target=drawn[1]),
                Route(low=drawn[0] + 1, high=None, target=drawn[2]),
            )
        ),
    )


def asks(names: list[str]):
    scales = routes(names, 0, 10).map(lambda ways: Scale(low_label="calm", routes=ways))
    return st.one_of(
        st.none(),
        scales,
        routes(names, 0, 24).map(lambda ways: Number(low=0, high=24, unit="h", routes=ways)),
        st.just(Number()),
        st.just(FreeText()),
        st.just(TimeOfDay()),
        options(names, routing=True).map(lambda found: Choice(options=found, routing=True)),
        options(names, routing=False).map(lambda found: Choice(options=found)),
        options(names, routing=False).map(lambda found: Many(options=found)),
    )


PAUSES = st.one_of(st.none(), st.just(timedelta(minutes=10)))
PACES = st.one_of(
    st.none(), st.just(Pace(phases=(Breath(word="in", seconds=4), Breath(word="out", seconds=6)), rounds=2))
)


@st.composite
def activities(draw) -> Skill:
    """Any activity that the linter would let through, but that some paths may never end: people may always stop."""
    names = [f"step-{number}" for number in range(draw(st.integers(1, 6)))]
    steps = []
    for name in names:
        ask = draw(asks(names))
        field = Span(text="{x}", field=draw(st.sampled_from(names)))
        steps.append(
            Step(
                id=name,
                heading=(*say(name + " "), field),
                ask=ask,
                optional=ask is not None and draw(st.booleans()),
                target=draw(targets(names)),
                wait=draw(PAUSES),
                pace=draw(PACES) if ask is None else None,
                flag=draw(st.sampled_from([None, None, None, "red"])),
            )
        )
    return skill(*steps)
