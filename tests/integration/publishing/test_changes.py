"""The change feed loses nothing and shows the versions of a golden record in their order, however slow a writer is."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.errors import CursorFromElsewhere, CursorInvalid
from mdm.failpoints import armed
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.publishing.model import Event
from mdm.publishing.service import changes
from tests.hubs import assert_sound, delivery, golden_by_key, let_others_end

pytestmark = pytest.mark.db


def send(hub: Hub, key: str, **fields: Any) -> None:
    deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")


def read(hub: Hub, after: str | None = None, limit: int = 100) -> tuple[tuple[Event, ...], str]:
    let_others_end(hub.engine)
    return run(hub.engine, lambda connection: changes(connection, after=after, limit=limit))


@contextmanager
def slow(point: str, act: Callable[[], None]) -> Iterator[None]:
    """Run one writer in a thread that stands still at a failpoint for the length of the block, and then ends."""
    stands, goes_on = threading.Event(), threading.Event()

    def stand() -> None:
        if threading.current_thread() is not threading.main_thread():
            stands.set()
            assert goes_on.wait(20)

    with armed({point: stand}), ThreadPoolExecutor(1) as pool:
        writer = pool.submit(act)
        try:
            assert stands.wait(20)
            yield
        finally:
            goes_on.set()
        writer.result(20)


def test_each_golden_version_is_one_event_with_who_joined(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", codes=["x1"])
    send(hub, "crm-west/Account:2", codes=["x2"])
    send(hub, "crm-west/Account:2", codes=["x1", "x2"])

    events, _ = read(hub)

    survivor = golden_by_key(hub)["crm-east/Account:1"]
    assert [(one.kind.removeprefix("golden_record."), one.version) for one in events] == [
        ("created", 1),
        ("created", 1),
        ("changed", 2),
        ("forwarded", 2),
    ]
    assert events[2].golden_id == survivor
    assert len(events[2].details["joined"]) == 1
    assert events[3].details["forward_to"] == survivor
    assert events[3].details["left"] == events[2].details["joined"]


def test_a_cursor_goes_on_where_it_stopped_also_when_nothing_was_new(hub: Hub) -> None:
    for number in range(5):
        send(hub, f"crm-east/Account:{number}", name=f"n{number}")

    seen, cursor = [], None
    for _ in range(4):
        events, cursor = read(hub, cursor, limit=2)
        seen.append([one.version for one in events])
    assert [len(page) for page in seen] == [2, 2, 1, 0]

    send(hub, "crm-east/Account:9", name="n9")
    (new,), _ = read(hub, cursor)
    assert new.golden_id == golden_by_key(hub)["crm-east/Account:9"]


def test_nothing_behind_a_slow_writer_is_shown_before_it_ends_and_nothing_is_lost(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", name="n1")
    _, cursor = read(hub)

    with slow("publish.queued", lambda: send(hub, "crm-east/Account:2", name="n2")):
        send(hub, "crm-east/Account:3", name="n3")
        events, cursor = read(hub, cursor)
        assert events == ()

    events, _ = read(hub, cursor)
    golden = golden_by_key(hub)
    assert [one.golden_id for one in events] == [golden[f"crm-east/Account:{n}"] for n in (2, 3)]


def test_the_versions_of_a_golden_record_rise_although_an_earlier_transaction_wrote_the_later_one(hub: Hub) -> None:
    # The slow writer has its transaction id before the quick one, and takes the golden record's lock after it.
    send(hub, "crm-east/Account:1", name="n1", codes=["x1", "x2"])

    with slow("block.keyed", lambda: send(hub, "crm-east/Account:2", name="n2", codes=["x1"])):
        send(hub, "crm-east/Account:3", name="n3", codes=["x2"])

    golden_ids = set(golden_by_key(hub).values())
    assert len(golden_ids) == 1
    events, _ = read(hub)
    assert [one.version for one in events] == [1, 2, 3]
    paged, cursor = [], None
    for _ in range(3):
        (event,), cursor = read(hub, cursor, limit=1)
        paged.append(event)
    assert tuple(paged) == events
    assert_sound(hub)


def test_a_cursor_of_another_history_is_refused(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", name="n1")
    _, cursor = read(hub)
    parts = [int(part) for part in cursor.split(".")]

    for place in range(len(parts)):
        other = [part + 1 if number == place else part for number, part in enumerate(parts)]
        with pytest.raises(CursorFromElsewhere):
            read(hub, ".".join(map(str, other)))
    assert read(hub, cursor.rpartition(".")[0]) == ((), cursor), "one of before the instant was named"


@pytest.mark.parametrize("cursor", ["x", "1.2.3", "1.2.3.4.5.6", "1.2.-3.4", "1.2.3.", "1.2.3.٣", "1.2.3." + "9" * 30])
def test_what_is_no_cursor_is_refused(hub: Hub, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        read(hub, cursor)


def test_reading_the_feed_writes_nothing(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", name="n1")
    let_others_end(hub.engine)
    with hub.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        events, _ = changes(connection, after=None, limit=10)
    assert len(events) == 1
