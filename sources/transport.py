"""HTTP to one source: the only module that imports httpx.

One client per source for the life of the process, on aiohttp's connection pool (httpx's own gets dearer with every call
in flight). Nothing is taken from the environment, no redirect is followed, no cookie kept, no error body read.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from .auth import Authorizer, Incoming, Outgoing
from .endpoints import Endpoints, origin
from .errors import CallError, ConfigurationError, FaultCode
from .resilience import Gate
from .settings import OAuth2, SourceSettings, Tls

BaseTransport = httpx.AsyncBaseTransport
"""What carries requests; tests give one of their own."""

Observe = Callable[[int | None, float], None]
"""Told of each request to the source: its status (None: no answer) and its seconds."""

_STEP = 256 * 1024
"""The most bytes that one step of decompression may make."""

_ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}

_CHATTY = ("httpx", "httpcore", "aiohttp.client", "aiohttp.internal")


def code_of(status: int) -> FaultCode:
    """The fault that a status means, for any call; a list or lookup that is not there is 404, 405 or 501."""
    match status:
        case 401:
            return FaultCode.SOURCE_CREDENTIALS_REFUSED
        case 403:
            return FaultCode.SOURCE_FORBIDDEN
        case 404 | 405 | 501:
            return FaultCode.SOURCE_ENDPOINT_MISSING
        case 410:
            return FaultCode.SOURCE_LIST_CHANGED
        case 429:
            return FaultCode.SOURCE_RATE_LIMITED
        case _ if status >= 500:
            return FaultCode.SOURCE_UNAVAILABLE
        case _ if status >= 400:
            return FaultCode.SOURCE_REQUEST_REFUSED
        case _:
            return FaultCode.SOURCE_ANSWER_INVALID


class Transport:
    """Sends requests to one source with its credentials. Raises ConfigurationError where it cannot be set up."""

    def __init__(
        self, settings: SourceSettings, endpoints: Endpoints, gate: Gate, inner: BaseTransport | None = None
    ) -> None:
        _silence()
        self._gate = gate
        self._origins = endpoints.origins
        self._max_body = settings.max_body
        self._authorizer = Authorizer(settings.credentials, time.monotonic)
        secure = endpoints.secure or (
            isinstance(settings.credentials, OAuth2) and settings.credentials.token_url.startswith("https:")
        )
        if settings.tls.certificate is not None and not secure:
            raise ConfigurationError(
                f"sources.{settings.name}.tls.certificate", "a client certificate needs a url that begins with https://"
            )
        context = tls_context(settings.tls, f"sources.{settings.name}.tls", verified=secure)
        self._client = httpx.AsyncClient(
            transport=inner or _pool(context, settings.concurrency),
            headers={"User-Agent": "ss12000-gateway", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=None,  # every request runs under the gate's own time limit, body included
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, request: Outgoing, deadline: float, observe: Observe) -> Incoming:
        """Send with credentials; a refused token is renewed once. Any status comes back but 401.

        Raises CallError: SOURCE_UNREACHABLE, SOURCE_TIMEOUT, SOURCE_CREDENTIALS_REFUSED, SOURCE_ANSWER_INVALID,
        SOURCE_ANSWER_TOO_LARGE.
        """
        if origin(request.url) not in self._origins:
            # Cannot be reached by configuration or data; stands here so that no later change sends a secret elsewhere.
            raise CallError(FaultCode.SOURCE_REQUEST_REFUSED)

        async def send_for_token(token_request: Outgoing) -> Incoming:
            return await self._exchange(token_request, deadline)

        credentials = await self._authorizer.headers(send_for_token)
        answer = await self._observed(request, credentials, deadline, observe)
        if answer.status == 401 and self._authorizer.renewable:
            credentials = await self._authorizer.headers(send_for_token, refused=credentials)
            answer = await self._observed(request, credentials, deadline, observe)
        if answer.status == 401:
            raise CallError(FaultCode.SOURCE_CREDENTIALS_REFUSED, 401)
        return answer

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _observed(
        self, request: Outgoing, credentials: Mapping[str, str], deadline: float, observe: Observe
    ) -> Incoming:
        headers = {**request.headers, **credentials}
        started = time.monotonic()
        status: int | None = None
        try:
            answer = await self._exchange(Outgoing(request.method, request.url, headers, request.content), deadline)
            status = answer.status
            return answer
        except CallError as failure:
            status = failure.status
            raise
        finally:
            observe(status, time.monotonic() - started)

    async def _exchange(self, request: Outgoing, deadline: float) -> Incoming:
        try:
            return await self._once(request, deadline)
        except _Dropped:
            # A kept connection that the server closed just as it was used. Nothing that is sent here changes anything
            # at a source, so it may be sent again; aiohttp itself does so for GET, but not for a lookup's POST.
            return await self._once(request, deadline)

    async def _once(self, request: Outgoing, deadline: float) -> Incoming:
        status: int | None = None
        try:
            async with asyncio.timeout_at(self._gate.until(deadline)):
                response = await self._client.send(
                    self._client.build_request(
                        request.method, request.url, headers=dict(request.headers), content=request.content
                    ),
                    stream=True,
                )
                status = response.status_code
                try:
                    if not 200 <= status < 300:
                        return Incoming(status)
                    return Incoming(status, await _read(response, self._max_body))
                finally:
                    await response.aclose()
        except TimeoutError:
            raise CallError(FaultCode.SOURCE_TIMEOUT, status) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, OSError) as failure:
            # Not chained: the messages of these hold URLs.
            if status is None and _is_dropped(failure.__cause__):
                raise _Dropped(FaultCode.SOURCE_UNREACHABLE) from None
            raise CallError(_code(failure, answered=status is not None), status) from None


class _Dropped(CallError):
    """The connection ended before anything of an answer came."""


def _is_dropped(cause: BaseException | None) -> bool:
    """Whether a connection ended under a request: while it waited for the answer, or while its body was written."""
    if isinstance(cause, aiohttp.ClientOSError):
        cause = cause.__cause__
    return isinstance(cause, aiohttp.ServerDisconnectedError | ConnectionResetError)


def _code(failure: Exception, *, answered: bool) -> FaultCode:
    # The pool reports a refused connection as a timeout: what it wraps tells the truth.
    cause = failure.__cause__ if isinstance(failure.__cause__, aiohttp.ClientError) else failure
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return FaultCode.SOURCE_TIMEOUT
    if answered or isinstance(cause, aiohttp.ClientResponseError | httpx.RemoteProtocolError):
        return FaultCode.SOURCE_ANSWER_INVALID
    return FaultCode.SOURCE_UNREACHABLE


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The decompressed body, up to ``limit`` bytes; a longer one is given up as soon as it is known to be longer."""
    if response.is_stream_consumed:  # a transport that is no network, with a body that was whole from the start
        if len(response.content) > limit:
            raise CallError(FaultCode.SOURCE_ANSWER_TOO_LARGE, response.status_code)
        return response.content
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise CallError(FaultCode.SOURCE_ANSWER_INVALID, response.status_code)
    chunks = response.aiter_raw()
    if encoding in ("gzip", "x-gzip", "deflate"):
        chunks = _decompressed(chunks, encoding)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise CallError(FaultCode.SOURCE_ANSWER_TOO_LARGE, response.status_code)
    return bytes(body)


