"""Sources with ids of their own: every answer is the one that shared ids would give, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.cursor import Sealer
from resolvers.federation import Federation
from resolvers.identity import IdentityRule
from resolvers.identity.store import Store
from sources.errors import FaultCode
from tests.fakes import FakeSource
from tests.resolvers.worlds import answer, identity

from .renamed import Record, own_id, renamed

PERSONS = [identity(0x0B, number) for number in range(1, 6)]
UNITS = [identity(0x0A, number) for number in range(1, 3)]
DUTIES = [identity(0x0D, number) for number in range(1, 5)]
EVENT = identity(0x1B, 1)
RULES = {
    "Person": IdentityRule(("civicNo", "eduPersonPrincipalName")),
    "Organisation": IdentityRule(("schoolUnitCode",)),
    "Duty": IdentityRule(("person",)),
}
OWN = {"hr": frozenset({"Person", "Duty", "Organisation"}), "narvaro": frozenset({"Person"})}

QUERY = """
query ($person: ID!, $unit: ID!, $from: Date!) {
  person(id: $person) { ...all }
  persons(first: 10, orderBy: [FAMILY_NAME_ASC]) { nodes { ...all } complete }
  duties(filter: {person: $person}, first: 10) { nodes { id dutyRole person { id givenName } dutyAt { id } } complete }
  atUnit: duties(filter: {organisation: $unit}, first: 10) { nodes { id person { givenName } } complete }
  attendances(filter: {student: $person}, first: 10) { nodes { id student { id familyName } reporter { id } } }
  organisations(first: 10) { nodes { id displayName duties { id } } complete }
}
fragment all on Person {
  id givenName familyName emails { value }
  duties { id dutyRole dutyAt { id displayName } }
  attendances(during: {from: $from, to: $from}) { id reporter { id givenName } }
  responsibles { person { id givenName } }
  responsibleFor { person { id } }
}
"""


def a_town(random: Random) -> dict[str, dict[str, list[Record]]]:
    """Persons known to sis, partly to hr and narvaro; duties known to hr and partly to sis.

    What shared ids would link, keys link too: only sis uses an id of another's without having the record.
    """

    def some(of: list[str]) -> list[str]:
        return [each for each in of if random.random() < 0.7]

    def keys(each: str) -> Record:
        number = PERSONS.index(each) + 1
        return {"civicNo": {"value": f"20130{number}011234"}, "eduPersonPrincipalNames": [f"P{number}@skola.se"]}

    def duty(each: str) -> Record:
        number = DUTIES.index(each)
        return {
            "id": each,
            "person": {"id": PERSONS[number]},
            "dutyAt": {"id": UNITS[number % 2]},
            "dutyRole": "Lärare",
            "startDate": f"202{number}-01-01",
        }

    sis_persons = some(PERSONS)
    hr_persons, stubs = some(PERSONS), some(PERSONS)
    sis = {
        "Organisation": [
            {"id": each, "displayName": f"Unit {n}", "schoolUnitCode": f"1234567{n}"} for n, each in enumerate(UNITS)
        ],
        "Person": [
            {
                "id": each,
                "givenName": f"Given {each[-1]}",
                "familyName": f"Family {each[-1]}",
                **keys(each),
                "responsibles": [{"person": {"id": random.choice(sis_persons)}, "relationType": "Vårdnadshavare"}],
            }
            for each in sis_persons
        ],
        "Duty": [
            duty(each) | {"signature": "SIS"} for each in some(DUTIES) if PERSONS[DUTIES.index(each)] in sis_persons
        ],
    }
    hr = {
        "Organisation": [{"id": each, "schoolUnitCode": f"1234567{n}"} for n, each in enumerate(UNITS)],
        "Person": [
            {"id": each, "familyName": "Hr", "emails": [{"value": f"{each[-1]}@hr.se", "type": "Skola personal"}]}
            | (
                keys(each)
                if each not in sis_persons or random.random() < 0.5
                else {"eduPersonPrincipalNames": [f"p{PERSONS.index(each) + 1}@SKOLA.se"]}
            )
            for each in hr_persons
        ],
        "Duty": [duty(each) for each in some(DUTIES) if PERSONS[DUTIES.index(each)] in hr_persons],
    }
    narvaro = {
        "Person": [{"id": each, "civicNo": keys(each)["civicNo"]} for each in stubs],
        "Attendance": [
            {
                "id": identity(0x1D, number),
                "calendarEvent": {"id": EVENT},
                "student": {"id": each},
                "reporter": {"id": random.choice(stubs)},
                "reportedTimestamp": "2026-03-25T09:00:00+01:00",
            }
            for number, each in enumerate(stubs)
        ],
    }  # fmt: skip
    return {"sis": sis, "hr": hr, "narvaro": narvaro}


def gateway(
    town: Mapping[str, Mapping[str, list[Record]]],
    own: Mapping[str, frozenset[str]] = {},
    store: Store | None = None,
) -> Federation:
    sources = {
        name: FakeSource(name, renamed(name, records, own.get(name, ())), own_ids=own.get(name, frozenset()))
        for name, records in town.items()
    }
    return Federation(
        sources,
        sealer=Sealer([b"one secret for all of these"]),
        identity=RULES,
        identity_store=store,
        identity_refresh=0.001,
    )


def known_to_sis(town: Mapping[str, Mapping[str, list[Record]]], resource: str) -> set[str]:
    return {str(record["id"]) for record in town["sis"][resource]}


def unlinked(value: object) -> object:
    """Ids of things that only sources with own ids know, by a name that does not depend on whose id was taken."""
    names = {own_id(source, each): each for source in ("narvaro", "hr") for each in (*PERSONS, *DUTIES, *UNITS)}
    return _named(value, names)


def _named(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _named(each, names) for key, each in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def in_order(value: object) -> object:
    """Lists without their order: where no order is asked for, it is that of ids, and ids differ."""
    if isinstance(value, list):
        return sorted((in_order(each) for each in value), key=repr)
    if isinstance(value, dict):
        return {key: in_order(each) for key, each in value.items()}
    return value


@given(st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_the_answer_is_the_one_of_shared_ids(seed: int) -> None:
    random = Random(seed)
    town = a_town(random)
    person = random.choice(PERSONS)
    asked = {"person": person, "unit": random.choice(UNITS), "from": "2026-03-25"}
    expected = answer(gateway(town), QUERY, asked)["data"]
    entity = person if person in known_to_sis(town, "Person") else _its_id(town, person)
    found = answer(gateway(town, OWN), QUERY, asked | {"person": entity})["data"]
    assert in_order(unlinked(found)) == in_order(expected)


def _its_id(town: Mapping[str, Mapping[str, list[Record]]], person: str) -> str:
    """The gateway's id of a person that sis does not know: the one of the first source that does."""
    for name in ("hr", "narvaro"):
        if any(record["id"] == person for record in town[name]["Person"]):
            return own_id(name, person)
    return person


