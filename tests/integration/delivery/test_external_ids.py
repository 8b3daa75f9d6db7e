"""A record of a target bears the id of the golden record that it belongs to, also after answers that were lost.

Systems find a record by its external id, keep it unique, and know the ids of requests: each of these alone brings back
the record of another golden record, where a first answer was lost and the record went elsewhere since.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, text

from mdm.decisions.model import Verdict
from mdm.delivery.external_ids_store import select_owners
from mdm.demo.fakes.faults import DONE_THEN_DROP, FAILING, Aim
from mdm.demo.fakes.model import Record
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.model import By, Judge, Merge, Move, Split, Undo, Unmerge
from mdm.stewardship.operations import perform
from tests.erp import Books, books
from tests.hubs import assert_sound, delivery, golden_by_key, register_instances

pytestmark = pytest.mark.db

MARA = By("mara", "looked at")
NAMES = ("Brightwater", "Halden Roe", "Quillon")
TAX_ID, PHONE = "DE811115368", "+49 228 5550100"
CITIES = ("Bonn", "Leeds", "Turin")


@dataclass(frozen=True)
class Told:
    """An ERP as a target, and what a test asks of it."""

    hub: Hub
    books: Books

    def send(self, number: int, *, at: int = 0, **fields: Any) -> GoldenId:
        """Deliver a firm from the CRM, and give its golden id."""
        key = f"salesforce-us/Account:{number}"
        values = {"name": f"{NAMES[number]} GmbH", "currency": "EUR", "city": CITIES[number], **fields}
        deliver(self.hub, [delivery(key, "customer", at=at, **values)], who="t")
        return self.golden(key)

    def enter(self, number: int, **fields: Any) -> str:
        """Let a person enter a firm in the ERP; give its number there."""
        values = {"companyName": f"{NAMES[number]} GmbH", "currency": "EUR", "city": CITIES[number], **fields}
        return self.books.fake.enter("customer", values, by="otto").native_id

    def read(self, native_id: str) -> GoldenId:
        """Deliver a record of the ERP as it is, and give its golden id."""
        record = self.record(native_id)
        key = SourceKey("netsuite-us", "customer", "", native_id)
        deliver(self.hub, [Delivery(key, "customer", dict(record.fields), record.changed_at)], who="reader")
        return self.golden(str(key))

    def record(self, native_id: str) -> Record:
        return self.books.fake.record("customer", native_id)

    def golden(self, key: str) -> GoldenId:
        return GoldenId(golden_by_key(self.hub)[key])

    def lose_answer_to_create(self, number: int, **fields: Any) -> tuple[GoldenId, str]:
        """Have a firm made in the ERP without the hub hearing of it; give its golden id, and its number there."""
        golden_id = self.send(number, **fields)
        self.books.fake.faults.plan(DONE_THEN_DROP, Aim(method="POST", key=golden_id), times=1)
        self.books.relay.drain()
        (made,) = self.books.fake.records.with_external_id("customer", golden_id)
        assert self.lane(golden_id).failure_kind == "unclear"
        return golden_id, made.native_id

    def lane(self, golden_id: GoldenId) -> Row[Any]:
        with self.hub.engine.connect() as connection:
            return connection.execute(
                text("SELECT * FROM delivery_lane WHERE golden_id = :id"), {"id": golden_id}
            ).one()

    def rest(self) -> None:
        """Let all be told that can be told within an hour."""
        for _ in range(6):
            self.books.relay.drain()
            self.books.clock.forward(minutes=11)
        with self.hub.engine.connect() as connection:
            behind = connection.execute(text("SELECT * FROM delivery_lane WHERE acknowledged < head")).all()
        assert behind == []
        assert_sound(self.hub)

    def named(self) -> dict[str, str]:
        """Give the external id of every record of the ERP."""
        return {one.native_id: one.external_id for one in self.books.fake.records.all("customer")}


@pytest.fixture
def erp(hub: Hub, tmp_path: Path) -> Iterator[Told]:
    with books(hub, tmp_path) as one:
        yield Told(hub, one)


@pytest.mark.parametrize(("is_idempotent", "answers_as_first"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("is_told_first", [True, False])
def test_a_record_whose_create_was_lost_and_that_went_elsewhere_lets_go_of_the_id_and_another_one_is_made(
    erp: Told, *, is_idempotent: bool, answers_as_first: bool, is_told_first: bool
) -> None:
    erp.books.fake.is_idempotent, erp.books.fake.answers_as_first = is_idempotent, answers_as_first
    first, made = erp.lose_answer_to_create(0)
    erp.books.fake.edit("customer", made, {"companyName": f"{NAMES[1]} GmbH", "city": CITIES[1]}, by="anna")
    second = erp.read(made)
    assert first != second
    perform(erp.hub, Judge(first, second, Verdict("different", "two firms")), MARA)

    if not is_told_first:  # the lane of the second one comes later than the repeat of the create
        with erp.hub.engine.begin() as connection:
            later = "UPDATE delivery_lane SET due_at = due_at + interval '10 minutes' WHERE golden_id = :id"
            connection.execute(text(later), {"id": second})
        erp.books.clock.forward(seconds=10)
        erp.books.relay.drain()
        lane = erp.lane(first)
        assert (lane.state, lane.failure_kind, lane.attempts, lane.waits_for) == ("ready", "taken", 2, second)
    erp.rest()

    (other,) = erp.named().keys() - {made}
    assert erp.named() == {made: second, other: first}
    assert erp.record(other).fields["companyName"] == f"{NAMES[0]} GmbH"
    assert golden_by_key(erp.hub)[f"netsuite-us/customer:{other}"] == first


def test_an_id_that_a_record_of_another_one_bears_is_not_given_and_holds_up_no_value(erp: Told) -> None:
    first, made = erp.lose_answer_to_create(0, tax_ids=[TAX_ID], phones=[PHONE])
    # Somebody entered the firm by hand meanwhile, and what the hub made is another firm by now.
    entered = erp.enter(0, vatRegNumber=TAX_ID)
    there = {"companyName": f"{NAMES[1]} GmbH", "city": CITIES[1], "vatRegNumber": ""}
    erp.books.fake.edit("customer", made, there, by="anna")
    assert erp.read(entered) == first

    erp.books.clock.forward(seconds=10)
    erp.books.relay.drain()
    assert (erp.lane(first).state, erp.lane(first).failure_kind) == ("ready", "taken")
    second = erp.read(made)
    assert second != first
    erp.rest()

    assert erp.record(entered).fields["phone"] == PHONE
    assert erp.named()[made] == second


def test_of_merged_records_the_one_that_bears_the_id_stays_and_none_is_renamed(erp: Told) -> None:
    survivor = erp.send(0)
    entered = erp.enter(1, vatRegNumber=TAX_ID)
    other = erp.read(entered)  # known longer than what is made for the survivor
    assert erp.send(1, tax_ids=[TAX_ID], phones=[PHONE]) == other
    erp.rest()
    (made,) = erp.named().keys() - {entered}
    before = {made: survivor, entered: other}
    assert erp.named() == before

    for back in (Undo, Unmerge):  # the latter is for good
        event = perform(erp.hub, Merge(survivor, other, survivor=survivor), MARA).event_id
        erp.rest()
        assert erp.named() == before
        assert (erp.record(made).is_active, erp.record(entered).is_active) == (True, False)
        perform(erp.hub, back(event), MARA)
        erp.rest()
        assert erp.named() == before
        assert erp.record(entered).is_active


def test_a_record_that_was_matched_and_bears_none_is_given_the_id_while_its_values_agree(erp: Told) -> None:
    first = erp.send(0, tax_ids=[TAX_ID], phones=[PHONE])
    erp.rest()
    (made,) = erp.named()
    entered = erp.enter(1, vatRegNumber="DE136695976", phone="+49 30 5550100")
    second = erp.read(entered)
    assert erp.named() == {made: first, entered: ""}
    before = erp.record(entered)
    erp.rest()
    assert erp.named() == {made: first, entered: second}
    assert erp.record(entered).fields == before.fields

    written = erp.record(entered).version
    erp.read(entered)
    erp.rest()
    assert erp.record(entered).version == written  # once


def test_two_records_that_change_places_get_each_the_id_of_its_own(erp: Told) -> None:
    first, second = erp.send(0, tax_ids=[TAX_ID], phones=[PHONE]), erp.send(1, tax_ids=["DE136695976"])
    place = {first: erp.enter(0, vatRegNumber=TAX_ID), second: erp.enter(1, vatRegNumber="DE136695976")}
    assert [erp.read(one) for one in place.values()] == [first, second]
    erp.rest()
    assert erp.named() == {place[first]: first, place[second]: second}

    for golden_id, other in ((first, second), (second, first)):
        perform(erp.hub, Move(SourceKey("netsuite-us", "customer", "", place[golden_id]), other), MARA)
    erp.rest()

    assert erp.named() == {place[first]: second, place[second]: first}


def test_a_record_that_is_split_away_bears_the_id_of_its_new_golden_record(erp: Told) -> None:
    first = erp.send(0, tax_ids=[TAX_ID], phones=[PHONE])
    entered = erp.enter(0, vatRegNumber=TAX_ID)
    assert erp.read(entered) == first
    erp.rest()
    assert erp.named() == {entered: first}

    key = SourceKey("netsuite-us", "customer", "", entered)
    perform(erp.hub, Split(first, (frozenset({key}),)), MARA)
    parted = erp.golden(str(key))
    assert parted != erp.golden("salesforce-us/Account:0") == first
    erp.rest()

    (made,) = erp.named().keys() - {entered}
    assert erp.named() == {entered: parted, made: first}


def test_an_id_is_let_go_of_once_its_golden_record_stands_again_with_a_record_that_bears_none(erp: Told) -> None:
    first = erp.send(0, tax_ids=[TAX_ID], phones=[PHONE])
    erp.rest()
    (made,) = erp.named()
    entered = erp.enter(0, vatRegNumber=TAX_ID)
    assert erp.read(entered) == first
    second, third = erp.send(1), erp.send(2)
    erp.rest()
    key = SourceKey("netsuite-us", "customer", "", entered)
    moved = perform(erp.hub, Move(key, third), MARA)
    perform(erp.hub, Merge(first, second, survivor=second), MARA)
    erp.rest()
    assert erp.named()[made] == first  # it forwards: its id may stay where it is

    perform(erp.hub, Undo(moved.event_id), MARA)
    assert (erp.golden(str(key)), erp.golden(f"netsuite-us/customer:{made}")) == (first, second)
    erp.rest()

    assert erp.named()[made] != first


def test_what_is_asked_after_an_id_was_taken_is_another_request_whoever_bears_it(erp: Told) -> None:
    """A person has given the id to a firm that the hub never heard of; a system may keep its refusals by request id."""
    first = erp.send(0)
    erp.rest()
    (made,) = erp.named()
    erp.books.fake.edit("customer", made, {}, by="otto", external_id="")
    entered = erp.books.fake.enter("customer", {"companyName": "Unheard of", "currency": "EUR"}, by="otto")
    erp.books.fake.edit("customer", entered.native_id, {}, by="otto", external_id=first)
    with erp.hub.engine.begin() as connection:
        connection.execute(text("UPDATE target_record SET external_id = 'cus_other'"))
    erp.send(0, at=1, city="Berlin")
    before = erp.lane(first).series

    erp.books.relay.drain()
    lane = erp.lane(first)

    assert (lane.state, lane.failure_kind) == ("ready", "taken")
    assert lane.series == before + 1


def test_a_record_that_cannot_be_read_holds_up_no_other(erp: Told) -> None:
    unreadable, *others = (erp.enter(number) for number in range(3))
    first, *rest = (erp.read(native_id) for native_id in (unreadable, *others))
    erp.books.fake.faults.plan(FAILING, Aim(method="GET", key=unreadable))

    erp.books.relay.drain()

    assert (erp.lane(first).state, erp.lane(first).failure_kind) == ("ready", "unavailable")
    assert [(erp.lane(one).failure_kind, erp.lane(one).acknowledged) for one in rest] == [(None, 1), (None, 1)]


def test_a_target_that_answers_nothing_is_not_asked_for_each_record(erp: Told) -> None:
    golden_ids = [erp.read(erp.enter(number)) for number in range(3)]
    erp.books.fake.faults.plan(FAILING, Aim(method="GET"))

    erp.books.relay.drain()

    assert [erp.lane(one).failure_kind for one in golden_ids] == ["unavailable"] * 3
    asked = [one for one in erp.books.fake.journal.entries() if one.method == "GET"]
    assert len(asked) == 3 + 2  # all at once, then two of them alone


def test_the_owner_of_an_id_is_looked_for_in_the_same_legal_entity(hub: Hub) -> None:
    register_instances(hub, "d365")
    keys = [SourceKey("d365", "Cust", scope, id_) for scope, id_ in (("usmf", "C1"), ("usrt", "C1"), ("usrt", "C2"))]
    deliver(hub, [Delivery(key, "customer", {"name": NAMES[at]}) for at, key in enumerate(keys)], who="t")
    here = GoldenId(golden_by_key(hub)[str(keys[0])])

    with hub.engine.connect() as connection:
        owners = select_owners(connection, "d365", "Cust", "usmf", ["C1", "C2", "C9"])

    assert owners == {("Cust", "usmf", "C1"): here}
