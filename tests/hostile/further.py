"""What a huvudman may have besides: sources with ids of their own, decisions and sources for a part, deletions.

Drawn apart from the rest, so that the example of a number is the same with and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from sources.demo.habits import Habits
from sources.standard import RESOURCES
from sources.standard.common import SCHOOL_TYPE

from .worlds import NOBODY, Deletion, Raw, World, ids

ASPECTS = ("ids", "parts", "told")
"""ids: sources with ids of their own; parts: ``when`` and ``scope``; told: provenance and deletions are asked for."""
RECOGNISED = ("Organisation", "Person", "Duty")
KEYS = {
    "Person": ("civicNo", "eduPersonPrincipalName", "externalIdentifier"),
    "Organisation": ("schoolUnitCode", "organisationCode"),
    "Duty": ("person",),
}
COLUMNS = {
    "Person": ("civicNo", "birthDate", "eduPersonPrincipalNames", "externalIdentifiers"),
    "Organisation": ("schoolUnitCode", "organisationCode"),
    "Duty": ("person", "dutyAt", "dutyRole", "startDate", "endDate"),
}
"""What records are recognised by."""
BORN = ("2010-01-01", "2010-01-02", "1985-07-06", "1912-12-31")
BELONGING = {
    "Organisation": (True, True), "Person": (True, True), "Placement": (True, True), "Duty": (False, True),
    "Group": (True, True), "Programme": (True, False), "Syllabus": (True, False),
    "SchoolUnitOffering": (False, True), "Activity": (False, True), "Grade": (False, True), "Absence": (False, True),
    "Resource": (False, True), "Room": (False, True),
}  # fmt: skip
"""Whether records show a form of schooling, and an organisation."""
SCHOOL_TYPES = (*SCHOOL_TYPE.values[:3], SCHOOL_TYPE.values[-1])
MOMENTS = ("2026-01-01T00:00:00+01:00", "2026-03-29T03:00:00+02:00")


def own_ids(made: World, habits: Mapping[str, Habits], rng: Random) -> dict[str, Habits]:
    """Some sources with ids of their own; of what is not recognised by keys, some may have those of another."""
    found = {}
    spaces = {name: rng.choice((name, name, "one")) for name in made.records}
    for name, served in made.records.items():
        own = {each for each in served if rng.random() < (0.5 if each in RECOGNISED else 0.1)}
        others = [each for each in served if each not in RECOGNISED and each not in own]
        borrowed = {each: rng.choice([*spaces.values()]) for each in others if rng.random() < 0.1}
        if rng.random() < 0.3:
            own = set()
        found[name] = replace(habits[name], own_ids=frozenset(own), own=spaces[name], borrowed_ids=borrowed)
    return found


def recognisable(made: World, rng: Random) -> World:
    """The same huvudman with rules by which records are recognised, and with keys in its records."""
    rules = {
        name: rng.sample(KEYS[name], rng.randint(1, len(KEYS[name]))) for name in RECOGNISED if rng.random() < 0.85
    }
    wrong = rng.choice((0.0, 0.0, 0.05, 0.15))
    records = {}
    for source, served in made.records.items():
        records[source] = dict(served)
        for resource in RECOGNISED:
            if resource in served:
                silent = rng.random() < 0.15
                keyed = {
                    str(record["id"]): _without_keys(record, resource)
                    if silent
                    else _keyed(record, resource, wrong, rng)
                    for record in served[resource]
                }
                records[source][resource] = [keyed[str(record["id"])] for record in served[resource]]
    holds = {
        source: {
            name: [*dict.fromkeys((*of, *COLUMNS.get(name, ())))] if name in RECOGNISED else of
            for name, of in held.items()
        }
        for source, held in made.holds.items()
    }
    return replace(made, records=records, holds=holds, identity=rules)


def _without_keys(record: Raw, resource: str) -> Raw:
    return {name: value for name, value in record.items() if name not in COLUMNS[resource]}


def _keyed(record: Raw, resource: str, wrong: float, rng: Random) -> Raw:
    pool = ids(resource)

    def thing() -> int:
        return rng.randrange(len(pool)) if rng.random() < wrong else pool.index(str(record["id"]))

    made = {**_without_keys(record, resource)}
    match resource:
        case "Person":
            made |= _civic(thing(), rng) if rng.random() < 0.7 else {}
            if rng.random() < 0.6:
                made["eduPersonPrincipalNames"] = [
                    _cased(f"p{thing()}@x.se", rng) for _ in range(rng.choice((1, 1, 2)))
                ]
            if rng.random() < 0.6:
                unique = rng.random() < 0.7
                number = str(thing() if unique else 7)
                made["externalIdentifiers"] = [{"value": number, "context": "hr", "globallyUnique": unique}]
        case "Organisation":
            if rng.random() < 0.7:
                made["schoolUnitCode"] = f"1000000{thing()}"
            if rng.random() < 0.5:
                made["organisationCode"] = _cased(f"x{thing()}", rng)
        case "Duty":
            which = thing()
            if rng.random() < 0.8:
                made["person"] = {"id": ids("Person")[which]}
                made["dutyAt"] = {"id": ids("Organisation")[which // 2]}
                made["dutyRole"] = ("Lärare", "Rektor")[which % 2]
            made |= {
                name: value for name in ("startDate", "endDate") if rng.random() < 0.5 and (value := record.get(name))
            }
    return made


def _civic(which: int, rng: Random) -> Raw:
    born = BORN[which]
    day = born.replace("-", "")
    text, told = rng.choice(
        ((f"{day}239{which}", False), (f"{day}-239{which}", False), (f"{day[2:]}-239{which}", True))
    )
    return {"civicNo": {"value": text}} | ({"birthDate": born} if told or rng.random() < 0.5 else {})


def _cased(text: str, rng: Random) -> str:
    return rng.choice((text, text.upper(), text.title()))


# Parts


def parted(made: World, rng: Random) -> World:
    """The same huvudman with sources for a part, and decisions for some of the records."""
    names = list(made.records)
    scopes = {}
    for name in names:
        if rng.random() < 0.4:
            shown = [BELONGING[each] for each in made.records[name] if each in BELONGING]
            part = _part(rng, any(types for types, _ in shown), any(places for _, places in shown))
            if part:
                scopes[name] = part
    authority = {name: dict(rules) for name, rules in made.authority.items()}
    for resource, (types, places) in BELONGING.items():
        serving = [name for name in names if resource in made.records[name]]
        if serving and rng.random() < 0.4:
            entries = [_when(resource, serving, made, rng, types, places) for _ in range(rng.choice((1, 1, 2)))]
            authority.setdefault(resource, {})["when"] = [entry for entry in entries if entry]
    return replace(made, authority=authority, scopes=scopes)


def _part(rng: Random, types: bool, places: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if types and rng.random() < 0.6:
        found["schoolTypes"] = rng.sample(SCHOOL_TYPES, rng.choice((1, 1, 2)))
    if places and (not found or rng.random() < 0.3):
        found["organisations"] = rng.sample([*ids("Organisation"), NOBODY], rng.choice((1, 1, 2)))
    return found


def _when(
    resource: str, serving: Sequence[str], made: World, rng: Random, types: bool, places: bool
) -> dict[str, Any] | None:
    part = _part(rng, types, places)
    if not part:
        return None
    if rng.random() < 0.6:
        part["order"] = rng.sample(serving, rng.randint(1, len(serving)))
    columns = [each for each in RESOURCES[resource].columns if each not in ("id", "meta", "securityMarking")]
    fields = {}
    for column in rng.sample(columns, rng.choice((0, 1, 2))):
        knowing = [name for name in serving if column in made.holds.get(name, {}).get(resource, columns)]
        if knowing:
            fields[column] = rng.sample(knowing, rng.randint(1, len(knowing)))
    if fields:
        part["fields"] = fields
    return part if fields or "order" in part else None


def deletions(made: World, rng: Random) -> dict[str, list[Deletion]]:
    return {
        name: [
            Deletion(resource, rng.choice((*ids(resource), NOBODY)), rng.choice(MOMENTS))
            for resource in served
            if RESOURCES[resource].deleted and rng.random() < 0.3
        ]
        for name, served in made.records.items()
    }
