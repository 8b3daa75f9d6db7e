"""A steward at work: the next review, answers with chosen values, relations from either side, answers taken back."""

from typing import Any

import pytest
from sqlalchemy import text

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.errors import DecisionContradicts, InputInvalid, ReviewNotAnswered, ReviewOutdated, RiskUnconfirmed
from mdm.hub import Hub
from mdm.stewardship import answers, reviews, service
from mdm.stewardship.card import review_card
from mdm.stewardship.card_model import Card, Pick, Typed
from mdm.stewardship.dealing import Deal, answer_card, next_review, rehearse_card, undo_last
from tests.hubs import assert_sound, hub_state, partition_of
from tests.integration.stewardship.widgets import (
    A,
    B,
    C,
    D,
    acknowledge,
    decide,
    delete,
    possible_matches,
    send,
    the_review,
    with_policy,
)

pytestmark = pytest.mark.db

SAME = Verdict("same", "seen")


@pytest.fixture
def asking(hub: Hub) -> Hub:
    """Give one question: are A and B the same?"""
    send(hub, A, name="red", note="from the east", at=1)
    send(hub, B, name="red", note="from the west", at=2)
    return hub


def give(hub: Hub, card: Card, verdict: Verdict = SAME, *, who: str = "ann", **choices: Any) -> answers.Given:
    seen = frozenset(risk.mark for risk in card.risks)
    return answer_card(hub, card.review.id, Deal(verdict, card.expected, choices, seen), who=who)


def card_of(hub: Hub) -> Card:
    return review_card(hub, the_review(hub).id, who="ann")


def shown(hub: Hub) -> dict[str, Any]:
    """Give what the one active golden record shows."""
    (values,) = [
        values for state, *_, values, _ in (row for row in hub_state(hub).values() if len(row) > 1) if state == "active"
    ]
    return dict(values)


def test_a_merge_with_chosen_values_shows_them(asking: Hub) -> None:
    card = card_of(asking)
    east = [one.record_key for one in card.columns].index(A)

    given = give(asking, card, note=Pick(east), name=Typed("Red Company"))

    assert given.answer.state == "carried_out"
    assert shown(asking) == {"name": "Red Company", "note": "from the east"}
    assert_sound(asking)


def test_undoing_it_gives_back_both_golden_records_and_no_override(asking: Hub) -> None:
    before = hub_state(asking)
    give(asking, card_of(asking), note=Typed("by hand"))

    (given,) = undo_last(asking, who="ann")

    assert given.answer.state == "undone"
    assert hub_state(asking) == before
    assert_sound(asking)


def test_chosen_values_wait_for_the_second_person(asking: Hub) -> None:
    asking = with_policy(asking, ReviewPolicy(approval=ReviewApproval(established=True)))
    acknowledge(asking, A, B)
    before = hub_state(asking)
    card = card_of(asking)

    given = give(asking, card, note=Typed("by hand"))
    waiting = hub_state(asking)
    answers.approve(asking, card.review.id, who="bob")

    assert card.waits_because == given.waits_because == "it joins two established golden records"
    assert waiting == before
    assert shown(asking) == {"name": "red", "note": "by hand"}
    assert_sound(asking)


def test_the_values_of_an_answer_that_was_turned_down_never_show(asking: Hub) -> None:
    asking = with_policy(asking, ReviewPolicy(approval=ReviewApproval(established=True)))
    acknowledge(asking, A, B)
    card = card_of(asking)
    give(asking, card, note=Typed("by hand"))
    answers.reject(asking, card.review.id, who="bob")

    give(asking, card_of(asking))
    answers.approve(asking, card.review.id, who="bob")

    assert shown(asking) == {"name": "red", "note": "from the west"}
    with asking.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*), count(ended_at) FROM value_override")).one()
    assert tuple(kept) == (1, 1)


@pytest.mark.parametrize("verdict", [Verdict("different", "seen"), Verdict("related", "seen", "sister_of")])
def test_only_a_merge_takes_values(asking: Hub, verdict: Verdict) -> None:
    with pytest.raises(InputInvalid, match="this answer merges nothing"):
        give(asking, card_of(asking), verdict, note=Typed("by hand"))

    assert the_review(asking).state == "open"


