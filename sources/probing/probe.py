"""The questions of a probe: what a source does with filters, lookups, expands, pages and periods.

Only lists, lookups and single records are read, a few records at a time (one list of each resource with the page size
that is declared). A personal identity number is never put into a URL, and no value of a record is given back: only what
was found.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..canonical import reader
from ..capabilities import ALL, Arrays, Filter, Paging
from ..errors import CallError, FaultCode
from ..source import Source
from ..standard import RESOURCES
from ..standard.model import LookupKey, Parameter, Reference, Resource, Scalar, Test
from .findings import Finding, Open, Probed
from .values import (
    ENTITY_TYPE,
    Record,
    around,
    bounds,
    disordered,
    impossible,
    leaves,
    naive,
    nulls,
    offends,
    protected,
    selecting,
)

LIMIT = 25
"""Records asked for at a time."""
WINDOWS = (1500, 400, 366, 200, 100, 62, 31, 14, 7, 1)
"""Periods to try, in days; a source that takes the first is taken to have no cap."""
PAGE_SIZES = (1000, 500, 250, 200, 100, 50, LIMIT)
"""Page sizes to try where the one that is declared is refused."""
MOST_FOLLOWED = 8
"""Pages of one record that are read to see whether a token remembers the filter."""
MOST_RESTARTS = 2
"""How often a list that changes under the probe is begun again."""
MOST_SINGLE = 3
"""Records that are also asked for one by one."""

NOT_TELLING = frozenset({401, 403, 408, 410, 413, 425, 429})
"""Statuses of which none says that the source does not know what it was asked."""

ZONES = ("Europe/Stockholm", "UTC")
"""Zones of which date-times without an offset may be."""

MISSING = frozenset({404, 405, 501})
"""Statuses that say that there is no such endpoint."""

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Page:
    records: Sequence[Record]
    sent: Sequence[object]
    token: str | None

    @property
    def ids(self) -> list[object]:
        return [record["id"] for record in self.records]


async def probe(source: Source, deadline: float, told: Callable[[str], object] = str) -> Probed:
    """What the source does otherwise than its capabilities say. Raises nothing for what the source does.

    ``told`` is told of each resource when it is done with.
    """

    async def run(name: str) -> _Probe:
        done = await _Probe(source, RESOURCES[name], deadline).run()
        told(name)
        return done

    names = [name for name in RESOURCES if name in source.capabilities.resources]
    found = await asyncio.gather(*map(run, names))
    findings = [finding for each in found for finding in each.findings]
    unsaid = [reason for each in found for reason in each.open]
    for finding in (_paging(source, found), _arrays(source, found), _window_days(source, found), _chunk(source, found)):
        if isinstance(finding, Finding):
            findings.append(finding)
        elif finding is not None:
            unsaid.append(finding)
    declared = source.capabilities
    sizes = [each.page_size for each in found if each.page_size is not None]
    if sizes:
        findings.append(Finding("", "page_size", str(declared.page_size), f"at most {min(sizes)}", min(sizes)))
    zone = source.settings.timezone
    zones = {each.zone for each in found if each.zone is not None}
    if zones - {zone}:
        (other, *more) = sorted(zones - {zone})
        said = ", ".join(sorted(zones))
        findings.append(Finding("", "timezone", zone, said, other, by_hand=bool(more) or zone in zones))
    elif not zones and any(each.naive for each in found):
        unsaid.append(Open("", "timezone", f"date-times come without an offset: see that they are of {zone}"))
    if any(each.null_means_nothing for each in found):
        findings.append(Finding("", "null_is_absent", "no", "null stands for what another view tells", value=True))
    elif any(each.nulls for each in found) and not declared.null_is_absent:
        unsaid.append(Open("", "null_is_absent", "there are nulls: see that they mean that there is nothing"))
    return Probed(tuple(findings), tuple(unsaid))


def _paging(source: Source, found: Sequence[_Probe]) -> Finding | Open | None:
    declared = source.capabilities.paging
    ways = [each.paging for each in found if each.paging is not None]
    # A dialect holds for the whole source: the one that sends most is right wherever a smaller one is.
    order = (Paging.TOKEN_WITH_FILTERS, Paging.TOKEN_WITH_WINDOW, Paging.OFFSET, Paging.NONE, Paging.TOKEN)
    way = min(ways, key=order.index, default=None)
    if way is None:
        return Open("", "paging", "no list has a second page that shows it")
    return Finding("", "paging", declared, way, way.value) if way is not declared else None


def _arrays(source: Source, found: Sequence[_Probe]) -> Finding | Open | None:
    declared = source.capabilities.arrays
    styles = {each.arrays for each in found if each.arrays is not None}
    if len(styles) != 1:
        return Open("", "arrays", "no filter that is honoured takes two values from the records")
    (style,) = styles
    return Finding("", "arrays", declared, style, style.value) if style is not declared else None


def _window_days(source: Source, found: Sequence[_Probe]) -> Finding | Open | None:
    declared = source.capabilities.window_days
    caps = [each.window for each in found if each.window is not None]
    if not caps or min(caps) == (declared or WINDOWS[0]):
        return None
    cap = None if min(caps) == WINDOWS[0] else min(caps)
    said, seen = ("no cap" if days is None else f"{days} days" for days in (declared, cap))
    return Finding("", "window_days", said, seen, cap)


def _chunk(source: Source, found: Sequence[_Probe]) -> Finding | Open | None:
    taken = [each.chunk for each in found if each.chunk is not None]
    if not taken:
        return Open("", "lookup_chunk", "no lookup by ids works that shows it")
    declared = source.capabilities.chunk
    return Finding("", "lookup_chunk", str(declared), str(min(taken)), min(taken)) if min(taken) < declared else None


class _Probe:
    """The probing of one resource."""

    def __init__(self, source: Source, resource: Resource, deadline: float) -> None:
        self.findings: list[Finding] = []
        self.open: list[Open] = []
        self.paging: Paging | None = None
        self.arrays: Arrays | None = None
        self.window: int | None = None
        self.page_size: int | None = None
        self.chunk: int | None = None
        self.zone: str | None = None
        self.naive = self.nulls = self.null_means_nothing = False
        self._source = source
        self._resource = resource
        self._deadline = deadline
        self._read = reader(resource.name, source.settings.timezone)
        self._bounded = source.capabilities.paging is not Paging.NONE
        self._period = self._window(min(28, source.capabilities.window_days or 28))
        self._first = _Page((), (), None)
        self._exact: set[str] = set()

    async def run(self) -> _Probe:
        try:
            self._first = await self._start()
        except CallError as failure:
            self._found("list", "answers", str(failure.code), by_hand=True)
            return self
        if not self._first.records:
            self._unsaid("everything", "there are no records to ask with")
            return self
        self.naive, self.nulls = (any(map(test, self._first.sent)) for test in (naive, nulls))
        try:
            if self.naive:
                await self._find_zone()
            sample = [each for each in self._first.records if not protected(each)]
            await self._filters(sample)
            await self._lookups(sample)
            await self._expands(sample)
            await self._sort_keys()
            await self._views(sample)
            await self._levels(sample)
            await self._pages(sample)
            await self._page_size()
            await self._windows()
        except CallError as failure:
            self._found(
                "list", "answers", f"{failure.code} in the midst of it: the rest was not found out", by_hand=True
            )
        return self

    async def _start(self) -> _Page:
        """The first page, without a limit where the source takes none. Raises CallError."""
        page = await self._try([*self._period, *self._limit()])
        if page is None:
            self._bounded = False
            page = await self._ask(self._period)
        if not page.records and self._period:
            self._period = self._window(min(366, self._source.capabilities.window_days or 366))
            page = await self._try([*self._period, *self._limit()]) or page
        return page

    def _found(self, what: str, declared: str, found: str, value: object = None, *, by_hand: bool = False) -> None:
        if declared != found:
            self.findings.append(Finding(self._resource.name, what, declared, found, value, by_hand))

    def _unsaid(self, what: str, why: str) -> None:
        self.open.append(Open(self._resource.name, what, why))

    # Asking

    async def _ask(self, parameters: Parameters) -> _Page:
        """One page. Raises CallError."""
        listed = await self._source.listed(self._resource.name, parameters, self._deadline)
        return self._page(listed.items, listed.token)

    def _page(self, sent: Sequence[object], token: str | None = None) -> _Page:
        usable = [(found[0], item) for item in sent if (found := self._read(item)) is not None]
        return _Page([record for record, _ in usable], [item for _, item in usable], token)

    async def _try(self, parameters: Parameters) -> _Page | None:
        """The page; None where the source says that it does not take such a question. Raises CallError otherwise."""
        try:
            return await self._ask(parameters)
        except CallError as failure:
            if not _refusal(failure):
                raise
            return None

    def _limit(self) -> Parameters:
        """The parameter that bounds a page, unless the source has none."""
        return (("limit", str(LIMIT)),) if self._bounded else ()

    async def _find_zone(self) -> None:
        """The zone of date-times without an offset: the one in which a list around such an instant holds the record."""
        declared = self._source.settings.timezone
        for column, after, before in bounds(self._resource):
            known = next(
                (
                    (record["id"], text)
                    for record, item in zip(self._first.records, self._first.sent, strict=True)
                    if not protected(record) and isinstance(item, dict)
                    for text in leaves(item, column)
                    if naive(text)
                ),
                None,
            )
            if known is None:
                continue
            others = [each for each in self._period if each[0] not in (after, before)]
            hits = []
            for zone in dict.fromkeys((declared, *ZONES)):
                limits = around(known[1], zone)
                if limits is None:
                    continue
                page = await self._try([*others, (after, limits[0]), (before, limits[1]), *self._limit()])
                if page is not None and known[0] in page.ids:
                    hits.append(zone)
            if len(hits) == 1:
                self.zone = hits[0]
                self._read = reader(self._resource.name, self.zone)
                self._first = self._page(self._first.sent, self._first.token)
                return

    # Filters

    async def _filters(self, sample: Sequence[Record]) -> None:
        name = self._resource.name
        company = self._source.capabilities.filters_with.get(name, {})
        found: dict[str, Filter] = {}
        silent, unshown = [], []
        for parameter in self._resource.parameters:
            if parameter.required:
                continue
            if parameter.name == "civicNo":
                self._unsaid("filters.civicNo", "it would stand in a URL")
                continue
            beside = self._beside(company.get(parameter.name), sample)
            try:
                each = None if beside is None else await self._filter(parameter, sample, beside)
            except CallError:
                silent.append(parameter.name)
                continue
            if each is None:
                unshown.append(parameter.name)
                continue
            found[parameter.name] = each
            if each is not Filter.EXACT:
                continue
            self._exact.add(parameter.name)
            if parameter.many and self.arrays is None:
                self.arrays = await self._style(parameter, sample)
        for names, why in ((silent, "no answer to them now"), (unshown, "these records do not show their effect")):
            if names:
                self._unsaid("filters", f"{why}: {', '.join(names)}")
        declared = {each: self._source.capabilities.filter(name, each) for each in found}
        if len(found) > 1 and set(found.values()) == {Filter.IGNORED}:  # then so are those that records do not show
            said = ", ".join(sorted(set(declared.values())))
            self._found(f"filters.{ALL}", said, Filter.IGNORED, Filter.IGNORED.value)
            return
        for parameter_name, each in found.items():
            said, value = declared[parameter_name].value, each.value
            if parameter_name in company:
                said = Filter.EXACT.value if each is Filter.EXACT else f"exact with {company[parameter_name]}"
                value = Filter.REFUSED.value  # it is not to be sent at all: by itself it is not taken either
            self._found(f"filters.{parameter_name}", said, each.value, value)

    def _beside(self, company: str | None, sample: Sequence[Record]) -> Parameters | None:
        """What must be sent together with a parameter; None where the records give no value for it."""
        if company is None:
            return ()
        parameter = self._resource.parameter[company]
        values = (
            (impossible(parameter, sample),) if company == ENTITY_TYPE else (selecting(parameter, r) for r in sample)
        )
        value = next((value for value in values if value is not None), None)
        return None if value is None else ((company, value),)

    async def _filter(self, parameter: Parameter, sample: Sequence[Record], beside: Parameters) -> Filter | None:
        """What becomes of a filter; None where the records do not show it. Raises CallError where it cannot say now."""
        bare = await self._try([*self._period, *beside, *self._limit()]) if beside else self._first
        nothing = impossible(parameter, sample)
        known = next(((each, value) for each in sample if (value := selecting(parameter, each)) is not None), None)
        answered = telling = too_much = effect = kept = False
        for value in (nothing, None if known is None else known[1]):
            if value is None:
                continue
            page = await self._try([*self._period, *beside, (parameter.name, value), *self._limit()])
            if page is None:
                continue
            answered = True
            too_much = too_much or any(offends(parameter, value, record) for record in page.records)
            effect = effect or bare is None or page.ids != bare.ids
            telling = telling or any(offends(parameter, value, record) for record in sample)
            if known is None or value != known[1]:
                continue
            kept = known[0]["id"] in page.ids
            if not kept and page.token is None and (len(page.records) < LIMIT or not self._bounded):
                return Filter.UNKNOWN  # it leaves out what it should give
        if not answered:
            return Filter.REFUSED if nothing is not None or known is not None else None
        if too_much:  # where it is taken for a superset without being one, it is ignored: that leaves out nothing
            return Filter.SUPERSET if effect and kept else Filter.IGNORED
        return Filter.EXACT if telling else None

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
        found, unshown = set(declared), []
        for key in self._resource.lookup:
            if key.name == "ids" and not self._resource.has_id:
                continue  # the ids are the gateway's own
            known = next(
                ((each, values[0]) for each in sample if key.column and (values := leaves(each, key.column))), None
            )
            if known is None:
                unshown.append(key.name)
                continue
            try:
                taken = await self._looks_up(key, str(known[1]), known[0]["id"])
            except CallError as failure:
                if failure.status not in MISSING:
                    unshown.append(key.name)
                    continue
                found.clear()
                unshown = []
                break
            (found.add if taken else found.discard)(key.name)
            if taken and key.name == "ids":
                self.chunk = await self._takes(str(known[1]))
        if unshown:
            self._unsaid("lookup", f"these records do not show it: {', '.join(unshown)}")
        self._words("lookup", declared, found)

    async def _looks_up(self, key: LookupKey, value: str, identity: object) -> bool:
        """Whether the lookup gives the record for its value. Raises CallError where it says nothing of the key."""
        try:
            sent = await self._source.looked_up(self._resource.name, key.name, [value], self._deadline)
        except CallError as failure:
            if _refusal(failure) and failure.status not in MISSING:
                return False
            raise
        page = self._page(sent)
        if key.name == "ids":
            return page.ids == [identity]
        shown = [values for each in page.records if (values := leaves(each, key.column))]
        return identity in page.ids and all(value in map(str, values) for values in shown)

    async def _takes(self, identity: str) -> int | None:
        """How many ids a lookup takes, from as many as are declared by halves downwards; None where it does not say.

        All but the last, which must come back, are ids that nobody has.
        """
        count = self._source.capabilities.chunk
        while count > 1:
            nobody = (str(uuid.uuid4()) for _ in range(count - 1))
            try:
                sent = await self._source.looked_up(self._resource.name, "ids", [*nobody, identity], self._deadline)
            except CallError as failure:
                if failure.status is None:
                    return None
            else:
                if identity in self._page(sent).ids:
                    return count
            count //= 2
        return 1

    async def _expands(self, sample: Sequence[Record]) -> None:
        declared = self._source.capabilities.expands(self._resource.name)
        found, unshown = set(), []
        for name in self._resource.expand:
            page = await self._try([*self._period, ("expand", name), *self._limit()])
            embedded = [item.get("_embedded") for item in page.sent if isinstance(item, dict)] if page else []
            if any(isinstance(each, dict) and name in each for each in embedded):
                found.add(name)
            elif page and name in self._resource.columns and not any(leaves(record, name) for record in sample):
                unshown.append(name)
                found |= declared & {name}
        if unshown:
            self._unsaid("expand", f"these records refer to nothing that it would embed: {', '.join(unshown)}")
        self._words("expand", declared, found)

    async def _sort_keys(self) -> None:
        """Those that are relied on and are refused or clearly have no effect."""
        declared = self._source.capabilities.sort_keys.get(self._resource.name, frozenset())
        taken = set()
        for name in sorted(declared):
            page = await self._try([*self._period, ("sortkey", name), *self._limit()])
            if page is not None and not disordered(self._resource.sort_key[name], page.records):
                taken.add(name)
        self._words("sort_keys", declared, taken)

    async def _views(self, records: Sequence[Record]) -> None:
        """Properties that one view carries and the other does not, of records that were asked for both ways."""
        if not (self._resource.get and self._resource.has_id):
            return
        only: dict[str, set[str]] = {"list_only": set(), "list_lacks": set()}
        for record in sorted(records, key=_filled, reverse=True)[:MOST_SINGLE]:
            answer = await self._source.get(self._resource.name, str(record["id"]), (), self._deadline)
            single = next((each for slab in answer.slabs for each in slab.records), None)
            if single is None:
                self._unsaid("list_only, list_lacks", "no single record answers")
                return
            for where, having, lacking in (("list_only", record, single), ("list_lacks", single, record)):
                more = {n for n in self._resource.columns if having.get(n) and lacking.get(n) is None}
                only[where] |= more
                self.null_means_nothing |= not self._source.capabilities.null_is_absent and any(
                    n in lacking for n in more
                )
        if all(only.values()):
            whole = "neither a list nor a single record is whole"
            self._found("list_only", "one view is whole", whole, by_hand=True)
            return
        for where, names in only.items():
            declared = getattr(self._source.capabilities, where).get(self._resource.name, frozenset())
            if names and not names <= declared:
                self._words(where, declared, names | declared)

    async def _levels(self, sample: Sequence[Record]) -> None:
        """Whether records belong to organisations of the type that is declared."""
        level = self._source.capabilities.organisation_level.get(self._resource.name)
        if level is None:
            return
        to = Reference("Organisation")
        column = next(each.name for each in self._resource.properties if each.type == to)
        types = set()
        for identity in list(dict.fromkeys(str(id) for record in sample for id in leaves(record, column)))[
            :MOST_SINGLE
        ]:
            answer = await self._source.get("Organisation", identity, (), self._deadline)
            types |= {str(each["organisationType"]) for slab in answer.slabs for each in slab.records
                      if each.get("organisationType")}  # fmt: skip
        if types - {level}:
            self._found("organisation_level", level, ", ".join(sorted(types)), by_hand=True)
        elif not types:
            self._unsaid("organisation_level", "the organisations are not to be had here")

    def _words(self, what: str, declared: frozenset[str], found: set[str]) -> None:
        if found != declared:
            said, seen = (", ".join(sorted(names)) or "none" for names in (declared, found))
            self._found(what, said, seen, sorted(found))

    # Pages and periods

    async def _pages(self, sample: Sequence[Record]) -> None:
        """How pages are asked for. Where the list changes meanwhile, its tokens die, and it is begun once more."""
        for _ in range(MOST_RESTARTS):
            try:
                return await self._follow(sample)
            except CallError as failure:
                if failure.code is not FaultCode.SOURCE_LIST_CHANGED:
                    raise
        return await self._follow(sample)

    async def _follow(self, sample: Sequence[Record]) -> None:
        if len(sample) < 2:
            return
        one: Parameters = (("limit", "1"),)
        try:
            first = await self._try([*self._period, *one])
        except CallError:
            return
        if first is None and self._first.token is None:
            self.paging = Paging.NONE
        if first is None or not first.records:
            return
        if first.token is None:
            second = await self._try([*self._period, *one, ("offset", "1")]) if len(first.records) == 1 else None
            turned = second is not None and second.records and second.ids != first.ids
            self.paging = Paging.OFFSET if turned else Paging.NONE
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
            if value is None or parameter.name not in self._exact:
                continue
            page = await self._try([*self._period, (parameter.name, value), *one])
            for _ in range(MOST_FOLLOWED):
                if page is None or page.token is None:
                    break
                page = await self._try([*one, ("pageToken", page.token)])
                if page is not None and any(offends(parameter, value, record) for record in page.records):
                    return True
        return False

    async def _page_size(self) -> None:
        """The largest page that may be asked for, where the one that is declared is refused."""
        declared = self._source.capabilities.page_size
        if declared is None or declared <= LIMIT or not self._bounded:
            return
        for size in (declared, *(each for each in PAGE_SIZES if each < declared)):
            if await self._try([*self._period, ("limit", str(size))]) is not None:
                self.page_size = size if size < declared else None
                return

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


def _filled(record: Record) -> int:
    return sum(value is not None for value in record.values())


def _divides(parameter: Parameter, value: str, sample: Sequence[Record]) -> bool:
    """Whether some of the records have the value, at least two, and others do not."""
    offending = sum(offends(parameter, value, record) for record in sample)
    return 0 < offending <= len(sample) - 2
