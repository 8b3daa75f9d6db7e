"""Of many who are about to create a record, one is told to: reserve, confirm, abandon, expire."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.activation.reservation_model import Reservation, ReservationFilter, Resolved, Wanted
from mdm.activation.reservations import (
    abandon,
    confirm,
    expire_due,
    list_reservations,
    require_reservation,
    resolve_or_reserve,
)
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import (
    FieldsRejected,
    InputInvalid,
    ReservationClosed,
    ReservationDiffers,
    ReservationUnknown,
    SourceConflict,
    SourceUnknown,
)
from mdm.hub import Hub
from mdm.identity.service import crosswalk, golden_record
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.jobs.source_events import report
from mdm.source_events.model import SourceFact
from mdm.sources.model import SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship.service import decide
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db

ACME: dict[str, Any] = {"name": "Acme Logistik GmbH", "country": "DE", "vat number": "DE136695976", "city": "Hamburg"}
SAME_ACME: dict[str, Any] = {"name": "ACME LOGISTIK GMBH", "country": "DE", "vat number": "DE 136 695 976"}
ERP = "netsuite-us"
NEW_KEY = SourceKey.parse("netsuite-us/customer:4711")


def reserve(hub: Hub, who: str = "sync", /, *, source: str = ERP, **more: Any) -> Resolved:
    fields = more.pop("fields", ACME)
    return resolve_or_reserve(hub, Wanted("customer", source, fields, **more), who=who)


def held(answer: Resolved) -> Reservation:
    assert answer.reservation is not None
    return answer.reservation


def read(hub: Hub, found: Reservation) -> Reservation:
    return run(hub.engine, lambda c: require_reservation(c, found.id))


def state_of(hub: Hub, golden_id: GoldenId) -> str:
    return run(hub.engine, lambda c: golden_record(c, golden_id)).state


def live_keys(hub: Hub, golden_id: GoldenId) -> list[str]:
    entries = run(hub.engine, lambda c: crosswalk(c, golden_id))
    return [str(SourceKey(one.source, one.object, one.scope, one.native_id)) for one in entries if one.ended is None]


def test_what_nobody_has_is_reserved_with_a_golden_id_at_once(firm: Hub) -> None:
    answer = reserve(firm)

    made = held(answer)
    assert (answer.status, answer.is_new, answer.keys) == ("reserved", True, ())
    assert (made.state, made.who, made.source) == ("open", "sync", ERP)
    assert golden_by_key(firm) == {f"hub/reservation:{made.id}": answer.golden_id}
    assert made.expires_at - made.recorded_at == timedelta(minutes=60)
    assert_sound(firm)


def test_the_same_caller_gets_it_back_by_its_reference_and_no_other_way(firm: Hub) -> None:
    first = reserve(firm, reference="opportunity 7")

    again = reserve(firm, reference="opportunity 7")
    without = reserve(firm)
    others = reserve(firm, "somebody else", reference="opportunity 7")

    assert (again.status, held(again).id) == ("reserved", held(first).id)
    assert {(one.status, one.golden_id, held(one).id) for one in (without, others)} == {
        ("existing", first.golden_id, held(first).id)
    }
    assert without.retry_after_s == others.retry_after_s == 5
    assert len(golden_by_key(firm)) == 1


def test_other_values_under_the_same_reference_are_refused(firm: Hub) -> None:
    reserve(firm, reference="opportunity 7")

    with pytest.raises(ReservationDiffers, match="opportunity 7"):
        reserve(firm, reference="opportunity 7", fields={**ACME, "name": "Beta AG"})


def test_whoever_writes_the_same_client_otherwise_meets_the_reservation_by_matching(firm: Hub) -> None:
    first = reserve(firm)

    second = reserve(firm, "somebody else", fields=SAME_ACME)

    assert (second.status, second.golden_id, held(second).id) == ("existing", first.golden_id, held(first).id)
    assert [one.golden_id for one in second.candidates] == [first.golden_id]  # with the evidence
    assert len(golden_by_key(firm)) == 1  # what was stored to see that is taken back


def test_what_the_source_has_exists(firm: Hub) -> None:
    (there,) = deliver(firm, [delivery("netsuite-us/customer:7", "customer", **ACME)], who="test")

    answer = reserve(firm, fields=SAME_ACME)

    assert (answer.status, answer.golden_id, answer.reservation) == ("existing", there.golden_id, None)
    assert list(map(str, answer.keys)) == ["netsuite-us/customer:7"]
    assert run(firm.engine, lambda c: list_reservations(c, ReservationFilter(state=None))) == ()


def test_what_another_source_has_is_reserved_under_the_golden_id_that_it_has(firm: Hub) -> None:
    (there,) = deliver(firm, [delivery("salesforce-emea/Account:7", "customer", **ACME)], who="test")

    answer = reserve(firm, fields=SAME_ACME)
    elsewhere = reserve(firm, fields=SAME_ACME, source="d365-de")

    assert (answer.status, answer.golden_id, answer.is_new) == ("reserved", there.golden_id, False)
    # Each ERP gets the client once: a reservation for one says nothing of the other.
    assert (elsewhere.status, elsewhere.golden_id) == ("reserved", there.golden_id)
    assert held(elsewhere).id != held(answer).id


def test_what_may_be_there_is_a_question_for_a_steward_and_reserved_meanwhile(firm: Hub) -> None:
    (there,) = deliver(
        firm, [delivery("netsuite-us/customer:7", "customer", name="Acme Logistik GmbH", country="DE")], who="test"
    )
    fields = {"name": "Acme Logistic GmbH", "country": "DE", "city": "Bremen"}

    answer = reserve(firm, fields=fields, reference="opportunity 7")

    assert answer.status == "review", answer
    assert answer.golden_id != there.golden_id
    assert [one.golden_id for one in answer.candidates] == [there.golden_id]
    assert len(answer.reviews) == 1
    # Once a steward says that it is the same, the caller is told so.
    decide(firm, SourceKey.parse("netsuite-us/customer:7"), held(answer).key, Verdict("same", "seen"), who="mara")
    later = reserve(firm, fields=fields, reference="opportunity 7")
    assert (later.status, later.golden_id, [str(key) for key in later.keys]) == (
        "existing",
        there.golden_id,
        ["netsuite-us/customer:7"],
    )


def test_confirming_gives_the_new_key_the_golden_id_that_was_reserved(firm: Hub) -> None:
    answer = reserve(firm)

    confirmed = confirm(firm, held(answer).id, NEW_KEY, who="sync")

    assert (confirmed.golden_id, confirmed.is_joined) == (answer.golden_id, True)
    assert live_keys(firm, answer.golden_id) == ["netsuite-us/customer:4711"]
    assert (read(firm, held(answer)).state, read(firm, held(answer)).source_key) == ("confirmed", NEW_KEY)
    assert confirm(firm, held(answer).id, NEW_KEY, who="sync").golden_id == answer.golden_id  # told twice
    assert_sound(firm)


def test_the_new_key_stays_with_the_reservation_wherever_its_own_values_lead(firm: Hub) -> None:
    (other,) = deliver(
        firm,
        [delivery("salesforce-emea/Account:9", "customer", name="Zeta Werke AG", country="DE", duns="123456789")],
        who="test",
    )
    answer = reserve(firm)
    confirm(firm, held(answer).id, NEW_KEY, who="sync")

    # The ERP wrote it down under another name, by which it would attach to nobody.
    (arrived,) = deliver(firm, [delivery(str(NEW_KEY), "customer", name="A. L. Spedition", country="AT")], who="erp")

    assert arrived.golden_id == answer.golden_id != other.golden_id
    assert_sound(firm)


def test_a_record_that_came_before_it_was_confirmed_is_joined_then(firm: Hub) -> None:
    answer = reserve(firm)
    (arrived,) = deliver(firm, [delivery(str(NEW_KEY), "customer", name="A. L. Spedition", country="AT")], who="erp")
    assert arrived.golden_id != answer.golden_id

    confirmed = confirm(firm, held(answer).id, NEW_KEY, who="sync")

    assert confirmed.is_joined
    assert live_keys(firm, confirmed.golden_id) == ["netsuite-us/customer:4711"]
    assert_sound(firm)


def test_only_a_fitting_key_confirms(firm: Hub) -> None:
    deliver(firm, [delivery("netsuite-us/job:1", "project", name="Rollout")], who="test")
    made = held(reserve(firm))

    with pytest.raises(InputInvalid, match="is for netsuite-us"):
        confirm(firm, made.id, SourceKey.parse("d365-de/customer:1"), who="sync")
    with pytest.raises(FieldsRejected, match="customer and project"):
        confirm(firm, made.id, SourceKey.parse("netsuite-us/job:1"), who="sync")
    with pytest.raises(ReservationUnknown):
        confirm(firm, "rsv_none", NEW_KEY, who="sync")
    confirm(firm, made.id, NEW_KEY, who="sync")
    with pytest.raises(ReservationClosed, match="customer:4711"):
        confirm(firm, made.id, SourceKey.parse("netsuite-us/customer:4712"), who="sync")


def test_abandoning_retires_what_only_the_reservation_was(firm: Hub) -> None:
    answer = reserve(firm)

    assert abandon(firm, held(answer).id, who="sync").state == "abandoned"
    assert abandon(firm, held(answer).id, who="sync").state == "abandoned"  # told twice

    assert state_of(firm, answer.golden_id) == "retired"
    assert golden_by_key(firm) == {}
    with pytest.raises(ReservationClosed, match="was abandoned"):
        confirm(firm, held(answer).id, NEW_KEY, who="sync")
    assert reserve(firm, "somebody else").status == "reserved"  # the way is free
    assert_sound(firm)


def test_abandoning_leaves_a_golden_record_that_others_are_in(firm: Hub) -> None:
    (there,) = deliver(firm, [delivery("salesforce-emea/Account:7", "customer", **ACME)], who="test")
    answer = reserve(firm)

    abandon(firm, held(answer).id, who="sync")

    assert there.golden_id == answer.golden_id
    assert state_of(firm, answer.golden_id) == "active"
    assert live_keys(firm, answer.golden_id) == ["salesforce-emea/Account:7"]


def let_pass(hub: Hub, found: Reservation) -> None:
    """Put the end of a reservation into the past."""
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE reservation SET expires_at = :at WHERE id = :id"),
            {"at": clock.now() - timedelta(seconds=1), "id": found.id},
        )


def test_the_worker_ends_what_is_over_and_nothing_else(firm: Hub) -> None:
    over, running = reserve(firm), reserve(firm, fields={**ACME, "name": "Beta AG", "vat number": "DE811569869"})
    let_pass(firm, held(over))

    assert expire_due(firm) == 1
    assert expire_due(firm) == 0

    assert [read(firm, held(one)).state for one in (over, running)] == ["expired", "open"]
    assert read(firm, held(over)).ended_by == "worker"
    assert [state_of(firm, one.golden_id) for one in (over, running)] == ["retired", "active"]
    assert_sound(firm)


def test_a_create_that_was_confirmed_too_late_brings_its_golden_id_back(firm: Hub) -> None:
    answer = reserve(firm)
    let_pass(firm, held(answer))
    expire_due(firm)

    confirmed = confirm(firm, held(answer).id, NEW_KEY, who="sync")

    assert (confirmed.golden_id, state_of(firm, answer.golden_id)) == (answer.golden_id, "active")
    assert live_keys(firm, answer.golden_id) == ["netsuite-us/customer:4711"]
    assert_sound(firm)


def test_a_reservation_that_was_fulfilled_without_a_word_is_confirmed_when_its_time_is_over(firm: Hub) -> None:
    answer = reserve(firm)
    deliver(firm, [delivery(str(NEW_KEY), "customer", **SAME_ACME)], who="erp")
    let_pass(firm, held(answer))

    expire_due(firm)

    assert (read(firm, held(answer)).state, read(firm, held(answer)).source_key) == ("confirmed", NEW_KEY)
    assert live_keys(firm, answer.golden_id) == ["netsuite-us/customer:4711"]


def test_a_child_points_at_a_reservation_and_follows_it(firm: Hub) -> None:
    answer = reserve(firm)
    key = f"hub/reservation:{held(answer).id}"
    deliver(firm, [delivery("netsuite-us/job:1", "project", name="Rollout", customer=key)], who="erp")

    confirm(firm, held(answer).id, NEW_KEY, who="sync")

    with firm.engine.connect() as connection:
        values = connection.execute(
            text(
                "SELECT v.values FROM golden_version v JOIN golden_record g ON g.id = v.golden_id"
                " AND g.version = v.version WHERE g.entity_type = 'project'"
            )
        ).scalar_one()
    assert values["customer"] == answer.golden_id


def test_all_faults_of_the_fields_are_told(firm: Hub) -> None:
    with pytest.raises(FieldsRejected) as refused:
        reserve(firm, fields={"country": "DE"})
    assert [fault.code for fault in refused.value.faults] == ["legal_name_missing"]
    with pytest.raises(SourceUnknown):
        reserve(firm, source="sap-one")
    with pytest.raises(InputInvalid, match="nothing is created"):
        reserve(firm, source="hub")
    with pytest.raises(InputInvalid, match="minutes"):
        reserve(firm, minutes=0)
    with pytest.raises(InputInvalid, match="reference"):
        reserve(firm, reference="x" * 256)


def test_nobody_delivers_to_the_instance_of_the_hub(firm: Hub) -> None:
    key = held(reserve(firm)).key

    (outcome,) = deliver(firm, [delivery(str(key), "customer", **ACME)], who="test")
    (noted,) = report(firm, [SourceFact("deleted", "hub", key)], who="test")

    assert [reason.code for reason in outcome.errors] == ["source_built_in"]
    assert [reason.code for reason in noted.reasons] == ["source_built_in"]
    with pytest.raises(SourceConflict, match="built in"), firm.engine.begin() as connection:
        register(connection, SourceInstance("hub", "hub", "Hub"), who="test")
