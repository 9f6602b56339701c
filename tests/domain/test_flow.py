"""The practice engine: it ends or asks, never raises, and never loses an answer."""

from datetime import timedelta

from activities import activities, skill
from hypothesis import given
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
    Step,
    Switch,
    TimeOfDay,
)
from bot.domain.flow import (
    SWITCHED,
    Answer,
    AskedAgain,
    Begin,
    Elapsed,
    Ended,
    Reached,
    Recorded,
    Resume,
    Shown,
    Stale,
    State,
    Switched,
    Tap,
    Waits,
    Withdrawn,
    Wrote,
    advance,
    screen,
)
from bot.domain.words import Span, plain, say

RATE = Step(
    id="rate",
    heading=say("How bad?"),
    ask=Scale(
        low_label="calm",
        routes=(
            Route(low=0, high=3, target=Goto(step="good")),
            Route(low=4, high=10, target=Goto(step="more")),
        ),
    ),
)
MORE = Step(
    id="more",
    heading=(*say("Still at "), Span(text="{rate}", field="rate")),
    ask=Choice(
        options=(
            Option(label="Again", target=Goto(step="rate")),
            Option(label="Cold water", target=Switch(skill="cold-water")),
            Option(label="Stop here", target=Finish(outcome="later")),
        ),
        routing=True,
    ),
)
GOOD = Step(id="good", heading=say("Well done"), target=Finish(outcome="helped"))
TENSE = skill(RATE, MORE, GOOD, intro="Let us see.")


def begun(activity):
    return advance(activity, State(), Begin())[0]


def tap(activity, state, act, value=0):
    return advance(activity, state, Tap(turn=state.turn, act=act, value=value))


def test_the_first_screen_opens_with_the_introduction() -> None:
    state, effects = advance(TENSE, State(), Begin())
    assert effects == (Shown(),)
    assert plain(screen(TENSE, state).words) == "Let us see.\n\nHow bad?"


def test_a_scale_leads_where_its_range_says_and_is_remembered() -> None:
    state, effects = tap(TENSE, begun(TENSE), "number", 7)
    assert effects[0] == Recorded(answer=Answer(step="rate", text="7", number=7))
    assert plain(screen(TENSE, state).words) == "Still at 7"


def test_a_step_that_ends_shows_its_words_and_ends() -> None:
    state, effects = tap(TENSE, begun(TENSE), "number", 2)
    assert effects[-1] == Ended(outcome="helped", shown=True)
    assert plain(screen(TENSE, state).words) == "Well done"
    assert screen(TENSE, state).rows == ()


def test_numbers_are_understood_in_figures_and_words_and_otherwise_asked_again() -> None:
    for said in ("7", "seven", "siete", "about 7/10", "I'd say 7"):
        assert advance(TENSE, begun(TENSE), Wrote(text=said))[0].step == "more", said
    for said, why in (("very", "number"), ("7 or 8", "number"), ("11", "range"), ("2.5", "number")):
        state, effects = advance(TENSE, begun(TENSE), Wrote(text=said))
        assert (state.step, effects) == ("rate", (AskedAgain(why=why, text=said), Shown())), said


def test_options_are_understood_by_name_beginning_and_place() -> None:
    asking, _ = tap(TENSE, begun(TENSE), "number", 7)
    for said in ("cold water", "COLD", "2"):
        assert advance(TENSE, asking, Wrote(text=said))[1][-1] == Switched(skill="cold-water"), said
    assert advance(TENSE, asking, Wrote(text="hm"))[1][0] == AskedAgain(why="option", text="hm")


def test_a_bare_figure_is_asked_again_where_options_have_scores() -> None:
    often = (
        Option(label="Not at all", score=0),
        Option(label="Several days", score=1),
        Option(label="5 days", score=2),
    )
    item = skill(Step(id="item", heading=say("How often?"), ask=Choice(options=often)))
    for said in ("1", "0", "2"):
        assert advance(item, begun(item), Wrote(text=said))[1][0] == AskedAgain(why="option", text=said), said
    for said, score in (("not at all", 0), ("several", 1), ("5", 2)):
        assert advance(item, begun(item), Wrote(text=said))[1][0].answer.number == score, said


def test_a_switch_ends_this_practice() -> None:
    asking, _ = tap(TENSE, begun(TENSE), "number", 7)
    state, effects = tap(TENSE, asking, "pick", 1)
    assert state.phase == "ended"
    assert state.outcome == SWITCHED
    assert Switched(skill="cold-water") in effects


