"""SS 12000:2020 version 2.1.0 as data: the one place where facts about the standard are declared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .group import GROUP
from .model import Resource
from .organisation import ORGANISATION
from .person import PERSON

RESOURCES: Mapping[str, Resource] = MappingProxyType({r.name: r for r in (ORGANISATION, PERSON, GROUP)})
"""Every readable resource of the standard, by its name."""
