"""Room (lokal): a room or place that can be booked for a calendar event."""

from __future__ import annotations

from .common import DISPLAY_NAME, DISPLAY_NAME_ASC, ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC
from .model import LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

ROOM = Resource(
    name="Room",
    plural="rooms",
    path="/rooms",
    swedish="lokal",
    doc="A room or another place that can be booked.",
    properties=(
        ID,
        META_PROPERTY,
        DISPLAY_NAME,
        Property("seats", Scalar.INTEGER, "How many it seats (antal platser)."),
        Property("owner", Reference("Organisation"), "The organisation that owns it (ägare).", required=True),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("owner",), "Owned by this organisation."),
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, DISPLAY_NAME_ASC),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="rooms",
)
