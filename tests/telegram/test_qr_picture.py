"""A link as a QR picture."""

import base64
from struct import unpack_from

import pytest

from bot.telegram.pictures import qr_png
from bot.telegram.pictures.png import QR_PIXELS

LINK = "https://t.me/interlude_demo_bot?start=Jq3m0aXb7kTzLw9cPy2eRg"


@pytest.mark.parametrize("link", [LINK, "https://t.me/b?start=" + "x" * 64, "https://t.me/" + "ñ" * 200])
def test_a_qr_picture_is_a_large_square_png(link):
    picture = base64.b64decode(qr_png(link))

    width, height = unpack_from(">LL", picture, 16)
    assert picture.startswith(b"\x89PNG")
    assert width == height
    assert QR_PIXELS * 0.85 <= width <= QR_PIXELS


def test_two_links_give_two_pictures():
    assert qr_png(LINK) != qr_png(LINK + "2")
