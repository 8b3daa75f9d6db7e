"""A quarrel: a value that comes back again and again, by records of two systems."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mdm.delivery.flip_flop import Seen, quarrels
from mdm.ids import GoldenId

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = GoldenId("cus_1")


def history(*turns: str) -> list[Seen]:
    """Write versions as value and winning system, as in `a1 b2`: value a of system 1, then b of system 2."""
    return [
        Seen(
            number,
            NOON + timedelta(hours=number),
            {"name": turn[0]},
            {"name": f"rec_{turn[1]}"},
            {"name": f"s{turn[1]}/Account:1"},
        )
        for number, turn in enumerate(turns)
    ]


def returns(*turns: str, settled: int | None = None) -> int:
    since = {} if settled is None else {"name": NOON + timedelta(hours=settled)}
    found = quarrels(ID, history(*turns), returns_min=1, settled=since)
    return found[0].returns if found else 0


def test_each_value_that_comes_back_is_a_return() -> None:
    assert returns("a1", "b2") == 0
    assert returns("a1", "b2", "a1") == 1
    assert returns("a1", "b2", "a1", "b2", "a1") == 3
    assert returns("a1", "a1", "b2", "b2", "a1") == 1
    assert returns("a1", "b2", "c1", "d2") == 0


def test_one_system_that_changes_its_mind_is_no_quarrel() -> None:
    assert returns("a1", "b1", "a1", "b1", "a1") == 0


def test_what_was_settled_counts_no_more() -> None:
    assert returns("a1", "b2", "a1", "b2", "a1", settled=2) == 0
    assert returns("a1", "b2", "a1", "b2", "a1", "b2", settled=2) == 1


def test_the_last_winner_and_the_other_one_are_named() -> None:
    (found,) = quarrels(ID, history("a1", "b2", "a1"), returns_min=1, settled={})

    assert found.record_ids == ("rec_1", "rec_2")
    assert quarrels(ID, history("a1", "b2", "a1"), returns_min=2, settled={}) == ()


def test_of_the_others_the_one_that_won_last_is_named() -> None:
    (found,) = quarrels(ID, history("a1", "b2", "a1", "c3", "a1", "b2", "a1"), returns_min=1, settled={})

    assert found.record_ids == ("rec_1", "rec_2")


def test_what_stewards_join_and_part_is_no_quarrel() -> None:
    versions = [replace(one, is_news=not number % 2) for number, one in enumerate(history("a1", "b2", "a1", "b2"))]
    parted = [replace(one, is_news=number == 0) for number, one in enumerate(history("a1", "b2", "a1", "b2", "a1"))]

    assert quarrels(ID, parted, returns_min=1, settled={}) == ()
    assert [one.returns for one in quarrels(ID, versions, returns_min=1, settled={})] == [1]
