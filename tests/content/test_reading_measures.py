"""Measures as they are read from their files."""

from bot.content.library import load
from bot.domain.activity import Band, Choice, FlagRule, Option, Scale

MOOD = """---
title: Mood
summary: Two questions.
loinc: 44249-1
score_loinc: 44261-6
score: sum
options: [Not at all = 0, Every day = 3]
bands: {0-4: minimal, 5-9: mild}
reliable_change: 6
flags:
  - {item: dark, at_least: 1, level: orange}
  - {item: dark, is: 3, level: red}
  - {score: 5, level: yellow}
  - {rise: 6, level: yellow}
  - {fall: 4, level: yellow}
source: invented
reviewed: 2026-11-02, clinical lead
---

Lately?

## Feeling low {#low loinc=44250-9}

## Dark thoughts {#dark}

- [No = 0](#end)
- [Yes](#how) = 3

## How bad is it? {#how}

- Not bad = 0
- Bad = 3

## Anything else? {#else ask=choice optional}

- Yes
- No

## Thank you {#thanks end}

Your team sees this.
"""


def test_a_measure(folder, write):
    write("measures/mood.md", MOOD)
    loaded = load(folder)
    assert loaded.findings == ()
    measure = loaded.content.measure("mood", "en")
    assert (measure.loinc, measure.score_loinc, measure.scoring) == ("44249-1", "44261-6", "sum")
    assert measure.bands == (Band(low=0, high=4, name="minimal"), Band(low=5, high=9, name="mild"))
    assert measure.reliable_change == 6
    assert measure.flags == (
        FlagRule(level="orange", on="item", item="dark", at_least=1),
        FlagRule(level="red", on="item", item="dark", equals=3),
        FlagRule(level="yellow", on="score", at_least=5),
        FlagRule(level="yellow", on="rise", at_least=6),
        FlagRule(level="yellow", on="fall", at_least=4),
    )


def test_options_answer_every_step_without_a_list_of_its_own(folder, write):
    write("measures/mood.md", MOOD)
    steps = load(folder).content.measure("mood", "en").steps
    assert steps["low"].ask == Choice(options=(Option(label="Not at all", score=0), Option(label="Every day", score=3)))
    assert steps["low"].loinc == "44250-9"
    assert [option.score for option in steps["dark"].ask.options] == [0, 3]
    assert [option.label for option in steps["dark"].ask.options] == ["No", "Yes"]
    assert not steps["dark"].ask.routing
    assert steps["how"].ask == Choice(options=(Option(label="Not bad", score=0), Option(label="Bad", score=3)))
    assert [option.score for option in steps["else"].ask.options] == [None, None]
    assert steps["thanks"].ask is None


def test_a_check_in_has_scales_and_no_score(folder, write):
    write(
        "measures/check-in.md",
        """---
title: Check-in
summary: How are you?
prompt: How are you today?
flags:
  - {item: urges, at_least: 8, level: orange}
source: invented
reviewed: 2026-11-02, clinical lead
---

## How are you? {#mood ask=scale}

## Urges to hurt yourself? {#urges ask=scale}
""",
    )
    loaded = load(folder)
    assert loaded.findings == ()
    measure = loaded.content.measure("check-in", "en")
    assert (measure.scoring, measure.prompts) == ("none", ("How are you today?",))
    assert measure.steps["urges"].ask == Scale()


def test_a_translation_has_the_same_scores_in_other_words(folder, write):
    write("measures/mood.md", MOOD)
    spanish = MOOD.replace("Not at all = 0, Every day", "Nunca = 0, Cada día").replace("minimal", "mínimo")
    write("measures/mood.es.md", spanish.replace("title: Mood", "title: Ánimo"))
    loaded = load(folder)
    assert loaded.findings == ()
    measure = loaded.content.measure("mood", "es")
    assert measure.bands[0].name == "mínimo"
    assert measure.steps["low"].ask.options[1] == Option(label="Cada día", score=3)


def test_a_translation_with_other_scores_is_refused(folder, write):
    write("measures/mood.md", MOOD)
    write("measures/mood.es.md", MOOD.replace("Every day = 3", "Cada día = 2"))
    loaded = load(folder)
    assert [(f.code, f.message) for f in loaded.findings] == [("C040", "'low' differs from the original: what it asks")]
    assert loaded.content.measure("mood", "es").language == "en"
