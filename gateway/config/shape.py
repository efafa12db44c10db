"""The shape of gateway.yaml: every key, its default and its meaning. docs/configuration.md says the same to people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from resolvers.contracts import Limits
from sources.capabilities import Arrays, Filter, Paging
from sources.settings import ClientAuthentication
from sources.standard.organisation import ORGANISATION_TYPE

from . import units
from .fields import (
    Duration,
    Endpoint,
    ExistingFile,
    HeaderSecret,
    ResourceName,
    SealingSecret,
    SecretValue,
    Size,
    SomeResources,
    Timeout,
    Url,
    Writable,
    Zone,
)
from .settings import Executor, ProtectedPersons

SourceName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Names = tuple[str, ...]
Count = Annotated[int, Field(ge=1)]
ProfileName = Literal["conformant", "skolverket-reference", "ist-educloud", "edlevo", "pingpong", "offset-paging"]
OrganisationLevel = Annotated[str, Field(examples=list(ORGANISATION_TYPE.values))]


class Section(BaseModel):
    """A part of the file. Its attributes' texts are the descriptions in the JSON Schema."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True, protected_namespaces=()
    )


class Server(Section):
    """Where the gateway listens."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The TCP port; 0 takes a free one."""
    secret: SealingSecret | None = None
    """Seals cursors. Left out: a random one, so that cursors end with the process."""
    previous_secret: SealingSecret | None = None
    """The secret before the last change: cursors sealed with it are still opened."""
    timezone: Zone = "Europe/Stockholm"
    """The zone of "today"."""
    allow_unauthenticated: bool = False
    """Listen beyond this machine although the gateway does not know who asks."""


class NoAuth(Section):
    """No credentials."""

    type: Literal["none"]


class BearerAuth(Section):
    """A fixed token in the Authorization header."""

    type: Literal["bearer"]
    token: HeaderSecret
    """The token."""


class ApiKeyAuth(Section):
    """A fixed key in a header of its own."""

    type: Literal["api_key"]
    key: HeaderSecret
    """The key."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    """The header's name."""


class OAuth2Auth(Section):
    """OAuth 2 client credentials (RFC 6749, section 4.4)."""

    type: Literal["oauth2"]
    token_url: Url
    """Where tokens are fetched."""
    client_id: Annotated[str, Field(min_length=1)]
    """The client's name at the token endpoint."""
    client_secret: SecretValue
    """The client's secret."""
    authentication: ClientAuthentication = ClientAuthentication.FORM
    """Credentials in the form body, or in HTTP Basic."""
    scope: str | None = None
    """The scopes to ask for, separated by spaces."""


Auth = Annotated[NoAuth | BearerAuth | ApiKeyAuth | OAuth2Auth, Field(discriminator="type")]


class TlsFiles(Section):
    """Files in PEM."""

    certificate: ExistingFile | None = None
    """The client certificate, with its chain."""
    key: ExistingFile | None = None
    """Its private key, if not in the same file."""
    key_password: SecretValue | None = None
    """The password of the private key."""
    ca: ExistingFile | None = None
    """The authorities to trust for this source instead of the system's."""


class Part(Section):
    """A part of what the huvudman has."""

    schoolTypes: Names = ()
    """Forms of schooling, as the standard spells them."""
    organisations: Names = ()
    """Ids of organisations; all that is below them belongs to them."""


class CostAtSource(Section):
    """The most that one operation may be estimated to ask of a source."""

    calls: Count | None = None
    """HTTP calls."""
    records: Count | None = None
    """Records that it sends."""
    seconds: Timeout | None = None
    """How long calls to it last, together."""


