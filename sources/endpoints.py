"""Where the endpoints of one source are: its URL and the standard's paths, unless the configuration says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit

from .capabilities import Arrays
from .errors import ConfigurationError
from .settings import OAuth2, SourceSettings
from .standard import RESOURCES

DELETED = "DeletedEntities"
"""The name under which ``endpoints`` may override /deletedEntities, and under which its faults stand."""


class Endpoints:
    """URLs of one source. Raises ConfigurationError where a URL cannot be used.

    Paths are put after the source's URL as text: joining URLs by their rules would drop ``/v2.0``.
    """

    def __init__(self, settings: SourceSettings) -> None:
        key = f"sources.{settings.name}"
        _check(settings.url, f"{key}.url")
        if isinstance(settings.credentials, OAuth2):
            _check(settings.credentials.token_url, f"{key}.credentials.token_url")
        paths = {name: resource.path for name, resource in RESOURCES.items()} | {DELETED: "/deletedEntities"}
        unknown = sorted(settings.endpoints.keys() - paths.keys())
        if unknown:
            raise ConfigurationError(
                f"{key}.endpoints.{unknown[0]}", f"no such resource; use one of {', '.join(sorted(paths))}"
            )
        self._arrays = settings.capabilities.arrays
        base = settings.url.rstrip("/")
        self._lists: dict[str, str] = {}
        for name, path in paths.items():
            target = settings.endpoints.get(name, path)
            whole = "://" in target
            if whole or name in settings.endpoints:
                _check(target if whole else f"{base}/{target.lstrip('/')}", f"{key}.endpoints.{name}")
            self._lists[name] = target if whole else f"{base}/{target.lstrip('/')}"
        self.origins = frozenset(origin(url) for url in self._lists.values())
        """The (scheme, host, port) that the configuration names, and that credentials may be sent to."""

    def list(self, resource: str, parameters: Iterable[tuple[str, str]] = (), arrays: Arrays | None = None) -> str:
        """A list call's URL; several values of a parameter are written in the source's style, or as ``arrays``."""
        return self._with_query(self._lists[resource], parameters, arrays)

    def item(self, resource: str, identity: str, expand: Iterable[str] = ()) -> str | None:
        """The URL of one record; None for an id that no path segment can hold (RFC 3986, section 5.2.4)."""
        if identity.strip(".") == "":
            return None
        url = f"{self._lists[resource].rstrip('/')}/{quote(identity, safe='')}"
        return self._with_query(url, (("expand", name) for name in expand))

    def lookup(self, resource: str, expand: Iterable[str] = ()) -> str:
        url = f"{self._lists[resource].rstrip('/')}/lookup"
        return self._with_query(url, (("expand", name) for name in expand))

    def _with_query(self, url: str, parameters: Iterable[tuple[str, str]], arrays: Arrays | None = None) -> str:
        if (arrays or self._arrays) is Arrays.COMMA:
            values: dict[str, list[str]] = {}
            for name, value in parameters:
                values.setdefault(name, []).append(value)
            parameters = [(name, ",".join(found)) for name, found in values.items()]
        query = urlencode(list(parameters), quote_via=quote)
        return f"{url}?{query}" if query else url

    @property
    def secure(self) -> bool:
        """Whether any of them is reached over TLS."""
        return any(scheme == "https" for scheme, _, _ in self.origins)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def _check(url: str, key: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(key, "give a whole URL that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(key, "put the credentials under credentials, not into the URL")
    if parts.query or parts.fragment:
        raise ConfigurationError(key, "leave out everything from ? or # on")
