"""Activities as JSON that needs no file, so that a practice under way goes on with the version it began with."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from types import MappingProxyType

from bot.domain.activity import (
    Band,
    Breath,
    Choice,
    Finish,
    FlagRule,
    FreeText,
    Goto,
    Many,
    Measure,
    Number,
    Option,
    Pace,
    Picture,
    Route,
    Scale,
    Skill,
    Step,
    Switch,
    TimeOfDay,
)
from bot.domain.words import Span

KIND = "is"
"""The key that names what an object is; no field has this name."""
_KINDS = (
    Band, Breath, Choice, Finish, FlagRule, FreeText, Goto, Many, Measure, Number, Option, Pace, Picture, Route,
    Scale, Skill, Span, Step, Switch, TimeOfDay,
)  # fmt: skip
_DEFAULTS: Mapping[type, tuple[tuple[str, object], ...]] = {
    kind: tuple((field.name, field.default) for field in fields(kind)) for kind in _KINDS
}
"""Each record's fields with their default values; a factory's is not known, and a required field has none."""
_RECORDS: Mapping[str, Callable[..., object]] = {kind.__name__: kind for kind in _KINDS}


class NotFrozen(ValueError):
    """The text is not what `freeze` writes, or the value not what it can write."""


def freeze(activity: Skill | Measure) -> str:
    """Return the activity as JSON. What has its default value is left out, so that fields can be added later."""
    return json.dumps(_packed(activity), ensure_ascii=False, separators=(",", ":"))


def thaw(text: str) -> Skill | Measure:
    """Return the activity that `freeze` wrote. Raises NotFrozen for anything else."""
    try:
        activity = _unpacked(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise NotFrozen(str(error)) from error
    if not isinstance(activity, Skill | Measure):
        raise NotFrozen(type(activity).__name__)
    return activity


def _packed(value: object) -> object:
    if type(value) in _DEFAULTS:
        given = [(name, getattr(value, name), default) for name, default in _DEFAULTS[type(value)]]
        changed = {name: _packed(held) for name, held, default in given if held != default}
        return {KIND: type(value).__name__, **changed}
    match value:
        case str() | int() | float() | None:
            return value
        case date():
            return {KIND: "date", "day": value.isoformat()}
        case timedelta():
            return {KIND: "seconds", "seconds": value.total_seconds()}
        case frozenset():
            return {KIND: "set", "of": sorted(value)}
        case Mapping():
            return {KIND: "map", "of": [[key, _packed(held)] for key, held in value.items()]}
        case tuple():
            return [_packed(held) for held in value]
        case _:
            raise NotFrozen(type(value).__name__)


def _unpacked(value: object) -> object:
    if isinstance(value, list):
        return tuple(_unpacked(held) for held in value)
    if not isinstance(value, dict):
        return value
    held = {name: part for name, part in value.items() if name != KIND}
    match value[KIND]:
        case "date":
            return date.fromisoformat(held["day"])
        case "seconds":
            return timedelta(seconds=held["seconds"])
        case "set":
            return frozenset(held["of"])
        case "map":
            return MappingProxyType({key: _unpacked(part) for key, part in held["of"]})
        case record:
            return _RECORDS[record](**{name: _unpacked(part) for name, part in held.items()})
