"""Retired instances: their records match and resolve, are no live keys, are silent beside others, may come back."""

from typing import Any

import pytest
from sqlalchemy import text

from mdm.db.transaction import run, transaction
from mdm.hub import Hub
from mdm.jobs.source_events import follow_instances
from mdm.source_events.model import SourceFact
from mdm.source_events.service import note_instance
from mdm.sources.service import instances
from tests.hubs import assert_sound, golden_by_key, register_instances, row_marks
from tests.integration.source_events.facts import golden, keys, noted, rows, send, tell, values

pytestmark = pytest.mark.db

RETIRED = SourceFact("instance_retired", "crm-east")
RETURNED = SourceFact("instance_returned", "crm-east")


@pytest.fixture(autouse=True)
def _records(hub: Hub) -> None:
    """Let a be in both systems, b in the CRM alone."""
    register_instances(hub, "crm-east", "crm-west", "erp-one")
    send(hub, "erp:n1", codes=["aa1"], note="the ERP", at=1)
    send(hub, "a", codes=["aa1"], name="red", note="the CRM", at=2)
    send(hub, "b", codes=["bb2"], name="blue", at=2)


def everything(hub: Hub) -> Any:
    shown = "SELECT golden_id, values::text, lineage::text, checksum FROM golden_version WHERE recorded_to IS NULL"
    return golden_by_key(hub), sorted(rows(hub, shown)), keys(hub, "a"), keys(hub, "b")


def test_retiring_an_instance_and_taking_it_back_gives_back_the_same_bytes(hub: Hub) -> None:
    before = everything(hub)

    assert tell(hub, RETIRED) == ["recorded"]

    assert golden_by_key(hub) == before[0]
    assert keys(hub, "erp:n1") == ["a instance_retired", "n1"]
    assert keys(hub, "erp:n1", to="crm-east") == []
    assert "the CRM" not in str(values(hub, "a"))
    assert "blue" in str(values(hub, "b")), "nobody else speaks for b"
    assert_sound(hub)

    assert tell(hub, RETURNED) == ["recorded"]

    assert everything(hub) == before
    assert_sound(hub)


def test_retiring_twice_changes_nothing(hub: Hub) -> None:
    tell(hub, RETIRED)
    before = row_marks(hub)

    assert tell(hub, RETIRED) == ["unchanged"]

    assert row_marks(hub) == before
    tell(hub, RETURNED)
    assert tell(hub, RETURNED) == ["unchanged"]


def test_records_of_a_retired_instance_still_match_whoever_comes(hub: Hub) -> None:
    tell(hub, RETIRED)

    assert send(hub, "west:c", codes=["bb2"], name="new", at=3).outcome == "attached"

    assert keys(hub, "b") == ["b instance_retired", "c"]
    assert "blue" not in str(values(hub, "b"))
    assert_sound(hub)


def test_what_a_retired_instance_still_delivers_is_kept_ended(hub: Hub) -> None:
    tell(hub, RETIRED)

    send(hub, "late", codes=["aa1"], note="late", at=9)
    send(hub, "a", codes=["aa1"], note="later", at=9)

    assert keys(hub, "erp:n1") == ["a instance_retired", "late instance_retired", "n1"]
    assert "late" not in str(values(hub, "a"))
    assert_sound(hub)
    tell(hub, RETURNED)
    assert keys(hub, "erp:n1") == ["a", "late", "n1"]
    assert_sound(hub)


def test_a_record_deleted_meanwhile_does_not_come_back_with_its_instance(hub: Hub) -> None:
    tell(hub, RETIRED)
    send(hub, "a", deleted=True, at=9)

    tell(hub, RETURNED)

    assert keys(hub, "erp:n1") == ["n1"]
    assert_sound(hub)


def test_the_worker_goes_on_where_a_retirement_was_broken_off(hub: Hub) -> None:
    with transaction(hub.engine) as connection:
        note_instance(connection, RETIRED, who="ann")
    assert keys(hub, "b") == ["b"]

    while follow_instances(hub):
        pass

    assert keys(hub, "b") == ["b instance_retired"]
    assert_sound(hub)
    assert follow_instances(hub) == 0


def test_retiring_waits_for_whoever_delivers_at_the_moment(hub: Hub) -> None:
    """A delivery holds its instance; without that its record would be born after the retirement and live on."""
    with hub.engine.begin() as other:
        other.execute(text("SELECT FROM source_instance WHERE id = 'crm-east' FOR KEY SHARE"))
        with hub.engine.connect() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                note_instance(connection, RETIRED, who="ann")


def test_a_retired_instance_is_listed_as_such_and_an_unknown_one_refused(hub: Hub) -> None:
    (found,) = noted(hub, SourceFact("instance_retired", "crm-north"))
    assert (found.status, found.reasons[0].code) == ("rejected", "source_unknown")

    tell(hub, RETIRED)

    assert [(one.id, one.retired_at is not None) for one in run(hub.engine, instances)] == [
        ("crm-east", True),
        ("crm-west", False),
        ("erp-one", False),
    ]
    assert golden(hub, "a") == golden(hub, "erp:n1")
