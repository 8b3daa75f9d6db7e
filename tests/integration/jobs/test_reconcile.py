"""What a target holds otherwise than it should is found, named by which side moved, and mended by policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.connectors.record_api import RecordApi
from mdm.db.transaction import run
from mdm.delivery.model import Repair
from mdm.delivery.orders import skip
from mdm.delivery.orders_model import Asked
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.model import Record
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.backfill import apply_backfill, plan_backfill
from mdm.jobs.reconcile import is_too_many, reconcile, reconcile_due
from mdm.jobs.service import deliver
from mdm.reconciliation.model import Report
from mdm.reconciliation.service import readings_of_drift
from mdm.sources.model import Delivery
from mdm.stewardship.model import By, Merge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, NETSUITE, PATIENT, Books, books
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on

pytestmark = pytest.mark.db

DECLARED = NETSUITE.replace(
    "          phones:", "          payment_terms: {{field: terms, owner: target}}\n          phones:"
)
EVERY_HOUR = DECLARED.replace(
    "    records:\n", "    reconcile: {{every_hours: 1, repair: republish}}\n    records:\n", 1
)
NAMES = ("Brightwater", "Halden Roe", "Quillon", "Marchetti")
DRIFTED = ("missed", "edited", "lost", "forwarded", "unnamed", "unknown")


@dataclass(frozen=True)
class Told:
    """An ERP that was told of four firms; `ids` are their numbers there."""

    books: Books
    ids: tuple[str, ...]

    @property
    def fake(self) -> Fake:
        return self.books.fake

    def drain(self) -> None:
        self.books.relay.drain()

    def held(self, number: int) -> Record:
        return self.fake.record("customer", self.ids[number])

    def edit(self, number: int, **fields: Any) -> None:
        self.fake.edit("customer", self.ids[number], fields, by="anna")


@pytest.fixture
def erp(hub: Hub, tmp_path: Path) -> Iterator[Told]:
    with books(hub, tmp_path, declaration=DECLARED) as one:
        deliver(hub, [firm(number) for number in range(len(NAMES))], who="t")
        one.relay.drain()
        golden = golden_by_key(hub)
        named = {record.external_id: record.native_id for record in one.fake.records.all("customer")}
        yield Told(one, tuple(named[golden[f"salesforce-us/Account:{number}"]] for number in range(len(NAMES))))


def firm(number: int, *, at: int = 0, **fields: Any) -> Delivery:
    name = NAMES[number]
    values = {"name": f"{name} GmbH", "currency": "EUR", "city": "Bonn", "website": f"{name.split()[0]}.example"}
    return delivery(f"salesforce-us/Account:{number}", "customer", at=at, **{**values, **fields})


def send(hub: Hub, number: int, *, at: int = 0, **fields: Any) -> None:
    (outcome,) = deliver(hub, [firm(number, at=at, **fields)], who="t")
    assert outcome.status in {"created", "updated"}, outcome


def compared(hub: Hub, erp: Told, repair: Repair = "none") -> Report:
    system = RecordApi(erp.fake.url, erp.fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
    try:
        return reconcile(hub, "netsuite", system, who="mara", repair=repair)
    finally:
        system.close()


def drift(report: Report) -> dict[str, int]:
    found = report.counts.get("customer", {})
    return {name: found[name] for name in DRIFTED if found.get(name)}


def example(report: Report, finding: str) -> Any:
    (one,) = report.examples["customer"][finding]
    return one


def assert_mended(hub: Hub, erp: Told) -> None:
    erp.drain()
    assert drift(compared(hub, erp)) == {}
    assert_sound(hub)


def disturb(hub: Hub, erp: Told) -> None:
    """Let something of each kind happen behind the hub's back."""
    erp.edit(0, companyName="Somebody Else Ltd")
    erp.fake.deactivate("customer", erp.ids[1], by="anna")
    erp.fake.delete("customer", erp.ids[2])
    erp.fake.enter("customer", {"companyName": "Ostrava Steel AS", "currency": "CZK"}, by="anna", native_id="2001")
    # A change that the lane says was told, and was not: as after a restore of the target.
    send(hub, 3, at=1, city="Berlin")
    settle(hub, 3)


def settle(hub: Hub, number: int) -> None:
    golden_id = golden_by_key(hub)[f"salesforce-us/Account:{number}"]
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE delivery_lane SET acknowledged = head WHERE golden_id = :golden"), {"golden": golden_id}
        )


def test_a_target_that_holds_what_it_should_has_no_drift(hub: Hub, erp: Told) -> None:
    erp.edit(0, terms="Net 60", phone="+49 228 1")

    report = compared(hub, erp)

    assert drift(report) == {}
    assert report.counts["customer"]["compared"] == 4


