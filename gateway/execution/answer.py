"""From an execution's result to what the client reads: data, gaps and notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.explain.report import report
from resolvers.contracts import Gap
from resolvers.errors import Code, GapCode
from resolvers.operation import Operation
from sources.errors import FaultCode
from sources.standard import RESOURCES

from .context import Context

_WHY: Mapping[str, str] = {
    FaultCode.SOURCE_UNREACHABLE: "it could not be reached",
    FaultCode.SOURCE_TIMEOUT: "it did not answer in time",
    FaultCode.SOURCE_CREDENTIALS_REFUSED: "it refused the gateway's credentials",
    FaultCode.SOURCE_FORBIDDEN: "the gateway's credentials do not reach this",
    FaultCode.SOURCE_RATE_LIMITED: "it was asked too often",
    FaultCode.SOURCE_UNAVAILABLE: "it failed",
    FaultCode.SOURCE_REQUEST_REFUSED: "it refused the request",
    FaultCode.SOURCE_ENDPOINT_MISSING: "it does not serve this",
    FaultCode.SOURCE_LIST_CHANGED: "its list changed while it was read",
    FaultCode.SOURCE_PAGING_LOOP: "its pages did not come to an end",
    FaultCode.SOURCE_ANSWER_INVALID: "its answer could not be read",
    FaultCode.SOURCE_ANSWER_TOO_LARGE: "its answer was too large",
    FaultCode.SOURCE_RECORD_INVALID: "it sent records that could not be used",
    GapCode.IDENTITY_CONFLICT: "keys of its records point to different things, which are not merged",
    GapCode.IDENTITY_SPLIT: "its records are no longer taken for those they were linked to",
}


def gap_errors(context: Context) -> list[dict[str, Any]]:
    """The gaps of an operation as errors, one per source and code; with a path where a value is null because of it."""
    found = []
    for gap in context.operation.gaps.all():
        error: dict[str, Any] = {"message": _message(context.operation, gap)}
        path = context.nulls.get((gap.source, gap.code))
        if path is not None:
            error["path"] = list(path)
        error["extensions"] = _gap(context.operation, gap)
        found.append(error)
    return found


def _message(operation: Operation, gap: Gap) -> str:
    resources = ", ".join(operation.gaps.resources(gap))
    why = _WHY.get(gap.code, "it did not give its part")
    return f"The source {gap.source} is missing from the answer for {resources}: {why}."


def _gap(operation: Operation, gap: Gap) -> dict[str, Any]:
    return {
        "code": gap.code,
        "source": gap.source,
        "resources": list(operation.gaps.resources(gap)),
        "retryable": gap.retryable,
    }


def extensions(context: Context) -> dict[str, Any]:
    """``completeness`` where sources' records were asked for, and ``notices`` of what is no loss but good to know."""
    operation = context.operation
    found: dict[str, Any] = {}
    gaps = operation.gaps.all()
    if operation.asked:
        found["completeness"] = {"complete": not gaps, "gaps": [_gap(operation, gap) for gap in gaps]}
    notices = [
        {"code": str(Code.NOT_SERVED), "resource": name, "message": f"No configured source serves {name}."}
        for name in sorted(operation.not_served, key=[*RESOURCES].index)
    ]
    notices += [
        {"code": str(Code.UNIT_BY_MEMBERS), "resource": name, "source": source, "message": _BY_MEMBERS}
        for name, source in sorted(operation.by_members)
    ]
    if notices:
        found["notices"] = notices
    if context.explained is not None:
        found["plan"] = report(context.explained, operation.federation, operation.trace)
    return found


_BY_MEMBERS = (
    "The source attaches these to the school above its units: whether one belongs to a unit was decided by where its "
    "members are enrolled."
)


def deduplicated(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One error where the same thing went wrong in every record of a list: paths that differ only in indices."""
    found: dict[object, dict[str, Any]] = {}
    for error in errors:
        fields = tuple(step for step in error.get("path") or () if isinstance(step, str))
        code = (error.get("extensions") or {}).get("code")
        found.setdefault((error["message"], code, fields, str(error.get("locations"))), error)
    return list(found.values())
