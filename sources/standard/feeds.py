"""What the standard offers beside its resources: notices of deletions and changes, and the operations left out.

Source: SS 12000:2020 version 2.1.0, the paths /deletedEntities and /subscriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from . import RESOURCES
from .model import Enumeration, Parameter, Property, Scalar, Structure, Test

ENTITY_TYPE = Enumeration(
    "EntityType",
    "A kind of record whose changes and deletions can be followed (entitetstyp).",
    tuple(resource.name for resource in RESOURCES.values() if resource.deleted),
)
"""The standard's EndPointsEnum: names in the singular, as in ``RESOURCES``."""

DELETED_ENTITIES_PATH = "/deletedEntities"
DELETED_ENTITIES_PARAMETERS = (
    Parameter("after", Scalar.DATE_TIME, Test.UNSHOWN, (), "Deleted later than this instant (exclusive)."),
    Parameter("entities", ENTITY_TYPE, Test.UNSHOWN, (), "Of one of these kinds.", many=True),
)

DELETED_KEYS: Mapping[str, str] = MappingProxyType(
    {
        key.casefold(): resource.name
        for resource in RESOURCES.values()
        if resource.deleted
        for key in (resource.deleted, *resource.deleted_also)
    }
)
"""Which resource a key of the answer's ``data`` means; keys are case-folded, for sources differ in case too.

``data`` is an object of arrays of ids, ``{"persons": [...], "studyPlans": [...]}``, without times.
"""

SUBSCRIPTIONS_PATH = "/subscriptions"
SUBSCRIPTION = Structure(
    "Subscription",
    "A wish to be told of changes: where to, and of which kinds of records (prenumeration).",
    (
        Property("id", Scalar.ID, "The subscription's identity, set by the source.", required=True),
        Property("expires", Scalar.DATE_TIME, "When it ends unless renewed, set by the source.", required=True),
        Property("name", Scalar.STRING, "A name to show (namn).", required=True),
        Property("target", Scalar.STRING, "The URL that notices are posted to (mål).", required=True),
        Property(
            "resourceTypes",
            Structure(
                "SubscriptionResourceType",
                "A kind of record that a subscription is for. Some sources use the bare name instead of an object.",
                (Property("resource", ENTITY_TYPE, "The kind of record."),),
                entry_key=("resource",),
            ),
            "The kinds of records to be told of.",
            many=True,
            required=True,
        ),
    ),
)
"""A subscription as a source answers it; the body that creates one has no ``id`` and no ``expires``."""

CHANGE_NOTICE = Structure(
    "ChangeNotice",
    "What a source posts to a subscription's target: that something changed, never what.",
    (
        Property(
            "modifiedEntites",  # the official spelling
            ENTITY_TYPE,
            "The kinds of records that changed.",
            many=True,
            also=("modifiedEntities",),
        ),
        Property(
            "deletedEntities", Scalar.BOOLEAN, "Whether there are new deletions to read.", also=("deletedEntitites",)
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the standard that is not derived from a resource, and what it is for or why it is left out."""

    method: str
    path: str
    doc: str


FEED_OPERATIONS = (
    Operation("GET", DELETED_ENTITIES_PATH, "Ids of deleted records."),
    Operation("GET", SUBSCRIPTIONS_PATH, "The client's subscriptions."),
    Operation("POST", SUBSCRIPTIONS_PATH, "A new subscription."),
    Operation("GET", f"{SUBSCRIPTIONS_PATH}/{{id}}", "One subscription."),
    Operation("PATCH", f"{SUBSCRIPTIONS_PATH}/{{id}}", "Renews a subscription: moves `expires` forward; has no body."),
    Operation("DELETE", f"{SUBSCRIPTIONS_PATH}/{{id}}", "Ends a subscription."),
)

_WRITES = "The gateway reads; it writes no records to sources."
OTHER_PATHS = (
    Operation("POST", "/attendances", _WRITES),
    Operation("DELETE", "/attendances/{id}", _WRITES),
    Operation("POST", "/attendanceEvents", _WRITES),
    Operation("DELETE", "/attendanceEvents/{id}", _WRITES),
    Operation("POST", "/attendanceSchedule", _WRITES),
    Operation("DELETE", "/attendanceSchedule/{id}", _WRITES),
    Operation("POST", "/absences", _WRITES),
    Operation("POST", "/log/", "For telling a source of errors in its data: a write, and not a question about it."),
    Operation("POST", "/statistics/", "For telling a source how much was imported; the gateway imports nothing."),
)
"""Operations of the standard that the gateway leaves out, each with the reason in ``doc``."""
