"""From records to things: what is merged, what never is, and what stays when sources change their minds."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers.identity.clusters import Clusters, Node, clusters

SINGLE = {"civicNo"}


def things(*nodes: Node, before: dict[tuple[str, str], str] | None = None) -> tuple[set[frozenset[str]], Clusters]:
    found = clusters(nodes, SINGLE, before or {})
    return {frozenset(f"{n.source}.{n.local}" for n in group) for group in found.groups}, found


def person(place: str, civic: str = "", eppn: str = "", email: str = "", **more: bool) -> Node:
    source, local = place.split(".")
    strong = [("civicNo", civic)] * bool(civic) + [("eduPersonPrincipalName", eppn)] * bool(eppn)
    return Node(source, local, tuple(strong), (("email", email),) if email else (), **more)


def sets(*groups: str) -> set[frozenset[str]]:
    return {frozenset(group.split()) for group in groups}


def test_equal_ids_are_one_thing_whatever_the_keys_say() -> None:
    found, made = things(person("sis.a", civic="1"), person("lms.a", civic="2"))
    assert found == sets("sis.a lms.a")
    assert not made.conflicts


def test_a_shared_strong_key_links_across_several_sources() -> None:
    found, made = things(person("sis.s", civic="1"), person("hr.h", civic="1", eppn="e"), person("lms.l", eppn="e"))
    assert found == sets("sis.s hr.h lms.l")
    assert made.matched["hr", "h"] == "civicNo"
    assert made.matched["lms", "l"] == "eduPersonPrincipalName"


def test_two_keys_that_point_to_two_persons_merge_nobody_and_are_reported() -> None:
    found, made = things(
        person("sis.a", civic="1", eppn="x"), person("hr.h", civic="2", eppn="x"), person("sis.b", civic="2")
    )
    assert found == sets("sis.a", "hr.h", "sis.b")
    assert made.conflicts == {("sis", "a"), ("hr", "h"), ("sis", "b")}


def test_a_key_that_one_source_gives_twice_links_to_neither() -> None:
    found, made = things(person("hr.a", civic="1"), person("hr.b", civic="1"), person("sis.s", civic="1"))
    assert found == sets("hr.a", "hr.b", "sis.s")
    assert len(made.conflicts) == 3


def test_a_link_stays_while_nothing_contradicts_it() -> None:
    before = {("sis", "s"): "s", ("hr", "h"): "s"}
    found, made = things(person("sis.s", civic="1"), person("hr.h"), before=before)
    assert found == sets("sis.s hr.h")
    assert not made.splits


def test_a_link_that_the_records_contradict_is_a_split() -> None:
    before = {("sis", "s"): "s", ("hr", "h"): "s"}
    found, made = things(person("sis.s", civic="1"), person("hr.h", civic="2"), before=before)
    assert found == sets("sis.s", "hr.h")
    assert made.splits == {("hr", "h")}


def test_an_address_links_only_two_and_never_a_protected_person() -> None:
    two, _ = things(person("sis.s", email="m"), person("hr.h", email="m"))
    assert two == sets("sis.s hr.h")
    three, made = things(person("sis.s", email="m"), person("hr.h", email="m"), person("lms.l", email="m"))
    assert three == sets("sis.s", "hr.h", "lms.l")
    assert not made.conflicts
    hidden, _ = things(
        person("sis.s", civic="1", protected=True), person("a.x", civic="1", email="m"), person("hr.h", email="m")
    )
    assert hidden == sets("sis.s a.x", "hr.h")
    disagreeing, _ = things(person("sis.s", civic="1", email="m"), person("hr.h", civic="2", email="m"))
    assert disagreeing == sets("sis.s", "hr.h")


def duty(place: str, start: str, end: str | None = None) -> Node:
    source, local = place.split(".")
    return Node(source, local, (("person", "p", "o", "Lärare"),), during=(start, end))


def test_duties_are_one_if_their_days_overlap_one_to_one() -> None:
    found, _ = things(
        duty("hr.1", "2024-01-01", "2024-12-31"),
        duty("hr.2", "2025-01-01"),
        duty("sis.1x", "2024-02-01", "2024-12-31"),
        duty("sis.2x", "2025-01-01"),
    )
    assert found == sets("hr.1 sis.1x", "hr.2 sis.2x")
    ambiguous, made = things(
        duty("hr.1", "2024-01-01"), duty("sis.a", "2024-01-01", "2024-06-30"), duty("sis.b", "2024-07-01")
    )
    assert ambiguous == sets("hr.1", "sis.a", "sis.b")
    assert len(made.conflicts) == 3


NODES = st.lists(
    st.builds(
        lambda source, local, civic, eppn: person(f"{source}.{source}{local}", civic, eppn),
        st.sampled_from("abc"),
        st.integers(0, 4),
        st.sampled_from(["", "", "1", "2", "3"]),
        st.sampled_from(["", "", "x", "y"]),
    ),
    max_size=12,
    unique_by=lambda node: node.place,
)


def reachable(nodes: list[Node]) -> list[set[str]]:
    """What keys connect, by repeated looking: the plain meaning."""
    parts = [{n.local} for n in nodes]
    by_local = {n.local: n for n in nodes}
    changed = True
    while changed:
        changed = False
        for left, right in combinations(parts, 2):
            if any(set(by_local[a].keys) & set(by_local[b].keys) for a in left for b in right):
                parts.remove(left)
                parts.remove(right)
                parts.append(left | right)
                changed = True
                break
    return parts


@given(NODES, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_things_are_what_keys_connect_where_that_makes_sense_in_any_order(nodes: list[Node], random: object) -> None:
    by_local = {n.local: n for n in nodes}
    expected: set[frozenset[str]] = set()
    conflicts: set[str] = set()
    for part in reachable(nodes):
        members = [by_local[each] for each in part]
        civic = {key for n in members for key in n.keys if key[0] == "civicNo"}
        if len({n.source for n in members}) == len(members) and len(civic) <= 1:
            expected.add(frozenset(part))
        else:
            expected |= {frozenset({each}) for each in part}
            conflicts |= part
    random.shuffle(nodes)  # type: ignore[attr-defined]
    found = clusters(nodes, SINGLE, {})
    assert {frozenset(n.local for n in group) for group in found.groups} == expected
    assert {local for _, local in found.conflicts} == conflicts