# Ids that were given once stay

ADA = PERSONS[0]
HR_ADA = own_id("hr", ADA)
SHORT = """query ($id: ID!) {
  person(id: $id) { id givenName emails { value } duties { id } provenance { sources { name id matchedBy } } }
}"""


def small(*, hr_keys: Record | None = None) -> dict[str, dict[str, list[Record]]]:
    """One person, with a duty in hr."""
    keys: Record = {"civicNo": {"value": "201301011234"}, "eduPersonPrincipalNames": ["ada@skola.se"]}
    return {
        "sis": {"Person": [{"id": ADA, "givenName": "Ada", **keys}]},
        "hr": {
            "Person": [{"id": ADA, "emails": [{"value": "ada@hr.se"}], **(keys if hr_keys is None else hr_keys)}],
            "Duty": [{"id": DUTIES[0], "person": {"id": ADA}}],
        },
    }


def person(over: Federation, id: str, **options: bool) -> Any:
    return answer(over, SHORT, {"id": id}, **options)["data"]["person"]


def source(over: Federation, name: str) -> FakeSource:
    found = over.sources[name]
    assert isinstance(found, FakeSource)
    return found


def test_provenance_says_whose_id_and_how_it_was_recognised() -> None:
    found = person(gateway(small(), OWN), ADA)
    assert found["id"] == ADA
    assert [each["id"] for each in found["duties"]] == [own_id("hr", DUTIES[0])]
    assert found["provenance"]["sources"] == [
        {"name": "sis", "id": ADA, "matchedBy": "id"},
        {"name": "hr", "id": HR_ADA, "matchedBy": "civicNo"},
    ]


def test_ids_stay_while_a_source_is_down_also_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "ids.sqlite")
    assert person(gateway(small(), OWN, store), ADA)["emails"] == [{"value": "ada@hr.se"}]
    store.close()
    again = gateway(small(), OWN, Store(tmp_path / "ids.sqlite"))
    source(again, "sis").fail(FaultCode.SOURCE_UNAVAILABLE)
    found = answer(again, "{ duties(first: 5) { nodes { person { id } } } }", errors=True)["data"]
    assert found == {"duties": {"nodes": [{"person": {"id": ADA}}]}}
    assert person(again, ADA, errors=True)["emails"] == [{"value": "ada@hr.se"}]


def test_a_source_whose_ids_could_not_be_read_is_missed_where_it_may_have_something() -> None:
    over = gateway(small(), OWN)
    source(over, "hr").fail(FaultCode.SOURCE_UNAVAILABLE)
    query = "query ($id: ID!) { personsByIds(ids: [$id]) { givenName } }"
    body = answer(over, query, {"id": ADA}, errors=True)
    assert body["data"] == {"personsByIds": [{"givenName": "Ada"}]}
    assert [each["source"] for each in body["extensions"]["completeness"]["gaps"]] == ["hr"]


