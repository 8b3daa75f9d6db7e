"""Merged in the source: the key that was given up leads to the survivor for ever, whatever came first."""

import itertools
from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import SourceRecordUnknown
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship import reviews
from mdm.stewardship import service as stewardship
from tests.hubs import assert_sound, golden_by_key, register_instances, row_marks
from tests.integration.source_events.facts import TYPE, fact, golden, key_of, keys, rows, send, tell, values

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def _erp(hub: Hub) -> None:
    register_instances(hub, "crm-east", "crm-west", "erp-one")


def decide(hub: Hub, left: str, right: str, judgement: Any) -> Any:
    pair = SourceKey.parse(key_of(left)), SourceKey.parse(key_of(right))
    return stewardship.decide(hub, *pair, Verdict(judgement, "seen"), who="ann")


def two_clients(hub: Hub) -> None:
    """a and the ERP's n1 are one golden record, b and n2 another."""
    send(hub, "a", codes=["aa1"], name="red", note="from a", at=1)
    send(hub, "erp:n1", codes=["aa1"], name="red", at=1)
    send(hub, "b", codes=["bb2"], name="blue", note="from b", at=2)
    send(hub, "erp:n2", codes=["bb2"], name="blue", at=2)


def test_x1_a_merge_of_members_of_two_golden_records_joins_them_and_ends_the_loser(hub: Hub) -> None:
    """X1. The older golden id survives, the loser's key leads there and is no live key, its values are silent."""
    two_clients(hub)
    older, younger = golden(hub, "a"), golden(hub, "b")

    assert tell(hub, fact("merged", "a", "b", at=5)) == ["recorded"]

    assert {golden(hub, name) for name in ("a", "b", "erp:n1", "erp:n2")} == {older}
    assert rows(hub, f"SELECT state, forward_to FROM golden_record WHERE id = '{younger}'") == [("forwarded", older)]
    assert keys(hub, "a") == ["a merged", "b", "n1", "n2"]
    assert keys(hub, "erp:n1", to="crm-east") == ["b"]
    assert "from a" not in str(values(hub, "a"))
    assert rows(hub, "SELECT judgement, basis, who FROM decision") == [("same", "source", "crm-east")]
    assert_sound(hub)


def test_the_same_event_twice_changes_nothing(hub: Hub) -> None:
    two_clients(hub)
    tell(hub, fact("merged", "a", "b", at=5))
    before = row_marks(hub)

    assert tell(hub, fact("merged", "a", "b", at=5)) == ["unchanged"]
    assert tell(hub, fact("merged", "a", "b")) == ["unchanged"]

    assert row_marks(hub) == before


def test_a_chain_of_merges_leads_the_first_key_to_the_last_survivor(hub: Hub) -> None:
    for number, name in enumerate("abc"):
        send(hub, name, codes=[f"{name}{name}1"], note=name, at=number)

    tell(hub, fact("merged", "a", "b", at=5))
    tell(hub, fact("merged", "b", "c", at=6))

    assert golden(hub, "a") == golden(hub, "b") == golden(hub, "c")
    assert keys(hub, "a") == ["a merged", "b merged", "c"]
    assert keys(hub, "a", to="crm-east") == ["c"]
    assert "aa1" not in str(values(hub, "a"))
    assert_sound(hub)


def test_a_chain_through_a_key_that_was_never_delivered_resolves_too(hub: Hub) -> None:
    send(hub, "a", codes=["aa1"], at=1)
    send(hub, "c", codes=["cc3"], at=1)

    assert tell(hub, fact("merged", "a", "b", at=5)) == ["waiting"]
    assert tell(hub, fact("merged", "b", "c", at=6)) == ["recorded"]

    assert golden(hub, "a") == golden(hub, "b") == golden(hub, "c")
    assert keys(hub, "c") == ["a merged", "b merged", "c"]
    assert_sound(hub)


STEPS = ("a", "b", "merged")


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
def test_records_and_their_merge_may_come_in_any_order(hub: Hub, order: tuple[str, ...]) -> None:
    for step in order:
        if step == "merged":
            tell(hub, fact("merged", "a", "b", at=5, entity_type=TYPE))
        else:
            send(hub, step, codes=[f"{step}{step}1"], note=f"from {step}", at=1)

    assert golden(hub, "a") == golden(hub, "b")
    assert keys(hub, "b") == ["a merged", "b"]
    assert "from b" in str(values(hub, "a"))
    assert "from a" not in str(values(hub, "a"))
    assert rows(hub, "SELECT basis, revoked_at FROM decision") == [("source", None)]
    assert rows(hub, "SELECT event_id IS NOT NULL, ended_at FROM source_event") == [(True, None)]
    assert_sound(hub)


