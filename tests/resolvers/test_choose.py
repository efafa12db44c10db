"""Which way is chosen from parents to what refers to them: situations, and the strategy with the fewest calls."""

from __future__ import annotations

from typing import Any

import pytest

from resolvers.choose import MOST_EXPANDED, UNKNOWN_PAGES, Choice, Path, choose
from resolvers.contracts import Limits
from resolvers.relations import INVERSES
from sources.capabilities import ALL, Capabilities, Filter
from sources.standard import RESOURCES

ANYTHING = frozenset(RESOURCES)
NO_LOOKUP = {"lookup": {name: frozenset[str]() for name in RESOURCES}}
IDS_ONLY = {"lookup": {name: frozenset({"ids"}) for name in RESOURCES}}
NO_EXPAND = {"expand": {name: frozenset[str]() for name in RESOURCES}}
NO_FILTER = {"filters": {name: {ALL: Filter.UNKNOWN} for name in RESOURCES}}
FEW_FILTERS = Limits(max_filter_calls=3)


@pytest.mark.parametrize(
    ("target", "inverse", "parents", "capabilities", "pages", "limits", "expected"),
    [
        # The lookup by foreign key takes so many parents in a call as the source takes ids.
        ("CalendarEvent", "attendances", 1, {}, None, {}, Choice(Path.LOOKUP, 1)),
        ("CalendarEvent", "attendances", 500, {}, None, {}, Choice(Path.LOOKUP, 1)),
        ("CalendarEvent", "attendances", 501, {}, 9, {}, Choice(Path.LOOKUP, 2)),
        ("CalendarEvent", "attendances", 501, {"chunk": 100}, 9, {}, Choice(Path.LOOKUP, 6)),
        ("CalendarEvent", "attendances", 501, {"chunk": 100}, 5, {}, Choice(Path.SCAN, 5)),
        # Without it, a filter: one call per parent, or per array of them.
        ("CalendarEvent", "attendances", 2, NO_LOOKUP, None, {}, Choice(Path.FILTER, 2)),
        ("Organisation", "groups", 40, NO_LOOKUP, None, {}, Choice(Path.FILTER, 1)),
        ("Organisation", "groups", 41, NO_LOOKUP, None, {}, Choice(Path.FILTER, 2)),
        ("Group", "activities", UNKNOWN_PAGES - 1, NO_LOOKUP, None, {}, Choice(Path.FILTER, UNKNOWN_PAGES - 1)),
        ("Group", "activities", UNKNOWN_PAGES + 1, NO_LOOKUP, None, {}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        ("Person", "duties", 1, NO_EXPAND, None, {}, Choice(Path.FILTER, 1)),
        # More than ``max_filter_calls`` calls never stand in for one relation; nor does what cannot be relied on.
        ("Person", "duties", 4, NO_EXPAND, 100, {"limits": FEW_FILTERS}, Choice(Path.SCAN, 100)),
        ("Person", "duties", 3, NO_EXPAND, 100, {"limits": FEW_FILTERS}, Choice(Path.FILTER, 3)),
        ("Person", "duties", 1, NO_EXPAND | NO_FILTER, None, {}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        # What the lookup of the parents embeds: for a class or two, where the source knows the expand and takes ids.
        ("Person", "duties", 30, {}, None, {}, Choice(Path.EXPAND, 1)),
        ("Person", "groupMemberships", 30, {}, None, {}, Choice(Path.EXPAND, 1)),
        ("Person", "duties", MOST_EXPANDED, {}, None, {}, Choice(Path.EXPAND, 1)),
        ("Person", "duties", MOST_EXPANDED + 1, {}, None, {}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        ("Person", "duties", 30, NO_EXPAND, None, {}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        ("Person", "groupMemberships", 30, NO_LOOKUP, None, {}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        ("Person", "duties", 30, IDS_ONLY, None, {"expand": False}, Choice(Path.SCAN, UNKNOWN_PAGES)),
        # Of equal cost, what serves the next question too and finds the owners of parents the source lacks.
        ("Person", "duties", 30, {}, 1, {}, Choice(Path.SCAN, 1)),
        ("Person", "duties", 1, {}, None, {}, Choice(Path.FILTER, 1)),
        # A list of one page is read whole before five filters are sent; one that is long is not.
        ("Person", "duties", 5, NO_EXPAND, 1, {}, Choice(Path.SCAN, 1)),
        ("Person", "duties", 5, NO_EXPAND, 6, {}, Choice(Path.FILTER, 5)),
        # Where only the list view carries all of a record, nothing else will do.
        ("CalendarEvent", "attendances", 1, {"list_only": {"Attendance": frozenset({"isReported"})}}, None, {},
         Choice(Path.SCAN, UNKNOWN_PAGES)),
    ],
)  # fmt: skip
def test_the_strategy_with_the_fewest_estimated_calls(
    target: str,
    inverse: str,
    parents: int,
    capabilities: dict[str, Any],
    pages: int | None,
    limits: dict[str, Any],
    expected: Choice,
) -> None:
    source = Capabilities(ANYTHING, **capabilities)
    given = {"limits": Limits()} | limits
    assert choose(INVERSES[target, inverse], parents, source, pages, **given) == expected
