"""Adding a field, an alias or a root field never changes the value of any other field.

A random query is asked alone, and again with random additions at every depth: more properties, ``meta`` and
``provenance`` (which make more sources heard), references, inverses with arguments, aliases, root fields. What both
answers have in common is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .worlds import IDS, NOWHERE, World, answer, fakes, federation, worlds


@dataclass
class Field:
    """One field of a selection: ``text`` is its name and arguments, ``type_`` what it leads to."""

    text: str
    below: Selection = field(default_factory=dict)
    type_: str = ""


Selection = dict[str, Field]
"""By response key."""

COLUMNS = {
    "Person": ("meta", "securityMarking", "givenName", "familyName", "emails", "enrolments", "responsibles"),
    "Group": ("meta", "displayName", "startDate", "endDate", "groupType", "organisation", "groupMemberships"),
    "Organisation": ("meta", "displayName", "organisationType", "parentOrganisation", "schoolTypes", "address"),
    "Duty": ("meta", "person", "dutyAt", "dutyRole", "signature", "startDate", "endDate", "assignmentRole"),
}

LEAVES = {
    "Person": ["id", "givenName", "familyName", "displayName", "securityMarkingText", "emails { value typeText }"],
    "Group": ["id", "displayName", "startDate", "endDate", "groupTypeText"],
    "Organisation": ["id", "displayName", "organisationTypeText", "schoolTypesText", "address { streetAddress }"],
    "Duty": ["id", "displayName", "dutyRole", "signature", "startDate", "endDate"],
    "Enrolment": ["startDate", "schoolTypeText"],
    "Responsible": ["relationTypeText"],
    "ResponsibleFor": ["relationTypeText"],
    "GroupMembership": ["startDate", "endDate"],
    "AssignmentRole": ["startDate", "assignmentRoleTypeText"],
}
EVERY_SERVER = [
    "meta { created modified }",
    "provenance { sources { name } fields { name source } conflicts { field source } issues }",
]

LINKS = {
    "Person": [
        ("enrolments", "Enrolment", "ON"),
        ("responsibles", "Responsible", ""),
        ("duties", "Duty", "Duty"),
        ("groupMemberships", "GroupMembership", "ENTRIES"),
        ("responsibleFor", "ResponsibleFor", "FIRST"),
    ],
    "Group": [
        ("organisation", "Organisation", ""),
        ("groupMemberships", "GroupMembership", "ON"),
        ("assignmentRoles", "AssignmentRole", "ENTRIES"),
    ],
    "Organisation": [
        ("parentOrganisation", "Organisation", ""),
        ("children", "Organisation", "Organisation"),
        ("duties", "Duty", "Duty"),
        ("groups", "Group", "Group"),
        ("enrolments", "Enrolment", "ENTRIES"),
    ],
    "Duty": [
        ("person", "Person", ""),
        ("dutyAt", "Organisation", ""),
        ("assignmentRole", "AssignmentRole", "ON"),
    ],
    "Enrolment": [("enroledAt", "Organisation", ""), ("person", "Person", "")],
    "Responsible": [("person", "Person", "")],
    "ResponsibleFor": [("person", "Person", "")],
    "GroupMembership": [("person", "Person", ""), ("group", "Group", "")],
    "AssignmentRole": [("group", "Group", ""), ("duty", "Duty", "")],
}
"""Per type: field, type it leads to, and which arguments it takes."""

_ON = ['on: "2026-02-01"', 'during: {from: "2025-08-18", to: "2026-01-31"}']
_END = 'filter: {endDate: {onOrAfter: "2026-01-31"}}'
ARGUMENTS = {
    "": [""],
    "ON": ["", *_ON],
    "FIRST": ["", "first: 1"],
    "ENTRIES": ["", "first: 1", *_ON],
    "Person": ["", "first: 2", "orderBy: [FAMILY_NAME_ASC]", 'filter: {nameContains: ["a"]}'],
    "Group": ["", "first: 1", "orderBy: [DISPLAY_NAME_ASC]", "filter: {groupType: [KLASS]}", _END, *_ON],
    "Organisation": ["", "first: 1", "orderBy: [DISPLAY_NAME_ASC]", "filter: {type: [SKOLA]}", *_ON],
    "Duty": ["", "first: 1", "orderBy: [START_DATE_DESC]", "filter: {dutyRole: REKTOR}", _END, *_ON],
}
PLURAL = {"Person": "persons", "Group": "groups", "Organisation": "organisations", "Duty": "duties"}


@st.composite
def below(draw: st.DrawFn, type_: str, depth: int) -> Selection:
    """Some fields of a type."""
    found: Selection = {}
    leaves = [*LEAVES[type_], *(EVERY_SERVER if type_ in PLURAL else [])]
    for leaf in draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=3, unique=True)):
        found[leaf.split()[0]] = Field(leaf)
    if depth:
        links = LINKS[type_]
        for name, to, takes in draw(st.lists(st.sampled_from(links), max_size=2, unique_by=lambda link: link[0])):
            arguments = draw(st.sampled_from(ARGUMENTS[takes]))
            _add(found, name, Field(name + (f"({arguments})" if arguments else ""), draw(below(to, depth - 1)), to))
    return found


@st.composite
def roots(draw: st.DrawFn, *, connection: str) -> Selection:
    """1 to 3 root fields."""
    found: Selection = {}
    for type_ in draw(st.lists(st.sampled_from(sorted(PLURAL)), min_size=1, max_size=3)):
        inner = draw(below(type_, 3))
        match draw(st.integers(0, 2)):
            case 0:
                arguments = draw(st.sampled_from(ARGUMENTS[type_]))
                text = PLURAL[type_] + (f"({arguments})" if arguments else "")
                below_list = {"nodes": Field("nodes", inner, type_), **({"_": Field(connection)} if connection else {})}
                _add(found, PLURAL[type_], Field(text, below_list))
            case 1:
                ids = ", ".join(f'"{each}"' for each in [*IDS[type_], NOWHERE])
                _add(found, f"{PLURAL[type_]}ByIds", Field(f"{PLURAL[type_]}ByIds(ids: [{ids}])", inner, type_))
            case _:
                one = draw(st.sampled_from(IDS[type_]))
                _add(found, type_.lower(), Field(f'{type_.lower()}(id: "{one}")', inner, type_))
    return found


def _add(to: Selection, key: str, added: Field) -> None:
    """The field under its own name, or merged into the same field there, or under an alias beside another."""
    if key not in to:
        to[key] = added
    elif to[key].text == added.text:
        to[key] = Field(added.text, together(to[key].below, added.below), added.type_)
    else:
        _add(to, f"x_{key}", added)


def together(one: Selection, other: Selection) -> Selection:
    found = dict(one)
    for key, each in other.items():
        _add(found, key, each)
    return found


@st.composite
def grown(draw: st.DrawFn, selection: Selection) -> Selection:
    """The selection with more selected at some of its depths."""
    found: Selection = {}
    for key, each in selection.items():
        inner = draw(grown(each.below)) if each.below else {}
        if each.type_ and draw(st.booleans()):
            inner = together(inner, draw(below(each.type_, 1)))
        found[key] = Field(each.text, inner, each.type_)
    return found


def text(selection: Selection) -> str:
    return "{ " + " ".join(_text(key, each) for key, each in selection.items()) + " }"


def _text(key: str, each: Field) -> str:
    alias = "" if key == "_" or each.text.startswith(key) else f"{key}: "
    return f"{alias}{each.text}{text(each.below) if each.below else ''}"


def common(shown: Any, selection: Selection) -> Any:
    """What an answer says to the fields of a selection."""
    if isinstance(shown, list):
        return [common(each, selection) for each in shown]
    if shown is None:
        return None
    return {
        key: common(shown[key], each.below) if each.below else shown[key]
        for key, each in selection.items()
        if key != "_"
    } | ({key: shown[key] for key in ("complete", "pageInfo")} if "_" in selection else {})


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(st.data(), worlds(*PLURAL, columns=COLUMNS), st.integers(0, 3))
def test_what_is_added_changes_nothing_else(data: st.DataObject, world: World, stopped: int) -> None:
    # Whether the answer is complete depends on who is asked; that is compared where everybody answers.
    connection = "complete pageInfo { hasNextPage endsHere: hasPreviousPage }" if stopped else ""
    base = data.draw(roots(connection=connection))
    more = together(data.draw(grown(base)), data.draw(roots(connection=connection)))
    answers = []
    for query in (base, more):
        sources = fakes(world)
        if not stopped:
            next(iter(sources.values())).fail()
        answers.append(answer(federation(world, sources), text(query), errors=not stopped)["data"])
    alone, together_ = (common(shown, base) for shown in answers)
    assert alone == together_