def test_each_difference_is_named_by_the_side_that_moved(hub: Hub, erp: Told) -> None:
    golden = golden_by_key(hub)
    disturb(hub, erp)
    report = compared(hub, erp)

    assert drift(report) == {"missed": 1, "edited": 1, "lost": 2, "unknown": 1}
    assert example(report, "edited") == {
        "golden_id": golden["salesforce-us/Account:0"],
        "record": f"netsuite-us/customer:{erp.ids[0]}",
        "fields": ["companyName"],
    }
    assert example(report, "missed")["fields"] == ["city"]
    assert {one["lost"] for one in report.examples["customer"]["lost"]} == {"inactive", "gone"}
    assert example(report, "unknown")["record"] == "netsuite-us/customer:2001"
    assert "Somebody" not in str(report)
    (told,) = run(hub.engine, readings_of_drift)
    assert (told.target, told.state) == ("netsuite", "found")
    assert told.counts == {"missed": 1, "edited": 1, "lost": 2, "forwarded": 0, "unnamed": 0, "unknown": 1}
    assert told.overdue_s is None, "nobody declared that it shall be compared"


@pytest.mark.parametrize("repair", ["republish", "ingest"])
def test_a_repair_leaves_no_drift(hub: Hub, erp: Told, repair: Repair) -> None:
    disturb(hub, erp)

    assert compared(hub, erp, repair).state == "repaired"
    erp.drain()

    # The CRM's name outranks the ERP's, so an edit there is put back, whether the hub heard of it or not.
    assert erp.held(0).fields["companyName"] == "Brightwater GmbH"
    assert erp.held(1).is_active is (repair == "republish")
    assert "netsuite-us/customer:2001" in golden_by_key(hub)
    assert [one.fields["companyName"] for one in erp.fake.records.all("customer")].count("Quillon GmbH") == 1
    assert_mended(hub, erp)


def test_an_edit_that_survives_is_taken_over_by_ingest_only(hub: Hub, erp: Told) -> None:
    erp.edit(0, currency="USD")
    assert drift(compared(hub, erp, "ingest")) == {"edited": 1}
    assert_mended(hub, erp)

    assert erp.held(0).fields["currency"] == "USD"  # the ERP's currency outranks the CRM's
    erp.edit(1, currency="USD")
    compared(hub, erp, "republish")
    assert_mended(hub, erp)
    assert erp.held(1).fields["currency"] == "EUR"


def test_only_the_fields_that_differ_are_written_and_the_order_is_audited(hub: Hub, erp: Told) -> None:
    erp.edit(0, city="Köln")
    compared(hub, erp, "republish")
    written = len(erp.fake.journal.writes("customer", erp.ids[0]))
    erp.drain()

    (last,) = erp.fake.journal.writes("customer", erp.ids[0])[written:]
    assert dict(last.changed) == {"city": "Bonn"}
    with hub.engine.connect() as connection:
        orders = connection.execute(text("SELECT kind, lanes, who FROM delivery_order")).all()
        assert [tuple(row) for row in orders] == [("republish", 1, "mara")]
        audited = "SELECT count(*) FROM audit_entry a JOIN delivery_order o ON o.id = a.subject_id"
        assert connection.execute(text(audited)).scalar_one() == 1


def test_a_lane_on_its_way_explains_a_difference(hub: Hub, erp: Told) -> None:
    send(hub, 0, at=1, city="Berlin")

    report = compared(hub, erp)

    assert drift(report) == {}
    assert report.counts["customer"]["waiting"] == 1
    assert_mended(hub, erp)


def test_what_was_skipped_or_is_frozen_is_no_drift(hub: Hub, erp: Told) -> None:
    golden = golden_by_key(hub)
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO attribute_freeze (id, golden_id, attribute, reason, recorded_at, who)"
                " VALUES ('frz_1', :golden, 'city', 'flip-flop', now(), 'hub')"
            ),
            {"golden": golden["salesforce-us/Account:1"]},
        )
    erp.edit(1, city="Köln")
    send(hub, 2, at=1, city="Berlin")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET state = 'dead' WHERE acknowledged < head"))
    asked = Asked(GoldenId(golden["salesforce-us/Account:2"]))
    run(hub.engine, lambda connection: skip(connection, "netsuite", asked, reason="not theirs", who="mara"))

    report = compared(hub, erp)

    assert drift(report) == {}
    assert report.counts["customer"]["left_out"] == 1


def test_a_parked_lane_is_drift_and_a_repair_tries_it_again(hub: Hub, erp: Told) -> None:
    send(hub, 2, at=1, city="Berlin")
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET state = 'dead' WHERE acknowledged < head"))

    assert drift(compared(hub, erp, "republish")) == {"missed": 1}
    assert_mended(hub, erp)
    assert erp.held(2).fields["city"] == "Berlin"


