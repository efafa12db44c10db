"""For each profile a server that does what the profile says, over records of the demonstration's municipality.

Where the profile says ``unknown``, the server does what the standard says. A lie is the same server with one habit that
the profile does not tell of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import parse
from sources.cache import Cache
from sources.capabilities import ALL, Arrays, Capabilities, Filter, Paging
from sources.demo.api import PREFIX, Api
from sources.demo.credentials import Open
from sources.demo.habits import Habits, Pages, Trouble, Unknown
from sources.demo.municipality import build
from sources.demo.store import Store
from sources.profiles import PROFILES
from sources.source import Source
from sources.standard import RESOURCES

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAGE_SIZE = 1000
"""The most records of a server's pages."""
SERVED: Mapping[str, tuple[str, ...]] = {
    "conformant": tuple(RESOURCES),
    "offset-paging": ("Organisation", "Person", "Duty", "Group", "Activity", "CalendarEvent", "Attendance"),
}
"""What is served where the profile does not say it."""

PAGES = {
    Paging.TOKEN: Pages.SEALED,
    Paging.TOKEN_WITH_WINDOW: Pages.SEALED,
    Paging.TOKEN_WITH_FILTERS: Pages.OFFSET_TOKENS,
    Paging.OFFSET: Pages.OFFSET,
    Paging.NONE: Pages.NONE,
}


def served(profile: str) -> list[str]:
    """The resources of the profile's server."""
    names = SERVED.get(profile, PROFILES[profile].capabilities.resources)
    return [name for name in RESOURCES if name in names]


def habits(profile: str) -> Habits:
    """What the profile says, as habits of a server."""
    told: Capabilities = PROFILES[profile].capabilities
    filters = {
        resource: {
            name: Filter.EXACT if what is Filter.UNKNOWN else what
            for name, what in told.filters.get(resource, {}).items()
        }
        for resource in served(profile)
    }
    zone = PROFILES[profile].timezone
    return Habits(
        paging=PAGES[told.paging],
        window_with_token=told.paging is Paging.TOKEN_WITH_WINDOW,
        filters=filters,
        unknown_parameters=Unknown.IGNORED if profile == "offset-paging" else Unknown.REFUSED,
        expand=told.expand,
        no_lookup=told.no_lookup,
        lookup=told.lookup,
        arrays=told.arrays,
        window_days=told.window_days,
        list_only=told.list_only,
        list_lacks=told.list_lacks,
        nulls=told.null_is_absent,
        organisation_level=told.organisation_level,
        zone=zone,
    )


