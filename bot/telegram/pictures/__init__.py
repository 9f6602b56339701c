"""Pictures for chat: a participant's progress, and a link as a QR code."""

from bot.telegram.pictures.drawing import progress_svg
from bot.telegram.pictures.png import progress_png, qr_png
from bot.telegram.pictures.progress import Progress, ProgressWords, SkillProgress, alt_text

__all__ = ["Progress", "ProgressWords", "SkillProgress", "alt_text", "progress_png", "progress_svg", "qr_png"]
