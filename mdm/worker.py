"""The worker: small tasks without input, each repeated at its own pace, any number of processes side by side.

A task asks the database what is due and does a bounded part of it; when it did something it runs again at once.
Repeating one changes nothing, so a worker may be killed at any moment. SIGTERM ends it after the task at hand. A task
whose promise is a matter of seconds has a thread of its own, so that it never waits for a long one.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mdm.access.rates import forget_buckets
from mdm.access.replies import forget_replies
from mdm.access.sessions import forget_sign_ins
from mdm.activation.reservations import expire_due
from mdm.activation.steps import advance_due
from mdm.db.transaction import run
from mdm.delivery.freezing import thaw
from mdm.delivery.relays import keep_relays
from mdm.history.service import export_checkpoint, seal
from mdm.hub import Hub
from mdm.jobs.ordered_backfills import carry_out_ordered
from mdm.jobs.reconcile import reconcile_due
from mdm.jobs.rematch import rematch_some
from mdm.jobs.service import reevaluate_deferred, refresh_due
from mdm.jobs.source_events import follow_instances
from mdm.publishing.file_target import sync_all
from mdm.stewardship.find import gather_terms
from mdm.stewardship.queue_bands import carry_some
from mdm.stewardship.reviews import weigh_stale_reviews
from mdm.telemetry import logger


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do every so often; `act` returns how much there was to do.

    pause_s    how long it waits after a turn in which it did something
    is_alone   it has a thread of its own
    """

    name: str
    period_s: float
    act: Callable[[Hub], int]
    pause_s: float = 0.0
    is_alone: bool = False


def _sync_targets(hub: Hub) -> int:
    found = sync_all(hub.engine, hub.declared)
    for synced in found:
        if synced.failure:
            logger(__name__).warning("target not written", target=synced.target_id, reason=synced.failure)
    return sum(synced.acknowledged for synced in found)


def _forget_replies(hub: Hub) -> int:
    return run(hub.engine, forget_replies)


def _forget_sign_ins(hub: Hub) -> int:
    return run(hub.engine, forget_sign_ins)


def _forget_buckets(hub: Hub) -> int:
    return run(hub.engine, forget_buckets)


def _seal_audit(hub: Hub) -> int:
    return seal(hub.engine)


def _export_checkpoint(hub: Hub) -> int:
    return export_checkpoint(hub.engine, folder=hub.settings.checkpoint_folder, home=hub.settings.home)


TASKS: Final[Sequence[Task]] = (
    Task("refresh_due", 30.0, refresh_due),  # chosen: decay is counted in days
    Task("reevaluate_deferred", 10.0, reevaluate_deferred),  # chosen: such a record stands alone until then
    Task("rematch", 2.0, rematch_some),  # chosen: whoever activated rules watches it
    Task("follow_instances", 30.0, follow_instances),  # chosen: only what a kill left to do
    Task("advance_deals", 2.0, advance_due),  # chosen: whoever sold, mended or approved one looks at it
    Task("expire_reservations", 10.0, expire_due),  # chosen: whoever waits for one asks again after seconds
    Task("weigh_stale_reviews", 60.0, weigh_stale_reviews),  # chosen: what is at stake in a review changes slowly
    Task("gather_terms", 60.0, gather_terms),  # chosen: only what an earlier schema left to do
    Task("carry_bands", 2.0, carry_some),  # chosen: whoever accepted a band watches it
    Task("thaw", 10.0, thaw),  # chosen: whoever answered such a review looks whether it helped
    Task("sync_targets", 5.0, _sync_targets),  # chosen: files are read by jobs, not by people who wait
    # Chosen: a comparison is due by the hour; it has a thread of its own, since reading a target takes minutes.
    Task("reconcile", 60.0, reconcile_due, is_alone=True),
    # Chosen: whoever ordered one watches it; a thread of its own as above.
    Task("backfill", 2.0, carry_out_ordered, is_alone=True),
    Task("forget_replies", 3_600.0, _forget_replies),  # chosen: their promised life is a day
    Task("forget_sign_ins", 3_600.0, _forget_sign_ins),  # chosen: what it forgets lives for a day or longer
    Task("forget_buckets", 3_600.0, _forget_buckets),  # chosen: a row for each caller, kept for a day
    # An entry is sealed within two seconds; a pause after each turn, since under load there is always something.
    Task("seal_audit", 0.5, _seal_audit, pause_s=0.5, is_alone=True),
    # Chosen: what a checkpoint does not cover yet could be cut off unseen; a file of 300 bytes every five minutes.
    Task("export_checkpoint", 300.0, _export_checkpoint, pause_s=300.0),
)


def work(hub: Hub, stop: threading.Event, tasks: Sequence[Task] = TASKS) -> None:
    """Run the tasks at their pace, and the relays of all targets, until told to stop."""
    alone = [threading.Thread(target=_take_turns, args=(hub, stop, [task])) for task in tasks if task.is_alone]
    alone.append(threading.Thread(target=keep_relays, args=(hub, stop)))
    for thread in alone:
        thread.start()
    try:
        _take_turns(hub, stop, [task for task in tasks if not task.is_alone])
        stop.wait()
    finally:
        stop.set()
        for thread in alone:
            thread.join()


def _take_turns(hub: Hub, stop: threading.Event, tasks: Sequence[Task]) -> None:
    due_at = dict.fromkeys((task.name for task in tasks), 0.0)
    while tasks and not stop.is_set():
        for task in tasks:
            if time.monotonic() >= due_at[task.name] and not stop.is_set():
                done = run_once(hub, task)
                due_at[task.name] = time.monotonic() + (task.pause_s if done else task.period_s)
        stop.wait(max(0.0, min(due_at.values()) - time.monotonic()))


def run_once(hub: Hub, task: Task) -> int:
    """Run one task; a failure is logged and counts as nothing done, so that its next turn comes in due time."""
    try:
        done = task.act(hub)
    except Exception:  # noqa: BLE001 -- the edge of a task: one that fails must not end the others
        logger(__name__).exception("task failed", task=task.name)
        return 0
    if done:
        logger(__name__).info("task did something", task=task.name, count=done)
    return done
