"""What people see of a target over a day, and of a golden record: counted by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.connectors.model import Failure
from mdm.db.transaction import run
from mdm.delivery.lanes import settle
from mdm.delivery.model import Done, DueLane, StandingState
from mdm.delivery.orders import replay, target_line
from mdm.delivery.orders_model import Asked
from mdm.delivery.overview import KeptTargets, day_of, holding_of, knowledge_of
from mdm.delivery.targets import end_backfill, let_stand
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.telemetry import REGISTRY
from tests.hubs import delivery, golden_by_key
from tests.targets import Shelf, ready

pytestmark = pytest.mark.db

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)


def told(hub: Hub, *, queued_h: float, ended_h: float, outcome: str = "delivered") -> None:
    """Note an outcome: queued and ended so many hours before now."""
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO delivery_outcome (target_id, golden_id, version, outcome, attempts, reason, details,"
                " queued_at, recorded_at, who) VALUES ('erp', 'wid_x', 1, :outcome, 1, '', '{}', :queued, :ended, 't')"
            ),
            {
                "outcome": outcome,
                "queued": NOW - timedelta(hours=queued_h),
                "ended": NOW - timedelta(hours=ended_h),
            },
        )


def test_an_hour_counts_what_was_told_in_it_and_what_waited_as_it_ended(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    ready(hub, tmp_path, shelf)
    told(hub, queued_h=0.6, ended_h=0.5)  # told in the last hour, never waited over its end
    told(hub, queued_h=3.5, ended_h=1.5, outcome="no_change")  # waited as hours 20 and 21 ended
    told(hub, queued_h=30.0, ended_h=22.5, outcome="dead")  # waited as hour 0 ended, parked in hour 1
    told(hub, queued_h=5.1, ended_h=5.05, outcome="skipped")
    told(hub, queued_h=40.0, ended_h=25.0)  # before the day

    with hub.engine.connect() as connection:
        day = day_of(connection, ["erp"], now=NOW)["erp"]

    assert {place: hour.told for place, hour in enumerate(day.hours) if hour.told} == {22: 1, 23: 1}
    assert {place: hour.waiting for place, hour in enumerate(day.hours) if hour.waiting} == {0: 1, 20: 1, 21: 1}
    assert [place for place, hour in enumerate(day.hours) if hour.parked] == [1]
    assert [place for place, hour in enumerate(day.hours) if hour.left_out] == [18]
    assert (day.told, day.is_whole, len(day.hours)) == (2, True, 24)


def test_what_waits_now_waited_in_every_hour_since_it_was_queued(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET recorded_at = :at"), {"at": NOW - timedelta(hours=2.5)})
        day = day_of(connection, ["erp"], now=NOW)["erp"]
        connection.execute(text("UPDATE delivery_lane SET state = 'dead'"))
        parked = day_of(connection, ["erp"], now=NOW)["erp"]

    assert [place for place, hour in enumerate(day.hours) if hour.waiting] == [21, 22, 23]
    assert not any(hour.waiting for hour in parked.hours)


def test_a_golden_record_says_who_knows_which_version(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    golden_id = GoldenId(golden_by_key(hub)["crm-us/Account:1"])

    with hub.engine.connect() as connection:
        ((known, types),) = knowledge_of(connection, golden_id)
        holding = holding_of(connection, "erp")

    assert (known.title, known.acknowledged, known.head) == ("ERP", known.head, known.head)
    assert known.told_at is not None
    assert types == ("gizmo", "widget_hold")
    assert (holding.records, holding.frozen) == ({"active": 1}, 0)


def test_what_is_told_again_waits_since_then_only(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    """Else a replay of last month's messages would raise the alarm of a target that lags a month."""
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET recorded_at = now() - interval '30 days'"))

    since = Asked(since=datetime(2026, 1, 1, tzinfo=UTC))
    order = run(hub.engine, lambda c: replay(c, "erp", since, reason="a backup was restored there", who="t"))

    with hub.engine.connect() as connection:
        late_s = target_line(connection, "erp").oldest_s
    assert order.lanes == 1
    assert late_s is not None
    assert late_s < 60


def test_how_long_a_message_waited_is_measured_when_it_was_told(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    labels = {"target": "erp"}
    count = REGISTRY.get_sample_value("mdm_delivery_seconds_count", labels) or 0
    seconds = REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels) or 0
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET recorded_at = now() - interval '100 s'"))
        connection.execute(text("UPDATE target_standing SET since = now() - interval '200 s'"))

    relay.turn()

    assert REGISTRY.get_sample_value("mdm_delivery_seconds_count", labels) == count + 1
    after = REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels)
    assert after == pytest.approx(seconds + 100, abs=30)


def test_the_time_before_a_target_was_let_run_is_not_measured(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    """Else the alarm of a slow target rings after each long pause or backfill."""
    relay = ready(hub, tmp_path, shelf)
    labels = {"target": "erp"}
    count = REGISTRY.get_sample_value("mdm_delivery_seconds_count", labels) or 0
    seconds = REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels) or 0
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET recorded_at = now() - interval '2 days'"))
    run(hub.engine, lambda c: let_stand(c, "erp", "paused", reason="audit", who="mara"))
    run(hub.engine, lambda c: let_stand(c, "erp", "running", reason="done", who="mara"))

    relay.turn()

    assert REGISTRY.get_sample_value("mdm_delivery_seconds_count", labels) == count + 1
    assert REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels) == pytest.approx(seconds, abs=60)


@pytest.mark.parametrize("state", ["paused", "stopped", "disabled", "backfill"])
def test_a_target_that_is_not_told_is_not_late_and_what_waited_is_late_since_it_runs(
    hub: Hub, tmp_path: Path, shelf: Shelf, state: StandingState
) -> None:
    ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET recorded_at = now() - interval '2 days'"))
        connection.execute(text("UPDATE target_standing SET since = now() - interval '3 days'"))

    def late_s() -> float | None:
        return run(hub.engine, lambda connection: target_line(connection, "erp").oldest_s)

    assert late_s() == pytest.approx(2 * 86_400, abs=60)
    run(hub.engine, lambda c: let_stand(c, "erp", state, reason="audit", who="mara"))
    assert late_s() is None
    run(hub.engine, lambda c: end_backfill(c, "erp", who="mara"))
    assert late_s() == pytest.approx(0, abs=60)


def test_a_target_that_was_removed_meanwhile_is_settled_without_a_word(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    lane = DueLane("erp", GoldenId("wid_x"), 1, 0, 0, None, NOW, False, "token", NOW)
    with hub.engine.begin() as connection:
        connection.execute(text("DELETE FROM target"))
        settlements = [Done(lane, 1, "delivered")]
        silent = [Failure("unavailable", "no answer")]
        assert settle(connection, relay.declaration, settlements, failures=silent, answered=False) == frozenset()


def test_the_standing_of_targets_is_asked_once_in_a_while(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    ready(hub, tmp_path, shelf)
    kept = KeptTargets(seconds=60)

    with hub.engine.begin() as connection:
        before = kept.lines(connection)
        connection.execute(text("UPDATE target_standing SET state = 'paused'"))
        assert kept.lines(connection) is before
        kept.seconds = 0
        assert kept.lines(connection)[0].standing != before[0].standing
