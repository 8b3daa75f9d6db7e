"""Which record stays, which external id each one bears, and who waits for whom."""

from dataclasses import replace
from datetime import UTC, datetime

from mdm.delivery.hashes import hash_fields
from mdm.delivery.model import DueLane, FieldRule, Held, Namesake, OwnRecord, RecordSubscription, RemoteState, Sight
from mdm.delivery.wanted import Plan, plan_records
from mdm.ids import GoldenId
from tests.hubs import declared

SALT = b"s" * 16
GIZMO = declared()["gizmo"]
ID, OTHER, THIRD = GoldenId("giz_1"), GoldenId("giz_2"), GoldenId("giz_3")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
LANE = DueLane("erp", ID, 3, 2, 0, None, DAY, is_forced=False, token="t", leased_at=DAY)
RULES = RecordSubscription("gizmo", "Gizmo", "", True, {}, "deactivate", "wait", (FieldRule("name", "title"),))


def known(native_id: str, external_id: str | None, title: str = "A", state: RemoteState = "active") -> OwnRecord:
    held = Held("Gizmo", "", native_id, state, SALT, hash_fields(SALT, {"title": title}), external_id=external_id)
    return OwnRecord("Gizmo", "", native_id, held)


def plan(*records: OwnRecord, claimed: GoldenId | None = None, borne_by: GoldenId | None = None) -> Plan:
    namesakes = (Namesake("Gizmo", "", "9", borne_by),) if borne_by else ()
    claims = frozenset({str(claimed)} if claimed else ())
    sight = Sight(ID, "gizmo", "active", 3, {"name": "A"}, records, {}, namesakes=namesakes, claimed=claims)
    return plan_records(RULES, GIZMO, sight, LANE)


def told(one: Plan) -> list[tuple[str, str, str]]:
    return [(intent.change.kind, intent.change.native_id, intent.change.external_id) for intent in one.intents]


def test_the_record_that_bears_the_id_stays_else_the_one_known_longest() -> None:
    assert told(plan(known("1", OTHER), known("2", ID))) == [("deactivate", "1", "")]
    assert told(plan(known("1", ""), known("2", OTHER))) == [("update", "1", ID), ("deactivate", "2", "")]
    assert told(plan(known("1", ""), known("2", None))) == [("update", "1", ID), ("deactivate", "2", "")]


def test_another_id_alone_or_none_is_reason_to_write_and_one_that_is_not_known_is_not() -> None:
    assert [told(plan(known("1", one))) for one in (OTHER, "")] == [[("update", "1", ID)]] * 2
    assert [told(plan(known("1", one))) for one in (ID, None)] == [[], []]
    assert [told(plan(known("1", one, title="B"))) for one in (ID, "", None)] == [[("update", "1", ID)]] * 3


def test_a_record_that_does_not_stay_lets_go_only_of_the_id_of_an_active_golden_record() -> None:
    records = (known("1", ID), known("2", OTHER, state="deactivated"))

    assert told(plan(*records)) == []
    released = plan(*records, claimed=OTHER)
    assert told(released) == [("release", "2", "")]
    assert released.intents[0].held.external_id == ""
    assert told(plan(known("1", ID), known("2", OTHER), claimed=OTHER)) == [
        ("release", "2", ""),
        ("deactivate", "2", ""),
    ]


def test_nothing_is_made_while_a_record_of_another_one_bears_the_id() -> None:
    waits = plan(borne_by=OTHER)

    assert (waits.intents, waits.asks, waits.waits) == ((), OTHER, True)
    assert "Gizmo 9" in waits.reason
    assert OTHER in waits.reason


def test_values_are_written_without_an_id_that_another_record_bears() -> None:
    nameless = plan(known("1", "", title="B"), borne_by=OTHER)
    assert (told(nameless), nameless.asks) == ([("update", "1", "")], OTHER)

    # It bears the id of one that forwards, and keeps it until its own is free.
    wrong = plan(known("1", THIRD, title="B"), borne_by=OTHER)
    assert (told(wrong), wrong.asks) == ([("update", "1", "")], OTHER)

    # It bears the id of one that wants it, and lets go before it waits: so two that bear each other's ids get theirs.
    swapped = plan(known("1", OTHER, title="B"), claimed=OTHER, borne_by=OTHER)
    assert (told(swapped), swapped.asks) == ([("release", "1", ""), ("update", "1", "")], OTHER)
    assert [intent.held.external_id for intent in swapped.intents] == ["", ""]


def test_an_id_that_a_record_out_of_use_bears_is_left_to_it() -> None:
    assert told(plan(known("1", ID, state="inactive"), known("2", "", title="B"))) == [("update", "2", "")]


def test_an_id_is_let_go_of_also_by_a_record_that_is_not_written() -> None:
    resting = known("1", OTHER, state="inactive")

    assert told(plan(resting)) == []
    assert told(plan(resting, claimed=OTHER)) == [("release", "1", "")]
    sight = Sight(ID, "gizmo", "active", 3, {"name": "A"}, (known("1", OTHER),), {}, claimed=frozenset({str(OTHER)}))
    narrow = replace(RULES, conditions={"name": ("B",)})
    assert told(plan_records(narrow, GIZMO, sight, LANE)) == [("release", "1", "")]
    assert plan_records(narrow, GIZMO, replace(sight, claimed=frozenset()), LANE).outcome == "not_subscribed"


def test_requests_of_another_series_bear_other_ids() -> None:
    def ids(lane: DueLane, *records: OwnRecord) -> list[str]:
        sight = Sight(ID, "gizmo", "active", 3, {"name": "A"}, records, {})
        return [one.change.request_id for one in plan_records(RULES, GIZMO, sight, lane).intents]

    later = replace(LANE, series=1)
    assert ids(LANE) == ["giz_1.create.2"]
    assert ids(later) == ["giz_1.create.2.1"]
    record = known("1", ID, title="B")
    assert ids(LANE, record) == ids(LANE, record) != ids(later, record)