def test_a_loser_that_was_never_seen_resolves_to_the_survivor(hub: Hub) -> None:
    send(hub, "b", codes=["bb2"], at=1)

    assert tell(hub, fact("merged", "a", "b", at=5)) == ["recorded"]

    assert golden(hub, "a") == golden(hub, "b")
    assert keys(hub, "b") == ["a merged", "b"]
    assert_sound(hub)


def test_a_survivor_that_is_not_known_yet_joins_when_it_comes_without_an_id_of_its_own(hub: Hub) -> None:
    send(hub, "a", codes=["aa1"], at=1)
    held = golden(hub, "a")
    assert tell(hub, fact("merged", "a", "b", at=5)) == ["waiting"]
    assert keys(hub, "a") == ["a merged"]
    assert "aa1" in str(values(hub, "a")), "alone, it still says what is known"

    outcome = send(hub, "b", codes=["bb2"], at=6)

    assert (outcome.golden_id, outcome.outcome) == (held, "attached")
    assert rows(hub, "SELECT count(*) FROM golden_record") == [(1,)]
    assert "aa1" not in str(values(hub, "a"))
    assert_sound(hub)


def test_neither_key_known_waits_for_both(hub: Hub) -> None:
    assert tell(hub, fact("merged", "a", "b", at=5, entity_type=TYPE)) == ["waiting"]

    with pytest.raises(SourceRecordUnknown):
        golden(hub, "a")
    assert_sound(hub)


def test_a_merge_against_a_stewards_word_joins_nothing_and_opens_a_review(hub: Hub) -> None:
    two_clients(hub)
    decision = decide(hub, "a", "b", "different")

    assert tell(hub, fact("merged", "a", "b", at=5)) == ["recorded"]

    assert golden(hub, "a") != golden(hub, "b")
    assert keys(hub, "a") == ["a merged", "n1"]
    assert keys(hub, "erp:n1", to="crm-east") == []
    assert [(one.kind, one.left_key[-1], one.right_key[-1]) for one in reviews.list_reviews(hub)] == [
        ("contradiction", "a", "b")
    ]
    assert_sound(hub)

    stewardship.revoke(hub, decision.id, who="ann")
    assert len(reviews.list_reviews(hub)) == 1
    decide(hub, "a", "b", "same")

    assert reviews.list_reviews(hub) == ()
    assert golden(hub, "a") == golden(hub, "b")
    assert_sound(hub)


@pytest.mark.parametrize("judgement", ["unsure", "different"])
def test_a_source_answers_no_question_of_a_steward(hub: Hub, judgement: str) -> None:
    two_clients(hub)
    decision = decide(hub, "a", "b", judgement)

    tell(hub, fact("merged", "a", "b", at=5))

    assert stewardship.get_decision(hub, decision.id).revoked_at is None
    assert golden(hub, "a") != golden(hub, "b")
    assert "contradiction" in {one.kind for one in reviews.list_reviews(hub)}
    assert_sound(hub)


def test_a_newer_delivery_of_the_loser_lets_it_live_again_and_parts_what_the_source_had_joined(hub: Hub) -> None:
    two_clients(hub)
    before = golden(hub, "a"), golden(hub, "b")
    tell(hub, fact("merged", "a", "b", at=5))

    assert send(hub, "a", codes=["aa1"], name="red", at=4).status == "updated"
    assert golden(hub, "a") == golden(hub, "b"), "older than the merge"
    send(hub, "a", codes=["aa1"], name="red", note="alive", at=7)

    assert (golden(hub, "a"), golden(hub, "b")) == before
    assert keys(hub, "erp:n1", to="crm-east") == ["a"]
    assert rows(hub, "SELECT basis, revoked_at IS NOT NULL FROM decision") == [("source", True)]
    assert rows(hub, "SELECT ended_because FROM source_event WHERE kind = 'merged'") == [("overtaken",)]
    assert_sound(hub)
    assert tell(hub, fact("merged", "a", "b", at=5)) == ["unchanged"]
    assert tell(hub, fact("merged", "a", "b", at=6)) == ["overtaken"]
    assert (golden(hub, "a"), golden(hub, "b")) == before


