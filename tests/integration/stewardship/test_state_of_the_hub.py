"""The first page's figures: counted by hand on a small hub, within somebody's limits, kept for a few seconds."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, text

from mdm import clock
from mdm.access.limits import Limits
from mdm.db.counting import EXACT_ROWS_MAX, estimated_counts
from mdm.db.transaction import run
from mdm.history.service import seal
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.publishing.file_target import add_target
from mdm.stewardship import reviews
from mdm.stewardship.state_of_the_hub import HubState, KeptFigures, RecordCount, state_of_the_hub
from tests.hubs import delivery
from tests.integration.stewardship.widgets import A, B, C, D, asked, delete, send, the_review

pytestmark = pytest.mark.db


def look(hub: Hub, who: str = "ann", limits: Limits | None = None, **more: object) -> HubState:
    return state_of_the_hub(hub, who, limits or Limits.none(hub.declared), **more)  # type: ignore[arg-type]


@pytest.fixture
def busy(hub: Hub) -> Hub:
    """Give a hub with three active widgets in two golden records, a deleted one, a question, two faulty gizmos."""
    send(hub, A, name="cog", codes="1")
    send(hub, B, name="cog", codes="1")
    send(hub, C, name="cog", codes="2")
    send(hub, D, name="rod", codes="3")
    delete(hub, D)
    deliver(
        hub,
        [delivery("crm-west/Gizmo:1", "gizmo", grade="a"), delivery("crm-west/Gizmo:2", "gizmo", grade="b")],
        who="test",
    )
    return hub


def test_records_golden_records_duplicates_and_exceptions_are_counted(busy: Hub) -> None:
    figures = look(busy).figures

    assert figures.records == (RecordCount("crm-east", "widget_hold", 3, 1, 0, is_estimate=False),)
    (golden,) = figures.golden
    # a and b are one, c stands alone: three records, two golden records, one duplicate found.
    assert (golden.entity_type, golden.records, golden.golden, golden.duplicates) == ("widget_hold", 3, 2, 1)
    assert not golden.is_estimate
    (reason,) = figures.exceptions
    assert (reason.code, reason.field, reason.source, reason.count) == ("name_missing", "name", "crm-west", 2)
    assert figures.exceptions_count == 2


def test_reviews_are_counted_by_kind_and_age_and_priced_by_the_real_median(busy: Hub) -> None:
    waiting = len(asked(busy))
    review = the_review(busy)
    before = look(busy).figures
    run(busy.engine, lambda c: reviews.claim(c, review.id, minutes=30, who="ann"))
    _answered(busy, review.id, seconds=90)
    figures = look(busy).figures

    assert (sum(one.count for one in before.reviews), before.queue_hours) == (waiting, None)
    assert {one.age for one in before.reviews} == {"day"}
    assert before.held_proposals == sum(one.count for one in before.reviews if one.kind in {"join", "split"})
    assert figures.queue_hours == pytest.approx(figures.reviews_open * 90 / 3600)


def test_what_waits_for_somebody_is_theirs_their_groups_and_what_others_want_approved(busy: Hub) -> None:
    review = the_review(busy)
    past, midnight = clock.now() - timedelta(hours=1), clock.end_of_day(clock.now().date())
    for assignee in ("ann", "group:emea"):
        for due, overdue, today in ((past, 1, 0), (midnight, 0, 1)):
            run(busy.engine, partial(_worked_on, review_id=review.id, assignee=assignee, due_at=due))

            ann, bob = look(busy, groups=["group:emea"]).waiting, look(busy, "bob").waiting

            assert (ann.assigned, ann.claimed, ann.overdue, ann.due_today, ann.to_approve) == (1, 1, overdue, today, 0)
            assert (bob.assigned, bob.claimed, bob.overdue, bob.due_today) == (0, 0, 0, 0)
    assert look(busy).waiting.assigned == 0
    _answered(busy, review.id, seconds=5, state="proposed")
    assert (look(busy, "bob").waiting.to_approve, look(busy, "ann").waiting.to_approve) == (1, 0)


def test_nobody_counts_what_they_may_not_see(busy: Hub) -> None:
    gizmos = look(busy, limits=Limits({"gizmo": None})).figures
    west = look(busy, limits=Limits({"widget_hold": frozenset({"crm-west"})})).figures
    east = look(busy, limits=Limits({"widget_hold": frozenset({"crm-east"})})).figures
    nothing = look(busy, limits=Limits({})).figures

    assert (gizmos.records, gizmos.golden, gizmos.reviews, gizmos.exceptions_count) == ((), (), (), 2)
    assert (west.records, west.reviews, west.exceptions_count) == ((), (), 0)
    assert [(one.records, one.golden, one.duplicates) for one in east.golden] == [(3, None, None)]
    assert east.reviews_open == len(asked(busy))
    assert (nothing.records, nothing.arrivals, nothing.reviews, nothing.exceptions) == ((), (), (), ())


def test_a_source_that_says_nothing_for_a_week_is_stale(busy: Hub) -> None:
    fresh = {one.source: (one.at is None, one.is_stale) for one in look(busy).figures.arrivals}
    run(
        busy.engine,
        lambda c: c.execute(text("UPDATE source_record SET recorded_at = recorded_at - interval '8 days'")),
    )
    later = {one.source: (one.at is None, one.is_stale) for one in look(busy).figures.arrivals}

    assert fresh == {"crm-east": (False, False), "crm-west": (True, True)}
    assert later == {"crm-east": (False, True), "crm-west": (True, True)}


def test_messages_audit_and_horizon_are_told(busy: Hub, tmp_path: object) -> None:
    run(busy.engine, lambda c: add_target(c, "files", tmp_path, ["widget_hold"], who="test"))  # type: ignore[arg-type]
    before = look(busy).figures.audit
    while seal(busy.engine):
        pass
    figures = look(busy).figures

    # Each of three widgets ever minted a golden record: a with b, c, and d, which is retired.
    assert [(one.target, one.count, one.is_more) for one in figures.messages] == [("files", 3, False)]
    assert (before.count, before.sealed_at) == (0, None)
    assert figures.audit.count > 0
    assert figures.audit.sealed_at == figures.audit.newest_at
    assert 0 <= figures.horizon_age_s < 60


def test_figures_are_kept_for_some_seconds_for_each_set_of_limits(busy: Hub) -> None:
    kept = KeptFigures()
    first = look(busy, kept=kept)
    send(busy, D, name="rod", codes="3")

    again = look(busy, kept=kept)
    other = look(busy, limits=Limits({"widget_hold": None}), kept=kept)
    anew = look(busy, kept=KeptFigures(seconds=0.0))

    assert again.figures is first.figures
    assert (first.age_s, other.age_s) == (0.0, 0.0)
    assert again.age_s > 0
    assert other.figures.records[0].active == anew.figures.records[0].active == 4


def test_a_table_too_large_to_count_is_estimated_and_says_so(busy: Hub) -> None:
    rows = 3 * EXACT_ROWS_MAX
    with busy.engine.connect() as connection:
        assert estimated_counts(connection, "source_record", "st_source_record_place") is None
        connection.execute(text("ANALYZE source_record"))
        connection.execute(text(f"UPDATE pg_class SET reltuples = {rows} WHERE relname = 'source_record'"))
        connection.commit()
    try:
        (one,) = look(busy).figures.records
    finally:
        with busy.engine.connect() as connection:
            connection.execute(text("ANALYZE source_record"))
            connection.commit()

    # Three of four rows are active, one is deleted.
    assert one == RecordCount("crm-east", "widget_hold", rows * 3 // 4, rows // 4, 0, is_estimate=True)


def _worked_on(connection: Connection, *, review_id: ReviewId, assignee: str, due_at: datetime) -> None:
    """Assign a review, let ann claim it, and set when it is due."""
    reviews.assign(connection, review_id, assignee)
    reviews.claim(connection, review_id, minutes=30, who="ann")
    connection.execute(text("UPDATE review SET due_at = :at WHERE id = :id"), {"at": due_at, "id": review_id})


def _answered(hub: Hub, review_id: ReviewId, *, seconds: int, state: str = "carried_out") -> None:
    """Write down an answer of ann's that took her so many seconds."""
    run(
        hub.engine,
        lambda c: c.execute(
            text(
                "INSERT INTO review_answer (id, review_id, judgement, reason, expected, state, claimed_at, recorded_at,"
                " who) VALUES ('ans_1', :id, 'same', 'seen', '{}', :state, now() - make_interval(secs => :seconds),"
                " now(), 'ann')"
            ),
            {"id": review_id, "seconds": seconds, "state": state},
        ),
    )
