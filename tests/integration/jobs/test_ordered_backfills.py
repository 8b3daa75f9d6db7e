"""A backfill that was ordered is carried out by whoever has its lease, and stops when it is not wanted any more."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.connectors.model import CallFailed, Failure, Page, RecordSystem
from mdm.db.transaction import run
from mdm.delivery import standings_store
from mdm.delivery.connect import open_records
from mdm.delivery.model import Declaration
from mdm.errors import BackfillUnknown, InputInvalid
from mdm.hub import Hub
from mdm.jobs.backfill import apply_backfill, plan_backfill
from mdm.jobs.ordered_backfills import carry_out_ordered
from mdm.jobs.service import deliver
from mdm.reconciliation import backfills
from mdm.reconciliation.backfills import ATTEMPTS_MAX, LEASE
from mdm.reconciliation.model import Aim, Progress, Report
from tests.erp import LOOPBACK, Clock, books
from tests.hubs import assert_sound, delivery, golden_by_key, hub_state, register_instances
from tests.integration.jobs.test_backfill import MATCHED, Listed, widget
from tests.targets import declare

pytestmark = pytest.mark.db

ROOT = Path(__file__).parents[3]
LATER = LEASE + timedelta(seconds=1)
# The fourth commit is that of the first page's progress: the job was taken up, the declaration read, the rate asked.
KILLED = """
import sys
from mdm.failpoints import arm_from_text
from mdm.hub import open_hub
from mdm.jobs.ordered_backfills import carry_out_ordered
from mdm.settings import Settings
with open_hub(Settings(), sys.argv[1]) as hub:
    arm_from_text("transaction.committed=kill:4")
    carry_out_ordered(hub)
"""
UNREAD = (
    "erp cannot be read: 503 Service Unavailable; look whether it runs and takes the hub's credentials, then try again"
)


@dataclass
class Paged(Listed):
    """A shelf that gives two records a page, and lets something happen before the page that begins at a record."""

    before: dict[int, Callable[[], None]] = field(default_factory=dict)
    pages: int = 0

    def changed(self, object_: str, *, after: str, limit: int) -> Page:
        self.pages += 1
        if object_ == "Widget" and int(after or 0) in self.before:
            self.before.pop(int(after or 0))()
        return super().changed(object_, after=after, limit=min(2, limit))

    @contextmanager
    def opening(self, _hub: Hub, _declaration: Declaration) -> Iterator[RecordSystem]:
        yield self


@contextmanager
def opening_here(hub: Hub, declaration: Declaration) -> Iterator[RecordSystem]:
    """Open a target on this machine, which nobody's settings allow."""
    settings = hub.settings.model_copy(update={"outgoing_networks": LOOPBACK})
    with open_records(replace(hub, settings=settings), declaration) as system:
        yield system


@pytest.fixture
def shelf(hub: Hub, tmp_path: Path) -> Paged:
    """Give a target, not matched yet, that holds five widgets of which the hub knows one by its batch."""
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declare(hub, tmp_path, MATCHED, is_matched=False)
    known = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], batch=f"b{n}") for n in (1, 9)]
    deliver(hub, known, who="t")
    return Paged(present=[widget(f"n{n}", batch=f"b{n}", title=f"Title of {n}") for n in range(1, 6)])


def order(hub: Hub, aim: Aim = "planned", who: str = "mara") -> Report:
    return run(hub.engine, partial(backfills.order, target_id="erp", aim=aim, who=who))


def cancel(hub: Hub) -> Report:
    return run(hub.engine, partial(backfills.cancel, target_id="erp", who="sam"))


def newest(hub: Hub) -> Report:
    return run(hub.engine, partial(backfills.require_newest, target_id="erp"))


def standing(hub: Hub) -> str:
    found = run(hub.engine, partial(standings_store.select_standing, target_id="erp"))
    return found.state if found is not None else ""


