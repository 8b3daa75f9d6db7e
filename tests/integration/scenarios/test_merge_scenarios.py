"""M1–M20: a steward merges one golden record into another, and what was known of either holds for both.

The tables say `merge(from, to)`. A manual link is a decision of a steward with us, a possible one an open review, a
possible duplicate a review between two established golden records. Where we differ, docs/decisions/0006 says why.
"""

import re
from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.errors import DecisionContradicts, GoldenRecordRetired, InputInvalid
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import preview
from mdm.stewardship.overrides import Wish, set_override
from mdm.stewardship.then import Moment, names_of
from tests.hubs import assert_sound, hub_state, row_marks
from tests.integration.scenarios.board import (
    BATCHES,
    decided,
    delete,
    establish,
    golden,
    groups,
    judge,
    merge,
    questions,
    send,
    standing,
    values,
)
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db


def two_that_may_be_one(hub: Hub) -> tuple[GoldenId, GoldenId]:
    """Confirm two golden records, a and b, and let them match only then: a steward is asked."""
    send(hub, "a", name="red")
    send(hub, "b", name="blue")
    establish(hub, "a", "b")
    send(hub, "a", name="red", codes=["x1"])
    send(hub, "b", name="blue", codes=["x1"])
    assert questions(hub) == [("join", "a", "b")]
    return golden(hub, "a"), golden(hub, "b")


def test_m01_the_second_of_two_possible_duplicates_merged_into_the_first_forwards_to_it(hub: Hub) -> None:
    first, second = two_that_may_be_one(hub)

    merge(hub, "b", "a")

    assert (standing(hub, first), standing(hub, second)) == (("active", None), ("forwarded", first))
    assert groups(hub) == {"ab"}
    assert ("same", "ab") in decided(hub)
    assert questions(hub) == []
    assert_sound(hub)


def test_m02_the_first_merged_into_the_second_forwards_to_it_although_it_is_older(hub: Hub) -> None:
    first, second = two_that_may_be_one(hub)
    assert first < second

    merge(hub, "a", "b")

    assert (standing(hub, first), standing(hub, second)) == (("forwarded", second), ("active", None))
    assert groups(hub) == {"ab"}
    assert ("same", "ab") in decided(hub)
    assert questions(hub) == []
    assert_sound(hub)


def test_m03_what_a_steward_said_of_the_absorbed_one_beats_a_possible_match_of_the_survivor(hub: Hub) -> None:
    send(hub, "a", name="red")
    send(hub, "b", name="blue")
    send(hub, "s", name="red")
    first, second = golden(hub, "a"), golden(hub, "b")
    judge(hub, "b", "s", "same")
    assert questions(hub) == [("possible_match", "a", "bs")]

    merge(hub, "b", "a")

    assert groups(hub) == {"abs"}
    assert golden(hub, "s") == first
    assert standing(hub, second) == ("forwarded", first)
    assert decided(hub) == [("same", "ab"), ("same", "bs")]
    assert questions(hub) == []
    assert_sound(hub)


def test_m04_a_possible_match_of_the_absorbed_one_becomes_one_of_the_survivor(hub: Hub) -> None:
    send(hub, "f", name="red")
    send(hub, "t", name="blue")
    send(hub, "s", name="red")
    assert questions(hub) == [("possible_match", "f", "s")]

    merge(hub, "f", "t")

    assert questions(hub) == [("possible_match", "ft", "s")]
    assert_sound(hub)


def test_m05_a_possible_match_of_the_survivor_stays_the_one_question_it_was(hub: Hub) -> None:
    send(hub, "f", name="blue")
    send(hub, "t", name="red")
    send(hub, "s", name="red")
    assert questions(hub) == [("possible_match", "s", "t")]

    merge(hub, "f", "t")

    assert questions(hub) == [("possible_match", "ft", "s")]
    assert_sound(hub)


def test_m06_what_a_steward_parted_from_the_absorbed_one_is_no_question_of_the_survivor(hub: Hub) -> None:
    parted_from_one_and_perhaps_the_other(hub, decided_of="f", asked_of="t")


def test_m07_what_a_steward_parted_from_the_survivor_is_no_question_any_more(hub: Hub) -> None:
    parted_from_one_and_perhaps_the_other(hub, decided_of="t", asked_of="f")


def parted_from_one_and_perhaps_the_other(hub: Hub, *, decided_of: str, asked_of: str) -> None:
    send(hub, decided_of, name="blue")
    send(hub, asked_of, name="red")
    send(hub, "s", name="red")
    judge(hub, decided_of, "s", "different")
    assert questions(hub) == [("possible_match", *sorted((asked_of, "s")))]

    merge(hub, "f", "t")

    assert questions(hub) == []
    assert decided(hub) == [("different", "".join(sorted((decided_of, "s")))), ("same", "ft")]
    # Even full agreement with the one that was asked about does not bring it in.
    send(hub, asked_of, name="red", codes=["x1"])
    send(hub, "s", name="red", codes=["x1"])
    assert groups(hub) == {"ft", "s"}
    assert_sound(hub)


