"""Pictures for chat: a participant's progress, and a link as a QR code."""

from bot.telegram.pictures.png import qr_png

__all__ = ["qr_png"]
