"""Children are matched within their parent: where it goes they go, whether it came before them or after."""

from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.jobs.service import deliver, reevaluate_deferred
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, partition_of

pytestmark = pytest.mark.db

EAST, WEST = "crm-east/Widget:w1", "crm-west/Widget:w9"
PARENTS = [delivery(EAST, "widget_hold", name="red"), delivery(WEST, "widget_hold", name="blue")]


def gizmo(key: str, name: str = "cog", widget: str = "w1", **fields: Any) -> Any:
    return delivery(key, "gizmo", name=name, grade="a", widget=widget, **fields)


CHILDREN = [gizmo("crm-east/Gizmo:1"), gizmo("crm-west/Gizmo:1", widget="w9")]


def gizmos(hub: Hub) -> set[frozenset[str]]:
    return {group for group in partition_of(hub) if all("Gizmo" in key for key in group)}


def apart(*keys: str) -> set[frozenset[str]]:
    return {frozenset([key]) for key in keys}


def same(hub: Hub, left: str, right: str) -> Any:
    verdict = Verdict("same", "one company")
    return stewardship.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def test_equal_children_of_one_parent_are_one(hub: Hub) -> None:
    deliver(hub, [*PARENTS, gizmo("crm-east/Gizmo:1"), gizmo("crm-east/Gizmo:2")], who="test")

    assert gizmos(hub) == {frozenset({"crm-east/Gizmo:1", "crm-east/Gizmo:2"})}


def test_equal_children_of_two_parents_are_two(hub: Hub) -> None:
    deliver(hub, [*PARENTS, *CHILDREN], who="test")

    assert gizmos(hub) == apart("crm-east/Gizmo:1", "crm-west/Gizmo:1")


def test_children_whose_parent_is_unknown_stand_alone(hub: Hub) -> None:
    deliver(hub, [gizmo("crm-east/Gizmo:1"), gizmo("crm-east/Gizmo:2")], who="test")

    assert gizmos(hub) == apart("crm-east/Gizmo:1", "crm-east/Gizmo:2")


def test_children_that_came_before_their_parent_are_matched_when_it_arrives(hub: Hub) -> None:
    deliver(hub, [gizmo("crm-east/Gizmo:1"), gizmo("crm-east/Gizmo:2")], who="test")

    deliver(hub, PARENTS, who="test")

    assert gizmos(hub) == {frozenset({"crm-east/Gizmo:1", "crm-east/Gizmo:2"})}
    assert_sound(hub)


def test_children_follow_when_their_parents_are_decided_the_same_and_part_when_that_is_revoked(hub: Hub) -> None:
    deliver(hub, [*PARENTS, *CHILDREN], who="test")
    before = golden_by_key(hub)

    decision = same(hub, EAST, WEST)

    together = golden_by_key(hub)
    assert gizmos(hub) == {frozenset({"crm-east/Gizmo:1", "crm-west/Gizmo:1"})}
    assert together["crm-west/Gizmo:1"] == before["crm-east/Gizmo:1"]  # the older id survives
    assert_sound(hub)

    stewardship.revoke(hub, decision.id, who="ann")

    assert golden_by_key(hub) == before
    assert_sound(hub)


def test_a_child_that_moves_to_another_parent_leaves_its_twin(hub: Hub) -> None:
    deliver(hub, [*PARENTS, gizmo("crm-east/Gizmo:1"), gizmo("crm-east/Gizmo:2")], who="test")

    deliver(hub, [gizmo("crm-east/Gizmo:2", widget=WEST)], who="test")

    assert gizmos(hub) == apart("crm-east/Gizmo:1", "crm-east/Gizmo:2")
    assert_sound(hub)


def test_children_of_a_deleted_parent_stand_alone_until_it_returns(hub: Hub) -> None:
    deliver(hub, [*PARENTS, gizmo("crm-east/Gizmo:1"), gizmo("crm-east/Gizmo:2")], who="test")
    before = golden_by_key(hub)

    deliver(hub, [delivery(EAST, "widget_hold", deleted=True)], who="test")

    assert gizmos(hub) == apart("crm-east/Gizmo:1", "crm-east/Gizmo:2")
    assert_sound(hub)

    deliver(hub, [PARENTS[0]], who="test")

    assert golden_by_key(hub) == before
    assert_sound(hub)


def test_parents_with_more_children_than_one_transaction_may_lock_are_joined_all_the_same(hub: Hub) -> None:
    # A gizmo with a name and a tag has two blocking keys; two parents of six children each have 24.
    children = [
        gizmo(f"crm-{place}/Gizmo:{number}", name=f"name {number}", tag=f"tag {number}", widget=widget)
        for place, widget in (("east", "w1"), ("west", "w9"))
        for number in range(6)
    ]
    deliver(hub, [*PARENTS, *children], who="test")
    narrow = hub_on(hub.engine, locks_max=8)

    decision = same(narrow, EAST, WEST)
    for _ in range(12):
        reevaluate_deferred(narrow)

    assert gizmos(hub) == {frozenset({f"crm-east/Gizmo:{n}", f"crm-west/Gizmo:{n}"}) for n in range(6)}
    assert_sound(hub)

    stewardship.revoke(narrow, decision.id, who="ann")
    for _ in range(12):
        reevaluate_deferred(narrow)

    assert gizmos(hub) == apart(*(f"crm-{place}/Gizmo:{n}" for place in ("east", "west") for n in range(6)))
    assert_sound(hub)
