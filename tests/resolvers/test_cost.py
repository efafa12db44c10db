"""The cost of an operation, before anything of it is fetched: the rules are asked, nobody else is."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.contracts import EVERYTHING, Authority, Condition, Selector, Want
from resolvers.cost import Ask, ByIds, Forward, Inside, Inverse, ListPage, estimate
from resolvers.federation import Federation
from resolvers.relations import INVERSES
from resolvers.trace import How
from sources.requests import Query
from tests.fakes import FakeSource

NAME = Want(frozenset({"givenName"}))


def made(*sources: FakeSource, **more: Any) -> Federation:
    return Federation({source.name: source for source in sources}, **more)


def sis(**more: Any) -> FakeSource:
    return FakeSource("sis", {"Person": [], "Duty": [], "Group": [], "Grade": []}, **more)


def fetches(federation: Federation, *asks: Ask) -> list[tuple[str, str, How, int]]:
    pending = list(estimate(federation, asks).levels)
    found = []
    while pending:
        level = pending.pop(0)
        found += [(each.source, each.resource, each.how, each.calls) for each in level.fetches]
        pending += level.below
    return found


def test_records_by_id_cost_a_lookup_per_chunk_at_every_source_that_is_heard() -> None:
    hr = FakeSource("hr", {"Person": []}, chunk=10, holds={"Person": frozenset({"givenName"})})
    deaf = FakeSource("deaf", {"Person": []}, holds={"Person": frozenset({"emails"})})
    federation = made(sis(chunk=100), hr, deaf, authority={"Person": Authority(exists=("sis",))})
    ask = Ask(("personsByIds",), "Query", (ByIds("Person", 25),), NAME)
    assert fetches(federation, ask) == [("sis", "Person", How.IDS, 1), ("hr", "Person", How.IDS, 3)]


def test_a_source_without_lookup_costs_a_get_each_or_its_list() -> None:
    federation = made(sis(no_lookup=frozenset({"Person"})))
    assert fetches(federation, Ask(("a",), "Query", (ByIds("Person", 3),), NAME)) == [("sis", "Person", How.GET, 3)]
    assert fetches(federation, Ask(("a",), "Query", (ByIds("Person", 9),), NAME)) == [("sis", "Person", How.LIST, 8)]


def test_what_was_seen_of_a_list_is_what_it_will_cost() -> None:
    federation = made(sis(page_size=10, no_lookup=frozenset({"Person"})))
    federation.statistics.listed("sis", "Person", Query(), 35)
    federation.pages_seen["sis", "Person"] = 4
    estimated = estimate(federation, [Ask(("a",), "Query", (ByIds("Person", 9),), NAME)])
    assert (estimated.total.calls, estimated.total.records) == (4, 35)


def test_the_way_backwards_is_the_one_that_will_be_taken() -> None:
    federation = made(sis())
    duties = Ask(("duties",), "Person", (Inverse(INVERSES["Person", "duties"], EVERYTHING),))
    one = Ask(("person",), "Query", (ByIds("Person", 1),), NAME, (duties,))
    many = Ask(("personsByIds",), "Query", (ByIds("Person", 500),), NAME, (duties,))
    assert fetches(federation, one)[1] == ("sis", "Duty", How.FILTER, 1)
    assert fetches(federation, many)[1] == ("sis", "Duty", How.LIST, 8)


def test_a_list_that_is_read_whole_is_read_once() -> None:
    federation = made(sis())
    duties = Ask(("duties",), "Person", (Inverse(INVERSES["Person", "duties"], EVERYTHING),))
    one = Ask(("a",), "Query", (ByIds("Person", 500),), NAME, (duties,))
    other = Ask(("b",), "Query", (ByIds("Person", 400),), NAME, (duties,))
    assert [each for each in fetches(federation, one, other) if each[1] == "Duty"] == [("sis", "Duty", How.LIST, 8)]


def test_two_aliases_of_the_same_cost_what_one_costs() -> None:
    federation = made(sis())
    ask = Ask(("person",), "Query", (ByIds("Person", 1),), NAME)
    assert estimate(federation, [ask, ask]).total == estimate(federation, [ask]).total
    more = Ask(("person",), "Query", (ByIds("Person", 2),), NAME)
    assert estimate(federation, [ask, more]).total.calls == 2


def test_a_page_costs_a_page_and_a_sorted_list_all_pages() -> None:
    federation = made(sis(page_size=100))
    first = Ask(("persons",), "Query", (ListPage("Person", Selector(first=5)),), NAME)
    key = federation.rules["Person"].resource.sort_keys[0]
    ordered = Ask(("persons",), "Query", (ListPage("Person", Selector(first=5, order=(key,))),), NAME)
    assert fetches(federation, first) == [("sis", "Person", How.PAGE, 1)]
    assert fetches(federation, ordered) == [("sis", "Person", How.SCAN, 8)]


def test_no_more_records_are_taken_to_be_there_than_were_seen() -> None:
    federation = made(sis(chunk=10))
    emails = Ask(("emails",), "Person", (Inside(), Forward("Group")), Want(frozenset({"displayName"})))
    ask = Ask(("personsByIds",), "Query", (ByIds("Person", 100),), NAME, (emails,))
    assert fetches(federation, ask)[1] == ("sis", "Group", How.IDS, 100)
    federation.statistics.listed("sis", "Group", Query(), 20)
    assert fetches(federation, ask)[1] == ("sis", "Group", How.IDS, 2)


def test_what_a_field_led_to_is_what_it_will_lead_to() -> None:
    federation = made(sis(chunk=10))
    groups = Ask(("memberships",), "Person", (Inside(), Forward("Group")), Want(frozenset({"displayName"})))
    ask = Ask(("personsByIds",), "Query", (ByIds("Person", 100),), NAME, (groups,))
    federation.statistics.led("Person", "memberships", 50, 25)
    assert estimate(federation, [ask]).levels[0].below[0].records == 50


def test_means_follow_what_is_seen_and_tell_of_great_changes_alone() -> None:
    statistics = made(sis()).statistics
    for found in (10, 12, 9, 11, 10):
        statistics.led("Person", "duties", 1, found)
    assert statistics.changes == 1
    for _ in range(20):
        statistics.led("Person", "duties", 1, 100)
    assert statistics.fan_out("Person", "duties") == pytest.approx(100, rel=0.05)
    assert 2 <= statistics.changes <= 5


def test_waiting_is_of_rounds_and_of_the_slowest_source_in_each() -> None:
    slow, fast = sis(), FakeSource("hr", {"Person": []})
    slow.pace, fast.pace = 0.5, 0.01
    federation = made(slow, fast)
    duties = Ask(("duties",), "Person", (Inverse(INVERSES["Person", "duties"], EVERYTHING),))
    estimated = estimate(federation, [Ask(("person",), "Query", (ByIds("Person", 1),), NAME, (duties,))])
    assert estimated.total.seconds == pytest.approx(1.0)
    assert estimated.by_source["hr"].seconds == pytest.approx(0.01)


def test_the_tree_of_organisations_is_read_once() -> None:
    source = FakeSource("sis", {"Organisation": [], "Duty": [], "Group": []})
    unit = ("6f1c9a52-0d1b-4c55-9a31-0c2f6a0d4e11",)
    federation = made(source)
    asks = []
    for name in ("Duty", "Group"):
        below = Condition(federation.rules[name].resource.parameter["organisation"], unit, subtree=True)
        asks.append(
            Ask((name,), "Query", (ListPage(name, Selector((below,), first=5)),), Want(frozenset({"startDate"})))
        )
    assert [each for each in fetches(federation, *asks) if each[1] == "Organisation"] == [
        ("sis", "Organisation", How.LIST, 8)
    ]


def test_nobody_is_asked() -> None:
    source = sis()
    ask = Ask(("persons",), "Query", (ListPage("Person", Selector(first=5)),), NAME)
    estimate(made(source), [ask], cached=True)
    assert source.calls == []
