"""A1–A25: a record arrives, changes or goes, and what it says of itself decides where it belongs.

Every record has a golden id from its first moment: one that may match waits under its own. An external identifier
(EID in the tables) is a code, which joins, or a batch number, which parts where two differ. Where we differ from the
tables, docs/decisions/0006 says why.
"""

import re

import pytest

from api.access_table import ACCESS
from mdm.db.transaction import run
from mdm.errors import DecisionContradicts
from mdm.hub import Hub
from mdm.identity.service import crosswalk, resolve_golden
from mdm.stewardship.model import Retire
from mdm.stewardship.why import why
from tests.hubs import assert_sound, golden_by_key, partition_of
from tests.integration.scenarios.board import (
    BATCHES,
    acknowledge,
    decided,
    delete,
    establish,
    golden,
    groups,
    judge,
    printed,
    questions,
    send,
    standing,
    values,
)
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db


def test_a01_the_first_record_mints_a_golden_record(hub: Hub) -> None:
    outcome = send(hub, "a", name="red")

    assert (outcome.status, outcome.outcome, outcome.in_review) == ("created", "created", False)
    assert golden_by_key(hub) == {printed("a"): outcome.golden_id}
    assert_sound(hub)


def test_a02_an_unlike_record_mints_another_one(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["x1"])

    outcome = send(hub, "b", name="blue", codes=["x2"])

    assert outcome.outcome == "created"
    assert groups(hub) == {"a", "b"}
    assert questions(hub) == []
    assert_sound(hub)


def test_a03_an_alike_record_attaches_and_mints_nothing(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["x1"])
    first = golden(hub, "a")

    outcome = send(hub, "b", name="blue", codes=["x1"])

    assert (outcome.outcome, outcome.golden_id) == ("attached", first)
    assert set(golden_by_key(hub).values()) == {first}
    assert_sound(hub)


def test_a04_a_record_that_a_steward_parted_has_a_golden_record_of_its_own_when_it_is_evaluated_again(hub: Hub) -> None:
    send(hub, "a", codes=["x1"])
    send(hub, "b", codes=["x1"])
    first = golden(hub, "a")

    judge(hub, "a", "b", "different")
    second = golden(hub, "b")
    send(hub, "b", codes=["x1"], note="evaluated again")

    assert groups(hub) == {"a", "b"}
    assert (golden(hub, "a"), golden(hub, "b")) == (first, second)
    assert decided(hub) == [("different", "ab")]
    assert_sound(hub)


def test_a05_a_golden_record_keeps_its_id_and_gains_the_external_one(hub: Hub) -> None:
    send(hub, "a", codes=["x1"])
    first = golden(hub, "a")
    assert "batch" not in values(hub, "a")

    send(hub, "b", codes=["x1"], batch=BATCHES[0])

    assert (golden(hub, "a"), golden(hub, "b")) == (first, first)
    assert values(hub, "a")["batch"] == BATCHES[0]
    assert_sound(hub)


def test_a06_an_equal_external_id_joins_what_is_unlike_in_all_else(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["e1"])

    send(hub, "b", name="blue", codes=["e1"])

    assert groups(hub) == {"ab"}
    assert_sound(hub)


def test_a07_one_shared_external_id_of_several_is_enough(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["e1", "e2", "e3", "e4"])

    send(hub, "b", name="blue", codes=["e5", "e1"])

    assert groups(hub) == {"ab"}
    assert values(hub, "a")["codes"] == ["e1", "e2", "e3", "e4", "e5"]
    assert_sound(hub)


def test_a08_alike_with_two_external_ids_are_two_golden_records_and_no_question(hub: Hub) -> None:
    """No possible duplicate: two valid identifiers of one scope prove the difference, and `why` says so."""
    send(hub, "a", name="red", codes=["x1"], batch=BATCHES[0])

    outcome = send(hub, "b", name="red", codes=["x1"], batch=BATCHES[1])

    assert (outcome.outcome, outcome.in_review) == ("created", False)
    assert groups(hub) == {"a", "b"}
    assert questions(hub) == []
    found = run(hub.engine, lambda c: why(hub, c, printed("a"), printed("b")))
    assert found.kind == "vetoed"
    assert [(one.veto, one.left, one.right) for one in found.clashes] == [("other_batch", (BATCHES[0],), (BATCHES[1],))]
    assert_sound(hub)


