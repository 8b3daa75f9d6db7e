"""Relations of golden records: both sides, at a day, after merges, and never in a circle."""

from datetime import date
from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.decisions.model import Decision, Verdict
from mdm.errors import DecisionContradicts, GoldenRecordUnknown
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from mdm.stewardship.relations import relations_of
from tests.hubs import assert_sound, delivery
from tests.integration.stewardship.overriding import A, B, C, golden, join, send

pytestmark = pytest.mark.db

D = "crm-west/Account:d"


def relate(hub: Hub, left: str, right: str, relation: str = "parent_of", **validity: date) -> Decision:
    verdict = Verdict("related", "annual report", relation, **validity)
    return stewardship.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def read(hub: Hub, key: str, valid_at: date | None = None) -> list[tuple[str, Any]]:
    found = run(hub.engine, lambda c: relations_of(c, golden(hub, key), valid_at=valid_at))
    return [(one.relation, one.golden_id) for one in found if one.state == "in_force"]


@pytest.fixture
def four(hub: Hub) -> Hub:
    for key in (A, B, C, D):
        send(hub, key, name=f"name of {key[-1]}")
    return hub


def test_a_relation_is_listed_on_both_sides_for_the_days_it_holds(four: Hub) -> None:
    relate(four, A, B, valid_from=date(2020, 1, 1), valid_to=date(2022, 12, 31))
    relate(four, B, C, "sister_of")

    assert read(four, A) == [("parent_of", golden(four, B))]
    assert read(four, B) == [("child_of", golden(four, A)), ("sister_of", golden(four, C))]
    assert read(four, C) == [("sister_of", golden(four, B))]
    assert read(four, A, date(2022, 12, 31)) == [("parent_of", golden(four, B))]
    assert read(four, A, date(2023, 1, 1)) == []
    assert_sound(four)


def test_a_relation_follows_its_records_through_merge_and_back(four: Hub) -> None:
    relate(four, A, B)

    decision = join(four, B, C)
    assert read(four, A) == [("parent_of", golden(four, C))]
    assert read(four, C) == [("child_of", golden(four, A))]

    stewardship.revoke(four, decision.id, who="ann")
    assert read(four, A) == [("parent_of", golden(four, B))]
    assert read(four, C) == []


def test_two_that_meet_through_merges_are_both_listed_and_the_later_holds(four: Hub) -> None:
    relate(four, A, B)
    relate(four, C, D)
    join(four, A, D)
    join(four, B, C)

    found = run(four.engine, lambda c: relations_of(c, golden(four, A)))

    assert [(one.relation, one.own_key, one.state) for one in found] == [
        ("child_of", D, "in_force"),
        ("parent_of", A, "superseded"),
    ]


def test_a_hierarchy_that_leads_back_is_refused_with_the_chain_and_changes_nothing(four: Hub) -> None:
    first, second = relate(four, A, B), relate(four, C, D)
    join(four, B, C)

    with pytest.raises(DecisionContradicts) as refused:
        relate(four, D, A)

    assert [one.split("(")[1].split(",")[0] for one in refused.value.chain] == [first.id, second.id]
    assert "parent_of would lead back" in refused.value.message
    assert read(four, D) == [("child_of", golden(four, C))]
    relate(four, D, A, "acquired_by")
    stewardship.revoke(four, first.id, who="ann")
    relate(four, D, A)
    assert_sound(four)


def test_the_same_may_be_said_again_for_other_days_and_turned_round_for_days_that_it_does_not_hold(four: Hub) -> None:
    first = relate(four, A, B, valid_to=date(2019, 12, 31))
    assert relate(four, A, B, valid_to=date(2019, 12, 31)).id == first.id

    relate(four, B, A, valid_from=date(2020, 1, 1))
    with pytest.raises(DecisionContradicts):
        relate(four, B, A, valid_from=date(2019, 6, 1))

    assert read(four, A, date(2019, 7, 1)) == [("parent_of", golden(four, B))]
    assert read(four, A, date(2021, 7, 1)) == [("child_of", golden(four, B))]


def test_a_relation_rests_while_one_of_its_records_is_out_of_the_hub(four: Hub) -> None:
    relate(four, A, B)
    deliver(four, [delivery(B, "widget_hold", deleted=True)], who="test")
    assert read(four, A) == []

    send(four, B, name="name of b")
    assert read(four, A) == [("parent_of", golden(four, B))]


def test_a_revoked_relation_is_not_listed(four: Hub) -> None:
    decision = relate(four, A, B)
    stewardship.revoke(four, decision.id, who="ann")

    assert read(four, A) == []


def test_relations_of_an_id_never_given_out_are_refused(hub: Hub) -> None:
    with pytest.raises(GoldenRecordUnknown):
        run(hub.engine, lambda c: relations_of(c, GoldenId("wht_none")))
