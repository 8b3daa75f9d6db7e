"""Golden records that part take their values along: what the hub wrote into a record for members that left goes.

A field is not emptied when nobody says its value any more (`clears: false`). A value that others say, to whom the
record does not belong any more, is another thing: each target ends as it was before they were one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.connectors.record_api import RecordApi
from mdm.delivery.model import Repair
from mdm.demo.fakes.faults import DONE_THEN_DROP, Aim
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.reconcile import reconcile
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Merge, Split, Unmerge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, NETSUITE, PATIENT, Books, books
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db

MARA = By("mara", "looked at")
TAX_ID, OTHER_TAX_ID = "DE811115368", "DE129273398"
FIRMS = ({"name": "Brightwater GmbH", "city": "Bonn"}, {"name": "Halden Roe GmbH", "city": "Leeds"})
DRIFTED = ("missed", "edited", "lost", "forwarded", "unnamed", "unknown")


@dataclass
class Two:
    """An ERP that has two firms of a CRM: the first one without a tax number, the second one with it."""

    hub: Hub
    books: Books
    ids: tuple[str, ...]

    def send(self, number: int, *, at: int, **fields: Any) -> None:
        """Deliver a firm from the CRM."""
        values = {**FIRMS[number], "currency": "EUR", **fields}
        deliver(self.hub, [delivery(_account(number), "customer", at=at, **values)], who="t")

    def golden(self, number: int) -> GoldenId:
        return GoldenId(golden_by_key(self.hub)[_account(number)])

    def merge(self, survivor: int = 0) -> EventId:
        """Take both for one, and tell the ERP."""
        first, second = self.golden(0), self.golden(1)
        event = perform(self.hub, Merge(first, second, (first, second)[survivor]), MARA).event_id
        self.rest()
        return EventId(event)

    def rest(self) -> None:
        """Tell the ERP all that waits, also what failed a moment ago."""
        self.books.relay.drain()
        # A clock that is put forward would have written what a comparison takes for written after it began.
        with self.hub.engine.begin() as connection:
            connection.execute(text("UPDATE delivery_lane SET due_at = now() WHERE acknowledged < head"))
        self.books.relay.drain()

    def read(self) -> None:
        """Deliver what the ERP holds."""
        for record in self.books.fake.records.all("customer"):
            key = SourceKey("netsuite-us", "customer", "", record.native_id)
            deliver(self.hub, [Delivery(key, "customer", dict(record.fields), record.changed_at)], who="reader")

    def tax_ids(self) -> tuple[Any, ...]:
        """Give the tax numbers that both records show."""
        return tuple(self.books.fake.record("customer", one).fields.get("vatRegNumber") for one in self.ids)

    def in_use(self) -> list[bool]:
        return [self.books.fake.record("customer", one).is_active for one in self.ids]

    def drift(self, repair: Repair = "none") -> dict[str, int]:
        system = RecordApi(self.books.fake.url, self.books.fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
        try:
            report = reconcile(self.hub, "netsuite", system, who="mara", repair=repair)
        finally:
            system.close()
        found = report.counts["customer"]
        assert not found.get("waiting")
        return {name: found[name] for name in DRIFTED if found.get(name)}


def _account(number: int) -> str:
    return f"salesforce-us/Account:{number}"


@pytest.fixture(params=["deactivate", "link"])
def erp(hub: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Two]:
    with books(hub, tmp_path, declaration=NETSUITE.replace("deactivate", request.param)) as one:
        two = Two(hub, one, ())
        two.send(0, at=0)
        two.send(1, at=0, tax_ids=[TAX_ID])
        two.rest()
        named = {record.external_id: record.native_id for record in one.fake.records.all("customer")}
        two.ids = named[two.golden(0)], named[two.golden(1)]
        assert two.tax_ids() == (None, TAX_ID)
        yield two


def assert_as_before(erp: Two) -> None:
    assert erp.tax_ids() == (None, TAX_ID)
    assert erp.in_use() == [True, True]
    assert erp.drift() == {}
    writes = len(erp.books.fake.journal.writes())
    erp.read()
    erp.rest()
    assert len(erp.books.fake.journal.writes()) == writes
    assert erp.tax_ids() == (None, TAX_ID)
    assert_sound(erp.hub)


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("survivor", [0, 1])
def test_a_merge_that_is_taken_back_takes_the_value_of_the_other_one_out_again(
    erp: Two, *, survivor: int, is_read: bool
) -> None:
    event = erp.merge(survivor)
    if survivor == 0:
        assert erp.tax_ids() == (TAX_ID, TAX_ID)
    if is_read:
        erp.read()
        erp.rest()

    perform(erp.hub, Unmerge(event), MARA)
    erp.rest()

    assert_as_before(erp)


def test_a_split_takes_the_value_of_the_other_part_out_again(erp: Two) -> None:
    erp.merge()
    part = frozenset({SourceKey.parse(_account(1)), SourceKey("netsuite-us", "customer", "", erp.ids[1])})

    perform(erp.hub, Split(erp.golden(0), (part,)), MARA)
    erp.rest()

    assert_as_before(erp)


def test_a_value_that_was_asked_for_without_an_answer_goes_as_well(erp: Two) -> None:
    first, second = erp.golden(0), erp.golden(1)
    erp.books.fake.faults.plan(DONE_THEN_DROP, Aim(method="PATCH", key=erp.ids[0]), times=1)
    event = perform(erp.hub, Merge(first, second, first), MARA).event_id
    erp.books.relay.drain()
    assert erp.tax_ids()[0] == TAX_ID
    with erp.hub.engine.connect() as connection:
        kind = connection.execute(text("SELECT failure_kind FROM delivery_lane WHERE golden_id = :id"), {"id": first})
        assert kind.scalar() == "unclear"

    perform(erp.hub, Unmerge(EventId(event)), MARA)
    erp.rest()

    assert_as_before(erp)


def test_a_value_that_its_own_members_do_not_say_any_more_stays(erp: Two) -> None:
    erp.merge()

    erp.send(1, at=1)
    erp.rest()

    assert erp.tax_ids()[0] == TAX_ID
    assert erp.drift() == {}


def test_a_value_of_its_own_that_vanished_stays_when_others_leave(erp: Two) -> None:
    erp.send(0, at=1, tax_ids=[OTHER_TAX_ID])
    erp.rest()
    event = erp.merge()
    erp.send(0, at=2)
    erp.send(1, at=2)
    erp.rest()
    assert erp.tax_ids()[0] == OTHER_TAX_ID

    perform(erp.hub, Unmerge(event), MARA)
    erp.rest()

    assert erp.tax_ids()[0] == OTHER_TAX_ID
    assert erp.drift() == {}


def test_a_comparison_finds_what_is_left_of_others_and_a_repair_takes_it_out(erp: Two) -> None:
    event = erp.merge()
    perform(erp.hub, Unmerge(event), MARA)
    with erp.hub.engine.begin() as connection:  # as after a restore of the hub's lanes: nothing waits to be told
        connection.execute(text("UPDATE delivery_lane SET acknowledged = head"))
    found = erp.drift("republish")
    # The other one shows the name of the first one still, or is out of use.
    assert found == ({"missed": 2} if all(erp.in_use()) else {"missed": 1, "lost": 1})

    erp.rest()

    assert_as_before(erp)
