"""How bots get their updates: long polling with offsets, and webhooks with a secret and retries."""

import asyncio
import time
from typing import Any

import aiohttp

from bot.sandbox.world import Account, Json, Refusal, World

MOST_AT_ONCE = 100
FIRST_RETRY, LAST_RETRY = 0.5, 60.0
"""Seconds between two tries of a webhook; doubled each time."""


async def poll(bot: Account, given: Json) -> list[Json]:
    """Return the updates that wait, from `offset` on; wait for one up to `timeout` seconds. Raises Refusal with 409."""
    if bot.webhook:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    me = bot.poller = object()
    bot.arrived.set()
    _forget(bot, int(given.get("offset") or 0))
    limit = min(int(given.get("limit") or MOST_AT_ONCE), MOST_AT_ONCE)
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
    wanted = given.get("allowed_updates") or []
    return [one for one in list(bot.updates)[:limit] if not wanted or any(kind in one for kind in wanted)]


def _forget(bot: Account, offset: int) -> None:
    """Take away the updates before the offset: the bot has them. A negative one keeps the last so many."""
    if offset < 0:
        while len(bot.updates) > -offset:
            bot.updates.popleft()
    while offset > 0 and bot.updates and bot.updates[0]["update_id"] < offset:
        bot.updates.popleft()


class Webhooks:
    """Delivers updates to the addresses that bots set."""

    def __init__(self, world: World, carry_out: Any) -> None:  # noqa: ANN401 - the Bot API's own entrance
        self._world = world
        self._carry_out = carry_out
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def set(self, bot: Account, given: Json) -> bool:
        """Set or take away a bot's webhook."""
        if given.get("drop_pending_updates"):
            bot.updates.clear()
        if task := self._tasks.pop(bot.id, None):
            task.cancel()
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
                if await self._one(session, bot, bot.updates[0]):
                    bot.updates.popleft()
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
            async with session.post(bot.webhook["url"], json=update, headers=headers) as answer:
                body = await answer.json(content_type=None) if answer.ok and answer.content_length else {}
                said = "" if answer.ok else f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            body, said = {}, str(error) or type(error).__name__
        if said:
            now = int(self._world.clock.seconds())
            bot.webhook_error = {"last_error_date": now, "last_error_message": said}
            return False
        if isinstance(body, dict) and (method := body.pop("method", None)):
            await self._carry_out(bot, str(method), body)
        return True
