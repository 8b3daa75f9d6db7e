"""What was chosen on the page becomes an operation, or none while something is not chosen yet."""

from api.console.views.record_operations import OFFERS, Choices, lanes_of, taking_back
from mdm.ids import EventId, GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.model import Merge, Split, Undo, Unmerge

A, B, C = (f"crm-east/Account:{letter}" for letter in "abc")
GOLDEN = GoldenId("cus_1")


def test_a_merge_needs_another_record_and_keeps_the_number_that_was_chosen() -> None:
    merge = OFFERS["merge"]

    assert merge.make(GOLDEN, Choices()) is None
    assert merge.make(GOLDEN, Choices(other="cus_2")) == Merge(GOLDEN, GoldenId("cus_2"))
    chosen = Choices(other="cus_2", survivor="cus_2")
    assert merge.make(GOLDEN, chosen) == Merge(GOLDEN, GoldenId("cus_2"), GoldenId("cus_2"))


def test_a_division_needs_two_parts() -> None:
    split = OFFERS["split"]

    assert split.make(GOLDEN, Choices(parts={A: "1", B: "1"})) is None
    made = split.make(GOLDEN, Choices(parts={A: "1", B: "2", C: "1"}))

    first, second = frozenset(map(SourceKey.parse, (A, C))), frozenset({SourceKey.parse(B)})
    assert made == Split(GOLDEN, (first, second))


def test_records_stand_in_the_part_that_is_chosen_for_them_else_in_the_first() -> None:
    assert lanes_of([A, B, C], {B: "2", C: "9"}) == {"1": [A, C], "2": [B], "3": []}
    assert list(lanes_of([A], {})) == ["1", "2"]


def test_taking_back_is_an_undo_unless_it_is_an_unmerge() -> None:
    event = EventId("evt_1")

    assert taking_back("undo", event, "")[1] == Undo(event)
    assert taking_back("unmerge", event, "")[1] == Unmerge(event)
    assert taking_back("unmerge", event, "cus_2")[1] == Unmerge(event, GoldenId("cus_2"))