def test_a09_who_is_to_be_left_out_is_retired_and_stays_out_whatever_arrives(hub: Hub) -> None:
    """No opt-out on the way in: every record belongs to a golden record until a steward retires that one."""
    outcome = send(hub, "a", name="red", codes=["x1"], opted_out=True)
    assert outcome.outcome == "created"

    do(hub, Retire(golden(hub, "a")))
    send(hub, "a", name="red", codes=["x1"], note="news")
    outcome = send(hub, "b", name="red", codes=["x1"])

    assert outcome.outcome == "created"
    assert golden_by_key(hub) == {printed("b"): outcome.golden_id}
    assert questions(hub) == []
    assert_sound(hub)


def test_a10_a_record_alike_to_two_golden_records_attaches_to_the_strongest_and_opens_a_review(hub: Hub) -> None:
    """Not left without a golden record: it goes to the one that it matches best, and a steward is asked of the other.

    a and b, alike by a code, were held apart because both are established. s shares the code with either, and the name
    with b alone: 14 bits against 10.
    """
    for name, said in (("a", "red"), ("b", "blue")):
        send(hub, name, name=said)
    establish(hub, "a", "b")
    for name, said in (("a", "red"), ("b", "blue")):
        send(hub, name, name=said, codes=["x1"])
    assert questions(hub) == [("join", "a", "b")]
    count = len(set(golden_by_key(hub).values()))

    outcome = send(hub, "s", name="blue", codes=["x1"])

    assert (outcome.outcome, outcome.golden_id) == ("attached", golden(hub, "b"))
    assert groups(hub) == {"a", "bs"}
    assert questions(hub) == [("join", "a", "bs")]
    assert len(set(golden_by_key(hub).values())) == count
    assert_sound(hub)


def test_a10_a_record_alike_to_two_that_only_it_connects_opens_a_review_between_them(hub: Hub) -> None:
    send(hub, "a", codes=["x1"])
    send(hub, "b", codes=["x2"])
    establish(hub, "a", "b")
    assert questions(hub) == []

    outcome = send(hub, "s", codes=["x1", "x2"])

    assert (outcome.outcome, outcome.in_review) == ("attached", True)
    assert groups(hub) == {"as", "b"}  # 10 bits either way: the smaller key
    assert [pair for _, *pair in questions(hub)] == [["as", "b"]]
    assert_sound(hub)


def test_a10_a_record_alike_to_two_that_a_steward_parted_does_not_bring_them_together(hub: Hub) -> None:
    for name in "ab":
        send(hub, name, name=name, codes=["x1"])
    judge(hub, "a", "b", "different")

    outcome = send(hub, "s", name="b", codes=["x1"])

    assert outcome.outcome == "attached"
    assert groups(hub) == {"a", "bs"}  # 14 bits with b, 10 with a
    assert_sound(hub)


def partly_alike(hub: Hub) -> None:
    """Deliver G1, two records that a code joins, then s and t, each of the name of one of them."""
    send(hub, "a", name="red", codes=["x1"])
    send(hub, "b", name="blue", codes=["x1"])
    send(hub, "s", name="red")
    send(hub, "t", name="blue")


def test_a11_records_partly_alike_wait_under_ids_of_their_own_each_with_its_review(hub: Hub) -> None:
    """Not without a golden record: each has one, which is forwarded if a steward says that they are the same."""
    partly_alike(hub)

    assert groups(hub) == {"ab", "s", "t"}
    assert questions(hub) == [("possible_match", "ab", "s"), ("possible_match", "ab", "t")]
    assert_sound(hub)


def test_a12_strong_evidence_beats_weak(hub: Hub) -> None:
    partly_alike(hub)
    first = golden(hub, "a")

    outcome = send(hub, "d", name="red", codes=["x1"])  # 14 bits with a, 10 with b, 4 with s

    assert (outcome.outcome, outcome.golden_id) == ("attached", first)
    assert groups(hub) == {"abd", "s", "t"}
    assert questions(hub) == [("possible_match", "abd", "s"), ("possible_match", "abd", "t")]
    assert_sound(hub)