def test_a_button_of_an_older_screen_changes_nothing() -> None:
    first = begun(TENSE)
    second, _ = tap(TENSE, first, "number", 7)
    assert advance(TENSE, second, Tap(turn=first.turn, act="number", value=2)) == (second, (Stale(),))


def test_a_button_that_was_never_there_changes_nothing() -> None:
    state = begun(TENSE)
    for act, value in (("pick", 0), ("number", 11), ("skip", 0), ("back", 0), ("done", 0)):
        assert tap(TENSE, state, act, value) == (state, (Stale(),))


def test_going_back_withdraws_the_answer_and_asks_again() -> None:
    second, _ = tap(TENSE, begun(TENSE), "number", 7)
    state, effects = tap(TENSE, second, "back")
    assert effects == (Withdrawn(step="rate"), Shown())
    assert state.step == "rate"
    assert not state.answers


def test_boxes_are_ticked_and_a_double_tap_counts_once() -> None:
    kit = skill(Step(id="kit", heading=say("Kit"), ask=Many(options=(Option(label="tea"), Option(label="a walk")))))
    state = begun(kit)
    once, _ = tap(kit, state, "tick", 1)
    twice, _ = tap(kit, once, "tick", 1)
    assert once.ticked == twice.ticked == {1}
    _, effects = tap(kit, twice, "done")
    assert effects[0] == Recorded(answer=Answer(step="kit", text="a walk", options=(1,)))
    _, typed = advance(kit, state, Wrote(text="tea and a walk"))
    assert typed[0].answer.options == (0, 1)


def test_a_pause_goes_on_by_itself_once_or_when_the_person_wants() -> None:
    ride = skill(
        Step(id="ride", heading=say("Ride"), wait=timedelta(minutes=10), target=Goto(step="end")),
        Step(id="end", heading=say("Over")),
    )
    waiting, effects = advance(ride, State(), Begin())
    assert effects[-1] == Waits(turn=waiting.turn, pause=timedelta(minutes=10))
    assert advance(ride, waiting, Elapsed(turn=waiting.turn))[0].phase == "ended"
    over, _ = tap(ride, waiting, "go")
    assert advance(ride, over, Elapsed(turn=waiting.turn))[1] == (Stale(),)


def test_a_paced_breath_lasts_its_rounds() -> None:
    pace = Pace(phases=(Breath(word="in", seconds=4), Breath(word="out", seconds=6)), rounds=3)
    breathe = skill(Step(id="breathe", heading=say("Breathe"), pace=pace))
    _, effects = advance(breathe, State(), Begin())
    assert effects[-1] == Waits(turn=1, pause=timedelta(seconds=30), pace=pace)


def test_a_step_about_danger_says_so_when_it_is_reached() -> None:
    path = skill(
        Step(id="ask", heading=say("?"), ask=FreeText(), target=Goto(step="hurt")),
        Step(id="hurt", heading=say("Get help"), flag="red"),
    )
    _, effects = advance(path, begun(path), Wrote(text="I am hurt"))
    assert Reached(step="hurt", level="red") in effects


def test_times_are_understood_as_people_write_them() -> None:
    sleep = skill(Step(id="at", heading=say("When?"), ask=TimeOfDay()))
    for said, kept in (("7:30", "07:30"), ("7 pm", "19:00"), ("19.45", "19:45"), ("at 22h", "22:00")):
        assert advance(sleep, begun(sleep), Wrote(text=said))[1][0].answer.text == kept, said
    assert advance(sleep, begun(sleep), Wrote(text="late"))[1][0] == AskedAgain(why="time", text="late")


def test_a_practice_is_shown_again_where_it_was_left() -> None:
    second, _ = tap(TENSE, begun(TENSE), "number", 7)
    again, effects = advance(TENSE, second, Resume())
    assert (again.step, effects) == ("more", (Shown(),))
    assert again.turn > second.turn


def test_a_long_answer_is_cut_where_it_is_shown_again() -> None:
    path = skill(
        Step(id="thought", heading=say("?"), ask=FreeText(), target=Goto(step="again")),
        Step(id="again", heading=(Span(text="{thought}", field="thought"),)),
    )
    state, _ = advance(path, begun(path), Wrote(text="x" * 4000))
    assert len(plain(screen(path, state).words)) == 400


