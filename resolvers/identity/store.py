"""The durable map: an id that was given to a thing stays, whatever a source does later. It holds ids only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from .clusters import Place

_TABLES = """
CREATE TABLE IF NOT EXISTS thing (seq INTEGER PRIMARY KEY, resource TEXT NOT NULL, id TEXT NOT NULL,
                                  UNIQUE (resource, id));
CREATE TABLE IF NOT EXISTS link (resource TEXT NOT NULL, source TEXT NOT NULL, local TEXT NOT NULL, id TEXT NOT NULL,
                                 PRIMARY KEY (resource, source, local)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alias (resource TEXT NOT NULL, old TEXT NOT NULL, id TEXT NOT NULL,
                                  PRIMARY KEY (resource, old)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Remembered:
    """What was ever decided for one resource. ``things``: ids, the oldest first, with their place in that order."""

    things: dict[str, int] = field(default_factory=dict)
    links: dict[Place, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


class Store:
    """An SQLite database, or memory where no file is given: then ids last as long as the process.

    Raises sqlite3.Error where the file cannot be used. Calls block; make them outside of the event loop.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        if file is not None:
            file.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_TABLES)

    def read(self, resource: str) -> Remembered:
        with self._lock:
            things = self._database.execute("SELECT id, seq FROM thing WHERE resource = ? ORDER BY seq", (resource,))
            found = Remembered(dict(things.fetchall()))
            links = self._database.execute("SELECT source, local, id FROM link WHERE resource = ?", (resource,))
            found.links = {(source, local): id for source, local, id in links}
            aliases = self._database.execute("SELECT old, id FROM alias WHERE resource = ?", (resource,))
            found.aliases = dict(aliases.fetchall())
        return found

    def write(
        self, resource: str, things: Iterable[str], links: Mapping[Place, str], aliases: Mapping[str, str] | None
    ) -> None:
        """Add things (in order) and links; ``aliases`` replace all that were, None leaves them."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT OR IGNORE INTO thing (resource, id) VALUES (?, ?)", [(resource, id) for id in things]
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?)",
                [(resource, source, local, id) for (source, local), id in links.items()],
            )
            if aliases is not None:
                self._database.execute("DELETE FROM alias WHERE resource = ?", (resource,))
                self._database.executemany(
                    "INSERT INTO alias VALUES (?, ?, ?)", [(resource, old, id) for old, id in aliases.items()]
                )

    def close(self) -> None:
        self._database.close()
