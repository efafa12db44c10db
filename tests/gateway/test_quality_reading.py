"""Lists as they are read for ``check --quality``: pages, parts of a period, restarts, bounds; and ids that differ."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import httpx
import pytest

from gateway.quality import reading
from gateway.quality.progress import Progress
from gateway.quality.reading import Asked
from resolvers.contracts import Authority, Scope, When
from resolvers.federation import Federation
from resolvers.policy import HideProtected, Policy, ShowAll
from resolvers.quality import Judgement, judge
from resolvers.survey import Digests, Kind, Survey
from sources.cache import Cache
from sources.capabilities import Capabilities
from sources.errors import Fault, FaultCode
from sources.records import Answer
from sources.settings import SourceSettings
from sources.source import Source
from tests.sources.conftest import asked

PERIOD = Asked(date(2026, 3, 1), date(2026, 4, 30))
NO_CACHE = {"default": 0.0}

Handler = Callable[[httpx.Request], httpx.Response]


def person(n: int, **more: Any) -> dict[str, Any]:
    meta = {"created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}
    return {"id": f"00000000-0000-4000-8000-{n:012d}", "meta": meta, "givenName": "A", "familyName": "B", **more}


def source(name: str, handler: Handler, resources: Sequence[str] = ("Person",), **changes: Any) -> Source:
    can = {key: changes.pop(key) for key in ("window_days", "own_ids", "holds", "list_lacks") if key in changes}
    settings = SourceSettings(
        name, f"https://{name}.example/v2.0", Capabilities(frozenset(resources), **can), **changes
    )
    return Source(replace(settings, ttl=NO_CACHE), Cache(), transport=httpx.MockTransport(handler))


def giving(*records: dict[str, Any]) -> Handler:
    return lambda request: httpx.Response(200, json={"data": records})


async def surveyed(
    *sources: Source,
    asked: Asked = PERIOD,
    authority: dict[str, Authority] | None = None,
    policy: Policy | None = None,
) -> tuple[list[Survey], Judgement]:
    federation = Federation({each.name: each for each in sources}, authority, policy=policy)
    digests = Digests()
    progress = Progress(io.StringIO())
    surveys: dict[str, dict[str, Survey]] = {}
    for each in sources:
        for survey in await reading._Reader(each, federation, digests, asked, progress).lists():
            surveys.setdefault(survey.resource, {})[survey.source] = survey
    found = [survey for lists in surveys.values() for survey in lists.values()]
    return found, judge(federation, surveys, digests, asked.examples)


async def test_a_list_that_changes_meanwhile_is_read_anew_and_counted_once() -> None:
    calls: list[dict[str, list[str]]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(asked(request))
        if len(calls) == 2:
            return httpx.Response(410)
        if "pageToken" in calls[-1]:
            return httpx.Response(200, json={"data": [person(2)], "pageToken": None})
        return httpx.Response(200, json={"data": [person(1)], "pageToken": f"p{len(calls)}"})

    (survey,), judgement = await surveyed(source("sis", handler))
    assert [each.get("pageToken") for each in calls] == [None, ["p1"], None, ["p3"]]
    assert survey.records == 2
    assert judgement.findings == ()


async def test_a_list_that_changes_all_the_time_is_given_up() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "pageToken" in asked(request):
            return httpx.Response(410)
        return httpx.Response(200, json={"data": [person(1)], "pageToken": "p"})

    _, judgement = await surveyed(source("sis", handler, restarts=1))
    (finding,) = judgement.findings
    assert (finding.kind, finding.count, finding.detail) == (Kind.NOT_READ, 1, "SOURCE_LIST_CHANGED (HTTP 410)")


@pytest.mark.parametrize("max_pages", [2, 1000])
async def test_pages_that_never_end_are_left(max_pages: int) -> None:
    number = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal number
        number += 1
        token = str(number) if max_pages == 2 else "same"
        return httpx.Response(200, json={"data": [person(number)], "pageToken": token})

    _, judgement = await surveyed(source("sis", handler, max_pages=max_pages))
    (finding,) = judgement.findings
    assert (finding.kind, finding.detail) == (Kind.NOT_READ, "SOURCE_PAGING_LOOP")
    assert number <= 3


async def test_a_page_with_records_and_a_fault_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came is counted, and the list is not taken for whole; a record that cannot be used breaks nothing off."""
    sis = source("sis", giving(person(1), {"id": None}))
    _, judgement = await surveyed(sis)
    assert [f.kind for f in judgement.findings] == [Kind.NO_ID]
    whole = sis.page

    async def broken(*asked: Any) -> Answer:
        answer = await whole(*asked)
        return replace(answer, faults=(*answer.faults, Fault("sis", "Person", FaultCode.SOURCE_PAGING_LOOP)))

    monkeypatch.setattr(sis, "page", broken)
    (survey,), judgement = await surveyed(sis)
    assert (survey.records, survey.code) == (1, "SOURCE_PAGING_LOOP")
    assert [f.kind for f in judgement.findings] == [Kind.NOT_READ, Kind.NO_ID]


