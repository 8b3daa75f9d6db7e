"""A golden record is drawn as it stands: members, edges, bridges, the cheapest cut, decisions.

A shared code is worth 10 bits, an equal name 4, the match line is 8.
"""

from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import GoldenRecordUnknown
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service
from mdm.stewardship.graph import Graph, graph_of
from tests.hubs import delivery, golden_by_key

pytestmark = pytest.mark.db

KEYS = [f"crm-east/Account:{letter}" for letter in "abcdef"]


def send(hub: Hub, key: str, **fields: Any) -> None:
    deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")


def draw(hub: Hub, golden_id: str) -> Graph:
    return run(hub.engine, lambda c: graph_of(c, hub.declared, GoldenId(golden_id)))


@pytest.fixture
def two_triangles(hub: Hub) -> str:
    """Three widgets share one code, three another, and c and d share a third: one edge of 10 bits holds both sides."""
    for key, codes in zip(KEYS, (["x1"], ["x1"], ["x1", "x3"], ["x2", "x3"], ["x2"], ["x2"]), strict=True):
        send(hub, key, codes=codes)
    return golden_by_key(hub)[KEYS[0]]


def test_a_bridge_between_two_triangles_is_weak_and_the_cheapest_cut(hub: Hub, two_triangles: str) -> None:
    """10 bits are less than 8 + log2(3 x 3) = 11.17; each triangle has three edges."""
    found = draw(hub, two_triangles)

    assert [node.source_key for node in found.nodes] == KEYS
    assert {(node.source, node.state) for node in found.nodes} == {("crm-east", "active")}
    assert len(found.edges) == 7
    (bridge,) = [edge for edge in found.edges if edge.is_bridge]
    assert (bridge.left, bridge.right, bridge.bits, bridge.is_weak) == (KEYS[2], KEYS[3], 10.0, True)
    assert bridge.bits_min == 11.169925
    assert found.minimum_cut is not None
    assert found.minimum_cut.bits == 10.0
    assert found.minimum_cut.part == tuple(KEYS[:3])
    assert found.minimum_cut.edges == ((KEYS[2], KEYS[3]),)
    assert (found.is_connected, found.is_complete, found.decisions) == (True, True, ())


def test_possible_matches_are_drawn_and_hold_nothing(hub: Hub) -> None:
    send(hub, KEYS[0], name="red", codes=["x1"])
    send(hub, KEYS[1], name="blue", codes=["x1", "x2"])
    send(hub, KEYS[2], name="red", codes=["x2"])

    found = draw(hub, golden_by_key(hub)[KEYS[0]])

    assert [(edge.left, edge.right, edge.bits, edge.verdict, edge.is_bridge) for edge in found.edges] == [
        (KEYS[0], KEYS[1], 10.0, "match", True),
        (KEYS[1], KEYS[2], 10.0, "match", True),
        (KEYS[0], KEYS[2], 4.0, "possible_match", False),
    ]


def test_decisions_between_members_are_drawn_and_strengthen(hub: Hub, two_triangles: str) -> None:
    pair = SourceKey.parse(KEYS[2]), SourceKey.parse(KEYS[3])
    decision = service.decide(hub, *pair, Verdict("same", "seen"), who="ann")

    found = draw(hub, two_triangles)

    assert [one.id for one in found.decisions] == [decision.id]
    assert not any(edge.is_bridge for edge in found.edges)
    assert found.minimum_cut is not None
    assert found.minimum_cut.bits == 20.0


def test_a_forwarded_id_is_drawn_as_its_survivor(hub: Hub) -> None:
    for key, name in zip(KEYS[:2], ("red", "blue"), strict=True):
        send(hub, key, name=name)
    golden = golden_by_key(hub)
    pair = SourceKey.parse(KEYS[0]), SourceKey.parse(KEYS[1])
    service.decide(hub, *pair, Verdict("same", "seen"), who="ann")

    assert draw(hub, golden[KEYS[1]]).golden.id == golden[KEYS[0]]
    with pytest.raises(GoldenRecordUnknown):
        draw(hub, "wht_none")


def test_a_large_graph_keeps_its_strongest_edges_and_says_that_it_is_cut(hub: Hub, two_triangles: str) -> None:
    send(hub, KEYS[0], codes=["x1"], name="red")
    send(hub, KEYS[1], codes=["x1"], name="red")

    found = run(hub.engine, lambda c: graph_of(c, hub.declared, GoldenId(two_triangles), edges_max=3))

    assert [edge.bits for edge in found.edges] == [14.0, 10.0, 10.0]
    assert (found.is_complete, found.is_connected, found.minimum_cut) == (False, None, None)
    assert not any(edge.is_bridge for edge in found.edges)
