"""The part of gateway.yaml that makes a gateway read the demonstration sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from .habits import declared
from .server import DemoServer, DemoServers
from .wild import Dialects

SECRETS = ("client_secret", "token", "key")

AUTHORITY: Mapping[str, Mapping[str, object]] = {
    "Organisation": {"order": ["sis"]},
    "Person": {
        "exists": ["sis", "hr", "forskola"],
        "order": ["sis", "hr", "forskola"],
        "fields": {"emails": ["hr", "sis", "lms"]},
        "lists": {"emails": "union"},
    },
    "Duty": {"exists": ["hr"], "order": ["hr", "sis", "schema"]},
    "Group": {"order": ["sis", "schema", "forskola", "lms"]},
    "Placement": {"order": ["forskola", "sis"]},
    "Activity": {"order": ["schema", "lms"]},
    "Attendance": {"order": ["narvaro", "lms"]},
}
"""Who decides what in the municipality, as its ``authority:``."""


def gateway_config(servers: DemoServers) -> dict[str, object]:
    """``sources`` and ``authority`` of a gateway.yaml for the running servers. Secrets are in the clear.

    Where servers have ids of their own, ``identity`` as well.
    """
    dialects = servers.dialects
    authority: dict[str, dict[str, object]] = {resource: dict(rules) for resource, rules in AUTHORITY.items()}
    for resource, fields in dialects.fields.items():
        authority[resource]["fields"] = {name: list(sources) for name, sources in fields.items()}
    content: dict[str, object] = {
        "sources": {name: _source(server, dialects) for name, server in servers.items()},
        "authority": authority,
    }
    return content | ({"identity": dict(dialects.identity)} if dialects.identity else {})


def write(servers: DemoServers, directory: Path) -> Path:
    """Write gateway.yaml with the secrets and certificates it names into the directory; returns the file.

    Secrets lie in files of their own, readable by the owner only; the paths in gateway.yaml are relative to it.
    Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sources = {}
    for name, server in servers.items():
        section = _source(server, servers.dialects)
        auth: dict[str, object] = dict(server.auth)
        for key in SECRETS:
            if key in auth:
                _write_private(directory / f"{name}-{key}.txt", str(auth[key]))
                auth[key] = {"file": f"{name}-{key}.txt"}
        section["auth"] = auth
        if server.tls is not None:
            files = {"certificate": server.tls.client, "key": server.tls.client_key, "ca": server.tls.ca}
            for file in files.values():
                _write_private(directory / f"{name}-{file.name}", file.read_text())
            section["tls"] = {key: f"{name}-{file.name}" for key, file in files.items()}
        sources[name] = section
    content = gateway_config(servers) | {"sources": sources}
    file = directory / "gateway.yaml"
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
    file.write_text(
        "# Made for the demonstration sources that are running; their secrets change with every start.\n" + text
    )
    return file


def _source(server: DemoServer, dialects: Dialects) -> dict[str, object]:
    section: dict[str, object] = {"url": server.url, "auth": dict(server.auth)}
    if server.tls is not None:
        files = {"certificate": server.tls.client, "key": server.tls.client_key, "ca": server.tls.ca}
        section["tls"] = {key: str(file) for key, file in files.items()}
    section |= {"timeout": "10s", "lookup_chunk": 500}
    section |= declared(server.api.habits, server.resources, server.page_size)
    holds = dialects.holds[server.name]
    if holds:
        section["holds"] = {resource: list(properties) for resource, properties in holds.items()}
    return section


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
