"""Examines a text with all the rules: finds, takes back, lowers by one level, and says why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from bot.domain.activity import Level
from bot.domain.risk.automaton import Automaton, Place, Word
from bot.domain.risk.normalise import CLAUSE, LINE
from bot.domain.risk.pattern import Pattern, Phrase, WordClasses, parse_pattern
from bot.domain.risk.reading import Reading
from bot.domain.risk.rules import CATEGORIES, COULD_NOT_BE_EXAMINED, Finding, PatternError, RiskRule
from bot.domain.risk.spelling import Spelling, form_key, read_spellings

SPELLING, FORGIVEN, CONTRAST, LOWERED_BY = "spelling", "forgiven", "contrast", "lowered-by-"
"""The word lists with a meaning of their own; see docs/RISK_RULES.md."""
NEGATION, THIRD_PERSON = "negation", "third-person"
"""These lower only where they touch the find; every other list lowers from anywhere in its sentence."""
ABOUT_ONESELF = frozenset(CATEGORIES) - {
    "harm-to-others",
    "abuse-or-unsafe-home",
    "psychosis-and-disorientation",
    "medical-emergency",
}
"""The categories that "third-person" may lower; in the others it is another person who does harm or is in danger."""
REACH = 12
"""How many words before and after a find its sentence is taken to go on, for want of a full stop."""
MOST_LOOKS = 500
"""Finds weighed in one text; in a text that repeats itself more often nothing is lowered or taken back any longer."""
_LOWER: dict[Level, Level] = {"red": "orange", "orange": "yellow", "yellow": "yellow"}
_ORDER: dict[Level, int] = {"red": 0, "orange": 1, "yellow": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patterns:
    """All patterns in one numbering: which rule each belongs to, and the final bits of each use."""

    automaton: Automaton
    rule_of: Mapping[int, RiskRule]
    says: Mapping[str, int]
    unless: Mapping[str, int]
    lowering: Mapping[str, int]


def compile_rules(rules: Sequence[RiskRule], classes: Mapping[str, Sequence[str]]) -> "Detector":
    """Return the detector of all the rules, of whatever languages. Raise PatternError for what cannot be read."""
    meant = read_spellings(classes.get(SPELLING, ()))
    patterns = _numbered(rules, classes, meant)
    known = patterns.automaton.vocabulary()
    forgiven = [_single(word) for word in classes.get(FORGIVEN, ())]
    contrast = [_single(word) for word in classes.get(CONTRAST, ())]
    words = (*known, *forgiven, *(word for phrase in meant.values() for word in phrase))
    return Detector(patterns, Reading(patterns.automaton, Spelling(meant, words, forgiven), contrast))


def check_word(name: str, entry: str, classes: Mapping[str, Sequence[str]]) -> None:
    """Raise PatternError where an entry of the word list `name` cannot be read."""
    if name == SPELLING:
        read_spellings([entry])
    elif name in {FORGIVEN, CONTRAST}:
        _single(entry)
    elif name.startswith(LOWERED_BY):
        parse_pattern(entry, classes)
    else:
        WordClasses({**classes, name: [entry]}).phrases(name, entry, 0)


class Detector:
    """Compiled rules. Holds nothing of the texts that it examines."""

    def __init__(self, patterns: _Patterns, reading: Reading) -> None:
        self._patterns = patterns
        self._reading = reading
        self._all_says = sum(patterns.says.values())

    def examine(self, text: str) -> tuple[Finding, ...]:
        """Return at most one finding a rule, the gravest first. Never raises: an error is itself an orange finding."""
        try:
            return self._examined(text)
        except Exception:  # noqa: BLE001 - whatever goes wrong, silence would be worse
            return (_unexamined(text),)

    def _examined(self, text: str) -> tuple[Finding, ...]:
        words = self._reading.words(text)
        ends = self._patterns.automaton.scan(words)
        found: dict[str, Finding] = {}
        open_says, looks = self._all_says, 0
        for end, finals in enumerate(ends):
            if not finals:
                continue
            for number in self._patterns.automaton.patterns_in(finals & open_says):
                rule = self._patterns.rule_of[number]
                if rule.id in found and not found[rule.id].lowered_by:
                    continue
                looks += 1
                finding = self._weighed(rule, number, end, _Text(words, ends, weigh=looks <= MOST_LOOKS))
                if finding and (rule.id not in found or not finding.lowered_by):
                    found[rule.id] = finding
                if finding and not finding.lowered_by:
                    open_says &= ~self._patterns.says[rule.id]
        return tuple(sorted(found.values(), key=lambda finding: (_ORDER[finding.level], finding.start, finding.rule)))

    def _weighed(self, rule: RiskRule, number: int, end: int, text: "_Text") -> Finding | None:
        """Return what the find comes to: None where the rule takes it back, one level lower where something lowers."""
        place = self._patterns.automaton.find(number, end, text.words)
        if place is None:
            raise LookupError(f"{rule.id} was found but stands nowhere")
        finding = Finding(
            rule=rule.id,
            version=rule.version,
            level=rule.level,
            category=rule.category,
            start=text.words[place.start].start,
            end=text.words[end - 1].end,
        )
        if not text.weigh:
            return finding
        if text.ending_within(_around(text.words, place, CLAUSE)) & self._patterns.unless.get(rule.id, 0):
            return None
        reasons = ", ".join(self._lowering(rule, place, text))
        return replace(finding, level=_LOWER[rule.level], lowered_by=reasons) if reasons else finding

    def _lowering(self, rule: RiskRule, place: Place, text: "_Text") -> Iterator[str]:
        sentence = text.ending_within(_around(text.words, place, LINE))
        for name, finals in self._patterns.lowering.items():
            if name == NEGATION:
                lowers = self._just_before(finals, place, text) or self._in_a_gap(finals, place, text)
            elif name == THIRD_PERSON:
                oneself = rule.category in ABOUT_ONESELF
                lowers = oneself and (self._just_before(finals, place, text) or self._runs_in(finals, place, text))
            else:
                lowers = bool(sentence & finals)
            if lowers:
                yield name

    def _just_before(self, finals: int, place: Place, text: "_Text") -> bool:
        return bool(text.ends[place.start] & finals) and text.words[place.start].cut == 0

    def _in_a_gap(self, finals: int, place: Place, text: "_Text") -> bool:
        inside = self._places_inside(finals, place, text)
        return any(place.in_a_gap(own.start, own.end) and text.words[own.start].cut == 0 for own in inside)

    def _runs_in(self, finals: int, place: Place, text: "_Text") -> bool:
        """Return whether one of the patterns begins before the find and ends in it ("he wants", "wants to die")."""
        return any(own.start < place.start for own in self._places_inside(finals, place, text))

    def _places_inside(self, finals: int, place: Place, text: "_Text") -> Iterator[Place]:
        for end in range(place.start + 1, place.end):
            for number in self._patterns.automaton.patterns_in(text.ends[end] & finals):
                if own := self._patterns.automaton.find(number, end, text.words):
                    yield own


@dataclass(frozen=True, slots=True)
class _Text:
    """A text's words and the final bits of what ends before each; `weigh` unless it repeats itself too often."""

    words: Sequence[Word]
    ends: Sequence[int]
    weigh: bool

    def ending_within(self, span: tuple[int, int]) -> int:
        """Return the final bits of all that ends in a span of words."""
        return reduce(or_, self.ends[span[0] + 1 : span[1] + 1], 0)


