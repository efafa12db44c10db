"""Tieto Edlevo, a student information system (its SS 12000 documentation, version 1.4.0)."""

from __future__ import annotations

from ..capabilities import Capabilities, Filter
from .model import Profile, by_ids, none, only

RESOURCES = frozenset({"Organisation", "Person", "Placement", "Duty", "Group", "StudyPlan", "Syllabus", "Activity"})
_ALL = RESOURCES | {"Grade"}

_TYPE = "relationship.entity.type"
_CONDITIONAL = (
    "relationship.organisation",
    "relationship.startDate.onOrBefore",
    "relationship.startDate.onOrAfter",
    "relationship.endDate.onOrBefore",
    "relationship.endDate.onOrAfter",
)
"""Only taken together with ``relationship.entity.type``, which a question need not name."""

_FILTERS = only(_ALL, Filter.UNKNOWN)

EDLEVO = Profile(
    "edlevo",
    "Tieto Edlevo. Groups, duties and activities belong to a `Skola`, enrolments to a `Skolenhet`. The other filters "
    "of `relationship` are taken only together with its entity type, and are sent only so. Expands came with version "
    "1.4.0 and are not relied on. Grades have a base address of their own (`…/Grades.ExternalApi/…`), which no profile "
    "can know: to have them, add grades to `resources` and to `endpoints`.",
    Capabilities(
        resources=RESOURCES,
        filters={**_FILTERS, "Person": {**_FILTERS["Person"], _TYPE: Filter.EXACT}},
        filters_with={"Person": dict.fromkeys(_CONDITIONAL, _TYPE)},
        lookup=by_ids(_ALL),
        expand=none(_ALL),
        organisation_level={"Group": "Skola", "Duty": "Skola", "Activity": "Skola"},
    ),
)
