"""Questions about whole golden records: each kind is opened by its cause, closed with it, and answered for good."""

from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.entities.model import ReviewGuards, ReviewPolicy
from mdm.hub import Hub
from mdm.jobs.source_events import report
from mdm.source_events.model import SourceFact
from mdm.sources.model import SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship import service
from mdm.stewardship.dealing import Deal, answer_card
from mdm.stewardship.risk_guard import risks_of_review
from tests.hubs import assert_sound, golden_by_key, hub_on, partition_of
from tests.integration.stewardship.widgets import (
    A,
    B,
    C,
    D,
    acknowledge,
    asked,
    decide,
    delete,
    feed,
    send,
    the_review,
    with_policy,
)

pytestmark = pytest.mark.db


def guarded(hub: Hub, **guards: Any) -> Hub:
    return with_policy(hub, ReviewPolicy(guards=ReviewGuards(**guards)))


def answer(hub: Hub, kind: str, judgement: Any) -> None:
    """Answer as a steward does who has seen every risk that the card shows."""
    review = the_review(hub, kind)
    seen = frozenset(risk.mark for risk in risks_of_review(hub, review))
    answer_card(hub, review.id, Deal(Verdict(judgement, "looked at it"), review.versions, seen=seen), who="ann")


@pytest.fixture
def bridged(hub: Hub) -> Hub:
    """Give two pairs of 14 bits each, held together by one edge of 10 bits between B and C."""
    hub = guarded(hub, bridge_bits=12)
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1", "x3"])
    send(hub, C, name="blue", codes=["x2", "x3"])
    send(hub, D, name="blue", codes=["x2"])
    return hub


def test_a_weak_bridge_is_asked_about_and_joins_all_the_same(bridged: Hub) -> None:
    assert asked(bridged) == [("weak_bridge", "bc")]
    assert len(partition_of(bridged)) == 1
    assert the_review(bridged, "weak_bridge").bits == 10.0


def test_a_weak_bridge_is_closed_when_a_stronger_edge_comes(bridged: Hub) -> None:
    send(bridged, C, name="red", codes=["x2", "x3"])

    assert asked(bridged) == []
    assert asked(bridged, "closed") == [("weak_bridge", "bc")]


@pytest.mark.parametrize(("judgement", "parts"), [("same", 1), ("different", 2)])
def test_a_weak_bridge_is_answered_for_good(bridged: Hub, judgement: str, parts: int) -> None:
    answer(bridged, "weak_bridge", judgement)
    send(bridged, A, name="red", codes=["x1"], note="news")

    assert (len(partition_of(bridged)), asked(bridged)) == (parts, [])
    assert the_review(bridged, "weak_bridge", "closed").closed_because == f"answered {judgement}"
    assert_sound(bridged)


def test_one_record_at_the_end_of_an_edge_is_no_bridge(hub: Hub) -> None:
    hub = guarded(hub, bridge_bits=12)
    for key, codes in ((A, ["x1"]), (B, ["x1", "x2"]), (C, ["x2"])):
        send(hub, key, codes=codes)

    assert (len(partition_of(hub)), asked(hub)) == (1, [])


@pytest.fixture
def hit_twice(hub: Hub) -> Hub:
    """Give two established golden records, and B that matches both: A with 14 bits, C with 10."""
    send(hub, A, name="red", codes=["x1"])
    send(hub, C, name="blue", codes=["x2"])
    acknowledge(hub, A, C)
    send(hub, B, name="red", codes=["x1", "x2"])
    return hub


def test_a_record_that_matches_two_established_ones_goes_to_the_strongest_and_is_asked_about(hit_twice: Hub) -> None:
    golden = golden_by_key(hit_twice)

    assert golden[B] == golden[A] != golden[C]
    assert asked(hit_twice) == [("several_hits", "bc")]
    review = the_review(hit_twice, "several_hits")
    assert review.subject["record_id"] in {review.left_id, review.right_id}


def test_several_hits_are_closed_when_the_record_matches_one_of_them_only(hit_twice: Hub) -> None:
    send(hit_twice, B, name="red", codes=["x1"])

    assert asked(hit_twice) == []


def test_several_hits_answered_same_make_one(hit_twice: Hub) -> None:
    answer(hit_twice, "several_hits", "same")

    assert (len(partition_of(hit_twice)), asked(hit_twice)) == (1, [])


def test_two_established_ones_that_match_by_themselves_are_a_join(hit_twice: Hub) -> None:
    send(hit_twice, C, name="blue", codes=["x1", "x2"])

    assert [kind for kind, _ in asked(hit_twice)] == ["join"]


@pytest.fixture
def faded(hub: Hub) -> Hub:
    """Give two records joined with 14 bits, of which an update of one left 10."""
    hub = guarded(hub, decay_bits=4)
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1"])
    assert asked(hub) == []
    send(hub, B, name="blue", codes=["x1"])
    return hub


def test_an_update_that_weakens_what_linked_a_member_is_asked_about(faded: Hub) -> None:
    review = the_review(faded, "decay")

    assert asked(faded) == [("decay", "ab")]
    assert (review.bits, review.subject["bits_before"]) == (10.0, 14.0)
    assert len(partition_of(faded)) == 1


def test_decay_stays_asked_until_the_evidence_comes_back(faded: Hub) -> None:
    first = the_review(faded, "decay").id
    send(faded, A, name="red", codes=["x1"], note="news")
    assert the_review(faded, "decay").id == first

    send(faded, B, name="red", codes=["x1"])
    assert asked(faded) == []


