"""What one part of a configuration says about another: names that must exist, sources that must serve.

Works on the plain data, part by part, so that a mistake in one place does not hide another. Whatever has the wrong
shape is passed over here: ``shape`` reports it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from uuid import UUID

from resolvers.identity.keys import KINDS
from resolvers.places import PLACES
from sources.capabilities import ALL
from sources.profiles import PROFILES
from sources.profiles.conformant import CONFORMANT
from sources.standard import RESOURCES
from sources.standard.common import SCHOOL_TYPE
from sources.standard.model import Resource
from sources.standard.organisation import ORGANISATION_TYPE

from .document import Document
from .names import PLURALS, is_deleted, resource_name
from .problems import KeyPath, suggestion
from .settings import is_loopback

DECIDED_OTHERWISE = {
    "id": "the id is the same in every source",
    "meta": "meta.created is the earliest and meta.modified the latest of all sources",
    "securityMarking": "the strictest marking of any source wins",
}
"""Properties for which no source can be made the master, and why."""


def check(document: Document) -> None:
    """Add what is wrong between the parts to the document's findings."""
    data = _mapping(document.data)
    sources = {name: _Source(name, _mapping(source)) for name, source in _mapping(data.get("sources")).items()}
    _server(document, _mapping(data.get("server")))
    for source in sources.values():
        _source(document, source)
    ttl = _mapping(_mapping(data.get("cache")).get("ttl"))
    _once(document, ("cache", "ttl"), ttl)
    for key in ttl:
        if key != "default":
            _resource(document, ("cache", "ttl", key), key, ["default"])
    _identity(document, _mapping(data.get("identity")), sources.values())
    authority = _mapping(data.get("authority"))
    _once(document, ("authority",), authority)
    for key, rules in authority.items():
        path: KeyPath = ("authority", key)
        resource = _resource(document, path, key)
        if resource is None:
            continue
        if not any(resource.name in source.serves for source in sources.values()):
            document.add(path, f"no source serves {resource.plural}. Add it to the resources of a source.")
            continue
        _authority(document, path, resource, _mapping(rules), sources)


class _Source:
    """What the raw data says of one source, as far as it can be understood."""

    def __init__(self, name: str, data: Mapping[str, object]) -> None:
        self.name = name
        self.data = data
        profile = data.get("profile")
        self.profile = PROFILES.get(profile if isinstance(profile, str) else "", CONFORMANT).capabilities
        names = (resource_name(text) for _, text in _strings(data.get("resources")))
        self.serves = frozenset(name for name in names if name is not None)
        if "resources" not in data:
            self.serves = self.profile.resources

    def knows(self, resource: str, column: str) -> bool:
        """Whether its ``holds`` leaves room for the property."""
        for key, columns in _mapping(self.data.get("holds")).items():
            if resource_name(key) == resource:
                return column in {text for _, text in _strings(columns)}
        return True

    def has_own(self, resource: str) -> bool:
        """Whether its ids of the resource's records may be its own."""
        given = self.data.get("own_ids", tuple(self.profile.own_ids))
        return resource in (self.serves if given is True else {resource_name(text) for _, text in _strings(given)})


def _server(document: Document, server: Mapping[str, object]) -> None:
    host = server.get("host", "127.0.0.1")
    if (
        isinstance(host, str)
        and not is_loopback(host)
        and server.get("allow_unauthenticated") in (None, False, "false")
    ):
        document.add(
            ("server", "host"),
            "lets others than this machine ask, and the gateway does not know who asks. Put a proxy that authenticates "
            "in front and set server.allow_unauthenticated: true, or listen on 127.0.0.1.",
        )


_WORDS: Mapping[str, tuple[str, str]] = {
    "holds": ("a property", "columns"),
    "list_only": ("a property", "columns"),
    "list_lacks": ("a property", "columns"),
    "filters": ("a query parameter", "parameter"),
    "filters_with": ("a query parameter", "parameter"),
    "lookup": ("an array of the lookup", "lookup_key"),
    "expand": ("an expand", "expand"),
    "sort_keys": ("a sort key", "sort_key"),
}
"""The keys of a source that hold, by resource, words of the standard: what they are, and where a Resource has them."""


