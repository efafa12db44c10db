"""IST EduCloud, a student information system (guides and examples at educloud.ist.com and ist-group)."""

from __future__ import annotations

from ..capabilities import Capabilities, Filter
from .model import Profile, by_ids, none, only

RESOURCES = frozenset(
    {
        "Organisation", "Person", "Placement", "Duty", "Group", "Programme", "StudyPlan", "Syllabus", "Activity",
        "Grade",
    }
)  # fmt: skip

_FILTERS = only(RESOURCES, Filter.UNKNOWN, "meta.created.after", "meta.modified.after")

IST_EDUCLOUD = Profile(
    "ist-educloud",
    "IST EduCloud. It serves snapshots per customer: when a new one is published, page tokens answer 410 and the list "
    "is read anew. Which filters, lookup arrays and expands it honours beyond those in common use is not published, so "
    "they are not relied on. A client key may be limited to attributes and school units: what it may not read is "
    "simply not there.",
    Capabilities(
        resources=RESOURCES,
        filters={**_FILTERS, "Duty": {**_FILTERS["Duty"], "person": Filter.EXACT}},
        lookup=by_ids(RESOURCES),
        expand={**none(RESOURCES), "Person": frozenset({"groupMemberships"})},
        page_size=1000,
    ),
)
