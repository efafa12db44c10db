"""Scalars: dates are local days, date-times are instants with an offset, times are wall-clock times."""

from __future__ import annotations

import re
from datetime import date
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import Code
from resolvers.instants import instant
from sources.standard.model import Scalar

Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
Time = NewType("Time", str)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _invalid(what: str) -> GraphQLError:
    return GraphQLError(what, extensions={"code": str(Code.INVALID_DATE)})


def parse_date(value: object) -> str:
    """``2026-08-15``. Raises a GraphQLError with INVALID_DATE on anything else."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise _invalid("A Date is written YYYY-MM-DD, e.g. 2026-08-15.")


def parse_date_time(value: object) -> str:
    """An RFC 3339 date-time with an offset. Raises a GraphQLError with INVALID_DATE on anything else."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return instant(value.upper().replace(" ", "T")).isoformat()
        except ValueError:
            pass
    raise _invalid("A DateTime is written as in RFC 3339, with an offset, e.g. 2026-08-15T08:00:00+02:00.")


def parse_time(value: object) -> str:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    raise _invalid("A Time is written HH:MM, e.g. 07:30.")


SCALARS: dict[object, ScalarDefinition] = {
    Date: strawberry.scalar(
        name="Date", description="A local day, YYYY-MM-DD; both ends of a period are inclusive.", serialize=str,
        parse_value=parse_date,
    ),
    DateTime: strawberry.scalar(
        name="DateTime", description="An instant as in RFC 3339, with an offset.", serialize=str,
        parse_value=parse_date_time,
    ),
    Time: strawberry.scalar(
        name="Time", description="A wall-clock time, HH:MM.", serialize=str, parse_value=parse_time
    ),
}  # fmt: skip

BY_KIND: dict[Scalar, object] = {
    Scalar.ID: strawberry.ID,
    Scalar.STRING: str,
    Scalar.EMAIL: str,
    Scalar.URI: str,
    Scalar.INTEGER: int,
    Scalar.BOOLEAN: bool,
    Scalar.DATE: Date,
    Scalar.DATE_TIME: DateTime,
    Scalar.TIME: Time,
}
"""The GraphQL type of each leaf of the standard."""
