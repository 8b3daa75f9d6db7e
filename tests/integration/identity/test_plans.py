"""What every delivery and operation asks of golden records is answered by indexes, however many there are."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from mdm.db.engine import open_engine
from mdm.decisions.store import select_active_decisions, select_decisions_by, select_related
from mdm.identity.store import select_goldens_around
from mdm.ids import EventId, GoldenId, RecordId
from mdm.resolution.store import select_neighbours

pytestmark = pytest.mark.db


@pytest.fixture
def connection(fresh_database: str) -> Iterator[Connection]:
    """Give a connection to a database of the test's own: what ANALYZE counts outlives the rows, and a rollback."""
    engine = open_engine(fresh_database, 1)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_golden_records_around_records_are_found_without_reading_all(connection: Connection) -> None:
    """A condition joined by OR read all 100,000 golden records of a hub: 70 ms of every delivery and answer."""
    fill(connection, goldens_count=50_000)

    scans = scans_of(
        "golden_record", connection, lambda: select_goldens_around(connection, [RecordId("rec_1"), RecordId("rec_2")])
    )

    assert scans
    assert all(is_by_key(scan) for scan in scans), scans


def test_records_of_decisions_are_found_without_reading_all_while_many_are_made(connection: Connection) -> None:
    """The planner knew of few decisions and read all 200,000 records of a hub in their order: 50 ms of forty merges."""
    fill_records(connection, count=50_000)
    fill_decisions(connection, events=1)
    connection.exec_driver_sql("ANALYZE decision, identity_event")
    fill_decisions(connection, events=200)
    some = [RecordId(f"rec_{number:05}") for number in range(1, 160)]

    asked: tuple[Callable[[], object], ...] = (
        lambda: select_decisions_by(connection, EventId("evt_9")),
        lambda: select_active_decisions(connection, some),
        lambda: select_neighbours(connection, some),
        lambda: select_related(connection, [GoldenId("cus_1")]),
    )
    for ask in asked:
        scans = scans_of("source_record", connection, ask)
        assert scans
        assert all(is_by_key(scan) for scan in scans), scans


def scans_of(table: str, connection: Connection, ask: Callable[[], object]) -> list[dict[str, Any]]:
    """List the steps that read a table in the plan of what is asked."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def note(_connection: object, _cursor: object, statement: str, given: dict[str, Any], *_: object) -> None:
        sent.append((statement, given))

    event.listen(connection, "before_cursor_execute", note)
    ask()
    event.remove(connection, "before_cursor_execute", note)
    ((statement, given),) = sent
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", given).scalar_one()
    return [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == table]


def is_by_key(scan: dict[str, Any]) -> bool:
    """Tell whether a step looks up what it reads; of a bitmap, its parts name the condition."""
    return any(begun.get("Index Cond") for begun in (scan, *scan.get("Plans", ())))


def fill_records(connection: Connection, count: int) -> None:
    """Write source records, and let the planner know of them."""
    connection.execute(
        text(
            "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
            " VALUES ('crm', 'crm', 'CRM', 1, false, 'test')"
        )
    )
    connection.execute(
        text(
            "INSERT INTO source_record (id, entity_type, instance_id, object, scope, native_id, state, version,"
            " content_hash, recorded_at, who) SELECT 'rec_' || to_char(n, 'FM00000'), 'customer', 'crm', 'Account', '',"
            " n, 'active', 1, '', now(), 'test' FROM generate_series(1, :count) n"
        ),
        {"count": count},
    )
    connection.exec_driver_sql("ANALYZE source_record")


def fill_decisions(connection: Connection, events: int) -> None:
    """Write what many merges of forty pairs decide, 120 decisions each."""
    parameters = {"events": events}
    connection.execute(
        text(
            "INSERT INTO identity_event (id, entity_type, kind, cause, plan, recorded_at, who) SELECT 'evt_' || n,"
            " 'customer', 'merge', '{}', '{}', now(), 'test' FROM generate_series(1, :events) n ON CONFLICT DO NOTHING"
        ),
        parameters,
    )
    connection.execute(
        text(
            "INSERT INTO decision (id, entity_type, judgement, left_id, right_id, reason, recorded_at, who, event_id)"
            " SELECT 'dec_' || e || '_' || n, 'customer', 'same', 'rec_' || to_char(e * 120 + n, 'FM00000'),"
            " 'rec_' || to_char(e * 120 + n + 1, 'FM00000'), '', now(), 'test', 'evt_' || e"
            " FROM generate_series(1, :events) e, generate_series(1, 120) n ON CONFLICT DO NOTHING"
        ),
        parameters,
    )


def fill(connection: Connection, goldens_count: int) -> None:
    """Write golden records, a third of them forwarded, and let the planner know of them: of a few it reads all.

    It knows of the active ones before the others point at them: a session that checked such a key while the table was
    empty would read it whole for each.
    """
    for forwarded, state, forward_to in ((False, "'active'", "NULL"), (True, "'forwarded'", "'cus_' || n - 1")):
        connection.execute(
            text(
                "INSERT INTO golden_record (id, entity_type, state, forward_to, version, recorded_at, who)"
                f" SELECT 'cus_' || n, 'customer', {state}, {forward_to}, 1, now(), 'test'"
                " FROM generate_series(1, :count) n WHERE (n % 3 = 0) = :forwarded"
            ),
            {"count": goldens_count, "forwarded": forwarded},
        )
        connection.exec_driver_sql("ANALYZE golden_record")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