def test_m08_parted_from_the_absorbed_and_the_same_as_the_survivor_is_refused(hub: Hub) -> None:
    refused_with_both_decisions(hub, parted_from="f", same_as="t")


def test_m09_the_same_as_the_absorbed_and_parted_from_the_survivor_is_refused(hub: Hub) -> None:
    refused_with_both_decisions(hub, parted_from="t", same_as="f")


def refused_with_both_decisions(hub: Hub, *, parted_from: str, same_as: str) -> None:
    for name in "fts":
        send(hub, name, name=name)
    apart = judge(hub, parted_from, "s", "different")
    together = judge(hub, same_as, "s", "same")
    before = row_marks(hub)

    with pytest.raises(DecisionContradicts) as refused:
        merge(hub, "f", "t")

    assert all(any(one.id in step for step in refused.value.chain) for one in (apart, together))
    assert row_marks(hub) == before


def test_m10_decisions_of_both_sides_stand_beside_the_forward(hub: Hub) -> None:
    for name in ("f", "t", "r", "s"):
        send(hub, name, name=name)
    absorbed, survivor = golden(hub, "f"), golden(hub, "t")
    judge(hub, "f", "r", "different")
    judge(hub, "t", "s", "same")

    merge(hub, "f", "t")

    assert decided(hub) == [("different", "fr"), ("same", "ft"), ("same", "st")]
    assert standing(hub, absorbed) == ("forwarded", survivor)
    assert groups(hub) == {"fst", "r"}
    assert_sound(hub)


def possible_matches_after(hub: Hub, *, of_first: str, of_second: str) -> list[tuple[str, str, str]]:
    """Merge one golden record into another, each of which may match some of r, s and t; return what is asked then.

    A golden record has a member for each of its possible matches, which has its name; members share a code.
    """
    names = {"r": "red", "s": "blue", "t": "green"}
    for member, asked in zip("abc", of_first, strict=False):
        send(hub, member, name=names[asked], codes=["x1"])
    for member, asked in zip("def", of_second, strict=False):
        send(hub, member, name=names[asked], codes=["x2"])
    for record, name in names.items():
        send(hub, record, name=name)
    first, second = "abc"[: len(of_first)], "def"[: len(of_second)]
    before = {pair for pair in questions(hub) if pair[1:] != (first, second)}
    assert before == {("possible_match", first, one) for one in of_first} | {
        ("possible_match", second, one) for one in of_second
    }

    merge(hub, "a", "d")

    assert groups(hub) == {first + second, "r", "s", "t"}
    assert_sound(hub)
    return questions(hub)


def asked_once(group: str) -> list[tuple[str, str, str]]:
    return [("possible_match", group, one) for one in "rst"]


def test_m11_three_possible_matches_and_one_of_these_become_three(hub: Hub) -> None:
    assert possible_matches_after(hub, of_first="rst", of_second="r") == asked_once("abcd")


def test_m12_one_possible_match_and_three_with_this_become_three(hub: Hub) -> None:
    assert possible_matches_after(hub, of_first="r", of_second="rst") == asked_once("adef")


def test_m13_three_possible_matches_of_both_become_three(hub: Hub) -> None:
    assert possible_matches_after(hub, of_first="rst", of_second="rst") == asked_once("abcdef")


def test_m14_two_possible_matches_of_each_one_of_them_shared_become_three(hub: Hub) -> None:
    assert possible_matches_after(hub, of_first="rs", of_second="st") == asked_once("abde")


def test_m15_a_survivor_without_values_shows_those_of_the_absorbed_one(hub: Hub) -> None:
    send(hub, "f", name="red", note="spare", codes=["x1"])
    send(hub, "t", codes=["x2"])

    merge(hub, "f", "t")

    assert values(hub, "t") == {"name": "red", "note": "spare", "codes": ["x1", "x2"]}
    assert_sound(hub)


def test_m16_the_rules_choose_between_two_values_whichever_way_round_was_merged(hub: Hub) -> None:
    """Not the survivor's: crm-east ranks before crm-west, so its name shows, and of two notes the newer."""
    for absorbed, survivor in (("a", "west:b"), ("west:d", "c")):
        east, west = sorted((absorbed, survivor))
        send(hub, east, at=1, name=f"of {east}", note="older")
        send(hub, west, at=2, name=f"of {west}", note="newer")
        keeps = golden(hub, survivor)

        merge(hub, absorbed, survivor)

        assert golden(hub, absorbed) == keeps
        assert values(hub, east) == {"name": f"of {east}", "note": "newer"}
    assert_sound(hub)