def test_an_ordered_plan_and_its_application_come_to_what_waiting_comes_to(hub: Hub, shelf: Paged) -> None:
    waited = plan_backfill(hub, "erp", shelf, who="t")

    ordered = order(hub)
    assert (ordered.state, ordered.aim, ordered.who) == ("ordered", "planned", "mara")
    assert carry_out_ordered(hub, opening=shelf.opening) == 1
    planned = newest(hub)
    order(hub, "applied")
    assert standing(hub) == "backfill"
    assert carry_out_ordered(hub, opening=shelf.opening) == 1
    applied = newest(hub)

    assert (planned.id, planned.state, planned.reason) == (ordered.id, "planned", "")
    assert (applied.state, standing(hub)) == ("applied", "running")
    assert applied.counts == planned.counts == waited.counts
    assert planned.counts["widget_hold"]["match_key"] == 1
    assert planned.examples["widget_hold"]["match_key"] == waited.examples["widget_hold"]["match_key"]
    assert planned.progress == Progress("gizmo", 0, 2, 2)
    keys = golden_by_key(hub)
    assert keys["erp-us/Widget:n1"] == keys["crm-us/Account:1"]
    assert carry_out_ordered(hub, opening=shelf.opening) == 0
    assert_sound(hub)


def test_nothing_is_ordered_to_be_applied_that_was_not_planned_as_it_is_declared(
    hub: Hub, shelf: Paged, tmp_path: Path
) -> None:
    with pytest.raises(InputInvalid, match="there is no plan"):
        order(hub, "applied")
    plan_backfill(hub, "erp", shelf, who="t")
    order(hub, "applied")
    declare(hub, tmp_path, MATCHED.replace("creates: true", "creates: false"), is_matched=False)

    carry_out_ordered(hub, opening=shelf.opening)

    assert (newest(hub).state, standing(hub)) == ("failed", "backfill")
    assert "declared otherwise" in newest(hub).reason


def test_while_it_is_read_it_says_how_far_it_is(hub: Hub, shelf: Paged) -> None:
    told: list[Report] = []
    shelf.before[4] = lambda: told.append(newest(hub))
    order(hub)

    carry_out_ordered(hub, opening=shelf.opening)

    assert [(one.state, one.progress) for one in told] == [("reading", Progress("widget_hold", 4, 1, 2))]


def test_a_second_order_gives_the_one_that_is_under_way(hub: Hub, shelf: Paged) -> None:
    plan_backfill(hub, "erp", shelf, who="t")
    first = order(hub)
    seen: list[str] = []
    shelf.before[2] = lambda: seen.append(order(hub, "applied").id)

    assert order(hub, "applied", who="sam") == first
    carry_out_ordered(hub, opening=shelf.opening)

    assert seen == [first.id]
    assert order(hub, "applied").id != first.id


def test_of_several_workers_one_carries_it_out(hub: Hub, shelf: Paged) -> None:
    found: list[int] = []
    shelf.before[2] = lambda: found.append(carry_out_ordered(hub, opening=shelf.opening))
    order(hub)

    assert carry_out_ordered(hub, opening=shelf.opening) == 1
    assert found == [0]
    assert newest(hub).attempt == 1


@pytest.mark.parametrize("aim", ["planned", "applied"])
def test_another_worker_takes_over_and_the_late_one_writes_nothing(hub: Hub, shelf: Paged, aim: Aim) -> None:
    """The first one stands still while it reads: its lease runs out, another one does the whole, then it wakes up."""
    plan = plan_backfill(hub, "erp", shelf, who="t")
    now, told = Clock(), []

    def stand_still() -> None:
        now.forward(seconds=LATER.total_seconds())
        assert carry_out_ordered(hub, opening=shelf.opening, now=now) == 1
        told.append((newest(hub), hub_state(hub)))
        shelf.pages = 0

    shelf.before[2] = stand_still
    order(hub, aim)
    carry_out_ordered(hub, opening=shelf.opening, now=now)

    ((by_the_other, state),) = told
    assert (by_the_other.state, by_the_other.attempt) == (aim, 2)
    assert (newest(hub), hub_state(hub)) == (by_the_other, state)
    assert shelf.pages == 0, "the late one read on"
    found = by_the_other.counts["widget_hold"]
    # What the first one had applied is known to the second one, which begins anew.
    done = {"known": 2, "unknown": 3} if aim == "applied" else {"match_key": 1, "unknown": 4}
    assert {name: found[name] for name in done} == done
    assert sum(plan.counts["widget_hold"][name] for name in ("match_key", "unknown")) == sum(done.values())
    assert_sound(hub)


