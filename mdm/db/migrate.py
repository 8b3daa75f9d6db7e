"""Bring the schema to the newest revision, the only way it comes to be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from mdm.db.transaction import translated
from mdm.errors import DatabaseUnavailable

REVISIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
# Any number that nothing else locks; these are the letters "mdm-hub".
ADVISORY_LOCK: Final = int.from_bytes(b"mdm-hub", "big")
# A migration that waits long for a table's lock holds up everybody who comes after it.
SESSION: Final = "-c lock_timeout=5s -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC"


def upgrade(url: str) -> None:
    """Run every revision that is missing; of several processes at once, one runs them and the others wait."""
    with translated(), connected(url) as guard:
        guard.execution_options(isolation_level="AUTOCOMMIT")
        if _is_newest(guard):
            return
        # The lock has a connection of its own, so that each revision has its own transaction; it may wait long.
        guard.execute(text("SET lock_timeout = 0"))
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        with connected(url) as connection:
            command.upgrade(configuration(connection), "head")


def current(url: str) -> str | None:
    """Give the revision of the schema; None when there is no schema yet."""
    with translated(), connected(url) as connection:
        return _revision(connection)


def is_current(url: str) -> bool:
    """Say whether the schema is at the newest revision; refuse one that only a newer hub knows."""
    with translated(), connected(url) as connection:
        return _is_newest(connection)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open one connection with the timeouts of a migration."""
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"options": SESSION, "application_name": "mdm-migrate"}
    )
    with engine.connect() as connection:
        yield connection


def configuration(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, made here because alembic.ini is for developers and is not installed."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(REVISIONS).replace("%", "%%"))
    return config


def _is_newest(connection: Connection) -> bool:
    revisions = ScriptDirectory.from_config(configuration())
    found = _revision(connection)
    if found and found not in {script.revision for script in revisions.walk_revisions()}:
        raise DatabaseUnavailable(
            f"the schema is at revision {found}, which this version of the hub does not know",
            remedy="run the newer version that made it, or give this one a database of its own",
        )
    return found == revisions.get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
