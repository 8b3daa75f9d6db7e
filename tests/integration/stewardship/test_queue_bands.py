"""Bands: a sample is looked at, what one answer should not settle is held back, the rest is answered piece by piece."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import QueueAsked
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.entities.model import ReviewApproval, ReviewGuards, ReviewPolicy
from mdm.errors import ApprovalNeedsAnother, BandOutdated, BandUnknown, InputInvalid
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Hub
from mdm.stewardship import answers, reviews
from mdm.stewardship.band_preview import Sampling, band_preview, draw
from mdm.stewardship.queue_bands import (
    accept_band,
    approve_band,
    band_progress,
    carry_band,
    carry_some,
    stop_band,
)
from mdm.stewardship.queues import end_queue, save_queue
from tests.hubs import assert_sound, partition_of, row_marks
from tests.integration.stewardship.widgets import A, B, C, acknowledge, decide, possible_matches, send, with_policy

pytestmark = pytest.mark.db

SAME = Verdict("same", "a band of equal names")
WIDGETS = ReviewFilter(entity_types=("widget_hold",))
NAMES = ["red", "green", "blue", "grey", "pink"]


def in_pieces(hub: Hub, size: int) -> Hub:
    return Hub(hub.engine, hub.declared, hub.settings.model_copy(update={"chunk_records": size}))


def told_of(hub: Hub, table: str) -> list[tuple[str, str]]:
    """Give what the audit log tells of a table: what was done, and by whom."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT action, who FROM audit_entry WHERE action LIKE :table ORDER BY id"), {"table": f"{table}.%"}
        )
        return [(row.action.removeprefix(f"{table}."), row.who) for row in rows]


def test_a_preview_changes_nothing_but_what_it_keeps(hub: Hub) -> None:
    possible_matches(hub, NAMES)
    before = row_marks(hub)

    seen = band_preview(hub, WIDGETS, SAME, who="ann", sampling=Sampling(2, seed=7))

    after = row_marks(hub)
    kept = {table for table, rows in after.items() if rows != before[table]}
    assert kept == {"review_band", "audit_entry", "audit_salt"}
    assert (seen.found, seen.ready, seen.held_counts, seen.waits_because) == (5, 5, {}, "")
    # Two records of two different golden records become one, twice.
    assert [(one.records, one.forwarded) for one in seen.effects] == [(2, 2)]
    assert [(one.left_name == one.right_name, one.why) for one in seen.sample] == [(True, "name same +4.0")] * 2


def test_the_same_seed_draws_the_same_sample(hub: Hub) -> None:
    possible_matches(hub, NAMES)

    def drawn(seed: int) -> list[str]:
        seen = band_preview(hub, WIDGETS, SAME, who="ann", sampling=Sampling(2, seed))
        return [one.review.id for one in seen.sample]

    assert drawn(1) == drawn(1)
    ready = reviews.list_reviews(hub)
    assert len({tuple(one.id for one in draw(ready, 2, seed)[1]) for seed in range(8)}) > 1