def _around(words: Sequence[Word], place: Place, strength: int) -> tuple[int, int]:
    """Return the words around a find up to the next cut of at least `strength` on both sides."""
    start, end = place.start, place.end
    while start > 0 and place.start - start < REACH and words[start].cut < strength:
        start -= 1
    while end < len(words) and end - place.end < REACH and words[end].cut < strength:
        end += 1
    return start, end


def _numbered(
    rules: Sequence[RiskRule], classes: Mapping[str, Sequence[str]], meant: Mapping[str, Phrase]
) -> _Patterns:
    known, spelt = WordClasses(classes), _Spelt(meant)
    patterns: list[Pattern] = []

    def add(sources: Sequence[str]) -> range:
        patterns.extend(_as_meant(parse_pattern(source, known), spelt) for source in sources)
        return range(len(patterns) - len(sources), len(patterns))

    says = {rule.id: add(rule.says) for rule in rules}
    unless = {rule.id: add(rule.unless) for rule in rules}
    lowering = {
        name.removeprefix(LOWERED_BY): add(entries) for name, entries in classes.items() if name.startswith(LOWERED_BY)
    }
    automaton = Automaton(patterns)
    return _Patterns(
        automaton=automaton,
        rule_of={number: rule for rule in rules for number in says[rule.id]},
        says={rule: automaton.final_bits(numbers) for rule, numbers in says.items()},
        unless={rule: automaton.final_bits(numbers) for rule, numbers in unless.items()},
        lowering={name: automaton.final_bits(numbers) for name, numbers in lowering.items()},
    )


def _as_meant(pattern: Pattern, spelt: "_Spelt") -> Pattern:
    """Spell the pattern's words as those of a text are spelt."""
    elements = [(element, spelt[element.phrases]) for element in pattern.elements]
    if all(element.phrases is phrases for element, phrases in elements):
        return pattern
    return replace(pattern, elements=tuple(replace(element, phrases=phrases) for element, phrases in elements))


class _Spelt(dict[frozenset[Phrase], frozenset[Phrase]]):
    """Sets of phrases as they are meant, each worked out once, however many patterns share it."""

    def __init__(self, meant: Mapping[str, Phrase]) -> None:
        super().__init__()
        self._meant = meant

    def __missing__(self, phrases: frozenset[Phrase]) -> frozenset[Phrase]:
        misspelt = [phrase for phrase in phrases if not self._meant.keys().isdisjoint(phrase)]
        spelt = (tuple(s for word in phrase for s in self._meant.get(word, (word,))) for phrase in misspelt)
        self[phrases] = phrases.difference(misspelt).union(spelt) if misspelt else phrases
        return self[phrases]


def _single(entry: str) -> str:
    if word := form_key(entry):
        return word
    raise PatternError(entry, 0, f"'{entry}' is not one word: write single words here")


def _unexamined(text: str) -> Finding:
    return Finding(
        rule=COULD_NOT_BE_EXAMINED,
        version="",
        level="orange",
        category=COULD_NOT_BE_EXAMINED,
        start=0,
        end=len(text),
    )
