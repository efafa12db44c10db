"""The six questions: how each gateway is asked, what is right, and which upstream calls it takes at least."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

import orjson

from .workload import OWNER, Record, Workload

PAGE_SIZE = 1000
"""Records of a page, and ids of a lookup, that are asked of the sources: what they give at most."""
FIRST = 500

PERSON = "id givenName familyName birthDate personStatus"
PERSONS = """id givenName middleName familyName birthDate sex securityMarking personStatus civicNo { value }
    emails { value type } phoneNumbers { value } enrolments { schoolYear schoolType startDate } meta { modified }"""
CLASSES = "id displayName members { id givenName familyName }"
EVENTS = """startTime endTime cancelled
    activity { displayName syllabus { subjectName } teachers { duty { dutyRole person { givenName familyName } } } }
    rooms { displayName }"""
EVERYBODY = """id givenName familyName birthDate sex securityMarking personStatus civicNo { value } emails { value }
    enrolments { schoolYear }"""

REFERENCES = {
    "activity": "activities",
    "syllabus": "syllabuses",
    "duty": "duties",
    "person": "persons",
    "rooms": "rooms",
}
"""Properties that name other records, and the resource of those."""
ENUMERATIONS = frozenset({"sex", "securityMarking", "personStatus", "type", "schoolType", "dutyRole"})


@dataclass(frozen=True)
class Call:
    """One call of a source: a list with ``parameters``, of which all pages are read or one, or a lookup of ``ids``."""

    source: str
    path: str
    parameters: Sequence[tuple[str, str]] = ()
    ids: Sequence[str] = ()
    whole: bool = False


@dataclass(frozen=True)
class Variant:
    """A question with its variables. ``data``: the right answer, as our schema gives it.

    ``rounds``: the fewest upstream calls, each round's made at once; only what they answer makes the next possible.
    """

    variables: Mapping[str, Any]
    data: Mapping[str, Any]
    rounds: Sequence[Sequence[Call]]


@dataclass(frozen=True)
class Question:
    """``documents``: by the dialect of the gateway that is asked. The first of the variants is the question itself.

    The others ask the same about others, for many connections: else all would wait for one answer, and share it.
    """

    name: str
    documents: Mapping[str, str]
    variants: Sequence[Variant]


# The right answer


class Truth:
    """All records, by resource and id."""

    def __init__(self, records: Mapping[str, Sequence[Record]]) -> None:
        self.records = records
        self._by_id = {resource: {each["id"]: each for each in found} for resource, found in records.items()}

    def get(self, resource: str, id: str) -> Record:
        return self._by_id[resource][id]

    def cut(self, record: Record, selection: Mapping[str, Any]) -> dict[str, Any]:
        """What the selection asks of a record, references followed."""
        return {name: self._value(record, name, below) for name, below in selection.items()}

    def _value(self, record: Record, name: str, below: Mapping[str, Any]) -> Any:
        if name == "members":
            return [self.cut(self.get("persons", each), below) for each in members(record)]
        value = record.get(name)
        if isinstance(value, list) and below:
            return [self.cut(self._followed(name, each), below) for each in value]
        if isinstance(value, dict):
            return self.cut(self._followed(name, value), below)
        return enumeration_value(value) if name in ENUMERATIONS and isinstance(value, str) else value

    def _followed(self, name: str, value: Record) -> Record:
        return self.get(REFERENCES[name], value["id"]) if name in REFERENCES else value


def members(group: Record) -> list[str]:
    """The ids of a group's members, each once."""
    return list(dict.fromkeys(each["person"]["id"] for each in group.get("groupMemberships", ())))


