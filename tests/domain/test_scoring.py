from collections.abc import Iterator
from datetime import date
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.content.library import Content
from bot.domain.activity import (
    Ask,
    Band,
    Choice,
    Finish,
    FlagRule,
    Goto,
    Measure,
    Number,
    Option,
    Route,
    Scale,
    Step,
    Target,
)
from bot.domain.scoring import Score, change, raised, remitted, responded, score, triage

SEVERITY = ("yellow", "orange", "red")
LEVEL_OF = {"low": "yellow", "moderate": "orange", "high": "red"}
FREQUENCY = Choice(options=tuple(Option(label=str(number), score=number) for number in range(4)))
WORDS_ONLY = Choice(options=(Option(label="not difficult"), Option(label="very difficult")))
PHQ_9_ITEMS = tuple(f"q{number}" for number in range(1, 10))
PHQ_9_BANDS = (
    Band(low=0, high=4, name="minimal"),
    Band(low=5, high=9, name="mild"),
    Band(low=10, high=14, name="moderate"),
    Band(low=15, high=19, name="moderately severe"),
    Band(low=20, high=27, name="severe"),
)
answers = st.integers(0, 3)
phq_9_answers = st.fixed_dictionaries(dict.fromkeys(PHQ_9_ITEMS, answers))
some_phq_9_answers = st.dictionaries(st.sampled_from(PHQ_9_ITEMS), answers)


def measure(id: str = "phq-9", *, asks: dict[str, Ask | None] | None = None, **said: object) -> Measure:  # noqa: A002
    asks = asks or {**dict.fromkeys(PHQ_9_ITEMS, FREQUENCY), "difficulty": WORDS_ONLY, "thanks": None}
    told: dict[str, object] = {"scoring": "sum", "bands": PHQ_9_BANDS, "reliable_change": 6, **said}
    return Measure(
        id=id,
        language="en",
        version="1",
        title=id,
        summary="",
        intro=(),
        steps=in_a_row(asks),
        source="invented",
        reviewed=date(2026, 11, 2),
        reviewer="nobody",
        **told,  # type: ignore[arg-type]
    )


def in_a_row(asks: dict[str, Ask | None]) -> dict[str, Step]:
    following: list[Target] = [*(Goto(step=name) for name in list(asks)[1:]), Finish()]
    return {
        name: Step(id=name, heading=(), ask=ask, target=target)
        for (name, ask), target in zip(asks.items(), following, strict=True)
    }


def flagging(*flags: FlagRule) -> Measure:
    return measure(flags=flags)


def of(total: float) -> Score:
    return Score(total=total, band="", answered=9, missing=0, prorated=False)


def levels(found: Measure, numbers: dict[str, float]) -> set[str]:
    return {one.level for one in raised(found, numbers, None, None)}


@given(phq_9_answers)
def test_a_complete_measure_is_the_plain_sum(numbers: dict[str, float]) -> None:
    found = score(measure(), numbers)
    assert found is not None
    assert (found.total, found.answered, found.missing, found.prorated) == (sum(numbers.values()), 9, 0, False)


@given(phq_9_answers)
def test_exactly_the_band_that_holds_the_total_is_named(numbers: dict[str, float]) -> None:
    found = score(measure(), numbers)
    assert found is not None
    assert [band.name for band in PHQ_9_BANDS if band.low <= found.total <= band.high] == [found.band]


@given(some_phq_9_answers)
def test_a_score_needs_at_least_seven_of_the_nine_items_and_always_has_a_band(numbers: dict[str, float]) -> None:
    found = score(measure(), numbers)
    assert (found is not None) == (len(numbers) >= 7)
    if found:
        assert sum(numbers.values()) <= found.total <= sum(numbers.values()) + 3 * found.missing
        assert (found.answered, found.missing) == (len(numbers), 9 - len(numbers))
        assert found.prorated == (found.missing > 0)
        assert found.band


