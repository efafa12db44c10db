"""Lists that are read to their end: from a kept listing, with pages that are gone, and while the sources change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.contracts import Limits, Selector, Want
from resolvers.driver import run
from resolvers.errors import Code, InvalidCursor
from resolvers.federation import Federation
from resolvers.operation import Operation
from resolvers.steps import connection
from resolvers.steps.connection import Listed
from sources.errors import FaultCode
from sources.standard import RESOURCES
from tests.fakes import FakeSource

from .oracle import Oracle
from .test_connection import COLUMNS, EVERY, MANY_GROUPS, NARROWED, ORDERS, Narrowed, thorough, two_sources, walk
from .worlds import Record, World, answer, fakes, federation, worlds

UNORDERED: tuple[str, list[tuple[str, bool]]] = ("", [])


@pytest.fixture(autouse=True)
def _reads_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes back with a cursor is taken to read the list to its end."""
    monkeypatch.setattr(connection, "_READS_ON", 1)


def kept(world: World, *, forgets: bool = False, **settings: Any) -> Federation:
    """A gateway over sources whose lists stay what they are for an hour."""
    sources = fakes(world)
    for source in sources.values():
        source.ttl, source.forgets = 3600.0, forgets
    return federation(world, sources, **settings)


def fake(over: Federation, name: str) -> FakeSource:
    source = over.sources[name]
    assert isinstance(source, FakeSource)
    return source


def ops(over: Federation) -> list[str]:
    return [call.op for source in over.sources.values() for call in source.calls]  # type: ignore[attr-defined]


@settings(thorough, max_examples=80)
@given(
    worlds("Group", columns={"Group": COLUMNS}, ids={"Group": MANY_GROUPS}),
    st.sampled_from([1, 2, 7]),
    st.sampled_from([EVERY, *NARROWED]),
    st.sampled_from([UNORDERED, UNORDERED, *ORDERS]),
    st.booleans(),
    st.booleans(),
)
def test_a_list_read_to_its_end_is_the_merged_list(
    world: World, first: int, narrowed: Narrowed, order: tuple[str, list[tuple[str, bool]]], forgets: bool, fits: bool
) -> None:
    """Whether its listing is kept or made for every page, and whether the sources' pages are still there or not."""
    oracle = Oracle(world)
    over = kept(world, forgets=forgets, limits=Limits(max_index_bytes=10**6 if fits else 0))
    ids, _ = walk(over, f"{narrowed.argument} orderBy: {order[0]}" if order[0] else narrowed.argument, first)
    selected = [id for id in oracle.listed("Group") if narrowed.selects(oracle, id)]
    if order[0]:
        assert ids == oracle.ordered("Group", selected, order[1])
    elif narrowed is EVERY:
        assert ids == selected
    else:
        assert sorted(ids) == sorted(selected)


@pytest.mark.parametrize("order", ["orderBy: [DISPLAY_NAME_ASC]", ""], ids=["ordered", "unordered"])
def test_further_pages_cost_no_call(order: str) -> None:
    over = kept(two_sources())
    ids, _ = walk(over, order, 1)
    assert len(ids) == 5
    assert ops(over).count("walk") == 2
    again, _ = walk(over, order, 2)
    assert again == ids
    assert ops(over).count("walk") == 2


def test_a_listing_is_of_its_query_alone() -> None:
    over = kept(two_sources())
    by_name, _ = walk(over, "orderBy: [DISPLAY_NAME_ASC]", 2)
    by_start, _ = walk(over, "orderBy: [START_DATE_DESC]", 2)
    narrowed, _ = walk(over, "filter: {groupType: [UNDERVISNING]} orderBy: [DISPLAY_NAME_ASC]", 2)
    assert by_name == [MANY_GROUPS[place] for place in (1, 2, 0, 4, 3)]  # A B C D E
    assert by_start == sorted(by_name)
    assert narrowed == []


