"""What can go wrong with a source. Nothing here ever carries text that a source sent: it may echo personal data.

Fault (data: source, resource, code, retryable)
└── travels inside an Answer, beside whatever did arrive

SourceError
├── ConfigurationError   a source cannot be set up as configured
└── CallError            one call failed; caught on this floor, where it becomes a Fault
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultCode(StrEnum):
    """Why a source's part of an answer is missing. Stable: clients see them as a gap's ``code``."""

    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE"
    """No connection: refused, reset, name not found, TLS failed."""
    SOURCE_TIMEOUT = "SOURCE_TIMEOUT"
    """The deadline of the call passed."""
    SOURCE_CREDENTIALS_REFUSED = "SOURCE_CREDENTIALS_REFUSED"
    """401 after one refresh, or the token endpoint refused."""
    SOURCE_FORBIDDEN = "SOURCE_FORBIDDEN"
    """403: the credentials do not reach this resource."""
    SOURCE_RATE_LIMITED = "SOURCE_RATE_LIMITED"
    """429."""
    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    """5xx."""
    SOURCE_REQUEST_REFUSED = "SOURCE_REQUEST_REFUSED"
    """Another 4xx: the source does not accept the request."""
    SOURCE_ENDPOINT_MISSING = "SOURCE_ENDPOINT_MISSING"
    """404, 405 or 501 on a list or lookup that the configuration says is there."""
    SOURCE_LIST_CHANGED = "SOURCE_LIST_CHANGED"
    """410 in a walk, again after the restarts allowed."""
    SOURCE_PAGING_LOOP = "SOURCE_PAGING_LOOP"
    """A page or its token came twice, or the pages exceed the bound (or the one that the profile says there is)."""
    SOURCE_ANSWER_INVALID = "SOURCE_ANSWER_INVALID"
    """Not JSON, cut off, or not of the standard's shape."""
    SOURCE_ANSWER_TOO_LARGE = "SOURCE_ANSWER_TOO_LARGE"
    """The decompressed body exceeds the cap."""
    SOURCE_RECORD_INVALID = "SOURCE_RECORD_INVALID"
    """A record in an answer is no object or has no usable id; the others are used."""


RETRYABLE = frozenset(
    {
        FaultCode.SOURCE_UNREACHABLE,
        FaultCode.SOURCE_TIMEOUT,
        FaultCode.SOURCE_RATE_LIMITED,
        FaultCode.SOURCE_UNAVAILABLE,
        FaultCode.SOURCE_LIST_CHANGED,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One source's failure for one resource. ``status`` is the HTTP status where there was one."""

    source: str
    resource: str
    code: FaultCode
    status: int | None = None

    @property
    def retryable(self) -> bool:
        return self.code in RETRYABLE


class SourceError(Exception):
    """Base of this floor's exceptions."""


class ConfigurationError(SourceError):
    """A source cannot be set up as configured; ``key`` is the configuration key, the message says the fix."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.fix = message


class CallError(SourceError):
    """One call to a source failed. ``status`` is the HTTP status where one came. It holds no text of the source."""

    def __init__(self, code: FaultCode, status: int | None = None) -> None:
        super().__init__(code.value if status is None else f"{code.value} ({status})")
        self.code = code
        self.status = status
