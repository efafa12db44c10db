"""Credentials of a source. Getting a token is a small generator: it yields a request, receives the answer, and ends.

No I/O in here; who drives the generator does that.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

import orjson

from .errors import CallError, FaultCode
from .settings import ApiKey, Bearer, ClientAuthentication, Credentials, OAuth2


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request. Nothing of it but the method is ever printed."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One HTTP answer. ``body`` is decompressed, and empty unless the status is 2xx: no error body is ever read."""

    status: int
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it is renewed, in the clock of the one who asked (None: when it is refused)."""

    value: str = field(repr=False)
    renew_at: float | None


def client_credentials(credentials: OAuth2, now: float) -> Generator[Outgoing, Incoming, Token]:
    """Ask for a token with client credentials (RFC 6749, section 4.4).

    Raises CallError: SOURCE_CREDENTIALS_REFUSED where the endpoint refuses or answers without a token,
    SOURCE_UNREACHABLE where it is not able to answer.
    """
    form = {"grant_type": "client_credentials"}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if credentials.scope is not None:
        form["scope"] = credentials.scope
    secret = credentials.client_secret.reveal()
    if credentials.authentication is ClientAuthentication.BASIC:
        # Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
        pair = f"{quote_plus(credentials.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": credentials.client_id, "client_secret": secret}
    answer = yield Outgoing("POST", credentials.token_url, headers, urlencode(form).encode())
    if answer.status == 429 or not 200 <= answer.status < 500 or 300 <= answer.status < 400:
        raise CallError(FaultCode.SOURCE_UNREACHABLE, answer.status)
    if answer.status >= 400:
        raise CallError(FaultCode.SOURCE_CREDENTIALS_REFUSED, answer.status)
    return _token(answer.body, credentials.margin, now)


def _token(body: bytes, margin: float, now: float) -> Token:
    try:
        grant = orjson.loads(body)
    except orjson.JSONDecodeError:
        grant = None
    value = grant.get("access_token") if isinstance(grant, dict) else None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise CallError(FaultCode.SOURCE_CREDENTIALS_REFUSED)
    try:
        lifetime = float(grant.get("expires_in"))
    except (TypeError, ValueError):
        return Token(value, None)
    # A token that lives shorter than the margin would otherwise be renewed for every call.
    return Token(value, now + lifetime - min(margin, lifetime / 2))


Send = Callable[[Outgoing], Awaitable[Incoming]]


class Authorizer:
    """The header that carries a source's credentials; holds the OAuth 2 token while it lasts, in memory only."""

    def __init__(self, credentials: Credentials | None, clock: Callable[[], float]) -> None:
        self._oauth = credentials if isinstance(credentials, OAuth2) else None
        self._clock = clock
        self._fixed: Mapping[str, str] = _fixed(credentials)
        self._token: Token | None = None
        self._lock = asyncio.Lock()
        self._failure: CallError | None = None
        self._attempts = 0

    @property
    def renewable(self) -> bool:
        """Whether a refused credential can be replaced by a new one."""
        return self._oauth is not None

    async def headers(self, send: Send, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The headers to send. ``refused``: those that a source answered 401 to; they are not given again.

        Raises CallError. However many ask at once, one token request is made, and all share its outcome.
        """
        if self._oauth is None:
            return self._fixed
        current = self._current(refused)
        if current is not None:
            return current
        attempts = self._attempts
        async with self._lock:
            current = self._current(refused)
            if current is not None:
                return current
            if self._attempts != attempts and self._failure is not None:
                raise self._failure
            self._failure = None
            try:
                self._token = await _drive(client_credentials(self._oauth, self._clock()), send)
            except CallError as failure:
                # Whoever waits meanwhile may have more time than this caller: only a timeout is not shared.
                if failure.code is not FaultCode.SOURCE_TIMEOUT:
                    self._failure = failure
                raise
            finally:
                self._attempts += 1
            return _bearer(self._token.value)

    def _current(self, refused: Mapping[str, str] | None) -> Mapping[str, str] | None:
        token = self._token
        if token is None or (token.renew_at is not None and token.renew_at <= self._clock()):
            return None
        headers = _bearer(token.value)
        return None if headers == refused else headers


async def _drive(flow: Generator[Outgoing, Incoming, Token], send: Send) -> Token:
    request = next(flow)
    while True:
        try:
            answer = await send(request)
        except CallError as failure:
            timeout = failure.code is FaultCode.SOURCE_TIMEOUT
            raise CallError(failure.code if timeout else FaultCode.SOURCE_UNREACHABLE) from None
        try:
            request = flow.send(answer)
        except StopIteration as done:
            token = done.value
            if not isinstance(token, Token):
                raise TypeError("a credential flow must end with a token") from None
            return token


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _fixed(credentials: Credentials | None) -> Mapping[str, str]:
    if isinstance(credentials, Bearer):
        return _bearer(credentials.token.reveal())
    if isinstance(credentials, ApiKey):
        return {credentials.header: credentials.key.reveal()}
    return {}
