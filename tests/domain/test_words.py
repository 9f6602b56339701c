"""Words keep their styles while fields are filled and parts are joined."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.words import Span, fields, fill, join, plain, say

BOLD = frozenset({"bold"})
FROM_TO = (Span(text="From "), Span(text="{before}", field="before", styles=BOLD), Span(text="{after}", field="after"))
SPANS = st.builds(
    Span,
    text=st.text(min_size=1, max_size=8),
    styles=st.sampled_from([frozenset(), BOLD]),
    field=st.sampled_from(["", "before", "after"]),
)
WORDS = st.lists(SPANS, max_size=6).map(tuple)


def test_a_field_is_filled_in_its_own_style() -> None:
    assert fill(FROM_TO, {"before": "7", "after": "3"}) == (
        Span(text="From "),
        Span(text="7", styles=BOLD),
        Span(text="3"),
    )


def test_a_field_without_a_value_stays_to_be_filled_later() -> None:
    assert fill(FROM_TO, {"before": "7"})[2] == FROM_TO[2]


def test_what_fills_a_field_is_not_filled_again() -> None:
    filled = fill(FROM_TO, {"before": "{after}", "after": "3"})
    assert plain(filled) == "From {after}3"
    assert fields(filled) == ()


def test_fields_are_named_in_order_and_once() -> None:
    assert fields((*FROM_TO, *FROM_TO)) == ("before", "after")


def test_nothing_to_say_is_no_words() -> None:
    assert say("") == ()
    assert join(((), (), ())) == ()


def test_parts_without_words_leave_no_gap() -> None:
    assert plain(join((say("one"), (), say("two")))) == "one\n\ntwo"
    assert plain(join((say("one"), say("two")), between=" · ")) == "one · two"


@given(WORDS, st.dictionaries(st.sampled_from(["before", "after"]), st.text(max_size=5)))
def test_filling_changes_fields_only(words, values) -> None:
    filled = fill(words, values)
    assert [(span.styles, span.url) for span in filled] == [(span.styles, span.url) for span in words]
    assert fields(filled) == tuple(name for name in fields(words) if name not in values)
    assert [new for new, old in zip(filled, words, strict=True) if old.field not in values] == [
        old for old in words if old.field not in values
    ]
