"""Which links end at a border, and what ties either side together instead."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mdm.decisions.model import Decision, Verdict
from mdm.ids import DecisionId, EventId, RecordId
from mdm.stewardship.sides import redraw

A, B, C, D = (RecordId(f"rec_{letter}") for letter in "abcd")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def link(number: int, left: RecordId, right: RecordId, *, by: int, operation: str = "merge") -> Decision:
    """Say that two records are the same, by the operation of an instant."""
    said = Verdict("same", "seen")
    event_id = EventId(f"evt_{by:02d}")
    return Decision(
        DecisionId(f"dec_{number:02d}"),
        "widget",
        left,
        right,
        said,
        "ann",
        NOON,
        event_id=event_id,
        operation=operation,
    )


def links_instead(active: Sequence[Decision], doomed: Sequence[Decision], *parts: Sequence[RecordId]) -> set[str]:
    redrawn = redraw(active, [frozenset(part) for part in parts], also=doomed)
    assert {one.id for one in doomed} <= {one.id for one in redrawn.ended}
    return {f"{left[-1]}{right[-1]}" for left, right in redrawn.links}


def test_links_that_are_taken_back_leave_nothing_where_nobody_leans_on_them() -> None:
    merge = [link(1, A, B, by=1), link(2, A, C, by=1)]

    assert links_instead(merge, merge, [A, B], [C]) == set()


def test_a_later_operation_keeps_the_side_together_that_it_named_a_record_of() -> None:
    merge, later = [link(1, A, B, by=1), link(2, A, C, by=1)], link(3, A, D, by=2)

    assert links_instead([*merge, later], merge, [A, B], [C]) == {"ab"}
    assert links_instead([*merge, later], merge, [A], [B, C]) == set()


def test_an_earlier_operation_and_what_somebody_said_of_two_records_lean_on_nothing() -> None:
    merge = [link(1, A, B, by=2), link(2, A, C, by=2)]

    assert links_instead([*merge, link(3, A, D, by=1)], merge, [A, B], [C]) == set()
    assert links_instead([*merge, link(3, A, D, by=3, operation="")], merge, [A, B], [C]) == set()


def test_links_that_stand_again_are_as_old_as_the_operation_that_made_them() -> None:
    merge, later = [link(8, A, B, by=1), link(9, A, C, by=1)], link(3, A, D, by=2)

    assert links_instead([*merge, later], merge, [A, B], [C]) == {"ab"}
