"""The YAML at the top of a file: read with the place of each value, and checked against a model.

Every value is text until the model says otherwise, so that `no`, `19:30` and `911` stay what was written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.content.findings import START, Place, Report, closest, did_you_mean
from bot.content.timing import Malformed

Path = tuple[str | int, ...]
Value = str | None | list["Value"] | dict[str, "Value"]
Model = TypeVar("Model", bound=BaseModel)

FENCE = "---"
_QUOTED = re.compile(r"'([^']*)'")
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The values, and where each key and each value stands; the path of the whole is empty."""

    data: Mapping[str, Value] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Return where a value stands, or the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, START)

    def key(self, path: Path) -> Place:
        return self.keys.get(path) or self.place(path)

    def below(self, path: Path) -> "FrontMatter":
        """Return where things stand below a path, as if it were the whole."""
        length = len(path)
        return FrontMatter(
            keys={key[length:]: place for key, place in self.keys.items() if key[:length] == path},
            values={key[length:]: place for key, place in self.values.items() if key[:length] == path},
        )

    def under(self, other: "FrontMatter") -> "FrontMatter":
        """Return where things stand when `other` is laid over this."""
        return FrontMatter(keys={**self.keys, **other.keys}, values={**self.values, **other.values})


def split(text: str) -> tuple[str | None, str, int]:
    """Return the front matter (None: there is none), the rest, and how many lines stand before the rest."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None, text, 0
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 1
    return None, text, 0


def read_front_matter(yaml: str | None, report: Report) -> FrontMatter | None:
    """Read the YAML between the fences; None where there is none or it is broken, which is reported."""
    if yaml is None:
        report.add("C002", START, "no front matter", "begin the file with a line ---, keys and values, and another ---")
        return None
    try:
        root = YAML(typ="safe", pure=True).compose(yaml)
    except MarkedYAMLError as error:
        report.add("C002", _marked(error), f"not valid YAML: {error.problem or error.context}", _yaml_hint(error))
        return None
    except (YAMLError, ValueError, RecursionError) as error:
        report.add("C002", START, f"not valid YAML: {str(error).splitlines()[0]}")
        return None
    if not isinstance(root, MappingNode):
        report.add("C002", Place(2, 1), "not keys and values", "write such as 'title: Box breathing'")
        return None
    return _read(root, report)


def _marked(error: MarkedYAMLError) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(mark.line + 2, mark.column + 1) if mark else START


def _yaml_hint(error: MarkedYAMLError) -> str:
    if "mapping values are not allowed" in str(error.problem):
        return "put a text that holds ': ' in quotes"
    if "cannot start any token" in str(error.problem):
        return "put a text that begins with a sign in quotes"
    return ""


def _read(root: MappingNode, report: Report) -> FrontMatter | None:
    keys: dict[Path, Place] = {}
    values: dict[Path, Place] = {}
    seen: set[int] = set()
    sound = True

    def walk(node: Node, path: Path) -> Value:
        nonlocal sound
        values[path] = _place(node)
        if id(node) in seen:
            report.add("C002", _place(node), "anchors and aliases are not read", "write the value again")
            sound = False
            return None
        if isinstance(node, ScalarNode):
            return None if node.tag == _NULL else str(node.value)
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            return [walk(item, (*path, index)) for index, item in enumerate(node.value)]
        return dict(pair(key, value, path) for key, value in node.value)

    def pair(key: Node, value: Node, path: Path) -> tuple[str, Value]:
        nonlocal sound
        name = str(key.value)
        if (*path, name) in keys:
            report.add("C002", _place(key), f"'{name}' is written twice")
            sound = False
        keys[*path, name] = _place(key)
        return name, walk(value, (*path, name))

    data = walk(root, ())
    values[()] = START
    return FrontMatter(data=data, keys=keys, values=values) if sound and isinstance(data, dict) else None


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 2, node.start_mark.column + 1)


def checked(
    model: type[Model], data: Mapping[str, object], front: FrontMatter, report: Report, *, inherits: bool = False
) -> Model | None:
    """Return the model's reading of `data`, or None after all that is wrong with it is reported.

    What is wrong with a key that the file `inherits` is reported where it stands.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=True)
    if inherits:
        errors = [error for error in errors if error["loc"] and error["loc"][0] in front.data]
    _report(model, errors, front, report)
    return None


def _report(model: type[BaseModel], errors: list[ErrorDetails], front: FrontMatter, report: Report) -> None:
    missing = {error["loc"] for error in errors if error["type"] == "missing"}
    for error in errors:
        if error["type"] == "extra_forbidden":
            missing -= {_report_unknown(error["loc"], missing, _keys_at(model, error["loc"]), front, report)}
    for error in errors:
        if error["type"] not in {"extra_forbidden", "missing"}:
            _report_wrong(error, front, report)
    for path in missing:
        report.add("C004", front.key(path[:-1]), f"required key '{path[-1]}' is missing")


def _report_unknown(path: Path, missing: Iterable[Path], known: list[str], front: FrontMatter, report: Report) -> Path:
    """Report a key that is not known, and return the missing one that was meant: one slip is one finding."""
    name = str(path[-1])
    absent = [str(other[-1]) for other in missing if other[:-1] == path[:-1]]
    meant = closest(name, absent) or closest(name, known)
    report.add("C003", front.key(path), f"unknown key '{name}'", f"did you mean '{meant}'?" if meant else "")
    return (*path[:-1], meant)


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys that are known where the path's last key stands."""
    current = model
    for part in path[:-1]:
        inner = _model_in(_aliased(current).get(str(part)))
        current = inner or current
    return list(_aliased(current))


def _aliased(model: type[BaseModel]) -> dict[str, object]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _report_wrong(error: ErrorDetails, front: FrontMatter, report: Report) -> None:
    path = error["loc"]
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Malformed):
        report.add(cause.code, front.place(path), f"'{name}': {cause}" if name else str(cause), cause.hint)
        return
    message, hint = _in_plain_words(error)
    report.add("C005", front.place(path), f"'{name}' {message}", hint)


def _in_plain_words(error: ErrorDetails) -> tuple[str, str]:
    limits = error.get("ctx", {})
    match error["type"]:
        case _ if error["input"] is None:
            return "has no value", ""
        case "literal_error":
            allowed = _QUOTED.findall(str(limits["expected"]))
            hint = did_you_mean(str(error["input"]), allowed)
            return f"cannot be '{error['input']}'", hint or f"one of {', '.join(allowed)}"
        case "int_parsing" | "int_type" | "int_from_float":
            return "must be a whole number", ""
        case "float_parsing" | "float_type":
            return "must be a number", ""
        case "string_type":
            return "must be text", ""
        case "string_too_long":
            return f"is {len(str(error['input']))} characters long, {limits['max_length']} at most", ""
        case "string_too_short" | "too_short":
            return "is empty", ""
        case "list_type" | "tuple_type":
            return "must be a list", "write such as [one, two]"
        case "dict_type" | "model_type" | "model_attributes_type":
            return "must be keys and values", "write such as {key: value}"
        case _:
            return error["msg"].removeprefix("Value error, ").removeprefix("Input ").lower(), ""
