"""Sorting: Swedish collation, missing values last in both directions, ties by id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.order import collate
from resolvers.ranks import rank
from sources.standard import RESOURCES

from .worlds import GROUPS, Record, World, answer, fakes, federation

ASC = RESOURCES["Person"].sort_key["GivenNameAsc"]
DESC = RESOURCES["Person"].sort_key["GivenNameDesc"]
ALPHABET = "abcdefghijklmnopqrstuvwxyzåäö"


def test_the_swedish_alphabet_ends_with_å_ä_ö() -> None:
    assert sorted("öäåzya", key=collate) == ["a", "y", "z", "å", "ä", "ö"]
    assert sorted(["Österberg", "Zetterlund", "Ålund", "Ärlig", "Andersson"], key=collate) == [
        "Andersson", "Zetterlund", "Ålund", "Ärlig", "Österberg",
    ]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [("ANNA", "anna"), ("André", "Andre"), ("Müller", "Myller"), ("Løv", "Löv")])
def test_case_and_accents_make_no_difference(one: str, other: str) -> None:
    assert collate(one) == collate(other)


def test_a_letter_is_the_same_composed_or_not() -> None:
    assert collate("Åsa") == collate("A\u030asa")


@given(st.text(ALPHABET, max_size=8), st.text(ALPHABET, max_size=8))
def test_words_compare_letter_by_letter(one: str, other: str) -> None:
    places = [[ALPHABET.index(letter) for letter in word] for word in (one, other)]
    assert (collate(one) < collate(other)) == (places[0] < places[1])


@given(st.lists(st.tuples(st.none() | st.text("aåb", max_size=2), st.uuids().map(str)), max_size=8))
def test_missing_values_are_last_and_ties_are_broken_by_id(rows: list[tuple[str | None, str]]) -> None:
    for key, reverse in ((ASC, False), (DESC, True)):
        found = sorted(rows, key=lambda row: rank([row[0]], (key,), row[1]))
        said = [row for row in rows if row[0] is not None]
        said.sort(key=lambda row: row[1])
        said.sort(key=lambda row: str(row[0]), reverse=reverse)
        assert found == said + sorted((row for row in rows if row[0] is None), key=lambda row: row[1])


def test_a_name_that_is_empty_is_a_name() -> None:
    """It sorts before all others, and not with those that have none."""
    records: list[Record] = [
        {"id": GROUPS[0], "displayName": "9A"},
        {"id": GROUPS[1]},
        {"id": GROUPS[2], "displayName": ""},
    ]
    world = World({"sis": {"Group": records}})
    body = answer(federation(world, fakes(world)), "{ groups(orderBy: [DISPLAY_NAME_ASC]) { nodes { displayName } } }")
    assert [group["displayName"] for group in body["data"]["groups"]["nodes"]] == ["", "9A", None]