class SourceSection(Section):
    """One SS 12000 API."""

    url: Url
    """The base URL, to which resource paths are added."""
    auth: Auth = NoAuth(type="none")
    """Its credentials."""
    tls: TlsFiles = TlsFiles()
    """Client certificate and trust."""
    profile: ProfileName = "conformant"
    """What kind of system it is: gives the defaults of the keys that say what it really does."""
    resources: Annotated[tuple[ResourceName, ...], Field(min_length=1)] | None = None
    """The resources it serves. Left out: those that the profile names."""
    scope: Part = Part()
    """The part that it is for. Outside of it, it is neither asked nor missed."""
    endpoints: dict[str, Endpoint] = {}
    """By resource: a path under url, or a whole URL, where it differs from the standard's."""
    holds: dict[str, Names] = {}
    """By resource: the properties this source knows. They then speak also when absent; others are not heard."""
    list_only: dict[str, Names] = {}
    """By resource: properties that only its lists carry."""
    list_lacks: dict[str, Names] = {}
    """By resource: properties that its lists do not carry, but its single records do."""
    null_is_absent: bool = False
    """Whether a null that it sends says nothing, as if the property were left out."""
    own_ids: SomeResources = ()
    """Resources for which it has ids of its own, or true."""
    filters: dict[str, dict[str, Filter]] = {}
    """By resource and query parameter (``*``: all others): what becomes of it."""
    filters_with: dict[str, dict[str, str]] = {}
    """By resource and query parameter: the other one without which it is not honoured."""
    filters_ignored: SomeResources = ()
    """Resources whose filters it does not apply, or true."""
    organisation_level: dict[str, OrganisationLevel] = {}
    """By resource: the type of organisation that its records belong to, where that is always one above the unit."""
    window_days: Count | None = None
    """The longest period, in days, that its lists take where they require one; longer ones are split."""
    no_lookup: SomeResources = ()
    """Resources without lookup, or true."""
    lookup: dict[str, Names] = {}
    """By resource: the arrays that its lookup takes."""
    expand: dict[str, Names] = {}
    """By resource: the expands that it knows."""
    sort_keys: dict[str, Names] = {}
    """By resource: the sort keys by which it sorts exactly as the gateway does."""
    paging: Paging = Paging.TOKEN
    """How the pages of a list are asked for."""
    arrays: Arrays = Arrays.REPEATED
    """How several values of a query parameter are written."""
    timeout: Timeout = Field(default=10.0, json_schema_extra={"default": "10s"})
    """The longest that one call may take."""
    concurrency: Count = 4
    """The most calls at a time."""
    max_body: Size = Field(default=64 * 1024 * 1024, json_schema_extra={"default": "64MB"})
    """The largest answer, decompressed."""
    max_pages: Count = 10_000
    """The most pages of one list."""
    restarts: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a list that changed under way (410) is begun anew."""
    page_size: Count | None = 500
    """Records asked for per page; null leaves it to the source."""
    lookup_chunk: Count = 500
    """The most ids in one lookup."""
    max_gets: Annotated[int, Field(ge=0)] = 200
    """The most single gets that stand in for a lookup."""
    timezone: Zone = "Europe/Stockholm"
    """The zone of its date-times that name none."""
    limits: CostAtSource = CostAtSource()
    """The most that one operation may be estimated to ask of it."""
    allow_civicno_in_url: bool = False
    """Whether a personal identity number may stand in a URL to this source."""


class WhenSection(Part):
    """Who decides what about the records that belong in a part."""

    order: Names = ()
    """Who speaks first, before the resource's own order."""
    fields: dict[str, Names] = {}
    """By property: exactly these sources are heard, in this order."""


class AuthoritySection(Section):
    """Who decides what about one resource."""

    exists: Names | None = None
    """The sources that may bring a record into being. Left out: all that serve it."""
    order: Names = ()
    """Who speaks first. Sources left out follow in the order of the file."""
    fields: dict[str, Names] = {}
    """By property: exactly these sources are heard, in this order."""
    lists: dict[str, Literal["union", "first"]] = {}
    """By list property: unite all sources' entries, or take the first source's list whole."""
    when: tuple[WhenSection, ...] = ()
    """Decisions for some of the records: the first that fits holds."""


class IdentityKeys(Section):
    """How one resource's records are recognised beside equal ids."""

    keys: Names = ()
    """The kinds of keys."""


