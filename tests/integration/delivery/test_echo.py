"""What the hub wrote into a system is no news when it comes back; what somebody did there is."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.demo.fakes.faults import DONE_THEN_DROP, DROP, FAILING, Aim
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from tests.erp import NETSUITE, Books, books
from tests.hubs import assert_sound, delivery, golden_by_key
from tests.targets import ERP, Shelf, ready

pytestmark = pytest.mark.db


def versions(hub: Hub) -> list[tuple[int, dict[str, object]]]:
    with hub.engine.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text("SELECT v.version, v.values FROM golden_version v ORDER BY golden_id, version")
            )
        ]


def said(hub: Hub, key: str) -> dict[str, object]:
    with hub.engine.connect() as connection:
        found: dict[str, object] = connection.execute(
            text(
                "SELECT v.values FROM source_record r JOIN source_record_version v ON v.record_id = r.id AND"
                " v.version = r.version WHERE r.native_id = :id"
            ),
            {"id": key},
        ).scalar_one()
        return found


def status(hub: Hub, *, at: int, **values: Any) -> str:
    (outcome,) = deliver(hub, [delivery("erp-us/Widget:n1", "widget_hold", at=at, **values)], who="t")
    return outcome.status


def test_our_own_words_end_at_ingest(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=0, codes=["c1"], name="Acme", note="hot")], who="t")
    relay.drain()
    before = versions(hub)

    # The record that the hub made comes back, with what the system added of its own.
    assert status(hub, at=1, title="Acme", remark="hot", batch="b7") == "updated"
    assert said(hub, "n1") == {"batch": "b7"}
    assert status(hub, at=2, title="Acme", remark="hot", batch="b7") == "unchanged"
    assert [values["name"] for _, values in versions(hub)] == ["Acme"] * (len(before) + 1)
    assert relay.drain() > 0
    assert len(shelf.changes) == 1
    assert_sound(hub)


def test_a_change_made_there_is_news_also_back_to_the_value_of_before(
    hub: Hub,
    tmp_path: Path,
    shelf: Shelf,
) -> None:
    relay = ready(hub, tmp_path, shelf, ERP.replace("field: remark", "field: note"))
    deliver(hub, [delivery("erp-us/Widget:n1", "widget_hold", at=0, codes=["c1"], note="old")], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=1, codes=["c1"], name="Acme", note="new")], who="t")
    assert len(set(golden_by_key(hub).values())) == 1
    relay.drain()
    assert shelf.records == {"n1": {"title": "Acme"}}  # what it fills has a value already

    assert status(hub, at=2, codes=["c1"], title="Acme", note="old") == "unchanged"
    assert status(hub, at=3, codes=["c1"], title="Acme GmbH", note="old") == "updated"
    assert said(hub, "n1")["note"] == "old"
    assert_sound(hub)


def test_a_late_echo_of_an_earlier_write_is_known_by_its_time(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=0, codes=["c1"], name="Acme")], who="t")
    relay.drain()
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=1, codes=["c1"], name="Acme Ltd")], who="t")
    relay.drain()
    assert shelf.records == {"n1": {"title": "Acme Ltd"}}

    assert status(hub, at=2, title="Acme") == "unchanged"
    relay.drain()
    assert shelf.records == {"n1": {"title": "Acme Ltd"}}


def test_what_was_written_without_an_answer_is_no_news_though_other_fields_were_written_since(
    hub: Hub, tmp_path: Path
) -> None:
    """Nobody says the city any more, and it is not emptied there: it is the hub's own word all the same."""
    with books(hub, tmp_path) as erp:
        account = "salesforce-us/Account:1"
        first: dict[str, Any] = {"name": "Acme", "currency": "EUR"}
        deliver(hub, [delivery(account, "customer", at=0, **first)], who="t")
        erp.relay.drain()
        read(hub, erp)
        erp.fake.faults.plan(DONE_THEN_DROP, Aim(method="PATCH"), times=1)
        deliver(hub, [delivery(account, "customer", at=1, **first, city="York")], who="t")
        erp.relay.drain()
        deliver(hub, [delivery(account, "customer", at=2, **{**first, "name": "Acme Ltd"})], who="t")
        erp.clock.forward(seconds=30)
        erp.relay.drain()

        (record,) = erp.fake.records.all("customer")
        assert record.fields == {"companyName": "Acme Ltd", "currency": "EUR", "city": "York"}
        assert read(hub, erp) == "unchanged"
        assert "city" not in versions(hub)[-1][1]
        # What its own people write there later is news.
        erp.fake.edit("customer", record.native_id, {"city": "Leeds"}, by="otto")
        assert read(hub, erp) == "updated"
        assert versions(hub)[-1][1]["city"] == "Leeds"
        assert_sound(hub)