def test_m17_a_result_made_by_hand_is_what_shows_whatever_the_sources_say_until_it_is_taken_back(hub: Hub) -> None:
    send(hub, "f", name="red", note="spare", codes=["x1"])
    send(hub, "t", name="blue", note="worn", codes=["x2"])
    set_override(hub, golden(hub, "f"), Wish("name", "crimson", "told by phone"), who="ben")
    before = without_override_ids(hub_state(hub))
    by_hand = {"name": "purple", "note": None, "codes": ["x3"], "batch": BATCHES[0]}
    shown = {"name": "purple", "codes": ["x3"], "batch": BATCHES[0]}
    asked = Merge(golden(hub, "f"), golden(hub, "t"), survivor=golden(hub, "t"), values=by_hand)

    foreseen = preview(hub, asked, By("ann", "seen"))
    effect = do(hub, asked)

    assert values(hub, "t") == shown
    assert [one.after.values for one in foreseen.goldens if one.after.state == "active"] == [shown]
    send(hub, "t", name="green", note="new", codes=["x4"], batch=BATCHES[1])
    assert values(hub, "t") == shown
    send(hub, "t", name="blue", note="worn", codes=["x2"])
    assert_sound(hub)

    do(hub, Unmerge(effect.event_id))
    assert without_override_ids(hub_state(hub)) == before
    assert values(hub, "f")["name"] == "crimson"
    assert_sound(hub)


def without_override_ids(state: dict[str, Any]) -> str:
    """Print a state without the ids of overrides: one that is given back is a new fact with the old words."""
    return re.sub(r"ovr_\w+", "ovr", repr(sorted(state.items())))


def test_m17_a_result_that_no_source_could_deliver_is_refused(hub: Hub) -> None:
    send(hub, "f", kind="customer", legal_name="Muster AG")
    send(hub, "t", kind="customer", legal_name="Beispiel GmbH")
    before = row_marks(hub)

    with pytest.raises(InputInvalid) as refused:
        merge(hub, "f", "t", values={"legal_name": None})

    assert (refused.value.field, row_marks(hub)) == ("legal_name", before)


def test_m18_lists_are_united_each_element_once_in_an_order_that_no_merge_changes(hub: Hub) -> None:
    """Not the survivor's first: by source rank and key, as everywhere."""
    ours, theirs = ["1a", "1b", "2c"], ["1a", "1c"]
    for absorbed, survivor in (("a", "b"), ("d", "c")):
        first, second = sorted((absorbed, survivor))
        tail = first  # other identifiers for each of the two rounds
        for name in (first, second):
            send(hub, name, name=name)
        establish(hub, first, second)
        send(hub, first, name=first, codes=[code + tail for code in ours])
        send(hub, second, name=second, codes=[code + tail for code in theirs])
        assert questions(hub) == [("join", first, second)]

        merge(hub, absorbed, survivor)

        assert values(hub, survivor)["codes"] == [code + tail for code in ("1a", "1b", "2c", "1c")]
    assert_sound(hub)


def names(hub: Hub, name: str) -> list[str]:
    """List the names under which a golden record is known."""
    found = run(hub.engine, lambda c: names_of(c, hub.declared["widget_hold"], golden(hub, name), Moment()))
    return [one.value for one in found.names]


def test_m19_of_two_names_one_shows_and_both_are_told(hub: Hub) -> None:
    """A name is one value here: the better one shows, and the other stays on the list of names."""
    send(hub, "f", name="Jim George")
    send(hub, "t", name="Jeff George")
    merge(hub, "f", "t")

    assert values(hub, "t") == {"name": "Jim George"}  # of two equals the one with the smaller key
    assert sorted(names(hub, "t")) == ["Jeff George", "Jim George"]

    send(hub, "t", name="Jim George")
    assert values(hub, "t") == {"name": "Jim George"}
    assert_sound(hub)


def test_m20_two_golden_records_that_nothing_links_become_one_and_a_forward(hub: Hub) -> None:
    send(hub, "f", name="red")
    send(hub, "t", name="blue")
    absorbed, survivor = golden(hub, "f"), golden(hub, "t")

    merge(hub, "f", "t")

    assert (standing(hub, survivor), standing(hub, absorbed)) == (("active", None), ("forwarded", survivor))
    assert decided(hub) == [("same", "ft")]
    assert_sound(hub)


def test_m20_golden_records_without_any_record_are_retired_and_not_merged(hub: Hub) -> None:
    send(hub, "f", name="red")
    send(hub, "t", name="blue")
    absorbed = golden(hub, "f")
    delete(hub, "f")
    assert standing(hub, absorbed) == ("retired", None)

    with pytest.raises(GoldenRecordRetired, match=absorbed):
        do(hub, Merge(absorbed, golden(hub, "t")))
