"""Encryption of single column values: AES-256-GCM, bound to the table, column and row they stand in."""

import base64
import binascii
import os
from collections.abc import Collection, Sequence

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
ID_BYTES = 4
_NONCE_BYTES = 12

log = structlog.get_logger()


class BadKey(ValueError):
    """An encryption key is missing or malformed."""


class Unreadable(Exception):
    """A stored value was moved, changed, or sealed with a key that is not here."""


class Vault:
    """Seals and opens values. The first key seals; all of them open.

    A sealed value is the key's id (4 bytes), a nonce (12 bytes) and the ciphertext with its tag.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise BadKey("no encryption key: set INTERLUDE_KEYS (`interlude doctor` makes one)")
        self._names = [name for name, _ in keys]
        if len(set(self._names)) < len(keys):
            raise BadKey("two keys of INTERLUDE_KEYS have the same name: give each its own")
        self._ciphers = {_id_bytes(name): AESGCM(key) for name, key in keys}
        self._current = _id_bytes(keys[0][0])

    @property
    def current(self) -> bytes:
        """The id of the key that seals: what it sealed begins with it."""
        return self._current

    def older_keys_not_in(self, ids: Collection[bytes]) -> tuple[str, ...]:
        """Return the names of the keys, but for the current one, whose id is not among `ids`."""
        return tuple(name for name in self._names[1:] if _id_bytes(name) not in ids)

    def seal(self, place: str, row: object, text: str) -> bytes:
        """Return `text` sealed for `place` ("table.column") and `row`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), _bound(place, row))
        return self._current + nonce + sealed

    def open(self, place: str, row: object, sealed: bytes) -> str:
        """Return the text sealed for this very place and row. Raises Unreadable."""
        cipher = self._ciphers.get(sealed[:ID_BYTES])
        if cipher is None:
            raise Unreadable(f"{place}: sealed with a key that is not configured")
        nonce, body = sealed[ID_BYTES : ID_BYTES + _NONCE_BYTES], sealed[ID_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, _bound(place, row)).decode()
        except (InvalidTag, ValueError):
            raise Unreadable(f"{place}: the value does not belong to this row") from None


def readable(vault: Vault, place: str, row: object, sealed: bytes | None) -> str | None:
    """Return the text of a value, None (and a line in the log) where it cannot be read: one must not stop all others.

    For what is read among many; what is asked for alone is opened, and raises.
    """
    try:
        return vault.open(place, row, sealed or b"")
    except Unreadable as error:
        log.warning("a stored value cannot be read", why=str(error))
        return None


def new_key(name: str) -> str:
    """Return a fresh key as it stands in the settings, `name:base64`."""
    return f"{name}:{base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()}"


def read_keys(setting: str) -> tuple[tuple[str, bytes], ...]:
    """Read `name:base64[,name:base64...]`, the current key first. Raises BadKey with what to do."""
    return tuple(_read_key(part.strip()) for part in setting.split(",") if part.strip())


def _read_key(part: str) -> tuple[str, bytes]:
    name, _, encoded = part.partition(":")
    try:
        key = base64.urlsafe_b64decode(encoded)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES or not 1 <= len(name) <= ID_BYTES:
        raise BadKey("INTERLUDE_KEYS must be NAME:KEY, a name of 1 to 4 letters and 32 bytes in base64")
    return name, key


def _id_bytes(name: str) -> bytes:
    return name.encode().ljust(ID_BYTES, b"\0")


def _bound(place: str, row: object) -> bytes:
    return f"{place}:{row}".encode()
