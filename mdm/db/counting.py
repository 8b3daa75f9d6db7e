"""Counting without reading every row: what ANALYZE counted in a sample, for tables too large to count for a page.

An estimate is the share of a combination of values in the sample times the rows of the table. Combinations that are
rarer than one in a few thousand may be missing from it.
"""

from typing import Any, Final

from sqlalchemy import Connection

from mdm.db.statement import text

EXACT_ROWS_MAX: Final = 40_000  # chosen: counting so many rows by a few columns takes 10 to 20 ms


def estimated_counts(connection: Connection, table: str, statistics: str) -> dict[tuple[str, ...], int] | None:
    """Estimate how many rows have each combination of the columns of an extended statistic, in the table's order.

    None when the table is small enough to be counted, or was not analysed yet.
    """
    row = connection.execute(
        text(
            "SELECT c.reltuples, s.most_common_vals, s.most_common_freqs FROM pg_class c"
            " LEFT JOIN pg_stats_ext s ON s.schemaname = current_schema() AND s.tablename = c.relname"
            " AND s.statistics_name = :statistics"
            " WHERE c.relname = :table AND c.relnamespace = CAST(current_schema() AS regnamespace)"
        ),
        {"table": table, "statistics": statistics},
    ).one()
    if row.reltuples <= EXACT_ROWS_MAX or row.most_common_vals is None:
        return None
    shares: list[tuple[Any, float]] = list(zip(row.most_common_vals, row.most_common_freqs, strict=True))
    return {tuple(values): round(share * row.reltuples) for values, share in shares}
