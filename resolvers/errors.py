"""What a question can be refused for, before or instead of an answer.

    Refused(code, message)
    ├── InvalidCursor      INVALID_CURSOR, CURSOR_EXPIRED
    └── (everything else)  by code

``Code`` is the list that docs/queries.md documents; a source's failures are ``sources.errors.FaultCode``.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """``extensions.code`` of an error that the gateway itself gives."""

    INVALID_ID = "INVALID_ID"
    """An id is not a UUID."""
    INVALID_DATE = "INVALID_DATE"
    """A date, a time or a period is malformed, or a period ends before it begins or is too long."""
    INVALID_CURSOR = "INVALID_CURSOR"
    """A cursor is malformed, of another query, or sealed with another key."""
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    """The source no longer knows the page a cursor stands on; start again from the first page."""
    INVALID_FILTER = "INVALID_FILTER"
    """A filter holds an explicit null or a value that cannot be filtered by."""
    FIRST_OUT_OF_RANGE = "FIRST_OUT_OF_RANGE"
    """``first`` is below 1 or above the configured maximum."""
    FILTER_NOT_ANSWERABLE = "FILTER_NOT_ANSWERABLE"
    """The filter is decided by records of a resource that no source serves, and no source can be trusted with it."""
    TOO_MANY_CANDIDATES = "TOO_MANY_CANDIDATES"
    """An ordered list, or a filter that other records decide, takes more records than ``limits.max_candidates``."""
    OPERATION_TOO_EXPENSIVE = "OPERATION_TOO_EXPENSIVE"
    """The operation is estimated to cost more than `limits.calls`, `limits.records` or `limits.seconds` allow, or those
    of a source: nothing was fetched. `estimate` beside the code says how much; ask for fewer records at a time."""
    RAW_DISABLED = "RAW_DISABLED"
    """``raw`` is off in the configuration."""
    UNKNOWN_SOURCE = "UNKNOWN_SOURCE"
    """A source of this name is not configured."""
    NOT_SERVED = "NOT_SERVED"
    """No configured source serves the resource; a notice, not an error."""
    UNIT_BY_MEMBERS = "UNIT_BY_MEMBERS"
    """A source attaches records to the school above the unit asked for: whether they belong to the unit was decided by
    where their members are enrolled. A notice, not an error."""
    OVERLOADED = "OVERLOADED"
    """Too many operations run or wait already (HTTP status 503); ask again after ``Retry-After``."""
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    """The document is not GraphQL."""
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    """The document or its variables do not fit the schema."""
    BAD_USER_INPUT = "BAD_USER_INPUT"
    """A value in the request cannot be used."""
    INTERNAL_ERROR = "INTERNAL_ERROR"
    """A fault of the gateway itself; its log has the rest."""


class GapCode(StrEnum):
    """A gap's ``code`` where no source failed, but its records leave something uncertain."""

    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"
    """A record's keys (a civicNo, for instance) point to different things: it was merged with none of them."""
    IDENTITY_SPLIT = "IDENTITY_SPLIT"
    """A record was taken for the same as another, and its keys now say otherwise: it has an id of its own again."""


class Refused(Exception):
    """A question that is not answered, with the code and a text fit for the client (no personal data)."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidCursor(Refused):
    """A cursor that cannot be continued from."""
