"""A hub for tests: the real services on the worker's database, with the small entity types of tests/entities."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from mdm.db.transaction import transaction
from mdm.entities.model import EntityType
from mdm.entities.service import entity_types
from mdm.hub import Hub
from mdm.jobs.check import check
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WIDGETS = Path(__file__).parent / "entities"


@cache
def declared() -> Mapping[str, EntityType]:
    """Give the built-in entity types and the widgets."""
    return entity_types((WIDGETS,))


def hub_on(engine: Engine, **settings: Any) -> Hub:
    """Open the hub on a database that the migrations made."""
    return Hub(engine, declared(), Settings(**settings))


def register_instances(hub: Hub, *ids: str) -> None:
    """Register source instances, ranked in the order given."""
    for rank, instance_id in enumerate(ids, start=1):
        instance = SourceInstance(instance_id, instance_id.split("-")[0], instance_id.title(), rank)
        with transaction(hub.engine) as connection:
            register(connection, instance, who="test")


def delivery(key: str, entity_type: str, *, at: int | None = None, deleted: bool = False, **fields: Any) -> Delivery:
    """Make a delivery; `at` counts hours of the source's clock."""
    time = None if at is None else EPOCH + timedelta(hours=at)
    return Delivery(SourceKey.parse(key), entity_type, fields, time, deleted)


def golden_by_key(hub: Hub) -> dict[str, str]:
    """Give the golden id of every active record by its printed source key."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT instance_id, object, scope, native_id, golden_id FROM source_record WHERE state = 'active'")
        )
        return {str(SourceKey(*row[:4])): row.golden_id for row in rows}


def partition_of(hub: Hub) -> set[frozenset[str]]:
    """Give the partition of all active records by their printed source keys."""
    groups: dict[str, set[str]] = {}
    for key, golden_id in golden_by_key(hub).items():
        groups.setdefault(golden_id, set()).add(key)
    return {frozenset(group) for group in groups.values()}


def hub_state(hub: Hub) -> dict[str, Any]:
    """Give all that clients can see of identity and values now: ids, standings, members, values, children."""
    with hub.engine.connect() as connection:
        goldens = connection.execute(
            text(
                "SELECT g.id, g.state, g.forward_to, g.is_confirmed, g.is_acknowledged, v.values, v.lineage"
                " FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version"
            )
        )
        members = connection.execute(
            text(
                "SELECT r.id, m.golden_id FROM source_record r JOIN membership m ON m.record_id = r.id"
                " AND m.recorded_to IS NULL"
            )
        )
        return {row[0]: tuple(row)[1:] for row in (*goldens, *members)}


def let_others_end(engine: Engine) -> None:
    """Wait until no writer of another test's database holds the change feed back.

    What runs in any database of a server holds back the feed of all: transaction ids are the server's.
    """
    held_back = text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname <> current_database()"
        " AND CAST(CAST(a.backend_xid AS text) AS bigint) <="
        " (SELECT max(CAST(CAST(xid AS text) AS bigint)) FROM event))"
    )
    until = time.monotonic() + 60
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(held_back).scalar_one():
            assert time.monotonic() < until, "another test's transaction does not end"
            time.sleep(0.01)


def assert_sound(hub: Hub) -> None:
    """Run every invariant query of `mdm check`."""
    with hub.engine.connect() as connection:
        violations = check(connection, hub.declared)
    assert violations == (), violations


def row_marks(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table with the transaction that last wrote it."""
    with hub.engine.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                " AND tablename NOT IN ('alembic_version', 'rate_bucket')"
                " ORDER BY 1"
            )
        ).scalars()
        marks: dict[str, list[tuple[Any, ...]]] = {table: [] for table in tables}
        # One statement: a step of the state machine asks twice, and fifty round trips took a fifth of its time.
        asked = " UNION ALL ".join(f"SELECT '{table}', xmin::text, ctid::text FROM \"{table}\"" for table in marks)
        for table, *mark in connection.execute(text(f"{asked} ORDER BY 1, 3")):
            marks[table].append(tuple(mark))
        return marks


@contextmanager
def statements(hub: Hub) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(*said: object) -> None:
        sent.append(str(said[2]))

    event.listen(hub.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(hub.engine, "before_cursor_execute", note)
