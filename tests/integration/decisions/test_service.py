"""Decisions bind two records until they are revoked; one that cannot hold is refused with the proof."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions import service, store
from mdm.decisions.model import Decision, Signature, Verdict
from mdm.errors import DecisionContradicts, DecisionUnknown, InputInvalid
from mdm.hub import Hub
from mdm.ids import DecisionId, RecordId
from mdm.jobs.service import deliver
from tests.hubs import delivery

pytestmark = pytest.mark.db

Pair = tuple[RecordId, RecordId]


@pytest.fixture
def ids(hub: Hub) -> list[RecordId]:
    """Give the ids of four widgets that nothing joins."""
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", name=f"n{n}") for n in range(4)], who="test")
    with hub.engine.connect() as connection:
        found = connection.execute(text("SELECT id FROM source_record ORDER BY native_id")).scalars()
        return [RecordId(id_) for id_ in found]


def decide(hub: Hub, pair: Pair, judgement: Any, **said: Any) -> Decision:
    verdict = Verdict(judgement, "seen", **said)
    return run(
        hub.engine,
        lambda c: service.make_decisions(
            c, "widget_hold", [pair], verdict, signed=Signature(clock.recording_instant(c), "ann")
        )[0],
    )


def revoke(hub: Hub, decision_id: DecisionId) -> Decision:
    return run(hub.engine, lambda c: service.revoke(c, decision_id, at=clock.recording_instant(c), who="bob"))


def active(hub: Hub, ids: list[RecordId]) -> list[tuple[str, DecisionId]]:
    found = run(hub.engine, lambda c: store.select_active_decisions(c, ids))
    return [(one.verdict.judgement, one.id) for one in found]


def test_a_decision_that_repeats_an_active_one_is_that_one(hub: Hub, ids: list[RecordId]) -> None:
    first = decide(hub, (ids[0], ids[1]), "different")

    again = decide(hub, (ids[1], ids[0]), "different")

    assert again.id == first.id
    assert len(active(hub, ids)) == 1


def test_what_was_unsure_is_answered_by_the_next_decision_about_the_pair(hub: Hub, ids: list[RecordId]) -> None:
    unsure = decide(hub, (ids[0], ids[1]), "unsure")

    answer = decide(hub, (ids[1], ids[0]), "same")

    assert active(hub, ids) == [("same", answer.id)]
    ended = run(hub.engine, lambda c: store.select_decision(c, unsure.id))
    assert ended is not None
    assert ended.revoked_at is not None


def test_unsure_about_other_members_is_not_answered_and_stands_in_the_way(hub: Hub, ids: list[RecordId]) -> None:
    decide(hub, (ids[0], ids[1]), "same")
    unsure = decide(hub, (ids[1], ids[2]), "unsure")

    with pytest.raises(DecisionContradicts) as refused:
        decide(hub, (ids[0], ids[2]), "same")

    keys = [f"crm-east/Account:{n}" for n in range(3)]
    assert len(refused.value.chain) == 2
    assert refused.value.chain[0].startswith(f"{keys[0]} is the same as {keys[1]} (")
    assert refused.value.chain[1] == f"{keys[1]} is perhaps the same as {keys[2]} ({unsure.id}, ann)"


def test_the_proof_runs_over_records_that_the_decision_does_not_name(hub: Hub, ids: list[RecordId]) -> None:
    for left, right, judgement in ((0, 1, "same"), (1, 2, "same"), (2, 3, "same")):
        decide(hub, (ids[left], ids[right]), judgement)

    with pytest.raises(DecisionContradicts) as refused:
        decide(hub, (ids[0], ids[3]), "different")

    assert len(refused.value.chain) == 3
    assert len(active(hub, ids)) == 3


def test_a_revoked_decision_stands_in_nobodys_way(hub: Hub, ids: list[RecordId]) -> None:
    different = decide(hub, (ids[0], ids[1]), "different")

    ended = revoke(hub, different.id)

    assert ended.revoked_at is not None
    same = decide(hub, (ids[0], ids[1]), "same")
    assert active(hub, ids) == [("same", same.id)]


def test_revoking_twice_keeps_the_first_end(hub: Hub, ids: list[RecordId]) -> None:
    decision = decide(hub, (ids[0], ids[1]), "same")
    first = revoke(hub, decision.id)

    assert revoke(hub, decision.id) == first


def test_a_decision_that_never_was_cannot_be_revoked(hub: Hub) -> None:
    with pytest.raises(DecisionUnknown, match="dec_none"):
        revoke(hub, DecisionId("dec_none"))


def test_a_relation_keeps_its_direction_and_its_validity(hub: Hub, ids: list[RecordId]) -> None:
    valid = {"valid_from": date(2020, 1, 1), "valid_to": date(2025, 12, 31)}

    made = decide(hub, (ids[1], ids[0]), "related", relation="parent_of", **valid)

    stored = run(hub.engine, lambda c: store.select_decision(c, made.id))
    assert stored is not None
    assert stored.pair == (ids[1], ids[0])
    assert stored.verdict == Verdict("related", "seen", "parent_of", **valid)


def test_a_relation_the_other_way_round_contradicts_it(hub: Hub, ids: list[RecordId]) -> None:
    made = decide(hub, (ids[0], ids[1]), "related", relation="parent_of")

    with pytest.raises(DecisionContradicts, match="other way round") as refused:
        decide(hub, (ids[1], ids[0]), "related", relation="parent_of")

    assert refused.value.chain == (f"crm-east/Account:0 is parent_of crm-east/Account:1 ({made.id}, ann)",)


def test_sisters_are_sisters_both_ways(hub: Hub, ids: list[RecordId]) -> None:
    made = decide(hub, (ids[0], ids[1]), "related", relation="sister_of")

    assert decide(hub, (ids[1], ids[0]), "related", relation="sister_of").id == made.id


def test_related_implies_different(hub: Hub, ids: list[RecordId]) -> None:
    decide(hub, (ids[0], ids[1]), "related", relation="sister_of")

    with pytest.raises(DecisionContradicts):
        decide(hub, (ids[0], ids[1]), "same")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"judgement": "related"}, "relation"),
        ({"judgement": "same", "relation": "parent_of"}, "relation"),
        ({"judgement": "related", "relation": "cousin_of"}, "relation"),
        ({"judgement": "same", "reason": "  "}, "reason"),
        ({"judgement": "same", "valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 31)}, "valid_to"),
        ({"judgement": "same", "valid_from": date(2026, 2, 1)}, "valid_from"),
        ({"judgement": "different", "valid_to": date(2026, 2, 1)}, "valid_to"),
    ],
)
def test_a_malformed_verdict_is_refused_at_its_field(
    hub: Hub, ids: list[RecordId], said: dict[str, Any], field: str
) -> None:
    verdict = Verdict(**{"reason": "seen", **said})
    with pytest.raises(InputInvalid) as refused:
        run(
            hub.engine,
            lambda c: service.make_decisions(
                c,
                "widget_hold",
                [(ids[0], ids[1])],
                verdict,
                signed=Signature(datetime(2026, 1, 1, tzinfo=UTC), "ann"),
            ),
        )

    assert refused.value.field == field
    assert refused.value.remedy


def test_nothing_is_decided_about_one_record(hub: Hub, ids: list[RecordId]) -> None:
    with pytest.raises(InputInvalid, match="two different records"):
        decide(hub, (ids[0], ids[0]), "same")


def test_constraints_are_those_between_the_records_asked_about(hub: Hub, ids: list[RecordId]) -> None:
    decide(hub, (ids[1], ids[0]), "same")
    decide(hub, (ids[1], ids[2]), "different")
    decide(hub, (ids[2], ids[3]), "unsure")

    found = run(hub.engine, lambda c: service.constraints(c, ids[:3]))

    assert found.musts == ((ids[1], ids[0]),)
    assert found.conflicts == ((ids[1], ids[2]),)


def test_decisions_are_listed_in_the_order_they_were_made_page_by_page(hub: Hub, ids: list[RecordId]) -> None:
    made = [decide(hub, (ids[0], ids[n]), "different") for n in (1, 2, 3)]
    revoke(hub, made[0].id)

    first = run(hub.engine, lambda c: store.select_decisions(c, entity_type="widget_hold", after="", limit=2))
    rest = run(hub.engine, lambda c: store.select_decisions(c, entity_type=None, after=first[-1].id, limit=2))
    other = run(hub.engine, lambda c: store.select_decisions(c, entity_type="customer", after="", limit=2))

    assert [one.id for one in (*first, *rest)] == [one.id for one in made]
    assert other == ()
