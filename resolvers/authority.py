"""Who brings records of one resource into being, and who speaks for each of its properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from sources.capabilities import Capabilities
from sources.standard.model import Resource, Structure

from .contracts import Authority, EntityId, Scope, Want
from .places import NOWHERE, PLACES, Places

UNITED_BY_DEFAULT = frozenset(
    {"enrolments", "responsibles", "emails", "phoneNumbers", "externalIdentifiers", "eduPersonPrincipalNames"}
)
"""Lists that are merged entry by entry unless the configuration says otherwise."""

STRICTEST = "securityMarking"
"""The column for which the strictest value of any source wins."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A source that is heard for a property. ``declared``: its profile holds it, so that absent means none."""

    source: str
    declared: bool


@dataclass(frozen=True, eq=False)
class Rules:
    """The configuration's decisions for one resource, applied to the sources that serve it.

    Known by their identity, so that what is made of them can be kept for them.
    """

    resource: Resource
    servers: tuple[str, ...]
    """The sources that serve it, first authority first."""
    population: tuple[str, ...]
    """Those of them that may bring a record into being."""
    authority: Authority
    capabilities: Mapping[str, Capabilities]
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """Of the servers that have one which the resource's records can show."""
    places: Places = NOWHERE
    """What must be known of a record in order to settle the rules for it."""

    @cached_property
    def settled(self) -> bool:
        """Whether the rules are the same for all records. Those that are not tell who may be heard of any."""
        return self.places is NOWHERE

    @cached_property
    def bounds(self) -> Places:
        """What of the places decides whether a record is in a scope."""
        return PLACES.get(self.resource.name, NOWHERE).only([*self.scopes.values()])

    @cached_property
    def organisations(self) -> tuple[EntityId, ...]:
        """The organisations of which must be known what is below them."""
        scopes = [*self.scopes.values(), *(when.scope for when in self.authority.when)] if not self.settled else []
        return tuple(dict.fromkeys(each for scope in scopes for each in sorted(scope.organisations)))

    @cached_property
    def default(self) -> Rules:
        """The rules of a record that no ``when`` fits and that no scope leaves out."""
        return self if self.settled else self.settle(frozenset(self.servers))

    def settle(self, heard: frozenset[str], when: int | None = None, *, scoped: bool = True) -> Rules:
        """The rules of a record of which only these servers are heard, and for which the ``when`` of this number holds.

        Of what a source says, entries outside its scope are not heard either, unless ``scoped`` is False.
        """
        found = self._settled.get((heard, when, scoped))
        if found is None:
            decided = self.authority
            if when is not None:
                more = decided.when[when]
                decided = replace(decided, order=more.order, fields={**decided.fields, **more.fields})
            servers = tuple(name for name in _in_order(decided.order, self.servers) if name in heard)
            population = tuple(name for name in servers if name in self.population)
            decided, scopes = replace(decided, when=()), self.scopes if scoped else {}
            found = Rules(self.resource, servers, population, decided, self.capabilities, scopes)
            self._settled[heard, when, scoped] = found
        return found

    @cached_property
    def _settled(self) -> dict[tuple[frozenset[str], int | None, bool], Rules]:
        return {}

    @cached_property
    def readers(self) -> dict[object, object]:
        """What ``columns`` has made for these rules."""
        return {}

    @cached_property
    def _variants(self) -> tuple[Rules, ...]:
        """The rules that may hold for a record, apart from its scopes."""
        every = frozenset(self.servers)
        return self.default, *(self.settle(every, number) for number in range(len(self.authority.when)))

    @cached_property
    def _speakers(self) -> dict[str, tuple[Speaker, ...]]:
        if self.settled:
            return {column: self._find(column) for column in self.resource.columns}
        return {
            column: tuple(dict.fromkeys(speaker for rules in self._variants for speaker in rules.speakers(column)))
            for column in self.resource.columns
        }

    @cached_property
    def _always(self) -> dict[str, frozenset[str]]:
        each = (self,) if self.settled else self._variants
        return {
            column: frozenset.intersection(*(frozenset(rules.speaker_names(column)) for rules in each))
            for column in self.resource.columns
        }

    def _find(self, column: str) -> tuple[Speaker, ...]:
        if column == "meta":
            return tuple(Speaker(source, declared=False) for source in self.servers)
        found = []
        for source in self.authority.fields.get(column, self.servers):
            if source not in self.servers:
                continue
            holds = self.capabilities[source].holds.get(self.resource.name)
            if holds is None or column in holds:
                found.append(Speaker(source, declared=holds is not None))
        return tuple(found)

    def speakers(self, column: str) -> tuple[Speaker, ...]:
        """The sources heard for a top-level property, first authority first."""
        return self._speakers.get(column, ())

    def always_speaking(self, column: str) -> frozenset[str]:
        """The sources that are heard for a property of whichever record they are heard of."""
        return self._always.get(column, frozenset())

    def speaker_names(self, column: str) -> tuple[str, ...]:
        return tuple(speaker.source for speaker in self.speakers(column))

    def unites(self, column: str) -> bool:
        """Whether a list is merged entry by entry instead of coming whole from the first speaker."""
        mode = self.authority.lists.get(column)
        return mode == "union" if mode is not None else column in UNITED_BY_DEFAULT

    def heard(self, want: Want) -> tuple[str, ...]:
        """The sources that must be asked for a record in order to answer ``want``, in authority order.

        Population sources are among them: a record that none of them has does not exist.
        """
        return _heard(self, want)


@lru_cache(maxsize=2048)
def _heard(rules: Rules, want: Want) -> tuple[str, ...]:
    if want.everything or "meta" in want.columns:
        return rules.servers
    if not want.columns:
        return ()
    names = set(rules.population)
    for column in want.columns:
        names.update(rules.speaker_names(column))
    return tuple(source for source in rules.servers if source in names)


def rules_for(
    resource: Resource,
    authority: Authority,
    capabilities: Mapping[str, Capabilities],
    scopes: Mapping[str, Scope] | None = None,
) -> Rules:
    """The rules of one resource, from the configuration and from what the sources (in configured order) serve."""
    serving = [name for name, can in capabilities.items() if resource.name in can.resources]
    servers = _in_order(authority.order, serving)
    exists = authority.exists
    population = servers if exists is None else tuple(name for name in servers if name in exists)
    shown = PLACES.get(resource.name, NOWHERE)
    bounds = {
        name: scope for name, scope in (scopes or {}).items() if name in servers and shown.only([scope]) is not NOWHERE
    }
    places = shown.only([*bounds.values(), *(when.scope for when in authority.when)])
    return Rules(resource, servers, population, authority, capabilities, bounds, places)


def _in_order(first: tuple[str, ...], serving: Iterable[str]) -> tuple[str, ...]:
    rest = tuple(serving)
    return tuple(dict.fromkeys([name for name in first if name in rest] + [*rest]))


def entry_key(structure: Structure | None, entry: object) -> object:
    """What makes two entries of a united list the same; the whole entry where the standard's data names no key."""
    if structure is None or not structure.entry_key or not isinstance(entry, Mapping):
        return _frozen(entry)
    return tuple(_frozen(_at(entry, path)) for path in structure.entry_key)


def _at(entry: Mapping[str, object], path: str) -> object:
    value: object = entry
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _frozen(value: object) -> object:
    if isinstance(value, Mapping):
        # what is null is as if it were left out: two such entries say the same
        return tuple(sorted((key, _frozen(item)) for key, item in value.items() if item is not None))
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value
