"""What the rest of the gateway gets: frozen, validated, with every default filled in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from resolvers.contracts import Authority, Limits, Scope
from resolvers.identity import IdentityRule
from sources.settings import Secret, SourceSettings

AuthoritySettings = Authority
"""The huvudman's decisions for one resource, as the resolvers take them."""


class ProtectedPersons(StrEnum):
    """What becomes of persons whose securityMarking is other than ``Ingen``."""

    HIDE = "hide"
    SHOW = "show"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the gateway listens. ``secret`` seals cursors; ``previous_secret`` still opens those of before a change.

    ``secret_is_random``: none was configured, so cursors die with the process. ``timezone``: the IANA zone of "today".
    """

    host: str
    port: int
    secret: Secret
    previous_secret: Secret | None
    secret_is_random: bool
    timezone: str
    allow_unauthenticated: bool


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """``max_bytes`` bounds all sources' answers together; ``ttl`` is seconds by resource name, or ``default``."""

    backend: str
    max_bytes: int
    ttl: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Who is shown."""

    protected_persons: ProtectedPersons


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Per resource name, how its records are recognised; where ids are kept; ``refresh`` in seconds."""

    rules: Mapping[str, IdentityRule]
    store: Path | None
    refresh: float


class Executor(StrEnum):
    """What executes operations."""

    PLANNED = "planned"
    """Records are completed by plan, all at once."""
    CORE = "core"
    """graphql-core completes every value by itself."""
    VERIFY = "verify"
    """Both, one after the other; a difference is logged, and the planned answer is given."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration. ``sources`` in the file's order; ``authority`` by resource name, where configured;
    ``scopes`` by source, where it has one.

    ``epoch`` names everything that decides which records an answer holds: two configurations with the same epoch
    accept each other's cursors.
    """

    server: ServerSettings
    sources: tuple[SourceSettings, ...]
    authority: Mapping[str, Authority]
    identity: IdentitySettings
    scopes: Mapping[str, Scope]
    policy: PolicySettings
    cache: CacheSettings
    limits: Limits
    raw: bool
    executor: Executor
    epoch: str


def is_loopback(host: str) -> bool:
    """Whether a listening address reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