class Identity(Section):
    """What becomes of sources with ids of their own (``own_ids``)."""

    persons: IdentityKeys = IdentityKeys()
    """civicNo, eduPersonPrincipalName, externalIdentifier; email and name, which several can share."""
    organisations: IdentityKeys = IdentityKeys()
    """schoolUnitCode, organisationCode."""
    duties: IdentityKeys = IdentityKeys()
    """person: the same person, dutyAt and dutyRole, and dates that overlap."""
    store: Writable | None = None
    """The file in which ids that were given once stay. Left out: they stay as long as the process."""
    refresh: Timeout = Field(default=600.0, json_schema_extra={"default": "10m"})
    """How long until sources are read again for new links."""


class Policy(Section):
    """Who is shown."""

    protected_persons: ProtectedPersons = ProtectedPersons.HIDE
    """Persons with a security marking."""


class Cache(Section):
    """Answers kept for a while."""

    backend: Literal["memory"] = "memory"
    """Where they are kept."""
    max_bytes: Size = Field(default=256 * 1024 * 1024, json_schema_extra={"default": "256MB"})
    """How much is kept, over all sources."""
    ttl: dict[str, Duration] = Field(default={}, json_schema_extra={"default": {"default": "60s"}})
    """How long, by resource; ``default`` for the rest."""


class Bounds(Section):
    """Bounds of one operation."""

    operation_timeout: Timeout = Field(default=Limits().operation_timeout, json_schema_extra={"default": "30s"})
    """The deadline of an operation."""
    max_first: Count = Limits().max_first
    """The largest ``first``."""
    max_candidates: Count = Limits().max_candidates
    """The most records that an ordered list may have to look at."""
    max_filter_calls: Count = Limits().max_filter_calls
    """The most list calls that stand in for one relation or one organisation filter, per source."""
    max_schedule_days: Count = Limits().max_schedule_days
    """The most days of which a schedule, or a placement's attendance times, can be asked for at once."""
    max_index_bytes: Size = Field(default=Limits().max_index_bytes, json_schema_extra={"default": "64MB"})
    """How much the indexes of sorted and of long lists may take; about 100 bytes per record of a list."""
    calls: Count | None = Limits().cost.calls
    """The most HTTP calls to sources that an operation may be estimated to take."""
    records: Count | None = Limits().cost.records
    """The most records of sources that an operation may be estimated to take."""
    seconds: Timeout | None = Field(default=Limits().cost.seconds, json_schema_extra={"default": "1d"})
    """The longest that an operation may be estimated to wait for sources."""
    max_estimates: Count = Limits().max_estimates
    """How many kinds of operations are remembered as being within these."""
    concurrency: Count = Limits().concurrency
    """The most operations that run at the same time."""
    queue: Annotated[int, Field(ge=0)] = Limits().queue
    """The most operations that wait for their turn."""
    queue_timeout: Timeout = Field(default=Limits().queue_timeout, json_schema_extra={"default": "5s"})
    """How long they wait at most."""
    max_request: Size = Field(default=Limits().max_request, json_schema_extra={"default": "1MB"})
    """The largest request."""
    prepared_operations: Count = Limits().prepared_operations
    """The most documents that are kept parsed, validated and planned."""
    prepared_bytes: Size = Field(default=Limits().prepared_bytes, json_schema_extra={"default": "512KB"})
    """How much text these may have together."""
    prepared_variants: Count = Limits().prepared_variants
    """The most combinations of @skip and @include that are kept of one document."""


class ConfigurationFile(Section):
    """gateway.yaml"""

    server: Server = Server()
    """Where the gateway listens."""
    sources: Annotated[dict[SourceName, SourceSection], Field(min_length=1)]
    """The SS 12000 APIs, by the name that the huvudman gives them."""
    authority: dict[str, AuthoritySection] = {}
    """By resource: who decides what."""
    identity: Identity = Identity()
    """One thing, several ids."""
    policy: Policy = Policy()
    """Who is shown."""
    cache: Cache = Cache()
    """How long answers are kept."""
    limits: Bounds = Bounds()
    """Bounds of one operation."""
    raw: bool = False
    """Whether ``raw(source:)`` answers with a source's own record."""
    executor: Executor = Executor.PLANNED
    """What executes operations."""


DEFAULT_TTL = units.seconds("60s")
