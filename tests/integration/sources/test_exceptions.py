"""What could not be taken waits with every reason, once, until it is mended, dismissed or put right by the source."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.errors import ExceptionClosed, ExceptionUnknown, InputInvalid
from mdm.hub import Hub
from mdm.ids import ExceptionId
from mdm.jobs.service import deliver, replay
from mdm.sources import exceptions
from mdm.sources.model import Delivery, DeliveryException
from tests.hubs import EPOCH, delivery, golden_by_key, register_instances

pytestmark = pytest.mark.db

NAMELESS = delivery("crm-east/Gizmo:1", "gizmo", grade="a", colour="red")


def waiting(hub: Hub, state: str = "open", **questions: Any) -> tuple[DeliveryException, ...]:
    return run(hub.engine, lambda connection: exceptions.listed(connection, state=state, **questions))


def rejected(hub: Hub) -> DeliveryException:
    """Deliver a gizmo without a name and give its exception."""
    (outcome,) = deliver(hub, [NAMELESS], who="test")
    assert outcome.status == "rejected"
    (found,) = waiting(hub)
    return found


def test_a_rejected_delivery_waits_whole_with_its_reasons(hub: Hub) -> None:
    found = rejected(hub)

    assert (found.kind, found.entity_type, found.source_key) == ("rejected", "gizmo", "crm-east/Gizmo:1")
    assert found.fields == {"grade": "a", "colour": "red"}
    assert [(reason.code, reason.severity) for reason in found.reasons] == [("name_missing", "reject")]
    assert golden_by_key(hub) == {}


def test_the_same_fault_delivered_again_opens_nothing(hub: Hub) -> None:
    first = rejected(hub)

    deliver(hub, [NAMELESS, NAMELESS], who="test")

    assert waiting(hub) == (first,)


def nameless(at: int | None = None, **fields: Any) -> Delivery:
    return delivery("crm-east/Gizmo:1", "gizmo", at=at, **fields)


def statuses(hub: Hub, *deliveries: Delivery) -> list[str]:
    return [outcome.status for outcome in deliver(hub, deliveries, who="test")]


def test_a_later_fault_of_the_same_record_takes_the_place_of_the_first(hub: Hub) -> None:
    first = rejected(hub)

    deliver(hub, [nameless(grade="b")], who="test")

    assert [found.fields for found in waiting(hub)] == [{"grade": "b"}]
    assert [found.id for found in waiting(hub, "superseded")] == [first.id]


@pytest.mark.parametrize("is_one_batch", [False, True])
def test_of_rejected_deliveries_of_a_key_the_newest_waits(hub: Hub, is_one_batch: bool) -> None:
    march, before, april = nameless(3, grade="a"), nameless(1, grade="b"), nameless(4, grade="c")
    batches = [[march, before, april]] if is_one_batch else [[march], [before], [april]]

    found = [status for batch in batches for status in statuses(hub, *batch)]

    assert found == ["rejected", "stale", "rejected"]
    assert [one.fields for one in waiting(hub)] == [{"grade": "c"}]
    assert [one.fields for one in waiting(hub, "superseded")] == [{"grade": "a"}]


def test_rejected_deliveries_that_come_again_change_nothing(hub: Hub) -> None:
    batch = [nameless(3, grade="a"), nameless(1, grade="b"), nameless(4, grade="c")]
    statuses(hub, *batch)
    before = waiting(hub), waiting(hub, "superseded")

    assert statuses(hub, *batch) == ["stale", "stale", "rejected"]

    assert (waiting(hub), waiting(hub, "superseded")) == before


def test_the_same_fault_with_a_newer_time_is_as_new_as_that(hub: Hub) -> None:
    statuses(hub, nameless(1, grade="a"), nameless(3, grade="a"))

    assert statuses(hub, nameless(2, grade="b")) == ["stale"]

    assert [one.fields for one in waiting(hub)] == [{"grade": "a"}]


def test_a_rejected_delivery_older_than_its_record_is_stale(hub: Hub) -> None:
    statuses(hub, nameless(2, name="cog", grade="a"))

    assert statuses(hub, nameless(1, grade="a"), nameless(2, grade="b")) == ["stale", "rejected"]

    assert [one.fields for one in waiting(hub)] == [{"grade": "b"}]


def test_a_stored_delivery_leaves_a_newer_rejected_one_waiting(hub: Hub) -> None:
    statuses(hub, nameless(3, grade="a"))

    assert statuses(hub, nameless(2, name="cog", grade="a")) == ["created"]
    assert [one.fields for one in waiting(hub)] == [{"grade": "a"}]

    assert statuses(hub, nameless(4, name="cog", grade="a")) == ["updated"]
    assert waiting(hub) == ()


def test_a_rejected_delivery_leaves_the_warning_of_what_is_stored(hub: Hub) -> None:
    statuses(hub, nameless(1, name="cog", grade="best"))

    statuses(hub, nameless(2, grade="a"))

    assert [one.kind for one in waiting(hub)] == ["warning", "rejected"]


def test_without_times_the_last_delivery_of_a_batch_holds(hub: Hub) -> None:
    good, bad = nameless(name="cog", grade="a"), nameless(grade="a")

    assert statuses(hub, bad, good, bad) == ["rejected", "created", "rejected"]
    assert [one.fields for one in waiting(hub)] == [{"grade": "a"}]

    assert statuses(hub, good) == ["unchanged"]
    assert waiting(hub) == ()


def test_a_rejected_delivery_behind_a_newer_one_of_its_batch_is_stale(hub: Hub) -> None:
    assert statuses(hub, nameless(2, name="cog", grade="a"), nameless(1, grade="a")) == ["created", "stale"]

    assert waiting(hub) == waiting(hub, "superseded") == ()


def test_a_mended_rejection_is_replayed_as_new_as_its_last_delivery(hub: Hub) -> None:
    statuses(hub, nameless(1, grade="a"))
    (found,) = waiting(hub)
    mend(hub, found, name="cog")
    statuses(hub, nameless(3, grade="a"))

    assert replay(hub, found.id, who="ann").status == "created"

    assert waiting(hub) == ()
    assert statuses(hub, nameless(2, name="wheel", grade="a"), nameless(3, grade="a")) == ["stale", "unchanged"]


def mend(hub: Hub, found: DeliveryException, **changes: Any) -> None:
    run(hub.engine, lambda connection: exceptions.mend(connection, hub.declared, found.id, changes))


def test_what_was_mended_stands_when_the_same_content_comes_again(hub: Hub) -> None:
    found = rejected(hub)
    mend(hub, found, name="cog")
    replay(hub, found.id, who="ann")

    (again,) = deliver(hub, [NAMELESS], who="test")
    (other,) = deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", grade="b")], who="test")

    assert (again.status, again.golden_id) == ("unchanged", golden_by_key(hub)["crm-east/Gizmo:1"])
    assert other.status == "rejected"
    assert [one.fields for one in waiting(hub)] == [{"grade": "b"}]


def test_a_mended_warning_is_not_undone_by_the_same_content(hub: Hub) -> None:
    unusual = delivery("crm-east/Gizmo:1", "gizmo", name="cog", grade="best")
    deliver(hub, [unusual], who="test")
    (found,) = waiting(hub)
    mend(hub, found, grade="b")
    replay(hub, found.id, who="ann")

    (again,) = deliver(hub, [unusual], who="test")

    assert again.status == "unchanged"
    assert waiting(hub) == ()


def test_a_field_that_fills_nothing_is_no_mend(hub: Hub) -> None:
    found = rejected(hub)

    with pytest.raises(InputInvalid) as refused:
        mend(hub, found, nam="cog")

    assert refused.value.remedy == "did you mean name?"
    assert waiting(hub) == (found,)


def test_a_mended_exception_is_taken_when_it_is_replayed(hub: Hub) -> None:
    found = rejected(hub)
    mend(hub, found, name="cog", colour=None)

    outcome = replay(hub, found.id, who="ann")

    assert (outcome.status, outcome.outcome) == ("created", "created")
    assert golden_by_key(hub).keys() == {"crm-east/Gizmo:1"}
    assert waiting(hub) == ()
    (closed,) = waiting(hub, "replayed")
    assert closed.fields == {"grade": "a", "name": "cog"}


def test_a_replay_that_is_rejected_again_keeps_the_one_exception_open_with_the_new_reasons(hub: Hub) -> None:
    found = rejected(hub)
    run(hub.engine, lambda connection: exceptions.mend(connection, hub.declared, found.id, {"grade": "b"}))

    outcome = replay(hub, found.id, who="ann")

    assert outcome.status == "rejected"
    (still,) = waiting(hub)
    assert (still.id, still.fields) == (found.id, {"grade": "b", "colour": "red"})
    assert [reason.code for reason in still.reasons] == ["name_missing"]


def test_a_closed_exception_is_neither_mended_nor_replayed_nor_closed_again(hub: Hub) -> None:
    found = rejected(hub)
    run(hub.engine, lambda connection: exceptions.close(connection, found.id, state="dismissed", who="ann"))

    for act in (
        lambda: mend(hub, found, name="cog"),
        lambda: replay(hub, found.id, who="ann"),
        lambda: run(
            hub.engine, lambda connection: exceptions.close(connection, found.id, state="dismissed", who="ann")
        ),
    ):
        with pytest.raises(ExceptionClosed, match=f"exception {found.id} is dismissed"):
            act()

    assert waiting(hub) == ()


def test_a_dismissed_fault_that_comes_again_is_asked_about_again(hub: Hub) -> None:
    found = rejected(hub)
    run(hub.engine, lambda connection: exceptions.close(connection, found.id, state="dismissed", who="ann"))

    deliver(hub, [NAMELESS], who="test")

    (again,) = waiting(hub)
    assert again.id != found.id


def test_a_later_delivery_that_is_stored_supersedes_what_waited(hub: Hub) -> None:
    rejected(hub)

    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", name="cog", grade="a")], who="test")

    assert waiting(hub) == ()
    assert len(waiting(hub, "superseded")) == 1


def test_an_older_delivery_supersedes_nothing(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", at=2, name="cog", grade="a")], who="test")
    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", at=3, grade="a")], who="test")

    (outcome,) = deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", at=1, name="old", grade="a")], who="test")

    assert outcome.status == "stale"
    assert len(waiting(hub)) == 1


def test_an_accepted_record_with_a_warning_waits_beside_its_golden_record(hub: Hub) -> None:
    (outcome,) = deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", name="cog", grade="best")], who="test")

    (found,) = waiting(hub)
    assert outcome.status == "created"
    assert [reason.code for reason in outcome.errors] == ["grade_unusual"]
    assert (found.kind, [reason.code for reason in found.reasons]) == ("warning", ["grade_unusual"])


def test_a_warning_that_the_next_version_still_deserves_stays_the_same(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", at=1, name="cog", grade="best")], who="test")
    (before,) = waiting(hub)

    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", at=2, name="cog", grade="best")], who="test")

    assert waiting(hub) == (replace(before, source_time=EPOCH + timedelta(hours=2)),)


def test_a_warning_of_one_record_does_not_keep_that_of_another_open(hub: Hub) -> None:
    # Both gizmos have the very same fields, so their warnings have the same fingerprint.
    for number in (1, 2):
        deliver(hub, [delivery(f"crm-east/Gizmo:{number}", "gizmo", at=1, name="cog", grade="best")], who="test")

    deliver(
        hub,
        [
            delivery("crm-east/Gizmo:1", "gizmo", at=2, name="cog", grade="best"),
            delivery("crm-east/Gizmo:2", "gizmo", at=2, name="cog", grade="a"),
        ],
        who="test",
    )

    assert [found.source_key for found in waiting(hub)] == ["crm-east/Gizmo:1"]


def test_a_deletion_from_an_unknown_instance_is_still_a_deletion_when_it_is_replayed(hub: Hub) -> None:
    from_nowhere = delivery("crm-north/Gizmo:1", "gizmo", deleted=True, name="cog", grade="a")
    deliver(hub, [from_nowhere], who="test")
    (found,) = waiting(hub)
    assert [reason.code for reason in found.reasons] == ["source_unknown"]
    register_instances(hub, "crm-north")

    outcome = replay(hub, found.id, who="ann")

    assert (outcome.status, outcome.golden_id) == ("created", None)
    assert golden_by_key(hub) == {}


def test_columns_mapped_by_hand_are_mapped_the_same_way_when_replayed(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", Klasse="a")], who="test", column_map={"Klasse": "grade"})
    (found,) = waiting(hub)
    run(hub.engine, lambda connection: exceptions.mend(connection, hub.declared, found.id, {"name": "cog"}))

    outcome = replay(hub, found.id, who="ann")

    assert (outcome.status, outcome.errors) == ("created", ())


def test_texts_that_no_column_keeps_are_shown_by_their_escapes(hub: Hub) -> None:
    deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", name="a\0b", tag="\ud800", grade="a")], who="test")

    (found,) = waiting(hub)
    assert found.fields == {"name": "a\\x00b", "tag": "\\ud800", "grade": "a"}
    assert [reason.code for reason in found.reasons] == ["unstorable_text"]


def test_a_text_that_only_spells_an_escape_is_stored_as_it_is(hub: Hub) -> None:
    (outcome,) = deliver(hub, [delivery("crm-east/Gizmo:1", "gizmo", name="a\\u0000b", grade="a")], who="test")

    assert outcome.status == "created"


def test_exceptions_are_listed_by_source_page_and_count(hub: Hub) -> None:
    nameless = [delivery(f"crm-{place}/Gizmo:{n}", "gizmo", grade="a") for place in ("east", "west") for n in (1, 2)]
    deliver(hub, nameless, who="test")

    first, second = waiting(hub, source="crm-west", limit=5)
    (rest,) = waiting(hub, source="crm-west", after=first.id)

    assert [found.source_key for found in (first, second)] == ["crm-west/Gizmo:1", "crm-west/Gizmo:2"]
    assert rest == second
    assert run(hub.engine, exceptions.counted) == {("rejected", "name_missing"): 4}


def test_an_exception_that_never_was_is_unknown(hub: Hub) -> None:
    with pytest.raises(ExceptionUnknown, match="exc_none"):
        replay(hub, ExceptionId("exc_none"), who="ann")
