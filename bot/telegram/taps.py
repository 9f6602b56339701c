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
            return f"r:{write_id(tap.run)}:{tap.turn}:{_ACTS.index(tap.act)}:{tap.value}"
        case PromptTap():
            return f"p:{write_id(tap.prompt)}:{tap.verb}"
        case CaseTap():
            return f"c:{write_id(tap.case)}:{tap.verb}:{tap.value}"
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
                return RunTap(run=read_id(run), turn=int(turn), act=_ACTS[int(act)], value=int(value))
            case "p":
                prompt, verb = parts
                return PromptTap(prompt=read_id(prompt), verb=verb)
            case "c":
                case, verb, *given = parts
                return CaseTap(case=read_id(case), verb=verb, value=":".join(given))
            case "m":
                menu, *given = parts
                return MenuTap(menu=menu, value=":".join(given))
    except (ValueError, IndexError):
        return None
    return None


def read_id(text: str) -> int:
    """Return the id that `write_id` wrote. Raises ValueError for what can't be one."""
    number = int(text, 36)
    if not 0 <= number < 2**63:
        raise ValueError(text)
    return number


def write_id(number: int) -> str:
    """Return an id as few characters."""
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
