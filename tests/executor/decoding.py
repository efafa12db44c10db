"""Two ways to read the same pages: by random columns, and whole; over pages that are damaged in every way.

A way to read is a function (``Decode``), so that any can be held against the whole reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import orjson

from sources import paging
from sources.canonical import reader
from sources.errors import CallError
from sources.standard import RESOURCES
from sources.standard.model import Reference, Scalar, Structure
from sources.wire import decode

from ..hostile.worlds import world
from .damage import BOM, Damage

ABSENT = "(absent)"
Read = tuple[int, str, Mapping[str, object]]
"""Where in the page a usable record stands, its id, and its columns; ABSENT where one was left out."""
Asked = Mapping[str, "frozenset[str] | None"]
"""Columns; of those that are objects without id, or lists of such, the properties that are read; None: all of it."""
Decode = Callable[[str, str, Asked, bytes], "list[Read] | None"]
"""Resource, time zone, columns and body → the usable records; None where the body is no page."""
ZONES = ("Europe/Stockholm", "Europe/Stockholm", "UTC", "America/New_York")


def whole(resource: str, timezone: str, columns: Asked, body: bytes) -> list[Read] | None:
    """By the reader of whole records."""
    read = reader(resource, timezone)
    try:
        items = paging.items(decode(body), resource)
    except CallError:
        return None
    found = []
    for position, item in enumerate(items):
        usable = read(item)
        if usable is not None:
            record = usable[0]
            values = {each: parted(record.get(each, ABSENT), parts) for each, parts in columns.items()}
            found.append((position, str(record["id"]), values))
    return found


def parted(value: object, parts: frozenset[str] | None) -> object:
    """Of an entry or entries, the properties that are read."""
    if parts is None:
        return value
    if isinstance(value, list):
        return [parted(each, parts) for each in value]
    return {name: value.get(name) for name in sorted(parts)} if isinstance(value, dict) else value


def _parts(resource: str, column: str, rng: Random) -> frozenset[str] | None:
    """Some plain properties of a column's objects, where it has such."""
    kind = RESOURCES[resource].columns[column].type
    if not isinstance(kind, Structure) or rng.random() < 0.4:
        return None
    if {"startTime", "endTime"} <= {each.name for each in kind.properties}:
        return None  # one is read of both
    plain = [
        each.name
        for each in kind.properties
        if not each.many and not isinstance(each.type, Reference | Structure) and each.type is not Scalar.ID
    ]
    return frozenset(rng.sample(plain, rng.randint(0, len(plain)))) if plain else None


@dataclass(frozen=True)
class Case:
    """A page of a resource, and the columns that are asked for."""

    resource: str
    timezone: str
    columns: Asked
    body: bytes


@cache
def _records(number: int) -> Mapping[str, Sequence[Mapping[str, object]]]:
    found: dict[str, list[Mapping[str, object]]] = {}
    for served in world(f"decoding {number}").records.values():
        for resource, records in served.items():
            found.setdefault(resource, []).extend(records)
    return found


def cases(number: int, done: Counter[str], subsets: int = 3) -> Iterator[Case]:
    """Of a huvudman, a page per resource, asked for several subsets of its columns."""
    rng = Random(f"decoding {number}")
    for resource, records in _records(number).items():
        columns = list(RESOURCES[resource].columns)
        for _ in range(2):
            odds = rng.choice((0.0, 0.02, 0.05, 0.1, 0.3, 0.8))
            damage = Damage(f"{number} {rng.random()}", odds, rng.random() < 0.3, done)
            body = damage.body(_page(records, rng), resource) if odds else _page(records, rng)
            body = _otherwise(body, rng, done)
            for _ in range(subsets):
                count = rng.choice((0, 1, 1, 2, 3, 5, len(columns)))
                some = rng.sample(columns, min(count, len(columns)))
                asked = {each: _parts(resource, each, rng) for each in some}
                yield Case(resource, rng.choice(ZONES), asked, body)


def _page(records: Sequence[object], rng: Random) -> bytes:
    listed = list(records) * rng.choice((0, 1, 1, 1, 1, 3))
    lot = rng.random()
    if lot < 0.4:
        return orjson.dumps({"data": listed, "pageToken": rng.choice((None, "abc", 7, {}, [], ""))})
    if lot < 0.6:
        return orjson.dumps({"pageToken": "abc", "data": listed, "unknown": {"data": [{"id": "x"}]}})
    if lot < 0.7:
        return orjson.dumps({"data": listed})
    return orjson.dumps(listed)


def _otherwise(body: bytes, rng: Random, done: Counter[str]) -> bytes:
    """Mostly the same bytes; or the same said in others, or something that is no page."""
    lot = rng.random()
    if lot < 0.75:
        return body
    what = rng.choice((
        "BOM", "indented", "white space", "cut", "twice", "empty", "null", "number", "text", "an object", "data twice",
        "key in escapes", "UTF-16", "no UTF-8 at the end",
    ))  # fmt: skip
    done[f"page: {what}"] += 1
    match what:
        case "BOM":
            return BOM + body
        case "indented":
            try:
                return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
            except orjson.JSONDecodeError:
                return body
        case "white space":
            return b" \r\n\t" + body + b"\n "
        case "cut":
            return body[: rng.randint(0, len(body))]
        case "twice":
            return body + body
        case "empty":
            return b""
        case "null" | "number" | "text" | "an object":
            return {"null": b"null", "number": b"7", "text": b'"data"', "an object": b'{"data":{"id":"x"}}'}[what]
        case "data twice":
            return body[:1] + b'"data":[],' + body[1:] if body[:1] == b"{" else body
        case "key in escapes":
            return body.replace(b'"id":', b'"\\u0069d":').replace(b'"data":', b'"d\\u0061ta":')
        case "UTF-16":
            return body.decode(errors="replace").encode("utf-16")
    return body + b"\xff"


def difference(decode: Decode, case: Case) -> str | None:
    """What a way to read makes otherwise of a page than the whole reader does; None if nothing."""
    expected = whole(case.resource, case.timezone, case.columns, case.body)
    found = decode(case.resource, case.timezone, case.columns, case.body)
    if _same(expected, found):
        return None
    where = "the page"
    if expected is not None and found is not None:
        pairs = zip(expected, found, strict=False)
        where = next(
            (f"record {one[0]}: {one} instead of {other}" for other, one in pairs if not _same(other, one)),
            f"{len(found)} records instead of {len(expected)}",
        )
    elif found is None:
        where = f"no page instead of {len(expected or ())} records"
    else:
        where = f"{len(found)} records instead of no page"
    return f"{case.resource} {case.columns} in {case.timezone}: {where[:600]}\n{case.body[:3000]!r}"


def _same(one: object, other: object) -> bool:
    """Equal, in types as well: true is not 1, and 1 is not 1.0."""
    return repr(one) == repr(other)
