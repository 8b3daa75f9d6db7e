"""A target that has records already is matched before anything is written: no twin there, and none in the hub."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.connectors.model import Page, RemoteRecord
from mdm.connectors.record_api import RecordApi
from mdm.decisions.model import Verdict
from mdm.delivery.relay import relay_to_records
from mdm.demo.fakes.fake import Fake
from mdm.errors import InputInvalid
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.backfill import apply_backfill, plan_backfill
from mdm.jobs.service import deliver
from mdm.reconciliation.model import Report
from mdm.sources.model import Delivery
from mdm.stewardship import reviews
from mdm.stewardship.model import By, Judge
from mdm.stewardship.operations import perform
from tests.erp import LOOPBACK, NETSUITE, PATIENT, Books, books
from tests.hubs import EPOCH, assert_sound, delivery, golden_by_key, hub_state, register_instances
from tests.targets import ERP, Shelf, declare

pytestmark = pytest.mark.db

DECLARED = (
    NETSUITE.replace("    records:\n", "    rate: {{per_second: 10000}}\n    records:\n", 1)
    .replace(
        "        fields:\n          legal_name", "        match_on: [tax_ids]\n        fields:\n          legal_name", 1
    )
    .replace(
        "          phones:",
        "          registration_number: {{field: registrationNumber, owner: target}}\n          phones:",
    )
)


def vat(number: int) -> str:
    """Make a Dutch VAT number whose check digits are right: its letters and digits are 1 modulo 97."""
    body = f"NL{number:09d}B"
    digits = "".join(str(int(one, 36)) for one in body)
    return f"{body}{97 - (int(digits + '00') - 1) % 97:02d}"


def name(number: int) -> str:
    """Make a name that no other number has, nor one like it."""
    chance = random.Random(number)
    words = ["".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(4)) for _ in range(2)]
    return f"{words[0].title()} {words[1].title()} BV"


def phone(number: int) -> str:
    return f"+31 20 {5_000_000 + number}"


def former_phone(number: int) -> str:
    """Give another one than the CRM knows, and to each its own: firms that share one would be asked about."""
    return f"+31 30 {1_112_233 + number}"


def in_crm(number: int) -> dict[str, Any]:
    return {
        "name": name(number),
        "vat number": vat(number),
        "registration number": f"{30_000_000 + number}",
        "phone": phone(number),
        "city": "Utrecht",
        "country": "NL",
        "currency": "EUR",
    }


def in_erp(number: int) -> dict[str, Any]:
    """Give what the ERP holds: every third has the tax id, the others the register's number, half of them a phone."""
    fields = {
        "companyName": name(number).upper(),
        "currency": "EUR",
        "city": "Utrecht",
        "country": "NL",
        "terms": "Net 30",
    }
    fields |= {"vatRegNumber": vat(number)} if number % 3 == 0 else {"registrationNumber": f"{30_000_000 + number}"}
    return fields | ({"phone": former_phone(number)} if number % 2 else {})


def system(erp: Books) -> RecordApi:
    return RecordApi(erp.fake.url, erp.fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)