async def test_a_list_is_read_to_its_bound_and_that_is_said() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        page = int(asked(request).get("pageToken", ["0"])[0])
        return httpx.Response(200, json={"data": [person(page)], "pageToken": str(page + 1)})

    _, judgement = await surveyed(source("sis", handler), asked=replace(PERIOD, max_records=7))
    (finding,) = judgement.findings
    assert (finding.kind, finding.count, finding.detail) == (Kind.NOT_READ, 7, "TOO_MANY_RECORDS")


async def test_a_source_has_so_much_time_and_no_more() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        raise AssertionError("nobody waits that long")

    slow = source("sis", handler, resources=("Person", "Group"))  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        _, judgement = await surveyed(slow, asked=replace(PERIOD, time_limit=0.2))
    assert [(f.resource, f.detail) for f in judgement.findings] == [
        ("Person", "SOURCE_TIMEOUT"),
        ("Group", "SOURCE_TIMEOUT"),
    ]


async def test_after_a_refused_connection_the_source_is_left_alone() -> None:
    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ConnectError("refused")

    _, judgement = await surveyed(source("sis", handler, resources=("Person", "Group", "Room")))
    assert [f.detail for f in judgement.findings] == ["SOURCE_UNREACHABLE"] * 3
    assert calls == 1


@pytest.mark.parametrize("window_days", [None, 7, 1000])
async def test_a_period_is_split_by_what_the_source_takes_in_local_days(window_days: int | None) -> None:
    """On 29 March the clocks are put forward. An event on a boundary comes twice, and is no duplicate."""
    windows: list[tuple[datetime, datetime]] = []
    boundary = "2026-03-08T00:00:00+01:00"
    event = {"activity": {"id": "a"}, "startTime": boundary, "endTime": boundary, "meta": person(1)["meta"], "id": "e"}

    def handler(request: httpx.Request) -> httpx.Response:
        if "/activities" in request.url.path:
            return httpx.Response(200, json={"data": []})
        query = asked(request)
        windows.append(
            (
                datetime.fromisoformat(query["startTime.onOrAfter"][0]),
                datetime.fromisoformat(query["startTime.onOrBefore"][0]),
            )
        )
        begin, end = windows[-1]
        found = [event] if begin <= datetime.fromisoformat(boundary) <= end else []
        return httpx.Response(200, json={"data": found})

    (survey,), judgement = await surveyed(source("sis", handler, ("CalendarEvent",), window_days=window_days))
    assert survey.records == 1
    assert not [f for f in judgement.findings if f.kind is Kind.DUPLICATE_ID]
    assert windows[0][0].isoformat() == "2026-03-01T00:00:00+01:00"
    assert windows[-1][1].isoformat() == "2026-05-01T00:00:00+02:00"
    assert [begin for begin, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert len(windows) == (9 if window_days == 7 else 1)
    for begin, end in windows:
        assert (end.replace(tzinfo=None) - begin.replace(tzinfo=None)).days <= (window_days or 61)


# Ids


BORN = {"birthDate": "2008-02-24"}


def by_civic_no(value: str) -> dict[str, Any]:
    return {"civicNo": {"value": value, "nationality": "SE"}}


def numbered(n: int) -> dict[str, Any]:
    return {**BORN, **by_civic_no(f"20080224{n:04d}"), "eduPersonPrincipalNames": [f"Elev{n}@skola.se"]}


def others(judgement: Judgement, kind: Kind) -> list[tuple[str, str | None, str | None, int, bool]]:
    return [(f.source, f.authority, f.path, f.count, f.own_ids) for f in judgement.findings if f.kind is kind]


async def test_a_source_with_ids_of_its_own_is_found_by_strong_keys() -> None:
    shared = [person(n, **numbered(n)) for n in range(10)]
    own = [person(100 + n, **BORN, **by_civic_no(f"080224-{n:04d}")) for n in range(6)]
    own += [person(200, eduPersonPrincipalNames=["ELEV7@skola.SE "]), person(201, **by_civic_no("080224-0008"))]
    # without its birth date, the last one's number has no century: it is no key
    _, judgement = await surveyed(source("sis", giving(*shared)), source("hr", giving(*own)))
    assert others(judgement, Kind.OTHER_ID) == [("hr", "sis", "civicNo, eduPersonPrincipalNames", 7, True)]
    (finding,) = (f for f in judgement.findings if f.kind is Kind.OTHER_ID)
    assert set(finding.examples) <= {each["id"] for each in own}


async def test_a_few_persons_under_other_ids_are_no_ids_of_its_own() -> None:
    shared = [person(n, **numbered(n)) for n in range(10)]
    mostly = [*shared[:8], person(300, **numbered(9))]
    _, judgement = await surveyed(source("sis", giving(*shared)), source("hr", giving(*mostly)))
    assert others(judgement, Kind.OTHER_ID) == [("hr", "sis", "civicNo, eduPersonPrincipalNames", 1, False)]


async def test_a_number_at_another_person_is_a_disagreement_and_no_other_id() -> None:
    shared = [person(n, **numbered(n)) for n in range(5)]
    mixed = [*shared[:4], person(4, **numbered(3))]
    mixed[3] = person(3)
    _, judgement = await surveyed(source("sis", giving(*shared)), source("hr", giving(*mixed)))
    assert others(judgement, Kind.OTHER_ID) == []
    assert others(judgement, Kind.DISAGREEMENT) == [("hr", "sis", "civicNo", 1, False)]


async def test_different_people_at_different_sources_are_as_they_should_be() -> None:
    pupils = [person(n, **numbered(n)) for n in range(5)]
    staff = [person(n, **numbered(n)) for n in range(50, 55)]
    _, judgement = await surveyed(source("sis", giving(*pupils)), source("hr", giving(*staff)))
    assert judgement.findings == ()


async def test_what_is_declared_is_not_told_again() -> None:
    shared = [person(n, **numbered(n)) for n in range(5)]
    own = [person(100 + n, **numbered(n), sex="Okänd") for n in range(5)]
    decided = {"Person": Authority(exists=("sis",))}
    hr = source("hr", giving(*own), own_ids=frozenset({"Person"}))
    _, judgement = await surveyed(source("sis", giving(*shared)), hr, authority=decided)
    assert [f.kind for f in judgement.findings] == [Kind.UNKNOWN_VALUE]
    assert {each.kind for each in judgement.not_judged} == {Kind.ORPHAN, Kind.DISAGREEMENT, Kind.OTHER_ID}


async def test_references_are_looked_for_among_ids_that_mean_the_same() -> None:
    """A duty of a source with ids of its own leads to that source's persons, another's to all the others."""
    meta = person(1)["meta"]

    def duty(n: int, whose: int) -> dict[str, Any]:
        of = {"person": {"id": person(whose)["id"]}, "dutyAt": {"id": "a"}, "dutyRole": "Lärare"}
        return {**person(n), **of, "startDate": "2026-01-01", "meta": meta}

    def serving(persons: list[dict[str, Any]], duties: list[dict[str, Any]]) -> Handler:
        return lambda request: httpx.Response(
            200, json={"data": persons if request.url.path.endswith("persons") else duties}
        )

    both = ("Person", "Duty")
    sis = source("sis", serving([person(1), person(2)], [duty(51, 1), duty(52, 7)]), both)
    hr = source("hr", serving([person(7)], [duty(53, 7), duty(54, 1)]), both, own_ids=frozenset({"Person"}))
    _, judgement = await surveyed(sis, hr, authority={"Person": Authority(exists=("sis",))})
    dangling = [(f.source, f.examples) for f in judgement.findings if f.kind is Kind.DANGLING]
    assert dangling == [("sis", (person(52)["id"],)), ("hr", (person(54)["id"],))]
    # hr may bring persons into being that have another id here: whether 7 is one of them is not known
    _, judgement = await surveyed(sis, hr)
    dangling = [(f.source, f.examples) for f in judgement.findings if f.kind is Kind.DANGLING]
    assert dangling == [("hr", (person(54)["id"],))]
    assert "hr has ids of its own for Person" in {each.reason for each in judgement.not_judged}


async def test_one_number_under_two_ids_of_one_source() -> None:
    records = [person(n, **numbered(n)) for n in range(4)]
    records += [person(10, **by_civic_no("20080224-0002")), person(11, **by_civic_no("200802240002"))]
    _, judgement = await surveyed(source("sis", giving(*records)))
    assert others(judgement, Kind.DUPLICATE_KEY) == [("sis", None, "civicNo", 2, False)]


async def test_an_identifier_counts_within_its_context_and_only_if_it_is_unique() -> None:
    def with_identifier(n: int, context: str, value: str, unique: bool) -> dict[str, Any]:
        entry = {"context": context, "value": value, "globallyUnique": unique}
        return person(n, externalIdentifiers=[entry])

    here = [with_identifier(1, "a", "x", True), with_identifier(2, "a", "y", False), with_identifier(3, "b", "z", True)]
    there = [
        with_identifier(4, "a", "x", True),
        with_identifier(5, "a", "y", False),
        with_identifier(6, "c", "z", True),
    ]
    _, judgement = await surveyed(source("sis", giving(*here)), source("hr", giving(*there)))
    assert others(judgement, Kind.OTHER_ID) == [("hr", "sis", "externalIdentifiers", 1, True)]


# What is compared


async def test_facts_are_compared_and_not_how_they_are_written() -> None:
    enrolment = {"enroledAt": {"id": "AA", "displayName": "Norr"}, "schoolType": "GR", "startDate": "2025-08-18"}
    address = {"streetAddress": "A", "locality": "B", "postalCode": "1", "country": "SE"}
    one = person(
        1,
        enrolments=[enrolment, {**enrolment, "schoolType": "FTH"}],
        eduPersonPrincipalNames=[],
        emails=[{"value": "a@b.se", "type": "Privat"}],
        addresses=[address, {**address, "streetAddress": "B", "countyCode": 3}],
    )
    two = person(
        1,
        enrolments=[{**enrolment, "schoolType": "FTH", "endDate": None}, {**enrolment, "enroledAt": {"id": "{aa}"}}],
        birthDate=None,
        emails=[{"value": "c@d.se", "type": "Privat"}],
        addresses=[{"countyCode": "3", **address, "streetAddress": "B"}, {**address, "countyCode": None}],
    )
    _, judgement = await surveyed(source("sis", giving(one)), source("hr", giving(two)))
    assert judgement.findings == ()
    two["emails"].append({"value": "a@b.se", "type": "Skola elev"})
    two["addresses"][0]["locality"] = "C"
    two["enrolments"][0]["endDate"] = "2026-01-01"
    _, judgement = await surveyed(source("sis", giving(one)), source("hr", giving(two)))
    assert {(f.path, f.authority, f.count) for f in judgement.findings} == {
        ("emails", "sis", 1),
        ("addresses", "sis", 1),
        ("enrolments", "sis", 1),
    }


async def test_what_does_not_exist_is_not_disagreed_about() -> None:
    one = person(1, emails=[{"value": "a@b.se", "type": "Privat"}], sex="Man", securityMarking="Ingen")
    two = person(
        1, emails=[{"value": "a@b.se", "type": "Skola elev"}], sex="Okänt", securityMarking="Sekretessmarkering"
    )
    sources = source("sis", giving(one)), source("hr", giving(two)), source("lms", giving(person(2)))
    _, judgement = await surveyed(*sources, authority={"Person": Authority(exists=("lms",))})
    assert {(f.source, f.kind, f.count) for f in judgement.findings} == {
        ("sis", Kind.ORPHAN, 1),
        ("hr", Kind.ORPHAN, 1),
    }


async def test_who_is_believed_is_not_guessed_where_it_depends_on_the_record() -> None:
    decided = {"Person": Authority(when=(When(Scope(school_types=frozenset({"GR"})), order=("hr",)),))}
    sources = source("sis", giving(person(1, sex="Man"))), source("hr", giving(person(1, sex="Okänt")))
    _, judgement = await surveyed(*sources, authority=decided)
    assert judgement.findings == ()
    assert [each.kind for each in judgement.not_judged] == [Kind.DISAGREEMENT]


async def test_the_ids_of_the_protected_are_told_only_where_they_are_shown() -> None:
    one, two = person(1, securityMarking="Ingen"), person(1, securityMarking="Sekretessmarkering")
    for policy, told in ((HideProtected(), ()), (ShowAll(), (person(1)["id"],))):
        sources = source("sis", giving(one)), source("hr", giving(two))
        _, judgement = await surveyed(*sources, policy=policy)
        assert [(f.source, f.path, f.authority, f.count, f.examples) for f in judgement.findings] == [
            ("sis", "securityMarking", "hr", 1, told)
        ]


async def test_having_nothing_is_no_disagreement_and_being_believed_to_have_nothing_is() -> None:
    one, two = person(1, birthDate=None, sex="Man"), person(1, birthDate="2010-01-01", sex=None)
    _, judgement = await surveyed(source("sis", giving(one)), source("hr", giving(two)))
    assert [(f.source, f.path, f.authority) for f in judgement.findings] == [("hr", "birthDate", "sis")]
    silent = person(1, sex="Man")
    _, judgement = await surveyed(source("sis", giving(silent)), source("hr", giving(two)))
    assert judgement.findings == ()
    holds = {"Person": frozenset({"givenName", "familyName", "birthDate", "sex"})}
    _, judgement = await surveyed(source("sis", giving(silent), holds=holds), source("hr", giving(two)))
    assert [(f.source, f.path, f.authority) for f in judgement.findings] == [("hr", "birthDate", "sis")]


async def test_of_records_with_one_id_the_first_counts() -> None:
    sis = source("sis", giving(person(1), person(1, familyName="C"), {**person(1), "givenName": None}))
    _, judgement = await surveyed(sis, source("hr", giving(person(1, familyName="C"))))
    assert [(f.source, f.kind, f.path, f.count, f.authority) for f in judgement.findings] == [
        ("sis", Kind.DUPLICATE_ID, None, 2, None),
        ("hr", Kind.DISAGREEMENT, "familyName", 1, "sis"),
    ]


async def test_what_a_source_is_declared_not_to_have_is_not_missing() -> None:
    bare = {key: value for key, value in person(1).items() if key not in ("familyName", "meta")}
    assert [(f.kind, f.path) for f in (await surveyed(source("sis", giving(bare))))[1].findings] == [
        (Kind.MISSING, "familyName"),
        (Kind.MISSING, "meta"),
    ]
    holds = {"Person": frozenset({"givenName"})}
    _, judgement = await surveyed(source("sis", giving(bare), holds=holds))
    assert [f.path for f in judgement.findings] == ["meta"]
    _, judgement = await surveyed(source("sis", giving(bare), list_lacks={"Person": frozenset({"familyName"})}))
    assert [f.path for f in judgement.findings] == ["meta"]


async def test_a_report_of_nothing_but_what_is_there_is_empty() -> None:
    (survey,), judgement = await surveyed(source("sis", giving(*(person(n) for n in range(3)))))
    assert (survey.records, survey.complete, judgement.findings, judgement.not_judged) == (3, True, (), ())
