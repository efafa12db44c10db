"""A sorted list whose one source sorts it: its pages are read from there, and the answer is the one of the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.federation import Federation
from sources.capabilities import Filter
from sources.errors import FaultCode
from tests.fakes import FakeSource

from .oracle import Oracle
from .worlds import Decisions, Record, World, answer, fakes, federation, identity

thorough = settings(
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

KEYS = {
    "DisplayNameAsc": ("DISPLAY_NAME_ASC", "displayName", False),
    "StartDateDesc": ("START_DATE_DESC", "startDate", True),
    "EndDateAsc": ("END_DATE_ASC", "endDate", False),
}
NAMES = ("Ärt", "ärt", "Åka", "apa", "Apa", "Bo", "Zoe", "Öl", "édith", "Emil", None)
DAYS = ("2025-08-18", "2026-01-07", "2026-06-12", None)
DRIVER = "sis"


@dataclass(frozen=True)
class Case:
    """Groups that only sis brings into being and names; the lms says what kind some of them are."""

    world: World
    key: str
    page_size: int

    @property
    def expected(self) -> list[str]:
        oracle = Oracle(self.world)
        _, column, descending = KEYS[self.key]
        return oracle.ordered("Group", oracle.listed("Group"), [(column, descending)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = [identity(0x1C, number) for number in draw(st.permutations(range(draw(st.integers(1, 16)))))]
    groups: list[Record] = [
        Record(
            id=id,
            displayName=draw(st.sampled_from(NAMES)),
            startDate=draw(st.sampled_from(DAYS)),
            endDate=draw(st.sampled_from(DAYS)),
        )
        for id in ids
    ]
    others: list[Record] = [Record(id=id, groupType="Klass", displayName="Bo") for id in ids[::2]]
    return Case(small(groups, others), draw(st.sampled_from([*KEYS])), draw(st.sampled_from([1, 2, 3, 5, 20])))


def small(groups: list[Record], others: list[Record], **decided: Any) -> World:
    said = dict.fromkeys(("displayName", "startDate", "endDate"), (DRIVER,))
    decisions = {"Group": Decisions(exists=(DRIVER,), fields={**said, **decided})}
    return World({DRIVER: {"Group": groups}, "lms": {"Group": others}}, decisions)


Sort = Callable[[list[Record]], list[Record]]


def truthful(case: Case) -> Sort:
    """The gateway's order, but ties as they come."""
    _, column, descending = KEYS[case.key]
    oracle = Oracle(case.world)

    def sort(records: list[Record]) -> list[Record]:
        having = [record for record in records if record[column] is not None]
        having.sort(key=lambda record: oracle._sort_value("Group", str(record["id"]), column), reverse=descending)
        return having + [record for record in records if record[column] is None]

    return sort


def served(case: Case, sort: Sort, **capabilities: Any) -> Federation:
    sources = fakes(case.world, **{"sort_keys": {"Group": frozenset({case.key})}, **capabilities})
    for each in sources.values():
        each.page_size = case.page_size
    sources[DRIVER].sorts = {case.key: sort}
    return federation(case.world, sources)


def page(over: Federation, key: str, first: int, after: str | None = None, more: str = "") -> dict[str, Any]:
    query = f"""query($after: String) {{ groups(first: {first}, after: $after, orderBy: [{KEYS[key][0]}] {more}) {{
        edges {{ cursor node {{ id displayName groupType }} }} pageInfo {{ hasNextPage endCursor }} complete
    }} }}"""
    found: dict[str, Any] = answer(over, query, {"after": after})["data"]["groups"]
    assert found["complete"]
    return found


def ids_of(shown: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in shown["edges"]]


def asked(over: Federation, *ops: str, source: str = DRIVER) -> int:
    fake = over.sources[source]
    assert isinstance(fake, FakeSource)
    return sum(call.op in ops for call in fake.calls)


