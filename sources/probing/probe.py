"""The questions of a probe: what a source does with filters, lookups, expands, pages and periods.

Only lists, lookups and single records are read, a few records at a time. A personal identity number is never put into a
URL, and no value of a record is given back: only what was found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..canonical import reader
from ..capabilities import ALL, Arrays, Filter, Paging
from ..errors import CallError
from ..source import Source
from ..standard import RESOURCES
from ..standard.model import Parameter, Resource, Scalar, Test
from .findings import Finding
from .values import Record, impossible, leaves, naive, offends, protected, selecting

LIMIT = 25
"""Records asked for at a time."""
WINDOWS = (1500, 400, 366, 200, 100, 62, 31, 14, 7, 1)
"""Periods to try, in days; a source that takes the first is taken to have no cap."""
MOST_FOLLOWED = 8
"""Pages of one record that are read to see whether a token remembers the filter."""
MOST_SINGLE = 3
"""Records that are also asked for one by one."""

NOT_TELLING = frozenset({401, 403, 408, 410, 413, 425, 429})
"""Statuses of which none says that the source does not know what it was asked."""

MISSING = frozenset({404, 405, 501})
"""Statuses that say that there is no such endpoint."""

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Page:
    records: Sequence[Record]
    sent: Sequence[object]
    token: str | None
    bare: bool

    @property
    def ids(self) -> list[object]:
        return [record["id"] for record in self.records]


async def probe(source: Source, deadline: float) -> list[Finding]:
    """What the source does otherwise than its capabilities say. Raises nothing for what the source does."""
    names = [name for name in RESOURCES if name in source.capabilities.resources]
    found = await asyncio.gather(*(_Probe(source, RESOURCES[name], deadline).run() for name in names))
    findings = [finding for each in found for finding in each.findings]
    declared = source.capabilities
    ways = [each.paging for each in found if each.paging is not None]
    # A dialect holds for the whole source: the one that sends most is right wherever a smaller one is.
    order = (Paging.TOKEN_WITH_FILTERS, Paging.TOKEN_WITH_WINDOW, Paging.OFFSET, Paging.NONE, Paging.TOKEN)
    way = min(ways, key=order.index, default=None)
    if way is not None and way is not declared.paging:
        findings.append(Finding("", "paging", declared.paging, way, way.value))
    styles = {each.arrays for each in found if each.arrays is not None}
    if len(styles) == 1 and declared.arrays not in styles:
        (style,) = styles
        findings.append(Finding("", "arrays", declared.arrays, style, style.value))
    caps = [each.window for each in found if each.window is not None]
    if caps and min(caps) != (declared.window_days or WINDOWS[0]):
        cap = min(caps)
        found_cap = (f"{cap} days", cap) if cap != WINDOWS[0] else ("no cap", None)
        said = "no cap" if declared.window_days is None else f"{declared.window_days} days"
        findings.append(Finding("", "window_days", said, *found_cap))
    if any(each.naive for each in found):
        text = "date-times come without an offset; see that this is their zone"
        findings.append(Finding("", "timezone", source.settings.timezone, text))
    return findings


class _Probe:
    """The probing of one resource."""

    def __init__(self, source: Source, resource: Resource, deadline: float) -> None:
        self.findings: list[Finding] = []
        self.paging: Paging | None = None
        self.arrays: Arrays | None = None
        self.window: int | None = None
        self.naive = False
        self._source = source
        self._resource = resource
        self._deadline = deadline
        self._read = reader(resource.name, source.settings.timezone)
        self._period = self._window(min(28, source.capabilities.window_days or 28))

    async def run(self) -> _Probe:
        try:
            page = await self._ask([*self._period, *self._limit()])
        except CallError as failure:
            self._found("list", "answers", str(failure.code))
            return self
        if not page.records:
            self._found("list", "has records", "none to probe with")
            return self
        self.naive = any(map(naive, page.sent))
        sample = [each for each in page.records if not protected(each)]
        try:
            await self._filters(sample)
            await self._lookups(sample)
            await self._expands()
            await self._sort_keys()
            await self._views(sample)
            await self._pages(sample)
            await self._windows()
        except CallError as failure:
            self._found("list", "answers", f"{failure.code} in the midst of it: the rest was not found out")
        return self

    def _found(self, what: str, declared: str, found: str, value: object = None) -> None:
        if declared != found:
            self.findings.append(Finding(self._resource.name, what, declared, found, value))

    # Asking

    async def _ask(self, parameters: Parameters) -> _Page:
        """One page. Raises CallError."""
        listed = await self._source.listed(self._resource.name, parameters, self._deadline)
        return self._page(listed.items, listed.token, bare=listed.bare)

    def _page(self, sent: Sequence[object], token: str | None = None, *, bare: bool = False) -> _Page:
        usable = [(found[0], item) for item in sent if (found := self._read(item)) is not None]
        return _Page([record for record, _ in usable], [item for _, item in usable], token, bare)

    async def _try(self, parameters: Parameters) -> _Page | None:
        """The page; None where the source says that it does not take such a question. Raises CallError otherwise."""
        try:
            return await self._ask(parameters)
        except CallError as failure:
            if not _refusal(failure):
                raise
            return None

    # Filters

    async def _filters(self, sample: Sequence[Record]) -> None:
        found: dict[str, Filter] = {}
        for parameter in self._resource.parameters:
            if parameter.required or parameter.name == "civicNo":
                continue
            each = await self._filter(parameter, sample)
            if each is not None:
                found[parameter.name] = each
            if each is Filter.EXACT and parameter.many and self.arrays is None:
                self.arrays = await self._style(parameter, sample)
        declared = {name: self._source.capabilities.filter(self._resource.name, name) for name in found}
        if len(found) > 1 and set(found.values()) == {Filter.IGNORED}:  # then so are those that records do not show
            said = ", ".join(sorted(set(declared.values())))
            self._found(f"filters.{ALL}", said, Filter.IGNORED, Filter.IGNORED.value)
            return
        for name, each in found.items():
            self._found(f"filters.{name}", declared[name], each, each.value)

    async def _filter(self, parameter: Parameter, sample: Sequence[Record]) -> Filter | None:
        """What becomes of a filter; None where the records do not show it, or the source cannot say now."""
        nothing = impossible(parameter, sample)
        known = next(((each, value) for each in sample if (value := selecting(parameter, each)) is not None), None)
        answered = telling = False
        for value in (nothing, None if known is None else known[1]):
            if value is None:
                continue
            try:
                page = await self._try([*self._period, (parameter.name, value), *self._limit()])
            except CallError:
                return None
            if page is None:
                continue
            answered = True
            if any(offends(parameter, value, record) for record in page.records):
                return Filter.IGNORED
            telling = telling or any(offends(parameter, value, record) for record in sample)
            left_out = known is not None and value == known[1] and known[0]["id"] not in page.ids
            if left_out and page.token is None and len(page.records) < LIMIT:
                return Filter.UNKNOWN  # it leaves out what it should give
        if not answered:
            return Filter.REFUSED if nothing is not None or known is not None else None
        return Filter.EXACT if telling else None

    def _limit(self) -> Parameters:
        """The parameter that bounds a page, unless the source is declared to have none."""
        return () if self._source.capabilities.paging is Paging.NONE else (("limit", str(LIMIT)),)

    async def _style(self, parameter: Parameter, sample: Sequence[Record]) -> Arrays | None:
        """How two values of a filter must be written for records with either to come."""
        if parameter.test not in (Test.EQUAL, Test.ANY):
            return None
        values: dict[str, None] = {}
        for record in sample:
            values.update(dict.fromkeys(str(each) for column in parameter.columns for each in leaves(record, column)))
        both = [value for value in values if "," not in value][:2]
        if len(both) < 2:
            return None
        for style in (Arrays.REPEATED, Arrays.COMMA):
            written = both if style is Arrays.REPEATED else [",".join(both)]
            page = await self._try([*self._period, *((parameter.name, value) for value in written), *self._limit()])
            if page is not None and all(any(not offends(parameter, v, r) for r in page.records) for v in both):
                return style
        return None

    # Lookups, expands, sort keys, views

    async def _lookups(self, sample: Sequence[Record]) -> None:
        declared = self._source.capabilities.lookup_keys(self._resource.name)
        found = set(declared)
        for key in self._resource.lookup:
            if key.name == "ids" and not self._resource.has_id:
                continue  # the ids are the gateway's own
            known = next(
                ((each, values[0]) for each in sample if key.column and (values := leaves(each, key.column))), None
            )
            if known is None:
                continue
            try:
                taken = await self._looks_up(key.name, str(known[1]), known[0]["id"])
            except CallError as failure:
                if failure.status not in MISSING:
                    continue
                found.clear()
                break
            (found.add if taken else found.discard)(key.name)
        self._words("lookup", declared, found)

    async def _looks_up(self, key: str, value: str, identity: object) -> bool:
        """Whether the lookup gives the record for its value. Raises CallError where it says nothing of the key."""
        try:
            sent = await self._source.looked_up(self._resource.name, key, [value], self._deadline)
        except CallError as failure:
            if _refusal(failure) and failure.status not in MISSING:
                return False
            raise
        ids = self._page(sent).ids
        return identity in ids and (key != "ids" or ids == [identity])

    async def _expands(self) -> None:
        declared = self._source.capabilities.expands(self._resource.name)
        found = set()
        for name in self._resource.expand:
            page = await self._try([*self._period, ("expand", name), *self._limit()])
            embedded = [item.get("_embedded") for item in page.sent if isinstance(item, dict)] if page else []
            if any(isinstance(each, dict) and name in each for each in embedded):
                found.add(name)
        self._words("expand", declared, found)

    async def _sort_keys(self) -> None:
        """Whether those that are relied on are taken; that a source sorts as the gateway does cannot be seen so."""
        declared = self._source.capabilities.sort_keys.get(self._resource.name, frozenset())
        taken = {
            name
            for name in sorted(declared)
            if await self._try([*self._period, ("sortkey", name), *self._limit()]) is not None
        }
        self._words("sort_keys", declared, taken)

    async def _views(self, records: Sequence[Record]) -> None:
        """Properties that one view carries and the other does not, of records that were asked for both ways."""
        if not (self._resource.get and self._resource.has_id):
            return
        only: dict[str, set[str]] = {"list_only": set(), "list_lacks": set()}
        for record in records[:MOST_SINGLE]:
            answer = await self._source.get(self._resource.name, str(record["id"]), (), self._deadline)
            single = next((each for slab in answer.slabs for each in slab.records), None)
            if single is None:
                return
            for where, having, lacking in (("list_only", record, single), ("list_lacks", single, record)):
                only[where] |= {n for n in self._resource.columns if having.get(n) and n not in lacking}
        if all(only.values()):
            self._found("list_only", "one view is whole", "neither a list nor a single record is whole")
            return
        for where, names in only.items():
            declared = getattr(self._source.capabilities, where).get(self._resource.name, frozenset())
            if names and not names <= declared:
                self._words(where, declared, names | declared)

    def _words(self, what: str, declared: frozenset[str], found: set[str]) -> None:
        if found != declared:
            said, seen = (", ".join(sorted(names)) or "none" for names in (declared, found))
            self._found(what, said, seen, sorted(found))

    # Pages and periods

    async def _pages(self, sample: Sequence[Record]) -> None:
        if len(sample) < 2:
            return
        one: Parameters = (("limit", "1"),)
        try:
            first = await self._try([*self._period, *one])
        except CallError:
            return
        if first is None or not first.records:
            return
        if first.token is None:
            if len(first.records) > 1:
                self.paging = Paging.NONE
            elif first.bare:
                second = await self._try([*self._period, *one, ("offset", "1")])
                if second is not None and second.records and second.ids != first.ids:
                    self.paging = Paging.OFFSET
            return
        token: Parameters = (*one, ("pageToken", first.token))
        whole: Parameters = self._period or (("meta.modified.after", "1900-01-01T00:00:00+00:00"),)
        alone = await self._try(token)
        together = await self._try([*whole, *token])
        if await self._forgets(sample, one):
            self.paging = Paging.TOKEN_WITH_FILTERS
        elif alone is None:
            if together is not None:
                numeric = first.token.isdigit()
                self.paging = Paging.TOKEN_WITH_FILTERS if numeric else Paging.TOKEN_WITH_WINDOW
        elif first.token.isdigit() and together is not None:
            self.paging = Paging.TOKEN_WITH_FILTERS  # a bare number holds no filter
        elif alone.ids != first.ids:
            self.paging = Paging.TOKEN

    async def _forgets(self, sample: Sequence[Record], one: Parameters) -> bool:
        """Whether the pages after the first, asked for by their token alone, hold what the filter leaves out."""
        for parameter in self._resource.parameters:
            if parameter.test not in (Test.EQUAL, Test.ANY) or parameter.name == "civicNo":
                continue
            value = next(
                (v for each in sample if (v := selecting(parameter, each)) and _divides(parameter, v, sample)), None
            )
            if value is None or await self._filter(parameter, sample) is not Filter.EXACT:
                continue
            page = await self._try([*self._period, (parameter.name, value), *one])
            for _ in range(MOST_FOLLOWED):
                if page is None or page.token is None:
                    break
                page = await self._try([*one, ("pageToken", page.token)])
                if page is not None and any(offends(parameter, value, record) for record in page.records):
                    return True
        return False

    async def _windows(self) -> None:
        if not self._period:
            return
        for days in sorted({*WINDOWS, self._source.capabilities.window_days or WINDOWS[0]}, reverse=True):
            if await self._try([*self._window(days), *self._limit()]) is not None:
                self.window = days
                return

    def _window(self, days: int) -> list[tuple[str, str]]:
        """The period that the list requires: so many days, about half of them past."""
        zone = ZoneInfo(self._source.settings.timezone)
        start = self._source.clock().astimezone(zone).date() - timedelta(days=days // 2)
        found = []
        for name in self._resource.window:
            parameter = self._resource.parameter[name]
            later = days if parameter.test is Test.ON_OR_BEFORE else 0
            if parameter.type is Scalar.DATE:
                found.append((name, (start + timedelta(days=later - bool(later))).isoformat()))
            else:
                found.append((name, _midnight(start + timedelta(days=later))))
        return found


def _midnight(day: date) -> str:
    # In UTC: over the change to winter time, local days would be an hour longer than so many days.
    return datetime.combine(day, time(), UTC).isoformat()


def _refusal(failure: CallError) -> bool:
    status = failure.status
    return status is not None and (400 <= status < 500 or status == 501) and status not in NOT_TELLING


def _divides(parameter: Parameter, value: str, sample: Sequence[Record]) -> bool:
    """Whether some of the records have the value, at least two, and others do not."""
    offending = sum(offends(parameter, value, record) for record in sample)
    return 0 < offending <= len(sample) - 2
