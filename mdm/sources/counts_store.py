"""SQL of what the sources hold and when they last told something, one function a question."""

from datetime import datetime

from sqlalchemy import Connection

from mdm.db.counting import estimated_counts
from mdm.db.statement import text


def select_record_counts(connection: Connection) -> tuple[dict[tuple[str, str, str], int], bool]:
    """Count source records by (source, entity type, state); True where that is an estimate."""
    # The columns of the statistic stand in the order of the table.
    estimated = estimated_counts(connection, "source_record", "st_source_record_place")
    if estimated is not None:
        return {(source, entity_type, state): n for (entity_type, source, state), n in estimated.items()}, True
    rows = connection.execute(
        text("SELECT instance_id, entity_type, state, count(*) AS n FROM source_record GROUP BY 1, 2, 3")
    )
    return {(row.instance_id, row.entity_type, row.state): row.n for row in rows}, False


def select_last_arrivals(connection: Connection) -> dict[str, datetime]:
    """Find when each source last told something that the hub did not know: one look into an index for each."""
    rows = connection.execute(
        text(
            "SELECT i.id, (SELECT r.recorded_at FROM source_record r WHERE r.instance_id = i.id"
            " ORDER BY r.recorded_at DESC LIMIT 1) AS at FROM source_instance i"
        )
    )
    return {row.id: row.at for row in rows if row.at is not None}
