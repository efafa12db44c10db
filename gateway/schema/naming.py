"""From the standard's names to GraphQL's and Python's."""

from __future__ import annotations

import re
import unicodedata

_PYTHON_KEYWORDS = frozenset({"from", "class", "type", "in", "is", "not", "and", "or", "for", "import", "global"})


def enum_name(text: str) -> str:
    """An enumeration value's GraphQL name: upper case, accents dropped, everything else ``_``."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").upper()
    return f"_{name}" if name[:1].isdigit() else name


def constant(name: str) -> str:
    """``registeredDateAsc`` and ``RegisteredDateAsc`` as ``REGISTERED_DATE_ASC``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def python_name(name: str) -> str:
    """A name that Python accepts as an attribute."""
    return f"{name}_" if name in _PYTHON_KEYWORDS else name


def upper_first(name: str) -> str:
    return name[:1].upper() + name[1:]