def test_a_choice_that_cannot_be_taken_refuses_the_answer(asking: Hub) -> None:
    with pytest.raises(InputInvalid, match="there is no column 2"):
        give(asking, card_of(asking), note=Pick(2))

    assert len(partition_of(asking)) == 2


def test_an_answer_on_a_card_that_moved_is_refused(asking: Hub) -> None:
    card = card_of(asking)
    send(asking, A, name="red", note="news", at=3)

    with pytest.raises(ReviewOutdated, match="is at version 2, you read 1"):
        give(asking, card, note=Typed("by hand"))


def test_a_relation_may_be_read_from_the_right_side(asking: Hub) -> None:
    card = card_of(asking)

    given = give(asking, card, Verdict("related", "a branch", "child_of"))

    (decision,) = service.list_decisions(asking)
    assert (decision.left_key, decision.verdict.relation, decision.right_key) == (
        card.columns[1].record_key,
        "parent_of",
        card.columns[0].record_key,
    )
    assert given.answer.verdict.relation == "child_of"
    assert {"parent_of", "child_of", "sister_of"} <= set(card.relations)


def test_the_next_review_is_the_one_at_stake_that_nobody_else_has(hub: Hub) -> None:
    first, second, third = sorted(possible_matches(hub, ["red", "blue", "green"]), key=lambda one: (-one.stake, one.id))
    with hub.engine.begin() as connection:
        reviews.claim(connection, second.id, minutes=5, who="bob")

    assert dealt(hub) == first.id
    assert dealt(hub, first) == third.id
    assert dealt(hub, third, first) == third.id  # all are skipped: the one that was skipped first comes again
    assert dealt(hub, first, who="bob") == second.id
    with pytest.raises(InputInvalid, match="501 reviews are skipped"):
        next_review(hub, who="ann", skipping=[first.id] * 501)


def dealt(hub: Hub, *skipping: Review, who: str = "ann") -> str | None:
    found = next_review(hub, who=who, skipping=[one.id for one in skipping])
    return found.id if found else None


def test_no_review_is_dealt_when_all_are_answered(asking: Hub) -> None:
    review = the_review(asking)
    give(asking, card_of(asking))

    assert next_review(asking, who="ann", skipping=[review.id]) is None


def test_answers_are_undone_the_last_first_as_many_as_there_are(hub: Hub) -> None:
    red, blue = possible_matches(hub, ["red", "blue"])
    for review in (red, blue):
        answers.answer_review(hub, review.id, SAME, who="ann")

    undone = undo_last(hub, who="ann", count=3)

    assert [one.review.id for one in undone] == [blue.id, red.id]
    assert len(partition_of(hub)) == 4
    with pytest.raises(ReviewNotAnswered):
        undo_last(hub, who="ann")


def test_card_and_rehearsal_tell_why_a_merge_is_refused(asking: Hub) -> None:
    send(asking, C, name="blue")
    decide(asking, A, C, "same")
    made = decide(asking, B, C, "different")
    delete(asking, C)  # it asks nothing any more, and binds again when it returns
    review = the_review(asking)

    card = card_of(asking)
    told = rehearse_card(asking, review.id, who="ann")

    assert card.refusal is not None
    assert card.refusal == told.refusal
    assert card.refusal.code == "decision_contradicts"
    assert made.id in " ".join(card.refusal.chain)
    assert told.effect is None
    with pytest.raises(DecisionContradicts):
        give(asking, card)


def test_a_risky_merge_names_the_risks_that_were_seen(hub: Hub) -> None:
    """Two whose fellows hold valid numbers of different companies."""
    send(hub, A, name="red", codes=["c1"])
    send(hub, C, name="other", codes=["c1"], batch="15-048-3782")
    send(hub, B, name="red", codes=["c2"])
    send(hub, D, name="another", codes=["c2"], batch="00-136-8083")
    card = card_of(hub)
    seen = frozenset(risk.mark for risk in card.risks)

    for wrong in (frozenset[str](), frozenset({"identifiers_clash.000000000000"})):
        with pytest.raises(RiskUnconfirmed) as refused:
            answer_card(hub, card.review.id, Deal(SAME, card.expected, seen=wrong), who="ann")
        assert refused.value.risks == ("identifiers_clash",)
        assert reviews.get_review(hub, card.review.id).state == "open"

    given = answer_card(hub, card.review.id, Deal(SAME, card.expected, seen=seen), who="ann")
    assert given.review.state == "closed"