@given(phq_9_answers, st.sampled_from(PHQ_9_ITEMS))
def test_a_graver_answer_never_lowers_the_total(numbers: dict[str, float], item: str) -> None:
    lower, higher = score(measure(), {**numbers, item: 0}), score(measure(), {**numbers, item: 3})
    assert lower is not None
    assert higher is not None
    assert lower.total <= higher.total


@pytest.mark.parametrize(
    ("each", "missing", "total", "band"),
    [(1, 1, 9, "mild"), (3, 2, 27, "severe"), (0, 2, 0, "minimal"), (2, 1, 18, "moderately severe")],
)
def test_up_to_two_missing_phq_9_items_take_the_mean_of_the_others(
    each: int, missing: int, total: int, band: str
) -> None:
    found = score(measure(), dict.fromkeys(PHQ_9_ITEMS[missing:], each))
    assert found == Score(total=total, band=band, answered=9 - missing, missing=missing, prorated=True)


def test_half_a_point_is_rounded_up() -> None:
    numbers = dict.fromkeys(PHQ_9_ITEMS[1:], 0) | {"q2": 3, "q3": 1}
    found = score(measure(), numbers)
    assert sum(numbers.values()) * 9 / 8 == 4.5
    assert found is not None
    assert (found.total, found.band) == (5, "mild")


def test_a_measure_whose_authors_allow_no_missing_item_has_no_score_without_it() -> None:
    assert score(measure("gad-7"), dict.fromkeys(PHQ_9_ITEMS[1:], 1)) is None
    assert score(measure("gad-7"), dict.fromkeys(PHQ_9_ITEMS, 1)) is not None


def test_nothing_answered_is_no_score_rather_than_zero() -> None:
    assert score(measure(), {}) is None


def test_a_check_in_has_no_score() -> None:
    assert score(measure(scoring="none", bands=()), dict.fromkeys(PHQ_9_ITEMS, 3)) is None


def test_items_without_scores_neither_count_nor_are_missed() -> None:
    found = score(measure(), {**dict.fromkeys(PHQ_9_ITEMS, 1), "difficulty": 3})
    assert found == Score(total=9, band="mild", answered=9, missing=0, prorated=False)


def test_scales_count_and_typed_numbers_do_not() -> None:
    found = score(measure("pain", asks={"pain": Scale(), "sleep": Number()}, bands=()), {"pain": 7, "sleep": 5})
    assert found == Score(total=7, band="", answered=1, missing=0, prorated=False)


NEVER_SKIPS = Choice(
    options=(Option(label="never", score=0, target=Goto(step="q4")), Option(label="at times", score=1))
)
MILD_SKIPS = Scale(
    high=3, routes=(Route(low=0, high=0, target=Goto(step="q4")), Route(low=1, high=3, target=Goto(step="q2")))
)


@pytest.mark.parametrize("first", [NEVER_SKIPS, MILD_SKIPS])
def test_an_item_that_the_answers_lead_past_adds_nothing_and_is_not_missing(first: Ask) -> None:
    drinking = measure("drinking", asks={"q1": first, "q2": FREQUENCY, "q3": FREQUENCY, "q4": FREQUENCY}, bands=())
    assert score(drinking, {"q1": 0, "q4": 2}) == Score(total=2, band="", answered=2, missing=0, prorated=False)
    assert score(drinking, {"q1": 1, "q4": 2}) is None
    assert score(drinking, {"q1": 1, "q2": 3, "q3": 3, "q4": 2}) == Score(
        total=9, band="", answered=4, missing=0, prorated=False
    )


def test_an_answered_item_counts_even_where_the_other_answers_lead_past_it() -> None:
    drinking = measure("drinking", asks={"q1": NEVER_SKIPS, "q2": FREQUENCY, "q4": FREQUENCY}, bands=())
    found = score(drinking, {"q1": 0, "q2": 3, "q4": 2})
    assert found is not None
    assert found.total == 5


def test_a_measure_whose_steps_lead_back_still_has_a_score() -> None:
    again = Choice(options=(Option(label="again", score=1, target=Goto(step="q1")), Option(label="done", score=0)))
    circle = measure("circle", asks={"q1": FREQUENCY, "q2": again}, bands=())
    found = score(circle, {"q1": 2, "q2": 1})
    assert found is not None
    assert found.total == 3