def test_a_lease_that_ran_out_is_lost_also_while_nobody_took_over(hub: Hub, shelf: Paged) -> None:
    now = Clock()
    shelf.before[2] = partial(now.forward, seconds=LATER.total_seconds())
    order(hub)

    carry_out_ordered(hub, opening=shelf.opening, now=now)

    left = newest(hub)
    assert (left.state, left.counts, left.progress) == ("reading", {}, Progress("widget_hold", 2, 1, 2))
    assert carry_out_ordered(hub, opening=shelf.opening, now=now) == 1
    assert (newest(hub).state, newest(hub).attempt) == ("planned", 2)


def test_a_worker_that_is_late_with_its_last_step_keeps_nothing(hub: Hub, shelf: Paged) -> None:
    """All is read and looked at; then the lease runs out before the report is kept."""
    now, states = Clock(), []
    order(hub)
    forward = partial(now.forward, seconds=LATER.total_seconds())

    @contextmanager
    def closing_late(_hub: Hub, _declaration: Declaration) -> Iterator[RecordSystem]:
        yield shelf
        forward()

    carry_out_ordered(hub, opening=closing_late, now=now)
    states.append(newest(hub).state)
    carry_out_ordered(hub, opening=shelf.opening, now=now)

    assert [*states, newest(hub).state] == ["reading", "planned"]


