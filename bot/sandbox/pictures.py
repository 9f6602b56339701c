"""A picture for users to send, and telling pictures by their first bytes."""

import struct
import zlib

_SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


def plain_png(width: int, height: int, colour: tuple[int, int, int] = (127, 168, 150)) -> bytes:
    """Return a picture of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def media_type(held: bytes) -> str:
    """Return the media type of a file."""
    return next((told for start, told in _SIGNATURES.items() if held.startswith(start)), "application/octet-stream")


def _chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))
