"""JSON as sources send it."""

from __future__ import annotations

import json

import msgspec
import orjson

from .errors import CallError, FaultCode

_BOM = b"\xef\xbb\xbf"


def decode(body: bytes) -> object:
    """JSON (RFC 8259), with or without a byte order mark. Raises CallError (SOURCE_ANSWER_INVALID).

    A number beyond what a double holds is no reason to refuse a page: it is infinite, and of no column's type.
    """
    body = body.removeprefix(_BOM)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            msgspec.json.decode(body, type=msgspec.Raw)  # is it anything else that is wrong with it?
            return json.loads(body.decode(), parse_constant=_refuse)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            # The decoder's message would quote the body.
            raise CallError(FaultCode.SOURCE_ANSWER_INVALID) from None


def _refuse(name: str) -> object:
    raise ValueError(name)
