"""Queues that people keep, the order in which questions come, how the day goes, and what the metrics count."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import Medians, QueueAsked, QueueSize, SavedQueue
from mdm.decisions.review_model import RANKINGS, Place, Ranking, Review, ReviewFilter
from mdm.errors import InputInvalid
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.stewardship import answers, queues, reviews
from mdm.stewardship.band_preview import band_preview
from mdm.stewardship.queue_bands import accept_band
from mdm.stewardship.queue_lines import queue_lines
from mdm.stewardship.reviews import ANY
from mdm.telemetry import REGISTRY
from tests.hubs import delivery
from tests.integration.stewardship.widgets import A, B, C, D, decide, delete, possible_matches, send

pytestmark = pytest.mark.db


def restate(hub: Hub, review: Review, **columns: object) -> None:
    """Let a review have come to be otherwise."""
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    with hub.engine.begin() as connection:
        connection.execute(text(f"UPDATE review SET {sets} WHERE id = :id"), {"id": review.id, **columns})


def claim(hub: Hub, review: Review, who: str) -> None:
    run(hub.engine, lambda c: reviews.claim(c, review.id, minutes=5, who=who))


def order_of(hub: Hub, ranking: Ranking, asked: ReviewFilter = ANY, step: int = 1) -> list[str]:
    """Walk a queue page by page; give the names asked about by their keys."""
    seen: list[str] = []
    after: Place | None = None
    while page := reviews.list_reviews(hub, asked, ranking=ranking, after=after, limit=step):
        seen += [one.left_key[-1] for one in page]
        after = page[-1].place_in(ranking)
    return seen


def test_usefulness_is_how_uncertain_the_answer_is_times_what_hangs_on_it(hub: Hub) -> None:
    (red,) = possible_matches(hub, ["red"])
    # 4 bits: p = 16/17. Two records in two systems: size 2 + 2·2 = 6; stake 6·16/17 = 5.647; 6·4·16/17·1/17 = 1.329.
    assert red.stake == 5.647
    assert red.usefulness == pytest.approx(1.3287, abs=1e-4)

    restate(hub, red, bits=0.0, stake=3.0)  # even odds: the whole size of 6
    assert reviews.get_review(hub, red.id).usefulness == 6.0
    restate(hub, red, bits=-4.0, stake=0.353)  # as uncertain as 4 bits
    assert reviews.get_review(hub, red.id).usefulness == pytest.approx(1.329, abs=1e-3)
    restate(hub, red, kind="split", bits=-4.0, stake=5.647)  # one that asks whether one is one: the odds turned round
    assert reviews.get_review(hub, red.id).usefulness == pytest.approx(1.3287, abs=1e-4)
    restate(hub, red, kind="join", bits=5_000.0, stake=6.0)
    assert 0 < reviews.get_review(hub, red.id).usefulness < 1e-10


@pytest.mark.parametrize("step", [1, 2, 10])
def test_each_order_is_paged_without_gaps(hub: Hub, step: int) -> None:
    first, second, third, fourth = possible_matches(hub, ["red", "green", "blue", "grey"])
    at = datetime(2026, 1, 1, tzinfo=UTC)
    restate(hub, first, bits=9.0, stake=9.0, recorded_at=at + timedelta(hours=3))
    restate(hub, second, bits=0.0, stake=2.0, recorded_at=at)
    restate(hub, third, bits=1.0, stake=5.0, recorded_at=at + timedelta(hours=1))
    restate(hub, fourth, bits=1.0, stake=5.0, recorded_at=at + timedelta(hours=1))

    # Useful: second 2·4/2 = 4, third and fourth 5·4/3 = 6.67, first 9·4/513 = 0.07. Equal ones by id.
    assert order_of(hub, "useful", step=step) == ["2", "3", "1", "0"]
    assert order_of(hub, "riskiest", step=step) == ["0", "2", "3", "1"]
    assert order_of(hub, "oldest", step=step) == ["1", "2", "3", "0"]


def test_orders_go_across_entity_types_and_filters(hub: Hub) -> None:
    possible_matches(hub, ["red", "green"])
    other = [delivery(f"crm-{place}/Account:9", "widget_merge", name="teal") for place in ("east", "west")]
    deliver(hub, other, who="test")

    for ranking in RANKINGS:
        assert sorted(order_of(hub, ranking)) == ["0", "1", "9"]
        assert order_of(hub, ranking, ReviewFilter(entity_types=("widget_merge",))) == ["9"]
        assert len(order_of(hub, ranking, ReviewFilter(entity_types=("widget_merge", "widget_hold")))) == 3
    assert order_of(hub, "useful", ReviewFilter(entity_types=("nothing",))) == []
    assert order_of(hub, "oldest", ReviewFilter(source="crm-west", bits=(5.0, None))) == []
    assert len(order_of(hub, "oldest", ReviewFilter(source="crm-west", bits=(None, 5.0), is_waiting=False))) == 3


def test_a_queue_can_leave_out_what_others_have_claimed(hub: Hub) -> None:
    red, green, _ = possible_matches(hub, ["red", "green", "blue"])
    claim(hub, red, "bob")
    claim(hub, green, "ann")

    assert order_of(hub, "oldest", ReviewFilter(free_for="ann")) == ["1", "2"]
    assert order_of(hub, "oldest", ReviewFilter(free_for="bob")) == ["0", "2"]
    assert reviews.count_reviews(hub, ReviewFilter(free_for="cid")) == 1


def save(hub: Hub, name: str, asked: QueueAsked, *, who: str = "ann", is_shared: bool = False) -> SavedQueue:
    return run(hub.engine, lambda c: queues.save_queue(c, name, asked, who=who, is_shared=is_shared))


def test_a_queue_is_kept_and_comes_back_as_it_was(hub: Hub) -> None:
    asked = QueueAsked(
        ReviewFilter(("customer",), ("join", "unsure"), source="crm-east", bits=(-1.5, None), is_waiting=False),
        ranking="oldest",
        due_within_days=2.5,
        is_mine=True,
    )
    mine = save(hub, "  my   joins ", asked)
    shared = save(hub, "all of us", QueueAsked(), who="bob", is_shared=True)
    save(hub, "bob's own", QueueAsked(), who="bob")

    assert queues.list_queues(hub, who="ann") == (mine, shared)
    assert (mine.name, queues.list_queues(hub, who="ann")[0].asked) == ("my joins", asked)
    again = save(hub, "my joins", QueueAsked())
    assert queues.list_queues(hub, who="ann") == (again, shared)
    assert not run(hub.engine, lambda c: queues.end_queue(c, shared.id, who="ann"))
    assert run(hub.engine, lambda c: queues.end_queue(c, again.id, who="ann"))
    assert queues.list_queues(hub, who="ann") == (shared,)
    for name in ("", "x" * 81, "a\u202eb"):
        with pytest.raises(InputInvalid):
            save(hub, name, QueueAsked())


def test_a_kept_queue_is_seen_by_the_day_and_the_person(hub: Hub) -> None:
    red, green, blue = possible_matches(hub, ["red", "green", "blue"])
    now = clock.now()
    restate(hub, red, assignee="ann", due_at=now - timedelta(hours=1))
    restate(hub, green, assignee="bob", due_at=now - timedelta(hours=1))
    restate(hub, blue, assignee="ann", due_at=now + timedelta(days=3))
    overdue = QueueAsked(ranking="oldest", due_within_days=0, is_mine=True)

    def seen(asked: QueueAsked, who: str) -> list[str]:
        return [one.left_key[-1] for one in queues.queue_page(hub, asked, who=who)]

    assert (seen(overdue, "ann"), seen(overdue, "bob"), seen(overdue, "cid")) == (["0"], ["1"], [])
    assert seen(QueueAsked(ranking="oldest", due_within_days=4), "cid") == ["0", "1", "2"]


def test_the_day_of_a_steward_tells_clear_pairs_from_hard_ones(hub: Hub) -> None:
    found = possible_matches(hub, ["red", "green", "blue", "grey"])
    day = clock.now() - timedelta(hours=1)
    for review, bits, seconds in zip(found[:3], (9.0, 1.0, -2.0), (10, 30, 50), strict=True):
        claim(hub, review, "ann")
        answers.answer_review(hub, review.id, Verdict("different", "seen"), who="ann")
        restate(hub, review, bits=bits)
        with hub.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE review_answer SET claimed_at = recorded_at - make_interval(secs => :s)"
                    " WHERE review_id = :id"
                ),
                {"s": seconds, "id": review.id},
            )
    restate(hub, found[3], due_at=day + timedelta(hours=2))

    mine = queues.steward_day(hub, who="ann", day=day)

    assert (mine.answered, mine.still_due, mine.day_queue) == (3, 1, 4)
    assert (mine.clear_count, mine.clear_seconds_median) == (1, 10.0)
    assert (mine.hard_count, mine.hard_seconds_median) == (2, 40.0)  # between 30 and 50
    bob = queues.steward_day(hub, who="bob", day=day)
    assert (bob.answered, bob.hard_count, bob.clear_seconds_median) == (0, 0, None)


def test_ageing_has_a_bar_for_every_age(hub: Hub) -> None:
    found = possible_matches(hub, ["red", "green", "blue", "grey"])
    now = clock.now()
    for review, days in zip(found, (0.1, 0.5, 5, 400), strict=True):
        restate(hub, review, recorded_at=now - timedelta(days=days), due_at=now + timedelta(days=10 - days))

    bars = queues.ageing(hub)

    assert [(bar.days_below, bar.count, bar.overdue) for bar in bars] == [
        (1, 2, 0),
        (3, 0, 0),
        (7, 1, 0),
        (14, 0, 0),
        (30, 0, 0),
        (90, 0, 0),
        (None, 1, 1),
    ]
    assert sum(bar.count for bar in queues.ageing(hub, ["customer"])) == 0


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"{name}_total", {"entity_type": "widget_hold", **labels}) or 0.0


def test_metrics_count_what_was_opened_closed_and_decided(hub: Hub) -> None:
    def seen() -> tuple[float, ...]:
        kind = "possible_match"
        return (
            *(counted("mdm_reviews", kind=kind, change=change) for change in ("opened", "closed", "reopened")),
            counted("mdm_decisions", kind=kind, verdict="same", state="carried_out"),
            counted("mdm_decisions", kind=kind, verdict="same", state="undone"),
            counted("mdm_decisions", kind="none", verdict="different", state="carried_out"),
        )

    before = seen()

    def since() -> list[float]:
        return [now - then for now, then in zip(seen(), before, strict=True)]

    (red,) = possible_matches(hub, ["red"])
    assert since() == [1, 0, 0, 0, 0, 0]
    verdict = Verdict("same", "seen")
    answers.rehearse_answer(hub, red.id, verdict, who="ann")
    assert since() == [1, 0, 0, 0, 0, 0]  # a rehearsal is no answer
    answers.answer_review(hub, red.id, verdict, who="ann")
    assert since() == [1, 1, 0, 1, 0, 0]
    answers.undo(hub, who="ann")
    assert since() == [1, 1, 1, 1, 1, 0]
    send(hub, A, name="blue")
    send(hub, B, name="blue")
    decide(hub, A, B, "different")
    send(hub, C, name="teal")
    send(hub, D, name="teal")
    delete(hub, D)
    assert since() == [3, 3, 1, 1, 1, 1]


def test_the_first_page_of_an_order_is_read_from_its_index(hub: Hub) -> None:
    """No order sorts the queue: each walks an index of its own. The figures stand in benchmarks/bench_queue.py."""
    possible_matches(hub, ["red"])
    expected = {"useful": "ix_review_useful", "riskiest": "ix_review_queue", "oldest": "ix_review_oldest"}
    for ranking, index in expected.items():
        with hub.engine.connect() as connection:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_bitmapscan = off"))
            connection.execute(text("SET LOCAL enable_sort = off"))  # one row is sorted in no time
            columns = {"useful": "usefulness DESC", "riskiest": "stake DESC", "oldest": "recorded_at"}[ranking]
            plan = connection.execute(
                text(
                    "EXPLAIN SELECT id FROM review q WHERE state = 'open' AND entity_type = 'widget_hold'"
                    f" ORDER BY {columns}, id LIMIT 50"
                )
            ).scalars()
            shown = "\n".join(plan)
        assert index in shown
        assert "Sort" not in shown


def test_a_queue_costs_what_the_team_took_for_clear_and_hard_pairs(hub: Hub) -> None:
    red, green, blue = possible_matches(hub, ["red", "green", "blue"])  # 4 bits each: clear
    for review, seconds in ((red, 10), (green, 30)):
        claim(hub, review, "ann")
        answers.answer_review(hub, review.id, Verdict("different", "seen"), who="ann")
        with hub.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE review_answer SET claimed_at = recorded_at - make_interval(secs => :s)"
                    " WHERE review_id = :id"
                ),
                {"s": seconds, "id": review.id},
            )

    size = queues.queue_size(hub, QueueAsked(), who="ben")
    medians = queues.team_medians(hub)

    assert (size.clear, size.hard, size.count) == (1, 0, 1)
    assert (medians.clear_seconds, medians.hard_seconds) == (20.0, None)
    assert size.seconds(medians) == 20.0
    assert QueueSize(2, 3).seconds(Medians(10.0, 40.0)) == 140.0
    assert QueueSize(2, 3).seconds(Medians(None, 40.0)) == 200.0
    assert QueueSize(2, 3).seconds(Medians(None, None)) is None
    tomorrow = clock.now() + timedelta(hours=1)
    assert queues.answers_by_day(hub, who="ann", until=tomorrow, days=3) == (0, 0, 2)
    assert queues.answers_by_day(hub, who="ben", until=tomorrow, days=3) == (0, 0, 0)
    (line,) = queue_lines(hub, [blue])
    assert (line.facts.left_name, line.waiting) == ("blue", None)


def test_bands_of_other_entity_types_and_those_only_looked_at_are_not_listed(hub: Hub) -> None:
    possible_matches(hub, ["red", "green"])
    seen = band_preview(hub, ReviewFilter(entity_types=("widget_hold",)), Verdict("different", "x"), who="ann")

    assert queues.list_bands(hub, ("widget_hold",)) == ()
    accept_band(hub, seen.id, who="ann")
    (line,) = queues.list_bands(hub, ("widget_hold", "customer"))
    assert (line.id, line.state, line.size, line.position, line.who) == (seen.id, "accepted", 2, 0, "ann")
    assert queues.list_bands(hub, ("customer",)) == ()
