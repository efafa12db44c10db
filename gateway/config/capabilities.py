"""What a source really does: its profile, and what the file says otherwise, key by key and resource by resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from sources.capabilities import ALL, Capabilities, Filter

from .names import resource_name
from .shape import SourceSection

V = TypeVar("V")


def declared(source: SourceSection, profile: Capabilities) -> Capabilities:
    """The capabilities of one section. A key that stands in the file replaces the profile's, for the resources in it.

    Filters are replaced one by one, all of a resource by its own ``*`` or by ``filters_ignored``. What is said of
    single filters or lookup arrays goes before ``filters_ignored`` and ``no_lookup``.
    """
    said = source.model_fields_set
    resources = frozenset(map(_name, source.resources)) if source.resources is not None else profile.resources
    lookup = {_name(key): frozenset(arrays) for key, arrays in source.lookup.items()}
    no_lookup = _some(source.no_lookup, resources) if "no_lookup" in said else profile.no_lookup
    ignored = _some(source.filters_ignored, resources) if "filters_ignored" in said else profile.filters_ignored
    base = {key: value for key, value in profile.filters.items() if not ("filters_ignored" in said and key in ignored)}

    def merged(defaults: Mapping[str, frozenset[str]], own: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
        return _of(resources, {**defaults, **{_name(key): frozenset(names) for key, names in own.items()}})

    def given(name: str, own: V, default: V) -> V:
        return own if name in said else default

    return Capabilities(
        resources=resources,
        holds=merged(profile.holds, source.holds),
        null_is_absent=given("null_is_absent", source.null_is_absent, profile.null_is_absent),
        list_only=_filled(merged(profile.list_only, source.list_only)),
        list_lacks=_filled(merged(profile.list_lacks, source.list_lacks)),
        own_ids=given("own_ids", _some(source.own_ids, resources), profile.own_ids) & resources,
        filters_ignored=ignored & resources,
        filters=_of(resources, _filters(base, source.filters)),
        filters_with=_of(resources, _filters_with(source, profile)),
        organisation_level=_of(
            resources,
            {**profile.organisation_level, **{_name(key): level for key, level in source.organisation_level.items()}},
        ),
        window_days=given("window_days", source.window_days, profile.window_days),
        no_lookup=(no_lookup & resources) - lookup.keys(),
        lookup=_of(resources, {**profile.lookup, **lookup}),
        expand=merged(profile.expand, source.expand),
        chunk=given("lookup_chunk", source.lookup_chunk, profile.chunk),
        sort_keys=merged(profile.sort_keys, source.sort_keys),
        paging=given("paging", source.paging, profile.paging),
        arrays=given("arrays", source.arrays, profile.arrays),
        page_size=given("page_size", source.page_size, profile.page_size),
    )


def _filters(
    defaults: Mapping[str, Mapping[str, Filter]], own: Mapping[str, Mapping[str, Filter]]
) -> dict[str, Mapping[str, Filter]]:
    found = dict(defaults)
    for key, parameters in own.items():
        name = _name(key)
        found[name] = {**({} if ALL in parameters else defaults.get(name, {})), **parameters}
    return found


def _filters_with(source: SourceSection, profile: Capabilities) -> dict[str, Mapping[str, str]]:
    """The profile's, but for parameters of which the file says something else, and the file's own."""
    found = {key: dict(parameters) for key, parameters in profile.filters_with.items()}
    for key, own in source.filters.items():
        found[_name(key)] = {k: v for k, v in found.get(_name(key), {}).items() if k not in own and ALL not in own}
    for key, company in source.filters_with.items():
        found[_name(key)] = {**found.get(_name(key), {}), **company}
    return {key: parameters for key, parameters in found.items() if parameters}


def _of(resources: frozenset[str], mapping: Mapping[str, V]) -> dict[str, V]:
    """What concerns a resource that is served."""
    return {key: value for key, value in mapping.items() if key in resources}


def _filled(mapping: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Without resources for which nothing is named: so a file takes back what a profile says."""
    return {key: names for key, names in mapping.items() if names}


def _some(names: tuple[str, ...] | bool, resources: frozenset[str]) -> frozenset[str]:
    return resources if isinstance(names, bool) else frozenset(map(_name, names))


def _name(text: str) -> str:
    # references.check let nothing else through.
    return resource_name(text) or text
