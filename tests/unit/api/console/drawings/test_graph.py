"""A graph is the same each time, keeps its records apart and inside, and shows the weak links first."""

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.graph import EDGES_MAX, NODES_MAX, Link, Record, graph


def records(count: int, groups: int = 0) -> list[Record]:
    return [Record(f"r{n}", "SF", "c1", "title", f"g{n % groups}" if groups else "") for n in range(count)]


def links(pairs: list[tuple[int, int]], weak: frozenset[tuple[int, int]] = frozenset()) -> list[Link]:
    return [Link(f"r{a}", f"r{b}", 0.9, is_weak=(a, b) in weak) for a, b in pairs]


PAIRS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=30)


@settings(max_examples=40)
@given(st.integers(1, 14), st.integers(0, 4), PAIRS)
def test_records_stand_inside_and_apart(count: int, groups: int, pairs: list[tuple[int, int]]) -> None:
    drawn = graph(records(count, groups), links(pairs))

    assert drawn == graph(records(count, groups), links(pairs))
    assert len(drawn.nodes) == count
    for node in drawn.nodes:
        assert drawn.radius <= node.x <= drawn.width - drawn.radius
        assert drawn.radius <= node.y <= drawn.height - drawn.radius
    for one, other in combinations(drawn.nodes, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) >= 1.6 * drawn.radius


@settings(max_examples=40)
@given(st.integers(2, 14), PAIRS)
def test_no_tag_covers_a_record_or_another_tag(count: int, pairs: list[tuple[int, int]]) -> None:
    drawn = graph(records(count, 2), links(pairs))

    for one, other in combinations(drawn.tags, 2):
        assert abs(one.x - other.x) >= 28 or abs(one.y - other.y) >= 17
    for tag in drawn.tags:
        assert all(abs(node.x - tag.x) > 14 or abs(node.y - tag.y) > 8.5 for node in drawn.nodes)


def test_two_golden_records_stand_beside_each_other_in_hulls_of_their_own() -> None:
    drawn = graph(records(4, 2), links([(0, 2), (1, 3), (0, 1)]))

    left, right = drawn.hulls
    assert (left.name, right.name) == ("g0", "g1")
    assert left.x + left.width < right.x
    for node in drawn.nodes:
        hull = left if node.record.golden == "g0" else right
        assert hull.x < node.x < hull.x + hull.width
        assert hull.y < node.y < hull.y + hull.height
    assert [edge.is_across for edge in drawn.edges] == [False, False, True]


def test_a_cluster_is_parted_at_its_weak_bridge() -> None:
    drawn = graph(records(6), links([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], weak=frozenset({(2, 3)})))

    assert len(drawn.hulls) == 2
    weak = drawn.edges[-1]
    assert (weak.link.left, weak.is_across) == ("r2", True)
    assert drawn.tags[0].rank == 0


def test_of_too_many_records_those_with_the_weakest_links_are_drawn() -> None:
    many = [*links([(n, n + 1) for n in range(58)]), Link("r58", "r59", 0.2)]

    drawn = graph(records(60), many)

    assert len(drawn.nodes) == NODES_MAX
    assert drawn.nodes_left_out == 20
    assert {"r58", "r59"} <= {node.record.key for node in drawn.nodes}


def test_of_too_many_links_the_weak_ones_and_a_tree_are_drawn() -> None:
    every = links([(a, b) for a in range(40) for b in range(a)])
    weak = Link("r0", "r39", 0.1, is_weak=True)

    drawn = graph(records(40), [*every, weak])

    assert len(drawn.edges) == EDGES_MAX
    assert drawn.edges_left_out == 780 + 1 - EDGES_MAX
    assert weak in [edge.link for edge in drawn.edges]
    assert {key for edge in drawn.edges for key in (edge.link.left, edge.link.right)} == {f"r{n}" for n in range(40)}
    for one, other in combinations(drawn.nodes, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) >= 1.9 * drawn.radius


@pytest.mark.parametrize(("share", "percent"), [(0.999, 99), (1.0, 100), (0.001, 1), (0.0, 0), (7.0, 100)])
def test_only_certainty_is_a_hundred(share: float, percent: int) -> None:
    (edge,) = graph(records(2), [Link("r0", "r1", share)]).edges

    assert edge.percent == percent


def test_links_to_nobody_and_to_oneself_are_left_out() -> None:
    assert graph(records(2), [Link("r0", "r9", 0.9), Link("r1", "r1", 1.0)]).edges == ()
    assert graph([], []).nodes == ()
