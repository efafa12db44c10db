"""How a demonstration server tells who asks: each of them in its own way."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, unquote_plus

import orjson
from starlette.requests import Request
from starlette.responses import Response

LIFETIME = 3600
"""Seconds that a token of the token endpoint is good for."""
MAX_FORM = 16 * 1024
"""Bytes of a request to the token endpoint."""


class Lock(Protocol):
    """Decides whether a request carries this server's credentials."""

    def opens(self, headers: Mapping[str, str]) -> bool: ...

    def configuration(self, base: str) -> dict[str, str]:
        """The ``auth:`` part of gateway.yaml for a server at that origin."""
        ...


@dataclass(frozen=True, slots=True)
class Open:
    """Everybody may ask."""

    def opens(self, headers: Mapping[str, str]) -> bool:
        return True

    def configuration(self, base: str) -> dict[str, str]:
        return {"type": "none"}


@dataclass(frozen=True, slots=True)
class Key:
    """A fixed key in a header of its own."""

    key: str = field(default_factory=secrets.token_urlsafe, repr=False)
    header: str = "X-API-Key"

    def opens(self, headers: Mapping[str, str]) -> bool:
        return _same(headers.get(self.header, ""), self.key)

    def configuration(self, base: str) -> dict[str, str]:
        return {"type": "api_key", "key": self.key, "header": self.header}


@dataclass(frozen=True, slots=True)
class Token:
    """A fixed bearer token."""

    token: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def opens(self, headers: Mapping[str, str]) -> bool:
        return _same(_bearer(headers), self.token)

    def configuration(self, base: str) -> dict[str, str]:
        return {"type": "bearer", "token": self.token}


@dataclass(slots=True)
class Issuer:
    """OAuth 2 client credentials (RFC 6749, section 4.4), given in the form, in HTTP Basic, or in either."""

    client_id: str
    accepts: frozenset[str]
    client_secret: str = field(default_factory=secrets.token_urlsafe, repr=False)
    calls: int = 0
    """How often the token endpoint was called."""
    _issued: dict[str, float] = field(default_factory=dict, repr=False)

    def opens(self, headers: Mapping[str, str]) -> bool:
        return self._issued.get(_bearer(headers), 0.0) > time.monotonic()

    def revoke(self) -> None:
        """Every token given out so far is refused from now on."""
        self._issued.clear()

    def configuration(self, base: str) -> dict[str, str]:
        return {
            "type": "oauth2",
            "token_url": f"{base}/token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "authentication": "form" if "form" in self.accepts else "basic",
        }

    async def answer(self, request: Request) -> Response:
        """The token endpoint. Errors as in RFC 6749, section 5.2."""
        self.calls += 1
        if int(request.headers.get("content-length", "0")) > MAX_FORM:
            return _json({"error": "invalid_request"}, 400)
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        by_basic = _basic(request.headers.get("authorization", ""))
        given = by_basic or (form.get("client_id", ""), form.get("client_secret", ""))
        method = "basic" if by_basic else "form"
        known = _same(given[0], self.client_id) and _same(given[1], self.client_secret)
        if method not in self.accepts or not known:
            return _json({"error": "invalid_client"}, 401, {"www-authenticate": 'Basic realm="token"'})
        now = time.monotonic()
        self._issued = {token: end for token, end in self._issued.items() if end > now}
        token = secrets.token_urlsafe()
        self._issued[token] = now + LIFETIME
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(header: str) -> tuple[str, str] | None:
    """Client id and secret, each form-encoded before Base64 (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(user), unquote_plus(password)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {**(headers or {}), "cache-control": "no-store"}, "application/json")
