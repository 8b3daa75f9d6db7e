"""What the hub takes out of use in a target, and into use again, is no news when the target tells it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.demo.fakes.faults import DONE_THEN_DROP, FAILING, SCHEMA_ERROR, Aim
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
from mdm.stewardship.service import list_decisions, revoke
from tests.erp import NETSUITE, Books, books
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db

MARA = By("mara", "looked at")
FLAGGED = NETSUITE.replace(
    "        on_merge: deactivate\n", "        on_merge: deactivate\n        use_flag: isInactive\n"
)


def read(hub: Hub, erp: Books, native_id: str, *, later: timedelta = timedelta()) -> str:
    record = erp.fake.record("customer", native_id)
    key = SourceKey("netsuite-us", "customer", "", native_id)
    (outcome,) = deliver(hub, [Delivery(key, "customer", dict(record.fields), record.changed_at + later)], who="reader")
    return outcome.status


def shown(hub: Hub, golden_id: str) -> dict[str, Any]:
    with hub.engine.connect() as connection:
        newest = "SELECT values FROM golden_version WHERE golden_id = :id ORDER BY version DESC LIMIT 1"
        found: dict[str, Any] = connection.execute(text(newest), {"id": golden_id}).scalar_one()
        return found


def asked(erp: Books, native_id: str) -> list[str]:
    """Give what became of the requests to take a record out of use or into use again, in their order."""
    entries = erp.fake.journal.entries()
    return [one.effect or str(one.status) for one in entries if (one.method, one.native_id) == ("POST", native_id)]


def merged(hub: Hub, erp: Books) -> tuple[str, GoldenId, EventId]:
    """Enter a firm in the ERP and merge it into another one; give its number there, its golden id and the merge."""
    fields = {"companyName": "Quillon Ltd", "currency": "EUR", "city": "Turin"}
    entered = erp.fake.enter("customer", fields, by="otto").native_id
    read(hub, erp, entered)
    firm: dict[str, Any] = {"name": "Brightwater GmbH", "currency": "EUR", "city": "Bonn"}
    deliver(hub, [delivery("salesforce-us/Account:1", "customer", **firm)], who="t")
    erp.relay.drain()
    golden = golden_by_key(hub)
    other, first = (GoldenId(golden[key]) for key in (f"netsuite-us/customer:{entered}", "salesforce-us/Account:1"))
    return entered, other, perform(hub, Merge(first, other, survivor=first), MARA).event_id


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_record_that_the_hub_took_out_of_use_keeps_its_own_words(hub: Hub, tmp_path: Path, *, is_lost: bool) -> None:
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        entered, other, event = merged(hub, erp)
        first = GoldenId(golden_by_key(hub)["salesforce-us/Account:1"])
        if is_lost:
            erp.fake.faults.plan(DONE_THEN_DROP, Aim(method="POST", key=entered), times=1)
        erp.relay.drain()
        assert not erp.fake.record("customer", entered).is_active
        assert read(hub, erp, entered) == "unchanged"
        assert "status" not in shown(hub, first)
        erp.clock.forward(hours=1)
        erp.relay.drain()
        assert asked(erp, entered) == ["changed"]  # what was seen there is not asked for again
        perform(hub, Unmerge(event), MARA)
        erp.clock.forward(hours=1)
        erp.relay.drain()
        assert erp.fake.record("customer", entered).is_active
        assert read(hub, erp, entered) == "unchanged"

        assert shown(hub, other) == {"legal_name": "Quillon Ltd", "currency": "EUR", "city": "Turin"}
        # What its own people do with it is news.
        erp.fake.deactivate("customer", entered, by="otto")
        assert read(hub, erp, entered, later=timedelta(hours=2)) == "updated"
        assert shown(hub, other)["status"] == "inactive"
        assert_sound(hub)


def test_what_was_refused_leaves_no_doubt(hub: Hub, tmp_path: Path) -> None:
    """Nothing was done there, so that nothing has to be taken back."""
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        entered, other, event = merged(hub, erp)
        erp.fake.faults.plan(SCHEMA_ERROR, Aim(method="POST", key=entered), times=1)
        erp.relay.drain()
        assert asked(erp, entered) == ["422"]
        assert intended(hub, entered) is None

        perform(hub, Unmerge(event), MARA)
        erp.clock.forward(hours=1)
        erp.relay.drain()

        assert golden_by_key(hub)[f"netsuite-us/customer:{entered}"] == other
        assert asked(erp, entered) == ["422"]
        assert erp.fake.record("customer", entered).is_active


def test_a_late_word_of_an_earlier_state_says_nothing_of_how_the_record_is_now(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        entered, _, event = merged(hub, erp)
        erp.relay.drain()
        late = erp.fake.record("customer", entered)
        assert late.fields["isInactive"]
        perform(hub, Unmerge(event), MARA)
        erp.clock.forward(hours=1)
        erp.relay.drain()
        assert asked(erp, entered) == ["changed", "changed"]

        key = SourceKey("netsuite-us", "customer", "", entered)
        (outcome,) = deliver(hub, [Delivery(key, "customer", dict(late.fields), late.changed_at)], who="reader")
        assert outcome.status == "unchanged"
        with hub.engine.connect() as connection:
            state = "SELECT state FROM target_record WHERE native_id = :id"
            assert connection.execute(text(state), {"id": entered}).scalar_one() == "active"


def test_a_late_word_is_no_proof_of_what_is_being_written_though_it_says_the_same(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        entered, other, event = merged(hub, erp)
        first = GoldenId(golden_by_key(hub)["salesforce-us/Account:1"])
        erp.relay.drain()
        late = erp.fake.record("customer", entered)
        perform(hub, Unmerge(event), MARA)
        erp.clock.forward(hours=1)
        erp.relay.drain()
        for decision in list_decisions(hub):
            revoke(hub, decision.id, who="mara")
        perform(hub, Merge(first, other, survivor=first), MARA)
        erp.fake.faults.plan(FAILING, Aim(method="POST", key=entered), times=1)
        erp.relay.drain()
        assert asked(erp, entered) == ["changed", "changed", "500"]

        key = SourceKey("netsuite-us", "customer", "", entered)
        deliver(hub, [Delivery(key, "customer", dict(late.fields), late.changed_at)], who="reader")
        erp.clock.forward(hours=1)
        erp.relay.drain()

        assert asked(erp, entered)[3:] == ["changed"]
        assert not erp.fake.record("customer", entered).is_active


def test_what_was_not_answered_is_our_own_though_an_earlier_change_of_the_record_was(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        entered = erp.fake.enter("customer", {"companyName": "Quillon Ltd", "currency": "EUR"}, by="otto").native_id
        read(hub, erp, entered)
        deliver(hub, [delivery("salesforce-us/Account:1", "customer", name="Brightwater", currency="EUR")], who="t")
        erp.relay.drain()
        golden = golden_by_key(hub)
        other, first = (GoldenId(golden[key]) for key in (f"netsuite-us/customer:{entered}", "salesforce-us/Account:1"))
        event = perform(hub, Merge(first, other, survivor=first), MARA).event_id
        erp.clock.forward(hours=1)
        erp.relay.drain()
        perform(hub, Unmerge(event), MARA)
        news = delivery("salesforce-us/Account:2", "customer", name="Zephyr", currency="EUR", city="Rome")
        deliver(hub, [news], who="t")
        second = GoldenId(golden_by_key(hub)["salesforce-us/Account:2"])
        perform(hub, Merge(other, second, survivor=other), MARA)
        erp.fake.faults.plan(DONE_THEN_DROP, Aim(method="PATCH", key=entered), times=1)
        erp.clock.forward(hours=1)
        erp.relay.drain(turns_max=1)

        assert asked(erp, entered) == ["changed", "changed"]
        assert erp.fake.record("customer", entered).fields["city"] == "Rome"
        assert read(hub, erp, entered) == "unchanged"
        assert_sound(hub)


def intended(hub: Hub, native_id: str) -> object:
    with hub.engine.connect() as connection:
        query = text("SELECT intended FROM target_record WHERE native_id = :id")
        return connection.execute(query, {"id": native_id}).scalar_one()
