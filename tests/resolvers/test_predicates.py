"""A filter of the standard as a test on a record: at its boundaries, by the standard's own words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.contracts import Condition
from resolvers.filters import own
from resolvers.predicates import clauses
from sources.standard import RESOURCES
from sources.standard.model import Parameter

from .samples import cases, column_of, every, record


def passes(
    resource: str, record: dict[str, Any], subtrees: dict[str, frozenset[str]] | None = None, **given_: Any
) -> bool:
    """Whether a record passes; parameters are named with ``__`` for a dot. With a tree, organisations go down it."""
    conditions = [
        Condition(
            RESOURCES[resource].parameter[name.replace("__", ".")],
            (value,) if isinstance(value, str) else value,
            subtrees is not None,
        )
        for name, value in given_.items()
    ]
    return all(clause.holds(record.get, subtrees or {}) for clause in clauses(conditions))


DAY = "2026-08-15"
BEFORE, AFTER = "2026-08-14", "2026-08-16"


@pytest.mark.parametrize(
    ("parameter", "on_the_day", "before_it", "after_it", "without"),
    [
        ("startDate__onOrBefore", True, True, False, False),
        ("startDate__onOrAfter", True, False, True, False),
        ("endDate__onOrBefore", True, True, False, True),
        ("endDate__onOrAfter", True, False, True, True),
    ],
)
def test_dates_of_groups(parameter: str, on_the_day: bool, before_it: bool, after_it: bool, without: bool) -> None:
    """Inclusive; a record without an end date is always included, in both directions (field guide 6.1)."""
    column = parameter.partition("__")[0]
    for value, expected in ((DAY, on_the_day), (BEFORE, before_it), (AFTER, after_it), (None, without)):
        assert passes("Group", {column: value}, **{parameter: DAY}) is expected
    assert passes("Group", {}, **{parameter: DAY}) is without


def test_start_dates_of_organisations_and_study_plans_are_open() -> None:
    for resource in ("Organisation", "StudyPlan"):
        assert passes(resource, {}, startDate__onOrBefore=DAY)
        assert passes(resource, {}, startDate__onOrAfter=DAY)
        assert not passes(resource, {"startDate": AFTER}, startDate__onOrBefore=DAY)


NOON = "2026-08-15T12:00:00+02:00"


@pytest.mark.parametrize(("kind", "same", "other"), [("before", True, "earlier"), ("after", False, "later")])
@pytest.mark.parametrize("column", ["created", "modified"])
def test_meta_before_is_inclusive_and_after_exclusive(column: str, kind: str, same: bool, other: str) -> None:
    """Whatever offset an instant is written with."""
    parameter = f"meta__{column}__{kind}"
    assert passes("Person", {"meta": {column: "2026-08-15T10:00:00Z"}}, **{parameter: NOON}) is same
    assert passes("Person", {"meta": {column: "2026-08-15T09:59:59Z"}}, **{parameter: NOON}) is (other == "earlier")
    assert passes("Person", {"meta": {column: "2026-08-15T10:00:00.001Z"}}, **{parameter: NOON}) is (other == "later")
    assert not passes("Person", {}, **{parameter: NOON})


def test_absences_are_selected_strictly_after() -> None:
    """The standard calls ``onOrAfter`` of absences exclusive (field guide 6.3)."""
    for column in ("startTime", "endTime"):
        assert not passes("Absence", {column: NOON}, **{f"{column}__onOrAfter": NOON})
        assert passes("Absence", {column: "2026-08-15T12:00:01+02:00"}, **{f"{column}__onOrAfter": NOON})
        assert passes("Absence", {column: NOON}, **{f"{column}__onOrBefore": NOON})


def test_every_term_of_a_name_must_occur_somewhere() -> None:
    person = {"givenName": "Åsa", "middleName": None, "familyName": "Björk Andersson"}
    for terms, expected in (
        (["åsa"], True),
        (["ANDERS"], True),
        (["åsa", "björk"], True),
        (["åsa", "berg"], False),
        (["åsa björk"], False),
        ([], False),
    ):
        assert passes("Person", person, nameContains=tuple(terms)) is expected


def test_one_identifier_must_have_both_value_and_context() -> None:
    person = {"externalIdentifiers": [{"value": "1", "context": "a"}, {"value": "2", "context": "b"}]}
    assert passes("Person", person, identifier__value="1")
    assert passes("Person", person, identifier__value="1", identifier__context="a")
    assert not passes("Person", person, identifier__value="1", identifier__context="b")


UNIT, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def test_one_enrolment_must_satisfy_all_relationship_parameters() -> None:
    person = {
        "enrolments": [
            {"enroledAt": {"id": UNIT}, "startDate": "2020-08-15", "endDate": "2022-06-10"},
            {"enroledAt": {"id": OTHER}, "startDate": "2022-08-15"},
        ]
    }
    enrolled = {"relationship__entity__type": "enrolment"}
    assert passes("Person", person, **enrolled)
    assert not passes("Person", {"enrolments": []}, **enrolled)
    assert not passes("Person", {}, **enrolled)
    assert passes(
        "Person", person, **enrolled, relationship__organisation=UNIT, relationship__endDate__onOrAfter="2022-06-10"
    )
    assert not passes(
        "Person", person, **enrolled, relationship__organisation=UNIT, relationship__endDate__onOrAfter="2022-06-11"
    )
    assert passes(
        "Person", person, **enrolled, relationship__organisation=OTHER, relationship__endDate__onOrAfter="2099-01-01"
    )
    assert not passes(
        "Person", person, **enrolled, relationship__organisation=OTHER, relationship__startDate__onOrBefore="2022-08-14"
    )


def test_references_are_compared_by_id_and_lists_hold_any() -> None:
    duties = {"teachers": [{"duty": {"id": UNIT}}, {"duty": {"id": OTHER}}]}
    assert passes("Activity", duties, teacher=OTHER)
    assert not passes("Activity", {"teachers": []}, teacher=OTHER)
    assert passes("Placement", {"owners": [{"id": UNIT}]}, owner=UNIT)
    assert passes("Group", {"organisation": {"id": UNIT}}, organisation=(OTHER, UNIT))
    assert passes("Organisation", {"schoolTypes": ["GR", "FTH"]}, schoolTypes=("FTH", "GY"))
    assert not passes("Organisation", {"schoolTypes": None}, schoolTypes=("FTH",))


def test_a_duty_is_in_the_organisation_or_below_it() -> None:
    subtrees = {UNIT: frozenset({UNIT, OTHER}), OTHER: frozenset({OTHER})}
    at = {"dutyAt": {"id": OTHER}}
    assert passes("Duty", at, subtrees, organisation=UNIT)
    assert passes("Duty", at, subtrees, organisation=OTHER)
    assert not passes("Duty", {"dutyAt": {"id": UNIT}}, subtrees, organisation=OTHER)


@given(
    st.lists(st.sampled_from(["Klass", "Undervisning", "Mentor"]), max_size=3),
    st.sampled_from(["Klass", "Mentor", None]),
)
def test_several_values_are_any_of_them_and_no_value_is_none(values: list[str], kind: str | None) -> None:
    assert passes("Group", {"groupType": kind}, groupType=tuple(values)) is (kind in values)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)), st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3))
)
def test_instants_compare_as_instants(one: datetime, other: datetime) -> None:
    at, limit = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    record = {"meta": {"modified": at.isoformat()}}
    assert passes("Group", record, meta__modified__after=limit.isoformat()) is (at > limit)
    assert passes("Group", record, meta__modified__before=limit.isoformat()) is (at <= limit)


@given(st.integers(-3, 3))
def test_a_record_is_never_both_before_and_after(shift: int) -> None:
    day = (date(2026, 8, 15) + timedelta(shift)).isoformat()
    both = {"startDate__onOrBefore": DAY, "startDate__onOrAfter": DAY}
    assert passes("Duty", {"startDate": day}, **both) is (shift == 0)


# Every parameter at its boundaries


@pytest.mark.parametrize(
    ("resource", "parameter"), [pytest.param(*each, id=f"{each[0]}.{each[1].name}") for each in every()]
)
def test_a_parameter_at_its_boundaries(resource: str, parameter: Parameter) -> None:
    """On the day (or the very instant, written with another offset), before it, after it, and without a value."""
    conditions = [Condition(RESOURCES["Person"].parameter["relationship.entity.type"], ("enrolment",))]
    also = conditions if parameter.name.startswith("relationship.") else []
    for case in cases(resource, parameter):
        given = record(resource, column_of(resource, parameter.name), case.value)
        if case.value is None and "enrolments." in column_of(resource, parameter.name):
            given = {"enrolments": [{}]} if "Date" in parameter.name else {}
        asked = [*(each for each in also if each.parameter != parameter), Condition(parameter, (case.asked,))]
        found = all(clause.holds(given.get, {}) for clause in clauses(asked))
        assert found is case.selected, (case, given)
        nothing = [*asked[:-1], Condition(parameter, ())]
        assert not all(clause.holds(given.get, {}) for clause in clauses(nothing)), "no value selects nothing"


def test_all_that_is_asked_of_an_enrolment_is_of_one() -> None:
    own_ = {parameter.name: parameter for parameter in own("Person")}
    person = {"enrolments": [{"schoolYear": 7, "schoolType": "GR"}, {"schoolYear": 1, "schoolType": "GY"}]}
    for year, kind, expected in (("7", "GR", True), ("1", "GY", True), ("1", "GR", False)):
        asked = [
            Condition(own_["enrolment.schoolYear"], (year,)),
            Condition(own_["enrolment.schoolType"], (kind,)),
        ]
        assert all(clause.holds(person.get, {}) for clause in clauses(asked)) is expected
    ended = {"enrolments": [{"startDate": BEFORE, "endDate": DAY}]}
    for day, expected in ((BEFORE, True), (DAY, True), (AFTER, False)):
        assert all(c.holds(ended.get, {}) for c in clauses([Condition(own_["enrolment.on"], (day,))])) is expected
