"""Where a record belongs: which columns say its forms of schooling and its organisation, declared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from .contracts import Scope
from .predicates import Read, Subtrees, leaves


@dataclass(frozen=True, slots=True)
class Places:
    """The properties of a resource that say where its records belong; empty where none does.

    ``entries``: the list whose entries each say it by these properties (a person may be enrolled at several places).
    """

    school_type: str = ""
    organisation: str = ""
    entries: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """The top-level properties to be read."""
        if self.entries:
            return frozenset({self.entries})
        return frozenset({self.school_type, self.organisation}) - {"", "id"}

    def path(self, name: str) -> str:
        return f"{self.entries}.{name}" if self.entries and name else name

    def only(self, scopes: Sequence[Scope]) -> Places:
        """Without what none of these scopes asks for."""
        found = replace(
            self,
            school_type=self.school_type if any(scope.school_types for scope in scopes) else "",
            organisation=self.organisation if any(scope.organisations for scope in scopes) else "",
        )
        return found if found.school_type or found.organisation else NOWHERE


NOWHERE = Places()
PLACES: Mapping[str, Places] = MappingProxyType(
    {
        "Organisation": Places("schoolTypes", "id"),
        "Person": Places("schoolType", "enroledAt", entries="enrolments"),
        "Placement": Places("schoolType", "placedAt"),
        "Duty": Places("", "dutyAt"),
        "Group": Places("schoolType", "organisation"),
        "Programme": Places("schoolType"),
        "Syllabus": Places("schoolType"),
        "SchoolUnitOffering": Places("", "offeredAt"),
        "Activity": Places("", "organisation"),
        "Grade": Places("", "organisation"),
        "Absence": Places("", "organisation"),
        "Resource": Places("", "owner"),
        "Room": Places("", "owner"),
    }
)
"""By resource. The records of the others do not show where they belong."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a record, or an entry of it, says of where it belongs."""

    school_types: frozenset[str]
    organisations: frozenset[str]

    @property
    def told(self) -> bool:
        return bool(self.school_types or self.organisations)


def place(places: Places, read: Callable[[str], object]) -> Place:
    """What one record or entry says; ``read`` gives its properties."""
    types = leaves(read, places.school_type) if places.school_type else ()
    organisations = leaves(read, places.organisation) if places.organisation else ()
    return Place(frozenset(map(str, types)), frozenset(map(str, organisations)))


def read_places(places: Places, record_id: str, read: Read) -> list[Place]:
    """All that a record says; ``read`` gives its top-level properties."""
    if not places.entries:
        return [place(places, lambda column: record_id if column == "id" else read(column))]
    entries = read(places.entries)
    if not isinstance(entries, list):
        return []
    return [place(places, entry.get) for entry in entries if isinstance(entry, Mapping)]


def meets(where: Place, scope: Scope, subtrees: Subtrees) -> bool:
    """Whether a place is known to lie in the scope."""
    return (not scope.school_types or bool(scope.school_types & where.school_types)) and (
        not scope.organisations or _below(where, scope, subtrees)
    )


def inside(where: Place, scope: Scope, subtrees: Subtrees) -> bool | None:
    """Whether a place lies in the scope by what is known of it; None where nothing of it is."""
    known = False
    if scope.school_types and where.school_types:
        if not scope.school_types & where.school_types:
            return False
        known = True
    if scope.organisations and where.organisations:
        if not _below(where, scope, subtrees):
            return False
        known = True
    return True if known else None


def verdict(places: Sequence[Place], scope: Scope, subtrees: Subtrees) -> bool | None:
    """Whether a record with these places belongs in the scope: one place in it is enough; None where nobody knows."""
    found = [inside(where, scope, subtrees) for where in places]
    if True in found:
        return True
    return False if found and None not in found else None


def _below(where: Place, scope: Scope, subtrees: Subtrees) -> bool:
    return any(each in subtrees[root] for root in scope.organisations for each in where.organisations)