ORANGE_FROM_ONE = FlagRule(level="orange", on="item", item="q9", at_least=1)
RED_FROM_TWO = FlagRule(level="red", on="item", item="q9", at_least=2)
YELLOW_FROM_TWENTY = FlagRule(level="yellow", on="score", at_least=20)
YELLOW_ON_RISE = FlagRule(level="yellow", on="rise", at_least=6)
YELLOW_ON_FALL = FlagRule(level="yellow", on="fall", at_least=6)


@pytest.mark.parametrize(("number", "expected"), [(0, set()), (1, {"orange"}), (2, {"orange", "red"})])
def test_every_rule_that_an_item_meets_raises_its_level(number: int, expected: set[str]) -> None:
    assert levels(flagging(ORANGE_FROM_ONE, RED_FROM_TWO), {"q9": number}) == expected


def test_a_skipped_item_raises_nothing() -> None:
    at_most = FlagRule(level="orange", on="item", item="q9", at_most=3)
    assert levels(flagging(ORANGE_FROM_ONE, at_most), {"q1": 3}) == set()


@given(some_phq_9_answers)
def test_zeros_elsewhere_take_nothing_back(numbers: dict[str, float]) -> None:
    found = flagging(ORANGE_FROM_ONE, RED_FROM_TWO)
    with_zeros = dict.fromkeys(PHQ_9_ITEMS, 0.0) | numbers
    assert levels(found, with_zeros) == levels(found, numbers)


@pytest.mark.parametrize(
    ("rule", "total", "previous", "raises"),
    [
        (YELLOW_FROM_TWENTY, 19, None, False),
        (YELLOW_FROM_TWENTY, 20, None, True),
        (YELLOW_ON_RISE, 11, 5, True),
        (YELLOW_ON_RISE, 10, 5, False),
        (YELLOW_ON_RISE, 27, None, False),
        (YELLOW_ON_FALL, 5, 11, True),
        (YELLOW_ON_FALL, 11, 5, False),
    ],
)
def test_rules_on_the_score_and_on_its_change(
    rule: FlagRule, total: float, previous: float | None, raises: bool
) -> None:
    assert bool(raised(flagging(rule), {}, of(total), previous)) == raises


def test_without_a_score_only_items_are_looked_at() -> None:
    rules = flagging(RED_FROM_TWO, YELLOW_FROM_TWENTY, YELLOW_ON_RISE)
    assert [one.item for one in raised(rules, {"q9": 3}, None, 0)] == ["q9"]


def test_a_flag_names_its_rule_and_its_item() -> None:
    (item,) = raised(flagging(RED_FROM_TWO), {"q9": 3}, None, None)
    (total,) = raised(flagging(YELLOW_FROM_TWENTY), {}, of(21), None)
    assert (item.rule, item.item) == ("phq-9 q9 ≥ 2", "q9")
    assert (total.rule, total.item) == ("phq-9 score ≥ 20", "")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (15, 9, "better"),
        (15, 10, "no reliable change"),
        (9, 15, "worse"),
        (9, 14, "no reliable change"),
        (9, 9, "no reliable change"),
    ],
)
def test_a_change_is_reliable_from_the_number_of_the_measure_on(before: int, after: int, expected: str) -> None:
    assert change(before, after, measure()) == expected


def test_a_measure_that_names_no_number_knows_no_reliable_change() -> None:
    assert change(27, 0, measure(reliable_change=None)) == "no reliable change"


def test_response_is_a_fall_by_half_and_remission_a_total_below_five() -> None:
    assert [responded(18, after) for after in (10, 9, 0)] == [False, True, True]
    assert not responded(0, 0)
    assert [remitted(total) for total in (5, 4, 0)] == [False, True, True]