def a_crowd(hub: Hub, folder: Path, count: int) -> None:
    """Backfill an ERP of so many records of which the hub knows nine tenths from a CRM, beside a few others."""
    known, only_crm = count * 9 // 10, count // 30

    def furnish(fake: Fake) -> None:
        for number in range(count):
            fake.enter("customer", in_erp(number), by="anna")

    with books(hub, folder, declaration=DECLARED, furnish=furnish, is_matched=False) as erp:
        numbers = [*range(known), *range(count, count + only_crm)]
        crm = [delivery(f"salesforce-us/Account:{number}", "customer", **in_crm(number)) for number in numbers]
        assert {one.status for one in deliver(hub, crm, who="t")} == {"created"}
        named = [number for number in range(known) if number % 10 == 1]  # of those the ERP keeps the golden id
        golden = golden_by_key(hub)
        for number in named:
            erp.fake.edit(
                "customer", f"{1001 + number}", {}, by="anna", external_id=golden[f"salesforce-us/Account:{number}"]
            )
        before = {one.native_id: one for one in erp.fake.records.all("customer")}
        stood = hub_state(hub)

        speaking = system(erp)
        plan = plan_backfill(hub, "netsuite", speaking, who="t")
        assert hub_state(hub) == stood
        assert erp.relay.drain() == 0
        seen, done = apply_backfill(hub, "netsuite", speaking, who="t")
        speaking.close()

        # By external id those that keep one; by tax id the other multiples of 3; the rest by what the path finds.
        by_tax_id = sum(1 for number in range(known) if number % 3 == 0 and number % 10 != 1)
        expected = {
            "linked": len(named),
            "match_key": by_tax_id,
            "matched": known - len(named) - by_tax_id,
            "unknown": count - known,
        }
        found = Counter(plan.counts["customer"])
        assert {finding: found[finding] for finding in expected} == expected
        assert found["created"] == only_crm
        assert found["filled"] == sum(1 for number in range(known) if number % 2 == 0)
        assert found["named"] == count - len(named)
        assert (seen, seen.counts["customer"]) == (plan, done.counts["customer"])

        erp.relay.drain()
        after = {one.native_id: one for one in erp.fake.records.all("customer")}
        assert len(after) == count + only_crm
        for native_id, record in before.items():
            number = int(native_id) - 1001
            held = after[native_id].fields
            assert held.get("registrationNumber") == record.fields.get("registrationNumber")
            assert held["terms"] == "Net 30"
            if number % 2:
                assert held["phone"] == former_phone(number)
            elif number < known:
                assert held["phone"].replace(" ", "") == phone(number).replace(" ", "")
        keys = golden_by_key(hub)
        assert len(set(keys.values())) == count + only_crm
        assert {one: record.external_id for one, record in after.items()} == {
            one: keys[f"netsuite-us/customer:{one}"] for one in after
        }
        for number in range(known):
            assert keys[f"netsuite-us/customer:{1001 + number}"] == keys[f"salesforce-us/Account:{number}"]
        assert_sound(hub)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [60, 2_000])
def test_a_backfill_makes_no_twin_and_writes_only_what_it_may(hub: Hub, tmp_path: Path, count: int) -> None:
    a_crowd(hub, tmp_path, count)


MATCHED = ERP.replace("        object: Widget\n", "        object: Widget\n        match_on: [batch]\n", 1)


@dataclass
class Listed(Shelf):
    """A shelf that lists what is on it."""

    present: list[RemoteRecord] = field(default_factory=list)

    def taken_ids(self) -> set[str]:
        return super().taken_ids() | {one.native_id for one in self.present}

    def changed(self, object_: str, *, after: str, limit: int) -> Page:
        start = int(after or 0)
        mine = [one for one in self.present if one.object == object_]
        return Page(mine[start : start + limit], str(start + limit), is_last=start + limit >= len(mine))


def widgets(*records: RemoteRecord) -> Listed:
    return Listed(present=list(records))


def widget(native_id: str, external_id: str = "", *, is_active: bool = True, **fields: Any) -> RemoteRecord:
    return RemoteRecord("Widget", "", native_id, fields, "1", EPOCH, is_active=is_active, external_id=external_id)


def crm(number: int, **fields: Any) -> Delivery:
    return delivery(f"crm-us/Account:{number}", "widget_hold", **fields)


def both(hub: Hub, shelf: Listed) -> Report:
    plan_backfill(hub, "erp", shelf, who="t")
    plan, done = apply_backfill(hub, "erp", shelf, who="t")
    assert plan.counts["widget_hold"] == done.counts["widget_hold"]
    return done