def test_what_was_written_without_an_answer_is_known_once_it_was_seen_whatever_is_asked_after_that(
    hub: Hub, tmp_path: Path
) -> None:
    with books(hub, tmp_path) as erp:
        for at, (city, fault) in enumerate([("Ely", None), ("York", DONE_THEN_DROP), ("Bath", DROP)]):
            news = delivery("salesforce-us/Account:1", "customer", at=at, name="Acme", currency="EUR", city=city)
            deliver(hub, [news], who="t")
            if fault is not None:
                erp.fake.faults.plan(fault, Aim(method="PATCH"), times=1)
            erp.clock.forward(hours=1)
            erp.relay.drain(turns_max=1)
            read(hub, erp)

        assert [one.fields["city"] for one in erp.fake.records.all("customer")] == ["York"]
        assert versions(hub)[-1][1]["city"] == "Bath"
        assert read(hub, erp) == "unchanged"
        assert_sound(hub)


def test_each_of_several_values_that_were_asked_for_without_an_answer_is_our_own(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path) as erp:
        for at, (city, fault) in enumerate([("Ely", None), ("York", DONE_THEN_DROP), ("Bath", DROP), ("Hull", DROP)]):
            news = delivery("salesforce-us/Account:1", "customer", at=at, name="Acme", currency="EUR", city=city)
            deliver(hub, [news], who="t")
            if fault is not None:
                erp.fake.faults.plan(fault, Aim(method="PATCH"), times=1)
            erp.clock.forward(hours=1)
            erp.relay.drain(turns_max=1)
            if fault is None:
                read(hub, erp)

        (record,) = erp.fake.records.all("customer")
        assert record.fields["city"] == "York"
        assert read(hub, erp) == "unchanged"
        # What was asked after that may still be carried out.
        erp.fake.edit("customer", record.native_id, {"city": "Bath"}, by="hub")
        assert read(hub, erp) == "unchanged"
        assert versions(hub)[-1][1]["city"] == "Hull"
        erp.fake.edit("customer", record.native_id, {"city": "Leeds"}, by="otto")
        assert read(hub, erp) == "updated"
        assert versions(hub)[-1][1]["city"] == "Leeds"
        assert_sound(hub)


def test_our_word_that_somebody_replaced_and_put_back_is_theirs(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path) as erp:
        account = "salesforce-us/Account:1"
        deliver(hub, [delivery(account, "customer", at=0, name="Acme", currency="EUR", city="Ely")], who="t")
        erp.relay.drain()
        (record,) = erp.fake.records.all("customer")
        assert read(hub, erp) == "unchanged"
        erp.fake.edit("customer", record.native_id, {"city": "Bath"}, by="otto")
        assert read(hub, erp) == "updated"
        assert versions(hub)[-1][1]["city"] == "Bath"

        erp.fake.edit("customer", record.native_id, {"city": "Ely"}, by="otto")

        assert read(hub, erp) == "updated"
        assert versions(hub)[-1][1]["city"] == "Ely"
        erp.relay.drain()
        assert erp.fake.record("customer", record.native_id).fields["city"] == "Ely"
        assert_sound(hub)


def test_what_a_second_attempt_made_is_no_news_before_its_values_are_compared(hub: Hub, tmp_path: Path) -> None:
    with books(hub, tmp_path) as erp:
        account = "salesforce-us/Account:1"
        deliver(hub, [delivery(account, "customer", at=0, name="Acme", currency="EUR", city="Ely")], who="t")
        erp.fake.faults.plan(DROP, Aim(method="POST"), times=1)
        erp.relay.drain(turns_max=1)
        erp.clock.forward(hours=1)
        erp.relay.drain(turns_max=1)
        deliver(hub, [delivery(account, "customer", at=1, name="Acme", currency="EUR", city="York")], who="t")

        assert [one.fields["city"] for one in erp.fake.records.all("customer")] == ["Ely"]
        assert read(hub, erp) == "unchanged"
        assert versions(hub)[-1][1]["city"] == "York"
        erp.relay.drain()
        assert [one.fields["city"] for one in erp.fake.records.all("customer")] == ["York"]
        assert_sound(hub)