def test_a_sample_is_drawn_from_every_part_of_the_score(hub: Hub) -> None:
    (one,) = possible_matches(hub, ["red"])
    band = [replace(one, id=type(one.id)(f"rev_{number:03}"), bits=float(number)) for number in range(100)]

    strata, sample = draw(band, 10, seed=3)

    # A hundred in five parts of twenty, two drawn from each.
    assert [(part.bits_from, part.bits_to, part.count, part.shown) for part in strata] == [
        (0.0, 19.0, 20, 2),
        (20.0, 39.0, 20, 2),
        (40.0, 59.0, 20, 2),
        (60.0, 79.0, 20, 2),
        (80.0, 99.0, 20, 2),
    ]
    assert Counter(int(review.bits // 20) for review in sample) == dict.fromkeys(range(5), 2)
    assert [review.bits for review in sample] == sorted(review.bits for review in sample)
    assert draw(band[:3], 10, seed=3)[1] == tuple(band[:3])
    assert draw([], 10, seed=3) == ((), ())


def test_what_one_answer_should_not_settle_is_held_back(hub: Hub) -> None:
    red, green, blue, _ = possible_matches(hub, ["red", "green", "blue", "grey"])
    run(hub.engine, lambda c: reviews.claim(c, red.id, minutes=30, who="bob"))
    acknowledge(hub, green.left_key, green.right_key)
    strict = with_policy(hub, ReviewPolicy(approval=ReviewApproval(established=True)))
    acknowledge(strict, blue.left_key)  # one established side is no reason

    seen = band_preview(strict, WIDGETS, SAME, who="ann")

    assert seen.held_counts == {"review_claimed": 1, "two_established": 1}
    assert {one.review_id: one.code for one in seen.held} == {red.id: "review_claimed", green.id: "two_established"}
    assert (seen.found, seen.ready) == (4, 2)
    apart = band_preview(strict, WIDGETS, Verdict("different", "no"), who="ann")
    assert apart.held_counts == {"review_claimed": 1}  # parting two established ones joins nothing


def test_published_keys_and_questions_about_one_golden_record_are_held_back(hub: Hub) -> None:
    guarded = with_policy(hub, ReviewPolicy(guards=ReviewGuards(records_max=1)))
    send(guarded, A, name="red", codes=["x1"])
    send(guarded, B, name="red", codes=["x1"])  # one golden record of two records, one more than usual
    (large,) = reviews.list_reviews(hub)
    assert large.kind == "large_cluster"
    possible_matches(hub, ["green"])
    strict = with_policy(hub, ReviewPolicy(approval=ReviewApproval(published_keys=0)))

    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    assert (seen.held_counts, seen.held[0].review_id) == ({"guard": 1}, large.id)
    assert band_preview(strict, WIDGETS, SAME, who="ann").held_counts == {"guard": 1, "second_person": 1}


def test_an_accepted_band_is_answered_piece_by_piece_in_the_background(hub: Hub) -> None:
    possible_matches(hub, NAMES)
    pieces = in_pieces(hub, 2)
    seen = band_preview(pieces, WIDGETS, SAME, who="ann")
    assert carry_some(pieces) == 0  # nobody accepted it yet

    assert accept_band(pieces, seen.id, who="ann").state == "accepted"
    steps = []
    while carry_some(pieces):
        band = band_progress(pieces, seen.id)
        steps.append((band.state, band.position, band.answered))

    assert steps == [("accepted", 2, 2), ("accepted", 4, 4), ("done", 5, 5)]
    assert reviews.count_reviews(hub) == 0
    assert {len(group) for group in partition_of(hub)} == {2}
    closed = reviews.list_reviews(hub, ReviewFilter(state="closed"))
    said = [reviews.what_was_said(hub, one.id)[1][0] for one in closed]
    assert {(one.who, one.bulk_id) for one in said} == {("ann", seen.id)}
    assert_sound(hub)


def fail() -> None:
    raise FailpointHit


def test_a_process_that_ends_in_the_middle_loses_nothing(hub: Hub) -> None:
    possible_matches(hub, NAMES)
    pieces = in_pieces(hub, 2)
    seen = band_preview(pieces, WIDGETS, SAME, who="ann")
    accept_band(pieces, seen.id, who="ann")
    assert carry_some(pieces) == 2

    with armed({"transaction.committing": fail}), pytest.raises(FailpointHit):
        carry_some(pieces)

    assert (band_progress(pieces, seen.id).position, reviews.count_reviews(hub)) == (2, 3)
    assert carry_band(pieces, seen.id).answered == 5


def test_a_band_is_refused_when_what_was_shown_moved(hub: Hub) -> None:
    red, *_ = possible_matches(hub, NAMES)
    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    send(hub, red.left_key, name="red", note="moved")

    with pytest.raises(BandOutdated, match="moved since, 1 of the sample"):
        accept_band(hub, seen.id, who="ann")
    assert carry_some(hub) == 0


def test_a_preview_grows_old(hub: Hub) -> None:
    possible_matches(hub, ["red"])
    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    assert seen.valid_until > band_progress(hub, seen.id).recorded_at + timedelta(minutes=59)
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE review_band SET recorded_at = recorded_at - interval '61 minutes'"))

    with pytest.raises(BandOutdated, match="too old"):
        accept_band(hub, seen.id, who="ann")


def test_what_moves_after_it_was_accepted_is_left_and_named(hub: Hub) -> None:
    red, *_ = possible_matches(hub, NAMES)
    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    accept_band(hub, seen.id, who="ann")
    send(hub, red.left_key, name="red", note="moved")

    band = carry_band(hub, seen.id)

    assert (band.state, band.answered, [one.code for one in band.skipped]) == ("done", 4, ["review_outdated"])
    assert [one.id for one in reviews.list_reviews(hub)] == [red.id]


def test_reviews_that_share_golden_records_are_answered_together(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name="red")
    pieces = in_pieces(hub, 1)
    seen = band_preview(pieces, WIDGETS, SAME, who="ann")
    accept_band(pieces, seen.id, who="ann")

    band = carry_band(pieces, seen.id)

    assert (band.answered, [one.code for one in band.skipped]) == (2, ["review_followed"])
    assert partition_of(hub) == {frozenset({A, B, C})}


def test_a_large_band_needs_a_second_person(hub: Hub) -> None:
    strict = with_policy(hub, ReviewPolicy(approval=ReviewApproval(bulk=2)))
    possible_matches(strict, ["red", "green", "blue"])
    seen = band_preview(strict, WIDGETS, SAME, who="ann")
    assert seen.waits_because == "3 answers at once, more than 2"

    assert accept_band(strict, seen.id, who="ann").state == "waiting"
    assert carry_some(strict) == 0
    with pytest.raises(ApprovalNeedsAnother):
        approve_band(strict, seen.id, who="ann")
    assert approve_band(strict, seen.id, who="bob").settled_by == "bob"

    assert carry_band(strict, seen.id).answered == 3
    assert reviews.count_reviews(hub) == 0  # the whole band was approved: no answer waits by itself


def test_a_band_is_accepted_once_by_who_looked_and_can_be_stopped(hub: Hub) -> None:
    possible_matches(hub, NAMES)
    pieces = in_pieces(hub, 2)
    seen = band_preview(pieces, WIDGETS, SAME, who="ann")
    with pytest.raises(ApprovalNeedsAnother, match="ann looked at band"):
        accept_band(hub, seen.id, who="bob")
    with pytest.raises(BandUnknown):
        accept_band(hub, "bnd_nothing", who="ann")
    accept_band(pieces, seen.id, who="ann")
    with pytest.raises(BandOutdated, match="is accepted"):
        accept_band(pieces, seen.id, who="ann")
    carry_some(pieces)

    assert stop_band(pieces, seen.id, who="bob").ended_because == "stopped by bob"
    assert (carry_some(pieces), carry_band(pieces, seen.id).answered) == (0, 2)
    with pytest.raises(BandOutdated, match="is stopped"):
        stop_band(pieces, seen.id, who="bob")


def test_a_band_is_of_one_type_and_not_endless(hub: Hub) -> None:
    with pytest.raises(InputInvalid, match="one entity type"):
        band_preview(hub, ReviewFilter(), SAME, who="ann")
    with pytest.raises(InputInvalid, match="no open review"):
        band_preview(hub, WIDGETS, SAME, who="ann")
    possible_matches(hub, ["red", "green"])
    narrow = Hub(hub.engine, hub.declared, hub.settings.model_copy(update={"reviews_band_max": 1}))
    with pytest.raises(InputInvalid, match="more than 1 reviews"):
        band_preview(narrow, WIDGETS, SAME, who="ann")
    with pytest.raises(InputInvalid, match="relation"):
        band_preview(hub, WIDGETS, Verdict("related", "how"), who="ann")


def test_one_unsure_answer_is_not_given_to_unsure_questions(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    decide(hub, A, B, "unsure")
    possible_matches(hub, ["green"])

    seen = band_preview(hub, WIDGETS, Verdict("unsure", "later"), who="ann")

    assert (seen.ready, seen.held_counts) == (1, {"ill_fitting": 1})


def the_answer(hub: Hub, review: Review) -> str:
    return answers.undo(hub, review_id=review.id, who="ann").answer.state


def test_each_answer_of_a_band_can_be_undone(hub: Hub) -> None:
    red, *_ = possible_matches(hub, ["red", "green"])
    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    accept_band(hub, seen.id, who="ann")
    carry_band(hub, seen.id)

    assert the_answer(hub, red) == "undone"
    assert [one.id for one in reviews.list_reviews(hub)] == [red.id]


def test_the_log_tells_who_made_accepted_and_stopped_a_band_but_not_how_far_it_is(hub: Hub) -> None:
    possible_matches(hub, NAMES)
    seen, other = (band_preview(hub, WIDGETS, SAME, who="ann", sampling=Sampling(2, seed=7)) for _ in range(2))

    accept_band(in_pieces(hub, 1), seen.id, who="ann")
    carry_band(in_pieces(hub, 1), seen.id)
    stop_band(hub, other.id, who="bob")

    assert told_of(hub, "review_band") == [
        *(("made", "ann"), ("made", "ann")),
        *(("changed", "ann"), ("changed", "ann")),  # accepted; done
        ("changed", "bob"),
    ]


def test_the_log_tells_of_queues_that_are_kept_and_ended(hub: Hub) -> None:
    queue = run(hub.engine, lambda c: save_queue(c, "mine", QueueAsked(), who="ann"))
    run(hub.engine, lambda c: end_queue(c, queue.id, who="ann"))

    assert told_of(hub, "saved_queue") == [("made", "ann"), ("changed", "ann")]