def test_a13_a_possible_match_that_comes_to_agree_fully_joins_and_its_own_id_is_forwarded(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["x1"])
    send(hub, "s", name="red")
    first, second = golden(hub, "a"), golden(hub, "s")
    assert questions(hub) == [("possible_match", "a", "s")]

    outcome = send(hub, "s", name="red", codes=["x1"])

    assert (outcome.outcome, outcome.golden_id) == ("moved", first)
    assert standing(hub, second) == ("forwarded", first)
    assert questions(hub) == []
    assert_sound(hub)


def test_a14_an_update_shows_in_the_golden_record_and_leaves_one_membership(hub: Hub) -> None:
    send(hub, "a", name="red", note="spare")
    first = golden(hub, "a")

    outcome = send(hub, "a", name="blue")

    assert (outcome.status, outcome.outcome, outcome.golden_id) == ("updated", "kept", first)
    assert values(hub, "a") == {"name": "blue"}
    assert [one.source_key for one in run(hub.engine, lambda c: crosswalk(c, first))] == [printed("a")]
    assert_sound(hub)


def test_a15_a_new_external_id_of_a_record_alone_on_its_golden_record_is_taken_over(hub: Hub) -> None:
    send(hub, "a", codes=["e1"], batch=BATCHES[0])
    first = golden(hub, "a")

    send(hub, "a", codes=["e2"], batch=BATCHES[1])

    assert golden(hub, "a") == first
    assert values(hub, "a") == {"codes": ["e2"], "batch": BATCHES[1]}
    assert questions(hub) == []
    assert_sound(hub)


def test_a16_an_external_id_that_another_golden_record_has_joins_both_under_the_older_golden_id(hub: Hub) -> None:
    """Not the id of the one whose identifier it is: the rule of survival is the same on every path."""
    send(hub, "a", codes=["e1"])
    send(hub, "b", codes=["e2"])
    first, second = golden(hub, "a"), golden(hub, "b")

    send(hub, "a", codes=["e2"])

    assert groups(hub) == {"ab"}
    assert golden(hub, "a") == first
    assert standing(hub, second) == ("forwarded", first)
    assert questions(hub) == []
    assert_sound(hub)


def test_a16_established_golden_records_stay_and_open_a_review(hub: Hub) -> None:
    send(hub, "a", codes=["e1"])
    send(hub, "b", codes=["e2"])
    establish(hub, "a", "b")
    before = golden_by_key(hub)

    send(hub, "a", codes=["e2"])

    assert golden_by_key(hub) == before
    assert questions(hub) == [("join", "a", "b")]
    assert_sound(hub)


def test_a17_a_record_whose_external_id_is_another_ones_leaves_and_what_is_left_is_asked_about(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["e1"])
    send(hub, "b", name="blue", codes=["e2"])
    send(hub, "c", name="blue", codes=["e2"])
    first, second = golden(hub, "a"), golden(hub, "c")
    assert groups(hub) == {"a", "bc"}

    send(hub, "b", name="blue", codes=["e1"])

    assert groups(hub) == {"ab", "c"}
    assert (golden(hub, "b"), golden(hub, "c")) == (first, second)
    assert questions(hub) == [("possible_match", "ab", "c")]
    assert_sound(hub)


def test_a18_records_of_two_entity_types_are_never_one(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["x1"])

    send(hub, "b", kind="widget_merge", name="red", codes=["x1"])

    assert partition_of(hub) == {frozenset({printed("a")}), frozenset({printed("b")})}
    assert questions(hub) == []
    assert_sound(hub)


def test_a19_a_record_without_anything_to_match_by_has_a_golden_record_of_its_own(hub: Hub) -> None:
    """Not without a golden record: it can be looked up, and joins when it says more or a steward knows more."""
    for name in "ab":
        outcome = send(hub, name, note="no more than this")
        assert (outcome.outcome, outcome.in_review) == ("created", False)
    assert groups(hub) == {"a", "b"}

    judge(hub, "a", "b", "same")

    assert groups(hub) == {"ab"}
    assert_sound(hub)


