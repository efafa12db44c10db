"""Cursors: sealed, bound to one list, readable with the current and the previous secret."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.cursor import Sealer
from resolvers.errors import Code, InvalidCursor

JSON = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
OLD, NEW = b"a secret of the last year", b"the secret of this year"


@given(st.lists(JSON, max_size=4), st.binary(max_size=8))
def test_what_was_sealed_is_opened(position: list[object], list_: bytes) -> None:
    sealer = Sealer([NEW])
    assert sealer.open(sealer.seal(position, list_), list_) == position


def test_a_cursor_tells_nothing_and_is_never_twice_the_same() -> None:
    sealer = Sealer([NEW])
    one, other = (sealer.seal(["Åkesson", "page-2"], b"list") for _ in range(2))
    assert one != other
    assert "kesson" not in one
    assert set(one) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_previous_secret_still_opens_and_a_foreign_one_does_not() -> None:
    cursor = Sealer([OLD]).seal([1], b"list")
    assert Sealer([NEW, OLD]).open(cursor, b"list") == [1]
    with pytest.raises(InvalidCursor):
        Sealer([NEW]).open(cursor, b"list")


@given(st.text(max_size=60))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor) as refused:
        Sealer([NEW]).open(text, b"list")
    assert refused.value.code == Code.INVALID_CURSOR


def test_it_belongs_to_its_list_and_cannot_be_changed() -> None:
    sealer = Sealer([NEW])
    cursor = sealer.seal([1], b"list")
    with pytest.raises(InvalidCursor):
        sealer.open(cursor, b"another list")
    for place in range(len(cursor)):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(InvalidCursor):
            sealer.open(changed, b"list")


def test_a_cursor_has_one_spelling() -> None:
    """The bits that its last character has to spare may not be used."""
    sealer = Sealer([NEW])
    for position in ([1], [12], [123]):
        cursor = sealer.seal(position, b"list")
        opened = []
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            with suppress(InvalidCursor):
                opened.append((sealer.open(cursor[:-1] + last, b"list"), last))
        assert opened == [(position, cursor[-1])]
        with pytest.raises(InvalidCursor):
            sealer.open(cursor + "=" * (-len(cursor) % 4 or 4), b"list")
