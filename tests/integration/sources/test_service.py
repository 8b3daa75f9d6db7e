"""Instances keep what they are, and a delivery is new, a repeat, outdated or against what its key already is."""

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.errors import InputInvalid, SourceConflict, SourceUnknown
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources import service
from mdm.sources.model import SourceInstance
from tests.hubs import assert_sound, delivery, row_marks

pytestmark = pytest.mark.db


def test_an_instance_changes_its_title_rank_and_promise_but_never_its_system(hub: Hub) -> None:
    renamed = SourceInstance("crm-east", "crm", "Eastern CRM", 7, duplicate_free=True)

    run(hub.engine, lambda connection: service.register(connection, renamed, who="ann"))

    assert run(hub.engine, lambda connection: service.require_instance(connection, "crm-east")) == renamed
    other = SourceInstance("crm-east", "erp", "Eastern CRM")
    with pytest.raises(SourceConflict, match="crm-east is registered as crm, not as erp"):
        run(hub.engine, lambda connection: service.register(connection, other, who="ann"))


@pytest.mark.parametrize("instance_id", ["", "East", "a b", "a/b", "a:b", "-a", "a_b", "a" * 64])
def test_an_instance_needs_an_id_that_fits_into_a_source_key(hub: Hub, instance_id: str) -> None:
    with pytest.raises(InputInvalid, match="cannot be the id of a source instance"):
        run(hub.engine, lambda c: service.register(c, SourceInstance(instance_id, "crm", "x"), who="ann"))


def test_an_unknown_instance_is_told_with_those_that_exist(hub: Hub) -> None:
    with pytest.raises(SourceUnknown) as refused:
        run(hub.engine, lambda connection: service.require_instance(connection, "crm-north"))

    assert "crm-east, crm-west" in refused.value.remedy


def test_an_exact_repeat_touches_no_row(hub: Hub) -> None:
    batch = [delivery("crm-east/Account:1", "widget_hold", at=1, name="red", codes=["aa1"])]
    deliver(hub, batch, who="test")
    before = row_marks(hub)

    (outcome,) = deliver(hub, batch, who="test")

    assert (outcome.status, outcome.outcome) == ("unchanged", "kept")
    assert row_marks(hub) == before


def test_an_older_version_touches_no_row_and_an_equal_time_is_news(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=2, name="red")], who="test")
    before = row_marks(hub)

    (older,) = deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=1, name="blue")], who="test")
    assert older.status == "stale"
    assert row_marks(hub) == before

    (equal,) = deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=2, name="green")], who="test")
    assert equal.status == "updated"


def test_a_version_without_a_time_is_news_and_keeps_the_guard_where_it_was(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=2, name="red")], who="test")

    timeless, old = (
        deliver(hub, [one], who="test")[0]
        for one in (
            delivery("crm-east/Account:1", "widget_hold", name="green"),
            delivery("crm-east/Account:1", "widget_hold", at=1, name="blue"),
        )
    )

    assert (timeless.status, old.status) == ("updated", "stale")


def test_a_key_that_comes_twice_in_a_batch_is_two_deliveries_in_order(hub: Hub) -> None:
    first, second = deliver(
        hub,
        [
            delivery("crm-east/Account:1", "widget_hold", name="red"),
            delivery("crm-east/Account:1", "widget_hold", name="blue"),
        ],
        who="test",
    )

    assert (first.status, second.status) == ("created", "updated")
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT version, values ->> 'name' FROM source_record_version ORDER BY version"))
        assert [tuple(row) for row in rows] == [(1, "red"), (2, "blue")]


def test_a_key_keeps_its_entity_type_and_the_rest_of_the_batch_goes_on(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Account:1", "widget_hold", name="red")], who="test")

    other, good = deliver(
        hub,
        [
            delivery("crm-east/Account:1", "widget_merge", name="red"),
            delivery("crm-east/Account:2", "widget_merge", name="red"),
        ],
        who="test",
    )

    assert (other.status, [reason.code for reason in other.errors]) == ("rejected", ["entity_type_conflict"])
    assert good.status == "created"
    assert_sound(hub)


def test_an_unknown_entity_type_is_told_with_those_that_exist(hub: Hub) -> None:
    (outcome,) = deliver(hub, [delivery("crm-east/Account:1", "wigdet", name="red")], who="test")

    assert [reason.code for reason in outcome.errors] == ["entity_type_unknown"]
    assert "widget_hold" in outcome.errors[0].remedy


def test_a_deleted_record_comes_back_with_all_it_says(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=1, name="red")], who="test")
    (gone,) = deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=2, deleted=True)], who="test")

    (back,) = deliver(hub, [delivery("crm-east/Account:1", "widget_hold", at=3, name="red")], who="test")

    assert (gone.golden_id, gone.outcome) == (None, "none")
    assert back.status == "updated"
    assert back.golden_id is not None
    assert_sound(hub)
