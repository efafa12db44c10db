"""From a file, or the same data in memory, to Settings: all checks, then the conversion."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resolvers.contracts import Authority, Ceiling, EntityId, Limits, Scope, When
from resolvers.identity import IdentityRule
from sources.endpoints import DELETED
from sources.profiles import PROFILES
from sources.settings import ApiKey, Bearer, Credentials, OAuth2, Secret, SourceSettings, Tls

from . import references
from .capabilities import declared
from .document import Document, read, substitute
from .fields import Surroundings
from .messages import translate
from .names import is_deleted, resource_name
from .problems import ConfigError
from .settings import CacheSettings, IdentitySettings, PolicySettings, ServerSettings, Settings
from .shape import (
    DEFAULT_TTL,
    ApiKeyAuth,
    Auth,
    AuthoritySection,
    BearerAuth,
    ConfigurationFile,
    CostAtSource,
    OAuth2Auth,
    Part,
    Server,
    SourceSection,
)


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in a YAML file. Files in it are relative to it. Raises ConfigError with every problem."""
    document = read(path)
    if document.data is None:
        raise ConfigError(document.problems())
    return _settings(document, path.parent, environ)


def parse(data: Mapping[str, object], base: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in data of the file's shape; files in it are relative to ``base``. Raises ConfigError."""
    return _settings(Document(data=data), base, environ)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the configuration file, for editors."""
    schema = ConfigurationFile.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "gateway.yaml"}


def _settings(document: Document, base: Path, environ: Mapping[str, str]) -> Settings:
    substitute(document, environ)
    file, errors = _validated(document, Surroundings(base, environ))
    schema = json_schema() if errors else {}
    for error in errors:
        document.add(*translate(error, document.data, schema))
    references.check(document)
    if file is None or document.found:
        raise ConfigError(document.problems())
    return _built(file)


def _validated(document: Document, around: Surroundings) -> tuple[ConfigurationFile | None, list[ErrorDetails]]:
    # Raised again outside of the except block: pydantic's error holds the values.
    try:
        return ConfigurationFile.model_validate(document.data, context=around), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _built(file: ConfigurationFile) -> Settings:
    ttl = {"default": DEFAULT_TTL} | {_name(key): value for key, value in file.cache.ttl.items()}
    sources = tuple(_source(name, source, ttl) for name, source in file.sources.items())
    authority = {_name(key): _authority(rules) for key, rules in file.authority.items()}
    scopes = {name: scope for name, source in file.sources.items() if (scope := _scope(source.scope)) != Scope()}
    kinds = {"Person": file.identity.persons, "Organisation": file.identity.organisations, "Duty": file.identity.duties}
    rules = {name: IdentityRule(section.keys) for name, section in kinds.items() if section.keys}
    identity = IdentitySettings(rules, file.identity.store, file.identity.refresh)
    return Settings(
        server=_server(file.server),
        sources=sources,
        authority=authority,
        identity=identity,
        scopes=scopes,
        policy=PolicySettings(file.policy.protected_persons),
        cache=CacheSettings(file.cache.backend, file.cache.max_bytes, ttl),
        limits=Limits(
            operation_timeout=file.limits.operation_timeout,
            max_first=file.limits.max_first,
            max_candidates=file.limits.max_candidates,
            max_filter_calls=file.limits.max_filter_calls,
            max_schedule_days=file.limits.max_schedule_days,
            max_index_bytes=file.limits.max_index_bytes,
            cost=Ceiling(file.limits.calls, file.limits.records, file.limits.seconds),
            cost_at={name: ceiling for name, source in file.sources.items() if (ceiling := _ceiling(source.limits))},
            max_estimates=file.limits.max_estimates,
            concurrency=file.limits.concurrency,
            queue=file.limits.queue,
            queue_timeout=file.limits.queue_timeout,
            max_request=file.limits.max_request,
            prepared_operations=file.limits.prepared_operations,
            prepared_bytes=file.limits.prepared_bytes,
            prepared_variants=file.limits.prepared_variants,
        ),
        raw=file.raw,
        executor=file.executor,
        epoch=_epoch(sources, authority, scopes, rules, file.policy.protected_persons, file.server.timezone),
    )


def _authority(rules: AuthoritySection) -> Authority:
    when = tuple(When(_scope(each), each.order, each.fields) for each in rules.when)
    return Authority(rules.exists, rules.order, rules.fields, rules.lists, when)


def _ceiling(limits: CostAtSource) -> Ceiling | None:
    made = Ceiling(limits.calls, limits.records, limits.seconds)
    return None if made == Ceiling() else made


def _scope(part: Part) -> Scope:
    organisations = frozenset(EntityId(str(UUID(each))) for each in part.organisations)
    return Scope(frozenset(part.schoolTypes), organisations)


def _server(server: Server) -> ServerSettings:
    return ServerSettings(
        host=server.host,
        port=server.port,
        secret=server.secret or Secret(secrets.token_urlsafe(32)),
        previous_secret=server.previous_secret,
        secret_is_random=server.secret is None,
        timezone=server.timezone,
        allow_unauthenticated=server.allow_unauthenticated,
    )


def _source(name: str, source: SourceSection, ttl: Mapping[str, float]) -> SourceSettings:
    profile = PROFILES[source.profile]
    timezone = source.timezone if "timezone" in source.model_fields_set else profile.timezone
    return SourceSettings(
        name=name,
        url=source.url,
        capabilities=replace(declared(source, profile.capabilities), naive=timezone),
        credentials=_credentials(source.auth),
        tls=Tls(source.tls.certificate, source.tls.key, source.tls.key_password, source.tls.ca),
        endpoints={DELETED if is_deleted(key) else _name(key): url for key, url in source.endpoints.items()},
        timeout=source.timeout,
        concurrency=source.concurrency,
        max_body=source.max_body,
        max_pages=source.max_pages,
        restarts=source.restarts,
        timezone=timezone or source.timezone,
        allow_civicno_in_url=source.allow_civicno_in_url,
        max_gets=source.max_gets,
        ttl=ttl,
    )


def _credentials(auth: Auth) -> Credentials | None:
    match auth:
        case BearerAuth():
            return Bearer(auth.token)
        case ApiKeyAuth():
            return ApiKey(auth.key, auth.header)
        case OAuth2Auth():
            return OAuth2(auth.token_url, auth.client_id, auth.client_secret, auth.scope, auth.authentication)
    return None


def _name(text: str) -> str:
    # "default" is the one key beside resources (cache.ttl); references.check let nothing else through.
    return resource_name(text) or text


def _epoch(
    sources: Iterable[SourceSettings],
    authority: Mapping[str, Authority],
    scopes: Mapping[str, Scope],
    identity: Mapping[str, IdentityRule],
    *rest: str,
) -> str:
    """A digest of what decides which records an answer holds; without secrets, deadlines and other mere bounds."""
    parts = [
        [
            [source.name, source.url, source.endpoints, source.timezone, asdict(source.capabilities)]
            for source in sources
        ],
        {resource: asdict(rules) for resource, rules in authority.items()},
        {source: asdict(scope) for source, scope in scopes.items()},
        {resource: asdict(rule) for resource, rule in identity.items()},
        rest,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=sorted).encode()).hexdigest()[:16]
