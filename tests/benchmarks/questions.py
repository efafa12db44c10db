"""The six questions: how each gateway is asked, what is right, and which upstream calls it takes at least."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
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
class Question:
    """``documents``: by the dialect of the gateway that is asked. ``data``: the right answer, as our schema gives it.

    ``rounds``: the fewest upstream calls, each round's made at once; only what they answer makes the next possible.
    """

    name: str
    documents: Mapping[str, str]
    data: Mapping[str, Any]
    rounds: Sequence[Sequence[Call]]


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
        if isinstance(value, Mapping):
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


def _school(truth: Truth) -> tuple[str, list[Record]]:
    """The organisation with most classes, and these."""
    counts = Counter(each["organisation"]["id"] for each in truth.records["groups"] if each["groupType"] == "Klass")
    ((school, _),) = counts.most_common(1)
    of_it = (each for each in truth.records["groups"] if each["organisation"]["id"] == school)
    return school, [each for each in of_it if each["groupType"] == "Klass"]


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


def questions(workload: Workload) -> tuple[Question, ...]:
    """Q1 to Q6 over a workload."""
    truth = Truth(workload.records)
    school, classes = _school(truth)
    return (
        _one_person(truth),
        _first_persons(truth),
        _classes(truth, school, classes),
        _schedule("Q4", truth, workload, ("group", classes[0]["id"])),
        _everybody(truth),
        _schedule("Q6", truth, workload, ("organisation", school)),
    )


def _one_person(truth: Truth) -> Question:
    persons = truth.records["persons"]
    person = persons[len(persons) // 4]
    document = f'query Q1 {{ person(id: "{person["id"]}") {{ {PERSON} }} }}'
    data = {"person": truth.cut(person, parsed(PERSON))}
    return Question("Q1", {"ours": document, "ordinary": document}, data, [_lookups("persons", [person["id"]])])


def _first_persons(truth: Truth) -> Question:
    documents = {
        "ours": f"query Q2 {{ persons(first: {FIRST}) {{ nodes {{ {PERSONS} }} }} }}",
        "ordinary": f"query Q2 {{ persons(first: {FIRST}) {{ {PERSONS} }} }}",
    }
    selection = parsed(PERSONS)
    data = {"persons": {"nodes": [truth.cut(each, selection) for each in truth.records["persons"][:FIRST]]}}
    return Question("Q2", documents, data, [[_list("persons", limit=FIRST, whole=False)]])


def _classes(truth: Truth, school: str, classes: Sequence[Record]) -> Question:
    ours = f'filter: {{organisation: ["{school}"], groupType: [KLASS], subtree: false}}, first: {PAGE_SIZE}'
    documents = {
        "ours": f"query Q3 {{ groups({ours}) {{ nodes {{ {CLASSES} }} }} }}",
        "ordinary": f'query Q3 {{ groups(organisation: "{school}", groupType: "Klass") {{ {CLASSES} }} }}',
    }
    selection = parsed(CLASSES)
    rounds = [
        [_list("groups", ("organisation", school), ("groupType", "Klass"))],
        _lookups("persons", [each for group in classes for each in members(group)]),
    ]
    return Question("Q3", documents, {"groups": {"nodes": [truth.cut(each, selection) for each in classes]}}, rounds)


def _schedule(name: str, truth: Truth, workload: Workload, of: tuple[str, str]) -> Question:
    """The calendar events of the week: of a group or of an organisation."""
    what, id = of
    begin, end = _moments(truth, workload.monday)
    whole = ", subtree: false" if what == "organisation" else ""
    ours = f'startTime: {{onOrAfter: "{begin}", onOrBefore: "{end}"}}, filter: {{{what}: "{id}"{whole}}}'
    events = [
        each
        for each in _week(truth, workload.monday)
        if id in _places(truth.get("activities", each["activity"]["id"]), what)
    ]
    selection = parsed(EVENTS)
    window = (("startTime.onOrAfter", begin), ("startTime.onOrBefore", end))
    return Question(
        name,
        {
            "ours": f"query {name} {{ calendarEvents({ours}, first: {PAGE_SIZE}) {{ nodes {{ {EVENTS} }} }} }}",
            "ordinary": f'query {name} {{ calendarEvents({what}: "{id}", start: "{begin}", end: "{end}") '
            f"{{ {EVENTS} }} }}",
        },
        {"calendarEvents": {"nodes": [truth.cut(each, selection) for each in events]}},
        _event_rounds(truth, _list("calendarEvents", (what, id), *window), events),
    )


def _places(activity: Record, what: str) -> list[str]:
    if what == "group":
        return [each["id"] for each in activity["groups"]]
    return [activity["organisation"]["id"]]


def _moments(truth: Truth, monday: date) -> tuple[str, str]:
    """The first and the last moment of the week, with the offset that its events have."""
    offset = next(iter(_week(truth, monday)))["startTime"][19:]
    return f"{monday}T00:00:00{offset}", f"{monday + timedelta(6)}T23:59:59{offset}"


def _everybody(truth: Truth) -> Question:
    persons = truth.records["persons"]
    documents = {
        "ours": f"query Q5 {{ persons(first: {len(persons)}) {{ nodes {{ {EVERYBODY} }} }} }}",
        "ordinary": f"query Q5 {{ persons(first: {len(persons)}) {{ {EVERYBODY} }} }}",
    }
    selection = parsed(EVERYBODY)
    data = {"persons": {"nodes": [truth.cut(each, selection) for each in persons]}}
    return Question("Q5", documents, data, [[_list("persons")]])