def test_what_was_carried_out_without_an_answer_and_replaced_since_is_asked_for_anew(hub: Hub, tmp_path: Path) -> None:
    """A system answers a request that it knows as it did, and does nothing: what somebody put back would stay."""
    with books(hub, tmp_path) as erp:
        account = "salesforce-us/Account:1"
        deliver(hub, [delivery(account, "customer", at=0, name="Acme", currency="EUR", city="Ely")], who="t")
        erp.relay.drain()
        read(hub, erp)
        erp.fake.faults.plan(DONE_THEN_DROP, Aim(method="PATCH"), times=1)
        deliver(hub, [delivery(account, "customer", at=1, name="Acme", currency="EUR", city="York")], who="t")
        erp.relay.drain(turns_max=1)
        (record,) = erp.fake.records.all("customer")
        assert record.fields["city"] == "York"
        erp.fake.edit("customer", record.native_id, {"city": "Ely"}, by="otto")
        assert read(hub, erp) == "unchanged"
        assert versions(hub)[-1][1]["city"] == "York"

        erp.clock.forward(hours=1)
        erp.relay.drain()

        assert erp.fake.record("customer", record.native_id).fields["city"] == "York"
        assert_sound(hub)


@pytest.mark.parametrize("is_id_read", [False, True])
def test_what_a_record_said_before_is_no_newer_since_we_wrote_an_id_into_it(
    hub: Hub, tmp_path: Path, *, is_id_read: bool
) -> None:
    """It was made without an answer, and read before it was asked for again: it passes for the word of its people."""
    with books(hub, tmp_path) as erp:
        erp.fake.faults.plan(FAILING.done(), Aim(method="POST"), times=1)
        deliver(hub, [delivery("salesforce-us/Account:1", "customer", at=0, name="Acme", currency="EUR")], who="t")
        erp.relay.drain()
        assert read(hub, erp) == "created"
        (made,) = erp.fake.records.all("customer")
        before = versions(hub)
        if is_id_read:
            erp.clock.forward(hours=1)
            erp.relay.drain()
        erp.fake.edit("customer", made.native_id, {}, external_id="", by="hub")

        assert erp.fake.record("customer", made.native_id).changed_at > made.changed_at
        assert read(hub, erp) == "unchanged"
        assert versions(hub) == before
        assert_sound(hub)


def test_beside_a_city_that_was_entered_there_our_country_is_the_word_of_its_people_too(
    hub: Hub, tmp_path: Path
) -> None:
    """An address is one thing: without the country it would win as a city alone, and the client would have none."""
    declaration = NETSUITE.replace("          city: {{}}\n", "          city: {{}}\n          country: {{}}\n")
    with books(hub, tmp_path, declaration=declaration) as erp:
        address: dict[str, Any] = {"street": "Am Kai 1", "city": "Garmisch", "postcode": "82467", "country": "DE"}
        crm = delivery("salesforce-us/Account:1", "customer", at=0, name="Acme", currency="EUR", **address)
        deliver(hub, [crm], who="t")
        erp.relay.drain()
        assert read(hub, erp) == "unchanged"
        (made,) = erp.fake.records.all("customer")

        erp.fake.edit("customer", made.native_id, {"city": "Mittenwald"}, by="anna")
        assert read(hub, erp) == "updated"
        assert said(hub, made.native_id) == {"city": "Mittenwald", "country": "DE"}
        assert address_of(hub) == {"city": "Mittenwald", "country": "DE"}

        erp.fake.edit("customer", made.native_id, {"terms": "Net 10"}, by="anna")
        assert read(hub, erp) == "updated"
        assert address_of(hub) == {"city": "Mittenwald", "country": "DE"}
        count = len(versions(hub))
        erp.relay.drain()
        assert read(hub, erp) == "unchanged"
        assert len(versions(hub)) == count
        assert_sound(hub)


def address_of(hub: Hub) -> dict[str, object]:
    """Give the parts of the address that the newest version of the one golden record shows."""
    _, values = versions(hub)[-1]
    return {name: values[name] for name in ("street", "city", "postal_code", "country") if name in values}


def read(hub: Hub, erp: Books) -> str:
    """Deliver the one record of the ERP as it stands; give what became of it."""
    (record,) = erp.fake.records.all("customer")
    key = SourceKey("netsuite-us", "customer", "", record.native_id)
    (outcome,) = deliver(hub, [Delivery(key, "customer", dict(record.fields), record.changed_at)], who="reader")
    return outcome.status
