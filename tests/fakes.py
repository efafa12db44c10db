"""A source in memory: the standard to the letter over canonical records, with a log of calls and faults on demand.

It answers with slabs made from its records, without HTTP and without waiting, so that a property test can ask thousands
of gateways. Its filters are written from the standard's text and share nothing with the gateway's own predicates. What
a conformant server would refuse (an unknown parameter, a missing window, a foreign page token) is a failure of the
gateway: it is noted in ``violations`` and raised.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sources.capabilities import Capabilities, Filter
from sources.errors import Fault, FaultCode
from sources.records import Answer, DeletedAnswer, Embedded, Record, Slab, View
from sources.requests import Query
from sources.standard import RESOURCES
from sources.standard.model import Parameter, Scalar, Test
from sources.standard.model import View as Whole
from sources.walks import KnownBy, Reader, Walk

FETCHED_AT = datetime(2026, 3, 25, 7, 30, tzinfo=UTC)

_EMBEDDED_BY = {
    ("Person", "duties"): "person",
    ("Person", "responsibleFor"): "responsibles.person",
    ("Person", "placements"): "child",
    ("Person", "ownedPlacements"): "owners",
    ("Person", "groupMemberships"): "groupMemberships.person",
    ("Group", "assignmentRoles"): "assignmentRole.group",
    ("CalendarEvent", "attendance"): "calendarEvent",
}
"""Per expand that goes backwards, where the embedded record refers to the one it is embedded in."""

Records = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``op`` is ``page``, ``walk``, ``lookup`` or ``deleted``."""

    op: str
    resource: str
    query: Query = field(default_factory=Query)
    token: str | None = None
    key: str = ""
    values: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Walk(Walk):
    """A walk that has its pages itself."""

    slabs: list[Slab] = field(default_factory=list)

    def position(self, place: int) -> tuple[str | None, int]:
        page = self.page_of(place)
        return self.tokens[page].token, place - self.starts[page]

    def place(self, token: str | None, offset: int) -> int | None:
        places = [start + offset for at, start in zip(self.tokens, self.starts, strict=True) if at.token == token]
        return places[0] if places else None


