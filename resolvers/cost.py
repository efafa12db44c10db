"""What an operation will cost, before anything of it is fetched: calls and records, per source and field.

Nothing is decided here. Which sources are heard is said by the rules, which way leads backwards along a relation by
``choose``, whether records are asked for by their ids by ``steps.rows``, which lists give candidates by
``steps.streams``: they are asked about imagined records, of which there are as many as were seen last time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from sources.errors import CallError
from sources.requests import Query
from sources.standard import RESOURCES
from sources.standard.model import View
from sources.windows import split

from .authority import Rules
from .choose import UNKNOWN_PAGES, Choice, Path, choose
from .contracts import Ceiling, Period, Selector, Want
from .dated import dated
from .federation import Federation
from .operation import Operation
from .predicates import Clause, clauses
from .relations import Relation
from .statistics import FEW, FILTERED
from .steps.inverse import window_of
from .steps.joined import imagined
from .steps.listing import Question, further_scans
from .steps.rows import by_id
from .steps.sorted import sorted_stream
from .steps.streams import Stream, streams
from .trace import Field, How

NOTHING = Want()
UNKNOWN_PACE = 0.1
"""Seconds that a call to a source is taken to last before there was one."""
_TREE = Want(frozenset({"parentOrganisation", "organisationType"}))
UNKNOWN_PAGE = 500
"""Records on a page where the source is left to say."""


@dataclass(frozen=True, slots=True)
class ByIds:
    """Records whose ids the client gave."""

    resource: str
    count: int


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list."""

    resource: str
    selector: Selector


@dataclass(frozen=True, slots=True)
class Forward:
    """The records that references lead to. ``known``: they are in hand, because they came with what was before."""

    target: str
    known: bool = False
    want: Want = NOTHING


@dataclass(frozen=True, slots=True)
class Inverse:
    """The records that refer to those before, or the entries in them."""

    relation: Relation
    selector: Selector
    want: Want = NOTHING


@dataclass(frozen=True, slots=True)
class Between:
    """All records of a period, whatever they refer to by the relation."""

    relation: Relation
    period: Period
    want: Want = NOTHING


@dataclass(frozen=True, slots=True)
class Inside:
    """Entries of a record, several of each: nothing is fetched for them."""


@dataclass(frozen=True, slots=True)
class Deletions:
    """What sources deleted, of all resources."""


@dataclass(frozen=True, slots=True)
class Aside:
    """What else is read for a field, from the same records."""

    leads: tuple[Leads, ...]


Leads = ByIds | ListPage | Forward | Inverse | Between | Inside | Deletions | Aside


