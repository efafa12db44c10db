"""Person, with enrolments and those responsible."""

from __future__ import annotations

from .types import entity


@entity("Person")
class Person:
    pass
