"""Answers about the past are the same for ever, and nobody is answered about an instant that may still change."""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import AsOfBeyondHorizon, GoldenRecordUnknown, SourceRecordUnknown
from mdm.hub import Hub
from mdm.identity import service
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from mdm.stewardship.model import Retire
from mdm.survivorship.service import golden_version
from tests.hubs import delivery, golden_by_key
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db

A, B = SourceKey.parse("crm-east/Account:a"), SourceKey.parse("crm-west/Account:b")


def send(hub: Hub, key: SourceKey, **fields: Any) -> None:
    deliver(hub, [delivery(str(key), "widget_hold", **fields)], who="test")


def settled(hub: Hub) -> datetime:
    """Give an instant that lies after all that was written so far and before all that follows."""
    instant = run(hub.engine, clock.horizon)
    time.sleep(0.001)
    return instant


def everything(hub: Hub, as_of: datetime) -> tuple[Any, ...]:
    """Ask every question that takes an instant."""

    def ask(connection: Any) -> tuple[Any, ...]:
        translated = service.translate(connection, [A, B], as_of=as_of)
        ids = sorted({golden_id for golden_id, _ in translated.values()})
        return (
            translated,
            service.crosswalk_pairs(connection, "crm-east", "crm-west", as_of=as_of),
            [service.crosswalk(connection, id_, as_of=as_of) for id_ in ids],
            [golden_version(connection, id_, as_of=as_of) for id_ in ids],
        )

    return run(hub.engine, ask)


def shown(answer: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(version.values) for version in answer[3]]


def test_an_answer_about_the_past_stays_the_same_whatever_is_written_later(hub: Hub) -> None:
    send(hub, A, name="red")
    alone = settled(hub)
    send(hub, B, name="blue")
    decision = stewardship.decide(hub, A, B, Verdict("same", "seen"), who="ann")
    together = settled(hub)
    first, second = everything(hub, alone), everything(hub, together)

    stewardship.revoke(hub, decision.id, who="ann")
    send(hub, A, name="green")
    deliver(hub, [delivery(str(B), "widget_hold", deleted=True)], who="test")

    again_first, again_second = everything(hub, alone), everything(hub, together)
    assert again_first[:3] == first[:3]
    assert again_second[:3] == second[:3]
    assert shown(again_first) == shown(first) == [{"name": "red"}]
    assert shown(again_second) == shown(second)
    assert first[0].keys() == {A}
    assert len({golden_id for golden_id, _ in second[0].values()}) == 1
    assert [(pair.from_key, pair.to_key) for pair in second[1]] == [(str(A), str(B))]


