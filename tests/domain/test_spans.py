from collections import Counter
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.spans import draw, less, span_at, union, within

spans = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6).map(union)


def seconds(some: tuple[tuple[int, int], ...]) -> set[int]:
    return {second for start, end in some for second in range(start, end)}


@given(spans, spans)
def test_less_takes_away_exactly_what_it_is_told(
    some: tuple[tuple[int, int], ...], away: tuple[tuple[int, int], ...]
) -> None:
    left = less(some, away)
    assert seconds(left) == seconds(some) - seconds(away)
    assert left == union(left)


@given(spans, st.integers(0, 300), st.integers(0, 300))
def test_within_keeps_what_lies_between(some: tuple[tuple[int, int], ...], since: int, until: int) -> None:
    assert seconds(within(some, since, until)) == {at for at in seconds(some) if since <= at < until}


def test_spans_that_touch_are_one() -> None:
    assert union([(5, 9), (1, 5), (20, 20), (12, 13)]) == ((1, 9), (12, 13))


def test_the_end_is_not_in_a_span() -> None:
    assert span_at(((1, 5), (5, 9)), 5) == (5, 9)
    assert span_at(((1, 5),), 5) is None


def test_every_choice_of_moments_is_equally_likely() -> None:
    """Sixteen minutes in two spans, three moments at least three minutes apart: drawn once for each remainder."""
    minutes = [*range(10), *range(14, 20)]
    possible = [some for some in combinations(minutes, 3) if all(b - a >= 3 for a, b in pairwise(some))]
    drawn = Counter(
        tuple(at // 60 for at in draw(((0, 600), (840, 1200)), 3, apart=180, chance=chance))
        for chance in range(len(possible))
    )
    assert drawn == Counter(possible)


@given(spans, st.integers(1, 4), st.integers(0, 200), st.integers(0, 10**30), st.integers(0, 59))
def test_drawn_moments_are_inside_apart_and_on_the_grid(
    some: tuple[tuple[int, int], ...], count: int, apart: int, chance: int, phase: int
) -> None:
    found = draw(some, count, apart=apart, chance=chance, phase=phase)
    assert set(found) <= {second for second in seconds(some) if second % 60 == phase}
    assert all(b - a >= apart for a, b in pairwise(found))
    assert len(set(found)) == len(found) <= count


@given(spans, st.integers(1, 3), st.integers(1, 120))
def test_as_many_are_drawn_as_there_is_room_for(some: tuple[tuple[int, int], ...], count: int, apart: int) -> None:
    places = sorted(second for second in seconds(some) if second % 60 == 0)
    room = 0
    next_from = -1
    for place in places:
        if place >= next_from:
            room, next_from = room + 1, place + apart
    assert len(draw(some, count, apart=apart, chance=7)) == min(room, count)
