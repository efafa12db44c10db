"""What belongs to a school unit although its source attaches it to the school above (``organisation_level``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..authority import Rules
from ..contracts import EVERYTHING, Condition, EntityId, Step, Want
from ..entity import Entity
from ..merge import contributors
from ..operation import Operation
from ..predicates import Clause, clauses, entries, leaves
from ..relations import INVERSES
from .complete import complete, shown
from .inverse import inverse
from .streams import candidates, streams
from .tree import levels

_ATTACHED = ("Group", "Activity", "Duty")


def with_attached_above(operation: Operation, rules: Rules, clause: Clause) -> Step[Clause]:
    """The clause, and the records that belong to the units asked for although their source attaches them above.

    They belong where their members are enrolled: of a group those of it, of an activity those of its groups, of a duty
    those of the groups and activities it is assigned to. A duty with no such group belongs to every unit below.
    """
    by_source = _levels(operation, rules, clause)
    if not by_source:
        return clause
    (condition,) = clause.conditions
    units = {each for above in condition.values for each in _below(operation, condition, above)}
    above: set[str] = set()
    for level in sorted(set(by_source.values())):
        found = yield from levels(operation, sorted(units), level)
        operation.levels.setdefault(level, {}).update(found)
        above.update(found.values())
    above -= units
    if not above:
        return clause
    name, column = rules.resource.name, _column(rules)
    operation.by_members.update(((name, source), None) for source in by_source)
    at = Condition(condition.parameter, tuple(sorted(above)))
    calls = streams(operation, rules, clauses([at]))
    ids = list((yield from candidates(operation, name, calls, None)))
    columns = {"Group": ("groupMemberships",), "Activity": ("groups",), "Duty": ("assignmentRole",)}[name]
    yield from complete(operation, name, ids, Want(frozenset({column, *columns})), also=rules.population)
    records = [
        entity
        for entity in shown(operation, name, ids)
        if entity is not None
        and above.intersection(map(str, leaves(entity.value, column)))
        and set(contributors(entity, column)) & set(by_source)
    ]
    belonging = yield from _belonging(operation, records, units, above)
    return replace(clause, named=(("id", belonging),))


def _levels(operation: Operation, rules: Rules, clause: Clause) -> dict[str, str]:
    """Per source that attaches the resource to one level of organisations, that level; for a filter by organisation."""
    if rules.resource.name not in _ATTACHED or clause.conditions[0].parameter.name != "organisation":
        return {}
    found = {}
    for source in rules.speaker_names(_column(rules)):
        level = operation.federation.sources[source].capabilities.organisation_level.get(rules.resource.name)
        if level is not None:
            found[source] = level
    return found


def _column(rules: Rules) -> str:
    return "dutyAt" if rules.resource.name == "Duty" else "organisation"


def _below(operation: Operation, condition: Condition, organisation: str) -> frozenset[str]:
    return operation.subtrees[organisation] if condition.subtree else frozenset({organisation})


def _belonging(
    operation: Operation, records: Sequence[Entity], units: set[str], above: set[str]
) -> Step[frozenset[str]]:
    """Those of some records of one resource, attached above the units, that belong to one of these."""
    if not records:
        return frozenset()
    kind = records[0].resource.name
    groups: dict[str, set[str]] = {record.id: set() for record in records}
    if kind == "Group":
        groups = {record.id: {record.id} for record in records}
    elif kind == "Activity":
        groups = {record.id: set(map(str, leaves(record.value, "groups"))) for record in records}
    else:
        taught = yield from inverse(
            operation,
            INVERSES["Duty", "activities"],
            [record.id for record in records],
            EVERYTHING,
            Want(frozenset({"groups"})),
        )
        for record, activities in zip(records, taught, strict=True):
            groups[record.id].update(map(str, leaves(record.value, "assignmentRole.group")))
            groups[record.id].update(str(each) for one in activities for each in leaves(one.value, "groups"))
    every = sorted({group for found in groups.values() for group in found})
    inside = yield from _groups_inside(operation, every, units, above)
    return frozenset(each for each, found in groups.items() if found & inside or (kind == "Duty" and not found))


def _groups_inside(operation: Operation, groups: Sequence[str], units: set[str], above: set[str]) -> Step[set[str]]:
    """The groups at one of the units; of those above them, where a member is enrolled at one while being a member."""
    if not operation.federation.rules["Group"].servers:
        operation.not_served["Group"] = None
        return set()
    ids = _ids(groups)
    yield from complete(operation, "Group", ids, Want(frozenset({"organisation", "groupMemberships"})))
    inside: set[str] = set()
    undecided: list[Entity] = []
    for group in shown(operation, "Group", ids):
        if group is None:
            continue
        at = set(map(str, leaves(group.value, "organisation")))
        if at & units:
            inside.add(group.id)
        elif at & above:
            undecided.append(group)
    people = _ids(sorted({str(each) for group in undecided for each in leaves(group.value, "groupMemberships.person")}))
    yield from complete(operation, "Person", people, Want(frozenset({"enrolments"})))
    enrolments = {
        person.id: [e for e in entries(person.value, "enrolments") if units.intersection(leaves(e.get, "enroledAt"))]
        for person in shown(operation, "Person", people)
        if person is not None
    }
    for group in undecided:
        for entry in entries(group.value, "groupMemberships"):
            theirs = [
                one for person in leaves(entry.get, "person") for one in enrolments.get(EntityId(str(person)), ())
            ]
            if any(_overlap(entry, one) for one in theirs):
                inside.add(group.id)
                break
    return inside


def _overlap(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two spans of days, both ends inclusive and open where they are missing, share a day."""
    starts = [str(each["startDate"]) for each in (one, other) if each.get("startDate") is not None]
    ends = [str(each["endDate"]) for each in (one, other) if each.get("endDate") is not None]
    return not starts or not ends or max(starts) <= min(ends)


def _ids(values: Iterable[str]) -> list[EntityId]:
    return [EntityId(each) for each in values]
