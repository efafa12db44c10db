"""Backwards along a reference: from records to those that refer to them.

Every source that is heard for the owning property gives candidates, by the path chosen for it. The candidates are
completed and merged, and the merged owning property decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sources.requests import Query
from sources.shape import Shape
from sources.standard.model import Structure

from ..choose import ARRAY_CHUNK, Choice, Path, choose
from ..columns import shape
from ..contracts import EntityId, Fetch, List, Lookup, Period, Selector, Step, Want
from ..dated import dated, within
from ..entity import Entity, Entry
from ..instants import day_end, day_start
from ..operation import Operation
from ..predicates import clauses, leaves
from ..relations import Relation
from .complete import complete, shown
from .forward import guarded, visible_entries
from .permitted import permitted
from .select import needed, prepare, require_period, select
from .tree import extents


def inverse(
    operation: Operation, relation: Relation, parents: Sequence[EntityId], selector: Selector, want: Want
) -> Step[list[list[Entity]]]:
    """Per parent, the records whose merged owning property refers to it; filtered, in order, bounded."""
    from .joined import refuse, resolve  # which follow relations backwards themselves

    resource, rules = relation.resource, operation.federation.rules[relation.owner]
    if not rules.servers:
        operation.not_served[resource.name] = None
        return [[] for _ in parents]
    refuse(operation, rules, clauses(selector.conditions))
    selector = yield from permitted(operation, selector)
    tests = yield from resolve(operation, rules, clauses(selector.conditions))
    own = want.also(relation.column, *needed(resource, selector))
    found = yield from _owners(operation, relation, parents, selector.during, own)
    yield from prepare(operation, resource, [entity.id for entity in found], selector)
    by_parent = _by_parent(relation, parents, found)
    return [select(operation, by_parent[parent], selector, tests) for parent in parents]


def inverse_entries(
    operation: Operation, relation: Relation, parents: Sequence[EntityId], selector: Selector, want: Want
) -> Step[list[list[Entry]]]:
    """Per parent, the entries that refer to it, with the records they stand in; in the order of those records' ids."""
    structure = relation.entry
    assert structure is not None
    how = relation.dated
    columns = [relation.column]
    if selector.during is not None and how is not None and not relation.dated_by_entry:
        columns += [column for column in (how.start, how.end) if column]
    found = yield from _owners(operation, relation, parents, selector.during, want.also(*columns))
    by_parent = _by_parent(relation, parents, found)
    zone = operation.federation.timezone
    answers: list[list[Entry]] = []
    for parent in parents:
        entries: list[Entry] = []
        for owner in sorted(by_parent[parent], key=lambda entity: entity.id):
            for data in _entries(owner.value(relation.column), relation.path[1:]):
                if parent not in leaves(data.get, relation.path[-1]):
                    continue
                read = data.get if relation.dated_by_entry else owner.value
                if selector.during is None or how is None or within(how, read, selector.during, zone):
                    entries.append(Entry(owner, structure, data))
        answers.append(entries)
    others = [prop for prop in guarded(structure) if prop.name != relation.path[-1]]
    if others:
        answers = yield from _without_hidden(operation, structure, answers)
    return answers if selector.first is None else [entries[: selector.first] for entries in answers]


def _without_hidden(operation: Operation, structure: Structure, answers: list[list[Entry]]) -> Step[list[list[Entry]]]:
    flat = [(entry.owner, [entry.data]) for entries in answers for entry in entries]
    visible = iter((yield from visible_entries(operation, structure, flat, Want())))
    return [[entry for _ in entries for entry in next(visible)] for entries in answers]


def _entries(value: object, path: tuple[str, ...]) -> list[Mapping[str, object]]:
    """The innermost entries on the way to the reference."""
    level = _listed(value)
    for name in path[:-1]:
        level = [item for entry in level if isinstance(entry, Mapping) for item in _listed(entry.get(name))]
    return [entry for entry in level if isinstance(entry, Mapping)]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _by_parent(
    relation: Relation, parents: Sequence[EntityId], found: Sequence[Entity]
) -> dict[EntityId, list[Entity]]:
    by_parent: dict[EntityId, list[Entity]] = {parent: [] for parent in parents}
    path = ".".join(relation.path)
    for entity in found:
        for parent in dict.fromkeys(leaves(entity.value, path)):
            owners = by_parent.get(EntityId(str(parent)))
            if owners is not None:
                owners.append(entity)
    return by_parent


