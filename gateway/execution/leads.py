"""What is fetched for a field that has a resolver of its own, as data: for who estimates what an operation costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from resolvers.contracts import Limits
from resolvers.cost import Leads

Leading = Callable[[Mapping[str, object], Limits], tuple[Leads, ...]]
"""From arguments (by Python name) to what the field leads to. Raises Refused for arguments that cannot be used."""

_LEADING: dict[Callable[..., Any], Leading] = {}


def register(resolver: Callable[..., Any], leading: Leading) -> None:
    """Say what the field of a resolver leads to."""
    _LEADING[resolver] = leading


def leading_of(definition: Any) -> Leading | None:
    """What a Strawberry field leads to, where that is declared."""
    resolver = definition.base_resolver
    return None if resolver is None else _LEADING.get(resolver.wrapped_func)
