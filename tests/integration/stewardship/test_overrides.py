"""A steward's own values: set, cleared, superseded, ended by their term, and following their record everywhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.decisions.model import Grounds, Lasting, Signature
from mdm.errors import (
    AttributeUnknown,
    GoldenRecordRetired,
    GoldenRecordUnknown,
    InputInvalid,
    PlanOutdated,
    VersionOutdated,
)
from mdm.hub import Hub, Work, carry
from mdm.identity.model import Cause, IdentityPlan
from mdm.ids import EventId, GoldenId, new_event_id
from mdm.jobs.service import deliver
from mdm.pipeline import apply
from mdm.stewardship import overrides
from mdm.stewardship.override_lists import overrides_of
from mdm.stewardship.overrides import Wish
from mdm.survivorship.model import canonical_bytes
from tests.hubs import EPOCH, assert_sound, delivery, golden_by_key, row_marks
from tests.integration.stewardship.overriding import (
    SAID,
    A,
    B,
    golden,
    join,
    put,
    record_id,
    rows,
    send,
    states,
    values,
    version,
)

pytestmark = pytest.mark.db


def operate(hub: Hub, key: str, act: Any) -> EventId:
    """Do something to overrides within an operation of its own, as a merge with a hand-edited result does."""
    event_id = new_event_id()

    def inside(work: Work) -> None:
        work.locks.hold(work.connection, [golden(hub, key)])
        act(work.connection, Signature(clock.recording_instant(work.connection), work.who, event_id))
        plan = IdentityPlan("widget_hold", refreshed=(golden(hub, key),))
        apply(work, work.declared["widget_hold"], plan, cause=Cause("merge", event_id=event_id))

    carry(hub, inside, who="lea")
    return event_id


def hand_edit(hub: Hub, key: str, **given: Any) -> EventId:
    kind, anchor, grounds = hub.declared["widget_hold"], record_id(hub, key), Grounds("merged by hand")
    return operate(
        hub,
        key,
        lambda connection, signed: overrides.set_overrides(
            connection, kind, anchor, given, grounds=grounds, signed=signed
        ),
    )


def take_back(hub: Hub, key: str, event_id: EventId) -> EventId:
    """End what an operation overrode, and give back what it ended."""

    def act(connection: Any, signed: Signature) -> None:
        overrides.end_overrides_of(connection, event_id, signed=signed)
        overrides.reinstate_overrides_ended_by(connection, event_id)

    return operate(hub, key, act)


def test_set_and_clear_give_back_the_same_bytes(hub: Hub) -> None:
    send(hub, A, name="red", note="spare", codes=["x1"])
    before = canonical_bytes(values(hub, A))

    change = put(hub, A, "name", "crimson")
    assert values(hub, A)["name"] == "crimson"
    cleared = overrides.clear_override(hub, golden(hub, A), "name", who="ben")

    assert canonical_bytes(values(hub, A)) == before
    assert (change.before, change.after) == ({"name": "red"}, {"name": "crimson"})
    assert (cleared.before, cleared.after, cleared.ended) == (
        {"name": "crimson"},
        {"name": "red"},
        (change.made[0].id,),
    )
    (row,) = rows(hub)
    assert (row.who, row.ended_by, row.ended_at is not None) == ("ann", "ben", True)
    assert_sound(hub)


def test_an_override_names_the_event_that_made_it_and_the_event_why(hub: Hub) -> None:
    send(hub, A, name="red")

    put(hub, A, "name", "crimson")

    (row,) = rows(hub)
    with hub.engine.connect() as connection:
        query = text("SELECT kind, cause, who FROM identity_event WHERE id = :id")
        assert tuple(connection.execute(query, {"id": row.event_id}).one()) == ("override", SAID, "ann")


def test_several_overrides_of_an_operation_end_with_it_and_give_back_what_they_ended(hub: Hub) -> None:
    send(hub, A, name="red", note="spare")
    put(hub, A, "name", "crimson")
    before = canonical_bytes(values(hub, A))

    first = hand_edit(hub, A, name="scarlet", note=None)
    between = canonical_bytes(values(hub, A))
    second = hand_edit(hub, A, name="ruby")
    assert values(hub, A) == {"name": "ruby"}

    take_back(hub, A, second)
    assert canonical_bytes(values(hub, A)) == between
    assert_sound(hub)
    take_back(hub, A, first)
    assert canonical_bytes(values(hub, A)) == before
    assert_sound(hub)


def test_a_reinstated_override_ranks_as_the_old_one_did(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    put(hub, A, "name", "older")
    merged = hand_edit(hub, A, name="hand-made")
    put(hub, B, "name", "newer")
    take_back(hub, A, merged)

    join(hub, A, B)

    assert values(hub, A)["name"] == "newer"
    first, _, _, again = rows(hub)
    assert (again.recorded_at, again.who, again.reason) == (first.recorded_at, "ann", SAID)
    assert_sound(hub)


def test_setting_what_stands_writes_nothing(hub: Hub) -> None:
    send(hub, A, name="red")
    put(hub, A, "name", "crimson")
    before = row_marks(hub)

    change = put(hub, A, "name", " crimson ")

    assert not change.is_changed
    assert row_marks(hub) == before


@pytest.mark.parametrize(
    "second", [Lasting(), Lasting("until_source_changes"), Lasting("until", clock.now() + timedelta(days=9))]
)
def test_a_second_one_on_the_attribute_ends_the_first_and_is_named(hub: Hub, second: Lasting) -> None:
    send(hub, A, name="red")
    first = put(hub, A, "name", "crimson")

    change = put(hub, A, "name", "scarlet", second)

    assert change.ended == (first.made[0].id,)
    assert states(hub, A) == [("scarlet", "in_force"), ("crimson", "ended")]
    assert overrides_of(hub, golden(hub, A))[1].override.ended_event_id == change.made[0].event_id
    assert_sound(hub)


def test_clearing_what_was_never_set_writes_nothing(hub: Hub) -> None:
    send(hub, A, name="red")
    before = row_marks(hub)

    assert not overrides.clear_override(hub, golden(hub, A), "name", who="ann").is_changed
    assert row_marks(hub) == before


def test_a_blank_shows_nothing_and_is_undone_by_clearing(hub: Hub) -> None:
    send(hub, A, name="red", note="spare")

    change = put(hub, A, "note", None)

    assert values(hub, A) == {"name": "red"}
    assert change.after == {"note": None}
    assert states(hub, A) == [(None, "in_force")]
    overrides.clear_override(hub, golden(hub, A), "note", who="ann")
    assert values(hub, A) == {"name": "red", "note": "spare"}


def test_a_preview_says_what_the_act_then_does_and_leaves_nothing(hub: Hub) -> None:
    send(hub, A, name="red")
    before = row_marks(hub)
    wish = Wish("name", "crimson", SAID)

    previewed = overrides.preview_override(hub, golden(hub, A), wish, who="ann")
    assert row_marks(hub) == before

    done = overrides.set_override(hub, golden(hub, A), wish, who="ann")
    said = [(one.version, one.before, one.after, len(one.made), one.ended) for one in (previewed, done)]
    assert said[0] == said[1]
    cleared = overrides.preview_clearing(hub, golden(hub, A), "name", who="ann")
    assert (cleared.after, values(hub, A)) == ({"name": "red"}, {"name": "crimson"})


ADDRESS: dict[str, Any] = {"street": "Hauptstr. 1", "city": "Köln", "postal_code": "50667", "country": "Germany"}


def test_an_address_is_overridden_as_a_whole_and_lapses_as_a_whole(hub: Hub) -> None:
    send(hub, A, "customer", name="Müller GmbH", **ADDRESS)
    group = hub.declared["customer"].moving_with("city")
    assert {"street", "city", "postal_code"} <= set(group)

    put(hub, A, "city", "Bonn", Lasting("until_source_changes"))
    put(hub, A, "postal_code", "53111", Lasting("until_source_changes"))
    shown = values(hub, A)
    assert (shown["street"], shown["city"], shown["postal_code"]) == ("Hauptstr. 1", "Bonn", "53111")
    assert {one.override.attribute for one in overrides_of(hub, golden(hub, A)) if one.state == "in_force"} == set(
        group
    )

    send(hub, A, "customer", name="Müller GmbH", **(ADDRESS | {"street": "Ring 2"}))

    shown = values(hub, A)
    assert (shown["street"], shown["city"], shown["postal_code"]) == ("Ring 2", "Köln", "50667")
    assert {one.state for one in overrides_of(hub, golden(hub, A))} == {"ended"}
    assert_sound(hub)


def test_clearing_one_part_of_an_address_clears_all_of_it(hub: Hub) -> None:
    send(hub, A, "customer", name="Müller GmbH", **ADDRESS)
    before = canonical_bytes(values(hub, A))
    put(hub, A, "city", "Bonn")

    overrides.clear_override(hub, golden(hub, A), "street", who="ann")

    assert canonical_bytes(values(hub, A)) == before


def test_a_value_is_read_as_a_delivered_one(hub: Hub) -> None:
    send(hub, A, "customer", name="Müller GmbH", **ADDRESS)

    change = put(hub, A, "country", "Österreich")
    put(hub, A, "tax_ids", "ATU12345675; DE136695976")

    assert values(hub, A)["country"] == "AT"
    assert values(hub, A)["tax_ids"] == ["ATU12345675", "DE136695976"]
    assert (change.before, change.after) == ({"country": "DE"}, {"country": "AT"})


def test_a_rule_that_refuses_no_record_is_broken_with_a_warning(hub: Hub) -> None:
    deliver(hub, [delivery(A, "gizmo", name="wheel", grade="a")], who="test")

    unusual = put(hub, A, "grade", "excellent")
    missing = put(hub, A, "grade", None)

    assert [warning.code for warning in unusual.warnings] == ["grade_unusual"]
    assert [warning.code for warning in missing.warnings] == ["grade_missing"]
    assert values(hub, A) == {"name": "wheel"}


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [
        ("country", "Deutschlnd", "no code of"),
        ("website", "", "says nothing"),
        ("legal_name", ["A", "B"], "one value"),
        ("legal_name", None, "has no name"),
        ("parent", "crm-east/Account:b", "points at another record"),
    ],
)
def test_what_a_source_could_not_deliver_is_refused(hub: Hub, attribute: str, value: Any, told: str) -> None:
    send(hub, A, "customer", name="Müller GmbH", **ADDRESS)
    before = row_marks(hub)

    with pytest.raises(InputInvalid) as refused:
        put(hub, A, attribute, value)

    assert told in refused.value.message
    assert refused.value.remedy
    assert row_marks(hub) == before


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish("name", "crimson", "  "), "reason"),
        (Wish("name", "crimson", SAID, Lasting("until")), "until"),
        (Wish("name", "crimson", SAID, Lasting("for_ever", datetime(2100, 1, 1, tzinfo=EPOCH.tzinfo))), "until"),
        (Wish("name", "crimson", SAID, Lasting("until", EPOCH)), "until"),
    ],
)
def test_a_reason_and_a_term_that_can_hold_are_needed(hub: Hub, wish: Wish, field: str) -> None:
    send(hub, A, name="red")

    with pytest.raises(InputInvalid) as refused:
        overrides.set_override(hub, golden(hub, A), wish, who="ann")

    assert refused.value.field == field


def test_what_does_not_exist_is_named(hub: Hub) -> None:
    send(hub, A, name="red")

    with pytest.raises(AttributeUnknown) as unknown:
        put(hub, A, "nmae", "crimson")
    assert unknown.value.remedy == "did you mean name?"
    with pytest.raises(GoldenRecordUnknown):
        overrides.set_override(hub, GoldenId("wht_none"), Wish("name", "x", SAID), who="ann")


def test_a_version_that_moved_is_refused(hub: Hub) -> None:
    send(hub, A, name="red")
    seen = version(hub, A)
    send(hub, A, name="ruby")

    with pytest.raises(PlanOutdated, match=f"is version {seen + 1}, not version {seen}"):
        put(hub, A, "name", "crimson", expected_version=seen)

    assert put(hub, A, "name", "crimson", expected_version=seen + 1).version == seen + 2


def test_a_forwarded_id_means_its_survivor_unless_a_version_is_expected(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    ids = golden_by_key(hub)
    join(hub, A, B)
    forwarded = GoldenId(({ids[A], ids[B]} - {golden(hub, A)}).pop())
    wish = Wish("name", "crimson", SAID)

    with pytest.raises(VersionOutdated, match="forwarded to"):
        overrides.set_override(hub, forwarded, wish, who="ann", expected_version=1)
    assert overrides.set_override(hub, forwarded, wish, who="ann").golden_id == golden(hub, A)


def test_a_golden_record_without_members_has_nothing_to_override(hub: Hub) -> None:
    send(hub, A, name="red")
    id_ = golden(hub, A)
    deliver(hub, [delivery(A, "widget_hold", deleted=True)], who="test")

    with pytest.raises(GoldenRecordRetired, match=id_):
        overrides.set_override(hub, id_, Wish("name", "crimson", SAID), who="ann")
