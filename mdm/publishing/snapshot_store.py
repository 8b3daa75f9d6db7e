"""SQL of snapshots: all golden records of an entity type and their keys, or those that changed, read in batches."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.statement import text

BATCH_ROWS: Final = 10_000  # chosen: rows that are held at once, some 50 MB; also the size of a row group

# What has an event after a position of the feed, among what the snapshot of this transaction sees.
_CHANGED: Final = (
    "SELECT e.golden_id FROM event e WHERE (e.xid, e.id) > (CAST(CAST(:xid AS text) AS xid8), :id)"
    " AND e.golden_id IS NOT NULL AND e.entity_type = :type"
)


def select_golden_records(
    connection: Connection, entity_type: str, *, after: tuple[int, int] | None
) -> Iterator[Sequence[Row[Any]]]:
    """Give batches of golden records by id, each with its newest version that is not held; ended ones have no values.

    after  a position of the feed: only those that changed since
    """
    return _batches(
        connection,
        "SELECT g.id, g.state, g.forward_to, v.version, v.recorded_from, v.completeness,"
        " CASE WHEN g.state = 'active' THEN v.values ELSE '{}' END AS shown"
        " FROM golden_record g CROSS JOIN LATERAL (SELECT * FROM golden_version o WHERE o.golden_id = g.id"
        "  AND o.held = '[]' ORDER BY o.version DESC LIMIT 1) AS v WHERE g.entity_type = :type",
        f" AND g.id IN ({_CHANGED})",
        ' ORDER BY g.id COLLATE "C"',
        {"type": entity_type},
        after,
    )


def select_keys(
    connection: Connection, entity_type: str, *, after: tuple[int, int] | None
) -> Iterator[Sequence[Row[Any]]]:
    """Give batches of source keys in their order, with the golden record they belong to or belonged to last.

    after  a position of the feed: only those of golden records that changed since
    """
    return _batches(
        connection,
        "SELECT r.instance_id, r.object, r.scope, r.native_id, r.golden_id,"
        " r.state = 'active' AND r.ended_because IS NULL AS is_live"
        " FROM source_record r WHERE r.entity_type = :type AND r.golden_id IS NOT NULL",
        f" AND r.golden_id IN ({_CHANGED})",
        ' ORDER BY r.instance_id COLLATE "C", r.object COLLATE "C", r.scope COLLATE "C", r.native_id COLLATE "C"',
        {"type": entity_type},
        after,
    )


def has_changed(connection: Connection, entity_type: str, *, after: tuple[int, int]) -> bool:
    """Tell whether any golden record has changed since a position of the feed."""
    found = connection.execute(
        text(f"SELECT EXISTS ({_CHANGED})"), {"type": entity_type, "xid": str(after[0]), "id": after[1]}
    )
    return bool(found.scalar_one())


def select_settled_position(connection: Connection) -> tuple[int, int]:
    """Give the position of the last event before which this transaction's snapshot sees everything."""
    last = connection.execute(
        text(
            "SELECT CAST(CAST(xid AS text) AS bigint) AS xid, id FROM event"
            " WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY event.xid DESC, event.id DESC LIMIT 1"
        )
    ).one_or_none()
    return (last.xid, last.id) if last is not None else (0, 0)


def allow_long(connection: Connection) -> None:
    """Let this transaction sort a whole entity type, and wait for a slow store between two batches."""
    for setting, longest in (("statement_timeout", "1h"), ("idle_in_transaction_session_timeout", "10min")):
        connection.execute(
            text("SELECT set_config(:setting, :longest, true)"), {"setting": setting, "longest": longest}
        )


def hold_place(connection: Connection, name: str) -> bool:
    """Hold a place of files for this transaction; False while another one does."""
    held = connection.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtext('snapshot'), hashtext(:name))"), {"name": name}
    )
    return bool(held.scalar_one())


def _batches(
    connection: Connection, head: str, changed: str, order: str, bound: dict[str, Any], after: tuple[int, int] | None
) -> Iterator[Sequence[Row[Any]]]:
    if after is not None:
        bound = {**bound, "xid": str(after[0]), "id": after[1]}
    # A server-side cursor: the driver would otherwise hold all rows before it gives the first.
    streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
    yield from streaming.execute(text(head + (changed if after else "") + order), bound).partitions(BATCH_ROWS)
