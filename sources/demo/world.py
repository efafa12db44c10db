"""What the areas of the municipality share while it is being made: ids, stable choices, dates, and the people.

Nothing here draws from a running random generator: every choice is a checksum of the seed and a name, so that adding
one area never changes another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from hashlib import blake2b
from zlib import crc32
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")

Record = dict[str, object]
"""A record as a source sends it: JSON-able, in the standard's spelling. Parts may be shared: never change one."""

Reference = dict[str, str]


@dataclass(eq=False, slots=True)
class Unit:
    """A school unit (Skolenhet). ``years`` are the school years of its pupils; none for a preschool."""

    id: str
    name: str
    form: str
    years: tuple[int, ...]
    school: str
    programmes: tuple[str, ...] = ()
    leisure: Unit | None = None
    """The after-school centre (fritidshem) beside it."""
    pupils: list[Human] = field(default_factory=list)
    staff: list[Post] = field(default_factory=list)
    rooms: list[Reference] = field(default_factory=list)
    resources: list[Reference] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Human:
    """A person. ``unit``, ``year`` and ``programme`` are those of a pupil or child, ``guardians`` likewise."""

    id: str
    given: str
    family: str
    middle: str | None
    birth: date
    woman: bool
    civic: str
    street: str
    marking: str = "Ingen"
    unit: Unit | None = None
    year: int | None = None
    programme: str | None = None
    guardians: list[Human] = field(default_factory=list)
    sign_in: str = ""
    """The local part of the sign-in identity."""

    @property
    def ref(self) -> Reference:
        return {"id": self.id}


@dataclass(eq=False, slots=True)
class Post:
    """A duty (tjänstgöring) of somebody at a unit. ``human`` is None while the post is vacant."""

    id: str
    human: Human | None
    unit: Unit
    role: str
    start: date
    end: date | None
    percent: int
    signature: str
    mentors: list[Team] = field(default_factory=list)

    @property
    def teaches(self) -> bool:
        return self.role in ("Lärare", "Förstelärare") and self.end is None


@dataclass(eq=False, slots=True)
class Team:
    """A group. ``members`` are (person, first day, last day)."""

    id: str
    name: str
    kind: str
    form: str | None
    unit: Unit
    members: list[tuple[Human, date, date | None]] = field(default_factory=list)
    year: int = 0
    programme: str | None = None
    start: date = date.min
    end: date | None = None

    @property
    def pupils(self) -> list[Human]:
        return [human for human, _, _ in self.members]


@dataclass(eq=False, slots=True)
class Course:
    """An activity with its group, its subject and the posts that teach it."""

    id: str
    name: str
    subject: str
    team: Team
    posts: list[Post]
    syllabus: str
    lessons: int
    """Lessons a week."""


@dataclass(eq=False, slots=True)
class Lesson:
    """A calendar event."""

    id: str
    course: Course
    start: datetime
    end: datetime
    cancelled: bool


@dataclass(frozen=True)
class Deleted:
    """A record that is gone: its resource, its id, and when it went."""

    resource: str
    id: str
    at: datetime


@dataclass(eq=False)
class World:
    """The municipality in the making. ``records`` is the truth, per resource name, before it is split on sources."""

    pupils: int
    seed: int
    today: date
    records: defaultdict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    units: list[Unit] = field(default_factory=list)
    people: dict[str, Human] = field(default_factory=dict)
    children: list[Human] = field(default_factory=list)
    guardians: list[Human] = field(default_factory=list)
    staff: list[Human] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    syllabuses: dict[str, str] = field(default_factory=dict)
    """Ids of syllabuses by our own short name of the subject and stage or course."""
    programmes: dict[str, str] = field(default_factory=dict)
    """Ids of programmes by code."""
    examples: dict[str, str] = field(default_factory=dict)
    """Ids of records with something worth showing, by what it is."""
    _refs: dict[str, Reference] = field(default_factory=dict)

    def id(self, *parts: object) -> str:
        """A stable UUID (version 5 in form) of the parts."""
        h = blake2b(f"{self.seed}/{'/'.join(map(str, parts))}".encode(), digest_size=16).hexdigest()
        return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def number(self, *parts: object) -> int:
        """A stable number of the parts, evenly spread over 32 bits."""
        return crc32(f"{self.seed}/{'/'.join(map(str, parts))}".encode())

    def ref(self, id: str) -> Reference:
        """The one shared reference object to a record: most of a big municipality is references."""
        found = self._refs.get(id)
        if found is None:
            found = self._refs[id] = {"id": id}
        return found

    def refs(self, ids: Sequence[str]) -> list[Reference]:
        return [self.ref(id) for id in ids]

    def meta(self, *parts: object) -> Record:
        """One of a few shared metas: created before the school year, modified within the last half year."""
        return self._metas[self.number("meta", *parts) % len(self._metas)]

    @cached_property
    def _metas(self) -> Sequence[Record]:
        created = [zoned(self.year_start - timedelta(days=300 + 40 * i), time(8, 5 * i)) for i in range(4)]
        modified = [zoned(self.today - timedelta(days=1 + 3 * i), time(6 + i % 12, i)) for i in range(60)]
        return [
            {"created": created[i % 4].isoformat(), "modified": max(m, created[i % 4]).isoformat()}
            for i, m in enumerate(modified)
        ]

    @cached_property
    def departments(self) -> Mapping[str, Sequence[str]]:
        """The ids of each unit's departments (Avdelning). To be asked for only when the groups are made."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for team in self.teams:
            if team.kind == "Avdelning":
                found[team.unit.id].append(team.id)
        return found

    @cached_property
    def year_start(self) -> date:
        """First day of the school year, 1 July: no holidays here, so that the demonstration always shows lessons."""
        return date(self.today.year if self.today.month >= 7 else self.today.year - 1, 7, 1)

    @cached_property
    def year_end(self) -> date:
        return date(self.year_start.year + 1, 6, 30)

    @cached_property
    def monday(self) -> date:
        """Monday of the week of today."""
        return self.today - timedelta(days=self.today.weekday())

    @cached_property
    def past_school_days(self) -> Sequence[date]:
        """The weekdays before today that are scheduled, latest first."""
        first = self.monday - timedelta(days=7)
        days = [first + timedelta(days=i) for i in range((self.today - first).days)]
        return [d for d in reversed(days) if d.weekday() < 5]


def zoned(day: date, at: time) -> datetime:
    """That wall-clock time in Sweden, with the offset that holds on that day."""
    return datetime.combine(day, at, tzinfo=STOCKHOLM)


def dated(start: date | None, end: date | None) -> Record:
    """``startDate`` and ``endDate``, each only where there is one."""
    record: Record = {}
    if start is not None:
        record["startDate"] = start.isoformat()
    if end is not None:
        record["endDate"] = end.isoformat()
    return record


def by_id(records: Sequence[Record]) -> Mapping[str, Record]:
    return {str(r["id"]): r for r in records}
