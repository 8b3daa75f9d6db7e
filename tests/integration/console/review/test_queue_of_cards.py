"""Card after card inside a queue, a card that is kept while it is open, and a merge whose risk is pressed for twice."""

from datetime import timedelta

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions import reviews_store
from mdm.decisions.model import Verdict
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.stewardship import answers, reviews
from tests.hubs import EPOCH, delivery, partition_of
from tests.integration.console.review.visitors import Visit, asks, decide, words
from tests.integration.stewardship.widgets import A, B, C, D, acknowledge, send, the_review, with_policy

pytestmark = pytest.mark.db


def ask_guarded(hub: Hub) -> None:
    """Ask of two whose fellows hold valid numbers of different companies."""
    send(hub, A, name="red", codes=["c1"])
    send(hub, C, codes=["c1"], batch="15-048-3782", name="other")
    send(hub, B, name="red", codes=["c2"])
    send(hub, D, codes=["c2"], batch="00-136-8083", name="another")


def test_a_merge_with_a_risk_is_pressed_twice_also_without_scripts(hub: Hub, visit: Visit) -> None:
    ask_guarded(hub)
    mara = visit("mara", "lead")
    page = mara.get("/review")
    assert mara.fields(page)["sure"] == ""

    once = decide(mara, page, "merge")
    assert once.status_code == 409
    assert "press Merge once more to take it" in words(once)
    assert len(partition_of(hub)) == 2
    done = decide(mara, once, "merge")

    assert done.status_code == 200
    assert len(partition_of(hub)) == 1


def test_a_merge_is_asked_again_when_the_risk_is_another_one(hub: Hub, visit: Visit) -> None:
    ask_guarded(hub)
    mara = visit("mara", "lead")
    page = mara.get("/review")
    fields = {**mara.fields(page), "verdict": "merge", "sure": "yes"}

    for risk in ({"risk": "identifiers_clash.000000000000"}, {"risk": ""}):
        refused = mara.post(f"/review/{asks(page)}/decide", {**fields, **risk})
        assert refused.status_code == 409
        assert "The risks of this merge are others than those you saw." in words(refused)
        assert mara.fields(refused)["sure"] == ""
    assert len(partition_of(hub)) == 2


def test_an_open_card_is_kept_and_who_lost_it_is_told(asking: Hub, visit: Visit) -> None:
    mara, sam = visit("mara"), visit("sam")
    review_id = ReviewId(asks(mara.get("/review")))
    run(asking.engine, lambda c: reviews_store.update_claim(c, review_id, by="mara", at=EPOCH, until=clock.now()))

    kept = mara.post(f"/review/{review_id}/renew")
    assert (kept.status_code, kept.text) == (204, "")
    until = the_review(asking).claimed_until
    assert until is not None
    assert until > clock.now() + timedelta(minutes=5)

    run(asking.engine, lambda connection: reviews.release(connection, review_id, who="mara"))
    page = sam.get(f"/review/{review_id}")
    assert "sam has taken this card meanwhile." in words(mara.post(f"/review/{review_id}/renew"))
    decide(sam, page, "different")
    lost = words(mara.post(f"/review/{review_id}/renew"))
    assert "sam answered this card before you: Keep apart." in lost


def test_the_next_card_stays_inside_the_queue_one_came_from(hub: Hub, visit: Visit) -> None:
    for number in range(3):
        for place in ("east", "west"):
            send(hub, f"crm-{place}/Account:{number}", name=f"n{number}", at=number)
    deliver(
        hub,
        [delivery(f"crm-{place}/Account:c", "customer", name="Kestrel", city="Hull") for place in ("east", "west")],
        who="t",
    )
    asked = {one.entity_type: one for one in reviews.list_reviews(hub)}
    oldest = [one.id for one in sorted(reviews.list_reviews(hub), key=lambda one: one.recorded_at)]
    mara = visit("mara")

    page = mara.get(f"/review/{oldest[0]}?type=widget_hold&by=oldest")
    assert asked["customer"].id not in page.text
    second = decide(mara, page, "different")
    assert asks(second) == oldest[1]
    assert second.headers["hx-replace-url"] == f"/review/{oldest[1]}?type=widget_hold&by=oldest"
    third = mara.post(f"/review/{oldest[1]}/skip", mara.fields(second))
    assert asks(third) == oldest[2]
    again = decide(mara, third, "different")
    assert asks(again) == oldest[1]  # what was skipped comes last
    done = decide(mara, again, "different")

    assert "This queue is done" in words(done)
    assert asks(mara.get("/review")) == asked["customer"].id


def test_the_message_says_which_systems_are_told(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")

    assert "No system is told anything." in words(decide(mara, mara.get("/review"), "merge"))


def test_who_approves_reads_what_was_answered_and_why(asking: Hub, visit: Visit) -> None:
    approving = with_policy(asking, ReviewPolicy(approval=ReviewApproval(established=True)))
    acknowledge(asking, A, B)
    review = the_review(asking)
    said = Verdict("same", "one VAT id; they moved in May")
    answers.answer_review(approving, review.id, said, expected=review.versions, who="ann")

    page = visit("ben").get(f"/review/{review.id}")

    told = words(page)
    assert "ann: Merge. Waits for a second person: approve it or turn it down." in told
    assert "one VAT id; they moved in May" in told
