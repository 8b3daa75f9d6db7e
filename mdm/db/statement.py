"""SQL texts, each prepared once in a process, and rows whose columns are read by name at no cost.

Reading a text anew for its parameters costs 45 µs at every call, and compiling it for the dialect 30 µs more, of the
110 µs of processor time that a small statement takes then (November 2026; the driver alone needs 41): a delivery of one
record needs some thirty statements. A column of SQLAlchemy's row takes .9 µs by its name, one of a named tuple .04:
the seventeen columns of each decision were a twentieth of an unmerge.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Connection, CursorResult, TextClause

_STATEMENTS_MAX: Final = 2_000
"""Texts that are kept (chosen: several times what the stores hold; a search has one for each count of words)."""


@lru_cache(maxsize=_STATEMENTS_MAX)
def text(sql: str) -> TextClause:
    """Give the statement of a text with named parameters; one that was asked for before is the same value."""
    return _Statement(sql)


@lru_cache(maxsize=_STATEMENTS_MAX)
def _shape(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    """Give what makes named tuples of rows; a column without a name that Python takes is read by its place."""
    named: Callable[..., Any] = namedtuple  # noqa: PYI024 -- the names are known when it runs
    return cast("Callable[[Iterable[Any]], Any]", named("Row", names, rename=True)._make)


class _Rows:
    """A result of SQLAlchemy whose whole rows are named tuples; in all else it is that result.

    Going through it takes all rows at once, as the driver has them all: whoever streams asks for `partitions`.
    """

    def __init__(self, result: CursorResult[Any]) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def all(self) -> list[Any]:
        return list(map(_shape(tuple(self._result.keys())), self._result.all()))

    def one(self) -> Any:
        return _shape(tuple(self._result.keys()))(self._result.one())

    def one_or_none(self) -> Any:
        row = self._result.one_or_none()
        return None if row is None else _shape(tuple(self._result.keys()))(row)


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
        result = connection.exec_driver_sql(self._words, distilled_params or None, execution_options)
        return cast("CursorResult[Any]", _Rows(result))
