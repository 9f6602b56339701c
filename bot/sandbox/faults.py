"""Faults on demand: what goes wrong with which requests, so many times."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from bot.sandbox.world import Json, Refusal

Kind = Literal["429", "500", "502", "403", "400", "reset", "timeout_after", "slow", "late_answer"]
KINDS: Sequence[str] = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """One fault. `method` "*" means any but getUpdates, `chat` 0 any; `times` counts down.

    "reset" cuts the connection before the request is carried out, "timeout_after" after it (`seconds` later), "slow"
    carries it out `seconds` late, "late_answer" at once and answers so late.
    """

    kind: Kind
    method: str = "*"
    chat: int = 0
    times: int = 1
    seconds: float = 1.0
    retry_after: int = 1
    description: str = ""
    migrate_to_chat_id: int = 0
    id: int = field(default=0)

    def told(self) -> Json:
        """Return the fault as the control face shows it."""
        return asdict(self)

    def refusal(self) -> Refusal:
        """Return the refusal that this fault stands for."""
        if self.kind == "429":
            said = self.description or f"Too Many Requests: retry after {self.retry_after}"
            return Refusal(429, said, retry_after=self.retry_after)
        if self.migrate_to_chat_id:
            said = "Bad Request: group chat was upgraded to a supergroup chat"
            return Refusal(400, said, migrate_to_chat_id=self.migrate_to_chat_id)
        defaults = {
            "500": "Internal Server Error",
            "502": "Bad Gateway",
            "403": "Forbidden: bot was blocked by the user",
            "400": "Bad Request: chat not found",
        }
        return Refusal(int(self.kind), self.description or defaults[self.kind])


class Faults:
    """The faults that wait to happen."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Let a fault happen."""
        self._last += 1
        fault.id = self._last
        self.waiting.append(fault)
        return fault

    def take(self, method: str, chat: int) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        for fault in self.waiting:
            if _meant(fault.method.lower(), method.lower()) and fault.chat in (0, chat):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None


def _meant(wanted: str, method: str) -> bool:
    return wanted == method or (wanted == "*" and method != "getupdates")