@dataclass(frozen=True, slots=True)
class Ask:
    """A field of an operation that leads to others. ``of``: the type that has it.

    ``path``: its name, with those of the fields before it that lead to no records. ``leads``: several, one after the
    other, where it is derived from other records. ``want``: what is asked of the records it leads to.
    """

    path: Field
    of: str
    leads: tuple[Leads, ...]
    want: Want = field(default_factory=Want)
    below: tuple[Ask, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One kind of call to one source. ``why`` is the key of a reason: ``REASONS`` says it in words.

    ``kept``: what it gives is kept, as far as can be told, so that there will be no call.
    """

    source: str
    resource: str
    how: How
    calls: int
    records: int
    why: str
    kept: bool = False
    by: str | None = None
    """The parameter, lookup key or expand that is used."""


@dataclass(slots=True, eq=False)
class Level:
    """A field that leads to records, and what is fetched for it, in phases that follow each other."""

    key: object
    """What two aliases have in common that ask the same of the same records."""
    path: Field
    leads: tuple[Leads, ...]
    resource: str | None
    want: Want
    holders: float
    records: float
    phases: list[list[Foreseen]] = field(default_factory=list)
    below: list[Level] = field(default_factory=list)

    @property
    def fetches(self) -> Iterable[Foreseen]:
        return (fetch for phase in self.phases for fetch in phase)


@dataclass(frozen=True, slots=True)
class Cost:
    """What sources are asked for. ``seconds``: of waiting, as far as is known how long sources take."""

    calls: int = 0
    records: int = 0
    seconds: float = 0.0

    def over(self, ceiling: Ceiling) -> str | None:
        """The name of a bound that is exceeded."""
        for name, mine in (("calls", self.calls), ("records", self.records), ("seconds", self.seconds)):
            most = getattr(ceiling, name)
            if most is not None and mine > most:
                return name
        return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The levels of an operation, and what they cost together and by source."""

    levels: tuple[Level, ...]
    total: Cost
    by_source: Mapping[str, Cost]


def estimate(federation: Federation, asks: Sequence[Ask], *, cached: bool = False) -> Estimate:
    """What an operation costs. ``cached``: lists that are kept cost nothing. Asks nobody; needs a running loop."""
    estimator = _Estimator(federation, cached)
    levels = tuple(estimator.level(ask, None, 1.0) for ask in asks)
    return Estimate(levels, *_added(federation, levels))


def _added(federation: Federation, levels: Sequence[Level]) -> tuple[Cost, Mapping[str, Cost]]:
    calls: dict[str, int] = {}
    records: dict[str, int] = {}
    seconds: dict[str, float] = {}
    longest = 0.0
    pending = [(level, 0.0) for level in levels]
    while pending:
        level, start = pending.pop()
        for phase in level.phases:
            busy: dict[str, int] = {}
            for fetch in phase:
                if not fetch.kept:
                    busy[fetch.source] = busy.get(fetch.source, 0) + fetch.calls
                    records[fetch.source] = records.get(fetch.source, 0) + fetch.records
            lasting = 0.0
            for name, count in busy.items():
                source = federation.sources[name]
                pace = UNKNOWN_PACE if source.pace is None else source.pace
                own = ceil(count / source.concurrency) * pace
                calls[name] = calls.get(name, 0) + count
                seconds[name] = seconds.get(name, 0.0) + own
                lasting = max(lasting, own)
            start += lasting
        longest = max(longest, start)
        pending += [(each, start) for each in level.below]
    by_source = {
        name: Cost(calls.get(name, 0), records.get(name, 0), seconds.get(name, 0.0))
        for name in federation.sources
        if name in calls
    }
    return Cost(sum(calls.values()), sum(records.values()), longest), by_source


class _Imagined(dict[str, frozenset[str]]):
    """Organisations of which nothing is known yet: each is taken to be alone."""

    def __missing__(self, organisation: str) -> frozenset[str]:
        return frozenset({organisation})


class _Estimator:
    def __init__(self, federation: Federation, cached: bool) -> None:
        self.federation = federation
        self.cached = cached
        self.operation = Operation(federation, deadline=0.0)
        self.operation.subtrees = self.operation.extents = _Imagined()
        self.walked: set[tuple[str, str]] = set()
        """Lists that are read whole by what comes before."""
        self.identified: set[str] = set()
        self.counted: set[object] = set()
        """What was counted for one alias counts for the others."""

    def level(self, ask: Ask, above: Level | None, holders: float) -> Level:
        path = ask.path if above is None else (*above.path, *ask.path)
        key = (None if above is None else above.key, ask.path, ask.leads)
        level = Level(key, path, ask.leads, None, ask.want, holders, holders)
        level.records = self._leads(level, ask.leads, ask.want, holders)
        fan = self.federation.statistics.fan_out(ask.of, ask.path[-1])
        if fan is not None and not any(isinstance(each, ByIds | ListPage) for each in ask.leads):
            level.records = self._bounded(level.resource, holders * fan)
        level.below = [self.level(each, level, level.records) for each in ask.below]
        return level

    def _leads(self, level: Level, leads: tuple[Leads, ...], want: Want, holders: float) -> float:
        for number, each in enumerate(leads):
            holders = self._lead(level, each, want if number == len(leads) - 1 else Want(), holders)
        return holders

    def _lead(self, level: Level, leads: Leads, want: Want, holders: float) -> float:
        match leads:
            case ByIds(resource, count):
                level.resource = resource
                of = self.federation.rules[resource]
                self._add(level, self._completing(level, of, want, count, also=of.population))
                return count
            case ListPage(resource, selector):
                level.resource = resource
                return self._listed(level, self.federation.rules[resource], selector, want)
            case Forward(target, known, more):
                level.resource = target
                found = self._bounded(target, holders)
                if not known:
                    self._add(level, self._completing(level, self.federation.rules[target], want | more, found))
                return found
            case Inverse(relation, selector, more):
                level.resource = relation.owner
                return self._inverse(level, relation, selector, want | more, holders)
            case Between(relation, period, more):
                level.resource = relation.owner
                self._between(level, relation, period, want | more)
            case Aside(leads=others):
                self._leads(level, others, Want(), holders)
            case Inside():
                return holders * FEW
            case Deletions():
                level.phases.append(
                    [
                        Foreseen(name, "deletedEntities", How.DELETED, 1, UNKNOWN_PAGE, "deleted")
                        for name, source in self.federation.sources.items()
                        if any(RESOURCES[each].deleted is not None for each in source.capabilities.resources)
                    ]
                )
        return holders

    def _add(self, level: Level, *phases: list[Foreseen]) -> None:
        level.phases += [phase for phase in phases if phase]

    def _bounded(self, resource: str | None, count: float) -> float:
        """Not more different records than there are, where that is known."""
        if resource is None:
            return count
        known = [self.federation.statistics.records(each, resource, Query()) for each in self._population(resource)]
        return min(count, sum(each for each in known if each is not None)) if known and None not in known else count

    def _population(self, resource: str) -> Sequence[str]:
        return self.federation.rules[resource].population

    # Lists

    def _pages(self, source: str, resource: str, query: Query) -> tuple[int, int]:
        """Calls and records of a whole list."""
        capabilities = self.federation.sources[source].capabilities
        size = capabilities.page_size or UNKNOWN_PAGE
        records = self._records(source, resource, query)
        seen = self.federation.pages_seen.get((source, resource))
        pages = seen if seen is not None and not query.parameters else max(1, ceil(records / size))
        try:
            pages = max(pages, len(split(capabilities, resource, query, pages + 10_000)))
        except CallError:
            pages += 10_000
        return pages, records

    def _records(self, source: str, resource: str, query: Query) -> int:
        statistics = self.federation.statistics
        known = statistics.records(source, resource, query)
        if known is not None:
            return known
        size = self.federation.sources[source].capabilities.page_size or UNKNOWN_PAGE
        whole = statistics.records(source, resource, Query())
        if query.parameters:
            return size if whole is None else ceil(whole / FILTERED)
        return size * self.federation.pages_seen.get((source, resource), UNKNOWN_PAGES) if whole is None else whole

    def _whole(
        self, source: str, resource: str, query: Query, how: How, why: str, by: str | None = None
    ) -> list[Foreseen]:
        """The calls of a whole list, unless it was read before."""
        if (source, resource) in self.walked:
            return []
        if not query.parameters:
            self.walked.add((source, resource))
        kept = self.cached and self.federation.sources[source].has_list(resource, query)
        calls, records = self._pages(source, resource, query)
        return [Foreseen(source, resource, how, calls, records, why, kept, by)]

    def _listed(self, level: Level, rules: Rules, selector: Selector, want: Want) -> float:
        if not rules.servers or any(condition.values == () for condition in selector.conditions):
            return 0
        resource = rules.resource.name
        tests = clauses(selector.conditions)
        self._before(level, rules, [each for clause in tests for each in clause.organisations])
        asking: list[Clause] = []
        for clause in tests:
            deciding: tuple[str, ...] = ()
            if clause.joined:
                clause, deciding = imagined(self.operation, rules, clause, FEW)
            asking.append(clause)
            for name in deciding:
                reading = [self._reading(source, name, "decides") for source in self._population(name)]
                self._add(level, [fetch for fetch in reading if self._new(level, fetch)])
        calls = streams(self.operation, rules, asking)
        question = Question(rules, selector, asking, calls)
        first = selector.first or 0
        shown = want | question.test_columns()
        stream = sorted_stream(question) if question.keyed else None
        candidates = max((self._candidates(resource, each) for each in calls), default=0)
        found: float = min(first, candidates)
        if question.keyed and stream is None:
            self._listing(level, question, candidates, want, found)
        else:
            given, found = set[str](), 0
            for each in (stream,) if stream is not None else calls:
                if found > first:  # one more tells whether others follow
                    break
                listed = min(first + 1 - found, self._candidates(resource, each))
                page = self._page(each, resource, listed, sorts=stream is not None)
                self._add(level, self._once(level, [page]))
                given.add(each.source)
                found += listed
            having = given if len(given) == 1 else ()
            self._add(level, self._completing(level, rules, shown, found, also=rules.population, having=having))
        return min(first, found)

    def _page(self, stream: Stream, resource: str, listed: float, *, sorts: bool) -> Foreseen:
        source = self.federation.sources[stream.source]
        size = source.capabilities.page_size or UNKNOWN_PAGE
        pages = max(1, ceil(listed / size))
        kept = self.cached and source.has_list(resource, stream.query)
        why = "sortsItself" if sorts else "filtered" if stream.query.parameters else "firstPage"
        records = min(pages * size, max(self._candidates(resource, stream), 1))
        return Foreseen(stream.source, resource, How.PAGE, pages, records, why, kept, _names(stream.query))

    def _candidates(self, resource: str, stream: Stream) -> int:
        if stream.ids is not None:
            return len(stream.ids)
        if stream.lookup is not None:
            return len(stream.lookup.values)
        return self._records(stream.source, resource, stream.query)

    def _listing(self, level: Level, question: Question, candidates: int, want: Want, found: float) -> None:
        """A list that is read whole, because its order is made here."""
        rules, resource = question.rules, question.resource
        further = further_scans(self.operation, question, want)
        reading: list[Foreseen] = []
        whole: set[str] = set(further)
        given: set[str] = set()
        for stream in question.streams:
            given.add(stream.source)
            if stream.ids is not None:
                given.discard(stream.source)
            elif stream.lookup is not None:
                reading += self._looked_up(stream.source, resource, stream.lookup.key, len(stream.lookup.values))
            else:
                why = "ordered" if question.selector.order else "united"
                if stream.query.parameters:
                    why += "Filtered"
                else:
                    whole.add(stream.source)
                reading += self._whole(stream.source, resource, stream.query, How.SCAN, why, _names(stream.query))
        for source in further:
            reading += self._whole(source, resource, Query(), How.SCAN, "orderedToo")
        self._add(level, self._once(level, reading))
        tests = question.test_columns()
        having = whole if len(question.streams) > 1 else whole | given
        population = rules.population
        self._add(level, self._completing(level, rules, tests, candidates, also=population, having=having))
        asked = {*rules.heard(self._with_policy(rules, tests)), *population}
        shown = self._completing(level, rules, want | tests, found, also=population, having=having | asked)
        self._add(level, shown)

    def _looked_up(self, source: str, resource: str, key: str, count: int) -> list[Foreseen]:
        calls = ceil(count / max(1, self.federation.sources[source].capabilities.chunk))
        return [Foreseen(source, resource, How.FOREIGN_KEY, calls, count, "lookedUp", by=key)]

    # Completing

    def _with_policy(self, rules: Rules, want: Want) -> Want:
        return want.also(*self.federation.policy.columns(rules.resource.name))

    def _completing(
        self,
        level: Level,
        rules: Rules,
        want: Want,
        count: float,
        *,
        also: Iterable[str] = (),
        having: Iterable[str] = (),
        why: str | None = None,
    ) -> list[Foreseen]:
        """The calls for records whose ids are known, at every source that is heard but those that gave them already."""
        want = self._with_policy(rules, want)
        also, having, number = set(also), set(having), ceil(count)
        heard = set(rules.heard(want))
        if number and heard | also:
            self._before(level, rules, ())
            if not rules.settled:
                want = want.also(*rules.places.columns)
                heard = set(rules.heard(want))
        found: list[Foreseen] = []
        resource = rules.resource.name
        for source in rules.servers if number else ():
            if source not in heard | also or source in having or (source, resource) in self.walked:
                continue
            if by_id(self.operation, source, resource, number):
                fetch = self._ids(source, resource, number, why or self._why_heard(rules, source, want))
                if self._new(level, fetch):
                    found.append(fetch)
            elif not rules.resource.window:
                found += self._whole(source, resource, Query(), How.LIST, "noLookup")
        return found

    def _ids(self, source: str, resource: str, count: int, why: str) -> Foreseen:
        capabilities = self.federation.sources[source].capabilities
        if "ids" in capabilities.lookup_keys(resource):
            return Foreseen(source, resource, How.IDS, ceil(count / max(1, capabilities.chunk)), count, why)
        return Foreseen(source, resource, How.GET, count, count, why)

    def _why_heard(self, rules: Rules, source: str, want: Want) -> str:
        """Why a source is asked for records: for what it says of them, or to know whether they are there at all."""
        if want.everything:
            return "provenance"
        speaking = {column for column in want.columns if source in rules.speaker_names(column)}
        if speaking - set(self.federation.policy.columns(rules.resource.name)):
            return "speaks"
        return "protected" if speaking else "exists"

    def _new(self, level: Level, fetch: Foreseen) -> bool:
        """Whether it was not counted yet: what two aliases ask of the same records is fetched once."""
        key = (level.key, fetch.source, fetch.resource, fetch.how)
        if key in self.counted:
            return False
        self.counted.add(key)
        return True

    def _reading(self, source: str, resource: str, why: str, how: How = How.LIST) -> Foreseen:
        return Foreseen(source, resource, how, *self._pages(source, resource, Query()), why)

    def _before(self, level: Level, rules: Rules, organisations: Iterable[str]) -> None:
        """What must be known first: who is who, where ids differ, and the tree of organisations."""
        identities = self.federation.identities
        for resource in sorted(identities.concerned(rules.resource.name) - self.identified):
            self.identified.add(resource)
            self._add(
                level,
                [self._reading(each, resource, "identify", How.IDENTIFY) for each in identities.unread(resource)],
            )
        if any(organisations) or rules.organisations:
            heard = self.federation.rules["Organisation"].heard(_TREE)
            self._add(level, [f for s in heard for f in self._whole(s, "Organisation", Query(), How.LIST, "tree")])

    # Relations backwards

    def _inverse(self, level: Level, relation: Relation, selector: Selector, want: Want, holders: float) -> float:
        rules = self.federation.rules[relation.owner]
        parents = ceil(holders)
        if not rules.servers or not parents:
            return 0
        resource = relation.resource
        own = want.also(relation.column)
        windowed, sole = bool(resource.window), len(rules.servers) == 1
        asked = rules.heard(own) if windowed and not resource.get else rules.speaker_names(relation.column)
        chosen = {source: self._chosen(relation, source, parents) for source in asked}
        owners = self._bounded(relation.owner, holders * FEW)
        fan = self.federation.statistics.fan_out(relation.target, relation.inverse)
        if fan is not None:
            owners = self._bounded(relation.owner, holders * fan)
        reading: list[Foreseen] = []
        having: set[str] = set()
        by_key = all(choice.path in (Path.LOOKUP, Path.EXPAND) for choice in chosen.values())
        if windowed and resource.get and not sole and not by_key:
            how = dated(resource)
            assert how is not None
            query = Query.of(window_of(self.operation, relation, selector.during, sole=False))
            for source in rules.speaker_names(how.start):
                reading += self._once(
                    level, self._whole(source, relation.owner, query, How.FILTER, "window", _names(query))
                )
                having.add(source)
        else:
            for source, choice in chosen.items():
                if (source, relation.owner) in self.walked:
                    continue
                fetch = self._once(level, self._backwards(relation, selector, source, choice, parents, ceil(owners)))
                expand = relation.expand
                if choice.path is not Path.EXPAND or (expand is not None and expand.view is View.FULL):
                    having.add(source)
                reading += fetch
        self._add(level, reading)
        if len(having) > 1:  # those that have fewer lack what the others have
            having = {max(having, key=lambda source: self._records(source, relation.owner, Query()))}
        self._add(level, self._completing(level, rules, own, owners, having=having))
        timed = dated(resource)
        if selector.during is not None and timed is not None and timed.by is not None:
            lessons = self.federation.rules["CalendarEvent"]
            self._add(level, self._completing(level, lessons, Want(frozenset({"startTime"})), owners, why="when"))
        return owners if selector.first is None else min(owners, holders * selector.first)

    def _between(self, level: Level, relation: Relation, period: Period, want: Want) -> None:
        rules, how = self.federation.rules[relation.owner], dated(relation.resource)
        assert how is not None
        query = Query.of(window_of(self.operation, relation, period, sole=False))
        speakers = rules.speaker_names(how.start)
        reading = [
            f for s in speakers for f in self._whole(s, relation.owner, query, How.FILTER, "period", _names(query))
        ]
        self._add(level, self._once(level, reading))
        count = max((self._records(source, relation.owner, query) for source in speakers), default=0)
        having = speakers if len(speakers) == 1 else ()
        self._add(level, self._completing(level, rules, want, count, having=having))

    def _chosen(self, relation: Relation, source: str, parents: int) -> Choice:
        federation = self.federation
        capabilities = federation.sources[source].capabilities
        pages = federation.pages_seen.get((source, relation.owner))
        return choose(relation, parents, capabilities, pages, federation.limits)

    def _once(self, level: Level, fetches: list[Foreseen]) -> list[Foreseen]:
        return [fetch for fetch in fetches if self._new(level, fetch)]

    def _backwards(
        self,
        relation: Relation,
        selector: Selector,
        source: str,
        choice: Choice,
        parents: int,
        owners: int,
    ) -> list[Foreseen]:
        owner = relation.owner
        sole = len(self.federation.rules[owner].servers) == 1
        window = window_of(self.operation, relation, selector.during, sole=sole)
        if choice.path is Path.SCAN or (choice.path is Path.FILTER and relation.resource.window and not sole):
            query = Query.of(window)
            how = How.FILTER if window else How.LIST
            return self._whole(source, owner, query, how, "window" if window else "wholeList", _names(query))
        if choice.path is Path.LOOKUP:
            key = relation.lookup.name if relation.lookup else None
            return [Foreseen(source, owner, How.FOREIGN_KEY, choice.calls, owners, "foreignKey", by=key)]
        if choice.path is Path.EXPAND:
            name = relation.expand.name if relation.expand else None
            return [Foreseen(source, relation.target, How.EXPAND, choice.calls, parents, "embedded", by=name)]
        parameter = relation.parameter.name if relation.parameter else None
        return [Foreseen(source, owner, How.FILTER, choice.calls, owners, "perParent", by=parameter)]


def _names(query: Query) -> str | None:
    return ", ".join(name for name, _ in query.parameters) or None
