"""Systems whose page token is an offset (John-Hammer/ss12000-demo-sis and others that grew from a simple server)."""

from __future__ import annotations

from ..capabilities import Capabilities, Filter, Paging
from ..standard import RESOURCES
from .model import Profile, none, only

OFFSET_PAGING = Profile(
    "offset-paging",
    "Systems whose page token is the number of records already given, so that every page must be asked for with the "
    "first one's parameters again. As in the demonstration system that is the pattern: no lookup, no expand, a single "
    "person without `enrolments` and `responsibles`, a period of at most 400 days, and UTC where a date-time has no "
    "offset. Parameters that it does not know it takes no notice of; which ones those are is not known.",
    Capabilities(
        resources=frozenset(),
        filters=only(RESOURCES, Filter.UNKNOWN),
        list_only={"Person": frozenset({"enrolments", "responsibles"})},
        window_days=400,
        no_lookup=frozenset(RESOURCES),
        expand=none(RESOURCES),
        paging=Paging.TOKEN_WITH_FILTERS,
    ),
    timezone="UTC",
)
