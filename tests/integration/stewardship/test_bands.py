"""Many reviews answered alike: a dry run chooses the set, the act answers exactly that."""

from collections import Counter

import pytest
from sqlalchemy import text

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import ReviewFilter
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.errors import (
    InputInvalid,
)
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.stewardship import answers, bands, reviews
from mdm.stewardship.band_preview import Sampling, band_preview
from mdm.stewardship.bands import Chosen
from tests.hubs import assert_sound, delivery, hub_on, partition_of, row_marks, statements
from tests.integration.stewardship.widgets import (
    A,
    B,
    C,
    asked,
    decide,
    possible_matches,
    send,
    with_policy,
)

pytestmark = pytest.mark.db

SAME, DIFFERENT, UNSURE = (Verdict(word, "looked at it") for word in ("same", "different", "unsure"))
WIDGETS = ReviewFilter(entity_types=("widget_hold",))


@pytest.fixture
def band(hub: Hub) -> Hub:
    """Give four questions of 4 bits, and one of another kind."""
    possible_matches(hub, ["red", "green", "blue", "grey"])
    send(hub, A, name="white")
    send(hub, B, name="black")
    decide(hub, A, B, "unsure")
    return hub


def test_a_bulk_does_what_its_dry_run_told_and_to_exactly_that_set(band: Hub) -> None:
    asked_for = ReviewFilter(entity_types=("widget_hold",), kinds=("possible_match",), bits=(3, 5))
    before = row_marks(band)

    dry = bands.rehearse_bulk(band, asked_for, SAME, who="ann")
    assert row_marks(band) == before
    possible_matches(band, ["red", "green", "blue", "grey", "late"])  # the last one raises a question of the band
    done = bands.answer_many(band, dry.chosen, SAME, who="ann")

    assert (len(dry.chosen), dry.answered, dry.left) == (4, done.answered, ())
    assert dry.effects == done.effects
    assert [(one.records, one.forwarded) for one in done.effects] == [(4, 4)]
    assert Counter(kind for kind, _ in asked(band)) == {"possible_match": 1, "unsure": 1}
    assert_sound(band)


def test_a_bulk_leaves_those_that_moved_since_and_says_why(band: Hub) -> None:
    dry = bands.rehearse_bulk(band, ReviewFilter(entity_types=("widget_hold",), bits=(3, None)), SAME, who="ann")
    send(band, "crm-east/Account:0", name="red", note="news")
    last = dry.chosen[-1]
    answers.answer_review(band, last.review_id, DIFFERENT, expected=last.expected, who="bob")

    done = bands.answer_many(band, dry.chosen, SAME, who="ann")

    assert Counter(one.code for one in done.left) == {"review_outdated": 1, "review_closed": 1}
    assert len(done.answered) == 2


def test_a_bulk_tells_which_reviews_its_own_answers_settled(hub: Hub) -> None:
    # Three golden records of one name ask three questions; two answers make them one, the third is settled by them.
    for key in (A, B, C):
        send(hub, key, name="red")
    dry = bands.rehearse_bulk(hub, WIDGETS, SAME, who="ann")
    done = bands.answer_many(hub, dry.chosen, SAME, who="ann")

    assert (len(done.answered), [one.code for one in done.left]) == (2, ["review_followed"])
    assert (dry.answered, dry.left, dry.effects) == (done.answered, done.left, done.effects)
    assert (len(partition_of(hub)), asked(hub)) == (1, [])


def test_a_bulk_leaves_what_contradicts_and_answers_the_rest(hub: Hub) -> None:
    first, second = possible_matches(hub, ["red", "green"])
    with hub.engine.begin() as connection:  # a decision that the review does not know of yet
        connection.execute(
            text(
                "INSERT INTO decision (id, entity_type, judgement, left_id, right_id, reason, recorded_at, who)"
                " VALUES ('dec_planted', 'widget_hold', 'different', :left, :right, 'seen', now(), 'bob')"
            ),
            {"left": first.left_id, "right": first.right_id},
        )
    done = bands.answer_many(hub, [Chosen(one.id, one.versions) for one in (first, second)], SAME, who="ann")

    assert [(one.review_id, one.code) for one in done.left] == [(first.id, "decision_contradicts")]
    assert done.answered == (second.id,)
    assert_sound(hub)


