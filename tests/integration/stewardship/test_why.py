"""Every answer to "why" names the one reason that decided, and never leaves a "no" unexplained.

Widgets let every number be counted: a shared code 10 bits, an equal name 4, match line 8, review line 3, blocks by code
and by name, different batch numbers a veto.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import GoldenRecordUnknown, InputInvalid, SourceKeyInvalid, SourceRecordUnknown
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import reviews, service
from mdm.stewardship.why import why
from mdm.stewardship.why_model import Why
from tests.hubs import delivery, golden_by_key, hub_on

pytestmark = pytest.mark.db

A, B, C, D = (f"crm-east/Account:{letter}" for letter in "abcd")
BATCHES = "150483782", "804735132"


def send(hub: Hub, key: str, entity_type: str = "widget_hold", **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, entity_type, **fields)], who="test")
    assert outcome.status != "rejected", outcome


def decide(hub: Hub, left: str, right: str, judgement: Any, **said: Any) -> Any:
    verdict = Verdict(judgement, "seen", **said)
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def establish(hub: Hub, *keys: str) -> None:
    golden = golden_by_key(hub)
    ids = [GoldenId(golden[key]) for key in keys]
    run(hub.engine, lambda c: identity_store.mark_published(c, ids, at=clock.now()))


def ask(hub: Hub, left: str, right: str) -> Why:
    found = run(hub.engine, lambda connection: why(hub, connection, left, right))
    mirrored = run(hub.engine, lambda connection: why(hub, connection, right, left))
    assert mirrored.kind == found.kind, "why reads the same from both sides"
    for side in (found.left, found.right):
        assert side.source_key in found.sentence
    if found.explanation is not None:
        told = found.explanation
        parts = [told.prior_bits, *(part for step in told.steps for part in (step.bits, step.frequency_bits))]
        assert sum(Decimal(str(part)) for part in parts) == Decimal(str(told.bits))
    return found


def test_two_members_are_connected_by_the_strongest_way(hub: Hub) -> None:
    send(hub, A, codes=["x1"], name="red")
    send(hub, B, codes=["x1", "x2"], name="red")
    send(hub, C, codes=["x2"], name="blue")

    found = ask(hub, A, C)

    assert found.kind == "same_golden_record"
    assert [(link.left, link.right, link.bits) for link in found.way] == [(A, B, 14.0), (B, C, 10.0)]
    assert found.sentence.endswith(f"connected over {B}; its weakest link has 10.0 bits")
    assert [(link.left, link.right) for link in ask(hub, C, A).way] == [(C, B), (B, A)]


def test_a_decision_that_joins_is_part_of_the_way(hub: Hub) -> None:
    for key, name in ((A, "red"), (B, "blue")):
        send(hub, key, name=name)
    send(hub, C, name="green", codes=["x1"])
    send(hub, D, name="white", codes=["x1"])
    same = decide(hub, A, B, "same")
    decide(hub, B, C, "same")

    direct, far = ask(hub, A, B), ask(hub, A, D)

    assert [(link.bits, link.decision_id) for link in direct.way] == [(None, same.id)]
    assert same.id in direct.sentence
    assert [link.right for link in far.way] == [B, C, D]
    assert far.way[-1].bits == 10.0


def test_members_that_nothing_connects_any_more_are_said_to_be_held(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    establish(hub, A)
    send(hub, B, name="other")

    found = ask(hub, A, B)

    assert (found.kind, found.way) == ("same_golden_record", ())
    assert "it is established, so its members stay" in found.sentence


def test_records_without_a_common_block_are_told_what_would_have_made_them_meet(hub: Hub) -> None:
    send(hub, A, codes=["x1"], name="red")
    send(hub, B, name="blue")

    found = ask(hub, A, B)

    assert found.kind == "not_compared"
    assert "they would meet under name if name agreed (red against blue)" in found.sentence
    assert [(rule.rule, rule.meeting) for rule in found.rules] == [("code", "missing"), ("name", "differ")]
    assert found.rules[0].lacking[0].left == ("x1",)
    assert found.explanation is not None
    assert found.explanation.bits == 0.0


def test_a_block_that_is_too_large_is_named(hub: Hub) -> None:
    narrow = hub_on(hub.engine, block_size_emergency=2)
    for letter in "abc":
        send(narrow, f"crm-east/Account:{letter}", name="red", note=letter)

    found = ask(narrow, A, C)

    assert found.kind == "block_too_large"
    assert [(block.rule, block.size, block.is_too_large) for block in found.blocks] == [("name", 3, True)]
    assert "2 records are the most that is searched" in found.sentence
    assert "the worker" in found.sentence
    assert found.explanation is not None
    assert (found.explanation.bits, found.explanation.verdict) == (4.0, "possible_match")


def test_a_pair_below_the_review_line_shows_its_waterfall(hub: Hub) -> None:
    strict = hub_on(hub.engine)
    widget = strict.declared["widget_hold"]
    declared = {**strict.declared, "widget_hold": replace(widget, model=replace(widget.model, review_bits=5.0))}
    strict = replace(strict, declared=declared)
    send(strict, A, name="red", codes=["x1"])
    send(strict, B, name="red", codes=["x2"])

    found = ask(strict, A, B)

    assert found.kind == "below_review_line"
    assert "4.0 bits, below the review line of 5" in found.sentence
    assert found.explanation is not None
    assert [(step.comparison, step.level, step.bits) for step in found.explanation.steps] == [
        ("code", "other", 0.0),
        ("name", "same", 4.0),
    ]


def test_a_possible_match_names_its_open_review(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")
    (review,) = reviews.list_reviews(hub)

    found = ask(hub, A, B)

    assert (found.kind, found.review_id, found.review_kind) == ("possible_match", review.id, "possible_match")
    assert "between the review line of 3 and the match line of 8" in found.sentence
    assert review.id in found.sentence


def test_two_established_golden_records_wait_for_a_steward(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    establish(hub, A, B)
    send(hub, B, name="blue", codes=["x1"])
    send(hub, A, name="red", codes=["x1"])
    (review,) = reviews.list_reviews(hub)

    found = ask(hub, A, B)

    assert (found.kind, found.review_id, found.review_kind) == ("held", review.id, "join")
    assert "both established" in found.sentence


def test_a_veto_names_the_identifier_and_both_values(hub: Hub) -> None:
    send(hub, A, codes=["x1"], batch=BATCHES[0])
    send(hub, B, codes=["x1"], batch=BATCHES[1])

    found = ask(hub, A, B)

    assert found.kind == "vetoed"
    assert [(clash.veto, clash.left, clash.right) for clash in found.clashes] == [
        ("other_batch", (BATCHES[0],), (BATCHES[1],))
    ]
    assert all(batch in found.sentence for batch in BATCHES)


@pytest.mark.parametrize(
    ("judgement", "relation", "word"),
    [("different", None, "different"), ("unsure", None, "unsure"), ("related", "sister_of", "related (sister_of)")],
)
def test_a_decision_that_parts_names_itself(hub: Hub, judgement: str, relation: str | None, word: str) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    decision = decide(hub, A, B, judgement, relation=relation)

    found = ask(hub, A, B)

    assert found.kind == "decided_apart"
    assert f"by a decision of ann: {word}, 'seen' ({decision.id})" in found.sentence
    assert len(found.decisions) == 1


def test_a_decision_reaches_over_what_is_decided_to_be_the_same_and_shows_the_chain(hub: Hub) -> None:
    for key in (A, B, C, D):
        send(hub, key, codes=["x1"])
    one, two, three = decide(hub, A, B, "same"), decide(hub, C, D, "same"), decide(hub, B, C, "different")

    found = ask(hub, A, D)

    assert found.kind == "decided_apart"
    assert [text.partition("(")[2].partition(",")[0] for text in found.decisions] == [one.id, three.id, two.id]


def test_a_decision_on_a_deleted_record_parts_nobody(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name="red")
    decide(hub, A, B, "same")
    decide(hub, B, C, "different")
    assert ask(hub, A, C).kind == "decided_apart"

    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    assert ask(hub, A, C).kind == "possible_match"


def test_a_refused_join_names_the_two_others_that_conflict_by_veto(hub: Hub) -> None:
    """A and B match, C and B match; A joined first with more bits, and its batch contradicts that of C."""
    send(hub, A, codes=["x1"], name="red", batch=BATCHES[0])
    send(hub, B, codes=["x1", "x2"], name="red")
    send(hub, C, codes=["x2"], name="blue", batch=BATCHES[1])

    found = ask(hub, B, C)

    assert found.kind == "refused"
    assert found.opposition is not None
    assert {found.opposition.left, found.opposition.right} == {A, C}
    assert found.opposition.clashes[0].veto == "other_batch"
    assert f"{A} and {C}" in found.sentence
    assert all(batch in found.sentence for batch in BATCHES)


def test_a_refused_join_names_the_decision_between_two_others(hub: Hub) -> None:
    send(hub, A, codes=["x1"], name="red")
    send(hub, B, codes=["x1", "x2"], name="red")
    send(hub, C, codes=["x2", "x3"], name="blue")
    send(hub, D, codes=["x3"], name="blue")
    decision = decide(hub, A, D, "different")

    found = ask(hub, B, C)

    assert found.kind == "refused"
    assert found.opposition is not None
    assert {found.opposition.left, found.opposition.right} == {A, D}
    assert decision.id in found.opposition.decisions[0]
    assert "two others of their clusters" in found.sentence


def test_a_part_of_the_graph_that_is_too_large_waits_for_the_worker(hub: Hub) -> None:
    narrow = hub_on(hub.engine, component_records_max=2)
    named = {A: "red", B: "blue", C: "green"}
    for codes in ([], ["x1"]):
        news = [delivery(key, "widget_hold", name=name, codes=codes) for key, name in named.items()]
        deliver(narrow, news, who="test")

    found = ask(narrow, A, B)

    assert found.kind == "deferred"
    assert "more than 2 records hang together" in found.sentence


def test_a_match_that_nothing_stands_against_says_that_it_waits(hub: Hub) -> None:
    """The two were stored when the match line was 8; a model with a line of 4 has not looked at them yet."""
    send(hub, A, name="red")
    send(hub, B, name="red")
    widget = hub.declared["widget_hold"]
    lower = replace(widget, model=replace(widget.model, match_bits=4.0))

    found = ask(replace(hub, declared={**hub.declared, "widget_hold": lower}), A, B)

    assert found.kind == "pending"
    assert "deliver one again, or decide that they are the same" in found.sentence


def test_two_entity_types_are_never_compared(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, "widget_merge", name="red")

    assert ask(hub, A, B).kind == "two_entity_types"


def test_a_deleted_record_is_said_to_be_gone(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")
    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    found = ask(hub, A, B)

    assert found.kind == "not_a_member"
    assert f"{B} was deleted in its source" in found.sentence


def test_children_are_matched_within_their_parent(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    for key, parent in ((C, "a"), (D, "b")):
        send(hub, key.replace("Account", "Gizmo"), "gizmo", name="wheel", widget=parent)

    found = ask(hub, C.replace("Account", "Gizmo"), D.replace("Account", "Gizmo"))

    assert found.kind == "not_compared"
    assert "each is matched within its parent" in found.sentence
    assert found.rules[0].meeting == "apart"


def test_a_golden_id_stands_for_the_member_that_speaks_loudest(hub: Hub) -> None:
    send(hub, A, codes=["x1"], name="red")
    send(hub, B, codes=["x1"], name="blue")
    send(hub, C, name="blue")
    golden = golden_by_key(hub)

    found = ask(hub, C, golden[A])

    assert (found.kind, found.right.source_key, found.right.asked) == ("possible_match", B, golden[A])


def test_a_member_and_its_own_golden_record_are_connected(hub: Hub) -> None:
    send(hub, A, codes=["x1"], name="red")
    send(hub, B, codes=["x1"], name="blue")

    found = ask(hub, A, golden_by_key(hub)[A])

    assert (found.kind, found.right.source_key) == ("same_golden_record", B)


def test_a_forwarded_id_stands_for_its_survivor(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    send(hub, C, name="red")
    loser = golden_by_key(hub)[B]
    decide(hub, A, B, "same")

    assert ask(hub, C, loser).kind == "possible_match"


def test_a_record_alone_in_its_golden_record_is_the_same_record(hub: Hub) -> None:
    send(hub, A, name="red")

    assert ask(hub, A, golden_by_key(hub)[A]).kind == "same_record"


def test_what_cannot_be_asked_about_is_refused_with_what_to_do(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    send(hub, C, name="red")
    golden = golden_by_key(hub)
    deliver(hub, [delivery(C, "widget_hold", deleted=True)], who="test")

    for left, right, error, told in (
        (A, "crm-east/Account:z", SourceRecordUnknown, "crm-east/Account:z"),
        (A, "nonsense", GoldenRecordUnknown, "nonsense"),
        (A, "crm-east/Account", SourceKeyInvalid, "crm-east/Account"),
        (A, golden[C], InputInvalid, "has no members"),
        (golden[A], golden[B], InputInvalid, "name two of its records"),
    ):
        with pytest.raises(error) as refused:
            run(hub.engine, lambda c, left=left, right=right: why(hub, c, left, right))  # type: ignore[misc]
        assert told in f"{refused.value.message} {refused.value.remedy}"