def test_the_present_is_told_by_leaving_the_instant_out(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    stewardship.decide(hub, A, B, Verdict("same", "seen"), who="ann")

    (pair,) = run(hub.engine, lambda c: service.crosswalk_pairs(c, "crm-east", "crm-west"))
    golden_id, entity_type = run(hub.engine, lambda c: service.golden_id_of(c, A))

    assert (pair.golden_id, pair.entity_type) == (golden_id, entity_type) == (golden_by_key(hub)[str(A)], "widget_hold")
    assert [entry.source_key for entry in run(hub.engine, lambda c: service.crosswalk(c, golden_id))] == [
        str(A),
        str(B),
    ]
    assert [e.source for e in run(hub.engine, lambda c: service.crosswalk(c, golden_id, to="crm-west"))] == ["crm-west"]
    assert run(hub.engine, lambda c: service.crosswalk_pairs(c, "crm-east", "crm-west", entity_type="customer")) == ()


def test_before_its_first_delivery_a_key_has_no_golden_record(hub: Hub) -> None:
    before = settled(hub)
    send(hub, A, name="red")

    with pytest.raises(SourceRecordUnknown):
        run(hub.engine, lambda c: service.golden_id_of(c, A, as_of=before))

    golden_id = GoldenId(golden_by_key(hub)[str(A)])
    assert run(hub.engine, lambda c: golden_version(c, golden_id, as_of=before)) is None


def test_an_instant_that_a_running_writer_may_still_reach_is_refused_with_the_horizon(hub: Hub) -> None:
    send(hub, A, name="red")
    with hub.engine.connect() as writer:
        began = clock.recording_instant(writer)

        with pytest.raises(AsOfBeyondHorizon) as refused:
            run(hub.engine, lambda c: service.translate(c, [A], as_of=clock.now()))

        assert refused.value.horizon <= began
        found = run(hub.engine, lambda c: service.translate(c, [A], as_of=refused.value.horizon))
        assert found.keys() == {A}
        writer.rollback()

    assert run(hub.engine, lambda c: service.translate(c, [A], as_of=began)).keys() == {A}


def test_the_future_is_not_settled(hub: Hub) -> None:
    with pytest.raises(AsOfBeyondHorizon):
        run(hub.engine, lambda c: service.translate(c, [A], as_of=clock.now() + timedelta(hours=1)))


def test_a_reader_does_not_hold_the_horizon_back(hub: Hub) -> None:
    with hub.engine.connect() as reader:
        service.translate(reader, [A])
        time.sleep(0.002)

        later = run(hub.engine, clock.horizon)

        assert later > run_start(reader)


def test_a_transaction_that_asks_twice_does_not_miss_a_writer_that_began_in_between(hub: Hub) -> None:
    with hub.engine.connect() as reader, hub.engine.connect() as writer:
        clock.horizon(reader)
        time.sleep(0.002)
        recorded_at = clock.recording_instant(writer)

        assert clock.horizon(reader) < recorded_at
        writer.rollback()


def run_start(connection: Any) -> datetime:
    started: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return started


def test_ids_that_were_never_given_out_are_unknown(hub: Hub) -> None:
    nobody = GoldenId("wht_00000000000000000000000000")
    for ask in (service.golden_record, service.resolve_golden, service.crosswalk, golden_version):
        with pytest.raises(GoldenRecordUnknown, match=nobody):
            run(hub.engine, lambda c, ask=ask: ask(c, nobody))  # type: ignore[misc]


def test_forwarded_ids_resolve_to_their_survivor_and_retired_ones_to_themselves(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    loser = GoldenId(golden_by_key(hub)[str(B)])
    stewardship.decide(hub, A, B, Verdict("same", "seen"), who="ann")
    survivor = run(hub.engine, lambda c: service.resolve_golden(c, loser))
    assert (survivor.id, survivor.state) == (golden_by_key(hub)[str(A)], "active")
    assert len(run(hub.engine, lambda c: service.crosswalk(c, loser))) == 2

    deliver(hub, [delivery(str(key), "widget_hold", deleted=True) for key in (A, B)], who="test")

    assert run(hub.engine, lambda c: service.resolve_golden(c, survivor.id)).state == "retired"
    assert run(hub.engine, lambda c: service.resolve_golden(c, loser)).state == "retired"
    assert run(hub.engine, lambda c: service.crosswalk(c, loser)) == ()


def test_a_key_that_leads_nowhere_any_more_says_what_became_of_it(hub: Hub) -> None:
    for key in (A, B):
        send(hub, key, name=str(key))
    golden = golden_by_key(hub)
    deliver(hub, [delivery(str(A), "widget_hold", deleted=True)], who="test")
    do(hub, Retire(GoldenId(golden[str(B)])))

    said = {}
    for key in (A, B, SourceKey.parse("crm-west/Account:never")):
        with pytest.raises(SourceRecordUnknown) as refused:
            run(hub.engine, partial(service.golden_id_of, key=key))
        said[key.native_id] = refused.value.remedy

    assert f"deleted in its source, which the hub heard on {clock.now():%Y-%m-%d}" in said["a"]
    assert f"it belonged to {golden[str(A)]}; deliver it again" in said["a"]
    assert "ann retired it on" in said["b"]
    assert said["b"].endswith(f"`mdm golden restore {golden[str(B)]}`")
    assert said["never"] == SourceRecordUnknown.hint
    assert run(hub.engine, lambda c: service.what_became(c, A, lambda _type, _source: False)) == ""
