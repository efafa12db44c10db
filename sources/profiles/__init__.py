"""Profiles: what is known of how suppliers' systems depart from the standard, as plain data.

A profile gives a source's defaults; the configuration says what is otherwise. What nobody has found out is declared as
``unknown`` or left out, so that it is not relied on: that costs calls, never a wrong answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .conformant import CONFORMANT
from .edlevo import EDLEVO
from .ist_educloud import IST_EDUCLOUD
from .model import Profile
from .offset_paging import OFFSET_PAGING
from .pingpong import PINGPONG
from .skolverket_reference import SKOLVERKET_REFERENCE

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (CONFORMANT, SKOLVERKET_REFERENCE, IST_EDUCLOUD, EDLEVO, PINGPONG, OFFSET_PAGING)
    }
)
"""By the name that the configuration uses."""

__all__ = ["PROFILES", "Profile"]
