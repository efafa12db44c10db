"""What a record does not show is computed from the records that do, merged like any others: a semi-join.

``activities.member`` is decided by groups, ``persons.relationship`` by duties, placements, groups and other persons.
A join follows the relations from the values given and comes back with ids: a record passes if a column of it names one
of them (``Clause.named``). As the standard says, dates of memberships and assignments are not regarded, and an
exception counts although it says that somebody does not take part. A hidden person decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sources.capabilities import ALL, Filter
from sources.standard import RESOURCES
from sources.standard.model import Scalar, Test

from ..authority import Rules
from ..completeness import Gaps
from ..contracts import EVERYTHING, Condition, EntityId, Selector, Step, Want
from ..entity import Entity
from ..errors import Code, Refused
from ..filters import REACH, SOURCES, TEXT, parameters
from ..operation import Operation
from ..predicates import (
    RELATION_ORGANISATION,
    RELATION_TYPE,
    Clause,
    clauses,
    entries,
    holds_on,
    leaves,
    relation_kind,
    timely,
)
from ..relations import INVERSES
from .attached import with_attached_above
from .complete import complete, shown
from .inverse import inverse, inverse_entries
from .select import holds, needed, prepare
from .streams import candidates, streams
from .tree import extents, subtrees

Ids = frozenset[str]
Joining = Callable[[Operation, Condition], Step[Ids]]


@dataclass(frozen=True, slots=True)
class Join:
    """``through``: the resources whose records decide, beside the record's own. ``ids``: what its column must name.

    ``pushes``: the query parameter that finds records by that column.
    """

    through: tuple[str, ...]
    ids: Joining
    pushes: str | None = None


def refuse(operation: Operation, rules: Rules, tests: Sequence[Clause]) -> None:
    """Refuse filters that cannot be answered, before anything is fetched. Raises Refused."""
    for clause in tests:
        if clause.test in SOURCES:
            _refuse_unknown(rules, clause)
        if clause.joined and not _may_trust(operation, rules, clause):
            for name in _through(rules, clause):
                if not operation.federation.rules[name].servers:
                    raise _unanswerable(rules, clause, name)


def _refuse_unknown(rules: Rules, clause: Clause) -> None:
    for name in clause.conditions[0].values:
        if name not in rules.servers:
            field = clause.conditions[0].parameter.name
            raise Refused(
                Code.UNKNOWN_SOURCE, f"{field}: no configured source of that name serves {rules.resource.plural}."
            )


def _unanswerable(rules: Rules, clause: Clause, missing: str) -> Refused:
    names = ", ".join(condition.parameter.name for condition in clause.conditions)
    return Refused(
        Code.FILTER_NOT_ANSWERABLE,
        f"The filter {names} of {rules.resource.plural} is decided by {RESOURCES[missing].plural}, which no source "
        "serves; it is only passed on to a single source whose profile declares it exact.",
    )


def resolve(
    operation: Operation, rules: Rules, tests: Sequence[Clause], gaps: Gaps | None = None
) -> Step[tuple[Clause, ...]]:
    """The clauses with all that other records have to say in hand; what is missing of those goes into ``gaps``."""
    yield from extents(operation, rules.organisations, gaps)
    yield from subtrees(operation, [each for clause in tests for each in clause.organisations], gaps)
    found = []
    for clause in tests:
        if clause.joined:
            clause = yield from noting(_join(operation, rules, clause), gaps)
        else:
            clause = yield from noting(with_attached_above(operation, rules, clause), gaps)
        found.append(clause)
    return tuple(found)


def noting(step: Step[Clause], gaps: Gaps | None) -> Step[Clause]:
    """The same step; what its fetches lack goes into ``gaps`` too."""
    try:
        fetches = next(step)
        while True:
            answers = yield fetches
            for answer in answers if gaps is not None else ():
                gaps.take(answer)  # type: ignore[union-attr]
            fetches = step.send(answers)
    except StopIteration as stop:
        clause: Clause = stop.value
        return clause


def matching(operation: Operation, resource: str, conditions: Iterable[Condition], want: Want) -> Step[list[Entity]]:
    """All records of a resource that pass a filter and may be shown, complete for ``want``."""
    rules = operation.federation.rules[resource]
    if not rules.servers:
        operation.not_served[resource] = None
        return []
    selector = Selector(tuple(conditions))
    tests = yield from resolve(operation, rules, clauses(selector.conditions))
    ids = list((yield from candidates(operation, resource, streams(operation, rules, tests), None)))
    columns = needed(rules.resource, selector)
    yield from complete(operation, resource, ids, want.also(*columns), also=rules.population)
    yield from prepare(operation, rules.resource, ids, selector)
    return [
        entity for entity in shown(operation, resource, ids) if entity is not None and holds(operation, entity, tests)
    ]


def _join(operation: Operation, rules: Rules, clause: Clause) -> Step[Clause]:
    if _may_trust(operation, rules, clause):
        return replace(clause, trusted=True, pushes=clause.conditions)
    if clause.test is Test.RELATION:
        people = yield from _related(operation, clause)
        return replace(clause, named=(("id", people),))
    if clause.test is Test.MEMBER_OF:
        people = yield from _members(operation, clause)
        return replace(clause, named=(("id", people),))
    (condition,) = clause.conditions
    ids = yield from JOINS[rules.resource.name, condition.parameter.name].ids(operation, condition)
    return _decided(rules, clause, ids)


def imagined(operation: Operation, rules: Rules, clause: Clause, count: int) -> tuple[Clause, tuple[str, ...]]:
    """A joined clause as it would be if so many records decided it, and the resources that are read for it.

    Asks nobody; the ids are made up.
    """
    if _may_trust(operation, rules, clause):
        return replace(clause, trusted=True, pushes=clause.conditions), ()
    ids = frozenset(map(str, range(count)))
    if clause.test in (Test.RELATION, Test.MEMBER_OF):
        return replace(clause, named=(("id", ids),)), _through(rules, clause)
    return _decided(rules, clause, ids), _through(rules, clause)


def _decided(rules: Rules, clause: Clause, ids: Ids) -> Clause:
    (condition,) = clause.conditions
    join = JOINS[rules.resource.name, condition.parameter.name]
    first, *exceptions = REACH[rules.resource.name, condition.parameter.name]
    named = ((first, ids), *((column, frozenset(condition.values)) for column in exceptions))
    pushes = () if join.pushes is None else (Condition(rules.resource.parameter[join.pushes], tuple(sorted(ids))),)
    columns = frozenset(column.partition(".")[0].partition("/")[0] for column, _ in named if column != "id")
    return replace(clause, named=named, pushes=pushes, columns=columns, rank=1)


# Trust


def _may_trust(operation: Operation, rules: Rules, clause: Clause) -> bool:
    """Whether one source serves everything that decides, and its profile declares that it does it exactly."""
    if len(rules.servers) != 1:
        return False
    source, resource = rules.servers[0], rules.resource.name
    capabilities = operation.federation.sources[source].capabilities
    declared = capabilities.filters.get(resource, {})
    names = [condition.parameter.name for condition in clause.conditions]
    if not all(name in rules.resource.parameter and (name in declared or ALL in declared) for name in names):
        return False
    if any(capabilities.filter(resource, name) is not Filter.EXACT for name in names):
        return False
    if clause.organisations:  # the tree is not its own matter, and too many calls are none
        below = {each for above in clause.organisations for each in operation.subtrees.get(above, {above})}
        if len(below) > operation.federation.limits.max_filter_calls:
            return False
    if clause.test is Test.RELATION and _about_others(clause) and operation.federation.policy.columns("Person"):
        return False  # the source knows nothing of whom the gateway hides
    serving = [operation.federation.rules[name].servers for name in _all_through(rules, clause)]
    return all(servers in ((), (source,)) for servers in serving)


def _about_others(clause: Clause) -> bool:
    kind = relation_kind(clause.conditions)
    return kind is None or kind.startswith("responsibleFor")


def _through(rules: Rules, clause: Clause) -> tuple[str, ...]:
    """The resources without which a clause cannot be decided."""
    if clause.test is Test.RELATION:
        kind = relation_kind(clause.conditions)
        return () if kind is None else _NEEDED[kind]
    if clause.test is Test.MEMBER_OF:
        return ("Group",)
    return JOINS[rules.resource.name, clause.conditions[0].parameter.name].through


def _all_through(rules: Rules, clause: Clause) -> set[str]:
    """The resources whose records may decide a clause."""
    found = set(_through(rules, clause))
    if clause.test is Test.RELATION:
        found |= {"Duty", "Group", "Placement", "Person"}
    return found


# Simple joins


def _groups_of(operation: Operation, condition: Condition) -> Step[Ids]:
    entries = yield from inverse_entries(
        operation, INVERSES["Person", "groupMemberships"], _ids(condition.values), EVERYTHING, Want()
    )
    return frozenset(entry.owner.id for found in entries for entry in found)


def _referring(target: str, field: str) -> Callable[[Operation, Iterable[str]], Step[Ids]]:
    """The records that refer to others, by the inverse field."""

    def step(operation: Operation, ids: Iterable[str]) -> Step[Ids]:
        found = yield from inverse(operation, INVERSES[target, field], _ids(sorted(ids)), EVERYTHING, Want())
        return frozenset(entity.id for records in found for entity in records)

    return step


_of_groups = _referring("Group", "activities")
_of_duties = _referring("Duty", "activities")
_in_groups = _referring("Group", "placements")


def _activities_of_member(operation: Operation, condition: Condition) -> Step[Ids]:
    groups = yield from _groups_of(operation, condition)
    return (yield from _of_groups(operation, groups))


def _activities_of_groups(operation: Operation, condition: Condition) -> Step[Ids]:
    return (yield from _of_groups(operation, condition.values))


def _activities_of_duties(operation: Operation, condition: Condition) -> Step[Ids]:
    return (yield from _of_duties(operation, condition.values))


def _placements_of_groups(operation: Operation, condition: Condition) -> Step[Ids]:
    return (yield from _in_groups(operation, condition.values))


def _activities_at(operation: Operation, condition: Condition) -> Step[Ids]:
    at = replace(condition, parameter=RESOURCES["Activity"].parameter["organisation"])
    found = yield from matching(operation, "Activity", [at], Want())
    return frozenset(entity.id for entity in found)


def _activities_of_school_type(operation: Operation, condition: Condition) -> Step[Ids]:
    name = "schoolTypes" + (TEXT if condition.parameter.name.endswith(TEXT) else "")
    of = replace(condition, parameter=next(each for each in parameters("Group") if each.name == name))
    groups = yield from matching(operation, "Group", [of], Want())
    return (yield from _of_groups(operation, (group.id for group in groups)))


JOINS: Mapping[tuple[str, str], Join] = {
    ("Group", "member"): Join(("Group",), _groups_of),
    ("Activity", "member"): Join(("Group",), _groups_of, pushes="group"),
    ("CalendarEvent", "student"): Join(("Activity", "Group"), _activities_of_member),
    ("CalendarEvent", "teacher"): Join(("Activity",), _activities_of_duties),
    ("CalendarEvent", "group"): Join(("Activity",), _activities_of_groups, pushes="activity"),
    ("CalendarEvent", "organisation"): Join(("Activity",), _activities_at, pushes="activity"),
    ("Attendance", "organisation"): Join(("CalendarEvent", "Activity"), _activities_at),
    ("AttendanceSchedule", "group"): Join(("Placement",), _placements_of_groups, pushes="placement"),
    ("AggregatedAttendance", "organisation"): Join(("Activity",), _activities_at),
    ("AggregatedAttendance", "schoolType"): Join(("Activity", "Group"), _activities_of_school_type),
    ("AggregatedAttendance", "schoolTypeText"): Join(("Activity", "Group"), _activities_of_school_type),
}
"""Per resource and parameter that its records do not show."""


# Persons by their relations


def _related(operation: Operation, clause: Clause) -> Step[Ids]:
    """The persons with a relation that all the parameters fit; those by their own enrolments are left to the record."""
    kind = relation_kind(clause.conditions)
    place = [c for c in clause.conditions if c.parameter.name == RELATION_ORGANISATION]
    dates = [c for c in clause.conditions if c.parameter.name not in (RELATION_ORGANISATION, RELATION_TYPE)]
    people: set[str] = set()
    for name, find in _KINDS.items():
        if kind in (None, name):
            people |= yield from find(operation, place, dates)
    return frozenset(people)


def _records_at(
    operation: Operation, resource: str, place: Sequence[Condition], dates: Sequence[Condition], column: str
) -> Step[list[Entity]]:
    """The duties or placements at an organisation whose own dates fit."""
    declared = RESOURCES[resource].parameter
    asked = [replace(each, parameter=declared["organisation"]) for each in place]
    # An endDate that is missing fits here as there; a missing startDate does not, so that is left to the test.
    ends = [each for each in dates if each.parameter.name.startswith("relationship.endDate.")]
    asked += [replace(each, parameter=declared[each.parameter.name.partition(".")[2]]) for each in ends]
    found = yield from matching(operation, resource, asked, Want(frozenset({column, "startDate", "endDate"})))
    return [entity for entity in found if all(timely(each, entity.value) for each in dates)]


def _by_duty(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    found = yield from _records_at(operation, "Duty", place, dates, "person")
    return _at(found, "person")


def _by_placement(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    found = yield from _records_at(operation, "Placement", place, dates, "child")
    return _at(found, "child")


def _by_owned_placement(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    found = yield from _records_at(operation, "Placement", place, dates, "owners")
    return _at(found, "owners")


def _by_childs_enrolment(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    enrolment = Condition(RESOURCES["Person"].parameter[RELATION_TYPE], ("enrolment",))
    responsibles = Want(frozenset({"responsibles"}))
    children = yield from matching(operation, "Person", [enrolment, *place, *dates], responsibles)
    return _at(children, "responsibles.person")


def _by_childs_placement(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    children = _ids(sorted((yield from _by_placement(operation, place, dates))))
    yield from complete(operation, "Person", children, Want(frozenset({"responsibles"})))
    return _at([each for each in shown(operation, "Person", children) if each is not None], "responsibles.person")


def _by_membership(operation: Operation, place: Sequence[Condition], dates: Sequence[Condition]) -> Step[Ids]:
    """Members of groups, and those who have an assignment in one."""
    organisation = RESOURCES["Group"].parameter["organisation"]
    asked = [replace(each, parameter=organisation) for each in place]
    groups = yield from matching(operation, "Group", asked, Want(frozenset({"groupMemberships"})))
    people = {
        str(person)
        for group in groups
        for entry in entries(group.value, "groupMemberships")
        if all(timely(each, entry.get) for each in dates)
        for person in leaves(entry.get, "person")
    }
    roles = yield from inverse_entries(
        operation,
        INVERSES["Group", "assignmentRoles"],
        [group.id for group in groups],
        EVERYTHING,
        Want(frozenset({"person"})),
    )
    staff = [role.owner for found in roles for role in found if all(timely(each, role.value) for each in dates)]
    return _at(staff, "person") | people


_KINDS: Mapping[str, Callable[[Operation, Sequence[Condition], Sequence[Condition]], Step[Ids]]] = {
    "duty": _by_duty,
    "placement.child": _by_placement,
    "placement.owner": _by_owned_placement,
    "responsibleFor.enrolment": _by_childs_enrolment,
    "responsibleFor.placement": _by_childs_placement,
    "groupMembership": _by_membership,
}
"""The kinds of relation that a person's own record does not show."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "duty": ("Duty",),
    "placement.child": ("Placement",),
    "placement.owner": ("Placement",),
    "responsibleFor.enrolment": (),
    "responsibleFor.placement": ("Placement",),
    "groupMembership": ("Group",),
}


def _members(operation: Operation, clause: Clause) -> Step[Ids]:
    """The persons with a membership as ``memberOf`` asks for."""
    named = [c.values for c in clause.conditions if c.parameter.type is Scalar.ID]
    days = [day for c in clause.conditions if c.parameter.type is Scalar.DATE for day in c.values]
    want = Want(frozenset({"groupMemberships"}))
    if named:
        ids = _ids(named[0])
        yield from complete(operation, "Group", ids, want)
        groups = [group for group in shown(operation, "Group", ids) if group is not None]
    else:
        groups = yield from matching(operation, "Group", (), want)
    return frozenset(
        str(person)
        for group in groups
        for entry in entries(group.value, "groupMemberships")
        if all(holds_on(entry.get, day) for day in days)
        for person in leaves(entry.get, "person")
    )


def _ids(values: Iterable[str]) -> list[EntityId]:
    return [EntityId(each) for each in values]


def _at(records: Iterable[Entity], path: str) -> Ids:
    return frozenset(str(each) for record in records for each in leaves(record.value, path))
