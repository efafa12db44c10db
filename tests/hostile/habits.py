"""The habits of hostile sources, one by one and together, and what records mean that are sent in such a way.

Most habits change only how things are asked and written: the records mean what they meant. The others take something
away or turn it into something else; ``meant`` says into what, and shares nothing with the server that does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sources.capabilities import Arrays, Filter
from sources.demo.habits import Habits, LastToken, ListKey, Pages, Unknown
from sources.standard import RESOURCES
from sources.standard.model import Enumeration, Property, Scalar, Structure

from .worlds import Raw

Served = Mapping[str, Sequence[Raw]]
Made = dict[str, Any]
"""Arguments of ``Habits``."""
Habit = Callable[[Random, Served], Made]

WORDS = {"DutyRole": {"Lärare": "Ämneslärare"}, "SchoolType": {"FS": "FSK", "FKLASS": "Förskoleklass"}}
"""What a source says instead of the standard's values."""
LEVEL = "Verksamhetsområde"
"""The organisations to which a source attaches what belongs to one below."""
TEXTS = (Scalar.STRING, Scalar.EMAIL, Scalar.URI)


def _some(rng: Random, names: Sequence[str], most: int = 4) -> list[str]:
    return rng.sample(names, min(len(names), rng.randint(1, most)))


def _columns(rng: Random, served: Served, few: Sequence[str] | None = None) -> dict[str, frozenset[str]]:
    """Some properties of some resources, but not what records are known and asked by."""
    found = {}
    for resource in few if few is not None else _some(rng, list(served)):
        of = RESOURCES[resource]
        names = [name for name in of.columns if name not in (*of.key, "meta", "id")]
        found[resource] = frozenset(_some(rng, names, 3))
    return found


def _filters(kind: Filter) -> Habit:
    def made(rng: Random, served: Served) -> Made:
        filters = {}
        for resource in served:
            optional = [each.name for each in RESOURCES[resource].parameters if not each.required]
            if optional:
                filters[resource] = dict.fromkeys(_some(rng, optional, len(optional)), kind)
        return {"filters": filters}

    return made


def _lookups(rng: Random, served: Served) -> Made:
    some = [name for name in served if RESOURCES[name].lookup]
    return {"lookup": {name: frozenset(_some(rng, [key.name for key in RESOURCES[name].lookup])) for name in some}}


def _no_lookup(rng: Random, served: Served) -> Made:
    status = rng.choice((404, 405, 501, 400, 403))
    return {"no_lookup": frozenset(_some(rng, list(served), len(served))), "no_lookup_status": status}


def _expand(rng: Random, served: Served) -> Made:
    some = {name: [each.name for each in RESOURCES[name].expands] for name in served if RESOURCES[name].expands}
    known = {name: frozenset(rng.sample(names, rng.randint(0, len(names)))) for name, names in some.items()}
    return {"expand": known, "unknown_expands": rng.choice(list(Unknown))}


def _views(key: str) -> Habit:
    def made(rng: Random, served: Served) -> Made:
        able = [name for name in served if RESOURCES[name].get and RESOURCES[name].has_id]
        if key == "list_only":
            able = [name for name in able if not RESOURCES[name].window]
        return {key: _columns(rng, served, _some(rng, able) if able else ())}

    return made


def _paths(rng: Random, served: Served) -> Made:
    other = {"Person": "/persons/", "StudyPlan": "/studyPlans", "AttendanceSchedule": "/attendanceSchedules"}
    return {"paths": {name: path for name, path in other.items() if name in served}}


def _fixed(**made: Any) -> Habit:
    return lambda rng, served: made


