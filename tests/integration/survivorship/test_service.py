"""Golden values come from all members and the overrides on them; what differs is a version, and none is lost."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run, transaction
from mdm.db.types import as_json
from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver, refresh_due
from mdm.sources.model import SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship import service as stewardship
from mdm.survivorship import service
from mdm.survivorship.model import GoldenVersion
from tests.hubs import assert_sound, delivery, golden_by_key, row_marks

pytestmark = pytest.mark.db

A, B = "crm-east/Account:a", "crm-west/Account:b"


def send(hub: Hub, key: str, *, deleted: bool = False, **fields: Any) -> None:
    deliver(hub, [delivery(key, "widget_hold", deleted=deleted, **fields)], who="test")


def override(hub: Hub, key: str, attribute: str, value: Any, *, term: str = "for_ever", until: Any = None) -> None:
    """Write a steward's value down on a record, and have its golden record worked out anew."""
    with transaction(hub.engine) as connection:
        connection.execute(
            text(
                "INSERT INTO value_override (id, record_id, attribute, value, term, until, reason, recorded_at, who)"
                " SELECT 'ovr_' || :attribute || clock_timestamp(), id, :attribute, CAST(:value AS jsonb), :term,"
                " :until, 'on the phone', clock_timestamp(), 'ann' FROM source_record WHERE native_id = :native_id"
            ),
            {
                "attribute": attribute,
                "value": as_json([value])[1:-1],
                "term": term,
                "until": until,
                "native_id": SourceKey.parse(key).native_id,
            },
        )
        connection.execute(
            text("UPDATE golden_record SET next_change_at = '2000-01-01' WHERE id = :id"),
            {"id": golden_by_key(hub)[key]},
        )
    refresh_due(hub)


def newest(hub: Hub, key: str) -> GoldenVersion:
    found = run(hub.engine, lambda c: service.golden_version(c, GoldenId(golden_by_key(hub)[key])))
    assert found is not None
    return found


def history(hub: Hub, golden_id: str) -> tuple[GoldenVersion, ...]:
    return run(hub.engine, lambda c: service.golden_history(c, GoldenId(golden_id), before=None, limit=100))


def test_an_override_masks_the_source_and_is_named_in_lineage(hub: Hub) -> None:
    send(hub, A, name="red", note="spare")

    override(hub, A, "name", "crimson")

    shown = newest(hub, A)
    assert shown.values["name"] == "crimson"
    line = shown.lineage["name"]
    assert (line["record_key"], line["rule"]) == (A, "override")
    assert {name: line["override"][name] for name in ("author", "reason", "term", "until")} == {
        "author": "ann",
        "reason": "on the phone",
        "term": "for_ever",
        "until": None,
    }
    assert shown.lineage["note"] == {
        "record_key": A,
        "record_id": shown.lineage["name"]["record_id"],
        "rule": "most_recent",
    }
    assert_sound(hub)