def enumeration_value(text: str) -> str:
    """A value of an enumeration as GraphQL names it: upper case, without accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_")


def parsed(selection: str) -> dict[str, Any]:
    """``id emails { value }`` as nested dictionaries."""

    def level(tokens: Iterator[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        name = ""
        for token in tokens:
            if token == "}":
                break
            if token == "{":
                found[name] = level(tokens)
            else:
                name = token
                found[name] = {}
        return found

    return level(iter(selection.split()))


def essential(value: Any, name: str = "") -> Any:
    """An answer without what gateways may do differently: pages around lists, order, spelling, null or left out."""
    if isinstance(value, Mapping):
        if value.keys() == {"nodes"}:
            return essential(value["nodes"])
        pairs = ((key, essential(each, key)) for key, each in value.items())
        return {key: each for key, each in pairs if each is not None and each != []}
    if isinstance(value, list):
        return sorted((essential(each) for each in value), key=lambda each: orjson.dumps(each, option=_SORTED))
    return enumeration_value(value) if name in ENUMERATIONS and isinstance(value, str) else value


_SORTED = orjson.OPT_SORT_KEYS


# What is asked about


def _schools(truth: Truth) -> dict[str, list[Record]]:
    """The classes of each organisation that has any; the organisation with most classes first."""
    found: dict[str, list[Record]] = {}
    for group in truth.records["groups"]:
        if group["groupType"] == "Klass":
            found.setdefault(group["organisation"]["id"], []).append(group)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def _week(truth: Truth, monday: date) -> list[Record]:
    days = {(monday + timedelta(day)).isoformat() for day in range(7)}
    return [each for each in truth.records["calendarEvents"] if each["startTime"][:10] in days]


# The fewest calls


def _list(resource: str, *parameters: tuple[str, str], limit: int = PAGE_SIZE, whole: bool = True) -> Call:
    return Call(OWNER[resource], f"/{resource}", (*parameters, ("limit", str(limit))), whole=whole)


def _lookups(resource: str, ids: Sequence[str]) -> list[Call]:
    """Lookups of all these ids, each once."""
    once = list(dict.fromkeys(ids))
    starts = range(0, len(once), PAGE_SIZE)
    return [Call(OWNER[resource], f"/{resource}/lookup", ids=once[at : at + PAGE_SIZE]) for at in starts]


def _event_rounds(truth: Truth, first: Call, events: Sequence[Record]) -> list[list[Call]]:
    activities = [truth.get("activities", each["activity"]["id"]) for each in events]
    rooms = [room["id"] for each in events for room in each.get("rooms", ())]
    syllabuses = [each["syllabus"]["id"] for each in activities if "syllabus" in each]
    duties = [teacher["duty"]["id"] for each in activities for teacher in each.get("teachers", ())]
    persons = [duty["person"]["id"] for each in duties if "person" in (duty := truth.get("duties", each))]
    return [
        [first],
        [*_lookups("activities", [each["id"] for each in activities]), *_lookups("rooms", rooms)],
        [*_lookups("syllabuses", syllabuses), *_lookups("duties", duties)],
        _lookups("persons", persons),
    ]


# The questions


def questions(workload: Workload, many: int = 1) -> tuple[Question, ...]:
    """Q1 to Q6 over a workload, each in so many variants as far as it has them."""
    truth = Truth(workload.records)
    schools = _schools(truth)
    classes = [each["id"] for school in schools.values() for each in school]
    return (
        _one_person(truth, many),
        _first_persons(truth, many),
        _classes(truth, dict(islice(schools.items(), many))),
        _schedule("Q4", truth, workload.monday, "group", classes[:many]),
        _everybody(truth),
        _schedule("Q6", truth, workload.monday, "organisation", list(schools)[:many]),
    )


def _one_person(truth: Truth, many: int) -> Question:
    persons = truth.records["persons"]
    at = len(persons) // 4
    document = f"query Q1($id: ID!) {{ person(id: $id) {{ {PERSON} }} }}"
    selection = parsed(PERSON)
    variants = [
        Variant({"id": each["id"]}, {"person": truth.cut(each, selection)}, [_lookups("persons", [each["id"]])])
        for each in persons[at : at + many]
    ]
    return Question("Q1", {"ours": document, "ordinary": document}, variants)


def _first_persons(truth: Truth, many: int) -> Question:
    documents = {
        "ours": f"query Q2($first: Int!) {{ persons(first: $first) {{ nodes {{ {PERSONS} }} }} }}",
        "ordinary": f"query Q2($first: Int!) {{ persons(first: $first) {{ {PERSONS} }} }}",
    }
    selection = parsed(PERSONS)
    nodes = [truth.cut(each, selection) for each in truth.records["persons"][:FIRST]]
    return Question(
        "Q2",
        documents,
        [
            Variant(
                {"first": first},
                {"persons": {"nodes": nodes[:first]}},
                [[_list("persons", limit=first, whole=False)]],
            )
            for first in range(FIRST, FIRST - many, -1)
        ],
    )


def _classes(truth: Truth, schools: Mapping[str, Sequence[Record]]) -> Question:
    ours = f"filter: {{organisation: [$organisation], groupType: [KLASS], subtree: false}}, first: {PAGE_SIZE}"
    documents = {
        "ours": f"query Q3($organisation: ID!) {{ groups({ours}) {{ nodes {{ {CLASSES} }} }} }}",
        "ordinary": "query Q3($organisation: ID!) { "
        f'groups(organisation: $organisation, groupType: "Klass") {{ {CLASSES} }} }}',
    }
    selection = parsed(CLASSES)
    variants = [
        Variant(
            {"organisation": school},
            {"groups": {"nodes": [truth.cut(each, selection) for each in classes]}},
            [
                [_list("groups", ("organisation", school), ("groupType", "Klass"))],
                _lookups("persons", [each for group in classes for each in members(group)]),
            ],
        )
        for school, classes in schools.items()
    ]
    return Question("Q3", documents, variants)


def _schedule(name: str, truth: Truth, monday: date, what: str, ids: Sequence[str]) -> Question:
    """The calendar events of the week: of a group or of an organisation."""
    week = _week(truth, monday)
    offset = week[0]["startTime"][19:]
    times = {"start": f"{monday}T00:00:00{offset}", "end": f"{monday + timedelta(6)}T23:59:59{offset}"}
    window = (("startTime.onOrAfter", times["start"]), ("startTime.onOrBefore", times["end"]))
    whole = ", subtree: false" if what == "organisation" else ""
    ours = f"startTime: {{onOrAfter: $start, onOrBefore: $end}}, filter: {{{what}: $id{whole}}}, first: {PAGE_SIZE}"
    documents = {
        "ours": f"query {name}($id: ID!, $start: DateTime!, $end: DateTime!) "
        f"{{ calendarEvents({ours}) {{ nodes {{ {EVENTS} }} }} }}",
        "ordinary": f"query {name}($id: ID!, $start: String!, $end: String!) "
        f"{{ calendarEvents({what}: $id, start: $start, end: $end) {{ {EVENTS} }} }}",
    }
    of: dict[str, list[Record]] = {id: [] for id in ids}
    for event in week:
        for place in _places(truth.get("activities", event["activity"]["id"]), what):
            if place in of:
                of[place].append(event)
    selection = parsed(EVENTS)
    variants = [
        Variant(
            {"id": id, **times},
            {"calendarEvents": {"nodes": [truth.cut(each, selection) for each in events]}},
            _event_rounds(truth, _list("calendarEvents", (what, id), *window), events),
        )
        for id, events in of.items()
    ]
    return Question(name, documents, variants)


def _places(activity: Record, what: str) -> list[str]:
    if what == "group":
        return [each["id"] for each in activity["groups"]]
    return [activity["organisation"]["id"]]


def _everybody(truth: Truth) -> Question:
    documents = {
        "ours": f"query Q5($first: Int!) {{ persons(first: $first) {{ nodes {{ {EVERYBODY} }} }} }}",
        "ordinary": f"query Q5($first: Int!) {{ persons(first: $first) {{ {EVERYBODY} }} }}",
    }
    selection = parsed(EVERYBODY)
    nodes = [truth.cut(each, selection) for each in truth.records["persons"]]
    return Question(
        "Q5", documents, [Variant({"first": len(nodes)}, {"persons": {"nodes": nodes}}, [[_list("persons")]])]
    )
