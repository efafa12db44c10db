"""Slabs from what a source sent: records read, their identities, what they embed, and the way back to the original."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from .canonical import embedded_reader, reader
from .errors import CallError, Fault, FaultCode
from .records import Embedded, Record, Slab, View
from .standard import RESOURCES

_BOM = b"\xef\xbb\xbf"


def decode(body: bytes) -> object:
    """JSON (RFC 8259), with or without a byte order mark. Raises CallError (SOURCE_ANSWER_INVALID)."""
    try:
        return orjson.loads(body.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        # The decoder's message would quote the body.
        raise CallError(FaultCode.SOURCE_ANSWER_INVALID) from None


@dataclass(frozen=True, slots=True)
class Origin:
    """What is the same for all records of one response."""

    source: str
    resource: str
    view: View
    expand: tuple[str, ...]
    fetched_at: datetime
    from_cache: bool
    timezone: str


@dataclass(frozen=True, slots=True)
class Built:
    """A slab, what was wrong with the response it was made of, and its records as they were sent."""

    slab: Slab
    faults: tuple[Fault, ...]
    sent: Sequence[object]


def build(
    origin: Origin,
    items: Sequence[object],
    again: Callable[[], Sequence[object]],
    wanted: Collection[str] | None = None,
) -> Built:
    """The slab of ``items``, and one fault per resource of which records could not be used.

    ``again`` decodes the items anew, for ``Slab.raw``. ``wanted``: ids to keep, None for all.
    """
    read = reader(origin.resource, origin.timezone)
    ids: list[str] = []
    records: list[Record] = []
    positions: list[int] = []
    issues: dict[int, tuple[str, ...]] = {}
    invalid: dict[str, None] = {}
    unusable = 0
    for position, item in enumerate(items):
        found = read(item)
        if found is None:
            invalid[origin.resource] = None
            unusable += 1
            continue
        record, noted = found
        identity = str(record["id"])
        if wanted is not None and identity not in wanted:
            continue
        if noted:
            issues[len(ids)] = noted
        ids.append(identity)
        records.append(record)
        positions.append(position)
    slab = Slab(
        origin.source,
        origin.resource,
        origin.view,
        frozenset(origin.expand),
        origin.fetched_at,
        origin.from_cache,
        ids,
        records,
        lambda index: again()[positions[index]],
        issues,
        unusable=unusable,
    )
    sent = [items[position] for position in positions]
    if origin.expand:
        slab.embedded = {
            name: _embedded(origin, slab, name, sent, invalid)
            for name in origin.expand
            if name in RESOURCES[origin.resource].expand
        }
    faults = tuple(Fault(origin.source, name, FaultCode.SOURCE_RECORD_INVALID) for name in invalid)
    return Built(slab, faults, sent)


def build_array(origin: Origin, bodies: Sequence[bytes]) -> Built:
    """The slab of records that are kept one by one."""
    body = b"[" + b",".join(bodies) + b"]"

    def again() -> list[object]:
        found: list[object] = orjson.loads(body)
        return found

    return build(origin, again(), again)


def _embedded(origin: Origin, parent: Slab, name: str, sent: Sequence[object], invalid: dict[str, None]) -> Embedded:
    declared = RESOURCES[origin.resource].expand[name]
    read = embedded_reader(origin.resource, name, origin.timezone)
    ids: list[str] = []
    records: list[Record] = []
    elements: list[Record] = []
    places: list[tuple[int, int]] = []
    issues: dict[int, tuple[str, ...]] = {}
    children: dict[int, Sequence[int]] = {}
    for index, item in enumerate(sent):
        found = _elements(item, name)
        if found is None:
            continue
        mine: list[int] = []
        for place, element in enumerate(found):
            usable = read(element)
            if usable is None:
                invalid[declared.resource] = None
                continue
            record, whole, noted = usable
            if noted:
                issues[len(ids)] = noted
            mine.append(len(ids))
            ids.append(str(record["id"]))
            records.append(record)
            elements.append(whole)
            places.append((index, place))
        children[index] = mine

    def raw(index: int) -> object:
        owner, place = places[index]
        found = _elements(parent.raw(owner), name)
        return None if found is None else found[place]

    slab = Slab(
        origin.source,
        declared.resource,
        View.EMBEDDED,
        frozenset(),
        origin.fetched_at,
        origin.from_cache,
        ids,
        records,
        raw,
        issues,
    )
    return Embedded(slab, elements, children)


def _elements(item: object, name: str) -> list[object] | None:
    """What ``_embedded.<name>`` of one record holds, always as a list; None where it is not there."""
    embedded = item.get("_embedded") if isinstance(item, dict) else None
    if not isinstance(embedded, dict) or name not in embedded:
        return None
    value = embedded[name]
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def select(slab: Slab, keep: Sequence[int]) -> Slab:
    """The same response with only some of its records."""
    renumbered = {old: new for new, old in enumerate(keep)}
    raw = slab.raw
    return replace(
        slab,
        ids=[slab.ids[index] for index in keep],
        records=[slab.records[index] for index in keep],
        raw=lambda index: raw(keep[index]),
        issues={renumbered[old]: noted for old, noted in slab.issues.items() if old in renumbered},
        embedded={
            name: replace(
                embedded,
                children={renumbered[old]: found for old, found in embedded.children.items() if old in renumbered},
            )
            for name, embedded in slab.embedded.items()
        },
    )


def without(slab: Slab, seen: set[str]) -> Slab:
    """The slab without records whose ids were seen; the others are added to ``seen``."""
    keep = []
    for index, identity in enumerate(slab.ids):
        if identity not in seen:
            seen.add(identity)
            keep.append(index)
    return slab if len(keep) == len(slab.ids) else select(slab, keep)