def test_a_link_that_comes_to_light_later_changes_no_id() -> None:
    """sis is down when the person is first shown, so hr's id is given; sis's own id then leads there too."""
    over = gateway(small(), OWN)
    source(over, "sis").fail(FaultCode.SOURCE_UNAVAILABLE)
    shown = answer(over, "{ duties(first: 5) { nodes { person { id } } complete gaps { source } } }", errors=True)[
        "data"
    ]
    assert shown["duties"] == {
        "nodes": [{"person": {"id": HR_ADA}}],
        "complete": False,  # whether it is somebody whom sis knows, nobody can tell now
        "gaps": [{"source": "sis"}],
    }
    source(over, "sis").heal()
    for each in (HR_ADA, ADA):
        found = person(over, each)
        assert found["id"] == HR_ADA
        assert (found["givenName"], found["emails"]) == ("Ada", [{"value": "ada@hr.se"}])
    filtered = "query ($id: ID!) { duties(filter: {person: $id}, first: 5) { nodes { person { id } } } }"
    assert answer(over, filtered, {"id": ADA})["data"] == {"duties": {"nodes": [{"person": {"id": HR_ADA}}]}}


def test_two_that_turn_out_to_be_one_keep_the_older_id_and_both_lead_there() -> None:
    over = gateway(small(hr_keys={}), OWN)
    assert person(over, HR_ADA)["givenName"] is None
    assert person(over, ADA)["emails"] is None
    source(over, "hr").records["Person"][0] = {
        **source(over, "hr").records["Person"][0],
        "eduPersonPrincipalNames": ["ADA@skola.se"],
    }
    for each in (HR_ADA, ADA):
        found = person(over, each)
        assert (found["id"], found["givenName"], found["emails"]) == (ADA, "Ada", [{"value": "ada@hr.se"}])


def test_keys_that_point_to_two_persons_merge_nobody_and_say_so() -> None:
    town = small(hr_keys={"civicNo": {"value": "201301019999"}, "eduPersonPrincipalNames": ["ada@skola.se"]})
    over = gateway(town, OWN)
    asked = "{ persons(first: 5) { nodes { id givenName } complete gaps { source resource code retryable } } }"
    body = answer(over, asked, errors=True)
    found = body["data"]["persons"]
    assert {each["id"] for each in found["nodes"]} == {ADA, HR_ADA}
    assert found["complete"] is False
    conflict = {"resource": "Person", "code": "IDENTITY_CONFLICT", "retryable": False}
    assert sorted(found["gaps"], key=str) == sorted(
        [{"source": "sis", **conflict}, {"source": "hr", **conflict}], key=str
    )
    assert "2013" not in str(body["errors"])


def test_a_link_that_the_records_contradict_is_undone_and_says_so() -> None:
    over = gateway(small(), OWN)
    assert person(over, ADA)["emails"] == [{"value": "ada@hr.se"}]
    changed = {"civicNo": {"value": "201301019999"}, "eduPersonPrincipalNames": ["other@skola.se"]}
    source(over, "hr").records["Person"][0] = {**source(over, "hr").records["Person"][0], **changed}
    body = answer(over, "{ persons(first: 5) { nodes { id } gaps { source code } } }", errors=True)
    assert {each["id"] for each in body["data"]["persons"]["nodes"]} == {ADA, HR_ADA}
    assert body["data"]["persons"]["gaps"] == [{"source": "hr", "code": "IDENTITY_SPLIT"}]
    assert person(over, ADA, errors=True)["emails"] is None
    assert person(over, HR_ADA, errors=True)["emails"] == [{"value": "ada@hr.se"}]


def test_what_a_source_deleted_is_named_by_the_gateways_id() -> None:
    over = gateway(small(), OWN)
    source(over, "hr").gone = {"Person": frozenset({HR_ADA})}
    found = answer(over, "{ deletedEntities { nodes { source id } } }")["data"]["deletedEntities"]["nodes"]
    assert found == [{"source": "hr", "id": ADA}]


def test_without_sources_that_have_ids_of_their_own_no_list_is_read_for_them() -> None:
    over = gateway(small())
    answer(over, "query ($id: ID!) { person(id: $id) { givenName emails { value } } }", {"id": ADA})
    assert {call.op for name in over.sources for call in source(over, name).calls} == {"lookup"}


def test_a_source_is_not_asked_for_what_refers_to_somebody_it_does_not_know() -> None:
    town = small()
    town["sis"]["Person"].append({"id": PERSONS[1], "givenName": "Bo"})
    over = gateway(town, OWN)
    assert person(over, PERSONS[1])["duties"] == []
    assert [call for call in source(over, "hr").calls if call.resource == "Duty"] == []
