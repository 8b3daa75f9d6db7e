"""The checker of histories finds each kind of anomaly in a few acts, and none where there is none."""

from tests.histories import Read, Write, anomalies

START = {"g": (1, frozenset("a")), "h": (1, frozenset("b"))}


def merge(name: str, begun: float, ended: float, before: int = 1) -> Write:
    return Write(name, begun, ended, {"g": (before, before + 1), "h": (1, 2)}, [("b", "h", "g")])


def test_a_merge_and_those_who_read_before_and_after_it_are_in_order() -> None:
    reads = [Read("r1", 0, 1, START), Read("r2", 4, 5, {"g": (2, frozenset("ab")), "h": (2, frozenset())})]

    assert anomalies([merge("w", 2, 3)], reads, START) == []


def test_a_lost_update_is_two_writers_of_one_version() -> None:
    other = Write("v", 1, 3, {"g": (1, 3)})

    assert any("made g 3 of 1, while 2 was the last" in one for one in anomalies([merge("w", 0, 2), other], [], START))


def test_a_read_that_began_after_a_write_and_did_not_see_it_is_stale() -> None:
    assert anomalies([merge("w", 0, 1)], [Read("r", 2, 3, START)], START) == ["no serial order of r, w"]


def test_a_read_that_overlaps_a_write_may_miss_it() -> None:
    assert anomalies([merge("w", 0, 2)], [Read("r", 1, 3, START)], START) == []


def test_half_a_merge_is_seen_by_nobody() -> None:
    half = {"g": (2, frozenset("ab")), "h": (1, frozenset("b"))}

    assert anomalies([merge("w", 0, 2)], [Read("r", 1, 3, half)], START) == ["no serial order of r, w"]


def test_two_who_read_two_writes_in_opposite_orders_have_no_serial_order() -> None:
    writes = [Write("v", 0, 9, {"g": (1, 2)}), Write("w", 0, 9, {"h": (1, 2)})]
    first = Read("r1", 0, 9, {"g": (2, frozenset("a")), "h": (1, frozenset("b"))})
    second = Read("r2", 0, 9, {"g": (1, frozenset("a")), "h": (2, frozenset("b"))})

    (found,) = anomalies(writes, [first, second], START)

    assert found.startswith("no serial order")


def test_members_that_no_write_explains_are_told() -> None:
    read = Read("r", 4, 5, {"g": (2, frozenset("a")), "h": (2, frozenset())})

    assert anomalies([merge("w", 2, 3)], [read], START) == ["r saw g 2 with ['a'], not ['a', 'b']"]