def test_a_record_that_bears_the_id_of_a_forwarded_one_is_told_the_new_one(hub: Hub, erp: Told) -> None:
    golden = golden_by_key(hub)
    old, new = GoldenId(golden["salesforce-us/Account:3"]), GoldenId(golden["salesforce-us/Account:0"])
    perform(hub, Merge(old, new), By("mara", "the same"))
    erp.drain()
    merged = golden_by_key(hub)["salesforce-us/Account:0"]
    staying = next(one for one in erp.fake.records.all("customer") if one.external_id in {old, new} and one.is_active)
    other = old if merged == new else new
    for one in erp.fake.records.all("customer"):
        if one.external_id == other and one.native_id != staying.native_id:
            erp.fake.edit("customer", one.native_id, {}, by="anna", external_id="")
    erp.fake.edit("customer", staying.native_id, {}, by="anna", external_id=other)

    report = compared(hub, erp, "republish")

    assert drift(report) == {"forwarded": 1}
    assert_mended(hub, erp)
    assert erp.fake.record("customer", staying.native_id).external_id == merged


@pytest.mark.parametrize("repair", ["republish", "ingest"])
def test_a_record_whose_id_was_emptied_there_is_given_it_again(hub: Hub, erp: Told, repair: Repair) -> None:
    golden = golden_by_key(hub)
    erp.fake.edit("customer", erp.ids[0], {}, by="anna", external_id="")

    report = compared(hub, erp, repair)

    assert drift(report) == {"unnamed": 1}
    assert example(report, "unnamed")["golden_id"] == golden["salesforce-us/Account:0"]
    before = erp.fake.record("customer", erp.ids[0]).fields
    assert_mended(hub, erp)
    after = erp.fake.record("customer", erp.ids[0])
    assert (after.external_id, after.fields) == (golden["salesforce-us/Account:0"], before)


def test_a_backfill_that_is_repeated_brings_what_its_plan_says_of_records_that_were_told(hub: Hub, erp: Told) -> None:
    golden = golden_by_key(hub)
    erp.fake.edit("customer", erp.ids[0], {}, by="anna", external_id="")
    system = RecordApi(erp.fake.url, erp.fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
    try:
        plan = plan_backfill(hub, "netsuite", system, who="mara")
        erp.drain()
        assert erp.fake.record("customer", erp.ids[0]).external_id == ""
        apply_backfill(hub, "netsuite", system, who="mara")
        erp.drain()
        assert plan.counts["customer"]["named"] == 1
        assert erp.fake.record("customer", erp.ids[0]).external_id == golden["salesforce-us/Account:0"]
        assert "named" not in plan_backfill(hub, "netsuite", system, who="mara").counts["customer"]
    finally:
        system.close()


def test_the_worker_reconciles_what_is_due_by_the_declaration(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "hub-key")
    hub = hub_on(engine, outgoing_networks="127.0.0.0/8")
    with books(hub, tmp_path, declaration=EVERY_HOUR) as erp:
        send(hub, 0)
        erp.relay.drain()
        assert reconcile_due(hub) == 1
        erp.fake.edit("customer", "1001", {"city": "Köln"}, by="anna")
        assert reconcile_due(hub) == 0
        hours_pass(hub, 1)

        assert reconcile_due(hub) == 1
        erp.relay.drain()
        assert erp.fake.record("customer", "1001").fields["city"] == "Bonn"


def test_a_comparison_is_overdue_until_one_comes_to_its_end(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "another-key")
    hub = hub_on(engine, outgoing_networks="127.0.0.0/8")
    with books(hub, tmp_path, declaration=EVERY_HOUR):
        assert run(hub.engine, readings_of_drift) == ()
        assert reconcile_due(hub) == 0, "the key is another one, so nothing can be read"
        (told,) = run(hub.engine, readings_of_drift)
        assert (told.state, told.counts, told.age_s, told.overdue_s) == ("", {}, None, 0.0)
        hours_pass(hub, 3)
        (told,) = run(hub.engine, readings_of_drift)
        assert told.overdue_s == pytest.approx(2 * 3_600, abs=60)

        monkeypatch.setenv("MDM_SECRET_NETSUITE", "hub-key")
        assert reconcile_due(hub) == 1
        (told,) = run(hub.engine, readings_of_drift)
        assert (told.state, told.overdue_s) == ("found", 0.0)
        hours_pass(hub, 3)
        run(hub.engine, lambda connection: connection.execute(text("UPDATE target_standing SET state = 'paused'")))
        (told,) = run(hub.engine, readings_of_drift)
        assert told.overdue_s is None, "nobody compares a target that somebody paused"


def hours_pass(hub: Hub, count: int) -> None:
    with hub.engine.begin() as connection:
        ago = text("UPDATE target_report SET recorded_at = recorded_at - make_interval(hours => :count)")
        connection.execute(ago, {"count": count})


@pytest.mark.parametrize(
    ("gone", "compared_count", "expected"), [(20, 10, False), (21, 10, True), (21, 2_000, False), (41, 2_000, True)]
)
def test_nobody_ends_many_records_unasked(gone: int, compared_count: int, expected: bool) -> None:
    assert is_too_many(gone, compared_count) is expected