def _owners(
    operation: Operation, relation: Relation, parents: Sequence[EntityId], period: Period | None, want: Want
) -> Step[list[Entity]]:
    """The records that may refer to one of the parents: candidates of every speaker, completed and merged."""
    rules = operation.federation.rules[relation.owner]
    if not rules.servers:
        operation.not_served[rules.resource.name] = None
        return []
    windowed = bool(rules.resource.window)
    # Without a call by id there is no way to complete a record later: every source to be heard gives its list.
    asked = rules.heard(want) if windowed and not rules.resource.get else rules.speaker_names(relation.column)
    if windowed:
        require_period(period, relation.inverse)
    candidates: dict[EntityId, None] = {}
    decoded = shape(rules, want.also(*operation.federation.policy.columns(relation.owner)))
    if windowed and rules.resource.get and not _looked_up(operation, relation, asked, parents):
        yield from _in_window(operation, relation, parents, period, candidates)
    else:
        by_source = yield from _in_scope(operation, relation, asked, parents)
        by_source = {source: operation.named_by(source, relation.target, ids) for source, ids in by_source.items()}
        by_source = {source: ids for source, ids in by_source.items() if ids}
        rest = yield from _candidates(operation, relation, by_source, period, candidates, decoded)
        if rest:
            yield from _candidates(operation, relation, rest, period, candidates, decoded, expand=False)
    yield from complete(operation, relation.owner, candidates, want)
    return [entity for entity in shown(operation, relation.owner, list(candidates)) if entity is not None]


def _in_scope(
    operation: Operation, relation: Relation, sources: Sequence[str], parents: Sequence[EntityId]
) -> Step[Mapping[str, Sequence[EntityId]]]:
    """Per source, the parents that it could be heard to name: where records belong there, those in its scope."""
    rules = operation.federation.rules[relation.owner]
    if not rules.scopes or ".".join(relation.path) != rules.places.path(rules.places.organisation):
        return dict.fromkeys(sources, parents)
    yield from extents(operation, rules.organisations)
    found: dict[str, Sequence[EntityId]] = {}
    for source in sources:
        roots = rules.scopes[source].organisations if source in rules.scopes else ()
        below = {each for root in roots for each in operation.extents[root]}
        found[source] = [parent for parent in parents if not roots or parent in below]
    return {source: within for source, within in found.items() if within}


def _looked_up(operation: Operation, relation: Relation, sources: Sequence[str], parents: Sequence[EntityId]) -> bool:
    """Whether no list stands between the parents and what refers to them, or one that nobody can overrule."""
    if len(operation.federation.rules[relation.owner].servers) == 1:
        return True
    chosen = (each for source in sources for each in _choices(operation, relation, source, parents, expand=True))
    return all(choice.path in (Path.LOOKUP, Path.EXPAND) for choice, _ in chosen)


def _in_window(
    operation: Operation,
    relation: Relation,
    parents: Sequence[EntityId],
    period: Period | None,
    candidates: dict[EntityId, None],
) -> Step[None]:
    """Add what is of the period and names one of the parents.

    The window that a list demands is held against its source's own time, and another source may have the authority
    over it: those that speak for the time give what they have, and those that speak for the reference are asked of it.
    """
    rules, how = operation.federation.rules[relation.owner], dated(relation.resource)
    assert how is not None
    window = Query.of(window_of(operation, relation, period, sole=False))
    fetches = [Fetch(source, relation.owner, List(window)) for source in rules.speaker_names(how.start)]
    found = {each for ids in operation.absorb_all(fetches, (yield fetches)) for each in ids}
    yield from complete(operation, relation.owner, sorted(found), Want(frozenset({relation.column})))
    for source in rules.speaker_names(relation.column):
        rows = operation.rows(source, relation.owner)
        having = [each for each in sorted(found) if rows.get(each) is not None]
        candidates.update(dict.fromkeys(_naming(operation, relation, source, having, parents)))


def _candidates(
    operation: Operation,
    relation: Relation,
    parents: Mapping[str, Sequence[EntityId]],
    period: Period | None,
    candidates: dict[EntityId, None],
    decoded: Shape | None,
    *,
    expand: bool = True,
) -> Step[dict[str, list[EntityId]]]:
    """Add what sources give for their parents. Gives back, per source, the parents that an expand said nothing of."""
    fetches: list[Fetch] = []
    for source, ids in parents.items():
        if operation.walked(source, relation.owner):
            known = operation.rows(source, relation.owner)
            candidates.update(dict.fromkeys(_naming(operation, relation, source, known, ids)))
            continue
        for choice, found_by in _choices(operation, relation, source, ids, expand=expand):
            fetches += _fetches(operation, relation, source, choice, found_by, period, decoded)
    answers = (yield fetches) if fetches else ()
    rest: dict[str, list[EntityId]] = {}
    for fetch, answer in zip(fetches, answers, strict=True):
        asked = parents[fetch.source]
        if isinstance(fetch.op, Lookup) and fetch.op.expand and answer.faults:
            # What failed is the way over the parents, not yet what refers to them: there is another way.
            by_expand = set(map(EntityId, fetch.op.values))
            rest[fetch.source] = [parent for parent in asked if parent in by_expand]
            continue
        owners = operation.absorb(fetch, answer)
        if not (isinstance(fetch.op, Lookup) and fetch.op.expand):
            candidates.update(dict.fromkeys(_naming(operation, relation, fetch.source, owners, asked)))
        elif relation.expand is not None:
            told = operation.absorb_embedded(answer, relation.expand, candidates)
            by_expand = set(map(EntityId, fetch.op.values))
            untold = [parent for parent in asked if parent in by_expand and parent not in told]
            if untold:
                rest[fetch.source] = untold
    return rest