def ways_through_the_screener() -> Iterator[dict[str, float]]:
    """Yield all answers that the screener's skip logic allows: 2 × (1 + 8) × 3."""
    ideation = [{"q2": 0}, *({"q2": 1, "q3": a, "q4": b, "q5": c} for a, b, c in product((0, 1), repeat=3))]
    behaviour = [{"q6": 0}, {"q6": 1, "q6-recent": 0}, {"q6": 1, "q6-recent": 1}]
    for first, thoughts, acts in product((0, 1), ideation, behaviour):
        yield {"q1": first, **thoughts, **acts}


EXPECTED = {
    frozenset(): None,
    frozenset({"q1"}): "low",
    frozenset({"q2"}): "low",
    frozenset({"q3"}): "moderate",
    frozenset({"q6"}): "moderate",
    frozenset({"q4"}): "high",
    frozenset({"q5"}): "high",
    frozenset({"q6-recent"}): "high",
}
RISK = (None, "low", "moderate", "high")


def test_item_4_of_the_c_ssrs_is_high_risk_not_moderate() -> None:
    assert triage({"q1": 1, "q2": 1, "q3": 0, "q4": 1, "q5": 0, "q6": 0}) == "high"
    assert triage({"q4": 1}) == "high"


@pytest.mark.parametrize(("items", "risk"), EXPECTED.items())
def test_each_item_of_the_c_ssrs_alone(items: frozenset[str], risk: str | None) -> None:
    assert triage(dict.fromkeys(items, 1)) == risk


def test_the_risk_of_the_c_ssrs_is_that_of_its_gravest_answer() -> None:
    ways = list(ways_through_the_screener())
    assert len(ways) == 54
    for numbers in ways:
        gravest = max(
            (EXPECTED[frozenset({item})] for item, number in numbers.items() if number), key=RISK.index, default=None
        )
        assert triage(numbers) == gravest, numbers


def test_leaving_answers_out_never_makes_the_c_ssrs_graver() -> None:
    for numbers in ways_through_the_screener():
        for kept in combinations(numbers, len(numbers) - 1):
            assert RISK.index(triage({item: numbers[item] for item in kept})) <= RISK.index(triage(numbers))


def test_the_flags_of_the_shipped_c_ssrs_agree_with_its_triage(content: Content) -> None:
    screener = content.measure("c-ssrs", "en")
    for numbers in ways_through_the_screener():
        found = levels(screener, numbers)
        risk = triage(numbers)
        assert (max(found, key=SEVERITY.index) if found else None) == (LEVEL_OF[risk] if risk else None), numbers


def test_the_shipped_phq_9_raises_its_item_9_at_once_and_its_total_at_the_end(content: Content) -> None:
    phq_9 = content.measure("phq-9", "en")
    assert levels(phq_9, {"self-harm": 0}) == set()
    assert levels(phq_9, {"self-harm": 1}) == {"orange"}
    assert levels(phq_9, {"self-harm": 2}) == levels(phq_9, {"self-harm": 3}) == {"orange", "red"}
    assert [one.level for one in raised(phq_9, {}, of(20), None)] == ["yellow"]


@pytest.mark.parametrize(("name", "items", "most"), [("phq-9", 9, 27), ("gad-7", 7, 21)])
def test_the_shipped_measures_count_their_items_and_no_others(
    content: Content, name: str, items: int, most: int
) -> None:
    for language in ("en", "es"):
        told = content.measure(name, language)
        found = score(told, dict.fromkeys(told.steps, 3))
        assert found is not None
        assert (found.total, found.answered, found.missing) == (most, items, 0)
        assert found.band == told.bands[-1].name


def test_the_shipped_check_in_flags_what_someone_should_see(content: Content) -> None:
    check_in = content.measure("daily-check-in", "en")
    calm = {"mood": 0.0, "distress": 7.0, "self-harm-urges": 7.0, "use-urges": 7.0, "used": 0.0, "unsafe": 0.0}
    assert levels(check_in, calm) == set()
    for item, number, level in (
        ("self-harm-urges", 8, "orange"),
        ("used", 1, "orange"),
        ("unsafe", 1, "orange"),
        ("distress", 8, "yellow"),
        ("use-urges", 8, "yellow"),
    ):
        assert levels(check_in, {**calm, item: number}) == {level}
