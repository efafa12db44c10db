"""gateway.yaml: what it becomes, and that everything wrong with it is said at once, in place, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.config import ConfigError, ProtectedPersons, Settings, json_schema, load, parse
from gateway.config.units import seconds, size
from resolvers.contracts import Ceiling, EntityId, Scope, When
from resolvers.places import PLACES
from sources.capabilities import Arrays, Filter, Paging
from sources.settings import ApiKey, Bearer, ClientAuthentication, OAuth2, Secret, Tls
from sources.standard import RESOURCES

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"
CANARY = "canary-s3cret-0123456789"

SMALL = """
sources:
  sis:
    url: https://sis.example/v2.0
    resources: [organisations, persons, groups]
"""

WHOLE = """
server:
  host: 0.0.0.0
  port: 9000
  secret: {file: cursor.key}
  previous_secret: {env: OLD_SECRET}
  timezone: Europe/Helsinki
  allow_unauthenticated: true
sources:
  sis:
    url: https://sis.example/v2.0/
    auth:
      type: oauth2
      token_url: https://sis.example/token
      client_id: gateway
      client_secret: ${SIS_SECRET}
      authentication: basic
      scope: read all
    tls: {certificate: client.pem, key: client.pem, key_password: hush, ca: client.pem}
    resources: [organisations, persons, groups, studyplans, attendanceSchedule, AGGREGATEDATTENDANCE]
    endpoints: {groups: "https://other.example/groups", persons: /people, deletedEntities: /deletedentities}
    holds: {Person: [givenName, familyName, emails]}
    list_only: {persons: [enrolments]}
    list_lacks: {groups: [groupMemberships]}
    null_is_absent: true
    own_ids: [groups, studyPlans]
    filters_ignored: [persons]
    filters: {Persons: {nameContains: superset}, groups: {"*": unknown, endDate.onOrAfter: exact}}
    filters_with: {persons: {relationship.organisation: relationship.entity.type}}
    organisation_level: {groups: Skola}
    window_days: 31
    no_lookup: true
    lookup: {organisations: [ids]}
    expand: {persons: [duties], groups: []}
    sort_keys: {organisations: [DisplayNameAsc]}
    arrays: comma
    timeout: 2.5s
    concurrency: 7
    max_body: 1GB
    max_pages: 10
    restarts: 0
    page_size: null
    lookup_chunk: 50
    max_gets: 5
    timezone: UTC
    paging: token_with_filters
    limits: {calls: 30, records: 4000, seconds: 20s}
    allow_civicno_in_url: true
    profile: conformant
  hr:
    url: https://hr.example
    auth: {type: api_key, key: abc123, header: X-Key}
    resources: [persons, duties]
  schema:
    url: https://schema.example
    auth: {type: bearer, token: abc123}
    resources: [activities]
    scope: {organisations: ["{6F1C9A52-0D1B-4C55-9A31-0C2F6A0D4E11}"]}
authority:
  Person:
    exists: [sis]
    order: [hr, sis]
    fields: {emails: [hr, sis]}
    lists: {emails: first}
    when: [{schoolTypes: [FS, FTH], order: [sis], fields: {emails: [hr]}}]
policy: {protected_persons: show}
cache: {backend: memory, max_bytes: 1MB, ttl: {default: 5s, organisations: 1h}}
limits: {operation_timeout: 1m, max_first: 10, max_candidates: 20, max_filter_calls: 3, max_schedule_days: 14,
         max_index_bytes: 1MB, calls: 50, records: null, seconds: 1m, max_estimates: 9,
         concurrency: 5, queue: 0, queue_timeout: 2s, max_request: 2KB, prepared_operations: 6,
         prepared_bytes: 3KB, prepared_variants: 7}
