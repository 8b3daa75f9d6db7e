"""SQL texts, each prepared once in a process, that speak with the driver itself.

A delivery of one record needs some thirty statements, and what stands between a store and the driver was more than half
of what each cost: 129 µs of processor time through SQLAlchemy's compiled statements, 57 µs so (November 2026). The rows
are SQLAlchemy's, and so are the errors. Whatever is out of the ordinary (no transaction yet, several rows of
parameters, options such as streaming, somebody who listens) goes SQLAlchemy's own way.
"""

from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, TextClause
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

_STATEMENTS_MAX: Final = 2_000
"""Texts that are kept (chosen: several times what the stores hold; a search has one for each count of words)."""
_PLAIN: Final = frozenset({"isolation_level", "postgresql_readonly"})
"""Options of a connection that change nothing in how a statement is sent."""


@lru_cache(maxsize=_STATEMENTS_MAX)
def text(sql: str) -> TextClause:
    """Give the statement of a text with named parameters; one that was asked for before is the same value."""
    return _Statement(sql)


class _Fetched(IteratorResult[Any]):
    """The rows of a statement, all of them read."""

    rowcount: int


class _Statement(TextClause):
    """A text whose words for the driver, and whose names of columns, are found once."""

    inherit_cache = True

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self._words: str | None = None
        self._columns: SimpleResultMetaData | None = None
        self._columns_count = 0

    def _execute_on_connection(self, connection: Connection, distilled_params: Any, execution_options: Any) -> Any:
        """Answer `connection.execute(statement, parameters)`."""
        if len(distilled_params) > 1 or execution_options or not _is_ordinary(connection):
            return super()._execute_on_connection(connection, distilled_params, execution_options)
        if self._words is None:
            self._words = str(self.compile(dialect=connection.dialect))
        parameters = distilled_params[0] if distilled_params else {}
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._words, parameters)
            rows = cursor.fetchall() if cursor.pgresult.nfields else ()
        except psycopg.Error as error:
            connection._handle_dbapi_exception(error, self._words, parameters, cursor, None)  # noqa: SLF001 -- errors as SQLAlchemy raises them, broken connections taken out of its pool
        fetched = _Fetched(self._columns_of(cursor.pgresult), iter(rows))
        fetched.rowcount = cursor.rowcount
        return fetched

    def _columns_of(self, found: Any) -> SimpleResultMetaData:
        if self._columns is None or self._columns_count != found.nfields:
            names = [found.fname(place).decode() for place in range(found.nfields)]
            self._columns, self._columns_count = SimpleResultMetaData(names), len(names)
        return self._columns


def _is_ordinary(connection: Connection) -> bool:
    """Tell whether nothing is asked of a statement here but to be sent: its transaction runs, and nobody listens."""
    return (
        connection.in_transaction()
        and not (connection._has_events or connection.engine._has_events)  # noqa: SLF001 -- no public word asks for it
        and connection.get_execution_options().keys() <= _PLAIN
        and not connection.in_nested_transaction()
    )