def test_a20_the_same_as_one_then_the_same_as_another_that_is_different_is_refused(hub: Hub) -> None:
    for name in ("a", "b", "s"):
        send(hub, name, name="red")
    parted = judge(hub, "a", "b", "different")
    joined = judge(hub, "a", "s", "same")

    with pytest.raises(DecisionContradicts) as refused:
        judge(hub, "b", "s", "same")
    assert [one.id for one in (parted, joined) if any(one.id in step for step in refused.value.chain)] == [
        parted.id,
        joined.id,
    ]

    judge(hub, "b", "s", "different")
    assert groups(hub) == {"as", "b"}
    assert decided(hub) == [("different", "ab"), ("different", "bs"), ("same", "as")]
    assert_sound(hub)


def test_a20_the_same_as_two_that_nobody_parted_joins_all_three(hub: Hub) -> None:
    """Not refused: what is the same as both says that both are one, and can be taken back."""
    for name in ("a", "b", "s"):
        send(hub, name, name="red")
    judge(hub, "a", "s", "same")

    judge(hub, "b", "s", "same")

    assert groups(hub) == {"abs"}
    assert_sound(hub)


def test_a21_a_golden_record_whose_only_record_is_deleted_is_retired_and_still_answers(hub: Hub) -> None:
    send(hub, "a", name="red")
    first = golden(hub, "a")

    delete(hub, "a")

    assert golden_by_key(hub) == {}
    assert run(hub.engine, lambda c: resolve_golden(c, first)).state == "retired"
    assert run(hub.engine, lambda c: crosswalk(c, first)) == ()
    assert_sound(hub)


def test_a22_the_possible_match_of_a_deleted_record_keeps_its_own_golden_record_and_is_asked_about_no_more(
    hub: Hub,
) -> None:
    """Decided: it had a golden record all along, so nothing is minted; only the question goes."""
    send(hub, "a", name="red")
    send(hub, "s", name="red")
    first, second = golden(hub, "a"), golden(hub, "s")
    assert questions(hub) == [("possible_match", "a", "s")]

    delete(hub, "a")

    assert golden_by_key(hub) == {printed("s"): second}
    assert standing(hub, first) == ("retired", None)
    assert questions(hub) == []
    assert_sound(hub)


def test_a23_a_source_may_change_the_external_id_of_its_record_and_what_it_contradicts_then_parts(hub: Hub) -> None:
    """No switch forbids it: a source owns what it says of its records. An established golden record is asked about."""
    send(hub, "a", codes=["x1"])
    send(hub, "b", codes=["x1"], batch=BATCHES[0])
    send(hub, "a", codes=["x1"], batch=BATCHES[0])  # the first one may always be added
    assert groups(hub) == {"ab"}

    send(hub, "a", codes=["x1"], batch=BATCHES[1])
    assert groups(hub) == {"a", "b"}

    send(hub, "a", codes=["x1"], batch=BATCHES[0])
    acknowledge(hub, "a")
    send(hub, "b", codes=["x1"], batch=BATCHES[1])
    assert groups(hub) == {"ab"}
    assert questions(hub) == [("split", "ab", "ab")]
    assert_sound(hub)


def test_a24_a_list_holds_several_external_ids_and_a_single_value_only_one(hub: Hub) -> None:
    """No switch, and no refusal: the entity type declares which identifier is a list; of others the first one counts.

    The delivery is kept as it was, and answered with a warning.
    """
    send(hub, "a", codes=["e1", "e2"])
    assert values(hub, "a")["codes"] == ["e1", "e2"]

    outcome = send(hub, "b", name="blue", batch=list(BATCHES))

    assert [(one.field, one.code, one.severity) for one in outcome.errors] == [("batch", "not_a_single_value", "warn")]
    assert values(hub, "b")["batch"] == BATCHES[0]
    assert_sound(hub)


def test_a25_no_route_writes_a_golden_record_itself() -> None:
    """Golden records come of records, decisions and overrides; routes exist for these, none for the result."""
    writing = {path for (_, path), access in ACCESS.items() if "golden-records" in path and access.is_unsafe}

    # An operation is a verb after the id, an override is a fact of its own.
    assert {":merge", ":split", "/overrides/{attribute}"} <= {path.partition("{golden_id}")[2] for path in writing}
    assert [path for path in writing if not re.search(r"{golden_id}(:[a-z-]+|/overrides/{attribute})$", path)] == []
