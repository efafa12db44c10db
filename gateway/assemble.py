"""From a configuration to sources and a federation over them."""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.cursor import Sealer
from resolvers.federation import Federation
from resolvers.policy import HideProtected, ShowAll
from sources.cache import Cache
from sources.source import Source

from .config import ProtectedPersons, Settings


@dataclass(frozen=True, slots=True)
class Assembled:
    """The sources of a configuration, and the federation over them."""

    sources: tuple[Source, ...]
    federation: Federation

    async def aclose(self) -> None:
        for source in self.sources:
            await source.aclose()


def assemble(settings: Settings) -> Assembled:
    """Raises sources.errors.ConfigurationError if a source cannot be set up as configured. Calls nobody."""
    cache = Cache(settings.cache.max_bytes)
    sources = tuple(Source(source, cache) for source in settings.sources)
    server = settings.server
    secrets = [secret for secret in (server.secret, server.previous_secret) if secret is not None]
    hide = settings.policy.protected_persons is ProtectedPersons.HIDE
    federation = Federation(
        {source.name: source for source in sources},
        settings.authority,
        policy=HideProtected() if hide else ShowAll(),
        limits=settings.limits,
        sealer=Sealer([secret.reveal().encode() for secret in secrets]),
        timezone=server.timezone,
        epoch=settings.epoch,
        raw=settings.raw,
    )
    return Assembled(sources, federation)
