"""A part that gets nothing done is noticed after a minute."""

from bot.headway import STALLED_AFTER, Headway


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_part_stalls_after_a_minute_without_headway_and_goes_on_with_it() -> None:
    watch = Watch()
    headway = Headway(watch)
    headway.watch("inbox")
    headway.watch("sender")
    watch.seconds = STALLED_AFTER - 1
    headway.made("sender")
    assert headway.stalled() == ()
    watch.seconds = STALLED_AFTER
    assert headway.stalled() == ("inbox",)
    headway.made("inbox")
    assert headway.stalled() == ()


def test_one_job_that_hangs_stalls_the_scheduler_whatever_the_others_do() -> None:
    watch = Watch()
    headway = Headway(watch)
    headway.watch("scheduler", ["alerts", "prompts"])
    watch.seconds = STALLED_AFTER
    headway.made("scheduler", "prompts")
    assert headway.stalled() == ("scheduler",)


def test_what_is_not_watched_neither_stalls_nor_counts() -> None:
    headway = Headway(Watch())
    headway.made("polling")
    assert headway.stalled() == ()


def test_the_time_since_headway_is_that_of_the_slowest_job_of_a_part() -> None:
    watch = Watch()
    headway = Headway(watch)
    headway.watch("scheduler", ["due", "alerts"])
    headway.watch("sender")
    watch.seconds = 20.0
    headway.made("scheduler", "due")
    headway.made("sender")
    watch.seconds = 25.0
    assert headway.since() == {"scheduler": 25.0, "sender": 5.0}
