"""What can be asked of a source, in the standard's terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A list call: wire parameter names and values (repeated values in order), ``expand`` and ``sortkey``.

    Equal queries compare and hash equal, whatever the order in which parameters were given.
    """

    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    expand: tuple[str, ...] = ()
    sortkey: str | None = None

    @staticmethod
    def of(
        parameters: dict[str, tuple[str, ...]] | None = None,
        expand: tuple[str, ...] = (),
        sortkey: str | None = None,
    ) -> Query:
        return Query(tuple(sorted((parameters or {}).items())), tuple(sorted(expand)), sortkey)
