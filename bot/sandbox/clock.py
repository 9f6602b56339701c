"""The sandbox's clock: the machine's, moved by an offset, with named moments ahead that bots tell."""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Tells the sandbox's time. `version` grows whenever it is moved or the marks change."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.version = 0
        self.marks: dict[str, datetime] = {}
        self._changed = asyncio.Condition()
        self._ended = False

    def now(self) -> datetime:
        """Return the sandbox's present moment, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Return the sandbox's present moment as a Unix time."""
        return time.time() + self.offset

    async def move_to(self, moment: datetime) -> None:
        """Make it `moment` now."""
        self.offset = moment.timestamp() - time.time()
        await self._tell()

    async def set_marks(self, marks: dict[str, datetime]) -> None:
        """Replace the named moments."""
        if marks != self.marks:
            self.marks = marks
            await self._tell()

    async def wait_past(self, version: int, seconds: float) -> None:
        """Wait until the clock was moved or marked after `version`, so long at most."""
        async with self._changed:
            try:
                moved = self._changed.wait_for(lambda: self.version > version or self._ended)
                await asyncio.wait_for(moved, seconds)
            except TimeoutError:
                return

    async def wake(self) -> None:
        """Let nobody wait for it any longer."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    def told(self) -> dict[str, object]:
        """Return the clock as the control face shows it."""
        marks = {name: moment.isoformat() for name, moment in sorted(self.marks.items(), key=lambda one: one[1])}
        return {"now": self.now().isoformat(), "offset": self.offset, "version": self.version, "marks": marks}

    async def _tell(self) -> None:
        async with self._changed:
            self.version += 1
            self._changed.notify_all()