def test_a_listing_ends_with_the_walks_it_is_made_of() -> None:
    over = kept(two_sources())
    first = _page(over, 1, None, "orderBy: [DISPLAY_NAME_ASC]")
    fake(over, "lms").records["Group"].append(Record(id=MANY_GROUPS[6], displayName="AB"))
    assert _ids(_page(over, 1, first["pageInfo"]["endCursor"], "orderBy: [DISPLAY_NAME_ASC]")) == [MANY_GROUPS[2]]
    for name in ("sis", "lms"):
        fake(over, name).clock = lambda: 10.0**12
    assert _ids(_page(over, 1, first["pageInfo"]["endCursor"], "orderBy: [DISPLAY_NAME_ASC]")) == [MANY_GROUPS[6]]


@pytest.mark.parametrize("order", ["orderBy: [DISPLAY_NAME_ASC]", ""], ids=["ordered", "unordered"])
def test_a_record_that_became_protected_is_not_shown_from_a_kept_listing(order: str) -> None:
    """Its pages are gone, so that it is asked for anew when it is shown; another takes its place."""
    people = [Record(id=id, givenName=name) for id, name in zip(MANY_GROUPS, "ABCDE", strict=False)]
    over = kept(World({"sis": {"Person": people}, "hr": {"Person": []}}, page_size=2), forgets=True)
    first = _page(over, 1, None, order, "persons")
    _page(over, 1, first["pageInfo"]["endCursor"], order, "persons")
    fake(over, "sis").records["Person"][2] = {**people[2], "securityMarking": "Sekretessmarkering"}
    rest = _page(over, 2, first["pageInfo"]["endCursor"], order, "persons")
    assert _ids(rest) == [MANY_GROUPS[1], MANY_GROUPS[3]]


# While the sources change


@settings(thorough, max_examples=300)
@given(
    worlds("Group", columns={"Group": COLUMNS}, ids={"Group": MANY_GROUPS}),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([UNORDERED, UNORDERED, *ORDERS]),
    st.booleans(),
    st.data(),
)
def test_what_does_not_change_is_neither_lost_nor_doubled(
    world: World, first: int, order: tuple[str, list[tuple[str, bool]]], reads_on: bool, data: st.DataObject
) -> None:
    """Between pages records are added, removed, and changed (so that they move to the front of their source's list).

    An unordered walk may end with CURSOR_EXPIRED instead; an ordered one never.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_READS_ON", 1 if reads_on else 100)
        over = federation(world, fakes(world))
        before = Oracle(world).listed("Group")
        selector = Selector(order=tuple(_KEYS[key] for key in order[1]), first=first)
        changed: set[str] = set()
        ids: list[str] = []
        after: str | None = None
        whole = expired = False
        for _ in range(60):
            try:
                listed = _by_step(over, selector, after)
            except InvalidCursor as refused:
                expired = refused.code == Code.CURSOR_EXPIRED
                break
            ids += [entity.id for entity in listed.entities]
            whole = not listed.has_next
            if whole:
                break
            after = listed.cursors[-1]
            if len(changed) < 3:
                changed |= _change(over, data)
        else:
            raise AssertionError("the walk does not end")
        assert whole or (expired and not order[1])
        unchanged = [id for id in ids if id not in changed]
        assert len(unchanged) == len(set(unchanged))
        if whole:
            assert set(unchanged) == set(before) - changed


_KEYS = {(key.column, key.descending): key for key in RESOURCES["Group"].sort_key.values()}
_LOOP = asyncio.new_event_loop()


def _by_step(over: Federation, selector: Selector, after: str | None) -> Listed:
    """A page without GraphQL, which would be most of the time."""

    async def ask() -> Listed | None:
        operation = Operation(over)
        want = Want(frozenset({"displayName"}))
        return await run(operation, connection.connection(operation, "Group", selector, after, want))

    listed = _LOOP.run_until_complete(ask())
    assert listed is not None
    return listed


def _change(over: Federation, data: st.DataObject) -> set[str]:
    """Change one record at one source; gives its id."""
    source = fake(over, data.draw(st.sampled_from(sorted(over.sources))))
    id = data.draw(st.sampled_from(MANY_GROUPS))
    records = source.records["Group"]
    place = next((place for place, record in enumerate(records) if record["id"] == id), None)
    if place is None:
        records.insert(data.draw(st.integers(0, len(records))), Record(id=id, displayName="Ny", groupType="Klass"))
    elif data.draw(st.booleans()):
        del records[place]
    else:
        records.insert(0, {**records.pop(place), "displayName": "Aaa"})
    return {id}


# Gaps


@pytest.mark.parametrize("order", ["orderBy: [DISPLAY_NAME_ASC]", ""], ids=["ordered", "unordered"])
@pytest.mark.parametrize("reads_on", [1, 100])
def test_a_cursor_carries_the_gaps_of_the_pages_before(
    order: str, reads_on: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed once is missing from the list, however well the source does afterwards; a new walk has it all."""
    monkeypatch.setattr(connection, "_READS_ON", reads_on)
    over = kept(two_sources())
    fake(over, "lms").fail(FaultCode.SOURCE_UNAVAILABLE)
    first = _page(over, 1, None, order)
    gap = {"source": "lms", "code": "SOURCE_UNAVAILABLE"}
    assert (first["complete"], first["gaps"]) == (False, [gap])
    fake(over, "lms").heal()
    body = _answer(over, 1, first["pageInfo"]["endCursor"], order)
    second = body["data"]["groups"]
    assert (second["complete"], second["gaps"]) == (False, [gap])
    assert second["pageInfo"]["hasNextPage"] is True
    assert [each["code"] for each in body["extensions"]["completeness"]["gaps"]] == ["SOURCE_UNAVAILABLE"]
    assert [error["extensions"]["code"] for error in body["errors"]] == ["SOURCE_UNAVAILABLE"]
    healed, _ = walk(over, order, 1)
    assert len(healed) == 5


