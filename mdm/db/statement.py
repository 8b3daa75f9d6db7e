"""SQL texts, each prepared once in a process.

Reading a text anew for its parameters costs 45 µs at every call, and compiling it for the dialect 30 µs more, of the
110 µs of processor time that a small statement takes then (November 2026; the driver alone needs 41): a delivery of one
record needs some thirty statements.
"""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, TextClause

_STATEMENTS_MAX: Final = 2_000
"""Texts that are kept (chosen: several times what the stores hold; a search has one for each count of words)."""


@lru_cache(maxsize=_STATEMENTS_MAX)
def text(sql: str) -> TextClause:
    """Give the statement of a text with named parameters; one that was asked for before is the same value."""
    return _Statement(sql)


class _Statement(TextClause):
    """A text whose words for the driver are found once: its values need no processing, and its rows none."""

    inherit_cache = True
    _words: str | None = None

    def _execute_on_connection(
        self, connection: Connection, distilled_params: Any, execution_options: Any
    ) -> CursorResult[Any]:
        """Answer `connection.execute(statement, parameters)`."""
        if self._words is None:
            self._words = str(self.compile(dialect=connection.dialect))
        return connection.exec_driver_sql(self._words, distilled_params or None, execution_options)
