"""The part of gateway.yaml that makes a gateway read the demonstration sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from ..standard import RESOURCES
from .server import DemoServer, DemoServers
from .split import HOLDS

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
    """``sources`` and ``authority`` of a gateway.yaml for the running servers. Secrets are in the clear."""
    return {
        "sources": {name: _source(server) for name, server in servers.items()},
        "authority": {resource: dict(rules) for resource, rules in AUTHORITY.items()},
    }


def write(servers: DemoServers, directory: Path) -> Path:
    """Write gateway.yaml with the secrets and certificates it names into the directory; returns the file.

    Secrets lie in files of their own, readable by the owner only; the paths in gateway.yaml are relative to it.
    Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sources = {}
    for name, server in servers.items():
        section = _source(server)
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


def _source(server: DemoServer) -> dict[str, object]:
    section: dict[str, object] = {"url": server.url, "auth": dict(server.auth)}
    if server.tls is not None:
        files = {"certificate": server.tls.client, "key": server.tls.client_key, "ca": server.tls.ca}
        section["tls"] = {key: str(file) for key, file in files.items()}
    section["resources"] = [RESOURCES[name].plural for name in server.resources]
    holds = HOLDS[server.name]
    if holds:
        section["holds"] = {resource: list(properties) for resource, properties in holds.items()}
    return section | {"timeout": "10s", "page_size": server.page_size, "lookup_chunk": 500}


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
