"""How one source is reached: plain validated facts, made by the gateway's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that prints as dots: a token, a key, a password."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "••••••"

    def __repr__(self) -> str:
        return "Secret(••••••)"


@dataclass(frozen=True, slots=True)
class Bearer:
    """A fixed token in ``Authorization: Bearer``."""

    token: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A fixed key in a header of its own."""

    key: Secret
    header: str = "X-API-Key"


class ClientAuthentication(StrEnum):
    """Where an OAuth 2 client puts its credentials (RFC 6749, section 2.3.1)."""

    FORM = "form"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class OAuth2:
    """OAuth 2 client credentials (RFC 6749, section 4.4). ``margin``: seconds before expiry when a token is renewed."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str | None = None
    authentication: ClientAuthentication = ClientAuthentication.FORM
    margin: float = 60.0


Credentials = Bearer | ApiKey | OAuth2


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the client certificate with its key, and the authorities to trust instead of the system's."""

    certificate: Path | None = None
    key: Path | None = None
    key_password: Secret | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One SS 12000 API. Durations are seconds, sizes bytes.

    ``endpoints`` overrides the URL of single resources, by resource name: a path (put after ``url``) or a whole URL.
    ``timezone`` is the IANA zone of date-times that the source sends without one. ``max_pages``
    bounds one walk (of each window, where a period is split), ``restarts`` how often a 410 may start it anew.
    """

    name: str
    url: str
    capabilities: Capabilities
    credentials: Credentials | None = None
    tls: Tls = Tls()
    endpoints: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    concurrency: int = 4
    max_body: int = 64 * 1024 * 1024
    max_pages: int = 10_000
    restarts: int = 2
    timezone: str = "Europe/Stockholm"
    allow_civicno_in_url: bool = False
    max_gets: int = 200
    """The most single gets that may stand in for one lookup."""
    ttl: Mapping[str, float] = field(default_factory=dict)
    """Seconds that answers stay cached, by resource name; ``"default"`` for the rest."""