def test_decay_answered_same_is_not_asked_again(faded: Hub) -> None:
    answer(faded, "decay", "same")
    send(faded, B, name="green", codes=["x1"])

    assert asked(faded) == []


def test_a_loss_below_the_margin_is_not_asked_about(hub: Hub) -> None:
    hub = guarded(hub, decay_bits=5)
    for name in ("red", "blue"):
        send(hub, A, name="red", codes=["x1"])
        send(hub, B, name=name, codes=["x1"])

    assert asked(hub) == []


def test_a_member_that_keeps_another_strong_edge_has_not_decayed(hub: Hub) -> None:
    hub = guarded(hub, decay_bits=4)
    for key in (A, B, C):
        send(hub, key, name="red", codes=["x1"])

    send(hub, C, name="blue", codes=["x1"])

    # C lost 4 bits to both; A and B still have each other.
    assert [the_review(hub, "decay").subject["bits_before"]] == [14.0]
    assert len(asked(hub)) == 1


def test_a_golden_record_above_the_size_is_asked_about_until_it_shrinks(hub: Hub) -> None:
    hub = guarded(hub, records_max=2)
    for key in (A, B, C):
        send(hub, key, codes=["x1"])
    first = the_review(hub, "large_cluster")
    assert first.subject["records"] == 3

    send(hub, D, codes=["x1"])
    assert (the_review(hub, "large_cluster").id, the_review(hub, "large_cluster").subject["records"]) == (first.id, 4)

    delete(hub, C, D)
    assert asked(hub) == []


def test_a_size_found_right_is_asked_about_again_when_it_grew_by_half(hub: Hub) -> None:
    hub = guarded(hub, records_max=1)
    keys = [f"crm-east/Account:{number}" for number in range(4)]
    for key in keys[:2]:
        send(hub, key, codes=["x1"])
    answer(hub, "large_cluster", "same")

    send(hub, keys[2], codes=["x1"])
    assert asked(hub) == []  # 3 is not more than half again of 2

    send(hub, keys[3], codes=["x1"])
    assert [kind for kind, _ in asked(hub)] == ["large_cluster"]


@pytest.fixture
def twice(hub: Hub) -> Hub:
    """Give two records of one golden record from an instance that declares to hold each thing once."""
    once = SourceInstance("crm-east", "crm", "Crm-East", 1, duplicate_free=True)
    run(hub.engine, lambda connection: register(connection, once, who="test"))
    send(hub, A, codes=["x1"])
    send(hub, "crm-west/Account:w", codes=["x1"])
    assert asked(hub) == []
    send(hub, B, codes=["x1"])
    return hub


def test_two_records_of_a_source_without_duplicates_are_asked_about(twice: Hub) -> None:
    assert asked(twice) == [("duplicates_in_source", "ab")]
    assert the_review(twice, "duplicates_in_source").subject["source"] == "crm-east"

    delete(twice, B)
    assert asked(twice) == []


def test_duplicates_in_a_source_found_right_are_asked_about_again_with_a_third(twice: Hub) -> None:
    answer(twice, "duplicates_in_source", "same")
    assert asked(twice) == []

    send(twice, C, codes=["x1"])
    assert [kind for kind, _ in asked(twice)] == ["duplicates_in_source"]


@pytest.fixture
def contradicted(hub: Hub) -> Hub:
    """Give two records that a steward parted and their source merged."""
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    decide(hub, A, B, "different")
    report(hub, [SourceFact("merged", "crm-east", SourceKey.parse(A), SourceKey.parse(B))], who="crm-east")
    return hub


def test_a_contradiction_stands_while_the_decision_does(contradicted: Hub) -> None:
    send(contradicted, B, codes=["x1"], note="news")
    assert asked(contradicted) == [("contradiction", "ab")]

    (decision,) = service.list_decisions(contradicted)
    service.revoke(contradicted, decision.id, who="ann")
    assert asked(contradicted) == []
    assert_sound(contradicted)


@pytest.mark.parametrize(("judgement", "parts"), [("same", 1), ("different", 2)])
def test_a_contradiction_ends_with_the_stewards_answer(contradicted: Hub, judgement: str, parts: int) -> None:
    answer(contradicted, "contradiction", judgement)
    send(contradicted, B, codes=["x1"], note="news")

    assert (len(partition_of(contradicted)), asked(contradicted)) == (parts, [])
    assert_sound(contradicted)


def test_what_is_cut_off_at_the_bound_keeps_its_questions(bridged: Hub) -> None:
    narrow = hub_on(bridged.engine, component_records_max=2)
    narrow = Hub(narrow.engine, bridged.declared, narrow.settings)

    send(narrow, A, name="red", codes=["x1"], note="news")

    assert asked(narrow) == [("weak_bridge", "bc")]


def test_the_feed_tells_of_each_turn_with_ids_only(bridged: Hub) -> None:
    answer(bridged, "weak_bridge", "same")

    events = feed(bridged)

    assert [one.kind for one in events] == ["review.opened", "review.decided", "review.closed"]
    assert len({one.review_id for one in events}) == 1
    told = [str(word) for one in events for word in (*one.details.values(), one.who)]
    assert not any(word in {"red", "blue", "x3"} or "looked at it" in word for word in told)