def test_a_listing_with_a_gap_serves_those_who_know_of_it() -> None:
    over = kept(two_sources())
    fake(over, "lms").fail(FaultCode.SOURCE_UNAVAILABLE)
    first = _page(over, 1, None, "orderBy: [DISPLAY_NAME_ASC]")
    before = ops(over).count("walk")
    _page(over, 1, first["pageInfo"]["endCursor"], "orderBy: [DISPLAY_NAME_ASC]")
    assert ops(over).count("walk") == before
    _page(over, 1, None, "orderBy: [DISPLAY_NAME_ASC]")
    assert ops(over).count("walk") > before


@pytest.mark.parametrize("order", ["orderBy: [DISPLAY_NAME_ASC]", ""], ids=["ordered", "unordered"])
def test_a_walk_that_broke_off_gives_what_it_had_once(order: str) -> None:
    over = kept(replace(two_sources(), page_size=1))
    for op in ("page", "walk"):
        fake(over, "sis").fail(FaultCode.SOURCE_TIMEOUT, op=op, after_pages=2)
    ids: list[str] = []
    after = None
    while True:
        shown = _page(over, 1, after, order)
        ids += _ids(shown)
        if not _ids(shown):
            break
        after = shown["pageInfo"]["endCursor"]
    assert shown["complete"] is False
    assert len(ids) == len(set(ids))
    assert set(ids) <= set(MANY_GROUPS[:5])
    assert set(ids) >= {*MANY_GROUPS[:2], *MANY_GROUPS[3:5]}


def _answer(over: Federation, first: int, after: str | None, arguments: str, field: str = "groups") -> dict[str, Any]:
    query = f"""query($after: String) {{ {field}(first: {first}, after: $after {arguments}) {{
        nodes {{ id displayName }} pageInfo {{ hasNextPage endCursor }} complete gaps {{ source code }} }} }}"""
    return answer(over, query, {"after": after}, errors=True)


def _page(over: Federation, first: int, after: str | None, arguments: str, field: str = "groups") -> dict[str, Any]:
    found: dict[str, Any] = _answer(over, first, after, arguments, field)["data"][field]
    return found


def _ids(shown: dict[str, Any]) -> list[str]:
    return [node["id"] for node in shown["nodes"]]
