"""Bridges, cuts and ways of small clusters that can be drawn on paper."""

from itertools import combinations, permutations

import pytest

from mdm.ids import RecordId
from mdm.resolution.model import Edge
from mdm.resolution.strength import bridges_of, carrying, is_connected, minimum_cut, way_between


def edge(letters: str, bits: float) -> Edge:
    left, right = sorted(map(RecordId, letters))
    return Edge(left, right, bits, 2, is_vetoed=False)


def ids(letters: str) -> tuple[RecordId, ...]:
    return tuple(map(RecordId, letters))


def pair(letters: str) -> tuple[RecordId, RecordId]:
    left, right = map(RecordId, letters)
    return left, right


TWO_TRIANGLES = [*(edge("".join(two), 12) for part in ("abc", "def") for two in combinations(part, 2)), edge("cd", 9)]


def test_a_bridge_is_weak_when_it_carries_less_than_all_the_pairs_that_hang_on_it() -> None:
    """3 records on each side are 9 pairs: with a match line of 8 it should carry 8 + log2 9 = 11.17 bits."""
    (bridge,) = bridges_of(TWO_TRIANGLES, [], ids("abcdef"), match_bits=8)

    assert (bridge.left_id, bridge.right_id, bridge.sides) == ("c", "d", (3, 3))
    assert bridge.bits_min == pytest.approx(11.169925)
    assert bridge.is_weak
    (strong,) = bridges_of([*TWO_TRIANGLES[:-1], edge("cd", 11.2)], [], ids("abcdef"), match_bits=8)
    assert not strong.is_weak


def test_a_single_pair_is_as_strong_as_the_match_line_asks() -> None:
    (bridge,) = bridges_of([edge("ab", 8)], [], ids("ab"), match_bits=8)

    assert (bridge.bits_min, bridge.is_weak) == (8, False)


def test_what_a_decision_holds_is_no_bridge() -> None:
    assert bridges_of(TWO_TRIANGLES, [pair("cd")], ids("abcdef"), match_bits=8) == ()
    assert bridges_of([edge("ab", 9)], [pair("ab")], ids("ab"), match_bits=8) == ()
    assert len(bridges_of([edge("ab", 9)], [pair("bc")], ids("abc"), match_bits=8)) == 1


def test_the_minimum_cut_parts_where_the_least_evidence_holds() -> None:
    cut = minimum_cut(TWO_TRIANGLES, [], ids("abcdef"))

    assert cut is not None
    assert (cut.bits, cut.part, cut.edges) == (9.0, frozenset("abc"), (("c", "d"),))


def test_a_cut_never_runs_through_what_is_decided_to_be_the_same() -> None:
    """With c and d one, the cheapest way is to take one corner off: two edges of 12 bits."""
    cut = minimum_cut(TWO_TRIANGLES, [pair("cd")], ids("abcdef"))

    assert cut is not None
    assert (cut.bits, len(cut.part), len(cut.edges)) == (24.0, 1, 2)
    assert minimum_cut([], [pair("ab")], ids("ab")) is None
    assert minimum_cut([], [], ids("a")) is None


def test_what_hangs_together_by_nothing_is_cut_for_nothing() -> None:
    cut = minimum_cut([edge("ab", 9)], [], ids("abc"))

    assert cut is not None
    assert (cut.bits, cut.part, cut.edges) == (0.0, frozenset("c"), ())
    assert not is_connected([edge("ab", 9)], [], ids("abc"))
    assert is_connected([edge("ab", 9)], [pair("bc")], ids("abc"))
    assert is_connected([], [], ids("a"))


def test_the_way_has_the_strongest_weakest_link_and_is_the_shortest_of_those() -> None:
    edges = [edge("ad", 8.5), edge("ab", 12), edge("bc", 11), edge("cd", 14), edge("bd", 11)]

    assert way_between(edges, [], *ids("ad")) == (("a", "b"), ("b", "d"))
    assert way_between(edges, [pair("ac")], *ids("ad")) == (("a", "c"), ("c", "d"))
    assert way_between(edges, [], *ids("ae")) == ()
    assert way_between([edge("ab", 9), edge("cd", 9)], [], *ids("ad")) == ()


def test_the_way_is_the_best_that_there_is() -> None:
    """Compared with every simple way through five records."""
    bits = {"ab": 9, "ac": 12, "bc": 10, "bd": 11, "ce": 8, "de": 13, "be": 9}
    edges = [edge(letters, weight) for letters, weight in bits.items()]
    for start, end in combinations("abcde", 2):
        others = [letter for letter in "abcde" if letter not in {start, end}]
        ways = [
            tuple("".join(sorted(step)) for step in zip((start, *middle), (*middle, end), strict=True))
            for count in range(4)
            for middle in permutations(others, count)
        ]
        possible = [way for way in ways if all(step in bits for step in way)]
        best = max(min(bits[step] for step in way) for way in possible)
        shortest = min(len(way) for way in possible if min(bits[step] for step in way) == best)

        found = way_between(edges, [], RecordId(start), RecordId(end))

        assert min(bits["".join(sorted(step))] for step in found) == best
        assert len(found) == shortest


def test_arriving_records_are_carried_by_their_strongest_links() -> None:
    edges = [edge("ac", 9), edge("bc", 12), edge("cd", 14), edge("ad", 8), edge("ab", 20)]

    assert carrying(edges, [], ids("ab"), ids("cd")) == (("b", "c"), ("c", "d"))
    assert carrying(edges, [pair("ad")], ids("ab"), ids("d")) == (("a", "d"),)
    assert carrying([], [], (), ids("a")) == ()