HABITS: Mapping[str, Habit] = {
    "tokens with anything beside them": _fixed(paging=Pages.TOLERANT),
    "tokens bound to their query": _fixed(paging=Pages.BOUND),
    "offsets as tokens": _fixed(paging=Pages.OFFSET_TOKENS),
    "offsets without tokens": _fixed(paging=Pages.OFFSET),
    "no pages": _fixed(paging=Pages.NONE),
    "a window with the token": _fixed(window_with_token=True),
    "no last token": _fixed(last_token=LastToken.ABSENT),
    "an empty last token": _fixed(last_token=LastToken.EMPTY),
    "an empty last page": _fixed(empty_last_page=True),
    "lists under their names": _fixed(list_key=ListKey.PLURAL),
    "bare lists": _fixed(list_key=ListKey.BARE),
    "short usual pages": _fixed(usual_page=1),
    "filters ignored": _filters(Filter.IGNORED),
    "filters refused": _filters(Filter.REFUSED),
    "filters that give more": _filters(Filter.SUPERSET),
    "unknown parameters ignored": _fixed(unknown_parameters=Unknown.IGNORED),
    "no sort keys": lambda rng, served: {"sort_keys": dict.fromkeys(served, frozenset())},
    "few expands": _expand,
    "arrays with commas": _fixed(arrays=Arrays.COMMA),
    "short windows": _fixed(window_days=2),
    "paths of its own": _paths,
    "no lookup": _no_lookup,
    "few arrays in lookups": _lookups,
    "small lookups": _fixed(lookup_max=2),
    "small lookups, refused": _fixed(lookup_max=1, lookup_too_large=400),
    "lookups in data": _fixed(lookup_in_data=True),
    "lookups turned round": _fixed(lookup_reversed=True),
    "lookups of everything": lambda rng, served: {"lookup_of_everything": frozenset(_some(rng, list(served), 9))},
    "lists that lack": _views("list_lacks"),
    "only lists have": _views("list_only"),
    "nothing has": lambda rng, served: {"lacks": _columns(rng, served)},
    "entries without dates": _fixed(
        lacks={"Person": frozenset({"enrolments.startDate"}), "Group": frozenset({"startDate"})}
    ),
    "no meta": _fixed(no_meta=True),
    "nulls for nothing": _fixed(nulls=True),
    "properties of its own": _fixed(extras=True),
    "ids in braces": _fixed(braces=True),
    "other spellings": _fixed(other_spellings=True),
    "length for endTime": _fixed(length_for_end_time=True),
    "endTime as a number": _fixed(end_time_as_number=True),
    "times without zone": lambda rng, served: {
        "zone": rng.choice(("UTC", "Europe/Stockholm")),
        "offsets_ignored": rng.random() < 0.5,
    },
    "dates as date-times": _fixed(dates_as_date_times=True),
    "integers as text": _fixed(integers_as_text=True),
    "words of its own": _fixed(words=WORDS),
    "teachers as persons": _fixed(teachers_as_persons=True),
    "parentActivity as a list": _fixed(parent_activity_as_list=True),
    "texts that are empty": _fixed(empty_strings=True),
    "organisations that are their own parents": _fixed(own_parents=True),
    "attached to what is above": lambda rng, served: {
        "organisation_level": dict.fromkeys(_some(rng, ("Duty", "Group", "Activity", "Room", "Grade")), LEVEL)
    },
    "lists that change": lambda rng, served: {"stale": rng.choice((1, 2)), "stale_page": rng.choice((2, 3))},
    "a byte order mark": _fixed(byte_order_mark=True),
}
"""By what the server does; the arguments of ``Habits`` for a source that serves these records."""

APART = {"lists that change"}
"""Habits that are not combined by chance: a page that is read alone cannot begin anew, so a gap is honest then."""


def habits(names: Sequence[str], rng: Random, served: Served) -> Habits:
    """A server with all these habits. Of habits that exclude each other the last wins."""
    made: Made = {}
    for name in names:
        made |= HABITS[name](rng, served)
    for resource in made.get("list_only", ()):  # one view of a record has to be whole
        made.get("list_lacks", {}).pop(resource, None)
    known = {name: value for name, value in made.items() if not isinstance(value, Mapping)}
    only = {
        name: {each: what for each, what in value.items() if each in served or name == "words"}
        for name, value in made.items()
        if isinstance(value, Mapping)
    }
    return Habits(**known, **only)


