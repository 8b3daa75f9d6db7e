"""A steward's desk: what lies on it, whose a card is, and what reading it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from mdm.db.transaction import snapshot
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.stewardship import answers
from mdm.stewardship.card import read_card
from mdm.stewardship.desk import Desk, desk, take
from tests.hubs import statements
from tests.integration.stewardship.widgets import acknowledge, possible_matches, with_policy

pytestmark = pytest.mark.db

STATEMENTS_MAX = 5  # of a desk and its card, setting the kind of plan included


def desk_of(hub: Hub, who: str, *skipping: ReviewId) -> Desk:
    with snapshot(hub.engine) as connection:
        return desk(hub, connection, who=who, entity_types=None, skipping=skipping)


@pytest.fixture
def asked(hub: Hub) -> list[Review]:
    return possible_matches(hub, ["red", "blue", "green"])


def test_a_card_that_is_taken_lies_on_nobody_elses_desk(hub: Hub, asked: list[Review]) -> None:
    first = asked[0].id

    assert take(hub, first, who="ann")

    assert not take(hub, first, who="bob")
    assert {line.review.id for line in desk_of(hub, "bob").lines} == {one.id for one in asked[1:]}
    assert {line.review.id for line in desk_of(hub, "ann").lines} == {one.id for one in asked}


def test_taking_a_card_gives_back_the_one_that_is_left(hub: Hub, asked: list[Review]) -> None:
    first, second = asked[0].id, asked[1].id
    take(hub, first, who="ann")

    assert take(hub, second, who="ann", leaving=[first])

    assert take(hub, first, who="bob")


def test_a_claim_lasts_for_its_period_and_keeps_its_beginning(hub: Hub, asked: list[Review]) -> None:
    review_id = asked[0].id
    take(hub, review_id, who="ann")
    began = claim(hub, review_id)[0]

    take(hub, review_id, who="ann")

    again, until = claim(hub, review_id)
    period = timedelta(minutes=hub.settings.review_claim_minutes)
    assert again == began
    assert timedelta(0) <= until - began - period < timedelta(minutes=1)
    assert abs(datetime.now(UTC) - began) < timedelta(minutes=1)


def test_a_claim_that_ran_out_is_to_be_had(hub: Hub, asked: list[Review]) -> None:
    take(hub, asked[0].id, who="ann")
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE review SET claimed_until = now() - interval '1 second' WHERE claimed_by = 'ann'")
        )

    assert take(hub, asked[0].id, who="bob")


def test_a_closed_card_is_not_to_be_had(hub: Hub, asked: list[Review]) -> None:
    review = asked[0]
    answers.answer_review(hub, review.id, Verdict("different", "seen"), expected=review.versions, who="ann")

    assert not take(hub, review.id, who="ann")
    assert (desk_of(hub, "ann").opened, desk_of(hub, "ann").answered) == (2, 1)
    assert desk_of(hub, "bob").answered == 0


def test_what_waits_for_a_second_person_lies_beside_the_rest(hub: Hub, asked: list[Review]) -> None:
    approving = with_policy(hub, ReviewPolicy(approval=ReviewApproval(established=True)))
    review = asked[0]
    acknowledge(hub, review.left_key, review.right_key)
    assert desk_of(approving, "bob").waiting == ()

    given = answers.answer_review(approving, review.id, Verdict("same", "seen"), expected=review.versions, who="ann")

    assert given.waits_because
    found = desk_of(approving, "bob")
    assert [line.review.id for line in found.waiting] == [review.id]
    assert {line.review.id for line in found.lines} == {one.id for one in asked[1:]}


def test_a_desk_and_its_card_are_read_in_few_statements(hub: Hub, asked: list[Review]) -> None:
    """Each statement is a tenth of a millisecond of the server, and PostgreSQL's own time besides."""
    with statements(hub) as sent, snapshot(hub.engine) as connection:
        desk(hub, connection, who="ann", entity_types=None)
        read_card(hub, connection, asked[0].id)
    with statements(hub) as sent_to_take:
        take(hub, asked[0].id, who="ann")

    assert len(sent) <= STATEMENTS_MAX, "\n".join(sent)
    assert len(sent_to_take) == 1


def claim(hub: Hub, review_id: ReviewId) -> tuple[datetime, datetime]:
    """Give since when and until when a review is somebody's."""
    with hub.engine.connect() as connection:
        row = connection.execute(
            text("SELECT claimed_at, claimed_until FROM review WHERE id = :id"), {"id": review_id}
        ).one()
    return row.claimed_at, row.claimed_until
