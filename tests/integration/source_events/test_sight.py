"""Out of sight, vanished, deleted: what the hub keeps of a record that its source does not show any more."""

import pytest

from mdm.errors import SourceRecordUnknown
from mdm.hub import Hub
from mdm.source_events.model import tombstone
from mdm.sources.model import SourceKey
from tests.hubs import assert_sound, register_instances, row_marks
from tests.integration.source_events.facts import TYPE, fact, golden, key_of, keys, noted, rows, send, tell, values

pytestmark = pytest.mark.db

UNSEEN = "SELECT unseen_because FROM source_record WHERE native_id = 'a'"


@pytest.fixture(autouse=True)
def _records(hub: Hub) -> None:
    register_instances(hub, "crm-east", "crm-west", "erp-one")
    send(hub, "a", codes=["aa1"], note="from a", at=2)
    send(hub, "erp:n1", codes=["aa1"], at=1)


def test_x2_a_vanished_key_stays_a_member_and_a_key_until_somebody_knows_why(hub: Hub) -> None:
    """X2. NetSuite gives no pointer: the record is marked, and goes on as it was, until a merge or deletion is told."""
    before = golden(hub, "a"), values(hub, "a")

    assert tell(hub, fact("vanished", "a", at=5)) == ["recorded"]

    assert (golden(hub, "a"), values(hub, "a")) == before
    assert keys(hub, "erp:n1", to="crm-east") == ["a"]
    assert rows(hub, UNSEEN) == [("vanished",)]
    assert_sound(hub)

    send(hub, "b", codes=["bb2"], at=6)
    assert tell(hub, fact("merged", "a", "b", at=5)) == ["recorded"]
    assert keys(hub, "erp:n1", to="crm-east") == ["b"]
    assert_sound(hub)


def test_lost_access_is_marked_and_cleared_when_it_is_regained_or_the_record_delivered(hub: Hub) -> None:
    tell(hub, fact("access_lost", "a", at=5))
    assert rows(hub, UNSEEN) == [("access_lost",)]
    assert tell(hub, fact("access_regained", "a", at=6)) == ["recorded"]
    assert rows(hub, UNSEEN) == [(None,)]
    assert tell(hub, fact("access_lost", "a", at=5)) == ["unchanged"]
    assert tell(hub, fact("vanished", "a", at=4)) == ["overtaken"]
    assert rows(hub, UNSEEN) == [(None,)]

    tell(hub, fact("access_lost", "a", at=7))
    send(hub, "a", codes=["aa1"], note="seen", at=8)

    assert rows(hub, UNSEEN) == [(None,)]
    assert tell(hub, fact("access_lost", "a", at=7)) == ["unchanged"]
    assert tell(hub, fact("vanished", "a", at=7)) == ["overtaken"]
    assert_sound(hub)


def test_the_same_loss_twice_changes_nothing(hub: Hub) -> None:
    tell(hub, fact("access_lost", "a"))
    before = row_marks(hub)

    assert tell(hub, fact("access_lost", "a")) == ["unchanged"]

    assert row_marks(hub) == before


def test_a_deletion_is_kept_as_a_fact_with_its_reason_however_it_was_told(hub: Hub) -> None:
    assert tell(hub, fact("deleted", "a", at=5, reason="out of business")) == ["recorded"]
    send(hub, "erp:n1", deleted=True, at=5)
    before = row_marks(hub)

    assert tell(hub, fact("deleted", "a", at=5, reason="out of business")) == ["unchanged"]

    assert row_marks(hub) == before
    with pytest.raises(SourceRecordUnknown):
        golden(hub, "a")
    facts = "SELECT source_key, details ->> 'reason' FROM source_event WHERE kind = 'deleted' ORDER BY source_key"
    assert rows(hub, facts) == [("crm-east/Account:a", "out of business"), ("erp-one/Account:n1", None)]
    assert_sound(hub)


@pytest.mark.parametrize(
    ("reason", "kind", "other"),
    [
        ("deleted", "deleted", None),
        ("merged_into:b", "merged", "crm-east/Account:b"),
        ("access_lost", "access_lost", None),
        ("unknown", "vanished", None),
        ("recycled", "vanished", None),
    ],
)
def test_the_reasons_of_connectors_are_read(reason: str, kind: str, other: str | None) -> None:
    found = tombstone(SourceKey.parse(key_of("a")), TYPE, reason)

    assert (found.kind, None if found.other is None else str(found.other)) == (kind, other)


def test_what_cannot_be_kept_is_rejected_by_itself_with_its_reasons(hub: Hub) -> None:
    send(hub, "west:w", codes=["ww1"], at=1)
    told = noted(
        hub,
        fact("access_lost", "never"),
        fact("merged", "never", "neither"),
        fact("merged", "a", "a"),
        fact("merged", "a"),
        fact("merged", "a", "west:w", entity_type="customer"),
        fact("vanished", "a"),
    )

    assert [one.status for one in told] == ["rejected"] * 5 + ["recorded"]
    assert [[reason.code for reason in one.reasons] for one in told[:5]] == [
        ["source_record_unknown"],
        ["source_record_unknown"],
        ["keys_misfit"],
        ["keys_misfit"],
        ["entity_type_conflict"],
    ]
    assert_sound(hub)
