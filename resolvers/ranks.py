"""Ranks: what a list is sorted by, as bytes that compare like it. They are small, sort fast, and fit into a cursor."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from uuid import UUID

from sources.standard.model import SortKey

_INVERTED = bytes(range(255, -1, -1))
_END = b"\x00\x01"
_FLOAT = struct.Struct(">d")
_LENGTH = struct.Struct(">H")


def rank(values: Sequence[str | float | None], keys: Sequence[SortKey], id: str) -> bytes:
    """What a list is sorted by, as bytes that compare like it: per key (missing last, then the value), then the id."""
    parts: list[bytes] = []
    for value, key in zip(values, keys, strict=True):
        if value is None:
            parts.append(b"\x02")
            continue
        parts.append(b"\x01")
        part = _text(value) if isinstance(value, str) else _number(value)
        parts.append(part.translate(_INVERTED) if key.descending else part)
    parts.append(packed(id))
    return b"".join(parts)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass").replace(b"\x00", b"\x00\xff") + _END


def _number(value: float) -> bytes:
    data = _FLOAT.pack(value)
    return data.translate(_INVERTED) if data[0] & 0x80 else bytes((data[0] | 0x80,)) + data[1:]


def packed(id: str) -> bytes:
    """An id at the end of a rank: a UUID in 17 bytes, any other text with its length behind it."""
    if len(id) == 36 and id[8] == id[13] == id[18] == id[23] == "-":
        digits = id.replace("-", "")
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            data = b""
        if len(data) == 16 and data.hex() == digits:
            return data + b"\x00"
    text = id.encode("utf-8", "surrogatepass")
    return text + _LENGTH.pack(len(text)) + b"\x01"


def head(rank: bytes) -> bytes:
    """A rank without its id: the same for records that tie."""
    return rank[:-17] if rank[-1] == 0 else rank[: -3 - _LENGTH.unpack(rank[-3:-1])[0]]


def ranked_id(rank: bytes) -> str:
    """The id at the end of a rank."""
    if rank[-1] == 0:
        return str(UUID(bytes=rank[-17:-1]))
    (length,) = _LENGTH.unpack(rank[-3:-1])
    return rank[-3 - length : -3].decode("utf-8", "surrogatepass")
