"""What a target's records shall hold: only effective changes, in its own words and keys, never what is its own."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mdm.delivery.hashes import hash_fields
from mdm.delivery.model import (
    DueLane,
    FieldRule,
    Held,
    OnMerge,
    OwnRecord,
    RecordSubscription,
    RemoteState,
    Sight,
    WhereItCannot,
)
from mdm.delivery.wanted import fits, plan_records
from mdm.ids import GoldenId, ReviewId
from tests.hubs import declared

SALT = b"s" * 16
GIZMO = declared()["gizmo"]
ID, PARENT = GoldenId("giz_1"), GoldenId("wht_1")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
LANE = DueLane("erp", ID, 3, 2, 0, None, DAY, is_forced=False, token="t", leased_at=DAY)
RULES = RecordSubscription(
    "gizmo",
    "Gizmo",
    "us",
    creates=True,
    conditions={},
    on_merge="link",
    missing_parent="wait",
    fields=(
        FieldRule("name", "title"),
        FieldRule("tag", "label", "fill"),
        FieldRule("grade", "grade", codes={"a": "first"}),
        FieldRule("widget", "widget_id"),
    ),
)


def sight(*records: OwnRecord, **values: Any) -> Sight:
    return Sight(ID, "gizmo", "active", 3, {"name": "Phase 2", **values}, records, {PARENT: [("", "w1")]})


def known(native_id: str, **fields: Any) -> OwnRecord:
    return OwnRecord(
        "Gizmo", "us", native_id, Held("Gizmo", "us", native_id, "active", SALT, hash_fields(SALT, fields))
    )


def changes(
    seen: Sight, rules: RecordSubscription = RULES, lane: DueLane = LANE
) -> list[tuple[str, str, dict[str, Any]]]:
    plan = plan_records(rules, GIZMO, seen, lane)
    return [(one.change.kind, one.change.native_id, dict(one.change.fields)) for one in plan.intents]


def test_a_record_that_is_missing_is_made_with_all_but_what_is_the_targets_own() -> None:
    seen = sight(tag="x", grade="a", widget=PARENT)

    assert changes(seen) == [("create", "", {"title": "Phase 2", "label": "x", "grade": "first", "widget_id": "w1"})]
    assert changes(seen, replace(RULES, creates=False)) == []


def test_only_what_differs_is_written_and_a_filled_field_only_where_nothing_stands() -> None:
    assert changes(sight(known("1", title="Phase 2", label="theirs"), tag="x")) == []
    assert changes(sight(known("1", title="Phase 1", label=None), tag="x")) == [
        ("update", "1", {"title": "Phase 2", "label": "x"})
    ]
    # Of a record that was never seen it is not known whether the field is empty.
    assert changes(sight(OwnRecord("Gizmo", "us", "1", None), tag="x")) == [("update", "1", {"title": "Phase 2"})]


def test_what_was_asked_without_an_answer_is_written_over_by_the_value_of_before() -> None:
    one = known("1", title="Phase 2")
    assert one.held is not None
    phase_2, phase_3 = (hash_fields(SALT, {"title": f"Phase {number}"})["title"] for number in (2, 3))
    asked = replace(one.held, intended={"title": (phase_3,)})

    assert changes(sight(replace(one, held=asked))) == [("update", "1", {"title": "Phase 2"})]
    again = replace(asked, intended={"title": (phase_3, phase_2)})
    assert changes(sight(replace(one, held=again))) == [("update", "1", {"title": "Phase 2"})]
    answered = replace(asked, intended={"title": (phase_2,)})
    assert changes(sight(replace(one, held=answered))) == []


def test_a_field_is_emptied_only_where_the_declaration_says_so() -> None:
    seen = sight(known("1", title="Phase 2", grade="first"))
    rules = replace(RULES, fields=(FieldRule("grade", "grade", clears=True),))

    assert changes(seen) == []
    assert changes(seen, rules) == [("update", "1", {"grade": None})]


def written_for(mark: str, *, there: Any = "first", asked: Any = None) -> OwnRecord:
    """Give a record into which the hub wrote, or asked to, a grade of a version of a golden record."""
    grade = hash_fields(SALT, {"grade": "first"})["grade"]
    one = known("1", title="Phase 2", grade=there)
    assert one.held is not None
    intended = {"grade": (hash_fields(SALT, {"grade": asked})["grade"],)} if asked else None
    return replace(one, held=replace(one.held, intended=intended, written_for={"grade": {grade: mark}}))


PARTED = frozenset({("grade", "giz_2@4")})


def test_a_value_that_left_with_its_members_is_emptied_whatever_the_declaration_says() -> None:
    of_others = replace(sight(written_for("giz_2@4")), parted=PARTED)

    assert changes(of_others) == [("update", "1", {"grade": None})]
    assert changes(replace(of_others, values={"name": "Phase 2", "grade": "a"})) == []
    assert changes(replace(sight(written_for("giz_2@3")), parted=PARTED)) == []


def test_what_the_target_changed_or_owns_or_was_filled_stays_when_members_leave() -> None:
    of_others = replace(sight(written_for("giz_2@4")), parted=PARTED)

    assert changes(replace(sight(written_for("giz_2@4", there="theirs")), parted=PARTED)) == []
    for owner in ("fill", "target"):
        assert changes(of_others, replace(RULES, fields=(FieldRule("grade", "grade", owner),))) == []


def test_a_value_of_members_that_left_and_was_not_answered_is_emptied_where_nothing_else_may_stand() -> None:
    def asked(there: Any) -> Sight:
        return replace(sight(written_for("giz_2@4", there=there, asked="first")), parted=PARTED)

    assert changes(asked(None)) == [("update", "1", {"grade": None})]
    assert changes(asked("theirs")) == []


def test_what_is_written_is_marked_with_the_version_that_it_is_the_value_of() -> None:
    (made,) = plan_records(RULES, GIZMO, sight(grade="a"), LANE).intents
    (brought,) = plan_records(RULES, GIZMO, sight(known("1", title="Phase 2"), grade="a"), LANE).intents

    for intent in (made, brought):
        assert set(intent.held.written_for["grade"].values()) == {"giz_1@3"}
    assert set(brought.held.written_for) == {"grade"}


def test_a_frozen_attribute_is_left_as_it_is() -> None:
    assert changes(replace(sight(known("1", title="Phase 1")), frozen=frozenset({"name"}))) == []


def test_what_points_at_a_record_that_the_target_lacks_waits_for_it() -> None:
    seen = replace(sight(widget=PARENT), parents={})

    assert plan_records(RULES, GIZMO, seen, LANE).waits_for == PARENT
    assert "widget_id" not in changes(seen, replace(RULES, missing_parent="leave_out"))[0][2]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("link", "update"), ("deactivate", "deactivate"), ("merge", "merge"), ("leave", None)],
)
def test_the_other_records_of_one_golden_record_meet_the_policy(policy: OnMerge, expected: str | None) -> None:
    seen = sight(known("1", title="Phase 2"), known("2", title="Other"))

    assert [kind for kind, _, _ in changes(seen, replace(RULES, on_merge=policy))] == ([expected] if expected else [])


def test_a_merge_brings_along_what_is_done_where_the_target_cannot() -> None:
    seen = sight(known("1", title="Phase 2"), known("2", title="Other"))
    rules = replace(RULES, on_merge="merge")

    def second_choice(instead: WhereItCannot) -> tuple[list[str], str, str]:
        plan = plan_records(replace(rules, where_it_cannot=instead), GIZMO, seen, LANE).with_second_choice(0)
        return [one.change.kind for one in plan.intents], plan.outcome, plan.reason

    why = "Gizmo 2 could not be merged there:"
    assert second_choice("link") == (["update"], "delivered", f"{why} linked instead")
    assert second_choice("deactivate") == (["deactivate"], "delivered", f"{why} deactivated instead")
    assert second_choice("leave") == ([], "delivered", f"{why} left as it is instead")


def test_the_second_choice_takes_the_place_of_the_merge_and_the_other_records_keep_theirs() -> None:
    seen = sight(*(known(native_id, title="Other") for native_id in "123"))
    plan = plan_records(replace(RULES, on_merge="merge", where_it_cannot="deactivate"), GIZMO, seen, LANE)

    told = [(one.change.kind, one.change.native_id) for one in plan.with_second_choice(1).intents]

    assert [(one.change.kind, one.change.native_id) for one in plan.intents] == [
        ("update", "1"),
        ("merge", "2"),
        ("merge", "3"),
    ]
    assert told == [("update", "1"), ("deactivate", "2"), ("merge", "3")]


def test_a_record_that_is_taken_out_of_use_in_place_of_a_merge_is_known_by_the_targets_own_flag() -> None:
    rules = replace(RULES, on_merge="merge", where_it_cannot="deactivate", use_flag="isInactive")
    plan = plan_records(rules, GIZMO, sight(known("1", title="Phase 2"), known("2", title="Other")), LANE)

    (intent,) = plan.with_second_choice(0).intents

    assert intent.writes == hash_fields(SALT, {"isInactive": True})


@pytest.mark.parametrize(("instead", "expected"), [("link", "update"), ("deactivate", "deactivate"), ("leave", None)])
def test_a_pair_that_could_not_be_merged_is_settled_otherwise_at_once(
    instead: WhereItCannot, expected: str | None
) -> None:
    rules = replace(RULES, on_merge="merge", where_it_cannot=instead)
    seen = sight(known("1", title="Phase 2"), replace(known("2", title="Other"), unmergeable_into="1"))

    plan = plan_records(rules, GIZMO, seen, LANE)

    assert [one.change.kind for one in plan.intents] == ([expected] if expected else [])
    assert "Gizmo 2 could not be merged there" in plan.reason
    assert plan_records(replace(rules, on_merge="leave"), GIZMO, seen, LANE).reason == ""


def test_another_pair_and_whoever_is_told_again_is_asked_to_merge_anew() -> None:
    rules = replace(RULES, on_merge="merge", where_it_cannot="deactivate")
    refused = replace(known("2", title="Other"), unmergeable_into="1")
    again = replace(LANE, is_forced=True)

    assert changes(sight(known("3", title="Phase 2"), refused), rules) == [("merge", "2", {})]
    assert ("merge", "2", {}) in changes(sight(known("1", title="Phase 2"), refused), rules, again)
    out_of_use = in_state(refused, "deactivated")
    assert ("merge", "2", {}) in changes(sight(known("1", title="Phase 2"), out_of_use), rules, again)
    assert changes(sight(known("1", title="Phase 2"), out_of_use), rules) == []
    # One that was never to be merged, since the policy was another one then, stays as it is.
    by_policy = in_state(known("2", title="Other"), "deactivated")
    assert not any(kind == "merge" for kind, _, _ in changes(sight(known("1"), by_policy), rules, again))


def test_a_record_that_was_taken_out_of_use_comes_back_before_it_is_written() -> None:
    one = known("1", title="Phase 1")
    assert one.held is not None
    gone = replace(one, held=replace(one.held, state="deactivated"))

    assert [kind for kind, _, _ in changes(sight(gone))] == ["reactivate", "update"]


def test_a_repeat_has_the_same_id_and_what_is_put_back_another_one() -> None:
    def request(record: OwnRecord) -> str:
        (intent,) = plan_records(RULES, GIZMO, sight(record), LANE).intents
        return intent.change.request_id

    one = known("1", title="Phase 1")
    assert one.held is not None
    assert request(one) == request(one)
    assert request(one) != request(replace(one, held=replace(one.held, remote_version="2")))
    assert "." in request(one)


def test_conditions_ask_for_one_of_the_values_in_each_attribute() -> None:
    assert fits({"tag": ("x", "y"), "kits": ("k",)}, {"tag": "y", "kits": ["j", "k"]})
    assert not fits({"tag": ("x",)}, {"tag": "y"})
    assert not fits({"tag": ("x",)}, {})


def in_state(record: OwnRecord, state: RemoteState) -> OwnRecord:
    assert record.held is not None
    return replace(record, held=replace(record.held, state=state))


def test_one_that_its_own_people_took_out_of_use_is_left_alone_and_none_is_made_beside_it() -> None:
    resting = in_state(known("1", title="Phase 1"), "inactive")

    assert changes(sight(resting)) == []
    assert changes(sight(resting, known("2", title="Phase 1"))) == [("update", "2", {"title": "Phase 2"})]
    assert changes(sight(in_state(known("1", title="Phase 2"), "deactivated"))) == [("reactivate", "1", {})]


def test_none_is_made_while_a_review_asks_whether_it_is_there() -> None:
    asked = replace(sight(), in_review=ReviewId("rev_1"))

    plan = plan_records(RULES, GIZMO, asked, LANE)
    assert (plan.waits, plan.intents) == (True, ())
    assert "rev_1" in plan.reason
    assert changes(replace(asked, records=(known("1", title="Phase 1"),))) == [("update", "1", {"title": "Phase 2"})]


def test_only_the_record_that_stays_is_given_the_golden_id() -> None:
    plan = plan_records(RULES, GIZMO, sight(known("1", title="a"), known("2", title="b")), LANE)

    assert [one.change.external_id for one in plan.intents] == [ID, ""]
