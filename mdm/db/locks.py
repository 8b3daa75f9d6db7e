"""Locks of the transaction on things that may not exist yet, always taken in sorted order.

Two writers that could create the same thing first lock a 64-bit hash of what they would meet at. Within one call the
keys are sorted, so that calls cannot wait for each other in a circle.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mdm.db.statement import text
from mdm.errors import LocksBusy

STATEMENT_TIMEOUT: Final = "57014"  # query_canceled: PostgreSQL, appendix A


def key_hash(*parts: str) -> int:
    """Hash the parts of a name to a signed 64-bit integer, equal on every machine."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def lock_keys(connection: Connection, keys: Iterable[int]) -> None:
    """Hold an exclusive advisory lock on each key until the transaction ends; raises LocksBusy."""
    with waiting():
        connection.execute(
            text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key"),
            {"keys": sorted(set(keys))},
        )


@contextmanager
def waiting() -> Iterator[None]:
    """Raise LocksBusy for a statement that does nothing but wait for locks, and waited too long.

    One statement waits for as many writers as it asks for locks. Whoever gives back what it holds lets them go on.
    """
    try:
        yield
    except DBAPIError as error:
        is_cancelled = getattr(error.orig, "sqlstate", None) == STATEMENT_TIMEOUT
        if is_cancelled and "user request" not in str(error.orig):  # what an operator cancels is not tried again
            raise LocksBusy from error
        raise
