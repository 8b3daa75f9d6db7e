"""The chain of the audit log: what was done to it is found, and named with its place."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mdm.history.chain import BREAKS_MAX, GENESIS, Walk, chained, leaf_of, link
from mdm.history.model import Place

Change = Callable[[list[Place]], list[Place]]


def log(length: int = 9) -> list[Place]:
    """Chain entries 101, 102, …"""
    return chained(GENESIS, 0, [(100 + number, b"entry %d" % number) for number in range(1, length + 1)])


def renumbered(places: list[Place]) -> list[Place]:
    return [replace(place, position=position) for position, place in enumerate(places, start=1)]


def entry_edited(places: list[Place]) -> list[Place]:
    return [replace(place, written=b"lie") if place.position == 4 else place for place in places]


def entry_edited_with_its_leaf(places: list[Place]) -> list[Place]:
    lie = b"lie"
    return [replace(one, written=lie, leaf=leaf_of(lie)) if one.position == 4 else one for one in places]


def seal_edited(places: list[Place]) -> list[Place]:
    return [replace(place, hash=bytes(32)) if place.position == 4 else place for place in places]


def entry_deleted(places: list[Place]) -> list[Place]:
    return [replace(place, written=None) if place.position == 4 else place for place in places]


def seals_deleted(places: list[Place]) -> list[Place]:
    return [place for place in places if place.position not in {4, 5}]


def deleted_and_closed_up(places: list[Place]) -> list[Place]:
    return renumbered([place for place in places if place.position != 4])


def inserted_with_a_true_link(places: list[Place]) -> list[Place]:
    new = chained(places[2].hash, 3, [(999, b"new")])
    return renumbered([*places[:3], *new, *places[3:]])


def inserted_with_a_made_up_link(places: list[Place]) -> list[Place]:
    new = Place(4, 999, leaf_of(b"new"), bytes(32), b"new")
    return renumbered([*places[:3], new, *places[3:]])


def neighbours_exchanged(places: list[Place]) -> list[Place]:
    return renumbered([*places[:3], places[4], places[3], *places[5:]])


def entries_exchanged_under_their_seals(places: list[Place]) -> list[Place]:
    one, other = places[3], places[6]
    swapped = {
        4: replace(one, entry_id=other.entry_id, written=other.written),
        7: replace(other, entry_id=one.entry_id, written=one.written),
    }
    return [swapped.get(place.position, place) for place in places]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (entry_edited, {("edited", "position 4")}),
        (entry_edited_with_its_leaf, {("deleted", "before position 4")}),
        (seal_edited, {("edited", "position 4")}),
        (entry_deleted, {("deleted", "position 4")}),
        (seals_deleted, {("deleted", "positions 4 to 5")}),
        (deleted_and_closed_up, {("deleted", "before position 4")}),
        (inserted_with_a_true_link, {("inserted", "position 4")}),
        (inserted_with_a_made_up_link, {("inserted", "position 4")}),
        # Three links no longer follow: the two that were exchanged, and the one behind them.
        (neighbours_exchanged, {("reordered", f"position {position}") for position in (4, 5, 6)}),
        (entries_exchanged_under_their_seals, {("reordered", "position 4"), ("reordered", "position 7")}),
    ],
)
def test_what_was_done_to_the_log_is_named_with_its_place(change: Change, expected: set[tuple[str, str]]) -> None:
    walk = Walk()

    walk.follow(change(log()))

    assert {(fault.kind, fault.place) for fault in walk.faults()} == expected


def test_a_log_that_nobody_touched_verifies_and_keeps_the_wanted_hashes() -> None:
    places = log()
    walk = Walk(wanted=[3, 9, 12])

    walk.follow(places)

    assert walk.faults() == ()
    assert (walk.size, walk.head) == (9, places[-1].hash)
    assert walk.hashes == {3: places[2].hash, 9: places[8].hash}


def test_a_log_is_chained_alike_in_one_go_and_in_parts() -> None:
    whole = log()
    first = log(4)

    rest = chained(first[-1].hash, 4, [(place.entry_id, place.written or b"") for place in whole[4:]])

    assert [*first, *rest] == whole


def test_the_first_link_hangs_on_a_fixed_beginning() -> None:
    assert log(1)[0].hash == link(GENESIS, leaf_of(b"entry 1"))


def test_of_many_faults_the_first_are_listed_and_the_rest_counted() -> None:
    walk = Walk()

    walk.follow([replace(place, written=None) for place in log(BREAKS_MAX + 7)])

    assert len(walk.faults()) == BREAKS_MAX + 1
    assert walk.faults()[-1].told.startswith("7 more")
