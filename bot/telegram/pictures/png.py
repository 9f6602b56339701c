"""Pictures as PNG in base64, as a Message carries them: progress in the bundled font only, and a link as a QR code."""

from base64 import b64encode
from io import BytesIO

import segno
from resvg_py import svg_to_bytes

from bot.telegram.pictures.drawing import progress_svg
from bot.telegram.pictures.lettering import BOLD, FAMILY, REGULAR
from bot.telegram.pictures.progress import Progress, ProgressWords

QR_PIXELS = 1024
"""The QR picture is as near below this as whole pixels for each module allow."""

QUIET = 4
"""Modules of white around a QR code, as its standard asks."""


def progress_png(progress: Progress, words: ProgressWords) -> str:
    """Return the progress picture. Takes some 100 ms of processor time."""
    picture = svg_to_bytes(
        svg_string=progress_svg(progress, words),
        skip_system_fonts=True,
        font_files=[str(REGULAR), str(BOLD)],
        font_family=FAMILY,
    )
    return b64encode(picture).decode()


def qr_png(link: str) -> str:
    """Return a QR code of the link: black on white, so large that a camera reads it off another screen."""
    code = segno.make(link, error="m", micro=False)
    side, _ = code.symbol_size(border=QUIET)
    picture = BytesIO()
    code.save(picture, kind="png", scale=int(QR_PIXELS // side), border=QUIET)
    return b64encode(picture.getvalue()).decode()
