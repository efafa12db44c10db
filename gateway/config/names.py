"""The standard's words in a configuration file: any spelling of a resource, and the properties it has."""

from __future__ import annotations

from sources.standard import RESOURCES

PLURALS = tuple(resource.plural for resource in RESOURCES.values())
"""How resources are written in the documentation."""

_BY_SPELLING = {
    spelling.lower(): resource.name
    for resource in RESOURCES.values()
    for spelling in (resource.name, resource.plural, resource.path.strip("/"))
}


def resource_name(text: str) -> str | None:
    """The resource's name for its plural, its name or its URL path, in any case; None if it is none of them."""
    return _BY_SPELLING.get(text.strip("/").lower())


def is_deleted(text: str) -> bool:
    """Whether it means the feed of deletions, which may have an endpoint of its own like a resource."""
    return text.strip("/").lower() == "deletedentities"
