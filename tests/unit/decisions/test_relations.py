"""Relations read from the right side, the later of two that meet, and no way back to where a hierarchy began."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mdm.decisions.model import INVERSES, RELATIONS, SYMMETRIC, Decision, RelatedPair, Verdict
from mdm.decisions.relations import overlap, read_from, require_no_circle
from mdm.errors import DecisionContradicts
from mdm.ids import DecisionId, GoldenId, RecordId


def said(relation: str = "parent_of", begins: int | None = None, ends: int | None = None) -> Verdict:
    """Say a relation for the days from one year to the end of another."""
    valid_from = date(begins, 1, 1) if begins else None
    return Verdict("related", "seen", relation, valid_from, date(ends, 12, 31) if ends else None)


def pair(left: str, right: str, verdict: Verdict | None = None, *, number: int = 0) -> RelatedPair:
    decision = Decision(
        id=DecisionId(f"dec_{number:02}{left}{right}"),
        entity_type="widget",
        left_id=RecordId(f"rec_{left}"),
        right_id=RecordId(f"rec_{right}"),
        verdict=verdict or said(),
        who="ann",
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number),
        left_key=f"crm/Account:{left}",
        right_key=f"crm/Account:{right}",
    )
    return RelatedPair(decision, GoldenId(left.upper()), GoldenId(right.upper()))


def read(golden_id: str, *pairs: RelatedPair) -> list[tuple[Any, ...]]:
    return [(one.relation, one.golden_id, one.other_key, one.state) for one in read_from(GoldenId(golden_id), pairs)]


def test_a_relation_reads_from_both_sides() -> None:
    one = pair("a", "b")

    assert read("A", one) == [("parent_of", "B", "crm/Account:b", "in_force")]
    assert read("B", one) == [("child_of", "A", "crm/Account:a", "in_force")]
    assert read("C", one) == []


def test_every_relation_has_a_name_from_its_other_side_and_only_the_symmetric_ones_the_same() -> None:
    assert set(INVERSES) == set(RELATIONS)
    assert tuple(name for name in RELATIONS if INVERSES[name] == name) == SYMMETRIC
    assert len(set(INVERSES.values())) == len(RELATIONS)


def test_of_two_that_meet_the_later_is_in_force_whichever_way_it_points() -> None:
    first, turned, same_again = pair("a", "b"), pair("b", "a", number=1), pair("b", "a", number=2)

    assert read("A", first, turned) == [
        ("child_of", "B", "crm/Account:b", "in_force"),
        ("parent_of", "B", "crm/Account:b", "superseded"),
    ]
    (again,) = read_from(GoldenId("A"), [turned, same_again])
    assert (again.decision, again.also) == (same_again.decision, (turned.decision.id,))
    assert [state for *_, state in read("A", first, turned, same_again)] == ["in_force", "superseded"]


def test_a_symmetric_relation_said_from_both_sides_is_one() -> None:
    (one,) = read_from(GoldenId("A"), [pair("a", "b", said("sister_of")), pair("b", "a", said("sister_of"), number=1)])

    assert (one.relation, one.golden_id, one.state) == ("sister_of", "B", "in_force")


def test_two_for_different_days_are_both_in_force() -> None:
    then, now = pair("a", "b", said("parent_of", None, 2019)), pair("b", "a", said("parent_of", 2020), number=1)

    assert [state for *_, state in read("A", then, now)] == ["in_force", "in_force"]
    assert [one.holds_at(date(2019, 12, 31)) for one in (then, now)] == [True, False]
    assert [one.holds_at(date(2020, 1, 1)) for one in (then, now)] == [False, True]


def test_one_within_a_golden_record_says_nothing() -> None:
    inside = RelatedPair(pair("a", "b").decision, GoldenId("A"), GoldenId("A"))

    assert read("A", inside) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((None, None), (None, None), True),
        ((2010, 2012), (2012, 2013), True),
        ((2010, 2012), (2013, None), False),
        ((None, 2012), (2013, None), False),
    ],
)
def test_validities_overlap_when_they_share_a_day(first: Any, second: Any, expected: bool) -> None:
    assert overlap(said("parent_of", *first), said("parent_of", *second)) is expected


def refused(above: list[RelatedPair], left: str, right: str, verdict: Verdict) -> tuple[str, ...]:
    try:
        require_no_circle(above, GoldenId(left), GoldenId(right), verdict)
    except DecisionContradicts as error:
        return error.chain
    return ()


def test_a_parent_of_its_own_ancestor_is_refused_with_the_chain() -> None:
    above = [pair("a", "b"), pair("b", "c")]

    assert refused(above, "C", "A", said()) == (
        "crm/Account:a is parent_of crm/Account:b (dec_00ab, ann)",
        "crm/Account:b is parent_of crm/Account:c (dec_00bc, ann)",
    )
    assert refused(above, "C", "D", said()) == ()


def test_a_circle_needs_one_day_on_which_all_of_it_holds() -> None:
    above = [pair("a", "b", said("parent_of", 2010, 2014)), pair("b", "c", said("parent_of", 2015, 2019))]
    assert refused(above, "C", "A", said()) == ()

    above = [pair("a", "b", said("parent_of", 2010, 2015)), pair("b", "c", said("parent_of", 2015, 2019))]
    assert len(refused(above, "C", "A", said())) == 2
    assert refused(above, "C", "A", said("parent_of", 2016)) == ()
    assert len(refused(above, "C", "A", said("parent_of", None, 2015))) == 2
