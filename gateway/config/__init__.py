"""gateway.yaml: read, validated whole, and turned into plain typed settings.

    load(path, environ)         a file                       → Settings, or ConfigError with every problem
    parse(data, base, environ)  the same shape, in memory    → Settings, or ConfigError with every problem
    json_schema()               the shape of the file, for editors

No secret stands in a setting's repr, a problem or an error.
"""

from .load import json_schema, load, parse
from .problems import ConfigError, Problem
from .settings import (
    AuthoritySettings,
    CacheSettings,
    Executor,
    PolicySettings,
    ProtectedPersons,
    ServerSettings,
    Settings,
    is_loopback,
)

__all__ = [
    "AuthoritySettings",
    "CacheSettings",
    "ConfigError",
    "Executor",
    "PolicySettings",
    "Problem",
    "ProtectedPersons",
    "ServerSettings",
    "Settings",
    "is_loopback",
    "json_schema",
    "load",
    "parse",
]
