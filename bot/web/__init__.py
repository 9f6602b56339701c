"""What Interlude answers over HTTP: how it is, for whoever keeps it running, and Telegram's updates."""

from bot.web.counting import Counting
from bot.web.health import make_web
from bot.web.serving import serve
from bot.web.webhook import webhook_route

__all__ = ["Counting", "make_web", "serve", "webhook_route"]
