"""The declarations in sources/standard hold together: names are unique, every column leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from sources.standard import RESOURCES
from sources.standard.feeds import DELETED_KEYS, ENTITY_TYPE, FEED_OPERATIONS, OTHER_PATHS
from sources.standard.model import (
    Enumeration,
    Parameter,
    Property,
    PropertyType,
    Reference,
    Resource,
    Scalar,
    Structure,
    Test,
    View,
)
from sources.standard.values import enumerations, operations, references, structures, walk

GRAPHQL_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
WITHOUT_COLUMNS = {Test.RELATION, Test.UNSHOWN}

each_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
each_parameter = pytest.mark.parametrize(
    ("resource", "parameter"),
    [(resource, parameter) for resource in RESOURCES.values() for parameter in resource.parameters],
    ids=lambda value: value.name,
)


def way_to(properties: tuple[Property, ...], column: str) -> tuple[Property, ...]:
    """The properties on the way to a column. Raises KeyError where a name on it is not declared."""
    way: list[Property] = []
    for name in column.split("."):
        found = {p.name: p for p in properties}[name]
        way.append(found)
        properties = found.type.properties if isinstance(found.type, Structure) else ()
    return tuple(way)


def property_lists() -> Iterator[tuple[str, tuple[Property, ...]]]:
    yield from ((r.name, r.properties) for r in RESOURCES.values())
    yield from ((s.name, s.properties) for s in structures())


def test_the_standard_has_nineteen_resources_under_their_own_names() -> None:
    assert len(RESOURCES) == 19
    assert all(name == resource.name for name, resource in RESOURCES.items())


def test_the_standard_has_fifty_one_references_to_known_resources() -> None:
    assert len(references()) == len(set(references())) == 51
    assert {r.target for r in references()} <= set(RESOURCES)
    assert ("StudyPlan", ("content", "syllabuses", "syllabus"), "Syllabus", True) in references()
    assert ("Duty", ("person",), "Person", False) in references()


def test_names_of_types_are_unique_graphql_names() -> None:
    names = [*RESOURCES, *(s.name for s in structures()), *(e.name for e in enumerations()), ENTITY_TYPE.name]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert all(GRAPHQL_NAME.fullmatch(name) and name[0].isupper() for name in names)


def test_plurals_and_paths_are_unique() -> None:
    assert len({r.plural for r in RESOURCES.values()}) == len(RESOURCES)
    assert len({r.path for r in RESOURCES.values()}) == len(RESOURCES)
    assert all(GRAPHQL_NAME.fullmatch(r.plural) and r.plural[0].islower() for r in RESOURCES.values())


def test_no_operation_is_both_read_and_left_out() -> None:
    found = [*operations(), *((o.method, o.path) for o in (*FEED_OPERATIONS, *OTHER_PATHS))]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(("name", "properties"), list(property_lists()), ids=lambda value: str(value)[:30])
def test_a_property_has_one_name_and_no_other_property_has_it(name: str, properties: tuple[Property, ...]) -> None:
    spellings = [spelling for p in properties for spelling in (p.name, *p.also)]
    assert len(spellings) == len(set(spellings))
    assert all(GRAPHQL_NAME.fullmatch(p.name) for p in properties)


def test_structures_do_not_contain_themselves() -> None:
    for resource in RESOURCES.values():
        for way in walk(resource.properties):
            inside = [p.type.name for p in way if isinstance(p.type, Structure)]
            assert len(inside) == len(set(inside))


@pytest.mark.parametrize("enumeration", [*enumerations(), ENTITY_TYPE], ids=lambda enumeration: enumeration.name)
def test_other_spellings_mean_a_value_and_are_none(enumeration: Enumeration) -> None:
    assert len(enumeration.values) == len(set(enumeration.values))
    assert set(enumeration.also.values()) <= set(enumeration.values)
    assert not set(enumeration.also) & set(enumeration.values)


def matches(parameter: PropertyType, column: PropertyType) -> bool:
    """Whether a parameter's value can be compared with a column's: an id with a reference, else the same type."""
    if isinstance(column, Reference):
        return parameter in (Scalar.ID, Scalar.STRING)  # programmes.parentProgramme is a string in the standard
    return parameter == column


@each_parameter
def test_columns_of_a_parameter_are_properties_of_its_type(resource: Resource, parameter: Parameter) -> None:
    assert bool(parameter.columns) == (parameter.test not in WITHOUT_COLUMNS)
    for column in parameter.columns:
        assert matches(parameter.type, way_to(resource.properties, column)[-1].type), column


@each_parameter
def test_any_is_for_lists_and_only_for_lists(resource: Resource, parameter: Parameter) -> None:
    in_a_list = [any(p.many for p in way_to(resource.properties, column)) for column in parameter.columns]
    if parameter.test is Test.ANY:
        assert all(in_a_list)
    elif parameter.test is not Test.IDENTIFIER:
        assert not any(in_a_list)


@each_parameter
def test_before_and_after_are_for_times(resource: Resource, parameter: Parameter) -> None:
    name = parameter.name.rpartition(".")[2]
    inclusive = {"onOrBefore": "on or before", "onOrAfter": "on or after", "before": "on or before", "after": "after"}
    if name in inclusive and parameter.test not in WITHOUT_COLUMNS:
        assert parameter.type in (Scalar.DATE, Scalar.DATE_TIME)
        exclusive_against_its_name = resource.name == "Absence" and name == "onOrAfter"
        expected = "after" if exclusive_against_its_name else inclusive[name]
        assert parameter.test.value.removesuffix(", or open") == expected


@each_resource
def test_an_end_date_that_is_open_is_always_selected(resource: Resource) -> None:
    tests = [p.test for p in resource.parameters if p.name.startswith("endDate.")]
    assert tests in ([], [Test.ON_OR_BEFORE_OR_OPEN, Test.ON_OR_AFTER_OR_OPEN])


@each_resource
def test_sort_keys_lead_to_scalars_and_say_their_direction(resource: Resource) -> None:
    for key in resource.sort_keys:
        assert key.name.endswith("Desc" if key.descending else "Asc")
        if key.column == "displayName" and "displayName" not in resource.columns:
            assert resource.display_name
        else:
            assert isinstance(way_to(resource.properties, key.column)[-1].type, Scalar)


@each_resource
def test_display_names_are_made_of_text(resource: Resource) -> None:
    for column in resource.display_name:
        declared = resource.columns[column]
        assert (declared.type, declared.many) == (Scalar.STRING, False)


@each_resource
def test_lookup_keys_lead_to_what_they_are_compared_with(resource: Resource) -> None:
    for key in resource.lookup:
        if key.column:
            assert key.column == "id" or matches(key.type, way_to(resource.properties, key.column)[-1].type)
        else:
            assert key.doc, "a key that the record does not show must say what it is"


@each_resource
def test_a_record_has_a_key(resource: Resource) -> None:
    assert all(column in resource.columns for column in resource.key)
    assert resource.has_id == (resource.name not in {"SchoolUnitOffering", "AggregatedAttendance"})
    assert not resource.has_id or resource.columns["id"].required


@pytest.mark.parametrize("structure", structures(), ids=lambda structure: structure.name)
def test_entry_keys_lead_to_leaves(structure: Structure) -> None:
    for path in structure.entry_key:
        target = way_to(structure.properties, path.removesuffix(".id"))[-1]
        assert isinstance(target.type, Reference) == path.endswith(".id")
        assert not target.many


@each_resource
def test_expands_give_a_known_resource(resource: Resource) -> None:
    assert len(resource.expand) == len(resource.expands)
    for expand in resource.expands:
        assert expand.resource in RESOURCES
        assert bool(expand.path) <= (expand.view is not View.FULL), "a path leads to a part, never to a whole record"


def test_only_windows_are_required() -> None:
    assert {r.name: r.window for r in RESOURCES.values() if r.window} == {
        "CalendarEvent": ("startTime.onOrAfter", "startTime.onOrBefore"),
        "AggregatedAttendance": ("startDate", "endDate"),
    }


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("activitites", "Activity"),
        ("activities", "Activity"),
        ("attendanceschedule", "AttendanceSchedule"),
        ("attendanceschedules", "AttendanceSchedule"),
        ("studyplans", "StudyPlan"),
    ],
)
def test_deleted_keys_are_read_in_every_spelling(key: str, name: str) -> None:
    assert DELETED_KEYS[key] == name


def test_every_deleted_key_means_one_resource() -> None:
    assert all(key == key.casefold() for key in DELETED_KEYS)
    assert set(DELETED_KEYS.values()) == set(ENTITY_TYPE.values) == set(RESOURCES) - {"AggregatedAttendance"}


def test_the_spellings_of_2_0_and_the_misprints_are_read() -> None:
    by_name = {e.name: e for e in enumerations()}
    assert by_name["PlacementReason"].also["Omsorg"] == "Omsorgsbehov"
    assert by_name["ProgrammeType"].also["Introduktionsprogram"] == "Intruduktionsprogram"
    assert RESOURCES["Grade"].columns["organisation"].also == ("schoolUnit",)
    assert RESOURCES["AttendanceSchedule"].columns["scheduleEntries"].also == ("scheduleDays",)
    assert RESOURCES["Attendance"].lookup_key["calendareEvents"].also == ("calendarEvents",)
    titles = [p for s in structures() for p in s.properties if p.name == "titleEnglish"]
    assert [p.also for p in titles] == [("titleEngish",), ("titleEngish",)]


def test_a_duration_is_not_read_as_an_end_time() -> None:
    (entry,) = (s for s in structures() if s.name == "AttendanceScheduleEntry")
    assert all("length" not in p.also for p in entry.properties)


def test_the_organisation_filter_means_what_each_endpoint_says() -> None:
    tests = {r.plural: r.parameter["organisation"].test for r in RESOURCES.values() if "organisation" in r.parameter}
    assert {plural for plural, test in tests.items() if test is Test.SUBTREE} == {"duties", "activities"}
    assert {plural for plural, test in tests.items() if test is Test.UNSHOWN} == {
        "calendarEvents",
        "attendances",
        "aggregatedAttendances",
    }
    assert {plural for plural, test in tests.items() if test is Test.EQUAL} == {
        "groups",
        "placements",
        "schoolUnitOfferings",
        "grades",
        "absences",
        "resources",
        "rooms",
    }