def test_what_a_steward_decided_the_same_stays_so_when_the_loser_lives_again(hub: Hub) -> None:
    two_clients(hub)
    decide(hub, "a", "b", "same")
    tell(hub, fact("merged", "a", "b", at=5))

    send(hub, "a", codes=["aa1"], note="alive", at=7)

    assert golden(hub, "a") == golden(hub, "b")
    assert rows(hub, "SELECT basis, revoked_at FROM decision") == [("steward", None)]
    assert_sound(hub)


def test_a_deletion_after_the_merge_takes_nothing_away_and_one_before_it_is_mended(hub: Hub) -> None:
    two_clients(hub)
    tell(hub, fact("merged", "a", "b", at=5))
    assert send(hub, "a", deleted=True, at=9).status == "unchanged"
    assert golden(hub, "a") == golden(hub, "b")

    send(hub, "west:c", codes=["cc3"], at=1)
    send(hub, "west:c", deleted=True, at=5)
    assert tell(hub, fact("merged", "west:c", "b", at=5)) == ["recorded"]

    assert golden(hub, "west:c") == golden(hub, "b")
    assert keys(hub, "b", to="crm-west") == []
    assert_sound(hub)


def test_what_was_asked_about_an_instant_before_the_merge_is_answered_as_before(hub: Hub) -> None:
    two_clients(hub)
    then = run(hub.engine, clock.horizon)

    def answers() -> Any:
        names = ("a", "b", "erp:n1")
        return [
            (golden(hub, n, then), keys(hub, n, as_of=then), keys(hub, n, to="crm-east", as_of=then)) for n in names
        ]

    before = answers()
    tell(hub, fact("merged", "a", "b", at=5))
    between = run(hub.engine, clock.horizon)
    during = keys(hub, "a", as_of=between)
    send(hub, "a", codes=["aa1"], note="alive", at=7)

    assert answers() == before
    assert during == keys(hub, "a", as_of=between) == ["a merged", "b", "n1", "n2"]


def test_a_revoked_merge_gives_back_what_there_was(hub: Hub) -> None:
    from mdm.ids import SourceEventId
    from mdm.jobs.source_events import revoke

    two_clients(hub)
    before = golden_by_key(hub), values(hub, "a"), values(hub, "b")
    tell(hub, fact("merged", "a", "b", at=5), fact("merged", "erp:n3", "erp:n1", at=5))
    events = rows(hub, "SELECT id FROM source_event ORDER BY id DESC")

    for (event_id,) in events:
        assert revoke(hub, SourceEventId(event_id), who="ann").ended_because == "revoked"

    assert (golden_by_key(hub), values(hub, "a"), values(hub, "b")) == before
    with pytest.raises(SourceRecordUnknown):
        golden(hub, "erp:n3")
    assert_sound(hub)


def test_merges_in_a_circle_keep_the_last_word(hub: Hub) -> None:
    send(hub, "a", codes=["aa1"], at=1)
    send(hub, "b", codes=["bb2"], at=1)

    tell(hub, fact("merged", "a", "b", at=5))
    assert tell(hub, fact("merged", "b", "a", at=6)) == ["recorded"]
    assert tell(hub, fact("merged", "a", "b", at=4)) == ["overtaken"]

    assert keys(hub, "a") == ["a", "b merged"]
    assert golden(hub, "a") == golden(hub, "b")
    assert_sound(hub)


def test_a_delivery_that_names_the_survivor_is_a_merge(hub: Hub) -> None:
    two_clients(hub)
    loser, survivor = SourceKey.parse(key_of("a")), SourceKey.parse(key_of("b"))
    gone = Delivery(loser, TYPE, {}, is_deletion=True, merged_into=survivor)

    (first,) = deliver(hub, [gone], who="crm-east")
    before = row_marks(hub)
    (again,) = deliver(hub, [gone], who="crm-east")

    assert (first.status, first.outcome, first.golden_id) == ("updated", "kept", golden(hub, "b"))
    assert again.status == "unchanged"
    assert row_marks(hub) == before
    assert keys(hub, "b", to="crm-east") == ["b"]
    assert_sound(hub)
