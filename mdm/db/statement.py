"""SQL texts, each prepared once in a process, and rows whose columns are read by name at no cost.

Reading a text anew for its parameters costs 45 µs at every call, and compiling it for the dialect 30 µs more, of the
110 µs of processor time that a small statement takes then (November 2026; the driver alone needs 41): a delivery of one
record needs some forty statements. A column of SQLAlchemy's row takes .9 µs by its name, one of a named tuple .04:
the seventeen columns of each decision were a twentieth of an unmerge. What SQLAlchemy works out of every answer anew,
so that its rows can be read in many ways, was a fifth of a delivery.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, LiteralString, cast

import psycopg
from sqlalchemy import Connection, CursorResult, TextClause
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

_STATEMENTS_MAX: Final = 2_000
"""Texts that are kept (chosen: several times what the stores hold; a search has one for each count of words)."""


@lru_cache(maxsize=_STATEMENTS_MAX)
def text(sql: str) -> TextClause:
    """Give the statement of a text with named parameters; one that was asked for before is the same value."""
    return _Statement(sql)


class _Rows:
    """What a statement found: rows as named tuples, all in memory, read by the words of SQLAlchemy's results."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor.fetchall())

    def all(self) -> list[Any]:
        return self._cursor.fetchall()

    def one(self) -> Any:
        return _the_one(self._cursor.fetchall())

    def one_or_none(self) -> Any:
        rows = self._cursor.fetchall()
        return _the_one(rows) if rows else None

    def first(self) -> Any:
        return self._cursor.fetchone()

    def scalars(self) -> "_Scalars":
        return _Scalars(row[0] for row in self._cursor.fetchall())

    def scalar(self) -> Any:
        row = self._cursor.fetchone()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        row = self.one_or_none()
        return None if row is None else row[0]


class _Scalars(list[Any]):
    """The first column of what was found."""

    def all(self) -> list[Any]:
        return self


def _the_one(rows: Sequence[Any]) -> Any:
    if len(rows) == 1:
        return rows[0]
    raise MultipleResultsFound("one row was asked for") if rows else NoResultFound("one row was asked for")


def _named(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
    """Give what makes a row of this cursor's; psycopg asks for each answer once."""
    found = cursor.pgresult
    return _shape(tuple(found.fname(place) for place in range(found.nfields))) if found is not None else tuple


@lru_cache(maxsize=_STATEMENTS_MAX)
def _shape(names: tuple[bytes, ...]) -> Callable[[Iterable[Any]], Any]:
    """Give what makes named tuples of rows; a column without a name that Python takes is read by its place."""
    named: Callable[..., Any] = namedtuple  # noqa: PYI024 -- the names are known when it runs
    words = [name.decode() for name in names]
    return cast("Callable[[Iterable[Any]], Any]", named("Row", words, rename=True)._make)


class _Statement(TextClause):
    """A text whose words for the driver are found once, and which goes to the driver as it is.

    Many rows of parameters, options of execution and whoever listens to statements take the way of SQLAlchemy.
    """

    inherit_cache = True
    _words: str | None = None

    def _execute_on_connection(
        self, connection: Connection, distilled_params: Any, execution_options: Any
    ) -> CursorResult[Any]:
        """Answer `connection.execute(statement, parameters)`."""
        if self._words is None:
            self._words = str(self.compile(dialect=connection.dialect))
        is_watched = connection._has_events or connection.engine._has_events  # noqa: SLF001 -- as SQLAlchemy asks it
        is_streamed = connection.get_execution_options().get("stream_results")
        if is_watched or is_streamed or execution_options or len(distilled_params) > 1:
            return connection.exec_driver_sql(self._words, distilled_params or None, execution_options)
        return cast("CursorResult[Any]", self._sent(connection, distilled_params[0] if distilled_params else {}))

    def _sent(self, connection: Connection, parameters: Mapping[str, Any]) -> _Rows:
        if not connection.in_transaction():
            connection.begin()
        driver_connection = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        cursor = driver_connection.cursor(row_factory=_named)
        try:
            cursor.execute(cast("LiteralString", self._words), parameters)
        except psycopg.Error as error:
            # Makes SQLAlchemy's error of it, and gives up a connection that has ended.
            tell = connection._handle_dbapi_exception  # noqa: SLF001 -- no public way does both
            tell(error, self._words, dict(parameters), None, None)
        return _Rows(cursor)
