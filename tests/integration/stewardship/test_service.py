"""What a steward decides is carried out at once, holds through all that arrives later, and can be taken back."""

from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.errors import DecisionContradicts, InputInvalid, ReviewUnknown, SourceRecordUnknown
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import reviews, service
from tests.hubs import assert_sound, delivery, golden_by_key, partition_of

pytestmark = pytest.mark.db

A, B, C = (f"crm-east/Account:{letter}" for letter in "abc")


def send(hub: Hub, key: str, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")
    assert outcome.status != "rejected"


def decide(hub: Hub, left: str, right: str, judgement: Any, **said: Any) -> Any:
    verdict = Verdict(judgement, "seen", **said)
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def groups(hub: Hub) -> set[str]:
    return {"".join(sorted(key[-1] for key in group)) for group in partition_of(hub)}


def test_same_joins_and_its_revocation_gives_back_both_golden_ids(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    before = golden_by_key(hub)

    decision = decide(hub, A, B, "same")
    assert groups(hub) == {"ab"}

    service.revoke(hub, decision.id, who="ann")
    assert golden_by_key(hub) == before
    assert_sound(hub)


@pytest.mark.parametrize(("judgement", "relation"), [("different", None), ("unsure", None), ("related", "sister_of")])
def test_what_is_parted_stays_apart_whatever_arrives(hub: Hub, judgement: str, relation: str | None) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    assert groups(hub) == {"ab"}

    decide(hub, A, B, judgement, relation=relation)
    assert groups(hub) == {"a", "b"}
    send(hub, C, codes=["x1"])
    send(hub, A, codes=["x1", "x2"])
    send(hub, B, codes=["x1", "x2"])

    assert "a" in "".join(group for group in groups(hub) if "b" not in group)
    assert_sound(hub)


def test_a_revoked_parting_joins_again_under_the_old_id(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    before = golden_by_key(hub)
    decision = decide(hub, A, B, "different")

    service.revoke(hub, decision.id, who="ann")

    assert golden_by_key(hub) == before
    assert_sound(hub)


def test_a_decision_about_a_deleted_record_binds_when_it_returns(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    decide(hub, A, B, "same")
    assert groups(hub) == {"a"}

    send(hub, B, name="blue")
    assert groups(hub) == {"ab"}
    assert_sound(hub)


def test_a_contradiction_changes_nothing(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name=key)
    decide(hub, A, B, "same")
    decide(hub, B, C, "different")
    before = golden_by_key(hub)

    with pytest.raises(DecisionContradicts):
        decide(hub, A, C, "same")

    assert golden_by_key(hub) == before
    assert len(service.list_decisions(hub)) == 2


def test_records_of_two_entity_types_are_not_decided_about(hub: Hub) -> None:
    send(hub, A, name="red")
    deliver(hub, [delivery(B, "widget_merge", name="red")], who="test")

    with pytest.raises(InputInvalid, match=r"is a widget_hold, .* is a widget_merge"):
        decide(hub, A, B, "same")


def test_records_that_the_hub_never_saw_are_not_decided_about(hub: Hub) -> None:
    send(hub, A, name="red")

    with pytest.raises(SourceRecordUnknown, match="crm-east/Account:b"):
        decide(hub, A, B, "same")


def test_a_review_that_never_was_is_unknown(hub: Hub) -> None:
    with pytest.raises(ReviewUnknown, match="rev_none"):
        reviews.get_review(hub, ReviewId("rev_none"))