@settings(thorough, max_examples=200)
@given(cases(), st.sampled_from([1, 2, 3, 7, 50]), st.integers(0, 99))
def test_a_walk_gives_every_record_once_in_order(case: Case, first: int, pick: int) -> None:
    over = served(case, truthful(case))
    ids: list[str] = []
    cursors: list[str] = []
    has_next = True
    while has_next:
        shown = page(over, case.key, first, cursors[-1] if cursors else None)
        assert len(shown["edges"]) <= first
        ids += ids_of(shown)
        cursors += [edge["cursor"] for edge in shown["edges"]]
        has_next = shown["pageInfo"]["hasNextPage"]
    assert ids == case.expected
    for other in (served(case, truthful(case)), unsorted(case)):  # another process; one that makes an index
        place = pick % len(ids)
        rest = page(other, case.key, 50, cursors[place])
        assert ids_of(rest) == ids[place + 1 :]
        assert not rest["pageInfo"]["hasNextPage"]


def unsorted(case: Case) -> Federation:
    return federation(case.world, fakes(case.world))


def code_points(case: Case, records: list[Record]) -> list[Record]:
    _, column, descending = KEYS[case.key]
    return sorted(records, key=lambda record: str(record[column] or "\U0010ffff"), reverse=descending)


def nulls_first(case: Case, records: list[Record]) -> list[Record]:
    found = truthful(case)(records)
    return sorted(found, key=lambda record: record[KEYS[case.key][1]] is not None)


def backwards(case: Case, records: list[Record]) -> list[Record]:
    return truthful(case)(records)[::-1]


def as_they_are(case: Case, records: list[Record]) -> list[Record]:
    return records