raw: true
"""

UNIT = "6f1c9a52-0d1b-4c55-9a31-0c2f6a0d4e11"
ENVIRON = {"SIS_SECRET": "from the environment", "OLD_SECRET": "an older sealing secret"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cursor.key").write_text("a sealing secret of the file\n")
    (tmp_path / "client.pem").write_text("PEM")
    return tmp_path


def loaded(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> Settings:
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def problems(folder: Path, text: str, environ: Mapping[str, str] = ENVIRON) -> dict[str, str]:
    """What is wrong, by key."""
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, environ)
    return {problem.key: problem.message for problem in raised.value.problems}


def small(extra: str) -> str:
    """The small configuration with more lines in the section of its source."""
    return SMALL + "".join(f"    {line}\n" for line in extra.splitlines())


def test_a_whole_file_becomes_settings(folder: Path) -> None:
    settings = loaded(folder, WHOLE)
    sis, hr, schema = settings.sources
    assert (sis.name, sis.url) == ("sis", "https://sis.example/v2.0")
    assert sis.credentials == OAuth2(
        "https://sis.example/token",
        "gateway",
        Secret("from the environment"),
        scope="read all",
        authentication=ClientAuthentication.BASIC,
    )
    assert hr.credentials == ApiKey(Secret("abc123"), "X-Key")
    assert schema.credentials == Bearer(Secret("abc123"))
    pem = folder / "client.pem"
    assert sis.tls == Tls(pem, pem, Secret("hush"), pem)
    served = {"Organisation", "Person", "Group", "StudyPlan", "AttendanceSchedule", "AggregatedAttendance"}
    can = sis.capabilities
    assert (can.resources, can.no_lookup) == (served, served - {"Organisation"})
    assert can.holds == {"Person": frozenset({"givenName", "familyName", "emails"})}
    assert can.list_only == {"Person": frozenset({"enrolments"})}
    assert can.list_lacks == {"Group": frozenset({"groupMemberships"})}
    assert can.null_is_absent is True
    assert can.own_ids == {"Group", "StudyPlan"}
    assert can.filters_ignored == {"Person"}
    assert can.filters == {
        "Person": {"nameContains": Filter.SUPERSET},
        "Group": {"*": Filter.UNKNOWN, "endDate.onOrAfter": Filter.EXACT},
    }
    assert can.filters_with == {"Person": {"relationship.organisation": "relationship.entity.type"}}
    assert (can.organisation_level, can.window_days) == ({"Group": "Skola"}, 31)
    assert can.lookup == {"Organisation": frozenset({"ids"})}
    assert can.expand == {"Person": frozenset({"duties"}), "Group": frozenset()}
    assert can.sort_keys == {"Organisation": frozenset({"DisplayNameAsc"})}
    assert can.arrays is Arrays.COMMA
    assert (can.chunk, can.page_size) == (50, None)
    assert sis.endpoints == {
        "Group": "https://other.example/groups",
        "Person": "/people",
        "DeletedEntities": "/deletedentities",
    }
    assert (sis.timeout, sis.concurrency, sis.max_body, sis.max_pages, sis.restarts) == (2.5, 7, 1024**3, 10, 0)
    assert can.paging is Paging.TOKEN_WITH_FILTERS
    assert (sis.timezone, sis.max_gets, sis.allow_civicno_in_url) == ("UTC", 5, True)
    assert sis.ttl == settings.cache.ttl == {"default": 5.0, "Organisation": 3600.0}
    authority = settings.authority["Person"]
    assert (authority.exists, authority.order) == (("sis",), ("hr", "sis"))
    assert (authority.fields, authority.lists) == ({"emails": ("hr", "sis")}, {"emails": "first"})
    assert authority.when == (When(Scope(frozenset({"FS", "FTH"})), ("sis",), {"emails": ("hr",)}),)
    id_ = EntityId("6f1c9a52-0d1b-4c55-9a31-0c2f6a0d4e11")
    assert settings.scopes == {"schema": Scope(organisations=frozenset({id_}))}
    server = settings.server
    assert (server.host, server.port, server.timezone) == ("0.0.0.0", 9000, "Europe/Helsinki")
    assert (server.secret, server.secret_is_random) == (Secret("a sealing secret of the file"), False)
    assert server.previous_secret == Secret("an older sealing secret")
    assert settings.policy.protected_persons is ProtectedPersons.SHOW
    assert (settings.cache.backend, settings.cache.max_bytes) == ("memory", 1024**2)
    limits = settings.limits
    assert (limits.operation_timeout, limits.max_first, limits.max_candidates) == (60.0, 10, 20)
    assert (limits.max_filter_calls, limits.max_schedule_days) == (3, 14)
    assert (limits.max_filter_calls, limits.max_index_bytes) == (3, 1024**2)
    assert (limits.cost, limits.max_estimates) == (Ceiling(50, None, 60.0), 9)
    assert limits.cost_at == {"sis": Ceiling(30, 4000, 20.0)}
    assert (limits.concurrency, limits.queue, limits.queue_timeout, limits.max_request) == (5, 0, 2.0, 2048)
    assert (limits.prepared_operations, limits.prepared_bytes, limits.prepared_variants) == (6, 3072, 7)
    assert settings.raw is True


def test_what_is_left_out_has_a_default_that_gives_nothing_away(folder: Path) -> None:
    settings = loaded(folder, SMALL)
    assert settings.policy.protected_persons is ProtectedPersons.HIDE
    assert settings.server.host == "127.0.0.1"
    assert settings.raw is False
    assert settings.authority == {}
    assert settings.sources[0].credentials is None
    assert settings.sources[0].allow_civicno_in_url is False


def test_without_a_secret_every_process_has_its_own(folder: Path) -> None:
    one, other = loaded(folder, SMALL).server, loaded(folder, SMALL).server
    assert one.secret_is_random
    assert one.secret != other.secret


def test_the_same_data_may_come_from_memory(folder: Path) -> None:
    from_memory = parse(yaml.safe_load(WHOLE), folder, ENVIRON)
    assert from_memory == loaded(folder, WHOLE)


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_a_resource_may_be_written_as_plural_as_path_or_as_name(folder: Path, resource: Any) -> None:
    for spelling in (resource.plural, resource.path, resource.path.strip("/").lower(), resource.name.upper()):
        settings = loaded(folder, f"sources: {{s: {{url: 'http://127.0.0.1', resources: ['{spelling}']}}}}")
        assert settings.sources[0].capabilities.resources == {resource.name}


def test_every_problem_is_reported_at_once_with_its_line(folder: Path) -> None:
    text = (
        SMALL.replace("persons", "persosn") + "    timeout: 10\n    tiemout: 1s\nlimits: {max_first: 0}\nraw: perhaps\n"
    )
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text)
    assert [(problem.line, problem.key) for problem in raised.value.problems] == [
        (5, "sources.sis.resources[1]"),
        (6, "sources.sis.timeout"),
        (7, "sources.sis.tiemout"),
        (8, "limits.max_first"),
        (9, "raw"),
    ]
    assert f"{folder / 'gateway.yaml'}:7: sources.sis.tiemout: " in str(raised.value)


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        (small("auth: {type: oauth2, token_url: 'https://x.example', client_id: a}"), "sources.sis.auth.client_secret",
         "is required"),
        (small("auth: {type: oauth}"), "sources.sis.auth.type", "'oauth2'"),
        (small("auth: {token: abc}"), "sources.sis.auth.type", "is required"),
        (small("auth: {type: bearer, token: abc, tokn: abc}"), "sources.sis.auth.tokn", "Did you mean token?"),
        (small("auth: {type: bearer, token: 'two words'}"), "sources.sis.auth.token", "HTTP header"),
        (small("auth: {type: bearer, token: {file: nowhere}}"), "sources.sis.auth.token", "No such file"),
        (small("auth: {type: bearer, token: {env: NOWHERE}}"), "sources.sis.auth.token", "NOWHERE is not set"),
        (small("auth: {type: bearer, token: '${NOWHERE}'}"), "sources.sis.auth.token", "NOWHERE is not set"),
        (small("auth: {type: bearer, token: 7}"), "sources.sis.auth.token", "a text in quotes"),
        (small("auth: {type: bearer, token: ''}"), "sources.sis.auth.token", "is empty"),
        (small("url2: x"), "sources.sis.url2", "Did you mean url?"),
        (small("timeout: 10 s"), "sources.sis.timeout", "like 10s"),
        (small("timeout: 0s"), "sources.sis.timeout", "more than nothing"),
        (small("max_body: 64"), "sources.sis.max_body", "like 64KB"),
        (small("concurrency: 0"), "sources.sis.concurrency", "at least 1"),
        (small("timezone: Sverige"), "sources.sis.timezone", "Europe/Stockholm"),
        (small("no_lookup: some"), "sources.sis.no_lookup", "true for all"),
        (SMALL + "identity: {persons: {keys: [civicNo]}}", "identity.persons", "own_ids"),
        (small("own_ids: true") + "identity: {persons: {keys: [civicNumber]}}", "identity.persons.keys[0]", "civicNo?"),
        (SMALL + "identity: {groups: {keys: [name]}}", "identity.groups", "persons"),
        (SMALL + "identity: {store: nowhere/ids.sqlite}", "identity.store", "its directory must exist"),
        (small("no_lookup: [duties]"), "sources.sis.no_lookup[0]", "not among the resources"),
        (small("endpoints: {persns: /x}"), "sources.sis.endpoints.persns", "Did you mean persons?"),
        (small("endpoints: {persons: 'x y'}"), "sources.sis.endpoints.persons", "https://"),
        (small("holds: {Person: [givenNam]}"), "sources.sis.holds.Person[0]", "Did you mean givenName"),
        (small("holds: {Person: [], persons: []}"), "sources.sis.holds.persons", "two spellings"),
        (small("holds: {Persn: [givenName]}"), "sources.sis.holds.Persn", "Did you mean"),
        (small("list_lacks: {persons: [enrolment]}"), "sources.sis.list_lacks.persons[0]", "Did you mean enrolments?"),
        (small("list_only: {persons: [photo]}\nlist_lacks: {Person: [enrolments]}"), "sources.sis.list_lacks.Person",
         "no view of them is whole. Keep one."),
        (small("profile: offset-paging\nlist_lacks: {Person: [photo]}"), "sources.sis.list_lacks.Person", "Keep one."),
        (SMALL.replace("groups", "schoolUnitOfferings") + "    list_lacks: {schoolUnitOfferings: [startDate]}",
         "sources.sis.list_lacks.schoolUnitOfferings", "cannot be asked for by id"),
        (small("null_is_absent: often"), "sources.sis.null_is_absent", "true or false"),
        (small("own_ids: [rooms]"), "sources.sis.own_ids[0]", "not among the resources"),
        (small("filters: {persons: {nameContain: exact}}"), "sources.sis.filters.persons.nameContain",
         "is not a query parameter of Person. Did you mean nameContains?"),
        (small("filters: {persons: {nameContains: ignore}}"), "sources.sis.filters.persons.nameContains", "'ignored'"),
        (small("filters: {duties: {'*': exact}}"), "sources.sis.filters.duties", "not among the resources"),
        (small("filters: {persons: ignored}"), "sources.sis.filters.persons", "must be a mapping"),
        (small("filters: {persons: {'*': exact}, Person: {'*': exact}}"), "sources.sis.filters.Person",
         "two spellings"),
        (small("filters_with: {persons: {nameContain: civicNo}}"), "sources.sis.filters_with.persons.nameContain",
         "is not a query parameter of Person"),
        (small("filters_with: {persons: {nameContains: civicno}}"), "sources.sis.filters_with.persons.nameContains",
         "Did you mean civicNo?"),
        (small("organisation_level: {groups: Skolan}"), "sources.sis.organisation_level.groups", "Did you mean Skola"),
        (small("organisation_level: {rooms: Skola}"), "sources.sis.organisation_level.rooms", "not among the"),
        (small("window_days: 0"), "sources.sis.window_days", "at least 1"),
        (small("lookup: {persons: [id]}"), "sources.sis.lookup.persons[0]",
         "is not an array of the lookup of Person. Did you mean ids?"),
        (small("expand: {persons: [duty]}"), "sources.sis.expand.persons[0]", "is not an expand of Person"),
        (small("sort_keys: {persons: [FamilyNameasc]}"), "sources.sis.sort_keys.persons[0]", "Did you mean FamilyName"),
        (small("paging: offsets"), "sources.sis.paging", "'token_with_filters'"),
        (small("arrays: commas"), "sources.sis.arrays", "'repeated' or 'comma'"),
        (SMALL.replace("    resources: [organisations, persons, groups]\n", ""), "sources.sis.resources",
         "is required"),
        (small("tls: {certificate: nowhere.pem}"), "sources.sis.tls.certificate", "no such file"),
        (small("tls: {key: client.pem}"), "sources.sis.tls.key", "tls.certificate"),
        (small("profile: edlvo"), "sources.sis.profile", "'edlevo'"),
        (small("url: https://twice.example"), "sources.sis.url", "stands twice"),
        (SMALL.replace("https://sis", "ftp://sis"), "sources.sis.url", "begins with https://"),
        (SMALL.replace("https://sis", "https://me:pw@sis"), "sources.sis.url", "under auth"),
        (SMALL.replace("v2.0", "v2.0?key=1"), "sources.sis.url", "query"),
        (SMALL.replace("https", "http") + "    tls: {ca: client.pem}", "sources.sis.tls", "no effect on http://"),
        (SMALL.replace("groups", "persons"), "sources.sis.resources[2]", "stands twice"),
        (SMALL + "authority: {Person: {order: [si]}}", "authority.Person.order[0]", "Did you mean sis?"),
        (SMALL + "authority: {Person: {exists: []}}", "authority.Person.exists", "names no source"),
        (SMALL + "authority: {Duty: {order: [sis]}}", "authority.Duty", "no source serves duties"),
        (SMALL + "  hr: {url: 'https://hr.example', resources: [duties]}\nauthority: {Person: {order: [hr]}}",
         "authority.Person.order[0]", "does not serve persons; these do: sis"),
        (small("holds: {Person: [givenName]}") + "authority: {Person: {fields: {emails: [sis]}}}",
         "authority.Person.fields.emails[0]", "does not know emails"),
        (SMALL + "authority: {Person: {fields: {emial: [sis]}}}", "authority.Person.fields.emial", "mean emails"),
        (SMALL + "authority: {Person: {fields: {meta: [sis]}}}", "authority.Person.fields.meta", "latest of all"),
        (SMALL + "authority: {Person: {lists: {givenName: union}}}", "authority.Person.lists.givenName", "not a list"),
        (SMALL + "authority: {Person: {lists: {emails: both}}}", "authority.Person.lists.emails", "'union' or 'first'"),
        (SMALL + "authority: {Person: {when: [{order: [sis]}]}}", "authority.Person.when[0]", "Give schoolTypes or"),
        (SMALL + "authority: {Person: {when: [{schoolTypes: [FS]}]}}", "authority.Person.when[0]", "Give order or"),
        (SMALL + "authority: {Person: {when: [{schoolTypes: [GRR], order: [sis]}]}}",
         "authority.Person.when[0].schoolTypes[0]", "Did you mean GR"),
        (SMALL + "authority: {Person: {when: [{organisations: [Norra], order: [sis]}]}}",
         "authority.Person.when[0].organisations[0]", "Give the organisation's UUID"),
        (SMALL + "authority: {Person: {when: [{schoolTypes: [FS], order: [si]}]}}",
         "authority.Person.when[0].order[0]", "Did you mean sis?"),
        (SMALL + "authority: {Person: {when: [{schoolTypes: [FS], fields: {meta: [sis]}}]}}",
         "authority.Person.when[0].fields.meta", "latest of all"),
        (SMALL + "authority: {Person: {when: [{schoolType: [FS], schoolTypes: [FS], fields: {emails: [sis]}}]}}",
         "authority.Person.when[0].schoolType", "Did you mean schoolTypes?"),
        (SMALL.replace("groups", "duties") + "authority: {Duty: {when: [{schoolTypes: [FS], order: [sis]}]}}",
         "authority.Duty.when[0].schoolTypes", "do not show a form of schooling"),
        (SMALL.replace("groups", "syllabuses")
         + f"authority: {{Syllabus: {{when: [{{organisations: [{UNIT}], order: [sis]}}]}}}}",
         "authority.Syllabus.when[0].organisations", "do not show their organisation"),
        (small("scope: {}"), "sources.sis.scope", "Give schoolTypes or organisations"),
        (small("scope: {schoolTypes: [FSK]}"), "sources.sis.scope.schoolTypes[0]", "Did you mean"),
        (SMALL.replace("organisations, persons, groups", "duties, calendarEvents")
         + "    scope: {schoolTypes: [FS]}", "sources.sis.scope.schoolTypes", "These do: organisations, persons"),
        (SMALL + "policy: {protected_persons: mask}", "policy.protected_persons", "'hide' or 'show'"),
        (SMALL + "cache: {ttl: {organisatons: 1h}}", "cache.ttl.organisatons", "Did you mean organisations"),
        (SMALL + "server: {host: 0.0.0.0}", "server.host", "allow_unauthenticated"),
        (SMALL + "server: {port: 70000}", "server.port", "at most 65535"),
        (SMALL + "server: {secret: short}", "server.secret", "at least 16"),
        (SMALL + "7: x", "?", "must be text"),
        ("sources: {}", "sources", "at least one source"),
        ("", "sources", "at least one source"),
        ("- x", "", "must be a mapping"),
        ("sources: [", "", "is not YAML"),
    ],
)  # fmt: skip
def test_a_problem_names_the_key_and_the_fix(folder: Path, text: str, key: str, fix: str) -> None:
    found = problems(folder, text)
    assert list(found) == [key]
    assert fix in found[key]


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "gateway.yaml", {})


def test_aliases_cannot_make_a_small_file_enormous(folder: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))
    assert "is not YAML that can be read" in problems(folder, f"a0: &a0 [x]\n{levels}\n")[""]


def test_an_anchor_may_be_shared_and_merged(folder: Path) -> None:
    text = """
