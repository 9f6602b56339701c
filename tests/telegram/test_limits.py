"""Messages wait for Telegram's limits; the urgent ones go before all others that wait."""

import asyncio
import heapq

from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.limits import KNOWN_AFTER, Limits, Window


async def through(limits: Limits, order: list[str], name: str, chat: int, *, urgent: bool = False) -> None:
    async with limits.turn(chat, urgent=urgent):
        order.append(name)


async def test_who_is_urgent_goes_before_all_who_wait() -> None:
    limits, order = Limits(per_second=20), []
    waiting = [asyncio.create_task(through(limits, order, f"prompt {number}", number)) for number in range(8)]
    await asyncio.sleep(0.01)
    gone = len(order)
    assert gone < 8
    alert = asyncio.create_task(through(limits, order, "alert", 99, urgent=True))
    await asyncio.gather(alert, *waiting)
    assert order.index("alert") == gone
    assert order[-1] == "prompt 7"


async def test_no_more_go_than_the_rate_allows_and_who_was_cancelled_holds_up_nobody() -> None:
    limits, order = Limits(per_second=50), []
    loop = asyncio.get_running_loop()
    began = loop.time()
    lost = asyncio.create_task(through(limits, order, "lost", 0))
    lost.cancel()
    await asyncio.gather(*(through(limits, order, f"{number}", number) for number in range(20)))
    assert loop.time() - began >= (20 - 5) / 50 - 0.01
    assert len(order) == 20
    await asyncio.gather(lost, return_exceptions=True)


async def test_nothing_goes_while_telegram_said_to_wait() -> None:
    limits, order = Limits(per_second=1000), []
    loop = asyncio.get_running_loop()
    limits.close_for(0.15)
    began = loop.time()
    await through(limits, order, "alert", 1, urgent=True)
    assert loop.time() - began >= 0.14


async def test_a_chat_gets_a_few_at_once_and_then_one_a_second() -> None:
    limits, order = Limits(per_second=1000, per_chat=1, chat_burst=2), []
    tasks = [asyncio.create_task(through(limits, order, f"{number}", 7)) for number in range(3)]
    await asyncio.sleep(0.1)
    assert order == ["0", "1"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_is_cancelled_just_when_let_through_leaves_room_for_others(monkeypatch) -> None:
    limits, order = Limits(per_second=2), []
    await through(limits, order, "first", 1)
    lost = asyncio.create_task(through(limits, order, "lost", 2))
    monkeypatch.setattr(limits._window, "take", lambda: Window.take(limits._window) or lost.cancel())
    await asyncio.gather(lost, return_exceptions=True)
    monkeypatch.undo()
    async with asyncio.timeout(5):
        await asyncio.gather(*(through(limits, order, name, 3) for name in ("third", "fourth")))
    assert order == ["first", "third", "fourth"]


@given(ways=st.lists(st.integers(5, 400), min_size=60, max_size=200), there=st.floats(0, 1))
def test_the_other_end_sees_no_more_than_the_rate_in_any_second_however_long_the_ways_are(ways, there) -> None:
    shortest = 0.005
    window, now, arrivals, under_way = Window(30), 0.0, [], []
    for way in [*(way / 1000 for way in ways[:KNOWN_AFTER]), shortest, *(way / 1000 for way in ways)]:
        while (wait := window.wait(now)) != 0:
            now = min([back for back, _ in under_way] + ([now + wait] if wait else []))
            while under_way and under_way[0][0] <= now:
                back, sent = heapq.heappop(under_way)
                window.back(sent, back)
        window.take()
        arrivals.append(now + shortest * there + (way - shortest))
        heapq.heappush(under_way, (now + way, now))
    arrivals.sort()
    assert all(later - first > 1 - 1e-6 for first, later in zip(arrivals, arrivals[30:], strict=False))
