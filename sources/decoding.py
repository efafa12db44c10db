"""Pages decoded by columns: only what will be read is taken out of the bytes, and all else is skipped.

A record that stands there as ``canonical.reader`` would give it is taken as it is: the types that msgspec decodes into
accept nothing else, or what they cannot tell is checked behind them. Any other record is read by ``canonical.reader``
itself, by itself, so that what comes out is always what that would have given of these columns.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .canonical import Object, Reader, converter, read_date, read_date_time, read_id, reader
from .shape import Shape
from .standard import RESOURCES
from .standard.model import Enumeration, Property, Reference, Scalar, Structure
from .wire import decode

Decoded = Any
"""A record's columns as attributes, by the standard's names. Of parts, the entries are objects of the same make."""

_INT32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_TIMES = frozenset(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in range(24 * 60 + 1))
_MOST_DATES = 50_000
_dates: set[str] = set()
"""Dates that were seen to be dates: most of a school's are the same few thousand."""
_TEXTS = frozenset({Scalar.STRING, Scalar.EMAIL, Scalar.URI})


@dataclass(frozen=True, slots=True)
class Page:
    """What a page's bytes hold: ids and columns side by side, and where in the page each of the records is.

    ``count``: how many entries the page has, also those that are no usable records. ``token``: as it was sent.
    """

    ids: list[str]
    decoded: list[Decoded]
    positions: Sequence[int]
    count: int
    token: object

    @property
    def unusable(self) -> int:
        return self.count - len(self.ids)


@dataclass(frozen=True, slots=True)
class _Made:
    """The decoders of one resource, zone and shape."""

    page: msgspec.json.Decoder[Any]
    array: msgspec.json.Decoder[Any]
    record: msgspec.json.Decoder[Any]
    settle: Callable[[Sequence[Decoded]], list[int]] | None
    """Makes canonical what can be, and gives the numbers of the records that must be read whole."""
    build: Callable[[Object], Decoded]
    """The columns of a canonical record."""
    whole: Reader


def decodable(resource: str) -> bool:
    """Whether a resource's records can be decoded by columns: their ids must stand in them."""
    return resource in RESOURCES and RESOURCES[resource].has_id


def decode_page(resource: str, timezone: str, shape: Shape, body: bytes, *, read: bool = False) -> Page | None:
    """The records of a list's or lookup's answer, ``{"data": […], "pageToken": …}`` or a bare array; None where it is
    anything else, or no JSON at all. ``read``: it was read before, and its text is known to be UTF-8.
    """
    made = _made(resource, timezone, shape)
    try:
        if not (read or body.isascii()):
            body.decode()  # skipping does not look at how text is encoded
        bare = body.lstrip()[:1] == b"["
        token: object = None
        try:
            if bare:
                sent = made.array.decode(body)
            else:
                outer = made.page.decode(body)
                sent, token = outer.data, outer.pageToken
        except msgspec.ValidationError:  # one record is enough
            if bare:
                sent = _raws(body)
            else:
                parts = _raw_page(body)
                sent, token = parts.data, parts.pageToken
            sent = [_by_itself(made, each) for each in sent]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return _settled(made, sent, None if token is UNSET else token, lambda: raw_records(body))


