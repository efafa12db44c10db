"""PING PONG, a learning platform that serves aggregated attendance alone (pingpong-lms/skolplattform-api)."""

from __future__ import annotations

from ..capabilities import Capabilities, Filter, Paging
from .model import Profile, none, only

RESOURCES = frozenset({"AggregatedAttendance"})

PINGPONG = Profile(
    "pingpong",
    "PING PONG, as Skolplattform Stockholm has it: /aggregatedAttendance alone, without limit, pageToken and expand. "
    "It is reached with a client certificate (`tls`).",
    Capabilities(
        resources=RESOURCES,
        filters=only(RESOURCES, Filter.UNKNOWN),
        expand=none(RESOURCES),
        paging=Paging.NONE,
        page_size=None,
    ),
)