def _source(document: Document, source: _Source) -> None:
    path: KeyPath = ("sources", source.name)
    here: KeyPath
    seen: set[str] = set()
    for index, text in _strings(source.data.get("resources")):
        resource = _resource(document, (*path, "resources", index), text)
        if resource is not None and resource.name in seen:
            document.add((*path, "resources", index), f"{resource.plural} stands twice. Keep one.")
        elif resource is not None:
            seen.add(resource.name)
    if "resources" not in source.data and not source.serves:
        document.add((*path, "resources"), "is required: the profile does not say which resources it serves.")
    for key in ("filters_ignored", "no_lookup", "own_ids"):
        for index, text in _strings(source.data.get(key)):
            _served(document, (*path, key, index), text, source)
    for key in _mapping(source.data.get("endpoints")):
        if not is_deleted(key):
            _served(document, (*path, "endpoints", key), key, source)
    for section in ("endpoints", "organisation_level", *_WORDS):
        _once(document, (*path, section), _mapping(source.data.get(section)))
    for section, (what, where) in _WORDS.items():
        for key, words in _mapping(source.data.get(section)).items():
            resource = _served(document, (*path, section, key), key, source)
            if resource is None:
                continue
            known = getattr(resource, where)
            for step, word in [(name, name) for name in _mapping(words) if name != ALL] or _strings(words):
                _known(document, (*path, section, key, step), word, f"{what} of {resource.name}", known)
            if section == "filters_with":
                for name, other in _mapping(words).items():
                    here = (*path, section, key, name)
                    if isinstance(other, str):
                        _known(document, here, other, f"{what} of {resource.name}", known)
    for key, level in _mapping(source.data.get("organisation_level")).items():
        here = (*path, "organisation_level", key)
        if _served(document, here, key, source) is not None and isinstance(level, str):
            _known(document, here, level, "an organisationType", ORGANISATION_TYPE.values)
    _views(document, path, source)
    if "scope" in source.data:
        _scope(document, source, source.data["scope"])
    tls = _mapping(source.data.get("tls"))
    url = source.data.get("url")
    if tls and isinstance(url, str) and url.startswith("http://"):
        document.add((*path, "tls"), "has no effect on http://. Use https:// in the url, or leave tls out.")
    for key in ("key", "key_password"):
        if key in tls and "certificate" not in tls:
            document.add((*path, "tls", key), "belongs to a certificate. Give tls.certificate too.")


def _authority(
    document: Document, path: KeyPath, resource: Resource, rules: Mapping[str, object], sources: Mapping[str, _Source]
) -> None:
    if rules.get("exists") in ([], ()):
        document.add((*path, "exists"), "names no source, so that nothing would exist. Name one, or leave it out.")
    for key in ("exists", "order"):
        _names(document, (*path, key), rules.get(key), resource, sources)
    _fields(document, path, resource, rules, sources)
    for column in _mapping(rules.get("lists")):
        here = (*path, "lists", column)
        if _property(document, here, column, resource) and not resource.columns[column].many:
            lists = (name for name, declared in resource.columns.items() if declared.many)
            document.add(here, f"is not a list. {suggestion(column, lists)}")
    when = rules.get("when")
    for index, entry in enumerate(when) if isinstance(when, list | tuple) else ():
        if isinstance(entry, Mapping):
            _when(document, (*path, "when", index), resource, _mapping(entry), sources)


def _fields(
    document: Document, path: KeyPath, resource: Resource, rules: Mapping[str, object], sources: Mapping[str, _Source]
) -> None:
    for column, names in _mapping(rules.get("fields")).items():
        here = (*path, "fields", column)
        if not _property(document, here, column, resource):
            continue
        if column in DECIDED_OTHERWISE:
            document.add(here, f"cannot be given to a source: {DECIDED_OTHERWISE[column]}. Leave it out.")
            continue
        if names in ([], ()):
            document.add(here, "names no source. Name one, or leave it out.")
        for index, name in _names(document, here, names, resource, sources):
            if not sources[name].knows(resource.name, column):
                document.add((*here, index), f"the holds of source {name} says that it does not know {column}.")


def _when(
    document: Document, path: KeyPath, resource: Resource, entry: Mapping[str, object], sources: Mapping[str, _Source]
) -> None:
    _part(document, path, entry, [resource.name], f"the records of {resource.plural} do")
    if not entry.get("order") and not entry.get("fields"):
        document.add(path, "decides nothing. Give order or fields.")
    _names(document, (*path, "order"), entry.get("order"), resource, sources)
    _fields(document, path, resource, entry, sources)


def _scope(document: Document, source: _Source, scope: object) -> None:
    if isinstance(scope, Mapping):
        path: KeyPath = ("sources", source.name, "scope")
        _part(document, path, _mapping(scope), source.serves, "the records of its resources do")


_SHOWN_BY = {
    "schoolTypes": ("a form of schooling", {name for name, places in PLACES.items() if places.school_type}),
    "organisations": ("their organisation", {name for name, places in PLACES.items() if places.organisation}),
}


def _part(document: Document, path: KeyPath, part: Mapping[str, object], resources: Iterable[str], whose: str) -> None:
    """A part of what the huvudman has: at least one bound, and each one that records can show."""
    if not any(part.get(key) for key in _SHOWN_BY):
        document.add(path, "names no part. Give schoolTypes or organisations.")
    for key, (what, showing) in _SHOWN_BY.items():
        if part.get(key) and not showing.intersection(resources):
            known = ", ".join(RESOURCES[name].plural for name in PLACES if name in showing)
            document.add((*path, key), f"{whose} not show {what}, so nothing can depend on it. These do: {known}.")
    for index, text in _strings(part.get("schoolTypes")):
        here = (*path, "schoolTypes", index)
        if text not in SCHOOL_TYPE.values:
            document.add(
                here, f"{_quoted(document, here, text)} is not a school type. {suggestion(text, SCHOOL_TYPE.values)}"
            )
    for index, text in _strings(part.get("organisations")):
        here = (*path, "organisations", index)
        try:
            UUID(text)
        except ValueError:
            document.add(here, f"{_quoted(document, here, text)} is not an id. Give the organisation's UUID.")


