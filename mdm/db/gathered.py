"""Rows of several questions as one document, asked in one statement.

A statement costs a round trip and some 150 µs however little it reads; a page that asks a dozen of them waits longer
for those than for its rows. A store that gathers composes the texts of other stores, and each reads its own rows.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any


def listed(query: str) -> str:
    """Give the expression of all rows of a query as a JSON list, in the order of the query."""
    return f"(SELECT coalesce(json_agg(one), '[]') FROM ({query}) AS one)"  # noqa: S608 -- queries are constants of stores


def rows_of(
    told: Iterable[Mapping[str, Any]], *, instants: Iterable[str] = (), days: Iterable[str] = ()
) -> list[SimpleNamespace]:
    """Read a list of a document as rows; a document writes instants and days as texts, so those columns are named."""
    rows = [SimpleNamespace(**one) for one in told]
    for row in rows:
        columns = row.__dict__
        for name in instants:
            if columns[name] is not None:
                columns[name] = datetime.fromisoformat(columns[name])
        for name in days:
            if columns[name] is not None:
                columns[name] = date.fromisoformat(columns[name])
    return rows