async def _decompressed(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Decompress in small steps: a body made to explode is found out long before it has grown."""
    decoder = None
    try:
        async for chunk in chunks:
            data = chunk
            while data:
                if decoder is None:
                    decoder = zlib.decompressobj(_window(data, encoding))
                piece = decoder.decompress(data, _STEP)
                if piece:
                    yield piece
                data = decoder.unconsumed_tail
                if decoder.eof:  # gzip may hold several members, one after the other (RFC 1952, section 2.2)
                    data = decoder.unused_data if encoding != "deflate" else b""
                    if data:
                        decoder = None
        while decoder is not None and not decoder.eof:
            piece = decoder.decompress(decoder.unconsumed_tail, _STEP)
            if not piece:
                raise CallError(FaultCode.SOURCE_ANSWER_INVALID)
            yield piece
    except zlib.error:
        raise CallError(FaultCode.SOURCE_ANSWER_INVALID) from None


def _window(data: bytes, encoding: str) -> int:
    """zlib's ``wbits``. Deflate is the zlib format (RFC 9110, section 8.4.1.2); some servers leave its header out."""
    if encoding != "deflate":
        return zlib.MAX_WBITS | 16
    return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS


def tls_context(tls: Tls, key: str, *, verified: bool = True) -> ssl.SSLContext:
    """The TLS context of a source; ``verified=False`` for one that is never used and so need not load authorities.

    Raises ConfigurationError, with the fix, where a file cannot be used.
    """
    if not verified:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ValueError) as failure:
        raise ConfigurationError(f"{key}.ca", _fix(failure, "the authorities' certificates in PEM")) from None
    if tls.certificate is None:
        if tls.key is not None:
            raise ConfigurationError(f"{key}.certificate", "a key is given without its certificate; name both files")
        return context
    # Without a password OpenSSL would ask for it on the terminal, and wait.
    password = tls.key_password.reveal() if tls.key_password is not None else ""
    try:
        context.load_cert_chain(tls.certificate, tls.key, lambda: password)
    except (OSError, ValueError) as failure:
        fix = _fix(failure, "the client certificate and its key in PEM, and key_password if the key has one")
        raise ConfigurationError(f"{key}.certificate", fix) from None
    return context


def _fix(failure: Exception, what: str) -> str:
    if isinstance(failure, FileNotFoundError):
        return f"the file is not there; give {what}"
    if isinstance(failure, PermissionError):
        return f"the file may not be read; give {what}"
    return f"the file cannot be used; give {what}"


def _pool(context: ssl.SSLContext, concurrency: int) -> BaseTransport:
    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=concurrency + 1),  # one more, for a token
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    return AiohttpTransport(verify=context, client=session)


def _silence() -> None:
    """The libraries log URLs, and with them what is asked for; that must not get into a log, whatever its level."""
    for name in _CHATTY:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
