"""What the hub takes out of use in a target, and into use again, is no news when the target tells it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.demo.fakes.faults import DONE_THEN_DROP, Aim
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
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


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_record_that_the_hub_took_out_of_use_keeps_its_own_words(hub: Hub, tmp_path: Path, *, is_lost: bool) -> None:
    with books(hub, tmp_path, declaration=FLAGGED) as erp:
        fields = {"companyName": "Quillon Ltd", "currency": "EUR", "city": "Turin"}
        entered = erp.fake.enter("customer", fields, by="otto").native_id
        read(hub, erp, entered)
        firm: dict[str, Any] = {"name": "Brightwater GmbH", "currency": "EUR", "city": "Bonn"}
        deliver(hub, [delivery("salesforce-us/Account:1", "customer", **firm)], who="t")
        erp.relay.drain()
        golden = golden_by_key(hub)
        other, first = (GoldenId(golden[key]) for key in (f"netsuite-us/customer:{entered}", "salesforce-us/Account:1"))

        event = perform(hub, Merge(first, other, survivor=first), MARA).event_id
        if is_lost:
            erp.fake.faults.plan(DONE_THEN_DROP, Aim(method="POST", key=entered), times=1)
        erp.relay.drain()
        assert not erp.fake.record("customer", entered).is_active
        assert read(hub, erp, entered) == "unchanged"
        assert "status" not in shown(hub, first)
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