def raw_records(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """The bytes of each entry of a page that ``decode_page`` could read."""
    return _raws(body) if body.lstrip()[:1] == b"[" else _raw_page(body).data


def build(resource: str, timezone: str, shape: Shape, records: Sequence[Any]) -> list[Decoded]:
    """The columns of canonical records."""
    return [_made(resource, timezone, shape).build(record) for record in records]


class _RawPage(msgspec.Struct):
    data: list[msgspec.Raw]
    pageToken: Any = UNSET


_raw_page = msgspec.json.Decoder(_RawPage).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _by_itself(made: _Made, raw: bytes | msgspec.Raw) -> Decoded:
    try:
        return made.record.decode(raw)
    except msgspec.ValidationError:
        return _read_whole(made, raw)


def _read_whole(made: _Made, raw: bytes | msgspec.Raw) -> Decoded | None:
    found = made.whole(decode(bytes(raw)))
    return None if found is None else made.build(found[0])


def _settled(
    made: _Made, sent: list[Decoded], token: object, raws: Callable[[], Sequence[bytes | msgspec.Raw]]
) -> Page:
    usable = [each for each in sent if each is not None]
    positions: Sequence[int] = range(len(sent))
    if len(usable) < len(sent):
        positions = [n for n, each in enumerate(sent) if each is not None]
    doubtful = set(made.settle(usable)) if made.settle is not None else set()
    ids = [each.id for each in usable]
    if not _canonical(ids):
        doubtful.update(n for n, each in enumerate(ids) if read_id(each) != each)
    if not doubtful:
        return Page(ids, usable, positions, len(sent), token)
    raw = raws()
    found = [(positions[n], _read_whole(made, raw[positions[n]]) if n in doubtful else e) for n, e in enumerate(usable)]
    kept = [(position, each) for position, each in found if each is not None]
    decoded = [each for _, each in kept]
    return Page([each.id for each in decoded], decoded, [position for position, _ in kept], len(sent), token)


def _canonical(ids: Sequence[str]) -> bool:
    """Whether all are as ``read_id`` would give them; looked at together, for what is true of the whole is true of each
    part."""
    text = "".join(ids)
    return (
        text.isprintable()
        and text == text.lower()
        and not any(each in text for each in " {}")
        and all(ids)
        and max(map(len, ids), default=0) <= 255
    )


@lru_cache(maxsize=512)
def _made(resource: str, timezone: str, shape: Shape) -> _Made:
    of, zone = RESOURCES[resource], ZoneInfo(timezone)
    own = _Type(resource, zone, shape.tells_absence)
    for declared in of.properties:  # in the standard's order, as most send them: msgspec looks at the next one first
        if declared.name not in shape.columns or declared.name == "id":
            continue
        part = shape.parts.get(declared.name)
        if part is not None:
            own.part(declared, part)
        else:
            own.column(declared)
    record = own.make(identified=True)
    page = msgspec.defstruct("Page", [("data", list[record]), ("pageToken", Any, UNSET)])  # type: ignore[valid-type]
    return _Made(
        msgspec.json.Decoder(page),
        msgspec.json.Decoder(list[record]),  # type: ignore[valid-type]
        msgspec.json.Decoder(record),
        own.settle(),
        own.builder(record),
        reader(resource, timezone),
    )


def plain(structure: Structure, names: Collection[str]) -> bool:
    """Whether entries can be decoded by these properties alone: plain values, and nothing that is read of two."""
    properties = {p.name: p for p in structure.properties}
    return not _read_together(structure) and all(
        name in properties
        and not properties[name].many
        and not isinstance(properties[name].type, Reference | Structure)
        and properties[name].type is not Scalar.ID
        for name in names
    )


def _read_together(structure: Structure) -> bool:
    types = {p.name: p.type for p in structure.properties}
    return types.get("startTime") is types.get("endTime") is Scalar.TIME


class _Type:
    """A msgspec type in the making, and the code that looks over what it has decoded."""

    def __init__(self, name: str, zone: ZoneInfo, tells_absence: bool, path: str = "") -> None:
        self._name, self._zone, self._path = name, zone, path
        self._absent: object = UNSET if tells_absence else None
        self._fields: list[tuple[str, Any, Any]] = []
        self._renamed: dict[str, str] = {}
        self._checks: list[str] = []
        self._names: dict[str, Any] = {
            "DATES": _dates, "TIMES": _TIMES, "UNSET": UNSET, "ABSENT": self._absent,
            "date": partial(_is_date, zone=zone), "moment": partial(_is_moment, zone=zone),
        }  # fmt: skip
        self._builders: dict[str, Callable[[Any], Decoded] | None] = {}

    def column(self, declared: Property) -> None:
        """A property that is read whole."""
        self._also(declared)
        kind = self._leaf(declared)
        if kind is None:
            self._converted(declared)
            return
        self._add(declared.name, kind)
        if self._path:
            self._builders[declared.name] = _checked(int if kind is _INT32 else kind)

    def part(self, declared: Property, names: frozenset[str]) -> None:
        """A property of whose objects only some properties are read."""
        assert isinstance(declared.type, Structure)
        self._also(declared)
        inner = _Type(declared.type.name, self._zone, False, f"{self._path}{declared.name}.")
        for each in declared.type.properties:
            if each.name in names:
                inner.column(each)
        made = inner.make(identified=False)
        number = len(self._names)
        build = inner.builder(made)
        self._add(declared.name, list[made] if declared.many else made)  # type: ignore[valid-type]
        self._builders[declared.name] = _each(build) if declared.many else build
        check = inner.settle()
        if check is not None:
            self._names[f"check{number}"] = check
            entries = f"r.{declared.name}" if declared.many else f"(r.{declared.name},)"
            self._checks.append(f"if r.{declared.name} is not ABSENT and r.{declared.name} is not None"
                                f" and check{number}({entries}): bad.append(n); continue")  # fmt: skip

    def _add(self, name: str, kind: Any) -> None:
        self._fields.append((name, kind | None | (UnsetType if self._absent is UNSET else None), self._absent))
        self._builders.setdefault(name, None)

    def _also(self, declared: Property) -> None:
        """Where another spelling is there, the record is read whole."""
        for alias in declared.also:
            own = f"_{len(self._fields)}"
            self._fields.append((own, msgspec.Raw | UnsetType, UNSET))
            self._renamed[own] = alias
            self._checks.append(f"if r.{own} is not UNSET: bad.append(n); continue")

    def _leaf(self, declared: Property) -> Any:
        """The type of a plain value, with the check behind it; None for what must be converted."""
        if declared.many:
            return None
        value = f"r.{declared.name}"
        match declared.type:
            case Enumeration(also=also):
                if also:
                    number = len(self._names)
                    self._names[f"also{number}"] = dict(also)
                    self._checks.append(f"if {value} in also{number}: {value} = also{number}[{value}]")
                return str
            case Scalar.BOOLEAN:
                return bool
            case Scalar.INTEGER:
                return _INT32
            case Scalar.DATE:
                self._checks.append(f"v = {value}\n        if v.__class__ is str and v not in DATES and not date(v): "
                                    "bad.append(n); continue")  # fmt: skip
                return str
            case Scalar.DATE_TIME:
                self._checks.append(f"v = {value}\n        if v.__class__ is str and not moment(v): "
                                    "bad.append(n); continue")  # fmt: skip
                return str
            case Scalar.TIME:
                self._checks.append(f"v = {value}\n        if v.__class__ is str and v not in TIMES: "
                                    "bad.append(n); continue")  # fmt: skip
                return str
            case Scalar() as scalar if scalar in _TEXTS:
                return str
        return None

    def _converted(self, declared: Property) -> None:
        """A value that ``canonical`` converts."""
        self._add(declared.name, Any)
        number = len(self._names)
        self._names[f"convert{number}"] = converter(declared, self._path, self._zone)
        value = f"r.{declared.name}"
        self._checks.append(
            f"v = {value}\n        if v is not None and v is not UNSET:\n"
            f"            v = convert{number}(v, [])\n            {value} = ABSENT if v is None else v"
        )

    def make(self, *, identified: bool) -> type[msgspec.Struct]:
        fields: list[Any] = [("id", str)] if identified else []
        fields += self._fields
        assert not any(keyword.iskeyword(name) for name, *_ in fields)
        return msgspec.defstruct(self._name, fields, rename=self._renamed or None, gc=False)

    def settle(self) -> Callable[[Sequence[Decoded]], list[int]] | None:
        """The function that looks over what was decoded; None where there is nothing to be seen."""
        if not self._checks:
            return None
        lines = ["def settle(records):", "    bad = []", "    for n, r in enumerate(records):"]
        lines += [f"        {check}" for check in self._checks]
        names = dict(self._names)
        exec("\n".join([*lines, "    return bad"]), names)
        made: Callable[[Sequence[Decoded]], list[int]] = names["settle"]
        return made

    def builder(self, made: type[msgspec.Struct]) -> Callable[[Object], Decoded]:
        """From a canonical object to its columns."""
        builders, absent = self._builders, self._absent

        def build(record: Object) -> Decoded:
            if record.__class__ is not dict:
                raise TypeError
            values: dict[str, object] = {}
            for name, inner in builders.items():
                value = record.get(name, absent)
                if inner is not None and value is not None and value is not absent:
                    value = inner(value)
                values[name] = value
            return made(**({"id": record["id"]} if "id" in made.__struct_fields__ else {}), **values)

        return build


def _each(build: Callable[[Any], Decoded]) -> Callable[[Any], list[Decoded]]:
    def each(value: object) -> list[Decoded]:
        if value.__class__ is not list:
            raise TypeError
        return [build(entry) for entry in cast("list[object]", value)]

    return each


def _checked(kind: type) -> Callable[[Any], Any]:
    """A canonical value that goes straight to where it is printed. Raises TypeError."""

    def checked(value: object) -> object:
        if value.__class__ is not kind:
            raise TypeError
        return value

    return checked


def _is_date(value: str, zone: ZoneInfo) -> bool:
    """Whether it is a date as ``canonical`` gives it; remembered."""
    found = read_date(value, zone) == value
    if found and len(_dates) < _MOST_DATES:
        _dates.add(value)
    return found


def _is_moment(value: str, zone: ZoneInfo) -> bool:
    return read_date_time(value, zone) == value
