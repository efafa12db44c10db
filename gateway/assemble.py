"""From a configuration to sources and a federation over them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resolvers.cursor import Sealer
from resolvers.federation import Federation
from resolvers.identity.store import Store
from resolvers.policy import HideProtected, ShowAll
from sources.cache import Cache
from sources.errors import ConfigurationError
from sources.source import Source
from sources.transport import BaseTransport

from .config import Executor, ProtectedPersons, Settings


@dataclass(frozen=True, slots=True)
class Assembled:
    """The sources of a configuration, and the federation over them."""

    sources: tuple[Source, ...]
    federation: Federation
    identity_store: Store
    executor: Executor

    async def aclose(self) -> None:
        for source in self.sources:
            await source.aclose()
        self.identity_store.close()


def assemble(settings: Settings, transports: Mapping[str, BaseTransport] | None = None) -> Assembled:
    """Raises sources.errors.ConfigurationError if a source, or the file of ids, cannot be set up. Calls nobody.

    ``transports``: by source, what carries its requests instead of HTTP over the network.
    """
    cache = Cache(settings.cache.max_bytes)
    by_name = transports or {}
    sources = tuple(Source(source, cache, transport=by_name.get(source.name)) for source in settings.sources)
    server = settings.server
    store = _store(settings.identity.store)
    secrets = [secret for secret in (server.secret, server.previous_secret) if secret is not None]
    hide = settings.policy.protected_persons is ProtectedPersons.HIDE
    federation = Federation(
        {source.name: source for source in sources},
        settings.authority,
        scopes=settings.scopes,
        policy=HideProtected() if hide else ShowAll(),
        limits=settings.limits,
        sealer=Sealer([secret.reveal().encode() for secret in secrets]),
        timezone=server.timezone,
        epoch=settings.epoch,
        raw=settings.raw,
        identity=settings.identity.rules,
        identity_store=store,
        identity_refresh=settings.identity.refresh,
    )
    return Assembled(sources, federation, store, settings.executor)


def _store(file: Path | None) -> Store:
    try:
        return Store(file)
    except (sqlite3.Error, OSError):
        raise ConfigurationError("identity.store", "the file cannot be used; give one that may be written") from None
