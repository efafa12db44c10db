"""Durations (``10s``, ``5m``) and sizes (``256MB``) as people write them."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}

DURATION = r"^[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h|d)$"
SIZE = r"^[0-9]{1,9}(\.[0-9]{1,3})?(B|KB|MB|GB)$"


def seconds(text: str) -> float:
    """The seconds in ``10s``, ``500ms``, ``5m``, ``1.5h`` or ``1d``. Raises ValueError with the fix."""
    if not re.fullmatch(DURATION, text):
        raise ValueError("must be a duration with its unit, like 10s, 500ms, 5m, 1h or 1d")
    number, unit = _split(text)
    return number * _SECONDS[unit]


def size(text: str) -> int:
    """The bytes in ``64KB``, ``256MB`` or ``1GB``; a KB is 1024 bytes. Raises ValueError with the fix."""
    if not re.fullmatch(SIZE, text):
        raise ValueError("must be a size with its unit, like 64KB, 256MB or 1GB")
    number, unit = _split(text)
    return int(number * _BYTES[unit])


def _split(text: str) -> tuple[float, str]:
    number = text.rstrip("BKMGdhms")
    return float(number), text[len(number) :]
