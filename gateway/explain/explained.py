"""What a client wants to see of one operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from graphql import DocumentNode

from gateway.telemetry.graphql_errors import field_names
from resolvers.cost import Estimate
from resolvers.trace import Field

HEADER = "X-Explain"


class Mode(StrEnum):
    """What is shown."""

    PLAN = "plan"
    """The plan with what it is estimated to cost. Nothing is fetched, and ``data`` is null."""
    ANALYZE = "analyze"
    """The plan beside the answer, with what it did cost."""


class BadHeader(Exception):
    """The header holds something else. The message is fit for the client."""


def wanted(headers: Mapping[str, str]) -> Mode | None:
    """The mode that a request asks for; None for none. Raises BadHeader."""
    given = headers.get(HEADER)
    if given is None:
        return None
    try:
        return Mode(given.strip().lower())
    except ValueError:
        raise BadHeader(f"{HEADER} is either plan or analyze.") from None


@dataclass(eq=False)
class Explained:
    """``estimate``: None where the operation could not be read (then the errors say why)."""

    mode: Mode
    document: DocumentNode | None = None
    operation_name: str | None = None
    estimate: Estimate | None = None

    def fields(self, path: Sequence[str | int]) -> Field:
        """A path of the answer by the names of fields: an alias is whatever the client wrote."""
        return () if self.document is None else tuple(field_names(path, self.document, self.operation_name))
