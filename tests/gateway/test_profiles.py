"""The profiles that are shipped: each is one word in gateway.yaml, and every key there has the last word."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from gateway.config import ConfigError, parse
from gateway.config.shape import ProfileName
from sources.capabilities import Arrays, Capabilities, Filter, Paging
from sources.profiles import PROFILES
from sources.settings import SourceSettings
from sources.standard import RESOURCES
from sources.standard.organisation import ORGANISATION_TYPE

DOCS = Path(__file__).parents[2] / "docs" / "sources.md"
SCHOOL = ["organisations", "persons", "groups", "duties", "activities"]


def source(**section: Any) -> SourceSettings:
    return parse({"sources": {"sis": {"url": "https://sis.example", **section}}}, Path(), {}).sources[0]


def can(**section: Any) -> Capabilities:
    return source(**section).capabilities


def test_the_configuration_knows_every_profile() -> None:
    assert get_args(ProfileName) == tuple(PROFILES)
    assert all(name == profile.name for name, profile in PROFILES.items())


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_says_only_what_the_standard_has_words_for(profile: Any) -> None:
    declared: Capabilities = profile.capabilities
    assert declared.resources <= RESOURCES.keys()
    words = {
        **dict.fromkeys(("list_only", "list_lacks", "holds"), "columns"),
        **dict.fromkeys(("filters", "filters_with"), "parameter"),
        "lookup": "lookup_key",
        "expand": "expand",
        "sort_keys": "sort_key",
    }
    for field, where in words.items():
        for resource, names in getattr(declared, field).items():
            assert set(names) - {"*"} <= set(getattr(RESOURCES[resource], where)), (field, resource)
    assert set(declared.organisation_level.values()) <= set(ORGANISATION_TYPE.values)


@pytest.mark.parametrize(
    ("name", "resources", "expected"),
    [
        ("conformant", SCHOOL, {
            ("Person", "nameContains"): Filter.EXACT, ("Duty", "person"): Filter.EXACT,
            "lookup": {"ids", "civicNos"}, "expand": set(RESOURCES["Person"].expand),
            "paging": Paging.TOKEN, "page_size": 500, "window_days": None, "timezone": "Europe/Stockholm",
        }),
        ("skolverket-reference", None, {
            ("Person", "nameContains"): Filter.IGNORED, ("Person", "meta.modified.after"): Filter.EXACT,
            "lookup": set(), "expand": set(), "paging": Paging.TOKEN, "arrays": Arrays.COMMA,
        }),
        ("ist-educloud", None, {
            ("Person", "nameContains"): Filter.UNKNOWN, ("Duty", "person"): Filter.EXACT,
            ("Group", "meta.modified.after"): Filter.EXACT, "lookup": {"ids"}, "expand": {"groupMemberships"},
            "paging": Paging.TOKEN, "page_size": 1000,
        }),
        ("edlevo", None, {
            ("Person", "relationship.entity.type"): Filter.EXACT,
            ("Person", "relationship.organisation"): Filter.REFUSED, ("Duty", "person"): Filter.UNKNOWN,
            "lookup": {"ids"}, "expand": set(),
            "organisation_level": {"Group": "Skola", "Duty": "Skola", "Activity": "Skola"},
        }),
        ("pingpong", None, {
            ("AggregatedAttendance", "student"): Filter.UNKNOWN, "paging": Paging.NONE, "page_size": None,
            "resources": {"AggregatedAttendance"},
        }),
        ("offset-paging", SCHOOL, {
            ("Group", "organisation"): Filter.UNKNOWN, "paging": Paging.TOKEN_WITH_FILTERS, "lookup": set(),
            "expand": set(), "timezone": "UTC", "window_days": 400, "list_lacks": {},
            "list_only": {"Person": {"enrolments", "responsibles"}},
        }),
    ],
)  # fmt: skip
def test_what_each_profile_makes_of_a_source(name: str, resources: list[str] | None, expected: dict[Any, Any]) -> None:
    loaded = source(profile=name, **({"resources": resources} if resources else {}))
    declared = loaded.capabilities
    for what, value in expected.items():
        found: object
        if isinstance(what, tuple):
            found = declared.filter(*what)
        elif what == "timezone":
            found = loaded.timezone
        elif what in ("lookup", "expand"):
            found = declared.lookup_keys("Person") if what == "lookup" else declared.expands("Person")
        else:
            found = getattr(declared, what)
        assert found == value, what
    for field in fields(Capabilities):
        value = getattr(declared, field.name)
        if isinstance(value, dict | frozenset):
            assert set(value) <= declared.resources, f"{field.name} is about what is not served"


@pytest.mark.parametrize("name", [p.name for p in PROFILES.values() if not p.capabilities.resources])
def test_a_profile_of_no_one_system_needs_the_resources(name: str) -> None:
    with pytest.raises(ConfigError, match="is required: the profile does not say which resources it serves"):
        source(profile=name)


@pytest.mark.parametrize("name", PROFILES)
def test_a_key_in_the_file_has_the_last_word(name: str) -> None:
    own: dict[str, Any] = {
        "filters": {"persons": {"*": "superset"}, "duties": {"person": "ignored"}},
        "organisation_level": {"groups": "Skolenhet"},
        "lookup": {"persons": ["civicNos"]},
        "expand": {"persons": ["duties"]},
        "list_only": {"persons": []},
        "list_lacks": {"groups": ["groupMemberships"]},
        "window_days": 7, "paging": "offset", "arrays": "repeated", "page_size": 3, "lookup_chunk": 4,
        "null_is_absent": True, "timezone": "Europe/Helsinki",
    }  # fmt: skip
    loaded = source(profile=name, resources=SCHOOL, **own)
    declared = loaded.capabilities
    assert declared.resources == {"Organisation", "Person", "Group", "Duty", "Activity"}
    assert {declared.filter("Person", each) for each in RESOURCES["Person"].parameter} == {Filter.SUPERSET}
    assert declared.filter("Duty", "person") is Filter.IGNORED
    profile = PROFILES[name].capabilities
    assert declared.filter("Duty", "dutyRole") is profile.filter("Duty", "dutyRole")
    assert declared.filter("Group", "groupType") is profile.filter("Group", "groupType")
    assert declared.organisation_level["Group"] == "Skolenhet"
    assert declared.lookup_keys("Person") == {"civicNos"}
    assert declared.expands("Person") == {"duties"}
    assert (declared.list_only, declared.list_lacks) == ({}, {"Group": frozenset({"groupMemberships"})})
    assert (declared.window_days, declared.paging, declared.arrays) == (7, Paging.OFFSET, Arrays.REPEATED)
    assert (declared.page_size, declared.chunk, declared.null_is_absent) == (3, 4, True)
    assert loaded.timezone == "Europe/Helsinki"


def test_what_the_file_says_of_a_filter_needs_no_company() -> None:
    parameter, needed = "relationship.organisation", "relationship.entity.type"
    asked = [parameter, "relationship.startDate.onOrBefore", needed]
    assert can(profile="edlevo").honoured("Person", asked) == set(asked)
    assert can(profile="edlevo").honoured("Person", asked[:2]) == set()
    exact = can(profile="edlevo", filters={"persons": {parameter: "exact"}})
    assert exact.honoured("Person", asked[:2]) == {parameter}
    own = {"persons": {parameter: needed}}
    assert can(resources=SCHOOL, filters_with=own).filters_with == {"Person": own["persons"]}
    assert can(profile="edlevo", filters={"persons": {"*": "ignored"}}).honoured("Person", asked) == set()


def test_filters_ignored_replaces_what_a_profile_says_of_single_filters() -> None:
    declared = can(profile="skolverket-reference", filters_ignored=["persons"])
    assert declared.filter("Person", "meta.modified.after") is Filter.IGNORED
    assert declared.filter("Group", "meta.modified.after") is Filter.EXACT


def test_a_lookup_in_the_file_is_one_although_the_profile_has_none() -> None:
    declared = can(profile="skolverket-reference", lookup={"persons": ["ids"]})
    assert declared.lookup_keys("Person") == {"ids"}
    assert declared.lookup_keys("Group") == set()


def test_the_examples_in_the_documentation_are_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (register,) = parse(yaml.safe_load(example), Path(), {}).sources
    assert register.capabilities.filter("Duty", "person") is Filter.EXACT
    assert register.capabilities.filter("Duty", "dutyRole") is Filter.UNKNOWN
