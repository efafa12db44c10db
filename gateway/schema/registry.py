"""The GraphQL types by name. Types refer to one another through this module, because references run in circles.

Names are set by ``types.entity`` and ``types.structure_type``; ``strawberry.lazy`` reads them when the schema is built.
"""

from __future__ import annotations

from typing import Annotated, Any

import strawberry


def lazy(name: str) -> Any:
    """A type by name, to be found when the schema is built."""
    return Annotated[name, strawberry.lazy(__name__)]


def register(name: str, made: type) -> None:
    globals()[name] = made
