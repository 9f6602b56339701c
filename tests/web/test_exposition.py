"""The text format of Prometheus."""

from bot.web.exposition import Gauge, Sample, exposed


def gauge(*samples: Sample, says: str = "What it says.") -> Gauge:
    return Gauge(name="interlude_thing", says=says, samples=samples)


def test_a_gauge_tells_what_it_is_and_each_value_with_its_labels() -> None:
    samples = [Sample(value=3, labels={"lane": "safety", "state": "sent"}), Sample(value=0.25, labels={})]
    assert exposed([gauge(*samples)]) == (
        "# HELP interlude_thing What it says.\n"
        "# TYPE interlude_thing gauge\n"
        'interlude_thing{lane="safety",state="sent"} 3\n'
        "interlude_thing 0.25\n"
    )


def test_what_would_break_a_line_is_escaped() -> None:
    written = exposed([gauge(Sample(value=1, labels={"programme": 'a"b\\c\nd'}), says="one\\two\nthree")])
    assert written.splitlines() == [
        r"# HELP interlude_thing one\\two\nthree",
        "# TYPE interlude_thing gauge",
        r'interlude_thing{programme="a\"b\\c\nd"} 1',
    ]


def test_a_gauge_without_a_sample_still_tells_its_name() -> None:
    assert exposed([gauge()]).splitlines()[1:] == ["# TYPE interlude_thing gauge"]
