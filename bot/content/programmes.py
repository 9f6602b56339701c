"""The file of a programme, made into a Programme: levels of care inherit, and names and windows are checked."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.content.activities import inherited
from bot.content.document import Document, Section
from bot.content.findings import START, Place, Report, did_you_mean
from bot.content.front_matter import FrontMatter, Path, checked
from bot.content.lengths import MOST_CONTACTS, TEXT_LIMIT, contact_length, units
from bot.content.programme_front import ALERTS, DEFAULTS, ProgrammeFront, StreamFront, StreamKeys
from bot.content.sources import Source, is_kebab, is_language
from bot.content.windows import check_windows
from bot.domain.programme import Contact, Programme, Stream, WorkingHours
from bot.domain.words import Words, join

SECTIONS = ("welcome", "consent", "not-monitored", "urgent")
AT_ONCE = ("welcome", "consent", "not-monitored")
"""The sections that a newcomer reads in one message, before the question whether they agree."""
ROOM_FOR_THE_QUESTION = 300
DEFAULT_LEVEL = "iop"
INSTEAD = (frozenset({"between", "at"}), frozenset({"measure", "skill", "choose"}))
"""Keys of a stream of which a level of care that sets one does not inherit the other."""


def read_programme(source: Source, document: Document, original: Document | None, report: Report) -> Programme | None:
    """Read a programme; `original` is the document that this file translates. None when there is too little of it."""
    texts = _sections(document, original, report)
    front = _front(document, original, report)
    if front is None or document.front is None:
        return None
    own = report if original is None else Report(source.file)  # what is inherited is reported where it stands
    levels = _levels(front, document.front, own)
    _check_front(front, document.front, own)
    contacts = tuple(contact.contact() for contact in front.contacts)
    _check_contacts(contacts, texts["urgent"], document, report)
    check_windows(front, levels, document.front, own)
    return Programme(
        id=source.id,
        language=source.language,
        title=front.title,
        timezone=front.timezone,
        languages=front.languages,
        quiet=front.quiet.hours if front.quiet else None,
        most_per_day=front.most_per_day,
        sessions=tuple(session.session() for session in front.sessions),
        levels=MappingProxyType(levels),
        curriculum=tuple(phase.phase() for phase in front.curriculum),
        missed=front.missed.missed() if front.missed else None,
        alerts=MappingProxyType({level: alert.rule(level) for level, alert in front.alerts.items()}),
        working_hours=WorkingHours(days=front.working_hours.days, hours=front.working_hours.hours),
        contacts=contacts,
        consent_version=_consent_version(original or document),
        welcome=texts["welcome"],
        consent=texts["consent"],
        not_monitored=texts["not-monitored"],
        urgent=texts["urgent"],
        country=front.country,
        region=front.region,
        closed=front.closed,
        retention=front.retention.retention(),
        high_distress=front.high_distress,
    )


def check_names(
    front: FrontMatter, programme: Programme, skills: Iterable[str], measures: Iterable[str], report: Report
) -> None:
    """Report skills and measures that no file describes; `skills` and `measures` are all the ids there are."""
    known = {"measure": frozenset(measures), "skill": frozenset(skills)}
    for path in front.values:
        if len(path) >= 3 and path[-3] == "streams" and path[-1] in known:
            _check_name(str(path[-1]), _value(front, path), known, front.place(path), report)
    for number, phase in enumerate(programme.curriculum):
        for index, skill in enumerate(phase.skills or ()):
            _check_name("skill", skill, known, front.place(("curriculum", number, "skills", index)), report)


def _check_name(kind: str, name: object, known: Mapping[str, frozenset[str]], place: Place, report: Report) -> None:
    if name and name not in known[kind]:
        report.add("C060", place, f"there is no {kind} '{name}'", did_you_mean(str(name), known[kind]))


def _value(front: FrontMatter, path: Path) -> object:
    value: object = front.data
    for part in path:
        value = value[part] if isinstance(value, Mapping) else None
    return value


def _sections(document: Document, original: Document | None, report: Report) -> dict[str, Words]:
    texts: dict[str, Words] = {}
    for section in document.sections:
        _check_section(section, texts, report)
        if section.id == "consent" and original is None and _version(section) is None:
            report.add("C004", section.place, "the consent has no version", "write {#consent version=1}")
        texts[section.id] = join((section.heading, section.body))
    for name in SECTIONS:
        if name not in texts:
            report.add("C004", START, f"the section '{name}' is missing", f"add '## … {{#{name}}}' and its text")
    together = units(join(tuple(texts.get(name, ()) for name in AT_ONCE)))
    if together + ROOM_FOR_THE_QUESTION > TEXT_LIMIT:
        message = f"{', '.join(AT_ONCE)} are shown in one message and have {together} characters together"
        at = next((section.place for section in document.sections if section.id in AT_ONCE), START)
        report.add("C030", at, message, f"{TEXT_LIMIT - ROOM_FOR_THE_QUESTION} at most")
    return {name: texts.get(name, ()) for name in SECTIONS}


def _check_section(section: Section, seen: Mapping[str, Words], report: Report) -> None:
    if section.id in seen:
        report.add("C010", section.place, f"another section has the id '{section.id}' already")
    if section.id not in SECTIONS:
        hint = did_you_mean(section.id, SECTIONS) or f"the sections are {', '.join(SECTIONS)}"
        report.add("C003", section.place, f"unknown section '{section.id}'", hint)
    elif not section.body:
        report.add("C004", section.place, f"the section '{section.id}' says nothing")
    section.attributes.only({"version"} if section.id == "consent" else (), report)
    for name, place in section.fields.items():
        report.add("C025", place, f"nothing fills {{{name}}} in a programme")
    if units(section.body) > TEXT_LIMIT:
        report.add("C030", section.place, f"{units(section.body)} characters are too many: {TEXT_LIMIT} at most")


def _check_contacts(contacts: tuple[Contact, ...], urgent: Words, document: Document, report: Report) -> None:
    together = units(urgent) + sum(map(contact_length, contacts))
    if together > MOST_CONTACTS:
        section = document.section("urgent")
        message = f"what to do when it is urgent and the contacts have about {together} characters together"
        report.add("C030", section.place if section else START, message, f"{MOST_CONTACTS} at most")


def _consent_version(document: Document) -> int:
    section = document.section("consent")
    return (_version(section) if section else None) or 0


def _version(section: Section) -> int | None:
    text = section.attributes.values.get("version", "")
    return int(text) if text.isdecimal() and int(text) else None


def _front(document: Document, original: Document | None, report: Report) -> ProgrammeFront | None:
    if document.front is None:
        return None
    if original and original.front:
        _check_translated(document.front, original.front, report)
    data = {**DEFAULTS, **inherited(document, original)}
    alerts = data.get("alerts", {})
    data["alerts"] = {**ALERTS, **alerts} if isinstance(alerts, dict) else alerts
    return checked(ProgrammeFront, data, document.front, report, inherits=bool(original))


def _check_translated(front: FrontMatter, original: FrontMatter, report: Report) -> None:
    if "title" not in front.data:
        report.add("C004", START, "required key 'title' is missing")
    for key in front.data.keys() - {"title"}:
        same = _reached if key == "contacts" else _whole
        if same(front.data[key]) != same(original.data.get(key)):
            report.add("C040", front.place((key,)), f"'{key}' differs from the original", "leave it out to inherit it")


def _whole(value: object) -> object:
    return value


def _reached(contacts: object) -> object:
    """Return how contacts are reached: their names may be translated, and nothing else."""
    if not isinstance(contacts, list):
        return contacts
    return [{key: str(way) for key, way in one.items() if key != "name"} for one in contacts if isinstance(one, dict)]


def _levels(front: ProgrammeFront, matter: FrontMatter, report: Report) -> dict[str, Mapping[str, Stream]]:
    levels = front.levels or {DEFAULT_LEVEL: None}
    return {
        level: MappingProxyType(_streams(front.streams, level, changes.streams if changes else {}, matter, report))
        for level, changes in levels.items()
    }


def _streams(
    base: Mapping[str, StreamKeys],
    level: str,
    changes: Mapping[str, StreamKeys | None],
    matter: FrontMatter,
    report: Report,
) -> dict[str, Stream]:
    """Return a level's streams: the programme's, with what the level changes key by key, without what it turns off."""
    streams: dict[str, Stream] = {}
    for name in [*base, *(name for name in changes if name not in base)]:
        change = changes.get(name, {})
        if change is None:
            continue
        left_out = {key for group in INSTEAD if group & change.keys() for key in group}
        kept = {key: value for key, value in base.get(name, {}).items() if key not in left_out}
        places = matter.below(("streams", name)).under(matter.below(("levels", level, "streams", name)))
        if stream := checked(StreamFront, {**kept, **change}, places, report):
            streams[name] = stream.stream(name)
    return streams


def _check_front(front: ProgrammeFront, matter: FrontMatter, report: Report) -> None:
    for number, language in enumerate(front.languages):
        if not is_language(language):
            report.add("C005", matter.place(("languages", number)), f"'{language}' is not a language code")
    for key, names in (("levels", front.levels), ("streams", front.streams)):
        for name in names:
            if not is_kebab(name):
                report.add("C006", matter.key((key, name)), f"'{name}' is not a kebab-case id")
    if front.missed and front.missed.stream not in front.streams:
        hint = did_you_mean(front.missed.stream, front.streams)
        report.add("C060", matter.place(("missed", "stream")), f"there is no stream '{front.missed.stream}'", hint)
