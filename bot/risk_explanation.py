"""Tells in words why a text is flagged: each rule with its evidence, what lowered it, and the second opinion."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.content.library import Loaded
from bot.content.risk_file import RiskFile
from bot.domain.risk import COULD_NOT_BE_EXAMINED, Finding, RiskRule
from bot.domain.risk.detector import NEGATION, THIRD_PERSON
from bot.semantic.opinion import Opinion, SecondOpinion
from bot.semantic.sentences import BadSentences, fingerprint, training_sentences
from bot.semantic.trained import learned_from

WHY: Mapping[str, str] = {
    NEGATION: "words of 'lowered-by-negation' stand right before the evidence or in a gap of it",
    THIRD_PERSON: "words of 'lowered-by-third-person' lead into the evidence, so it tells of somebody else",
}


def explain(loaded: Loaded, second_opinion: SecondOpinion | None, text: str) -> Iterator[str]:
    """Yield lines on each rule that fired, the gravest first, then on the second opinion."""
    found = loaded.content.detector.examine(text)
    rules = {rule.id: rule for file in loaded.values.values() if isinstance(file, RiskFile) for rule in file.rules}
    if not found:
        yield "no rule found anything"
    for finding in found:
        yield from _finding(finding, rules.get(finding.rule), text)
    if second_opinion is None:
        yield "second opinion: switched off, not installed or not trained"
        return
    yield from _opinion(second_opinion.consider(text), loaded.content.root, by_rules=bool(found))


def _finding(finding: Finding, rule: RiskRule | None, text: str) -> Iterator[str]:
    yield f"{finding.level}: {finding.rule} ({finding.category}, version {finding.version or 'none'})"
    yield f"  evidence: {_marked(finding, text)}"
    if finding.rule == COULD_NOT_BE_EXAMINED:
        yield "  why: the detector failed on this text, so a person has to look"
    if rule:
        yield f"  why: {rule.title}. {' '.join(rule.description.split())}".rstrip()
    if rule and finding.lowered_by:
        yield f"  lowered from {rule.level} to {finding.level} by {finding.lowered_by}:"
        for name in finding.lowered_by.split(", "):
            yield f"    {WHY.get(name, f'words of {name!r} in the same sentence'.replace(name, 'lowered-by-' + name))}"


def _marked(finding: Finding, text: str) -> str:
    """Return the line of the text with the evidence in brackets."""
    marked = f"{text[: finding.start]}[{text[finding.start : finding.end]}]{text[finding.end :]}"
    return " ".join(marked.split())


def _opinion(opinion: Opinion, content: Path, *, by_rules: bool) -> Iterator[str]:
    yield f"second opinion: {_verdict(opinion, by_rules=by_rules)}"
    yield f"  score {opinion.score:.2f}, worth a look from {opinion.threshold:.2f} (log-odds); {opinion.version}"
    yield f"  probably about {opinion.category}; similar to"
    texts = _texts(content)
    for example in opinion.similar:
        yield f"    {example.id} ({example.likeness:.2f})  {texts.get(example.id, '')}".rstrip()


def _verdict(opinion: Opinion, *, by_rules: bool) -> str:
    if by_rules:
        return "not asked, since a rule found something; it would say:"
    return "yellow, worth a look" if opinion.worth_a_look else "nothing worth a look"


def _texts(content: Path) -> Mapping[str, str]:
    """Return the examples' texts by id; none when the files have changed since they were learned from."""
    try:
        sentences = training_sentences(content)
    except BadSentences:
        return {}
    if fingerprint(sentences) != learned_from(content):
        return {}
    return {sentence.id: sentence.text for sentence in sentences}
