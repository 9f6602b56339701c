"""How bots get their updates: long polling with offsets, and webhooks with a secret and retries."""

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import Awaitable, Callable

import aiohttp

from bot.sandbox.world import Account, Json, Refusal, World

MOST_AT_ONCE = 100
FAR_AHEAD = 10
FIRST_RETRY, LAST_RETRY = 0.5, 60.0
"""Seconds between two tries of a webhook; doubled each time."""

Answered = Callable[[Account, str, bytes], Awaitable[object]]
"""Carries out the method in a webhook's answer, of this content type and body."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


async def poll(bot: Account, given: Json) -> list[Json]:
    """Return the updates that wait, from `offset` on; wait for one up to `timeout` seconds. Raises Refusal with 409."""
    if bot.webhook:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    if "allowed_updates" in given:
        bot.allowed = frozenset(given["allowed_updates"] or ())
    me = bot.poller = object()
    bot.arrived.set()
    _forget(bot, int(given.get("offset") or 0))
    limit = max(1, min(int(given.get("limit") or MOST_AT_ONCE), MOST_AT_ONCE))
    until = time.monotonic() + float(given.get("timeout") or 0)
    while not bot.updates and time.monotonic() < until:
        bot.arrived.clear()
        try:
            await asyncio.wait_for(bot.arrived.wait(), until - time.monotonic())
        except TimeoutError:
            break
        if bot.poller is not me:
            raise Refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
    return list(itertools.islice(bot.updates, limit))


def _forget(bot: Account, offset: int) -> None:
    """Take away the updates before the offset: the bot has them. A negative one keeps the last so many.

    An offset far ahead of every update is from before the numbers started over, and takes nothing away.
    """
    if offset > bot.next_update + FAR_AHEAD:
        return
    if offset < 0:
        while len(bot.updates) > -offset:
            bot.updates.popleft()
    while offset > 0 and bot.updates and bot.updates[0]["update_id"] < offset:
        bot.updates.popleft()


class Webhooks:
    """Delivers updates to the addresses that bots set."""

    def __init__(self, world: World, carry_out: Answered) -> None:
        self._world = world
        self._carry_out = carry_out
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def set(self, bot: Account, given: Json) -> bool:
        """Set or take away a bot's webhook. Raises Refusal."""
        _check(given)
        if given.get("drop_pending_updates"):
            bot.updates.clear()
        if task := self._tasks.pop(bot.id, None):
            task.cancel()
        if "allowed_updates" in given:
            bot.allowed = frozenset(given["allowed_updates"] or ())
        url = str(given.get("url") or "")
        bot.webhook = {"url": url, **{k: v for k, v in given.items() if k != "url"}} if url else None
        bot.webhook_error = {}
        bot.poller = None
        bot.arrived.set()
        if url:
            self._tasks[bot.id] = asyncio.create_task(self._deliver(bot))
        return True

    def told(self, bot: Account) -> Json:
        """Return what getWebhookInfo tells."""
        url = bot.webhook["url"] if bot.webhook else ""
        known = {"url": url, "has_custom_certificate": False, "pending_update_count": len(bot.updates)}
        return known | bot.webhook_error

    async def stop(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks.values():
            task.cancel()

    async def _deliver(self, bot: Account) -> None:
        wait = FIRST_RETRY
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            while bot.webhook:
                if not bot.updates:
                    bot.arrived.clear()
                    await bot.arrived.wait()
                    continue
                update = bot.updates[0]
                if await self._one(session, bot, update):
                    with contextlib.suppress(ValueError):  # somebody may have dropped it meanwhile
                        bot.updates.remove(update)
                    wait = FIRST_RETRY
                else:
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LAST_RETRY)

    async def _one(self, session: aiohttp.ClientSession, bot: Account, update: Json) -> bool:
        """Deliver one update; a method in the answer is carried out. Returns whether it was taken."""
        assert bot.webhook  # noqa: S101 - only then are there deliveries
        secret = bot.webhook.get("secret_token")
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            async with session.post(bot.webhook["url"], json=update, headers=headers, allow_redirects=False) as answer:
                body, kind = await answer.read(), answer.headers.get("Content-Type", "")
                said = (
                    ""
                    if answer.status // 100 == 2
                    else f"Wrong response from the webhook: {answer.status} {answer.reason}"
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            body, kind, said = b"", "", str(error) or type(error).__name__
        if said:
            now = int(self._world.clock.seconds())
            bot.webhook_error = {"last_error_date": now, "last_error_message": said}
            return False
        await self._carry_out(bot, kind, body)
        return True


def _check(given: Json) -> None:
    url, secret = str(given.get("url") or ""), given.get("secret_token")
    if url and not url.startswith(("http://", "https://")):
        raise Refusal(400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook")
    if secret and not _SECRET.fullmatch(str(secret)):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
