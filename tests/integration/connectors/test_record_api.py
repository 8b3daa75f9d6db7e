"""The connector writes in order, takes what a system has already, and says what a person needs to know."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Any

import pytest

from mdm.connectors.model import CallFailed, Change, Failure, Load, Receipt
from mdm.connectors.record_api import FAILURES_IN_A_ROW_MAX, RecordApi
from mdm.demo.fakes.clock import VirtualClock
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import FAILING, SCHEMA_ERROR, THROTTLED, Aim, Fault
from mdm.demo.fakes.limits import Rate
from mdm.demo.fakes.records import Records
from mdm.demo.fakes.wire import running
from tests.integration.connectors.systems import LOOPBACK, TRUST, new_client, one, spoken_to, system, update

SECRET = "Zyxwvut Holdings"  # a value that must stand in no reason
WEST, EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


def failure(outcome: Receipt | Failure) -> Failure:
    assert isinstance(outcome, Failure)
    return outcome


def receipt(outcome: Receipt | Failure) -> Receipt:
    assert isinstance(outcome, Receipt), outcome
    return outcome


def account(request_id: str, name: str, external_id: str = "", **fields: Any) -> Change:
    return Change(request_id, "create", "Account", "", "", {"Name": name, **fields}, external_id=external_id)


def test_a_create_gives_the_new_id_and_what_was_written_can_be_read() -> None:
    with system(ERP) as (fake, connector):
        made = receipt(one(connector, new_client(city="Bonn")))

        read = connector.read("customer", [made.native_id, "9999"])

        assert (made.request_id, made.native_id, made.version, made.differing) == ("r1", "1001", "1", ())
        assert list(read) == ["1001"]
        assert (read["1001"].fields["city"], read["1001"].external_id) == ("Bonn", "cus_1")
        assert fake.record("customer", "1001").changed_by == "hub"


def test_a_create_that_finds_its_external_id_takes_that_record_and_names_what_differs() -> None:
    with system(ERP) as (fake, connector):
        fake.enter(
            "customer", {"companyName": "Acme", "currency": "EUR", "city": "Ulm"}, by="anna", external_id="cus_1"
        )

        taken = receipt(one(connector, new_client(companyName="Acme", city="Bonn", zip="53111", terms=None)))

        assert (taken.native_id, taken.differing) == ("1001", ("city", "zip"))
        assert len(fake.records.all("customer")) == 1
        assert fake.record("customer", "1001").fields["city"] == "Ulm"


def test_a_repeat_does_not_undo_what_a_user_did_since() -> None:
    with system(ERP) as (fake, connector):
        fake.enter("customer", {"companyName": "Acme", "currency": "EUR"}, by="anna")
        one(connector, update("r1", "1001", city="Bonn"))
        fake.edit("customer", "1001", {"city": "Ulm"}, by="anna")

        repeated = receipt(one(connector, update("r1", "1001", city="Bonn")))

        assert (repeated.differing, fake.record("customer", "1001").fields["city"]) == (("city",), "Ulm")


def test_changes_of_one_record_arrive_in_their_order() -> None:
    with system(ERP) as (fake, connector):
        for name in ("A", "B", "C"):
            fake.enter("customer", {"companyName": name, "currency": "EUR"}, by="anna")
        changes = [
            update(f"r{number}-{native_id}", native_id, phone=str(number))
            for number in range(10)
            for native_id in ("1001", "1002", "1003")
        ]

        outcomes = connector.write(changes)

        assert [outcome.request_id for outcome in map(receipt, outcomes)] == [change.request_id for change in changes]
        for native_id in ("1001", "1002", "1003"):
            arrived = [entry.changed["phone"] for entry in fake.journal.writes("customer", native_id)]
            assert arrived == [str(number) for number in range(10)]


def test_after_a_failure_the_later_changes_of_that_record_are_not_sent() -> None:
    with system(ERP) as (fake, connector):
        for name in ("A", "B"):
            fake.enter("customer", {"companyName": name, "currency": "EUR"}, by="anna")
        fake.faults.plan(FAILING, Aim(key="1001"), times=1)

        first, second, other = connector.write(
            [update("r1", "1001", city="Bonn"), update("r2", "1001", city="Ulm"), update("r3", "1002", city="Bonn")]
        )

        assert [failure(first).kind, failure(second).kind] == ["unavailable", "unavailable"]
        assert failure(second).reason == "not sent, after: 500 Internal Server Error (failing)"
        assert receipt(other).native_id == "1002"
        assert "city" not in fake.record("customer", "1001").fields


@pytest.mark.parametrize("fault", [THROTTLED, FAILING])
def test_a_system_that_takes_nothing_more_is_left_in_peace(fault: Any) -> None:
    with system(ERP) as (fake, connector):
        fake.faults.plan(fault)

        outcomes = connector.write([new_client(f"r{number}", f"cus_{number}") for number in range(100)])

        # Four threads may each be on their way when the brake is pulled.
        assert {failure(outcome).kind for outcome in outcomes} == {failure(outcomes[0]).kind}
        assert len(fake.journal.entries()) <= FAILURES_IN_A_ROW_MAX + 3


def test_records_that_are_refused_do_not_hold_up_the_others() -> None:
    with system(ERP) as (fake, connector):
        changes = [new_client(f"r{number}", f"cus_{number}") for number in range(40)]
        for number in range(0, 40, 2):
            fake.faults.plan(SCHEMA_ERROR, Aim(key=f"cus_{number}"))

        outcomes = connector.write(changes)

        assert [isinstance(outcome, Receipt) for outcome in outcomes] == [False, True] * 20


def test_a_refused_key_is_not_tried_until_the_account_is_locked() -> None:
    with system(ERP) as (fake, _):
        with spoken_to(fake) as connector:
            fake.change_hub_key("another")
            outcomes = connector.write([new_client(f"r{number}", f"cus_{number}") for number in range(50)])
        with spoken_to(fake) as connector:
            afterwards = one(connector, new_client())

        assert {failure(outcome).kind for outcome in outcomes} == {"not_allowed"}
        assert receipt(afterwards).native_id == "1001"


def test_no_more_than_the_agreed_number_of_requests_is_under_way_at_a_time() -> None:
    with system(ERP) as (fake, _):
        fake.latency_s = 0.02
        connector = RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, tls=TRUST, load=Load(concurrency=3))

        connector.write([new_client(f"r{number}", f"cus_{number}") for number in range(12)])
        connector.close()

        assert (fake.most_under_way, len(fake.records.all("customer"))) == (3, 12)


def test_every_request_is_counted() -> None:
    counted: list[int] = []
    with system(ERP) as (fake, _):
        connector = RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, tls=TRUST, load=Load(1, counted.append))

        connector.write([new_client(f"r{number}", f"cus_{number}") for number in range(3)])
        connector.close()

        # Each was made and read back.
        assert (len(fake.journal.entries()), sum(counted)) == (6, 6)


def test_a_person_is_told_the_fields_but_no_value() -> None:
    with system(ERP) as (_, connector):
        refused = failure(one(connector, new_client(currency="XXX", terms=SECRET, shoeSize=SECRET)))

        assert refused.kind == "refused"
        named = "currency unknown_value, terms unknown_value, shoeSize unknown_field"
        assert refused.reason == f"422 {HTTPStatus(422).phrase} (invalid_fields): {named}"


def test_a_duplicate_rule_names_the_records_in_the_way() -> None:
    with system(CRM) as (fake, connector):
        there = fake.enter("Account", {"Name": SECRET, "VAT_Number__c": "DE1"}, by="anna").native_id
        fake.records.has_duplicate_rule = True

        refused = failure(one(connector, account("r1", SECRET, "cus_1", VAT_Number__c="DE1")))

        assert refused.kind == "refused"
        assert refused.reason == f"409 Conflict (duplicate): VAT_Number__c duplicate, see {there}"


def test_two_records_with_one_external_id_are_ambiguous() -> None:
    with system(CRM) as (fake, connector):
        ids = [fake.enter("Account", {"Name": name}, by="anna").native_id for name in "AB"]
        for native_id in ids:
            fake.edit("Account", native_id, {}, by="anna", external_id="cus_1")

        unsure = failure(one(connector, account("r1", "A", "cus_1")))

        assert unsure.kind == "ambiguous"
        assert unsure.reason == f"300 Multiple Choices (several_records): see {ids[0]}, see {ids[1]}"


def test_an_external_id_that_another_record_bears_is_taken_until_that_one_is_released() -> None:
    with system(ERP) as (fake, connector):
        for name, external_id in (("A", "cus_1"), ("B", "")):
            values = {"companyName": name, "currency": "EUR"}
            fake.enter("customer", values, by="anna", external_id=external_id)
        named = Change("r1", "update", "customer", "", "1002", {}, external_id="cus_1")

        taken = failure(one(connector, named))
        receipt(one(connector, Change("r2", "release", "customer", "", "1001", {})))
        given = receipt(one(connector, replace(named, request_id="r3")))

        assert (taken.kind, taken.records) == ("taken", ("1001",))
        assert taken.reason == "409 Conflict (external_id_taken): see 1001"
        assert given.native_id == "1002"
        assert [fake.record("customer", one).external_id for one in ("1001", "1002")] == ["", "cus_1"]
        assert fake.record("customer", "1001").fields["companyName"] == "A"


def test_a_repeat_that_is_answered_with_a_record_that_bears_another_id_by_now_names_it() -> None:
    with system(ERP) as (fake, connector):
        made = receipt(one(connector, new_client())).native_id
        fake.edit("customer", made, {}, by="anna", external_id="cus_2")

        unsure = failure(one(connector, new_client()))

        assert (unsure.kind, unsure.records) == ("unclear", (made,))


def test_records_are_read_in_the_legal_entity_that_is_named() -> None:
    with system(ERP, "usmf", "demf") as (fake, connector):
        for scope in ("usmf", "demf"):
            values = {"companyName": scope, "currency": "EUR"}
            fake.enter("customer", values, by="anna", scope=scope, native_id="C1")

        read = connector.read("customer", ["C1"], scope="demf")

        assert read["C1"].fields["companyName"] == "demf"


def test_a_merge_leaves_a_pointer_and_a_later_write_names_the_survivor() -> None:
    with system(CRM) as (fake, connector):
        loser, survivor = (receipt(one(connector, account(f"r{name}", name))).native_id for name in "AB")
        merge = Change("r1", "merge", "Account", "", loser, {}, into=survivor)

        done = [receipt(one(connector, merge)), receipt(one(connector, merge))]
        late = failure(one(connector, Change("r2", "update", "Account", "", loser, {"Phone": "1"})))
        read = connector.read("Account", [loser])[loser]

        assert [each.native_id for each in done] == [loser, loser]
        assert (late.kind, late.reason) == ("refused", f"404 Not Found (merged_away): merged into {survivor}")
        assert (read.is_active, read.merged_into) == (False, survivor)
        assert len(fake.journal.writes("Account", loser)) == 2  # created, merged


def test_the_erp_refuses_a_merge_and_deactivates_until_it_is_taken_back() -> None:
    with system(ERP) as (_, connector):
        loser, survivor = (receipt(one(connector, new_client(f"r{n}", f"cus_{n}"))).native_id for n in (1, 2))

        merged = failure(one(connector, Change("r3", "merge", "customer", "", loser, {}, into=survivor)))
        off = receipt(one(connector, Change("r4", "deactivate", "customer", "", loser, {})))
        seen_off = connector.read("customer", [loser])[off.native_id]
        on = receipt(one(connector, Change("r5", "reactivate", "customer", "", loser, {})))
        seen_on = connector.read("customer", [loser])[on.native_id]

        assert (merged.kind, merged.reason) == ("unsupported", "409 Conflict (cannot_merge)")
        assert (seen_off.is_active, seen_on.is_active) == (False, True)


@pytest.mark.parametrize(
    ("status", "of_a_merge", "of_another_write"),
    [
        (405, "unsupported", "refused"),
        (501, "unsupported", "unavailable"),
        (404, "refused", "refused"),
        (422, "refused", "refused"),
        (500, "unavailable", "unavailable"),
    ],
)
def test_only_a_merge_is_taken_for_one_that_its_system_does_not_know(
    status: int, of_a_merge: str, of_another_write: str
) -> None:
    with system(CRM) as (fake, connector):
        loser, survivor = (receipt(one(connector, account(f"r{name}", name))).native_id for name in "AB")
        fake.faults.plan(Fault("answered", "answer", status=status), Aim(key=loser), times=2)

        merged = failure(one(connector, Change("r1", "merge", "Account", "", loser, {}, into=survivor)))
        off = failure(one(connector, Change("r2", "deactivate", "Account", "", loser, {})))

        assert (merged.kind, off.kind) == (of_a_merge, of_another_write)


def test_a_scope_is_part_of_what_is_written_and_read() -> None:
    with system(ERP, "usmf", "demf") as (fake, connector):
        changes = [
            Change(f"r-{scope}", "create", "customer", scope, "", {"companyName": "A", "currency": "EUR"}, "cus_1")
            for scope in ("usmf", "demf")
        ]
        made = [receipt(outcome) for outcome in connector.write(changes)]

        edited = one(connector, Change("r3", "update", "customer", "demf", made[1].native_id, {"city": "Bonn"}))
        wrong = one(connector, Change("r4", "update", "customer", "usmf", made[1].native_id, {"city": "Ulm"}))

        assert receipt(edited).native_id == made[1].native_id
        assert failure(wrong).kind == "refused"
        read = connector.read("customer", [made[1].native_id])[made[1].native_id]
        assert (read.scope, read.fields["city"]) == ("demf", "Bonn")
        assert {record.scope for record in fake.records.all("customer")} == {"usmf", "demf"}


def test_an_id_of_any_letters_reaches_its_record() -> None:
    with system(ERP) as (fake, connector):
        odd = "C/1 ?#%2Fä"
        fake.enter("customer", {"companyName": "A", "currency": "EUR"}, by="anna", native_id=odd)

        done = receipt(one(connector, update("r1", odd, city="Straße 5 & 6, «Zürich»\n2. Stock")))

        assert done.native_id == odd
        assert connector.read("customer", [odd])[odd].fields["city"] == "Straße 5 & 6, «Zürich»\n2. Stock"


def test_pages_lead_through_all_records_and_what_changed_since() -> None:
    with system(ERP) as (fake, connector):
        for number in range(25):
            fake.enter("customer", {"companyName": f"Client {number}", "currency": "EUR"}, by="anna")
        seen, cursor, is_last = [], "", False
        while not is_last:
            page = connector.changed("customer", after=cursor, limit=10)
            seen += [record.native_id for record in page.records]
            cursor, is_last = page.cursor, page.is_last
        fake.edit("customer", "1003", {"city": "Bonn"}, by="anna")

        later = connector.changed("customer", after=cursor, limit=10)
        end = connector.changed("customer", after=later.cursor, limit=10)

        assert seen == [str(number) for number in range(1001, 1026)]
        assert [(record.native_id, record.fields["city"]) for record in later.records] == [("1003", "Bonn")]
        assert (list(end.records), end.cursor, end.is_last) == ([], later.cursor, True)


@pytest.mark.parametrize("start", [datetime.max.replace(tzinfo=WEST), datetime.min.replace(tzinfo=EAST)])
def test_a_record_that_changed_outside_of_the_calendar_is_no_record(start: datetime) -> None:
    with running(Fake(ERP)) as fake, spoken_to(fake) as connector:
        fake.records = Records(ERP, VirtualClock(start))
        fake.enter("customer", {"companyName": "Acme", "currency": "EUR"}, by="anna", native_id="7")

        with pytest.raises(CallFailed, match="no record"):
            connector.read("customer", ["7"])


def test_an_address_that_leads_nowhere_is_not_taken_for_records_that_are_gone() -> None:
    """A wrong address answers 404 to all: taken for the records, every one of them would count as lost."""
    with system(ERP) as (fake, _), spoken_to(fake, url=f"{fake.url}/elsewhere") as connector:
        with pytest.raises(CallFailed) as failed:
            connector.read("customer", ["1001"])

        assert failed.value.failure.kind == "refused"


def test_the_limit_of_a_system_is_throttled_with_its_wait() -> None:
    with system(ERP) as (fake, connector):
        fake.limits.rate = Rate(4, window_s=60)  # two creates, each read back

        outcomes = [one(connector, new_client(f"r{number}", f"cus_{number}")) for number in range(3)]
        fake.clock.advance(60)  # type: ignore[attr-defined] # it is the clock of `system`
        afterwards = one(connector, new_client("r2", "cus_2"))

        assert [isinstance(outcome, Receipt) for outcome in outcomes] == [True, True, False]
        assert (failure(outcomes[2]).kind, failure(outcomes[2]).retry_after_s) == ("throttled", 60.0)
        assert receipt(afterwards).native_id == "1003"


def test_values_that_json_does_not_know_are_refused_before_they_are_sent() -> None:
    with system(ERP) as (fake, connector):
        refused = failure(one(connector, new_client(creditLimit=2**70)))

        assert (refused.kind, fake.journal.entries()) == ("refused", ())
