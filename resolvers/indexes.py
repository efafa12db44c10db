"""What is derived from sources' answers and kept for later questions; all of it can be made anew at any time.

*   **order**: the listings of sorted and of long lists (``listing.Listing``), by query, policy and configuration.

An index never outlives the answers it was made of, and all of them together are bounded in bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection

from sources.cache import Flights

from .contracts import Gap
from .listing import Listing


class Indexes:
    """One for a federation; what was used longest ago goes first."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._kept: OrderedDict[str, tuple[Listing, int]] = OrderedDict()
        self._flights = Flights()

    def get(self, key: str, known: Collection[Gap] = ()) -> Listing | None:
        """The index under a key, if it may be used.

        One with gaps that may heal serves those only who know of these gaps: who asks anew wants to see them gone.
        """
        found = self._kept.get(key)
        if found is None:
            return None
        listing = found[0]
        if not listing.alive():
            self._drop(key)
            return None
        if any(gap.retryable and gap not in known for gap in listing.gaps):
            return None
        self._kept.move_to_end(key)
        return listing

    async def share(self, key: str, deadline: float, make: Callable[[], Awaitable[Listing]]) -> Listing:
        """The index that ``make`` gives, here or where it is being made already. Raises CallError at the deadline."""

        async def made() -> Listing:
            listing = await make()
            self._keep(key, listing)
            return listing

        return await self._flights.share(key, deadline, made)

    def _keep(self, key: str, listing: Listing) -> None:
        self._drop(key)
        size = listing.memory
        if size > self.max_bytes or not listing.alive():
            return
        self._kept[key] = (listing, size)
        self.bytes += size
        while self.bytes > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.bytes -= found[1]
