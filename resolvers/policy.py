"""Who is shown. The policy stands after merge and before filter, order, paging and projection."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .entity import Entity

OPEN_MARKING = "Ingen"
"""The one marking that means unprotected (Person.securityMarking)."""
_OPEN: frozenset[object] = frozenset({None, OPEN_MARKING})


class Verdict(StrEnum):
    """What becomes of an entity."""

    SHOW = "show"
    HIDE = "hide"


class Policy(Protocol):
    """Names the columns it needs, and judges merged entities and the references to them."""

    def columns(self, resource: str) -> frozenset[str]:
        """The columns of a resource without which its entities cannot be judged; none: all of them are shown."""

    def open(self, resource: str) -> Mapping[str, frozenset[object]] | None:
        """Per column, the merged values with which an entity is certainly shown; None where nothing is certain.

        It only saves asking for a verdict on each of many.
        """

    def verdict(self, entity: Entity) -> Verdict:
        """What becomes of a merged entity whose policy columns are in hand."""

    def reference(self, target: str, reference: Mapping[str, object]) -> Verdict:
        """What becomes of a reference, judged by what it carries itself."""


class HideProtected:
    """The default: protected persons, and references marked as leading to one, are as if they were not there."""

    def columns(self, resource: str) -> frozenset[str]:
        return frozenset({"securityMarking"}) if resource == "Person" else frozenset()

    def open(self, resource: str) -> Mapping[str, frozenset[object]] | None:
        return {"securityMarking": _OPEN} if resource == "Person" else {}

    def verdict(self, entity: Entity) -> Verdict:
        if entity.resource.name != "Person":
            return Verdict.SHOW
        return self._of(entity.value("securityMarking"))

    def reference(self, target: str, reference: Mapping[str, object]) -> Verdict:
        return self._of(reference.get("securityMarking")) if target == "Person" else Verdict.SHOW

    def _of(self, marking: object) -> Verdict:
        return Verdict.SHOW if marking in _OPEN else Verdict.HIDE


class ShowAll:
    """Protected persons are shown like everybody else: for a huvudman that decided so in the configuration."""

    def columns(self, resource: str) -> frozenset[str]:
        return frozenset()

    def open(self, resource: str) -> Mapping[str, frozenset[object]] | None:
        return {}

    def verdict(self, entity: Entity) -> Verdict:
        return Verdict.SHOW

    def reference(self, target: str, reference: Mapping[str, object]) -> Verdict:
        return Verdict.SHOW