def _identity(document: Document, identity: Mapping[str, object], sources: Iterable[_Source]) -> None:
    for name, kinds in KINDS.items():
        key = RESOURCES[name].plural
        if _mapping(identity.get(key)).get("keys") and not any(source.has_own(name) for source in sources):
            document.add(
                ("identity", key),
                f"has no effect: no source has {key} among its own_ids. Add it where ids differ, or leave this out.",
            )
        for index, kind in _strings(_mapping(identity.get(key)).get("keys")):
            if kind not in kinds:
                path: KeyPath = ("identity", key, "keys", index)
                what = _quoted(document, path, kind)
                document.add(path, f"{what} is no kind of key for {key}. {suggestion(kind, kinds)}")


def _names(
    document: Document, path: KeyPath, value: object, resource: Resource, sources: Mapping[str, _Source]
) -> list[tuple[int, str]]:
    """The source names in a list that exist and serve the resource; the others are findings."""
    good: list[tuple[int, str]] = []
    for index, name in _strings(value):
        here = (*path, index)
        if name not in sources:
            document.add(here, f"{_quoted(document, here, name)} is not a source. {suggestion(name, sources)}")
        elif resource.name not in sources[name].serves:
            serving = [source.name for source in sources.values() if resource.name in source.serves]
            document.add(here, f"source {name} does not serve {resource.plural}; these do: {', '.join(serving)}.")
        elif name in {earlier for _, earlier in good}:
            document.add(here, f"source {name} stands twice. Keep one.")
        else:
            good.append((index, name))
    return good


def _resource(document: Document, path: KeyPath, text: str, also: list[str] | None = None) -> Resource | None:
    name = resource_name(text)
    if name is None:
        known = [*PLURALS, *(also or [])]
        document.add(path, f"{_quoted(document, path, text)} is not a resource. {suggestion(text, known)}")
        return None
    return RESOURCES[name]


def _once(document: Document, path: KeyPath, mapping: Mapping[str, object]) -> None:
    """A resource may have several spellings, but only one entry."""
    seen: set[str] = set()
    for key in mapping:
        name = resource_name(key)
        if name in seen:
            document.add((*path, key), f"{name} stands twice, in two spellings. Keep one.")
        elif name is not None:
            seen.add(name)


def _served(document: Document, path: KeyPath, text: str, source: _Source) -> Resource | None:
    resource = _resource(document, path, text)
    if resource is not None and source.serves and resource.name not in source.serves:
        document.add(
            path, f"{resource.plural} is not among the resources of this source. Add it there, or leave it out."
        )
    return resource


def _property(document: Document, path: KeyPath, column: str, resource: Resource) -> bool:
    return _known(document, path, column, f"a property of {resource.name}", resource.columns)


def _known(document: Document, path: KeyPath, word: str, what: str, words: Collection[str]) -> bool:
    """Whether it is one of the words; else a finding."""
    if word in words:
        return True
    document.add(path, f"{_quoted(document, path, word)} is not {what}. {suggestion(word, words)}")
    return False


def _views(document: Document, path: KeyPath, source: _Source) -> None:
    """Of each resource one view must be whole."""
    list_only = {**source.profile.list_only, **_by_name(source.data.get("list_only"))}
    for key, columns in _mapping(source.data.get("list_lacks")).items():
        resource = RESOURCES.get(resource_name(key) or "")
        here = (*path, "list_lacks", key)
        if resource is None or not columns:
            continue
        if not (resource.has_id and resource.get):
            document.add(here, f"{resource.plural} cannot be asked for by id, so that nothing could complete them.")
        elif list_only.get(resource.name):
            document.add(here, f"{resource.plural} are in list_only too, so that no view of them is whole. Keep one.")


def _by_name(section: object) -> dict[str, object]:
    return {resource_name(key) or key: value for key, value in _mapping(section).items()}


def _quoted(document: Document, path: KeyPath, text: str) -> str:
    """The word itself, but not what an environment variable held: a secret may have slipped in."""
    return "the value" if path in document.substituted else repr(text[:64])


def _mapping(value: object) -> Mapping[str, object]:
    return {k: v for k, v in value.items() if isinstance(k, str)} if isinstance(value, Mapping) else {}


def _strings(value: object) -> Iterator[tuple[int, str]]:
    if isinstance(value, list | tuple):
        yield from ((index, item) for index, item in enumerate(value) if isinstance(item, str))
