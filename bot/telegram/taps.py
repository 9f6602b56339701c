"""What a tapped button means: typed taps, written into the 64 bytes that Telegram gives a button."""

from dataclasses import dataclass
from typing import get_args

from bot.domain.flow import Act

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ACTS: tuple[Act, ...] = get_args(Act)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTap:
    """A button of a practice's screen."""

    run: int
    turn: int
    act: Act
    value: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTap:
    """A button under a prompt: start, 30m, 2h, tonight, skip."""

    prompt: int
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTap:
    """A button under an alert or a case card."""

    case: int
    verb: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuTap:
    """A button of a menu: which one, and what was chosen."""

    menu: str
    value: str = ""


AnyTap = RunTap | PromptTap | CaseTap | MenuTap


def tap_data(tap: AnyTap) -> str:
    """Return the tap as button data."""
    match tap:
        case RunTap():
            return f"r:{_short(tap.run)}:{tap.turn}:{_ACTS.index(tap.act)}:{tap.value}"
        case PromptTap():
            return f"p:{_short(tap.prompt)}:{tap.verb}"
        case CaseTap():
            return f"c:{_short(tap.case)}:{tap.verb}:{tap.value}"
        case MenuTap():
            return f"m:{tap.menu}:{tap.value}"


def read_tap(data: str) -> AnyTap | None:
    """Return the tap that the data stands for, None when no version of Interlude wrote it."""
    kind, _, rest = data.partition(":")
    parts = rest.split(":")
    try:
        match kind:
            case "r":
                run, turn, act, value = parts
                return RunTap(run=int(run, 36), turn=int(turn), act=_ACTS[int(act)], value=int(value))
            case "p":
                prompt, verb = parts
                return PromptTap(prompt=int(prompt, 36), verb=verb)
            case "c":
                case, verb, *given = parts
                return CaseTap(case=int(case, 36), verb=verb, value=":".join(given))
            case "m":
                menu, *given = parts
                return MenuTap(menu=menu, value=":".join(given))
    except (ValueError, IndexError):
        return None
    return None


def _short(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
