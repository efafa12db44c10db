"""What is JSON, and what a page that is none is taken for: the same whichever of its columns are asked for."""

from __future__ import annotations

import pytest

from sources.decoding import decode_page
from sources.errors import CallError
from sources.shape import Shape
from sources.wire import decode

RECORD = b'{"id":"a0000000-0000-4000-8000-000000000001","givenName":"Alva",%b}'
NAMES = Shape(frozenset({"givenName"}))


@pytest.mark.parametrize(
    "other",
    [b'"x":1e999', b'"x":-1e999', b'"x":123456789012345678901234567890', b'"x":"\\ud83d\\ude00"', b'"x":null'],
)
def test_what_no_column_can_be_does_not_cost_a_page(other: bytes) -> None:
    body = b'{"data":[' + RECORD % other + b'],"pageToken":null}'
    assert isinstance(decode(body), dict)
    page = decode_page("Person", "Europe/Stockholm", NAMES, body)
    assert page is not None
    assert page.decoded[0].givenName == "Alva"


@pytest.mark.parametrize("other", [b'"x":"\xff"', b'"x":"\\ud800"', b'"x":NaN', b'"x":01', b'"x":', b'"x":"a\x01"'])
def test_what_is_no_json_is_refused_whatever_is_asked_for(other: bytes) -> None:
    body = b'{"data":[' + RECORD % other + b'],"pageToken":null}'
    with pytest.raises(CallError):
        decode(body)
    assert decode_page("Person", "Europe/Stockholm", NAMES, body) is None


def test_a_broken_record_costs_no_other() -> None:
    good, bad = RECORD % b'"sex":"Man"', b'{"id":" {B0000000-0000-4000-8000-000000000002} ","givenName":7}'
    body = b'{"data":[' + b",".join([good, bad, b'{"givenName":"nobody"}', b"17"]) + b'],"pageToken":"more"}'
    page = decode_page("Person", "Europe/Stockholm", NAMES, body)
    assert page is not None
    assert page.ids == ["a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002"]
    assert [each.givenName for each in page.decoded] == ["Alva", None]
    assert (page.count, page.unusable, page.token) == (4, 2, "more")
    assert list(page.positions) == [0, 1]


def test_a_shape_covers_what_it_has_and_no_more() -> None:
    parts = Shape(frozenset({"emails", "sex"}), {"emails": frozenset({"value", "type"})})
    assert parts.covers(Shape(frozenset({"emails"}), {"emails": frozenset({"value"})}))
    assert parts.covers(Shape(frozenset({"sex"})))
    assert not parts.covers(Shape(frozenset({"emails"})))
    assert not Shape(frozenset({"emails"})).covers(Shape(frozenset({"emails"}), {"emails": frozenset({"value"})}))
    assert not parts.covers(Shape(frozenset({"sex"}), tells_absence=True))
    both = parts | Shape(frozenset({"emails", "birthDate"}))
    assert (both.columns, dict(both.parts)) == (frozenset({"emails", "sex", "birthDate"}), {})
