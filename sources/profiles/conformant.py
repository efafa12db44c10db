"""The standard itself."""

from __future__ import annotations

from ..capabilities import Capabilities
from .model import Profile

CONFORMANT = Profile(
    "conformant",
    "Does what SS 12000:2020 version 2.1.0 says: every filter, expand and lookup of the resources that it serves.",
    Capabilities(frozenset()),
)
