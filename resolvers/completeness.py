"""What is missing from an answer: one gap per source and code, and notices that are no loss."""

from __future__ import annotations

from collections.abc import Iterable

from sources.errors import Fault
from sources.records import Answer
from sources.standard import RESOURCES

from .contracts import Gap, Received

_PLACE = {name: place for place, name in enumerate(RESOURCES)}


class Gaps:
    """The gaps of one operation (or of one list), at most one entry per (source, code)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Gap] = {}
        self._resources: dict[tuple[str, str], dict[str, None]] = {}

    def note(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.add(Gap(fault.source, fault.resource, str(fault.code), fault.retryable))

    def take(self, answer: Answer) -> None:
        """Note what is missing of an answer, or uncertain."""
        self.note(answer.faults)
        for gap in answer.gaps if isinstance(answer, Received) else ():
            self.add(gap)

    def add(self, gap: Gap) -> None:
        key = (gap.source, gap.code)
        self._found.setdefault(key, gap)
        self._resources.setdefault(key, {})[gap.resource] = None

    def merge(self, other: Gaps) -> None:
        for key, gap in other._found.items():
            for resource in other._resources[key]:
                self.add(Gap(gap.source, resource, gap.code, gap.retryable))

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[Gap, ...]:
        """By source and code: which of them was come upon first is chance."""
        return tuple(self._found[key] for key in sorted(self._found))

    def resources(self, gap: Gap) -> tuple[str, ...]:
        """All resources that the gap's source failed for with the gap's code, in the standard's order."""
        found = self._resources[gap.source, gap.code]
        return tuple(sorted(found, key=lambda name: _PLACE.get(name, len(_PLACE))))