def one_out_of_place(case: Case, records: list[Record]) -> list[Record]:
    *found, last = truthful(case)(records)
    return [*found[: len(found) // 2], last, *found[len(found) // 2 :]]


def one_twice(case: Case, records: list[Record]) -> list[Record]:
    found = truthful(case)(records)
    return [*found[:2], *found[1:]]


@settings(thorough, max_examples=300)
@given(
    cases(),
    st.sampled_from([code_points, nulls_first, backwards, as_they_are, one_out_of_place, one_twice]),
    st.sampled_from([1, 2, 3, 7, 50]),
)
def test_a_source_that_sorts_otherwise_than_it_declares_is_found_out(
    case: Case, lie: Callable[[Case, list[Record]], list[Record]], first: int
) -> None:
    """Where its list is read to its end. What lies behind what is read, nobody can tell (docs/sources.md)."""
    case = replace(case, page_size=20)
    over = served(case, lambda records: lie(case, records))
    ids: list[str] = []
    shown = page(over, case.key, first)
    ids += ids_of(shown)
    while shown["pageInfo"]["hasNextPage"]:
        shown = page(over, case.key, first, shown["pageInfo"]["endCursor"])
        ids += ids_of(shown)
    assert ids == case.expected


# Calls


def many(count: int = 200, **decided: Any) -> Case:
    """``count`` groups of which every second shares its name with the next."""
    ids = [identity(0x1C, number * 7919 % 1009) for number in range(count)]
    groups: list[Record] = [
        Record(id=id, displayName=f"{number // 2:04}", startDate=None, endDate=None) for number, id in enumerate(ids)
    ]
    others: list[Record] = [Record(id=id, groupType="Klass") for id in ids]
    return Case(small(groups, others, **decided), "DisplayNameAsc", 10)


def test_ten_of_twenty_pages_cost_one_and_the_next_ten_no_more_than_they_need() -> None:
    case = replace(many(), page_size=11)
    over = served(case, truthful(case))
    shown = page(over, case.key, 9)
    assert ids_of(shown) == case.expected[:9]
    assert (asked(over, "page"), asked(over, "walk"), asked(over, "lookup", source="lms")) == (1, 0, 1)
    shown = page(over, case.key, 9, shown["pageInfo"]["endCursor"])
    assert ids_of(shown) == case.expected[9:18]
    assert (asked(over, "page"), asked(over, "walk")) == (3, 0)


def test_a_first_page_that_ends_with_its_sources_page_needs_the_next_one() -> None:
    """Whether another record ties with its last one, and whether more follow."""
    case = many()
    over = served(case, truthful(case))
    assert ids_of(page(over, case.key, 10)) == case.expected[:10]
    assert (asked(over, "page"), asked(over, "walk")) == (2, 0)


def test_a_lie_costs_the_index_once() -> None:
    case = many()
    over = served(case, lambda records: records[::-1])
    over.sources[DRIVER].ttl = 60.0  # type: ignore[attr-defined]
    for _ in range(2):
        assert ids_of(page(over, case.key, 10)) == case.expected[:10]
    assert (asked(over, "page"), asked(over, "walk")) == (1, 1)


def test_a_tie_that_does_not_end_costs_the_index() -> None:
    case = replace(many(), page_size=10)
    for record in case.world.sources[DRIVER]["Group"]:
        record["displayName"] = "same"
    over = served(case, truthful(case))
    assert ids_of(page(over, case.key, 10)) == case.expected[:10]
    assert (asked(over, "page"), asked(over, "walk")) == (4, 1)


def test_a_source_that_does_not_answer_when_it_sorts_costs_the_index() -> None:
    case = many()
    over = served(case, truthful(case))
    over.sources[DRIVER].fail(FaultCode.SOURCE_REQUEST_REFUSED, op="page")  # type: ignore[attr-defined]
    assert ids_of(page(over, case.key, 10)) == case.expected[:10]
    assert asked(over, "walk") == 1


def test_who_reads_on_has_the_index() -> None:
    case = replace(many(900), page_size=300)
    over = served(case, truthful(case))
    shown = page(over, case.key, 500)
    assert (asked(over, "page"), asked(over, "walk")) == (2, 0)
    rest = page(over, case.key, 500, shown["pageInfo"]["endCursor"])
    assert (asked(over, "page"), asked(over, "walk")) == (2, 1)
    assert ids_of(shown) + ids_of(rest) == case.expected


def test_a_list_that_has_changed_loses_and_doubles_nothing_that_has_not() -> None:
    """Pages by number: what was removed from the first lets a record slip from the second onto it."""
    case = many()
    over = served(case, truthful(case))
    shown = page(over, case.key, 25)
    source = over.sources[DRIVER]
    assert isinstance(source, FakeSource)
    gone = set(case.expected[:23])
    source.records["Group"] = [record for record in source.records["Group"] if record["id"] not in gone]
    rest = page(over, case.key, 50, shown["pageInfo"]["endCursor"])
    assert ids_of(rest) == case.expected[25:75]


CLASSES = 'filter: {groupType: [KLASS]}'  # fmt: skip


@pytest.mark.parametrize(
    ("streams", "decided", "more", "capabilities"),
    [
        (True, {}, "", {}),
        (True, {"groupType": (DRIVER,)}, CLASSES, {}),
        (False, {"groupType": ("lms",)}, CLASSES, {}),
        (False, {"groupType": (DRIVER, "lms")}, CLASSES, {}),
        (False, {"displayName": (DRIVER, "lms")}, "", {}),
        (False, {}, "", {"sort_keys": {"Group": frozenset({"DisplayNameDesc"})}}),
        (False, {"groupType": (DRIVER,)}, CLASSES, {"filters": {"Group": {"groupType": Filter.SUPERSET}}}),
        (False, {}, "", {"list_lacks": {"Group": frozenset({"displayName"})}}),
    ],
)
def test_a_list_is_read_in_its_sources_order_only_where_that_source_alone_decides(
    streams: bool, decided: dict[str, Any], more: str, capabilities: dict[str, Any]
) -> None:
    case = many(40, **decided)
    for number, record in enumerate(case.world.sources[DRIVER]["Group"]):
        record["groupType"] = "Klass" if number % 3 else "Mentor"
    oracle = Oracle(case.world)
    expected = [each for each in case.expected if not more or oracle.value("Group", each, "groupType") == "Klass"]
    over = served(case, truthful(case), **capabilities)
    assert ids_of(page(over, case.key, 5, more=more)) == expected[:5]
    assert bool(asked(over, "page")) is streams
    assert not (streams and asked(over, "walk"))