class FakeSource:
    """A conformant source of ``records``: per resource, in the source's own order, each with its ``id``.

    ``page_size`` is its own, independent of what a client asks for. A resource with no records is served if it is a key
    of ``records``. ``embeds``: whether it knows ``expand``; without, it leaves ``_embedded`` out. ``capabilities`` are
    further fields of ``Capabilities``; they describe, they do not change what the source does, except ``filters`` and
    ``filters_ignored``: only an exact parameter selects, and one that is refused or unknown must not be sent.
    """

    def __init__(
        self, name: str, records: Records, *, page_size: int = 100, embeds: bool = True, **capabilities: object
    ) -> None:
        self.name = name
        self.records = {resource: list(found) for resource, found in records.items()}
        self.capabilities = Capabilities(frozenset(records), **capabilities)  # type: ignore[arg-type]
        self.page_size = page_size
        self.embeds = embeds
        self.gone: Mapping[str, frozenset[str]] = {}
        """Ids per resource that ``deleted`` gives."""
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.ttl = 0.0
        """Seconds that a scan counts as what the source still has."""
        self.forgets = False
        """Whether the pages of a scan are gone when somebody comes back for them."""
        self.sorts: Mapping[str, Callable[[list[Record]], list[Record]]] = {}
        """How it orders a list, per sort key that it takes."""
        self.clock = time.monotonic
        self._faults: dict[tuple[str | None, str | None], tuple[FaultCode, int]] = {}

    # Faults

    def fail(
        self,
        code: FaultCode = FaultCode.SOURCE_UNAVAILABLE,
        *,
        resource: str | None = None,
        op: str | None = None,
        after_pages: int = 0,
    ) -> None:
        """From now on calls fail: all, those of a resource, those of an op, or both.

        ``after_pages``: a walk gives so many pages first, and that many pages can be asked for one by one.
        """
        self._faults[resource, op] = (code, after_pages)

    def heal(self) -> None:
        self._faults.clear()

    def _fault(self, resource: str, op: str) -> tuple[Fault, int] | None:
        for key in ((resource, op), (resource, None), (None, op), (None, None)):
            if key in self._faults:
                code, after_pages = self._faults[key]
                return Fault(self.name, resource, code), after_pages
        return None

    # The source as the gateway sees it

    async def page(self, resource: str, query: Query, token: str | None, deadline: float) -> Answer:
        self.calls.append(Call("page", resource, query, token))
        number = self._page_number(resource, query, token)
        fault = self._fault(resource, "page")
        if fault is not None and number >= fault[1]:
            return Answer(faults=(fault[0],))
        found = self._selected(resource, query)
        start = number * self.page_size
        more = start + self.page_size < len(found)
        slab = self._slab(resource, View.LIST, found[start : start + self.page_size])
        return Answer((slab,), next=self._token(query, number + 1) if more else None)

    async def walk(self, resource: str, query: Query, deadline: float) -> Answer:
        self.calls.append(Call("walk", resource, query))
        found = self._selected(resource, query)
        starts = range(0, max(1, len(found)), self.page_size)
        pages = tuple(self._slab(resource, View.LIST, found[start : start + self.page_size]) for start in starts)
        fault = self._fault(resource, "walk")
        return Answer(pages) if fault is None else Answer(pages[: fault[1]], (fault[0],))

    async def scan(
        self, resource: str, query: Query, read: Reader, deadline: float, known_by: KnownBy | None = None
    ) -> Answer:
        answer = await self.walk(resource, query, deadline)
        began = self.clock()
        walk = _Walk(self.name, resource, query)
        walk.begin()
        walk.restart(None, lambda: self.clock() < began + self.ttl)
        read.begin()
        read.restart()
        for number, slab in enumerate(answer.slabs):
            token = self._token(query, number) if number else None
            walk.add(token, b"", FETCHED_AT, None, len(slab.ids))
            walk.slabs.append(slab)
            if not read.read(slab.ids if known_by is None else [known_by(each) for each in slab.records]):
                break
        return Answer(faults=answer.faults, walk=walk)

    async def kept(self, walk: Walk, places: Sequence[int]) -> Answer:
        assert isinstance(walk, _Walk)
        if walk.held is None and self.forgets:
            return Answer()
        records = [record for slab in walk.slabs for record in slab.records]
        return Answer((self._slab(walk.resource, View.LIST, [records[place] for place in places]),))

    def keeps(self, resource: str, ids: Sequence[str]) -> bool:
        return False

    async def lookup(
        self,
        resource: str,
        key: str,
        values: Sequence[str],
        expand: tuple[str, ...],
        deadline: float,
        ahead: Sequence[str] = (),
    ) -> Answer:
        self.calls.append(Call("lookup", resource, Query(expand=expand), key=key, values=tuple(values)))
        self._must_serve(resource)
        declared = RESOURCES[resource].lookup_key.get(key)
        if key == "ids":
            wanted = set(values)
            found = [record for record in self.records[resource] if record["id"] in wanted]
        elif declared is None or not declared.column:
            raise self._violation(f"lookup of {resource} by {key}, which has no answer in the records")
        else:
            found = [r for r in self.records[resource] if set(map(str, _values(r, declared.column))) & set(values)]
        fault = self._fault(resource, "lookup")
        if fault is not None:
            return Answer(faults=(fault[0],))
        slab = self._slab(resource, View.LOOKUP, found)  # in the source's own order: the standard promises no other
        slab.expand = frozenset(expand)
        if self.embeds:
            slab.embedded = {name: self._embedded(resource, name, found) for name in expand}
        return Answer((slab,))

    async def deleted(self, after: str | None, entities: tuple[str, ...], deadline: float) -> DeletedAnswer:
        self.calls.append(Call("deleted", "deletedEntities", values=entities))
        fault = self._fault("deletedEntities", "deleted")
        if fault is not None:
            return DeletedAnswer({}, FETCHED_AT, (fault[0],))
        return DeletedAnswer({name: ids for name, ids in self.gone.items() if name in entities}, FETCHED_AT)

    def _slab(self, resource: str, view: View, records: Sequence[Record]) -> Slab:
        ids = [str(record["id"]) for record in records]
        return Slab(
            self.name, resource, view, frozenset(), FETCHED_AT, False, ids, records, lambda index: dict(records[index])
        )

    def _embedded(self, resource: str, name: str, parents: Sequence[Record]) -> Embedded:
        expand = RESOURCES[resource].expand.get(name)
        if expand is None or not RESOURCES[resource].lookup_expands:
            raise self._violation(f"expand={name} of {resource}")
        self._must_serve(expand.resource)
        records: list[Record] = []
        children: dict[int, list[int]] = {}
        for index, parent in enumerate(parents):
            back = _EMBEDDED_BY.get((resource, name))
            if back is not None:
                found = [record for record in self._all(expand.resource) if parent["id"] in _ids(record, back)]
            else:
                forward = "teachers.duty" if name == "teachers" else name
                found = [record for record in self._all(expand.resource) if record["id"] in _ids(parent, forward)]
            children[index] = [*range(len(records), len(records) + len(found))]
            records += found
        if expand.view is Whole.REFERENCE:
            records = [{"id": record["id"]} for record in records]
        elif expand.view is Whole.FRAGMENT:
            records = [{k: v for k, v in record.items() if k != "groupMemberships"} for record in records]
        elements = [{expand.path: record} if expand.path else record for record in records]
        return Embedded(self._slab(expand.resource, View.EMBEDDED, records), elements, children)

    def _token(self, query: Query, number: int) -> str:
        return f"{number}.{zlib.crc32(repr(query).encode()):08x}"

    def _page_number(self, resource: str, query: Query, token: str | None) -> int:
        if token is None:
            return 0
        number = int(token.partition(".")[0])
        if token != self._token(query, number):
            raise self._violation(f"a page token of {resource} that belongs to another list")
        return number

    def _must_serve(self, resource: str) -> None:
        if resource not in self.records:
            raise self._violation(f"{resource} is not served by {self.name}")

    def _violation(self, text: str) -> AssertionError:
        self.violations.append(text)
        return AssertionError(text)

    # Filters, by the standard's text

    def _selected(self, resource: str, query: Query) -> list[Record]:
        self._must_serve(resource)
        declared = RESOURCES[resource]
        given = dict(query.parameters)
        if query.expand or set(given) - set(declared.parameter) or query.sortkey not in (None, *self.sorts):
            raise self._violation(f"a query of {resource} that is refused: {query}")
        if "civicNo" in given:
            raise self._violation("a civicNo in a URL")
        if set(declared.window) - set(given):
            raise self._violation(f"{resource} without its window: {query}")
        if any(len(values) != 1 and not declared.parameter[name].many for name, values in given.items()):
            raise self._violation(f"a parameter of {resource} given twice: {query}")
        known = {name: self.capabilities.filter(resource, name) for name in given}
        if any(
            known[name] in (Filter.REFUSED, Filter.UNKNOWN) and not declared.parameter[name].required for name in given
        ):
            raise self._violation(f"a parameter of {resource} that the source does not take: {query}")
        given = {name: values for name, values in given.items() if known[name] is Filter.EXACT}
        found = [record for record in self.records[resource] if self._passes(resource, record, given)]
        return self.sorts[query.sortkey](found) if query.sortkey else found

    def _passes(self, resource: str, record: Record, given: Mapping[str, tuple[str, ...]]) -> bool:
        grouped = {name: values for name, values in given.items() if name.startswith(("relationship.", "identifier."))}
        parameter = RESOURCES[resource].parameter
        return (
            all(self._one(resource, record, parameter[name], given[name]) for name in given if name not in grouped)
            and self._relationship(record, grouped)
            and _identifier(record, grouped)
        )

    def _one(self, resource: str, record: Record, parameter: Parameter, wanted: tuple[str, ...]) -> bool:
        if parameter.test is Test.UNSHOWN:
            return self._unshown(resource, parameter.name, record, wanted)
        found = [value for column in parameter.columns for value in _values(record, column)]
        match parameter.test:
            case Test.EQUAL | Test.ANY:
                spelled = {"true" if value is True else "false" if value is False else str(value) for value in found}
                return bool(spelled & set(wanted))
            case Test.CONTAINS_ALL:
                return all(any(term.lower() in str(value).lower() for value in found) for term in wanted)
            case Test.SUBTREE:
                return bool(set(map(str, found)) & self._below(wanted))
        if not found:
            return parameter.test in (Test.ON_OR_BEFORE_OR_OPEN, Test.ON_OR_AFTER_OR_OPEN)
        value, limit = (_moment(parameter, text) for text in (str(found[0]), wanted[0]))
        match parameter.test:
            case Test.ON_OR_BEFORE | Test.ON_OR_BEFORE_OR_OPEN:
                return value <= limit
            case Test.ON_OR_AFTER | Test.ON_OR_AFTER_OR_OPEN:
                return value >= limit
            case Test.AFTER:
                return value > limit
        raise self._violation(f"no filter for {parameter.name}")

    def _all(self, resource: str) -> Sequence[Record]:
        return self.records.get(resource, ())

    def _below(self, organisations: Iterable[str]) -> set[str]:
        found = set(organisations)
        while True:
            more = {
                str(record["id"])
                for record in self._all("Organisation")
                if found & {*_ids(record, "parentOrganisation")}
            }
            if more <= found:
                return found
            found |= more

    def _activities(self, record: Record) -> list[Record]:
        """The activity of an event, an attendance or a sum of attendance, as far as this source has it."""
        if "calendarEvent" in record:
            events = [e for e in self._all("CalendarEvent") if e["id"] in _ids(record, "calendarEvent")]
            return [activity for event in events for activity in self._activities(event)]
        return [activity for activity in self._all("Activity") if activity["id"] in _ids(record, "activity")]

    def _unshown(self, resource: str, name: str, record: Record, wanted: tuple[str, ...]) -> bool:
        if resource == "AttendanceSchedule":
            placements = [p for p in self._all("Placement") if p["id"] in _ids(record, "placement")]
            return any(set(_ids(placement, "group")) & set(wanted) for placement in placements)
        activities = [record] if resource == "Activity" else self._activities(record)
        groups = {id for activity in activities for id in _ids(activity, "groups")}
        match name:
            case "organisation":
                below = set(wanted) if resource == "AggregatedAttendance" else self._below(wanted)
                return any(set(_ids(activity, "organisation")) & below for activity in activities)
            case "group":
                return bool(groups & set(wanted))
            case "schoolType":
                return any(g["id"] in groups and g.get("schoolType") in wanted for g in self._all("Group"))
            case "teacher":
                teachers = {id for activity in activities for id in _ids(activity, "teachers.duty")}
                return bool((teachers | {*_ids(record, "teacherExceptions.duty")}) & set(wanted))
        members = {id for g in self._all("Group") if g["id"] in groups for id in _ids(g, "groupMemberships.person")}
        return bool((members | {*_ids(record, "studentExceptions.student")}) & set(wanted))

    def _relationship(self, record: Record, given: Mapping[str, tuple[str, ...]]) -> bool:
        wanted = {name: values[0] for name, values in given.items() if name.startswith("relationship.")}
        if not wanted:
            return True
        kind = wanted.get("relationship.entity.type")
        return any(
            (kind is None or kind == of)
            and ("relationship.organisation" not in wanted or wanted["relationship.organisation"] in _ids(relation, at))
            and all(_fits(relation, name, limit) for name, limit in wanted.items() if "Date" in name)
            for of, at, relation in self._relations(record)
        )

    def _relations(self, person: Record) -> Iterator[tuple[str, str, Record]]:
        """The relations of a person that this source knows: kind, where the organisation stands, the relation."""
        me = person["id"]
        for enrolment in _listed(person.get("enrolments")):
            yield "enrolment", "enroledAt", enrolment
        duties = [duty for duty in self._all("Duty") if me in _ids(duty, "person")]
        for duty in duties:
            yield "duty", "dutyAt", duty
        for placement in self._all("Placement"):
            if me in _ids(placement, "child"):
                yield "placement.child", "placedAt", placement
            if me in _ids(placement, "owners"):
                yield "placement.owner", "placedAt", placement
        for child in self._all("Person"):
            if me in _ids(child, "responsibles.person"):
                for enrolment in _listed(child.get("enrolments")):
                    yield "responsibleFor.enrolment", "enroledAt", enrolment
                for placement in self._all("Placement"):
                    if child["id"] in _ids(placement, "child"):
                        yield "responsibleFor.placement", "placedAt", placement
        for group in self._all("Group"):
            roles = [role for duty in duties for role in _listed(duty.get("assignmentRole"))]
            entries = [entry for entry in _listed(group.get("groupMemberships")) if me in _ids(entry, "person")]
            for entry in (*entries, *(role for role in roles if group["id"] in _ids(role, "group"))):
                yield "groupMembership", "organisation", {**entry, "organisation": group.get("organisation")}


