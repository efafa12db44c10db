"""Resource (resurs): something that can be booked for a calendar event."""

from __future__ import annotations

from .common import DISPLAY_NAME, DISPLAY_NAME_ASC, ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC
from .model import LookupKey, Parameter, Property, Reference, Resource, Scalar, Test

RESOURCE = Resource(
    name="Resource",
    plural="resources",
    path="/resources",
    swedish="resurs",
    doc="Something other than a room that can be booked, e.g. a projector or a bus.",
    properties=(
        ID,
        META_PROPERTY,
        DISPLAY_NAME,
        Property("description", Scalar.STRING, "More about it, as text (beskrivning)."),
        Property("owner", Reference("Organisation"), "The organisation that owns it (ägare).", required=True),
    ),
    parameters=(
        Parameter("organisation", Scalar.ID, Test.EQUAL, ("owner",), "Owned by this organisation."),
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, DISPLAY_NAME_ASC),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="resources",
)
