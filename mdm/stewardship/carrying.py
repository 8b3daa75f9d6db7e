"""What answering a review does to golden records, and what taking the answer back does; nothing here reads a queue."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from mdm.decisions import answers_store, overrides_store, reviews
from mdm.decisions import service as decisions
from mdm.decisions import store as decisions_store
from mdm.decisions.model import FORWARDS, Grounds, Signature, Verdict
from mdm.decisions.review_model import Answer, Review
from mdm.entities.model import ReviewApproval
from mdm.hub import Work
from mdm.identity import store as identity_store
from mdm.identity.model import Cause
from mdm.ids import GoldenId, RecordId
from mdm.pipeline import recluster
from mdm.stewardship.model import By, Judge, Merge, Undo
from mdm.stewardship.operations import perform_in
from mdm.stewardship.overrides import hold_overrides


def second_person(work: Work, review: Review, verdict: Verdict) -> str:
    """Say why an answer needs a second person by the policy of its entity type; "" when it does not."""
    approval = work.declared[review.entity_type].reviews.approval
    if verdict.judgement == "unsure":
        return ""
    golden_ids = review.versions.keys()
    is_join = verdict.judgement == "same" and len(golden_ids) > 1
    are_established = is_join and approval.established and _are_established(work, golden_ids)
    published = 0
    if approval.published_keys is not None and not are_established:
        published = reviews.weigh(work.connection, review).published
    return why_second_person(approval, joins_established=are_established, published=published)


def why_second_person(approval: ReviewApproval, *, joins_established: bool, published: int) -> str:
    """Say the same of an answer that settles something, given what is known of its golden records."""
    if joins_established and approval.established:
        return "it joins two established golden records"
    if approval.published_keys is not None and published >= approval.published_keys:
        return f"it is about {published} published keys, {approval.published_keys} or more"
    return ""


def _are_established(work: Work, golden_ids: Collection[str]) -> bool:
    return len(answers_store.select_established(work.connection, golden_ids)) == len(golden_ids)


def carry_out_answer(
    work: Work, review: Review, verdict: Verdict, values: Mapping[str, Any], *, signed: Signature
) -> None:
    """Decide what was answered, and bring the golden records to it, in one operation.

    An answer about two golden records binds all their members; one about a golden record that may not be one binds the
    two records that stand for the question. A relation may be read from the right side, as `child_of`; it is decided
    the other way round then. Raises DecisionContradicts with the proof, TooLarge, InputInvalid.

    values  what the merged golden record shall show in place of what the rules choose
    """
    if review.kind == "contradiction" and verdict.judgement == "same":
        # The steward gives way to the source: what parted the two golden records ends with this answer.
        left, right = (frozenset(side) for side in _members(work, review))
        ended = [
            one.id
            for one in decisions.decisions_around(work.connection, left | right)
            if not one.joins and not left.isdisjoint(one.pair) and not right.isdisjoint(one.pair)
        ]
        decisions_store.revoke_decisions(work.connection, ended, event_id=signed.event_id, at=signed.at, who=signed.who)
    by = By(signed.who, verdict.reason)
    left_id, right_id = GoldenId(str(review.left_golden_id)), GoldenId(str(review.right_golden_id))
    pair = review.pair
    if verdict.relation in FORWARDS:
        verdict = forward(verdict)
        left_id, right_id, pair = right_id, left_id, (pair[1], pair[0])
    if left_id != right_id:
        asked = Merge(left_id, right_id, values=values) if values else Judge(left_id, right_id, verdict)
        perform_in(work, asked, by, signed=signed)
        return
    decisions.make_decisions(work.connection, review.entity_type, [pair], verdict, signed=signed)
    cause = Cause("decision", verdict.reason, event_id=signed.event_id)
    recluster(work, work.declared[review.entity_type], review.pair, cause=cause)


def forward(verdict: Verdict) -> Verdict:
    """Read a relation from its left side: `child_of` becomes `parent_of`, of the two the other way round."""
    relation = FORWARDS.get(verdict.relation or "")
    return verdict if relation is None else replace(verdict, relation=relation)


def keep_values(work: Work, review: Review, values: Mapping[str, Any], answer: Answer) -> None:
    """Keep the values of an answer that waits for a second person: as overrides that have ended as they begin.

    So readable values stand where they may stand, and nothing shows them; `values_kept` gives them to who approves.
    """
    entity_type = work.declared[review.entity_type]
    anchor = min(frozenset().union(*_members(work, review)))
    grounds = Grounds(answer.verdict.reason)
    hold_overrides(work.connection, entity_type, anchor, values, grounds=grounds, answer=answer)


def values_kept(work: Work, answer: Answer) -> Mapping[str, Any]:
    """Return the values that wait with an answer."""
    return overrides_store.select_kept_with(work.connection, answer.id)


def _members(work: Work, review: Review) -> tuple[Collection[RecordId], Collection[RecordId]]:
    golden_ids = [GoldenId(str(id_)) for id_ in (review.left_golden_id, review.right_golden_id)]
    found = identity_store.select_member_ids(work.connection, golden_ids)
    return found[golden_ids[0]], found[golden_ids[1]]


def take_back_answer(work: Work, answer: Answer, *, signed: Signature) -> None:
    """Undo the operation of an answer as if it had not been done; raises OperationBlocked with what is in the way."""
    assert answer.event_id is not None, "an answer that was carried out names its operation"
    by = By(signed.who, f"answer {answer.id} undone")
    perform_in(work, Undo(answer.event_id), by, signed=signed)