def _naming(
    operation: Operation, relation: Relation, source: str, owners: Iterable[EntityId], parents: Sequence[EntityId]
) -> list[EntityId]:
    """Those of a source's records that name one of the parents by the source's own word.

    The merged value comes from speakers, so what no speaker says of a record, its merged property cannot say either:
    the others need not be completed at further sources.
    """
    rows, path, wanted = operation.rows(source, relation.owner), ".".join(relation.path), set(parents)
    return [
        owner
        for owner in owners
        if (row := rows.get(owner)) is None or any(each in wanted for each in leaves(row.value, path))
    ]


def _choices(
    operation: Operation, relation: Relation, source: str, parents: Sequence[EntityId], *, expand: bool
) -> list[tuple[Choice, Sequence[EntityId]]]:
    """The access paths at one source, each with the parents it is for.

    An expand says nothing of parents that the source does not have. Where it is known to lack some, these need
    another path, and often that path finds the owners of all parents: then the expand would be in vain.
    """
    federation = operation.federation
    capabilities = federation.sources[source].capabilities
    pages = federation.pages_seen.get((source, relation.owner))

    def chosen(count: int, *, expand: bool) -> Choice:
        return choose(relation, count, capabilities, pages, federation.limits, expand=expand)

    rows = operation.rows(source, relation.target)
    lacking = [parent for parent in parents if parent in rows and rows[parent] is None] if expand else []
    if not lacking:
        return [(chosen(len(parents), expand=expand), parents)]
    other = chosen(len(parents), expand=False)
    having = [parent for parent in parents if parent not in rows or rows[parent] is not None]
    if having:
        apart: list[tuple[Choice, Sequence[EntityId]]] = [
            (chosen(len(having), expand=True), having),
            (chosen(len(lacking), expand=False), lacking),
        ]
        if apart[0][0].path is Path.EXPAND and sum(choice.calls for choice, _ in apart) < other.calls:
            return apart
    return [(other, parents)]


def estimated_calls(operation: Operation, relation: Relation, parents: Sequence[EntityId]) -> int:
    """What finding the owners of these parents is estimated to cost, over all sources."""
    speakers = operation.federation.rules[relation.owner].speaker_names(relation.column)
    return sum(
        choice.calls
        for source in speakers
        if not operation.walked(source, relation.owner)
        for choice, _ in _choices(operation, relation, source, parents, expand=True)
    )


def _fetches(
    operation: Operation,
    relation: Relation,
    source: str,
    choice: Choice,
    parents: Sequence[EntityId],
    period: Period | None,
    decoded: Shape | None,
) -> list[Fetch]:
    owner = relation.owner
    sole = len(operation.federation.rules[owner].servers) == 1
    if choice.path is Path.LOOKUP and relation.lookup is not None:
        return [Fetch(source, owner, Lookup(relation.lookup.name, tuple(parents)), decoded)]
    if choice.path is Path.EXPAND and relation.expand is not None:
        return [Fetch(source, relation.target, Lookup("ids", tuple(parents), (relation.expand.name,)))]
    # A period and the reference may go in one call only where no other source could overrule either of them.
    times = window_of(operation, relation, period, sole=sole)
    parameter = relation.parameter
    if choice.path is Path.FILTER and parameter is not None and (sole or not relation.resource.window):
        size = ARRAY_CHUNK if parameter.many else 1
        fixed = {name: (value,) for name, _, value in (extra.partition("=") for extra in relation.filter[1:])}
        return [
            Fetch(
                source,
                owner,
                List(Query.of({**times, **fixed, parameter.name: tuple(parents[start : start + size])})),
                decoded,
            )
            for start in range(0, len(parents), size)
        ]
    return [Fetch(source, owner, List(Query.of(times)), decoded)]


def window_of(
    operation: Operation, relation: Relation, period: Period | None, *, sole: bool
) -> dict[str, tuple[str, ...]]:
    """The period as query parameters: where the standard demands them, or where they safely narrow the list."""
    resource = relation.resource
    if period is None or not (resource.window or sole):
        return {}
    zone = operation.federation.timezone
    found: dict[str, tuple[str, ...]] = {}
    if resource.name == "AggregatedAttendance":
        if period.start is not None and period.end is not None:
            found = {"startDate": (period.start.isoformat(),), "endDate": (period.end.isoformat(),)}
        return found
    # Nothing of the absences' endTime: the standard's bound leaves out those that have none, and they are open.
    if resource.name == "CalendarEvent" and period.start is not None:
        found["startTime.onOrAfter"] = (day_start(period.start, zone).isoformat(),)
    if resource.name in ("CalendarEvent", "Absence") and period.end is not None:
        found["startTime.onOrBefore"] = (day_end(period.end, zone).isoformat(),)
    return found
