"""Slabs from what a source sent: records read, their identities, what they embed, and the way back to the original."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from .canonical import embedded_reader, reader
from .decoding import Decoded, Page, decodable, decode_page, raw_records
from .errors import Fault, FaultCode
from .records import Embedded, Record, Slab, View, Whole
from .shape import Shape
from .standard import RESOURCES


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
    sent: Callable[[], Sequence[bytes]]


def build(
    origin: Origin,
    items: Sequence[object],
    again: Callable[[], Sequence[object]],
    wanted: Collection[str] | None = None,
) -> Built:
    """The slab of ``items``, and one fault per resource of which records could not be used.

    ``again`` decodes the items anew, for ``Slab.raw``. ``wanted``: ids to keep, None for all.
    """
    found, positions, unusable = _read(origin, items, wanted)
    sent = [items[position] for position in positions]
    slab = _slab(
        origin,
        [str(record["id"]) for record in found[0]],
        lambda index: again()[positions[index]],
        lambda: found,
        unusable=unusable,
    )
    invalid: dict[str, None] = {origin.resource: None} if unusable else {}
    if origin.expand:
        slab.embedded = {
            name: _embedded(origin, slab, name, sent, invalid)
            for name in origin.expand
            if name in RESOURCES[origin.resource].expand
        }
    faults = tuple(Fault(origin.source, name, FaultCode.SOURCE_RECORD_INVALID) for name in invalid)
    return Built(slab, faults, lambda: [orjson.dumps(each) for each in sent])


def build_columns(
    origin: Origin,
    page: Page,
    body: bytes,
    again: Callable[[], Sequence[object]],
    shape: Shape,
    wanted: Collection[str] | None = None,
) -> Built:
    """The same of a page that was decoded by columns; the rest of its records is read when somebody asks for it."""
    ids, decoded, positions = page.ids, page.decoded, page.positions
    if wanted is not None and not all(each in wanted for each in ids):
        keep = [n for n, each in enumerate(ids) if each in wanted]
        ids, decoded = [ids[n] for n in keep], [decoded[n] for n in keep]
        positions = [positions[n] for n in keep]

    def whole() -> Whole:
        items = again()
        return _read(origin, [items[position] for position in positions], None)[0]

    def another(shape: Shape) -> list[Decoded]:
        found = decode_page(origin.resource, origin.timezone, shape, body, read=True)
        assert found is not None  # it was JSON before
        by_position = dict(zip(found.positions, found.decoded, strict=True))
        return [by_position[position] for position in positions]

    def sent() -> list[bytes]:
        raw = raw_records(body)
        return [bytes(raw[position]) for position in positions]

    slab = _slab(
        origin,
        ids,
        lambda index: again()[positions[index]],
        whole,
        again=another,
        columns={shape: decoded},
        unusable=page.unusable,
    )
    faults = (Fault(origin.source, origin.resource, FaultCode.SOURCE_RECORD_INVALID),) if page.unusable else ()
    return Built(slab, faults, sent)


def build_array(origin: Origin, bodies: Sequence[bytes], shape: Shape | None = None) -> Built:
    """The slab of records that are kept one by one."""
    body = b"[" + b",".join(bodies) + b"]"

    def again() -> list[object]:
        found: list[object] = orjson.loads(body)
        return found

    if shape is not None and not origin.expand and decodable(origin.resource):
        page = decode_page(origin.resource, origin.timezone, shape, body, read=True)
        if page is not None:
            return build_columns(origin, page, body, again, shape)
    return build(origin, again(), again)


def _read(origin: Origin, items: Sequence[object], wanted: Collection[str] | None) -> tuple[Whole, Sequence[int], int]:
    """All of the usable records, their positions, and how many are none."""
    read = reader(origin.resource, origin.timezone)
    records: list[Record] = []
    positions: list[int] = []
    issues: dict[int, tuple[str, ...]] = {}
    unusable = 0
    for position, item in enumerate(items):
        found = read(item)
        if found is None:
            unusable += 1
            continue
        record, noted = found
        if wanted is not None and str(record["id"]) not in wanted:
            continue
        if noted:
            issues[len(records)] = noted
        records.append(record)
        positions.append(position)
    return (records, issues), positions, unusable


def _slab(
    origin: Origin,
    ids: Sequence[str],
    raw: Callable[[int], object],
    whole: Callable[[], Whole],
    *,
    again: Callable[[Shape], Sequence[Decoded]] | None = None,
    columns: Mapping[Shape, Sequence[Decoded]] | None = None,
    unusable: int = 0,
) -> Slab:
    return Slab(
        origin.source, origin.resource, origin.view, frozenset(origin.expand), origin.fetched_at, origin.from_cache,
        ids, raw, whole=whole, again=again, columns=columns, unusable=unusable, timezone=origin.timezone,
    )  # fmt: skip


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

    inner = replace(origin, resource=declared.resource, view=View.EMBEDDED, expand=())
    slab = _slab(inner, ids, raw, lambda: (records, issues))
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


def without(slab: Slab, seen: set[str]) -> Slab:
    """The slab without records whose ids were seen; the others are added to ``seen``."""
    keep = []
    for index, identity in enumerate(slab.ids):
        if identity not in seen:
            seen.add(identity)
            keep.append(index)
    return slab if len(keep) == len(slab.ids) else slab.select(keep)