@dataclass
class Server:
    """A profile's server, and a source that is declared with the profile and reads it without a network.

    ``declared`` are further keys of the source's section. ``requests`` are those that the source sent.
    """

    profile: str
    habits: Habits
    page_size: int = PAGE_SIZE
    declared: Mapping[str, Any] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def section(self) -> dict[str, Any]:
        """Its section of gateway.yaml, without its address."""
        section: dict[str, Any] = {"profile": self.profile}
        if self.profile in SERVED:
            section["resources"] = [RESOURCES[name].plural for name in served(self.profile)]
        return section | dict(self.declared)

    def app(self) -> ASGIApp:
        store = Store({name: records()[name] for name in served(self.profile)}, dict(Store(records()).tables))
        api = Api(store, (), Open(), self.page_size, self.habits)
        return _Together(api.app(), PROFILES[self.profile].capabilities)

    def source(self) -> Source:
        async def called(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return await carried.handle_async_request(request)

        carried = httpx.ASGITransport(self.app())
        document = {"sources": {"sis": {"url": f"http://sis.example{PREFIX}", **self.section()}}}
        (settings,) = parse(document, Path.cwd(), {}).sources
        return Source(settings, Cache(), transport=httpx.MockTransport(called), clock=lambda: NOW)


class _Together:
    """Refuses parameters that the profile says are only taken together with another one."""

    def __init__(self, app: ASGIApp, told: Capabilities) -> None:
        self._app = app
        self._company = {PREFIX + RESOURCES[name].path: company for name, company in told.filters_with.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = {name for name, _ in parse_qsl(scope["query_string"].decode(), keep_blank_values=True)}
        company = self._company.get(scope["path"], {})
        if any(company[name] not in given for name in given & company.keys()):
            await Response(status_code=400)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@cache
def records() -> Mapping[str, Sequence[dict[str, Any]]]:
    """Everything that any of the municipality's sources has; of what several have, one source's record."""
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in RESOURCES}
    for source in build(60, today=TODAY).sources.values():
        for resource, each in source.items():
            for number, record in enumerate(each):
                found[resource].setdefault(str(record.get("id", number)), record)
    return {name: list(each.values()) for name, each in found.items()}


@dataclass(frozen=True)
class Lie:
    """One thing that a server does otherwise than its profile says.

    ``found``: by resource and key what the probe must say that was declared and found. ``consequences``: keys that it
    may name besides, because the lie shows there too.
    """

    name: str
    profile: str
    habit: Mapping[str, Any]
    found: Mapping[tuple[str, str], tuple[str, str]]
    consequences: frozenset[tuple[str, str]] = frozenset()
    page_size: int = PAGE_SIZE
    declared: Mapping[str, Any] = field(default_factory=dict)
    by_hand: bool = False
    """Whether only a person can say what to declare."""

    def server(self) -> Server:
        told = replace(habits(self.profile), **self.habit)
        return Server(self.profile, told, self.page_size, self.declared)


def _filter(profile: str, resource: str, parameter: str, what: Filter, said: str = "exact") -> Lie:
    told = habits(profile).filters
    of = {ALL: told.get(resource, {}).get(ALL, Filter.EXACT), **told.get(resource, {}), parameter: what}
    return Lie(
        f"{parameter} of {resource} is {what.value}",
        profile,
        {"filters": {**told, resource: of}},
        {(resource, f"filters.{parameter}"): (said, what.value)},
    )


def _without(profile: str, habit: str, resource: str, *names: str) -> dict[str, dict[str, frozenset[str]]]:
    """Habits as the profile's, and ``names`` alone for one resource."""
    return {habit: {**getattr(habits(profile), habit), resource: frozenset(names)}}


LIES: Sequence[Lie] = (
    _filter("conformant", "Person", "nameContains", Filter.IGNORED),
    _filter("conformant", "Person", "relationship.organisation", Filter.IGNORED),
    _filter("conformant", "Group", "groupType", Filter.REFUSED),
    _filter("conformant", "Duty", "person", Filter.IGNORED),
    _filter("conformant", "Duty", "dutyRole", Filter.SUPERSET),
    _filter("conformant", "Placement", "child", Filter.SUPERSET),
    _filter("conformant", "Grade", "student", Filter.REFUSED),
    _filter("skolverket-reference", "Person", "meta.modified.after", Filter.IGNORED),
    _filter("skolverket-reference", "Group", "meta.created.before", Filter.REFUSED),
    _filter("skolverket-reference", "Person", "nameContains", Filter.EXACT, "ignored"),
    _filter("ist-educloud", "Duty", "person", Filter.IGNORED),
    _filter("ist-educloud", "Grade", "meta.modified.after", Filter.REFUSED),
    _filter("edlevo", "Person", "relationship.entity.type", Filter.IGNORED),
    _filter("edlevo", "Person", "relationship.organisation", Filter.IGNORED, "exact with relationship.entity.type"),
    _filter("pingpong", "AggregatedAttendance", "student", Filter.IGNORED, "unknown"),
    _filter("offset-paging", "Attendance", "student", Filter.IGNORED, "unknown"),
    Lie("a lookup that is too large", "conformant", {"lookup_max": 130, "lookup_too_large": 503},
        {("", "lookup_chunk"): ("500", "125")}),
    Lie("a lookup that is too large for its body", "ist-educloud", {"lookup_max": 60, "lookup_too_large": 413},
        {("", "lookup_chunk"): ("200", "50")}, declared={"lookup_chunk": 200}),
    Lie("no filter has an effect", "conformant", {"filters": {name: {ALL: Filter.IGNORED} for name in RESOURCES}},
        {(name, "filters.organisation" if name == "SchoolUnitOffering" else "filters.*"): ("exact", "ignored")
         for name in RESOURCES},
        frozenset({("", "arrays")})),
    Lie("no lookup of persons", "conformant", {"no_lookup": frozenset({"Person"})},
        {("Person", "lookup"): ("civicNos, ids", "none")}),
    Lie("a lookup of groups that nobody told of", "skolverket-reference",
        {"no_lookup": frozenset(served("skolverket-reference")) - {"Group"}},
        {("Group", "lookup"): ("none", "ids")}),
    Lie("no lookup that is not even forbidden", "edlevo", {"no_lookup": frozenset({"Duty"}), "no_lookup_status": 405},
        {("Duty", "lookup"): ("ids", "none")}),
    Lie("a lookup without personal identity numbers", "conformant", _without("conformant", "lookup", "Person", "ids"),
        {("Person", "lookup"): ("civicNos, ids", "ids")}),
    Lie("a lookup that gives everybody", "conformant", {"lookup_of_everything": frozenset({"Person"})},
        {("Person", "lookup"): ("civicNos, ids", "none")}),
    Lie("a lookup by more than ids", "ist-educloud", _without("ist-educloud", "lookup", "Person", "ids", "civicNos"),
        {("Person", "lookup"): ("ids", "civicNos, ids")}),
    Lie("an expand that has no effect", "conformant",
        {**_without("conformant", "expand", "Duty"), "unknown_expands": Unknown.IGNORED},
        {("Duty", "expand"): ("person", "none")}),
    Lie("an expand that is refused", "ist-educloud", _without("ist-educloud", "expand", "Person"),
        {("Person", "expand"): ("groupMemberships", "none")}),
    Lie("an expand that nobody told of", "edlevo", _without("edlevo", "expand", "Duty", "person"),
        {("Duty", "expand"): ("none", "person")}),
    Lie("tokens that are offsets", "conformant", {"paging": Pages.OFFSET_TOKENS},
        {("", "paging"): ("token", "token_with_filters")}),
    Lie("offsets instead of tokens", "ist-educloud", {"paging": Pages.OFFSET}, {("", "paging"): ("token", "offset")}),
    Lie("a token that demands the window", "conformant", {"window_with_token": True},
        {("", "paging"): ("token", "token_with_window")}),
    Lie("no paging although declared", "edlevo", {"paging": Pages.NONE}, {("", "paging"): ("token", "none")}),
    Lie("no paging, and a limit has no effect", "conformant",
        {"paging": Pages.NONE, "unknown_parameters": Unknown.IGNORED}, {("", "paging"): ("token", "none")}),
    Lie("paging although there should be none", "pingpong", {"paging": Pages.SEALED},
        {("", "paging"): ("none", "token")}, page_size=100),
    Lie("tokens that remember although they should not", "offset-paging", {"paging": Pages.SEALED},
        {("", "paging"): ("token_with_filters", "token")}),
    Lie("a large limit is refused", "ist-educloud", {"large_limit": Unknown.REFUSED},
        {("", "page_size"): ("1000", "at most 200")}, page_size=200),
    Lie("a limit is refused that is in no list of sizes", "conformant", {"large_limit": Unknown.REFUSED},
        {("", "page_size"): ("500", "at most 100")}, page_size=120),
    Lie("a cap where none is declared", "conformant", {"window_days": 100},
        {("", "window_days"): ("no cap", "100 days")}),
    Lie("a smaller cap", "offset-paging", {"window_days": 31}, {("", "window_days"): ("400 days", "31 days")}),
    Lie("no cap", "offset-paging", {"window_days": None}, {("", "window_days"): ("400 days", "no cap")}),
    Lie("arrays with commas", "conformant", {"arrays": Arrays.COMMA}, {("", "arrays"): ("repeated", "comma")}),
    Lie("lists without e-mail", "conformant", _without("conformant", "list_lacks", "Person", "emails"),
        {("Person", "list_lacks"): ("none", "emails")}),
    Lie("lists of groups without members", "edlevo", _without("edlevo", "list_lacks", "Group", "groupMemberships"),
        {("Group", "list_lacks"): ("none", "groupMemberships")}),
    Lie("single persons without enrolments", "conformant", _without("conformant", "list_only", "Person", "enrolments"),
        {("Person", "list_only"): ("none", "enrolments")},
        frozenset({("Person", "lookup")})),
    Lie("single persons without e-mail as well", "offset-paging",
        _without("offset-paging", "list_only", "Person", "enrolments", "responsibles", "emails"),
        {("Person", "list_only"): ("enrolments, responsibles", "emails, enrolments, responsibles")}),
    Lie("null for what another view tells", "conformant",
        {"nulls": True, **_without("conformant", "list_lacks", "Person", "emails")},
        {("", "null_is_absent"): ("no", "null stands for what another view tells"),
         ("Person", "list_lacks"): ("none", "emails")}),
    Lie("times of another zone", "conformant", {"zone": "UTC"}, {("", "timezone"): ("Europe/Stockholm", "UTC")}),
    Lie("times of the place", "offset-paging", {"zone": "Europe/Stockholm"},
        {("", "timezone"): ("UTC", "Europe/Stockholm")}),
    Lie("a sort key that is refused", "conformant", _without("conformant", "sort_keys", "Group", "DisplayNameAsc"),
        {("Group", "sort_keys"): ("DisplayNameAsc, ModifiedDesc", "DisplayNameAsc")},
        declared={"sort_keys": {"groups": ["DisplayNameAsc", "ModifiedDesc"]}}),
    Lie("sort keys that have no effect", "conformant",
        {**_without("conformant", "sort_keys", "Person"), "unknown_sort_keys": Unknown.IGNORED},
        {("Person", "sort_keys"): ("FamilyNameAsc, ModifiedDesc", "none")},
        declared={"sort_keys": {"persons": ["FamilyNameAsc", "ModifiedDesc"]}}),
    Lie("groups that belong to the unit", "edlevo", {"organisation_level": {"Duty": "Skola", "Activity": "Skola"}},
        {("Group", "organisation_level"): ("Skola", "Skolenhet")}, by_hand=True),
    Lie("a list that is not there", "conformant", {"troubles": {("Room", "list"): Trouble.FORBIDDEN}},
        {("Room", "list"): ("answers", "SOURCE_FORBIDDEN")}, by_hand=True),
)  # fmt: skip