@pytest.mark.parametrize("verdict", [SAME, DIFFERENT])
def test_each_answer_of_a_bulk_may_need_what_comes_before_all_that_is_held(hub: Hub, verdict: Verdict) -> None:
    """40 questions, each about two gizmos of a widget of its own: the widget is locked once its gizmos are."""
    questions_of_gizmos(hub, 40)
    gizmos = ReviewFilter(entity_types=("gizmo",))

    with statements(hub) as sent:
        dry = bands.rehearse_bulk(hub, gizmos, verdict, who="ann")
        seen = band_preview(hub, gizmos, verdict, who="ann", sampling=Sampling(size=30))
        done = bands.answer_many(hub, dry.chosen, verdict, who="ann")

    assert sum("plan_cache_mode" in one for one in sent) == 3  # of transactions that write, one for each: none repeated
    assert (len(dry.answered), len(seen.sample), len(done.answered), done.left) == (40, 30, 40, ())
    assert reviews.count_reviews(hub, gizmos) == 0
    assert_sound(hub)


def test_each_answer_of_a_bulk_is_a_step_to_undo(band: Hub) -> None:
    dry = bands.rehearse_bulk(band, ReviewFilter(entity_types=("widget_hold",), bits=(3, None)), SAME, who="ann")
    done = bands.answer_many(band, dry.chosen, SAME, who="ann")

    undone = {answers.undo(band, who="ann").review.id for _ in done.answered}

    assert undone == set(done.answered)


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [(ReviewFilter(), "one entity type"), (ReviewFilter(entity_types=("widget_merge",)), "0 reviews are chosen")],
)
def test_a_bulk_without_a_type_or_without_reviews_is_refused(band: Hub, asked_for: ReviewFilter, told: str) -> None:
    with pytest.raises(InputInvalid, match=told):
        bands.rehearse_bulk(band, asked_for, SAME, who="ann")


def test_a_bulk_beyond_the_bound_is_refused(band: Hub) -> None:
    narrow = hub_on(band.engine, reviews_bulk_max=2)

    with pytest.raises(InputInvalid, match="1 to 2 can be answered at once"):
        bands.rehearse_bulk(narrow, WIDGETS, SAME, who="ann")


def test_a_bulk_above_its_size_waits_as_a_whole(band: Hub) -> None:
    hub = with_policy(band, ReviewPolicy(approval=ReviewApproval(bulk=3)))
    dry = bands.rehearse_bulk(hub, ReviewFilter(entity_types=("widget_hold",), bits=(3, None)), SAME, who="ann")

    done = bands.answer_many(hub, dry.chosen, SAME, who="ann")

    assert done.waits_because == dry.waits_because == "4 answers at once, more than 3"
    assert reviews.count_reviews(hub, ReviewFilter(is_waiting=True)) == 4
    approved = [answers.approve(hub, review_id, who="bob").answer.bulk_id for review_id in done.answered]
    assert set(approved) == {done.bulk_id}
    assert Counter(kind for kind, _ in asked(hub)) == {"unsure": 1}


def questions_of_gizmos(hub: Hub, count: int) -> None:
    """Deliver widgets, and two gizmos of one tag (4 bits) within each."""
    numbers = range(count)
    widgets = [delivery(f"crm-east/Account:{n}", "widget_hold", name=f"widget {n}") for n in numbers]
    gizmos = [
        delivery(f"crm-east/Gizmo:{n}{side}", "gizmo", name=f"{n}{side}", tag=f"tag {n}", grade="a", widget=str(n))
        for n in numbers
        for side in ("left", "right")
    ]
    assert {one.status for one in deliver(hub, [*widgets, *gizmos], who="test")} == {"created"}
