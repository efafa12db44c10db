"""The sources and the huvudman's decisions over them: everything that stays the same from one operation to the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sources.standard import RESOURCES

from .authority import Rules, rules_for
from .contracts import Authority, Limits, Scope, SourcePort
from .cursor import Sealer
from .identity import Identities, IdentityRule
from .identity.identities import REFRESH
from .identity.store import Store
from .indexes import Indexes
from .policy import HideProtected, Policy
from .statistics import Statistics


def _now() -> datetime:
    return datetime.now(UTC)


class Federation:
    """One huvudman's sources (in configured order), rules per resource, policy, limits and clock.

    ``scopes``: by source, the part of the huvudman that it is for; all of it where left out.
    ``epoch`` names the configuration: cursors of another epoch are refused.
    """

    def __init__(
        self,
        sources: Mapping[str, SourcePort],
        authority: Mapping[str, Authority] | None = None,
        *,
        scopes: Mapping[str, Scope] | None = None,
        policy: Policy | None = None,
        limits: Limits | None = None,
        sealer: Sealer | None = None,
        timezone: str = "Europe/Stockholm",
        epoch: str = "",
        raw: bool = False,
        clock: Callable[[], datetime] = _now,
        identity: Mapping[str, IdentityRule] | None = None,
        identity_store: Store | None = None,
        identity_refresh: float = REFRESH,
    ) -> None:
        self.sources = dict(sources)
        self.policy = policy or HideProtected()
        self.limits = limits or Limits()
        self.sealer = sealer or Sealer.random()
        self.timezone = ZoneInfo(timezone)
        self.epoch = epoch
        self.raw = raw
        self.clock = clock
        capabilities = {name: source.capabilities for name, source in self.sources.items()}
        self.rules: Mapping[str, Rules] = {
            name: rules_for(resource, (authority or {}).get(name, Authority()), capabilities, scopes)
            for name, resource in RESOURCES.items()
        }
        servers = {name: rules.servers for name, rules in self.rules.items()}
        self.identities = Identities(identity or {}, self.sources, servers, identity_store, identity_refresh)
        self.indexes = Indexes(self.limits.max_index_bytes)
        self.pages_seen: dict[tuple[str, str], int] = {}
        """How many pages the last whole walk of (source, resource) had: a statistic for ``choose``."""
        self.statistics = Statistics()
        self.within: OrderedDict[bytes, int] = OrderedDict()
        """The kinds of operations that were estimated to be within ``limits.cost``, and ``statistics.changes`` then."""
