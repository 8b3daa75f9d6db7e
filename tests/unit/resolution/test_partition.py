"""The held partition of named records: what policies, decisions and strong edges make of established groups."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from matching.model import MATCH
from matching.online import Signatures
from mdm.decisions.model import Constraints
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.resolution.model import Edge
from mdm.resolution.partition import Partition, Touched, partition
from tests.hubs import declared

HOLD, MERGE = declared()["widget_hold"], declared()["widget_merge"]
MERGE_ABOVE_12 = replace(MERGE, merge_bits=12.0)


def edge(left: str, right: str, bits: float = 10.0) -> Edge:
    return Edge(RecordId(left), RecordId(right), bits, MATCH, is_vetoed=False)


def pairs(*texts: str) -> tuple[tuple[RecordId, RecordId], ...]:
    return tuple((RecordId(text[0]), RecordId(text[1])) for text in texts)


def held(
    entity_type: EntityType,
    ids: str,
    edges: Sequence[Edge],
    *established: str,
    musts: Sequence[str] = (),
    conflicts: Sequence[str] = (),
    numbers: Signatures | None = None,
) -> Partition:
    """Hold records named by letters; a record's key is its letter, too."""
    return partition(
        entity_type,
        Touched(
            ids=tuple(map(RecordId, ids)),
            keys=tuple(ids),
            edges=tuple(edges),
            constraints=Constraints(pairs(*musts), pairs(*conflicts)),
            signatures=numbers,
            established=tuple(frozenset(map(RecordId, group)) for group in established),
        ),
    )


def groups(found: Partition) -> set[str]:
    return {"".join(sorted(group)) for group in found.groups}


def proposals(found: Partition) -> list[tuple[str, list[str]]]:
    return [(proposal.kind, ["".join(sorted(part)) for part in parts]) for proposal, parts in found.proposals]


def signatures(*values: str) -> Signatures:
    """Give each record one strong identifier of the same scope; "" for none."""
    offsets = np.cumsum([0, *(bool(value) for value in values)], dtype=np.int64)
    known = [value for value in values if value]
    contents = tuple(dict.fromkeys(frozenset([value]) for value in known))
    sets = np.array([contents.index(frozenset([value])) for value in known], np.int32)
    return Signatures(offsets, np.zeros(len(known), np.int32), sets, contents)


def test_free_records_follow_their_edges() -> None:
    found = held(HOLD, "abc", [edge("a", "b")])

    assert groups(found) == {"ab", "c"}
    assert found.proposals == ()


def test_hold_keeps_established_groups_apart_and_proposes_the_join() -> None:
    found = held(HOLD, "abcd", [edge("b", "c")], "ab", "cd")

    assert groups(found) == {"ab", "cd"}
    # C has b with c, and a and d alone: one cluster meets two groups, and each group lies in two clusters.
    assert proposals(found) == [("join", ["ab", "cd"]), ("split", ["a", "b"]), ("split", ["c", "d"])]


def test_hold_keeps_members_that_nothing_joins_any_more_and_proposes_the_split() -> None:
    found = held(HOLD, "abc", [edge("a", "b")], "abc")

    assert groups(found) == {"abc"}
    assert proposals(found) == [("split", ["ab", "c"])]


def test_hold_attaches_a_free_record_to_the_strongest_established_group() -> None:
    found = held(HOLD, "abc", [edge("a", "c", 9), edge("b", "c", 10), edge("a", "b", 8.5)], "a", "b")

    assert groups(found) == {"a", "bc"}
    assert proposals(found) == [("join", ["a", "bc"])]


def test_merge_follows_the_proposed_partition_whatever_is_established() -> None:
    found = held(MERGE, "abcd", [edge("a", "c")], "ab", "cd")

    assert groups(found) == {"ac", "b", "d"}
    assert found.proposals == ()


def test_merge_above_a_line_of_its_own_joins_established_groups_on_strong_edges_only() -> None:
    strong = [edge("a", "b", 14), edge("c", "d", 14)]

    weaker = held(MERGE_ABOVE_12, "abcd", [*strong, edge("b", "c", 11.9)], "ab", "cd")
    stronger = held(MERGE_ABOVE_12, "abcd", [*strong, edge("b", "c", 12)], "ab", "cd")

    assert groups(weaker) == {"ab", "cd"}
    assert proposals(weaker) == [("join", ["ab", "cd"])]
    assert groups(stronger) == {"abcd"}
    assert stronger.proposals == ()


def test_a_strong_way_through_a_free_record_joins_established_groups() -> None:
    found = held(MERGE_ABOVE_12, "abc", [edge("a", "c", 12), edge("b", "c", 12)], "a", "b")

    assert groups(found) == {"abc"}


def test_a_steward_who_joins_two_records_joins_their_established_groups() -> None:
    found = held(HOLD, "abcd", [edge("a", "b"), edge("c", "d")], "ab", "cd", musts=["ad"])

    assert groups(found) == {"abcd"}
    assert found.proposals == ()


def test_a_steward_joins_established_groups_through_a_free_record() -> None:
    found = held(HOLD, "abc", [], "a", "b", musts=["ac", "bc"])

    assert groups(found) == {"abc"}


def test_a_steward_who_parts_two_members_parts_their_established_group_along_the_edges() -> None:
    # Strongest first: a-b at 12, c-d at 11; b-c at 9 would join a with d, which the decision forbids.
    edges = [edge("a", "b", 12), edge("b", "c", 9), edge("c", "d", 11)]

    found = held(HOLD, "abcd", edges, "abcd", conflicts=["ad"])

    assert groups(found) == {"ab", "cd"}
    assert found.proposals == ()


def test_a_parting_decision_counts_for_all_that_is_decided_to_be_the_same() -> None:
    # a and b are the same, c is different from a: the edge between b and c joins nothing.
    found = held(HOLD, "abc", [edge("b", "c", 20)], musts=["ab"], conflicts=["ac"])

    assert groups(found) == {"ab", "c"}


def test_a_free_record_does_not_attach_to_a_group_it_conflicts_with() -> None:
    # c matches a, but is decided to be different from b, which stands with a.
    found = held(HOLD, "abc", [edge("a", "b"), edge("a", "c", 9)], "ab", conflicts=["bc"])

    assert groups(found) == {"ab", "c"}


def test_different_strong_identifiers_keep_free_records_apart() -> None:
    found = held(HOLD, "abc", [edge("a", "b", 12), edge("b", "c", 11)], numbers=signatures("1", "", "2"))

    assert groups(found) == {"ab", "c"}


def test_different_strong_identifiers_do_not_part_an_established_group() -> None:
    found = held(HOLD, "ab", [edge("a", "b")], "ab", numbers=signatures("1", "2"))

    assert groups(found) == {"ab"}
    assert proposals(found) == [("split", ["a", "b"])]


def test_every_record_is_in_one_group() -> None:
    found = held(HOLD, "abcdef", [edge("a", "b"), edge("c", "e")], "cd", musts=["ef"], conflicts=["ac"])

    assert sorted("".join("".join(group) for group in found.groups)) == list("abcdef")