def test_a_number_may_have_no_bounds() -> None:
    hours = skill(Step(id="n", heading=say("?"), ask=Number()))
    assert advance(hours, begun(hours), Wrote(text="-3,5"))[1][0].answer.number == -3.5


TYPED = st.one_of(
    st.sampled_from(["", "7", "seven", "yes", "no", "tea, a walk", "7:30 pm", "1 and 2", "I want to stop", "99"]),
    st.text(max_size=30),
)


@st.composite
def inputs(draw, activity, state):
    """Anything that may come: buttons of this screen or of others, words, a pause that is over, coming back."""
    kind = draw(st.sampled_from(["button", "button", "button", "any tap", "words", "elapsed", "resume"]))
    offered = [button for row in screen(activity, state).rows for button in row]
    if kind == "button" and offered:
        button = draw(st.sampled_from(offered))
        return Tap(turn=state.turn, act=button.act, value=button.value)
    if kind == "any tap":
        acts = st.sampled_from(["go", "number", "pick", "tick", "untick", "done", "skip", "back", "stop"])
        return Tap(turn=draw(st.integers(0, state.turn + 1)), act=draw(acts), value=draw(st.integers(-1, 12)))
    if kind == "words":
        return Wrote(text=draw(TYPED))
    return Elapsed(turn=draw(st.integers(0, state.turn + 1))) if kind == "elapsed" else Resume()


@given(st.data())
def test_it_ends_or_asks_never_raises_and_never_loses_an_answer(data: st.DataObject) -> None:
    activity = data.draw(activities())
    state, effects = advance(activity, State(), Begin())
    kept: dict[str, Answer] = {}
    for _ in range(data.draw(st.integers(0, 25))):
        shown = screen(activity, state)
        assert 0 <= shown.progress <= 1
        assert bool(shown.rows) == (state.phase != "ended")
        before = state
        came = data.draw(inputs(activity, state))
        state, effects = advance(activity, state, came)
        assert state.turn >= before.turn
        for effect in effects:
            match effect:
                case Recorded(answer=answer):
                    kept[answer.step] = answer
                case Withdrawn(step=step):
                    del kept[step]
        assert dict(state.answers) == kept
        if state != before:
            ended = any(isinstance(effect, Ended) for effect in effects)
            asks = any(isinstance(effect, Shown) for effect in effects)
            assert ended or asks
            assert ended == (state.phase == "ended")
        if isinstance(came, Wrote) and before.phase != "ended":
            answers = [effect for effect in effects if isinstance(effect, Recorded | AskedAgain)]
            assert len(answers) == 1


@given(st.data())
def test_whoever_stops_has_stopped(data: st.DataObject) -> None:
    activity = data.draw(activities())
    state = begun(activity)
    for _ in range(data.draw(st.integers(0, 8))):
        state, _ = advance(activity, state, data.draw(inputs(activity, state)))
    if state.phase == "ended":
        return
    state, effects = tap(activity, state, "stop")
    assert state.phase == "ended"
    assert effects == (Ended(outcome="stopped", shown=False),)


@given(st.data())
def test_back_is_where_one_was_without_its_answer(data: st.DataObject) -> None:
    activity = data.draw(activities())
    state = begun(activity)
    for _ in range(data.draw(st.integers(0, 12))):
        before = state
        state, _ = advance(activity, state, data.draw(inputs(activity, state)))
        if state.phase == "ended":
            return
        if len(state.trail) > len(before.trail):
            back, effects = tap(activity, state, "back")
            assert (back.step, back.trail, back.phase) == (before.step, before.trail, "asking")
            assert dict(back.answers) == {name: kept for name, kept in state.answers.items() if name != before.step}
            assert effects[-1] == Shown()


@given(st.data())
def test_after_any_inputs_a_button_of_an_older_screen_changes_nothing(data: st.DataObject) -> None:
    activity = data.draw(activities())
    state = begun(activity)
    for _ in range(data.draw(st.integers(1, 8))):
        old = state
        state, _ = advance(activity, state, data.draw(inputs(activity, state)))
        if state.turn == old.turn:
            continue
        for button in (button for row in screen(activity, old).rows for button in row):
            late = Tap(turn=old.turn, act=button.act, value=button.value)
            assert advance(activity, state, late) == (state, (Stale(),))
