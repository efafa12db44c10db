"""Made-up personal identity numbers, in the manner of Skatteverket's test numbers: few, recognisable birth numbers.

That no such number was ever given to anybody is not claimed; names and dates beside them are made up too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

WOMEN = ("238", *(str(n) for n in range(980, 1000, 2)))
MEN = ("239", *(str(n) for n in range(981, 1000, 2)))


@dataclass
class CivicNumbers:
    """Gives out numbers, each once. A birth date whose test numbers are used up gives way to the day after."""

    _used: dict[tuple[date, bool], int] = field(default_factory=dict)

    def next(self, birth: date, woman: bool) -> tuple[date, str]:
        """The birth date to use and the 12-digit number."""
        while True:
            used = self._used.get((birth, woman), 0)
            if used < len(WOMEN):
                break
            birth += timedelta(days=1)
        self._used[birth, woman] = used + 1
        digits = f"{birth:%Y%m%d}{(WOMEN if woman else MEN)[used]}"
        return birth, digits + check_digit(digits[2:])


def check_digit(nine: str) -> str:
    """The Luhn digit of YYMMDDNNN."""
    total = 0
    for i, digit in enumerate(nine):
        product = int(digit) * (2 - i % 2)
        total += product // 10 + product % 10
    return str(-total % 10)