x: &common {timeout: 3s, concurrency: 2}
"""
    assert list(problems(folder, text + SMALL)) == ["x"]
    shared = SMALL.replace("    url", "    <<: {timeout: 3s, concurrency: 2}\n    concurrency: 9\n    url")
    source = loaded(folder, shared).sources[0]
    assert (source.timeout, source.concurrency) == (3.0, 9)


def test_a_variable_may_stand_in_any_text_and_be_escaped(folder: Path) -> None:
    text = SMALL.replace("sis.example", "${HOST}") + "    endpoints: {persons: '/a$${b}'}\n    concurrency: ${N}\n"
    source = loaded(folder, text, {"HOST": "other.example", "N": "8"}).sources[0]
    assert (source.url, source.concurrency) == ("https://other.example/v2.0", 8)
    assert source.endpoints == {"Person": "/a${b}"}


SECRETS = [
    f"server: {{secret: {CANARY}, port: x}}",
    f"sources: {{sis: {{url: 'https://a:{CANARY}@b.example', resources: [persons]}}}}",
    f"sources: {{sis: {{url: 'https://b.example/?{CANARY}', resources: [persons]}}}}",
    f"sources: {{sis: {{url: {CANARY}, auth: {CANARY}, tls: {CANARY}, timeout: {CANARY}, resources: {CANARY}}}}}",
    f"sources: {{sis: {{auth: {{type: {CANARY}}}}}}}",
    f"sources: {{sis: {{auth: {{type: bearer, token: [{CANARY}]}}}}}}",
    f"sources: {{sis: {{auth: {{type: bearer, token: {{file: {CANARY}}}}}}}}}",
    f"sources: {{sis: {{auth: {{type: bearer, token: '{CANARY} {CANARY}'}}}}}}",
    f"sources: {{sis: {{auth: {{type: oauth2, token_url: {CANARY}, authentication: {CANARY}, scope: [{CANARY}]}}}}}}",
    f"sources: {{sis: {{tls: {{key: {CANARY}, ca: [{CANARY}]}}}}}}",
    "sources: {sis: {url: 'https://b.example', resources: ['${SECRET}']}}",
    "sources: {sis: {resources: [persons], holds: {Person: ['${SECRET}']}}}",
    "sources: {sis: {resources: [persons]}}\nauthority: {Person: {order: ['${SECRET}']}}",
    f"sources: {{sis: *{CANARY}}}",
    f"sources: !{CANARY} x",
    f"sources: '{CANARY}",
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_is_repeated_in_a_problem(folder: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, {"SECRET": CANARY})
    assert CANARY not in str(raised.value)
    assert CANARY not in repr(raised.value.problems)
    assert raised.value.__context__ is None, "an exception behind this one may hold values"


def test_no_secret_stands_in_the_settings_repr(folder: Path) -> None:
    text = WHOLE.replace("abc123", CANARY).replace("hush", CANARY)
    (folder / "cursor.key").write_text(CANARY)
    settings = loaded(folder, text, {"SIS_SECRET": CANARY, "OLD_SECRET": CANARY})
    assert CANARY not in repr(settings) + str(settings)


def test_the_epoch_changes_with_what_decides_an_answer_only(folder: Path) -> None:
    epoch = loaded(folder, WHOLE).epoch
    assert loaded(folder, WHOLE.replace("port: 9000", "port: 9001").replace("2.5s", "3s")).epoch == epoch
    assert loaded(folder, WHOLE, ENVIRON | {"SIS_SECRET": "another"}).epoch == epoch
    assert loaded(folder, WHOLE.replace("exists: [sis]", "exists: [hr]")).epoch != epoch
    assert loaded(folder, WHOLE.replace("schoolTypes: [FS, FTH]", "schoolTypes: [FS]")).epoch != epoch
    assert loaded(folder, WHOLE.replace("0C2F6A0D4E11", "0C2F6A0D4E12")).epoch != epoch
    assert loaded(folder, WHOLE.replace("protected_persons: show", "protected_persons: hide")).epoch != epoch
    assert loaded(folder, WHOLE.replace("https://hr.example", "https://hr2.example")).epoch != epoch


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("nameContains: superset", "nameContains: exact", False),
        ("organisation_level: {groups: Skola}", "organisation_level: {groups: Huvudman}", False),
        ("paging: token_with_filters", "paging: token", False),
        ("arrays: comma", "arrays: repeated", False),
        ("window_days: 31", "window_days: 30", False),
        ("own_ids: [groups, studyPlans]", "own_ids: [groups]", False),
        ("own_ids: [groups, studyPlans]", "own_ids: [studyPlans, Group]", True),
        ("{Persons: {nameContains: superset}, groups: {", "{person: {nameContains: superset}, groups: {", True),
        ('{"*": unknown, endDate.onOrAfter: exact}', '{endDate.onOrAfter: exact, "*": unknown}', True),
        ("profile: conformant", "# the default", True),
    ],
)
def test_the_epoch_and_what_a_source_really_does(folder: Path, before: str, after: str, same: bool) -> None:
    assert before in WHOLE
    changed = loaded(folder, WHOLE.replace(before, after)).epoch
    assert (changed == loaded(folder, WHOLE).epoch) is same


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 0.5), ("10s", 10), ("1.5m", 90), ("2h", 7200), ("1d", 86400), ("0s", 0)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("7B", 7), ("64KB", 65536), ("1.5MB", 1572864), ("1GB", 1024**3)])
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1 s", "1S", "1e3s", "٣s", "1s\n"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


def test_an_editor_can_check_a_file_by_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    assert list(validator.iter_errors(yaml.safe_load(WHOLE))) == []
    assert list(validator.iter_errors(yaml.safe_load(SMALL))) == []
    wrong = yaml.safe_load(SMALL + "    tiemout: 1s\n    timeout: 3\n")
    assert len(list(validator.iter_errors(wrong))) == 2


def documented() -> dict[str, str]:
    """The default per key in the tables of the documentation."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    return {key: default.strip().strip("`") for key, default in rows}


def keys_of(schema: Mapping[str, Any], here: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Every key of the schema with its default; what the user names is ``<name>``."""
    while "$ref" in here:
        here = schema["$defs"][here["$ref"].removeprefix("#/$defs/")]
    if "items" in here:
        yield from keys_of(schema, here["items"], prefix[:-1] + "[].")
    for variant in here.get("oneOf", []):
        yield from keys_of(schema, variant, prefix)
    for key, value in here.get("properties", {}).items():
        below = list(keys_of(schema, value, f"{prefix}{key}."))
        yield from below or [(f"{prefix}{key}", value.get("default", "required"))]
    for value in [*here.get("patternProperties", {}).values(), here.get("additionalProperties")]:
        if isinstance(value, Mapping):
            yield from keys_of(schema, value, f"{prefix}<name>.")


def test_every_key_stands_in_the_documentation_with_its_default() -> None:
    found = dict(keys_of(json_schema(), json_schema(), ""))
    table = documented()
    assert set(table) == set(found)
    for key, default in found.items():
        if key.endswith("auth.type"):
            default = "none"
        if key == "cache.ttl":
            default = default["default"]
        written = "none" if default in (None, {}, []) else str(default).lower() if default in (True, False) else default
        assert table[key] == str(written), key


def test_the_examples_in_the_documentation_are_valid_configurations(folder: Path) -> None:
    small_one, in_parts, own_ids, limited = re.findall(
        r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL
    )
    (folder / "sis.secret").write_text("secret")
    assert [source.name for source in loaded(folder, small_one, {"HR_TOKEN": "abc"}).sources] == ["sis", "hr"]
    settings = loaded(folder, in_parts)
    assert list(settings.scopes) == ["preschool", "adult"]
    assert [when.order for when in settings.authority["Person"].when] == [("preschool", "sis"), ()]
    assert loaded(folder, own_ids).identity.rules["Person"].keys == ("civicNo", "eduPersonPrincipalName")
    assert loaded(folder, limited).limits.cost_at == {"sis": Ceiling(200, 50_000, 20.0)}


def test_what_says_where_a_record_belongs_stands_in_the_documentation() -> None:
    rows = re.findall(
        r"^\| ([a-zA-Z, ]+) \| (?:`([^`]+)`)? ?\| (?:`([^`]+)`)? ?\|$", DOCS.read_text("utf-8"), re.MULTILINE
    )
    written = {plural: tuple(paths) for plurals, *paths in rows for plural in plurals.split(", ")}
    assert written == {
        RESOURCES[name].plural: (places.path(places.school_type), places.path(places.organisation))
        for name, places in PLACES.items()
    }
