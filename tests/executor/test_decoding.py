"""Whatever a source sends: the columns that are decoded of it are those of the records that are read whole."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec import UNSET

from sources.decoding import decodable, decode_page
from sources.shape import Shape

from .decoding import ABSENT, Asked, Decode, Read, cases, difference, whole


def by_columns(resource: str, timezone: str, columns: Asked, body: bytes) -> list[Read] | None:
    """By what is decoded of the columns alone; what that does not take is read whole, as sources do it."""
    parts = {each: names for each, names in columns.items() if names is not None}
    page = (
        decode_page(resource, timezone, Shape(frozenset(columns), parts, True), body) if decodable(resource) else None
    )
    if page is None:
        return whole(resource, timezone, columns, body)
    return [
        (position, id, {each: _plain(getattr(found, each), names) for each, names in columns.items()})
        for position, id, found in zip(page.positions, page.ids, page.decoded, strict=True)
    ]


def _plain(value: Any, names: frozenset[str] | None) -> object:
    if value is UNSET:
        return ABSENT
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_plain(each, names) for each in value]
    return {name: getattr(value, name) for name in sorted(names)}


DECODERS: dict[str, Decode] = {"by columns": by_columns}
FEW, MANY = range(40), range(40, 400)


def _compared(decode: Decode, numbers: range) -> Counter[str]:
    tally: Counter[str] = Counter()
    damage: Counter[str] = Counter()
    for number in numbers:
        for case in cases(number, damage):
            told = difference(decode, case)
            assert told is None, f"{number}: {told}"
            found = whole(case.resource, case.timezone, case.columns, case.body)
            tally["pages"] += 1
            tally["no pages"] += found is None
            tally["records"] += len(found or ())
    tally["kinds of damage"] = len(damage)
    return tally


@pytest.mark.parametrize("way", DECODERS)
def test_a_column_is_what_the_whole_reader_makes_of_it(way: str) -> None:
    tally = _compared(DECODERS[way], FEW)
    assert tally["records"] > 5000
    assert tally["no pages"] > 100
    assert tally["kinds of damage"] > 70


@pytest.mark.slow
@pytest.mark.parametrize("way", DECODERS)
def test_it_is_in_many_more(way: str) -> None:
    _compared(DECODERS[way], MANY)


@pytest.mark.parametrize("wrong", [{"sex": 1}, {"givenName": "x"}])
def test_a_reader_that_is_wrong_is_found(wrong: dict[str, object]) -> None:
    def decode(resource: str, timezone: str, columns: Asked, body: bytes) -> list[Read] | None:
        found = whole(resource, timezone, columns, body)
        if found is None:
            return None
        return [(place, id, {**read, **{c: wrong[c] for c in wrong if c in read}}) for place, id, read in found]

    with pytest.raises(AssertionError):
        _compared(decode, FEW)
