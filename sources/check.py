"""Whether a source can be read as it is configured: what ``check`` tells before anything is served."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography import x509

from .endpoints import origin
from .errors import FaultCode
from .requests import Query
from .source import Source
from .standard import RESOURCES
from .standard.model import Scalar, Test
from .transport import tls_context

_NO_CONNECTION = frozenset({FaultCode.SOURCE_UNREACHABLE, FaultCode.SOURCE_TIMEOUT})
_PAUSE = 5.0
"""The most seconds that reading a server's certificate takes."""


@dataclass(frozen=True, slots=True)
class ResourceReport:
    """Whether one resource's list answers; ``code`` says why not, ``status`` with which HTTP status."""

    resource: str
    answers: bool
    code: FaultCode | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What was found. None: not known, or not applicable. Days left are whole and negative after expiry."""

    source: str
    reachable: bool
    credentials_accepted: bool | None
    resources: tuple[ResourceReport, ...]
    client_certificate_days: int | None = None
    server_certificate_days: int | None = None

    @property
    def ok(self) -> bool:
        """Whether every resource that the configuration names answers."""
        return self.reachable and all(report.answers for report in self.resources)

    def as_json(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {**asdict(self), "ok": self.ok, "resources": [asdict(report) for report in self.resources]}


async def check_source(source: Source, deadline: float) -> SourceReport:
    """Ask each configured resource for one record. Raises nothing for what the source does."""
    names = sorted(source.capabilities.resources & RESOURCES.keys(), key=list(RESOURCES).index)
    probes = [source.probe(name, today(name, source.clock(), source.settings.timezone), deadline) for name in names]
    faults, server_days = await asyncio.gather(asyncio.gather(*probes), _server_certificate_days(source, deadline))
    reports = tuple(
        ResourceReport(name, False, fault.code, fault.status) if fault else ResourceReport(name, True)
        for name, fault in zip(names, faults, strict=True)
    )
    codes = [report.code for report in reports]
    reachable = any(code not in _NO_CONNECTION for code in codes)
    accepted: bool | None = None
    if FaultCode.SOURCE_CREDENTIALS_REFUSED in codes:
        accepted = False
    elif None in codes:
        accepted = True
    certificate = source.settings.tls.certificate
    client_days = None
    if certificate is not None:
        client_days = await asyncio.to_thread(_file_days, certificate, source.clock())
    return SourceReport(source.name, reachable, accepted, reports, client_days, server_days)


def today(resource: str, now: datetime, timezone: str) -> Query:
    """The smallest query that the resource's list takes: today, in the source's zone, for a required window."""
    zone = ZoneInfo(timezone)
    day = now.astimezone(zone).date()
    return window(resource, day, day, zone)


def window(resource: str, first: date, last: date, zone: ZoneInfo) -> Query:
    """Everything that the resource's list has; of whole local days, both inclusive, where it requires a window."""
    declared = RESOURCES[resource].parameter
    parameters: dict[str, tuple[str, ...]] = {}
    for name in RESOURCES[resource].window:
        parameter = declared[name]
        upper = parameter.test in (Test.ON_OR_BEFORE, Test.ON_OR_BEFORE_OR_OPEN) or name.endswith("Before")
        day = last if upper else first
        if parameter.type is Scalar.DATE_TIME:
            moment = datetime.combine(day + timedelta(days=1) if upper else day, time(), zone)
            parameters[name] = (moment.isoformat(),)
        else:
            parameters[name] = (day.isoformat(),)
    return Query.of(parameters)


def _days(certificates: Iterable[x509.Certificate], now: datetime) -> int | None:
    return min(((c.not_valid_after_utc - now).days for c in certificates), default=None)


def _file_days(path: Path, now: datetime) -> int | None:
    """Days until the first of the certificates in a file expires; None where it cannot be read any more."""
    try:
        return _days(x509.load_pem_x509_certificates(path.read_bytes()), now)
    except (OSError, ValueError):
        return None


async def _server_certificate_days(source: Source, deadline: float) -> int | None:
    """Days until the server's certificate expires, also where it is not trusted; None without TLS or connection."""
    scheme, host, port = origin(source.settings.url)
    if scheme != "https":
        return None
    # Nothing is sent over this connection: it only looks at the certificate, which may be the very thing that is wrong.
    context = tls_context(source.settings.tls, f"sources.{source.name}.tls")
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + _PAUSE)):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
            try:
                certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.transport.abort()
        return _days([x509.load_der_x509_certificate(certificate)], source.clock()) if certificate else None
    except (OSError, ValueError):
        return None