def _listed(value: object) -> list[Record]:
    return value if isinstance(value, list) else []


def _values(record: Record, path: str) -> list[object]:
    """What stands at a path; lists are gone through, a reference gives its id, null gives nothing."""
    here: list[object] = [record]
    for name in path.split("."):
        level = [value.get(name) for value in here if isinstance(value, Mapping)]
        here = [item for value in level for item in (value if isinstance(value, list) else [value]) if item is not None]
    return [value["id"] if isinstance(value, Mapping) else value for value in here]


def _ids(record: Record, path: str) -> list[str]:
    return [str(value) for value in _values(record, path)]


def _moment(parameter: Parameter, text: str) -> date | datetime:
    return date.fromisoformat(text) if parameter.type is Scalar.DATE else datetime.fromisoformat(text)


def _fits(relation: Record, name: str, limit: str) -> bool:
    """``relationship.startDate.onOrBefore`` and the like; a relation without the date is included."""
    _, column, bound = name.split(".")
    value = relation.get(column)
    if value is None:
        return True
    return str(value) <= limit if bound == "onOrBefore" else str(value) >= limit


def _identifier(record: Record, given: Mapping[str, tuple[str, ...]]) -> bool:
    wanted = {name.split(".")[1]: values[0] for name, values in given.items() if name.startswith("identifier.")}
    entries = _listed(record.get("externalIdentifiers"))
    return not wanted or any(all(entry.get(key) == value for key, value in wanted.items()) for entry in entries)
