"""The six sources as running servers: one process, one event loop, real sockets on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import uvicorn

from . import certificates
from .api import PREFIX, Api
from .certificates import Certificates
from .credentials import Issuer, Key, Lock, Open, Token
from .municipality import Municipality
from .store import Store, Table
from .wild import CONFORMANT, Dialects

PAGE_SIZES: Mapping[str, int] = {"sis": 500, "schema": 200, "narvaro": 1000, "lms": 50, "hr": 100, "forskola": 25}
"""The most records of a page; ``limit`` may ask for fewer."""

START_DEADLINE = 10.0
STOP_DEADLINE = 5.0
"""Seconds for a server to come up, and to go down before it is given up."""
STOP_GRACE = 0.3
"""Seconds that open connections get when a server stops. TLS connections else wait for the client to say goodbye."""


class _Quiet(uvicorn.Server):
    """A server that leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cut = asyncio.get_running_loop().call_later(STOP_GRACE, self._cut_off)
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            # not asked for its class: uvloop's transports are not asyncio.Transport
            if connection.transport is not None:
                connection.transport.abort()


class DemoServer:
    """One running source.

    ``url`` is its base URL. ``calls`` are the calls it got since ``reset()``, as (method, path below the base URL
    without query), those to the token endpoint apart (``token_calls``). ``forbidden`` holds resource names that it
    answers with 403 from now on.
    """

    def __init__(self, name: str, api: Api, host: str, port: int, tls: Certificates | None) -> None:
        self.name = name
        self.api = api
        self.page_size = api.page_size
        self.tls = tls
        self._host = host
        self._port = port
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self._host}:{self._port}"

    @property
    def url(self) -> str:
        return self.origin + PREFIX

    @property
    def calls(self) -> list[tuple[str, str]]:
        return self.api.calls

    @property
    def forbidden(self) -> set[str]:
        return self.api.forbidden

    @property
    def token_calls(self) -> int:
        return self.api.lock.calls if isinstance(self.api.lock, Issuer) else 0

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of the resources that it serves."""
        return tuple(self.api.store.tables)

    @property
    def auth(self) -> dict[str, str]:
        """Its credentials as gateway.yaml writes them. Secrets are in the clear."""
        return self.api.lock.configuration(self.origin)

    def reset(self) -> None:
        """Forget the calls so far."""
        self.api.calls.clear()
        if isinstance(self.api.lock, Issuer):
            self.api.lock.calls = 0

    async def start(self) -> None:
        """Listen; after ``stop()`` again on the same port. Raises OSError if the port is taken, TimeoutError."""
        # the protocol must be named: asyncio turns Nagle's delay off only for a socket that says it is TCP
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self._port))
        except OSError:
            bound.close()
            raise
        self._port = int(bound.getsockname()[1])
        self._server = _Quiet(self._configuration())
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name=f"demo source {self.name}")
        async with asyncio.timeout(START_DEADLINE):
            while not self._server.started:
                if self._task.done():
                    self._task.result()
                    raise OSError(f"the demonstration server {self.name} ended while it started")
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening and end what is under way; the other servers go on."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        _, unfinished = await asyncio.wait([self._task], timeout=STOP_DEADLINE)
        if unfinished:
            self._server.force_exit = True
            self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_DEADLINE)
        self._server = self._task = None

    def _configuration(self) -> uvicorn.Config:
        # no log configuration and no access log: paths would show queries, and the process's own logging is not ours
        configuration = uvicorn.Config(
            self.api.app(), lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        if self.tls is not None:
            configuration.ssl_certfile = str(self.tls.server)
            configuration.ssl_keyfile = str(self.tls.server_key)
            configuration.ssl_ca_certs = str(self.tls.ca)
            configuration.ssl_cert_reqs = ssl.CERT_REQUIRED
        return configuration


class DemoServers(Mapping[str, DemoServer]):
    """The running servers by name, in the order of the sources; ``async with`` stops them at the end."""

    def __init__(
        self, servers: Mapping[str, DemoServer], directory: TemporaryDirectory[str], dialects: Dialects
    ) -> None:
        self.dialects = dialects
        self._servers = servers
        self._directory = directory

    def __getitem__(self, name: str) -> DemoServer:
        return self._servers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._servers)

    def __len__(self) -> int:
        return len(self._servers)

    def reset(self) -> None:
        """Forget the calls of every server."""
        for server in self.values():
            server.reset()

    async def stop(self) -> None:
        """Stop all and remove the certificates."""
        await asyncio.gather(*(server.stop() for server in self.values()))
        self._directory.cleanup()

    async def __aenter__(self) -> DemoServers:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def start(
    municipality: Municipality,
    *,
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
    dialects: Dialects = CONFORMANT,
) -> DemoServers:
    """Serve the municipality's six sources, each with its own credentials, page size and habits.

    ``ports`` by source; those left out take a free one. Raises OSError if a port is taken: then none is left running.
    """
    municipality = dialects.told(municipality)
    directory: TemporaryDirectory[str] = TemporaryDirectory(prefix="ss12000-demo-")
    background = {resource: Table(records) for resource, records in municipality.background.items()}
    servers = {}
    for name, records in municipality.sources.items():
        lock = LOCKS[name]()
        store = Store(records, background)
        api = Api(store, municipality.deleted[name], lock, PAGE_SIZES[name], dialects.of(name))
        tls = certificates.make(Path(directory.name), host) if name in TLS else None
        servers[name] = DemoServer(name, api, host, (ports or {}).get(name, 0), tls)
    running = DemoServers(servers, directory, dialects)
    try:
        for server in running.values():
            await server.start()
    except BaseException:
        await running.stop()
        raise
    return running


def _sis() -> Lock:
    return Issuer("gateway-sis", frozenset({"form", "basic"}))


def _hr() -> Lock:
    return Issuer("gateway-hr", frozenset({"basic"}))


LOCKS = {"sis": _sis, "schema": Key, "narvaro": Token, "lms": Token, "hr": _hr, "forskola": Open}
"""How each source tells who asks."""

TLS = frozenset({"narvaro"})
"""The sources that speak https and demand a client certificate besides."""
