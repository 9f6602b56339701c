from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.activity import Skill, Step
from bot.domain.programme import Phase
from bot.domain.selection import EXPLORING, Practice, candidates, choose, probabilities

BEGAN = date(2026, 11, 4)
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def skill(name: str, **said: object) -> Skill:
    told = Skill(
        id=name,
        language="en",
        version="1",
        title=name,
        summary="",
        intro=(),
        steps=MappingProxyType({"one": Step(id="one", heading=())}),
        source="invented",
        reviewed=BEGAN,
        reviewer="nobody",
        approach="DBT",
        helps_with=("anxiety",),
        minutes=3,
    )
    return replace(told, **said)


def practised(name: str, drop: float | None = None, *, hours_ago: int = 24) -> Practice:
    return Practice(
        skill=name,
        before=None if drop is None else 8,
        after=None if drop is None else 8 - drop,
        ended_at=NOW - timedelta(hours=hours_ago),
    )


SKILLS = [
    skill("box-breathing"),
    skill("cold-water"),
    skill("thought-record", level="steady"),
    skill("values-step", level="later"),
    skill("old-one", status="retired"),
    skill("new-one", status="draft"),
]
CURRICULUM = [
    Phase(first=1, last=2, skills=("box-breathing", "thought-record", "old-one")),
    Phase(first=3, last=None, skills=None),
]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, ("box-breathing", "thought-record")),
        (13, ("box-breathing", "thought-record")),
        (14, ("box-breathing", "cold-water", "thought-record")),
        (27, ("box-breathing", "cold-water", "thought-record")),
        (28, ("box-breathing", "cold-water", "thought-record", "values-step")),
        (-1, ("box-breathing", "thought-record")),
    ],
)
def test_the_week_decides_what_may_be_offered(days: int, expected: tuple[str, ...]) -> None:
    assert candidates(CURRICULUM, SKILLS, BEGAN, BEGAN + timedelta(days=days)) == expected


def test_the_last_phase_goes_on_after_the_curriculum_ends() -> None:
    curriculum = [Phase(first=1, last=1, skills=("cold-water",)), Phase(first=2, last=3, skills=("box-breathing",))]
    assert candidates(curriculum, SKILLS, BEGAN, BEGAN + timedelta(weeks=9)) == ("box-breathing",)


def test_phases_of_the_same_week_add_up() -> None:
    curriculum = [Phase(first=1, last=4, skills=("cold-water",)), Phase(first=1, last=2, skills=("box-breathing",))]
    assert candidates(curriculum, SKILLS, BEGAN, BEGAN) == ("box-breathing", "cold-water")


def test_without_a_curriculum_the_levels_decide() -> None:
    assert candidates((), SKILLS, BEGAN, BEGAN) == ("box-breathing", "cold-water")


def test_skills_never_rated_are_equally_likely() -> None:
    chances = probabilities(["a", "b", "c", "d"], [])
    assert list(chances.values()) == pytest.approx([0.25] * 4)


def test_what_helped_this_person_is_likelier() -> None:
    history = [
        practised("a", 4),
        practised("a", 5),
        practised("b", 0),
        practised("b", -1),
        practised("z", 2, hours_ago=1),
    ]
    chances = probabilities(["a", "b", "c"], history)
    assert chances["a"] > chances["c"] > chances["b"]


def test_a_practice_without_ratings_says_nothing_of_its_use() -> None:
    chances = probabilities(["a", "b"], [practised("a"), practised("z", hours_ago=1)])
    assert chances["a"] == pytest.approx(chances["b"])


def test_the_one_practised_last_is_passed_over() -> None:
    history = [practised("a", 8, hours_ago=2), practised("b", 0, hours_ago=30)]
    assert set(probabilities(["a", "b", "c"], history)) == {"b", "c"}


def test_the_only_one_is_offered_again() -> None:
    chosen = choose(["a"], [practised("a", 1)], seed="1")
    assert (chosen.skill, chosen.probability) == ("a", pytest.approx(1))


def test_nothing_to_offer_is_refused() -> None:
    with pytest.raises(ValueError, match="no skill"):
        choose([], [], seed="1")


def test_two_skills_compare_as_normal_distributions_do() -> None:
    """One rated practice with a drop of 6: precision 1/1.5² + 1/2.5² = 0.6044, mean (1/1.5² + 6/2.5²)/0.6044 = 2.3235.

    The other stays at mean 1, sd 1.5. P(a > b) = Φ(1.3235 / √(1/0.6044 + 2.25)) = Φ(0.6695) = 0.7484.
    """
    chances = probabilities(["a", "b"], [practised("a", 6), practised("z", hours_ago=1)])
    assert chances["a"] == pytest.approx(0.8 * 0.7484 + 0.1, abs=0.001)


def test_the_recorded_probability_is_how_often_it_is_chosen() -> None:
    history = [practised("a", 5), practised("b", 1), practised("z", hours_ago=1)]
    chances = probabilities(["a", "b", "c"], history)
    counted = Counter(choose(["a", "b", "c"], history, seed=f"{number}").skill for number in range(1000))
    for name, chance in chances.items():
        assert counted[name] / 1000 == pytest.approx(chance, abs=0.05)


names = st.sampled_from("abcdef")
ratings = st.one_of(st.none(), st.integers(0, 10))
practices = st.builds(
    Practice, skill=names, before=ratings, after=ratings, ended_at=st.datetimes(timezones=st.just(UTC))
)


@given(st.sets(names, min_size=1), st.lists(practices, max_size=30), st.text())
def test_every_candidate_keeps_a_chance_and_the_choice_is_repeatable(
    offered: set[str], history: list[Practice], seed: str
) -> None:
    chances = probabilities(sorted(offered), history)
    assert sum(chances.values()) == pytest.approx(1)
    assert min(chances.values()) >= EXPLORING / len(chances) - 1e-9
    chosen = choose(sorted(offered), history, seed=seed)
    assert chosen == choose(sorted(offered, reverse=True), history[::-1], seed=seed) or _tied(history)
    assert chosen.skill in offered
    assert chosen.probability == chances[chosen.skill]


def _tied(history: list[Practice]) -> bool:
    """Whether two practices ended last at the same moment."""
    last = max(practice.ended_at for practice in history)
    return sum(practice.ended_at == last for practice in history) > 1
