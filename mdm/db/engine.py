"""The pool of connections: psycopg 3 under SQLAlchemy Core, bounded, checked before use, in UTC.

A server that ends a session closes its socket, which shows without a word to the server: such connections are replaced
unseen. A network that swallows what is sent shows nothing, so that connections are asked once they have been quiet.
Asking each time took a thirtieth of the time of a review card (November 2026).
"""

import select
import time
from functools import partial
from typing import Any, Final, cast

import orjson
import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from mdm.db.text_lists import write_text_lists_at_once

CONNECT_S_MAX = 5  # chosen: a server that takes longer is down for the one who waits
POOL_WAIT_S_MAX = 10.0  # chosen: longer than any transaction of an online call
IDLE_IN_TRANSACTION_S_MAX = 30  # a forgotten transaction holds back vacuum and the feed's horizon
STATEMENT_S_MAX = 30.0  # chosen: a chunk of a bulk job aims at 1 s
QUIET_S_MAX: Final = 30.0  # chosen: shorter than what firewalls forget a connection after

_USED_AT: Final = "used_at"


def open_engine(url: str, pool_size: int, *, statement_s_max: float = STATEMENT_S_MAX) -> Engine:
    """Open a pool of exactly `pool_size` connections; nothing connects before the first use.

    No overflow: overflow connections are closed on return, which halved throughput (SQLAlchemy 2.1, November 2026).
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S_MAX,
        connect_args=_session(statement_s_max),
        json_serializer=_json,
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "connect", lambda connection, _entry: write_text_lists_at_once(connection))
    event.listen(engine, "checkout", partial(_require_alive, engine.dialect))
    event.listen(engine, "checkin", _note_use)
    return engine


def conninfo(url: str, *, statement_s_max: float = STATEMENT_S_MAX) -> str:
    """Give the same connection in libpq's words, for psycopg's own pools."""
    parts = make_url(url)
    named = parts.translate_connect_args(username="user", database="dbname")
    return make_conninfo("", **{**named, **parts.query, **_session(statement_s_max)})


def _require_alive(
    dialect: Dialect, connection: psycopg.Connection[Any], entry: ConnectionPoolEntry, _taken: object
) -> None:
    """Let the pool replace its connections where this one has ended."""
    used_at = entry.info.get(_USED_AT)
    if used_at is None:
        return  # it was made just now
    if not _has_spoken(connection) and time.monotonic() - used_at < QUIET_S_MAX:
        return
    try:
        dialect.do_ping(cast("DBAPIConnection", connection))
    except psycopg.OperationalError as error:
        raise InvalidatePoolError from error


def _has_spoken(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the server sent something that nobody waited for, its farewell above all."""
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))


def _note_use(_connection: psycopg.Connection[Any] | None, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED_AT] = time.monotonic()


def _session(statement_s_max: float) -> dict[str, str | int]:
    settings = {
        "timezone": "UTC",
        "statement_timeout": f"{statement_s_max:.3f}s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_S_MAX}s",
    }
    return {
        "application_name": "mdm",
        "connect_timeout": CONNECT_S_MAX,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