def test_the_job_of_a_worker_that_was_killed_is_carried_out_by_another(
    hub: Hub, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is a process of its own, killed as it had said how far it is."""
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "hub-key")
    monkeypatch.setenv("MDM_OUTGOING_NETWORKS", "127.0.0.0/8")
    with books(hub, tmp_path, is_matched=False) as erp:
        erp.fake.enter("customer", {"companyName": "Brightwater", "currency": "EUR"}, by="anna")
        run(hub.engine, partial(backfills.order, target_id="netsuite", aim="planned", who="mara"))

        killed = subprocess.run([sys.executable, "-c", KILLED, database_url], cwd=ROOT, check=False, timeout=120)
        left = run(hub.engine, partial(backfills.require_newest, target_id="netsuite"))
        at_once = carry_out_ordered(hub, opening=opening_here)
        now = Clock(ahead=LATER)
        later = carry_out_ordered(hub, opening=opening_here, now=now)

    done = run(hub.engine, partial(backfills.require_newest, target_id="netsuite"))
    assert killed.returncode == -signal.SIGKILL
    assert (left.state, left.attempt, left.progress) == ("reading", 1, Progress("customer", 1, 1, 2))
    assert (at_once, later) == (0, 1)
    assert (done.state, done.attempt, done.counts["customer"]["unknown"]) == ("planned", 2, 1)


def test_what_ends_every_worker_is_given_up(hub: Hub, shelf: Paged) -> None:
    now = Clock()
    order(hub)
    for _ in range(ATTEMPTS_MAX):
        assert run(hub.engine, partial(backfills.take_up, now=now)) is not None
        now.forward(seconds=LATER.total_seconds())

    assert carry_out_ordered(hub, opening=shelf.opening, now=now) == 0

    assert (newest(hub).state, newest(hub).reason) == ("failed", "5 workers began it, and none came to its end")
    assert shelf.pages == 0
    assert order(hub).state == "ordered"


def test_what_is_cancelled_stops_at_the_next_page_and_is_ordered_again(hub: Hub, shelf: Paged) -> None:
    plan_backfill(hub, "erp", shelf, who="t")
    shelf.pages = 0

    def stop() -> None:
        cancel(hub)

    shelf.before[2] = stop
    order(hub, "applied")

    carry_out_ordered(hub, opening=shelf.opening)

    cancelled = newest(hub)
    assert (cancelled.state, cancelled.reason, cancelled.counts) == ("cancelled", "sam", {})
    assert (shelf.pages, standing(hub)) == (2, "backfill")
    assert {key for key in golden_by_key(hub) if key.startswith("erp-us")} == {"erp-us/Widget:n1", "erp-us/Widget:n2"}
    order(hub, "applied")
    carry_out_ordered(hub, opening=shelf.opening)
    assert (newest(hub).state, standing(hub)) == ("applied", "running")
    assert newest(hub).counts["widget_hold"]["known"] == 2
    assert_sound(hub)


def test_what_waits_is_cancelled_before_anybody_begins_it(hub: Hub, shelf: Paged) -> None:
    with pytest.raises(BackfillUnknown):
        cancel(hub)
    order(hub)

    assert cancel(hub).state == "cancelled"
    assert carry_out_ordered(hub, opening=shelf.opening) == 0
    assert cancel(hub).state == "cancelled"


def test_a_target_that_cannot_be_read_fails_the_job_in_words(hub: Hub, shelf: Paged) -> None:
    def fail() -> None:
        raise CallFailed(Failure("unavailable", "503 Service Unavailable"))

    shelf.before[2] = fail
    order(hub)

    carry_out_ordered(hub, opening=shelf.opening)

    failed = newest(hub)
    assert (failed.state, failed.reason) == ("failed", UNREAD)
    assert failed.counts["widget_hold"]["match_key"] == 1
    assert carry_out_ordered(hub, opening=shelf.opening) == 0


def test_a_fault_of_the_hub_fails_the_job_and_reaches_the_log(hub: Hub, shelf: Paged) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    shelf.before[2] = fail
    order(hub)

    with pytest.raises(ZeroDivisionError):
        carry_out_ordered(hub, opening=shelf.opening)

    assert newest(hub).reason == "the hub ran into an error of its own (ZeroDivisionError), which its log tells whole"


def test_a_target_whose_secret_is_not_set_fails_the_job_in_words(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    monkeypatch.delenv("MDM_SECRET_ERP", raising=False)
    declare(hub, tmp_path, MATCHED.replace(":1'}", ":1', secret: MDM_SECRET_ERP}"), is_matched=False)
    order(hub)

    carry_out_ordered(hub)

    assert newest(hub).state == "failed"
    assert "MDM_SECRET_ERP" in newest(hub).reason


def test_a_call_that_waits_says_why_it_failed_and_is_no_job(hub: Hub, shelf: Paged) -> None:
    def fail() -> None:
        raise CallFailed(Failure("unavailable", "503 Service Unavailable"))

    plan_backfill(hub, "erp", shelf, who="t")
    shelf.before[0] = fail
    with pytest.raises(Exception, match="503"):
        apply_backfill(hub, "erp", shelf, who="t")

    assert (newest(hub).state, newest(hub).aim) == ("failed", None)
    assert newest(hub).reason == UNREAD
    assert carry_out_ordered(hub, opening=shelf.opening) == 0


def test_of_jobs_that_are_under_way_the_state_and_the_age_are_told(hub: Hub, shelf: Paged) -> None:
    assert run(hub.engine, backfills.readings_of_backfills) == ()
    order(hub)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE target_report SET recorded_at = recorded_at - interval '1 hour'"))

    (told,) = run(hub.engine, backfills.readings_of_backfills)

    assert (told.target, told.state) == ("erp", "ordered")
    assert told.age_s == pytest.approx(3_600, abs=60)
    carry_out_ordered(hub, opening=shelf.opening)
    assert run(hub.engine, backfills.readings_of_backfills) == ()


def test_a_report_is_read_by_its_id_at_its_own_target(hub: Hub, shelf: Paged) -> None:
    ordered = order(hub)

    assert run(hub.engine, partial(backfills.one, target_id="erp", report_id=ordered.id)) == ordered
    with pytest.raises(BackfillUnknown):
        run(hub.engine, partial(backfills.one, target_id="erp", report_id="trp_other"))
    assert shelf.pages == 0