def test_what_a_record_says_it_is_counts_before_any_matching(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declare(hub, tmp_path, MATCHED, is_matched=False)
    firms = [crm(1, codes=["c1"], name="Acme"), crm(2, codes=["c2"], batch="b2"), crm(3, codes=["c3"], batch="b3")]
    deliver(hub, [*firms, crm(4, codes=["c4"], batch="b3")], who="t")
    golden = golden_by_key(hub)
    linked, resting = golden["crm-us/Account:1"], golden["crm-us/Account:2"]
    shelf = widgets(
        widget("n1", linked, title="Other"),
        widget("n2", batch="B2", is_active=False),
        widget("n3", batch="b3"),
        widget("n4", "gone", title="Nobody"),
        widget("n5", title="Old", is_active=False),
    )

    done = both(hub, shelf)

    found = done.counts["widget_hold"]
    assert [found.get(name) for name in ("linked", "match_key", "ambiguous", "unknown", "left_alone")] == [
        1,
        1,
        1,
        1,
        1,
    ]
    keys = golden_by_key(hub)
    assert (keys["erp-us/Widget:n1"], keys["erp-us/Widget:n2"]) == (linked, resting)
    assert len({keys["erp-us/Widget:n3"], golden["crm-us/Account:3"], golden["crm-us/Account:4"]}) == 3
    assert "erp-us/Widget:n5" not in keys
    assert done.examples["widget_hold"]["ambiguous"][0]["candidates"] == sorted(
        {golden["crm-us/Account:3"], golden["crm-us/Account:4"]}
    )
    assert_sound(hub)


def test_one_out_of_use_there_is_neither_written_nor_made_anew(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declaration = declare(hub, tmp_path, MATCHED, is_matched=False)
    deliver(hub, [crm(2, codes=["c2"], name="Bolt", batch="b2")], who="t")
    shelf = widgets(widget("n2", batch="b2", is_active=False))

    both(hub, shelf)
    relay_to_records(hub, declaration, shelf).drain()

    assert shelf.changes == []


def test_unknown_ones_are_left_where_the_declaration_says_so(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declare(hub, tmp_path, MATCHED.replace("match_on:", "unknown: leave\n        match_on:", 1), is_matched=False)
    deliver(hub, [crm(1, codes=["c1"], name="Acme")], who="t")

    done = both(hub, widgets(widget("n1", title="Acme"), widget("n4", title="Nobody")))

    # An equal name alone is a question, and the answer needs both records.
    assert done.counts["widget_hold"]["possible_match"] == 1
    assert done.counts["widget_hold"]["waits_for_review"] == 1
    assert done.counts["widget_hold"]["unknown"] == 1
    assert set(golden_by_key(hub)) == {"crm-us/Account:1", "erp-us/Widget:n1"}


def test_what_is_asked_about_with_a_record_there_is_not_made_meanwhile(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declaration = declare(hub, tmp_path, MATCHED, is_matched=False)
    deliver(hub, [crm(1, codes=["c1"], name="Acme")], who="t")
    shelf = widgets(widget("n1", title="Acme"))
    both(hub, shelf)
    relay = relay_to_records(hub, declaration, shelf)
    relay.drain()

    assert [one for one in shelf.changes if one.kind == "create"] == []
    (review,) = reviews.list_reviews(hub)
    with hub.engine.connect() as connection:
        waiting = connection.execute(text("SELECT failure_reason FROM delivery_lane WHERE state = 'waiting'")).scalars()
        assert [review.id in reason for reason in waiting] == [True]

    golden = golden_by_key(hub)
    pair = GoldenId(golden["crm-us/Account:1"]), GoldenId(golden["erp-us/Widget:n1"])
    perform(hub, Judge(*pair, Verdict("different", "two firms")), By("mara", "two firms"))
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET due_at = now()"))
    relay.drain()
    assert [(one.kind, one.fields != {}) for one in shelf.changes] == [("update", False), ("create", True)]


def test_nothing_is_applied_that_was_not_planned_as_it_is_declared(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    declare(hub, tmp_path, MATCHED, is_matched=False)
    shelf = widgets()
    with pytest.raises(InputInvalid, match="there is no plan"):
        apply_backfill(hub, "erp", shelf, who="t")
    plan_backfill(hub, "erp", shelf, who="t")
    declare(hub, tmp_path, MATCHED.replace("creates: true", "creates: false"), is_matched=False)

    with pytest.raises(InputInvalid, match="declared otherwise"):
        apply_backfill(hub, "erp", shelf, who="t")
