"""Damage to what sources send, in the JSON itself: whatever JSON can say, in every column, in entries, references, ids.

What becomes of a record is a function of the seed, its resource and its id, so that it is the same by whatever call it
comes. Tokens that no Python value stands for (1E400, a key said twice) are put in after writing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

import orjson

from sources.standard import RESOURCES

_RAW = re.compile(rb'"@raw (\d+)@"')
BOM = b"\xef\xbb\xbf"

TOKENS: Mapping[str, bytes] = {
    "beyond 64 bits": b"18446744073709551616",
    "below 64 bits": b"-9223372036854775809",
    "thirty digits": b"123456789012345678901234567890",
    "an integer as float": b"7.0",
    "an exponent": b"1E2",
    "a fraction that is none": b"0.7e1",
    "minus zero": b"-0",
    "minus zero as float": b"-0.0",
    "almost nothing": b"1e-400",
    "2^53 as float": b"9007199254740992.0",
    "a text in escapes": b'"\\u00e5\\ud83d\\ude00\\/\\"\\n"',
    "a nul": b'"a\\u0000b"',
    "an id in escapes": b'"\\u0030f0f0f0f-0000-4000-8000-000000000001"',
    "a key said twice": b'{"id":"0f0f0f0f-0000-4000-8000-000000000001","id":null}',
    "a key in escapes": b'{"\\u0069d":"0f0f0f0f-0000-4000-8000-000000000001","displayName":"x"}',
    "white space": b" [ \n{\t} , \r\n null ] ",
    "deep": b"[" * 60 + b"]" * 60,
}
POISON: Mapping[str, bytes] = {
    "a number that is too large": b"1e400",
    "half a pair": b'"\\ud800"',
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "no UTF-8": b'"\xff\xfe"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a control character": b'"a\x01b"',
    "a leading zero": b"012",
    "a trailing comma": b"[1,]",
    "a cut text": b'"abc',
}
"""With one of these a whole body is no JSON."""
_NAMES = (*TOKENS, *POISON)
_BYTES = (*TOKENS.values(), *POISON.values())

NUMBERS: Sequence[Any] = (
    0, 1, -1, 15, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, 2**63, 2**64 - 1,
    1.0, 1.5, -2.0, 2147483647.0, 2147483648.0, 1e15, 1e300, True, False,
    "15", " 15 ", "+3", "-0", "15.0", "1_000", "٣", "NaN", "Infinity", "1e3", "0x10", "2147483648", "9" * 15, "9" * 16,
)  # fmt: skip
TEXTS: Sequence[Any] = (
    "", " ", "NaN", "null", "true", "TRUE", " False ", "false", "Påhittad", "påhittad", "Ingen", "\u0000", "\ufeff",
    "å" * 5, "a\nb", "\u2028", "\U0001f600", "x" * 300, "x" * 3000, "@", "a@", 0, 1, True, 1.5, "e\u0301",
)  # fmt: skip
DATES: Sequence[Any] = (
    "2026-03-29", "2026-02-30", "2026-3-29", "20260329", "2026-03-29Z", "2026-03-29T02:30:00", "2026-03-29T23:30:00Z",
    "2026-03-29 02:30", "2026-03-29T24:00:00Z", "2026-03-29T23:59:60Z", "0000-01-01", "0001-01-01", "9999-12-31",
    "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00", "2026-03-29T00:00:00.123456789+0200", "2026-W13-7",
    "2026-03-29T00:00:00,5+02", "29/3 2026", "", "2026-13-01", "+002026-03-29", "２０２６-03-29", 20260329, 1774742400,
    "8:30", "08:30:00", "24:00", "24:01", "08:60", 830, 15, "0830", 2400, "2026-03-29T08:00:00+25:00",
)  # fmt: skip
IDS: Sequence[Any] = (
    None, "", " ", "{}", 0, 7, True, [], {}, "x" * 255, "x" * 256, "\u0000", "a\tb", "å", "ID-1",
    "0F0F0F0F-0000-4000-8000-000000000001", "{0f0f0f0f-0000-4000-8000-000000000001}", {"id": "x"}, ["x"],
)  # fmt: skip
JUNK: Sequence[Any] = (None, {}, [], [None], [[]], [{}], {"id": None}, {"id": "x"}, {"x": 1}, "", 0, False, 1.5, ["a"])
EXTRA: Mapping[str, Any] = {"unknownColumn": [1, {"a": None}], "": 1, "ID": "x", "id ": "x", "__proto__": {}}


@dataclass
class Damage:
    """``odds``: how likely a column is to be damaged, and a tenth of it a record; ``poisoned``: with tokens as well
    that make a body unreadable."""

    seed: str
    odds: float
    poisoned: bool = False
    done: Counter[str] = field(default_factory=Counter)

    def body(self, sent: bytes, resource: str) -> bytes:
        """What a source answers, with damage done."""
        if not self.odds:
            return sent
        decoded = orjson.loads(sent.removeprefix(BOM))
        damaged = self._answer(decoded, resource)
        return written(damaged)

    def _answer(self, decoded: Any, resource: str) -> Any:
        if isinstance(decoded, list):
            return self._records(decoded, resource)
        if isinstance(decoded, dict) and "id" not in decoded:
            keys = [key for key, value in decoded.items() if isinstance(value, list)]
            if keys:
                return {**decoded, keys[0]: self._records(decoded[keys[0]], resource)}
        return self._columns(decoded, resource) if isinstance(decoded, dict) else decoded

    def _records(self, records: Sequence[Any], resource: str) -> list[Any]:
        found: list[Any] = []
        for record in records:
            if not isinstance(record, dict):
                found.append(record)
                continue
            made = self._columns(record, resource)
            lot = Random(self._lot(resource, record, "record"))
            if lot.random() >= self.odds / 4:
                found.append(made)
                continue
            what = lot.choice(("twice", "twice, otherwise", "junk before", "junk after", "id", "without id", "none"))
            self.done[f"record: {what}"] += 1
            match what:
                case "twice":
                    found += [made, made]
                case "twice, otherwise":
                    found += [made, {key: value for key, value in made.items() if key == "id" or lot.random() < 0.7}]
                case "junk before":
                    found += [lot.choice(JUNK), made]
                case "junk after":
                    found += [made, lot.choice(JUNK)]
                case "id" if "id" in made:
                    found.append({**made, "id": lot.choice((*IDS, str(made["id"]).upper(), f" {{{made['id']}}}"))})
                case "without id":
                    found.append({key: value for key, value in made.items() if key != "id"})
                case "none":
                    found.append(lot.choice(JUNK))
                case _:
                    found.append(made)
        return found

    def _columns(self, record: Mapping[str, Any], resource: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        key = self._key(resource, record)
        for column, value in record.items():
            if column == "_embedded":
                made[column] = self._embedded(value, resource)
                continue
            lot = crc32(f"{key} {column}".encode())
            if lot >= self.odds * 2**32 or (column == "id" and lot >= self.odds * 2**30):
                made[column] = value
                continue
            rng = Random(lot)
            if rng.random() < 0.12:
                self.done["column: not there"] += 1
            else:
                made[column] = self._value(value, rng, column)
        rng = Random(crc32(f"{key} extra".encode()))
        if rng.random() < self.odds:
            column = rng.choice(list(RESOURCES[resource].columns))
            if column not in record:
                self.done["column: junk where none was"] += 1
                made[column] = self._token(rng) if rng.random() < 0.3 else rng.choice(JUNK)
        if rng.random() < self.odds:
            self.done["column: unknown"] += 1
            name = rng.choice(list(EXTRA))
            made = {name: self._token(rng) if rng.random() < 0.3 else EXTRA[name], **made}
        return made

    def _embedded(self, value: Any, resource: str) -> Any:
        """Embedded records are damaged as they are by themselves."""
        if not isinstance(value, dict):
            return value
        found = {}
        for name, inner in value.items():
            expand = RESOURCES[resource].expand.get(name)
            if expand is None:
                found[name] = inner
            else:
                listed = inner if isinstance(inner, list) else [inner]
                made = [self._element(each, expand.path, expand.resource) for each in listed]
                found[name] = made if isinstance(inner, list) else made[0]
        return found

    def _element(self, element: Any, path: str | None, resource: str) -> Any:
        if not isinstance(element, dict):
            return element
        if path and isinstance(element.get(path), dict):
            return {**element, path: self._columns(element[path], resource)}
        return self._columns(element, resource)

    def _key(self, resource: str, record: Mapping[str, Any]) -> str:
        known = record.get("id") or orjson.dumps([record.get(each) for each in RESOURCES[resource].key]).decode()
        return f"{self.seed} {resource} {known}"

    def _lot(self, resource: str, record: Mapping[str, Any], what: str) -> int:
        return crc32(f"{self._key(resource, record)} {what}".encode())

    # Values

    def _token(self, rng: Random) -> str:
        poison = self.poisoned and rng.random() < 0.1
        name = rng.choice(list(POISON if poison else TOKENS))
        self.done[f"token: {name}"] += 1
        return f"@raw {_NAMES.index(name)}@"

    def _value(self, value: Any, rng: Random, name: str) -> Any:
        """Another value, or the same with something else deep in it."""
        if isinstance(value, dict) and value and rng.random() < 0.75:
            return self._object(value, rng)
        if isinstance(value, list) and rng.random() < 0.75:
            return self._list(value, rng, name)
        lot = rng.random()
        if lot < 0.15:
            return self._token(rng)
        self.done[f"{type(value).__name__}: {'junk' if lot < 0.45 else 'of its kind'}"] += 1
        if lot < 0.45:
            return rng.choice((*JUNK, value, [value], [value, value], {"id": value}))
        if isinstance(value, bool):
            return rng.choice(("true", " FALSE ", 1, 0, "ja", None, "0", not value))
        if isinstance(value, int | float):
            return rng.choice(NUMBERS)
        if name == "id" or name.endswith("Id"):
            return rng.choice((*IDS, str(value).upper(), f"{{{value}}}", f" {value}\n"))
        if isinstance(value, str) and re.match(r"\d{4}-|\d\d:", value):
            return rng.choice(DATES)
        return rng.choice((*TEXTS, str(value).upper(), f"{value} ", *NUMBERS))

    def _object(self, value: Mapping[str, Any], rng: Random) -> dict[str, Any]:
        key = rng.choice(list(value))
        lot = rng.random()
        if lot < 0.15:
            self.done["entry: key dropped"] += 1
            return {each: of for each, of in value.items() if each != key}
        if lot < 0.25:
            self.done["entry: unknown key"] += 1
            return {**value, "unknown": rng.choice(JUNK)}
        if lot < 0.35:
            self.done["entry: a reference in place"] += 1
            return {**value, key: {"id": rng.choice(IDS), "displayName": rng.choice(TEXTS)}}
        return {**value, key: self._value(value[key], rng, key)}

    def _list(self, value: list[Any], rng: Random, name: str) -> Any:
        what = rng.choice(("null", "junk", "empty", "twice", "nested", "alone", "deep", "deep", "deep", "long"))
        self.done[f"list: {what}"] += 1
        at = rng.randint(0, len(value))
        match what:
            case "null":
                return [*value[:at], None, *value[at:]]
            case "junk":
                return [*value[:at], self._token(rng) if rng.random() < 0.3 else rng.choice(JUNK), *value[at:]]
            case "empty":
                return []
            case "twice":
                return value + value
            case "nested":
                return [value]
            case "alone" if value:
                return value[0]
            case "long":
                return (value or [None]) * 20
        if not value:
            return [rng.choice(JUNK)]
        at = rng.randrange(len(value))
        return [*value[:at], self._value(value[at], rng, name), *value[at + 1 :]]


def written(value: Any) -> bytes:
    """The JSON of a value, with the tokens in it."""
    return _RAW.sub(lambda found: _BYTES[int(found[1])], orjson.dumps(value))