def test_an_override_follows_its_record_through_merge_and_unmerge(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    override(hub, B, "name", "navy")

    decision = stewardship.decide(hub, SourceKey.parse(A), SourceKey.parse(B), Verdict("same", "seen"), who="ann")
    assert newest(hub, A).values["name"] == "navy"

    stewardship.revoke(hub, decision.id, who="ann")
    assert (newest(hub, A).values["name"], newest(hub, B).values["name"]) == ("red", "navy")
    assert_sound(hub)


def test_an_override_rests_while_its_record_is_deleted(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1"])
    override(hub, B, "name", "navy")

    send(hub, B, deleted=True)
    assert newest(hub, A).values["name"] == "red"

    send(hub, B, name="red", codes=["x1"])
    assert newest(hub, A).values["name"] == "navy"


def test_an_override_with_an_end_is_noted_to_end_then(hub: Hub) -> None:
    send(hub, A, name="red")
    new_year = datetime(2100, 1, 1, tzinfo=UTC)

    override(hub, A, "name", "crimson", term="until", until=new_year)

    with hub.engine.connect() as connection:
        assert connection.execute(text("SELECT next_change_at FROM golden_record")).scalar_one() == new_year
    override(hub, A, "note", "gone", term="until", until=datetime(2020, 1, 1, tzinfo=UTC))
    assert "note" not in newest(hub, A).values


def test_versions_are_dense_and_follow_each_other_without_gap(hub: Hub) -> None:
    for name in ("red", "blue", "green"):
        send(hub, A, name=name)
    send(hub, B, name="x", codes=["c1"])
    send(hub, A, name="green", codes=["c1"])
    send(hub, B, deleted=True)
    send(hub, A, deleted=True)

    versions = history(hub, newest_id(hub))[::-1]

    assert [one.version for one in versions] == list(range(1, len(versions) + 1))
    assert [one.recorded_to for one in versions[:-1]] == [one.recorded_from for one in versions[1:]]
    assert versions[-1].recorded_to is None
    assert versions[-1].state == "retired"
    assert [one.values.get("name") for one in versions[:3]] == ["red", "blue", "green"]
    assert_sound(hub)


def newest_id(hub: Hub) -> str:
    with hub.engine.connect() as connection:
        query = text("SELECT id FROM golden_record ORDER BY version DESC, id LIMIT 1")
        return str(connection.execute(query).scalar_one())


def test_every_instant_of_the_past_shows_one_version(hub: Hub) -> None:
    for name in ("red", "blue", "green"):
        send(hub, A, name=name)
    golden_id = GoldenId(golden_by_key(hub)[A])

    for version in history(hub, golden_id):
        at = run(
            hub.engine,
            lambda c, v=version: service.golden_version(c, golden_id, as_of=v.recorded_from),  # type: ignore[misc]
        )
        assert at == version


def test_a_delivery_that_changes_no_golden_value_makes_no_version(hub: Hub) -> None:
    send(hub, A, at=1, name="red")

    send(hub, A, at=2, name="red")

    assert newest(hub, A).version == 1


def test_a_value_that_lost_is_told_with_who_holds_it(hub: Hub) -> None:
    send(hub, A, at=1, name="red", codes=["c1"], note="old")
    send(hub, B, at=2, name="blue", codes=["c1"], note="new")
    golden_id = GoldenId(golden_by_key(hub)[A])

    losing = run(
        hub.engine,
        lambda c: service.losing_values(c, hub.declared["widget_hold"], golden_id, at=clock.recording_instant(c)),
    )

    assert newest(hub, A).values["note"] == "new"
    assert [(one.value, one.record_key) for one in losing["note"]] == [("old", A)]
    assert "codes" not in losing


def test_what_is_not_due_is_not_worked_out(hub: Hub) -> None:
    send(hub, A, name="red")
    before = row_marks(hub)

    assert refresh_due(hub) == 0

    assert row_marks(hub) == before


def test_what_is_due_and_unchanged_makes_no_version_and_is_not_due_any_more(hub: Hub) -> None:
    send(hub, A, name="red")
    with transaction(hub.engine) as connection:
        connection.execute(text("UPDATE golden_record SET next_change_at = '2000-01-01'"))

    assert refresh_due(hub) == 1
    assert refresh_due(hub) == 0
    assert newest(hub, A).version == 1


def test_golden_records_of_a_type_that_is_declared_no_more_are_left_alone(hub: Hub) -> None:
    send(hub, A, name="red")
    with transaction(hub.engine) as connection:
        connection.execute(text("UPDATE golden_record SET next_change_at = '2000-01-01'"))
    others = Hub(hub.engine, {"widget_merge": hub.declared["widget_merge"]}, hub.settings)

    assert refresh_due(others) == 0


def test_a_declaration_names_a_source_by_the_system_that_it_is_registered_as(hub: Hub) -> None:
    """The shipped declarations speak of salesforce and d365; whoever calls these crm and books says so once."""
    for rank, (id_, system) in enumerate((("books", "d365"), ("crm", "salesforce")), start=1):
        run(hub.engine, partial(register, instance=SourceInstance(id_, system, id_.title(), rank), who="test"))
    said: dict[str, Any] = {"currency": "EUR", "vat number": "DE136695976", "country": "DE"}
    (told,) = deliver(
        hub,
        [delivery("books/CustCustomerV3:1", "customer", name="ACME", PaymentTerms="M010C", **said)],
        who="t",
    )
    assert told.errors == ()
    deliver(hub, [delivery("crm/Account:1", "customer", name="Acme Logistik GmbH", **said)], who="t")

    assert len(set(golden_by_key(hub).values())) == 1
    values = newest(hub, "crm/Account:1").values
    assert (values["legal_name"], values["payment_terms"]) == ("Acme Logistik GmbH", "net_10")
