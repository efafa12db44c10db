"""Writing a record in the way of a server: what its views leave out, how it spells, and with which ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from ..records import View
from ..standard import RESOURCES
from ..standard.model import Enumeration, Property, Reference, Scalar, Structure
from .habits import CivicNo, Habits
from .store import Store
from .world import Record

TEXT = (Scalar.STRING, Scalar.EMAIL, Scalar.URI)
SHOWN = (
    "list_lacks", "list_only", "lacks", "no_meta", "nulls", "empty_strings", "extras", "braces", "other_spellings",
    "length_for_end_time", "end_time_as_number", "zone", "dates_as_date_times", "integers_as_text", "words",
    "teachers_as_persons", "parent_activity_as_list", "civic_no", "own_ids",
    "borrowed_ids",
)  # fmt: skip
"""The habits that a record shows."""
EXTRAS: Record = {"groupCode": "7", "x-internal": {"row": 7, "flags": [None, True]}}

Columns = Mapping[str, Property]


class Spelling:
    """Writes the records of one store as a server with these habits does. Records that are given stay as they are."""

    def __init__(self, store: Store, habits: Habits) -> None:
        self.store = store
        self.habits = habits
        self._changes = habits.differs(*SHOWN)
        self._zone = ZoneInfo(habits.zone) if habits.zone else None

    def id(self, resource: str, id: str) -> str:
        own = self.habits.own_id(resource, id)
        return f"{{{own.upper()}}}" if self.habits.braces else own

    def record(self, resource: str, record: Record, view: View) -> Record:
        if not self._changes:
            return record
        shown = {name: value for name, value in record.items() if name != "_embedded"}
        shown = without(shown, self._missing(resource, view))
        if resource == "Person" and self.habits.civic_no is CivicNo.SHORT:
            shown = _with_birth_date(shown)
        columns = RESOURCES[resource].columns
        written = self._object(columns, shown)
        if isinstance(record.get("id"), str):
            written["id"] = self.id(resource, str(record["id"]))
        if self.habits.empty_strings:
            written = {p.name: "" for p in columns.values() if p.type in TEXT and not p.many} | written
        if self.habits.nulls:
            written = {self._name(p): None for p in columns.values() if self._name(p) not in written} | written
        if self.habits.extras:
            written |= EXTRAS
        embedded = record.get("_embedded")
        if isinstance(embedded, dict):
            written["_embedded"] = {name: self._embedded(resource, name, value) for name, value in embedded.items()}
        return written

    def _missing(self, resource: str, view: View) -> set[str]:
        habits = self.habits
        missing = set(habits.lacks.get(resource, ()))
        if habits.no_meta:
            missing.add("meta")
        if view in (View.LIST, View.EMBEDDED):
            missing |= habits.list_lacks.get(resource, frozenset())
        if view is not View.LIST:
            missing |= habits.list_only.get(resource, frozenset())
        return missing

    def _embedded(self, resource: str, name: str, value: object) -> object:
        if isinstance(value, list):
            return [self._embedded(resource, name, each) for each in value]
        declared = RESOURCES[resource].expand[name]
        if not isinstance(value, dict):
            return value
        if not declared.path:
            return self.record(declared.resource, value, View.EMBEDDED)
        around = self._object(_entries(resource, name), {k: v for k, v in value.items() if k != declared.path})
        inner = value[declared.path]
        if len(inner.keys() - {"id", "displayName", "securityMarking"}) == 0:
            return around | {declared.path: self._reference(declared.resource, inner)}
        return around | {declared.path: self.record(declared.resource, inner, View.EMBEDDED)}

    def _object(self, columns: Columns, value: Record) -> Record:
        written: Record = {}
        for name, item in value.items():
            declared = columns.get(name)
            if declared is None or item is None:
                written[name] = item
            else:
                written[self._name(declared)] = self._value(declared, item)
        return written

    def _name(self, declared: Property) -> str:
        return declared.also[0] if declared.also and self.habits.other_spellings else declared.name

    def _value(self, declared: Property, value: object) -> object:
        if declared.many and isinstance(value, list):
            return [self._one(declared, each) for each in value]
        written = self._one(declared, value)
        return [written] if self.habits.parent_activity_as_list and declared.name == "parentActivity" else written

    def _one(self, declared: Property, value: object) -> object:
        kind = declared.type
        if isinstance(kind, Reference):
            return self._reference(kind.target, value) if isinstance(value, dict) else value
        if isinstance(kind, Structure):
            return self._structure(kind, value) if isinstance(value, dict) else value
        if isinstance(kind, Enumeration):
            return self._word(kind, value)
        return self._scalar(kind, value)

    def _reference(self, target: str, value: Record) -> Record:
        return value | {"id": self.id(target, str(value["id"]))} if "id" in value else value

    def _structure(self, structure: Structure, value: Record) -> Record:
        columns = _columns(structure)
        written = self._object(columns, value)
        if self.habits.nulls:
            written = {self._name(p): None for p in columns.values() if self._name(p) not in written} | written
        match structure.name:
            case "CivicNo" if isinstance(written.get("value"), str):
                written["value"] = _civic_no(str(written["value"]), self.habits.civic_no)
            case "AttendanceScheduleEntry":
                self._write_end(value, written)
            case "DutyAssignment" if self.habits.teachers_as_persons:
                written.pop("duty", None)
                person = self._person_of(value)
                if person is not None:
                    written["person"] = {"id": self.id("Person", person)}
        return written

    def _person_of(self, assignment: Record) -> str | None:
        duty = assignment.get("duty")
        if not isinstance(duty, dict):
            return None
        found = self.store.find("Duty", str(duty.get("id")))
        person = found.get("person") if found is not None else None
        return str(person["id"]) if isinstance(person, dict) else None

    def _write_end(self, value: Record, written: Record) -> None:
        start, end = value.get("startTime"), value.get("endTime")
        if not isinstance(end, str):
            return
        if self.habits.length_for_end_time and isinstance(start, str):
            del written["endTime"]
            through_the_night = end <= start
            written["length"] = _minutes(end) - _minutes(start) + through_the_night * 24 * 60
        elif self.habits.end_time_as_number and end >= "01:00":
            written["endTime"] = int(end.replace(":", ""))

    def _word(self, kind: Enumeration, value: object) -> object:
        said = self.habits.words.get(kind.name, {}).get(str(value))
        if said is None and self.habits.other_spellings:
            said = next((other for other, meant in kind.also.items() if meant == value), None)
        return value if said is None else said

    def _scalar(self, kind: Scalar, value: object) -> object:
        match kind:
            case Scalar.DATE_TIME if self._zone is not None:
                return datetime.fromisoformat(str(value)).astimezone(self._zone).replace(tzinfo=None).isoformat()
            case Scalar.DATE if self.habits.dates_as_date_times:
                return f"{value}T00:00:00"
            case Scalar.INTEGER if self.habits.integers_as_text:
                return str(value)
            case _:
                return value


def without(record: Record, missing: Iterable[str]) -> Record:
    """The record without these properties; ``enrolments.startDate`` is one inside the entries of a list."""
    for path in missing:
        name, _, inner = path.partition(".")
        if name not in record:
            continue
        if not inner:
            record = {key: value for key, value in record.items() if key != name}
        else:
            value = record[name]
            below = value if isinstance(value, list) else [value]
            cut = [without(each, [inner]) if isinstance(each, dict) else each for each in below]
            record = record | {name: cut if isinstance(value, list) else cut[0]}
    return record


@cache
def _columns(structure: Structure) -> Columns:
    return {p.name: p for p in structure.properties}


_ENTRIES = {
    ("Person", "responsibleFor"): ("Person", "responsibles"),
    ("Person", "groupMemberships"): ("Group", "groupMemberships"),
    ("Group", "assignmentRoles"): ("Duty", "assignmentRole"),
}


def _entries(resource: str, expand: str) -> Columns:
    """What stands around an embedded record: the entries that the expand turns round."""
    of, name = _ENTRIES[resource, expand]
    kind = RESOURCES[of].columns[name].type
    assert isinstance(kind, Structure)
    return _columns(kind)


_CIVIC_NO = re.compile(r"(\d\d)(\d{6})-?([0-9A-Z]{4})")


def _civic_no(value: str, form: CivicNo) -> str:
    found = _CIVIC_NO.fullmatch(value)
    if found is None or form is CivicNo.PLAIN:
        return value
    century, day, last = found.groups()
    return f"{century if form is CivicNo.DASHED else ''}{day}-{last}"


def _with_birth_date(person: Record) -> Record:
    number = person.get("civicNo")
    found = _CIVIC_NO.fullmatch(str(number.get("value"))) if isinstance(number, dict) else None
    if found is None or person.get("birthDate"):
        return person
    digits = found[1] + found[2]
    try:
        # 60 is added to the day of a co-ordination number
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]) % 60)
    except ValueError:
        return person
    return person | {"birthDate": birth.isoformat()}


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
