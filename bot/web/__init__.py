"""What Interlude answers over HTTP: how it is, for whoever keeps it running."""

from bot.web.health import make_web
from bot.web.serving import serve

__all__ = ["make_web", "serve"]
