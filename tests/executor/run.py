"""Many differential cases by hand: ``python -m tests.executor.run --from 0 --cases 200000``.

Prints every difference with the block it is in, and at the end what was looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
import time

from .compared import Tally, block, watched


async def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first block")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--most", type=int, default=10, help="stop after so many differences")
    parser.add_argument("--only", choices=("any", "unread", "served"), default="any", help="which huvudmän")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    tally = Tally()
    began, number = time.process_time(), given.start
    while tally.cases < given.cases and len(tally.differences) < given.most:
        with watched(tally.guards):
            for told in await block(number, tally, given.only):
                print(f"--- {told}", flush=True)
        number += 1
        if number % 20 == 0:
            spent = time.process_time() - began
            print(f"to block {number}: {tally.cases} cases in {spent:.0f} s of CPU", flush=True)
    spent = time.process_time() - began
    print(f"blocks {given.start} to {number - 1}, {spent:.0f} s of CPU, {tally.cases / spent:.0f} cases a second")
    print(tally)
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
