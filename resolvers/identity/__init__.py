"""One thing, several ids: sources with ids of their own, behind the gateway's one id (design: *Identity*).

    keys.py        what makes two records the same thing: civicNo, schoolUnitCode, …
    clusters.py    from the records of all sources to things, conflicts and splits; pure
    known.py       what is known of one resource: ids in both directions, aliases; immutable
    store.py       the durable map: ids that were given once stay
    identities.py  builds what is known when it is needed, once for all operations
    translate.py   requests and answers across the border: the only place where a source's ids become the gateway's

Where no source has ids of its own, none of this does anything.
"""

from .identities import Identities
from .keys import IdentityRule
from .known import Known

__all__ = ["Identities", "IdentityRule", "Known"]
