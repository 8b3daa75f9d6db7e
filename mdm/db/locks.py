"""Locks of the transaction on things that may not exist yet, always taken in sorted order.

Two writers that could create the same thing first lock a 64-bit hash of what they would meet at. Within one call the
keys are sorted, so that calls cannot wait for each other in a circle.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection

from mdm.db.statement import text


def key_hash(*parts: str) -> int:
    """Hash the parts of a name to a signed 64-bit integer, equal on every machine."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def lock_keys(connection: Connection, keys: Iterable[int]) -> None:
    """Hold an exclusive advisory lock on each key until the transaction ends."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"),
        {"keys": sorted(set(keys))},
    )