# What is meant


def meant(served: Served, has: Habits) -> Served:
    """The records of a source as they are to be understood, sent with these habits."""
    if not has.differs(*CHANGING):
        return served
    found = {}
    for resource, records in served.items():
        of = RESOURCES[resource]
        lacking = {*has.lacks.get(resource, ()), *(["meta"] if has.no_meta else [])}
        made = [_object(_without(record, lacking), of.columns, has, served) for record in records]
        if has.empty_strings:
            texts = [p.name for p in of.properties if p.type in TEXTS and not p.many]
            made = [{**dict.fromkeys(texts, ""), **record} for record in made]
        if has.own_parents and resource == "Organisation":
            made = [
                record if record.get("parentOrganisation") else {**record, "parentOrganisation": {"id": record["id"]}}
                for record in made
            ]
        if resource in has.organisation_level:
            made = [_lifted(record, resource, served) for record in made]
        found[resource] = made
    return found


CHANGING = (
    "lacks", "no_meta", "zone", "words", "teachers_as_persons", "empty_strings", "own_parents", "organisation_level",
)  # fmt: skip
"""The habits after which records mean something else."""
BELONGS = {
    "Duty": "dutyAt", "Group": "organisation", "Activity": "organisation", "Room": "owner", "Grade": "organisation",
}  # fmt: skip
"""Where it stands to which organisation something belongs."""


def _lifted(record: Raw, resource: str, served: Served) -> Raw:
    """Attached to the nearest organisation of the level that the source knows; where it knows none, as it was."""
    known = {each["id"]: each for each in served.get("Organisation", ())}
    here, way = record.get(BELONGS[resource]), []
    while here and here["id"] in known and here["id"] not in way:
        way.append(here["id"])
        if known[here["id"]].get("organisationType") == LEVEL:
            return {**record, BELONGS[resource]: {"id": here["id"]}}
        here = known[here["id"]].get("parentOrganisation")
    return record


def held(served: Served, has: Habits) -> Served:
    """The records as the server itself has them: what it never shows, it does not filter by either.

    A source whose filters went by what nobody sees would not be told from one that leaves records out.
    """
    only = Habits(lacks=has.lacks, empty_strings=has.empty_strings)
    return meant(served, only)


def _without(record: Raw, lacking: set[str]) -> Raw:
    left = {name: value for name, value in record.items() if name not in lacking}
    for path in lacking:
        outer, _, inner = path.partition(".")
        if inner and isinstance(left.get(outer), list):
            left[outer] = [{name: value for name, value in entry.items() if name != inner} for entry in left[outer]]
    return left


def _object(value: Raw, columns: Mapping[str, Property], has: Habits, served: Served) -> Raw:
    return {
        name: [_one(columns[name], each, has, served) for each in item]
        if isinstance(item, list)
        else (None if item is None else _one(columns[name], item, has, served))
        for name, item in value.items()
    }


def _one(prop: Property, value: Any, has: Habits, served: Served) -> Any:
    kind = prop.type
    if isinstance(kind, Structure):
        made = dict(_object(value, {each.name: each for each in kind.properties}, has, served))
        if kind.name == "DutyAssignment" and has.teachers_as_persons:
            id = (made.pop("duty", None) or {}).get("id")
            duty = next((each for each in served.get("Duty", ()) if each["id"] == id), None)
            if duty is not None and duty.get("person"):
                made["person"] = {"id": duty["person"]["id"]}
        return made
    if isinstance(kind, Enumeration):
        return has.words.get(kind.name, {}).get(value, value)
    if kind is Scalar.DATE_TIME and has.zone:
        return datetime.fromisoformat(value).astimezone(ZoneInfo(has.zone)).isoformat()
    return value
