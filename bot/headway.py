"""Notices when a part of Interlude makes no headway any more, however it came to that."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

Part = Literal["polling", "inbox", "scheduler", "sender", "pager"]

STALLED_AFTER = 60.0
"""Seconds without headway after which a part is stalled."""


class Headway:
    """Keeps when each part last got something done, or last found nothing to do.

    What a part merely tried does not count. `seconds` tells a time that nobody moves.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._last: dict[tuple[Part, str], float] = {}

    def watch(self, part: Part, names: Iterable[str] = ("",)) -> None:
        """Begin to expect headway of a part, of each thing that it does by `names`."""
        self._last |= {(part, name): self._seconds() for name in names}

    def made(self, part: Part, name: str = "") -> None:
        """Keep that a part made headway now; one that is not watched is left alone."""
        if (part, name) in self._last:
            self._last[part, name] = self._seconds()

    def leave(self, parts: Iterable[Part]) -> None:
        """Expect nothing of these parts any more."""
        left = frozenset(parts)
        self._last = {one: last for one, last in self._last.items() if one[0] not in left}

    def stalled(self) -> tuple[Part, ...]:
        """Return the parts that made none for too long, in the order in which they were first watched."""
        now = self._seconds()
        late = (part for (part, _), last in self._last.items() if now - last >= STALLED_AFTER)
        return tuple(dict.fromkeys(late))

    def since(self) -> Mapping[Part, float]:
        """Return for how many seconds each part made none; of one that does several things, the longest."""
        now, longest = self._seconds(), dict[Part, float]()
        for (part, _), last in self._last.items():
            longest[part] = max(longest.get(part, 0.0), now - last)
        return longest
