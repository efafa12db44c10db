"""Sealed positions in a list: authenticated encryption, bound to the query, its population and the configuration.

A cursor holds upstream page tokens and sort values (names, perhaps), so it is encrypted, not only signed.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import Code, InvalidCursor

_NONCE = 12
_MAX_CURSOR = 16_384


class Sealer:
    """Seals with the first secret, opens with any (current and previous)."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = [AESGCM(_derive(secret)) for secret in secrets]

    @classmethod
    def random(cls) -> Sealer:
        """A key that dies with the process."""
        return cls([os.urandom(32)])

    def seal(self, position: Sequence[object], bound_to: bytes) -> str:
        """A cursor for a position (JSON values) in the list that ``bound_to`` stands for."""
        nonce = os.urandom(_NONCE)
        sealed = self._keys[0].encrypt(nonce, orjson.dumps(position), bound_to)
        return _text(nonce + sealed)

    def open(self, cursor: str, bound_to: bytes) -> list[object]:
        """The position in a cursor. Raises InvalidCursor if it is not one of ours for this very list."""
        if len(cursor) <= _MAX_CURSOR and cursor.isascii():
            try:
                sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            except (binascii.Error, ValueError):
                sealed = b""
            if _text(sealed) != cursor:  # the last character has bits to spare: only one spelling is ours
                sealed = b""
            if len(sealed) > _NONCE:
                for key in self._keys:
                    try:
                        position = orjson.loads(key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to))
                    except InvalidTag:
                        continue
                    if isinstance(position, list):
                        return position
        raise InvalidCursor(
            Code.INVALID_CURSOR, "The cursor is not one of this list: it must come from the same query and gateway."
        )


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _derive(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ss12000-gateway cursor").derive(secret)
