"""Answers to reviews: given, approved, rejected, taken back.

Every answer that is carried out is one operation and one step that its author can undo, the last first or any other.
An answer says what golden versions it was given on; where these moved on, it is refused. A risky one waits as a
proposal until another person approves it. A dry run is the same act, rolled back.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from mdm import clock
from mdm.decisions import answers_store, reviews, reviews_store
from mdm.decisions import service as decisions
from mdm.decisions.model import Signature, Verdict
from mdm.decisions.review_model import Answer, Review, ReviewChange, ReviewEventKind
from mdm.errors import (
    ApprovalNeedsAnother,
    ApprovalPending,
    InputInvalid,
    ReviewNotAnswered,
    ReviewOutdated,
    ReviewUnknown,
)
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.ids import AnswerId, GoldenId, ReviewId, new_answer_id, new_event_id
from mdm.stewardship.carrying import (
    carry_out_answer,
    forward,
    keep_values,
    second_person,
    take_back_answer,
    values_kept,
)
from mdm.stewardship.reviews import require_open, require_unclaimed
from mdm.stewardship.risk_guard import require_seen, risks_of_one
from mdm.stewardship.tally import Tally, tally
from mdm.telemetry import DECISIONS

NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it stands, its review, and what came of it.

    targets        the targets that will be told
    waits_because  why a second person is needed
    """

    answer: Answer
    review: Review
    effects: tuple[Tally, ...]
    waits_because: str = ""
    targets: tuple[str, ...] = ()


def answer_review(
    hub: Hub,
    review_id: ReviewId,
    verdict: Verdict,
    *,
    expected: Mapping[str, int] | None = None,
    who: str,
    bracket: Bracket[Given] = UNBRACKETED,
) -> Given:
    """Answer a review; what follows is carried out at once, or waits for a second person.

    expected  golden id → version as the review was read; None leaves that unchecked
    A merge with a risk is refused here: `dealing.answer_card` takes it, with the risks that were seen.
    Raises ReviewUnknown, ReviewClosed, ReviewClaimed, ReviewOutdated, RiskUnconfirmed, ApprovalPending,
    DecisionContradicts, InputInvalid.
    """
    return carry(hub, answering(review_id, verdict, expected, who), who=who, bracket=bracket)


def rehearse_answer(
    hub: Hub,
    review_id: ReviewId,
    verdict: Verdict,
    *,
    expected: Mapping[str, int] | None = None,
    seen: Collection[str] = (),
    who: str,
) -> Given:
    """Tell what `answer_review` would do, and do nothing."""
    return rehearse(hub, answering(review_id, verdict, expected, who, seen=seen), who=who)


def answering(
    review_id: ReviewId,
    verdict: Verdict,
    expected: Mapping[str, int] | None,
    who: str,
    *,
    values: Mapping[str, Any] = NO_VALUES,
    seen: Collection[str] = (),
) -> Callable[[Work], Given]:
    """Give the act of answering a review, for whoever does more than that in its transaction.

    values  what a merge shall show in place of what the rules choose: it makes overrides of them
    """

    def act(work: Work) -> Given:
        review = hold_reviews(work, [review_id])[review_id]
        require_answerable(review, verdict, who)
        if values and (verdict.judgement != "same" or len(review.versions) < 2):
            raise InputInvalid(
                "values are chosen for a merge, and this answer merges nothing",
                remedy="leave the values out, or set overrides",
                field="values",
            )
        if expected is not None:
            require_as_read(review, expected)
        if verdict.judgement == "same":
            # Nobody changes them meanwhile: the golden records are locked, and decisions on their entity type held.
            require_seen(review, risks_of_one(work, work.connection, review.id), seen)
        waits_because = second_person(work, review, verdict)
        answer_id = give_answer(work, review, verdict, values, bulk_id=None, waits=bool(waits_because))
        return replace(_given(work, review_id, answer_id), waits_because=waits_because)

    return act


def undo(hub: Hub, *, review_id: ReviewId | None = None, who: str, bracket: Bracket[Given] = UNBRACKETED) -> Given:
    """Take back one's last answer, or that to a certain review, and open the review again; a proposal is withdrawn.

    Raises ReviewUnknown, ReviewNotAnswered also for the answer of somebody else, DecisionContradicts when what it had
    ended cannot stand again.
    """

    def act(work: Work) -> Given:
        answer = _last_answer(work, review_id, who)
        review = hold_reviews(work, [answer.review_id])[answer.review_id]
        at = clock.recording_instant(work.connection)
        changes: list[ReviewChange] = []
        answers_store.settle_answer(work.connection, answer.id, state="undone", at=at, who=who)
        if answer.state == "carried_out":
            if reviews_store.reopen_review(work.connection, review.id):
                changes.append(_turn("review.opened", review, {"kind": review.kind, "reopened": True}))
            work.tell_reviews(changes)
            take_back_answer(work, answer, signed=Signature(at, who, new_event_id()))
        told = _turn("review.decided", review, {"answer_id": answer.id, "state": "undone"})
        _tell(work, review, replace(answer, state="undone"), [told])
        return _given(work, review.id, answer.id)

    return carry(hub, act, who=who, bracket=bracket)


def approve(hub: Hub, review_id: ReviewId, *, who: str, bracket: Bracket[Given] = UNBRACKETED) -> Given:
    """Carry out the answer of somebody else that waits for a second person.

    Raises ReviewUnknown, ReviewNotAnswered, ApprovalNeedsAnother, ReviewOutdated, DecisionContradicts.
    """

    def act(work: Work) -> Given:
        review, answer = _waiting(work, review_id, who)
        require_as_read(review, answer.expected)
        signed = Signature(clock.recording_instant(work.connection), who, new_event_id())
        approved = replace(answer, state="carried_out", event_id=signed.event_id)
        values = values_kept(work, answer) if answer.verdict.judgement == "same" else NO_VALUES
        _carry_out(work, review, approved, signed, note=_settled, values=values)
        return _given(work, review_id, answer.id)

    return carry(hub, act, who=who, bracket=bracket)


def reject(hub: Hub, review_id: ReviewId, *, who: str, bracket: Bracket[Given] = UNBRACKETED) -> Given:
    """Turn down the answer of somebody else that waits for a second person; the review stays open.

    Raises ReviewUnknown, ReviewNotAnswered, ApprovalNeedsAnother.
    """

    def act(work: Work) -> Given:
        review, answer = _waiting(work, review_id, who)
        at = clock.recording_instant(work.connection)
        answers_store.settle_answer(work.connection, answer.id, state="rejected", at=at, who=who)
        told = _turn("review.decided", review, {"answer_id": answer.id, "state": "rejected"})
        _tell(work, review, replace(answer, state="rejected"), [told])
        return _given(work, review_id, answer.id)

    return carry(hub, act, who=who, bracket=bracket)


def give_answer(
    work: Work, review: Review, verdict: Verdict, values: Mapping[str, Any], *, bulk_id: str | None, waits: bool
) -> AnswerId:
    """Append an answer as a proposal, or carry it out."""
    signed = Signature(clock.recording_instant(work.connection), work.who, new_event_id())
    answer = Answer(
        id=new_answer_id(),
        review_id=review.id,
        entity_type=review.entity_type,
        bulk_id=bulk_id,
        verdict=verdict,
        expected=review.versions,
        state="proposed" if waits else "carried_out",
        recorded_at=signed.at,
        who=work.who,
        event_id=None if waits else signed.event_id,
    )
    if waits:
        answers_store.insert_answer(work.connection, answer)
        if values:
            keep_values(work, review, values, answer)
        _tell(work, review, answer, [_decided(review, answer)])
    else:
        _carry_out(work, review, answer, signed, note=_appended, values=values)
    return answer.id


def _carry_out(
    work: Work,
    review: Review,
    answer: Answer,
    signed: Signature,
    *,
    note: Callable[[Work, Answer, Signature], None],
    values: Mapping[str, Any],
) -> None:
    """Carry an answer out; its review is closed with it before anything looks at what is open."""
    note(work, answer, signed)
    because = f"answered {answer.verdict.relation or answer.verdict.judgement}"
    closed = reviews.close(work.connection, [review.id], because=because, at=signed.at, who=work.who)
    _tell(work, review, answer, [_decided(review, answer), *closed])
    carry_out_answer(work, review, answer.verdict, values, signed=signed)


def _tell(work: Work, review: Review, answer: Answer, changes: Sequence[ReviewChange]) -> None:
    """Tell the change feed what became of an answer, and count it."""
    work.tell_reviews(changes)
    work.counts.append(DECISIONS.labels(review.entity_type, review.kind, answer.verdict.judgement, answer.state))


def _appended(work: Work, answer: Answer, _signed: Signature) -> None:
    answers_store.insert_answer(work.connection, answer)


def _settled(work: Work, answer: Answer, signed: Signature) -> None:
    answers_store.settle_answer(
        work.connection, answer.id, state=answer.state, event_id=signed.event_id, at=signed.at, who=work.who
    )


def _decided(review: Review, answer: Answer) -> ReviewChange:
    details = {
        "answer_id": answer.id,
        "state": answer.state,
        "judgement": answer.verdict.judgement,
        "golden_ids": sorted(review.versions),
    }
    return _turn("review.decided", review, {**details, **({"event_id": answer.event_id} if answer.event_id else {})})


def hold_reviews(work: Work, review_ids: Sequence[ReviewId]) -> dict[ReviewId, Review]:
    """Read reviews with their golden records locked. Nobody decides about their entity type meanwhile."""
    is_held = False
    while True:
        found = reviews_store.select_reviews_by_id(work.connection, review_ids)
        for review_id in review_ids:
            if review_id not in found:
                raise ReviewUnknown(review_id)
        if not is_held:
            decisions.hold_decisions(work.connection, *{review.entity_type for review in found.values()})
        sides = {id_ for review in found.values() for id_ in (review.left_golden_id, review.right_golden_id) if id_}
        if not work.locks.hold(work.connection, map(GoldenId, sides)) and is_held:
            return found
        is_held = True


def require_answerable(review: Review, verdict: Verdict, who: str) -> None:
    """Refuse a malformed verdict, and a review that is closed, somebody else's, or answered and waiting."""
    decisions.require_well_formed(forward(verdict), [review.pair])
    require_open(review)
    require_unclaimed(review, who=who)
    if review.answer_id is not None:
        raise ApprovalPending(
            f"an answer to review {review.id} waits for a second person",
            remedy="approve or reject it, or let its author undo it",
        )
    if review.kind == "unsure" and verdict.judgement == "unsure":
        raise InputInvalid(
            f"review {review.id} is open because somebody was unsure",
            remedy="comment on it, or answer same, different or related",
            field="judgement",
        )


def require_as_read(review: Review, expected: Mapping[str, int]) -> None:
    """Refuse when the golden records of a review are others, or in other versions, than when it was read."""
    now = review.versions
    changes = [
        f"{golden_id} is at version {now[golden_id]}, you read {version}"
        for golden_id, version in sorted(expected.items())
        if golden_id in now and now[golden_id] != version
    ]
    changes += [f"it is not about {golden_id} any more" for golden_id in sorted(expected.keys() - now.keys())]
    changes += [f"it is about {golden_id} now" for golden_id in sorted(now.keys() - expected.keys())]
    if changes:
        raise ReviewOutdated(review.id, changes=changes)


def _last_answer(work: Work, review_id: ReviewId | None, who: str) -> Answer:
    if review_id is None:
        last = answers_store.select_last_answer(work.connection, who)
        if last is None:
            raise ReviewNotAnswered(f"{who} has no answer left to undo", remedy="see `mdm review list --state closed`")
        return last
    reviews.require(work.connection, review_id)
    standing = [
        answer
        for answer in answers_store.select_answers(work.connection, review_id)
        if answer.state in {"carried_out", "proposed"}
    ]
    if not standing:
        raise ReviewNotAnswered(f"no answer to review {review_id} stands", remedy="there is nothing to undo")
    if who not in (standing[-1].who, standing[-1].settled_by):
        raise ReviewNotAnswered(
            f"{standing[-1].who} answered review {review_id}, not {who}",
            remedy=f"ask {standing[-1].who} to undo it, or revoke the decision",
        )
    return standing[-1]


def _waiting(work: Work, review_id: ReviewId, who: str) -> tuple[Review, Answer]:
    review = hold_reviews(work, [review_id])[review_id]
    require_open(review)
    found: Iterable[Answer] = answers_store.select_answers(work.connection, review_id)
    answer = next((one for one in found if one.state == "proposed"), None)
    if answer is None:
        raise ReviewNotAnswered(
            f"no answer to review {review_id} waits for a second person", remedy="answer it yourself"
        )
    if answer.who == who:
        raise ApprovalNeedsAnother(
            f"{who} gave the answer to review {review_id}",
            remedy="let somebody else approve or reject it; undo withdraws it",
        )
    return review, answer


def _given(work: Work, review_id: ReviewId, answer_id: AnswerId) -> Given:
    answers = answers_store.select_answers(work.connection, review_id)
    answer = next(one for one in answers if one.id == answer_id)
    return Given(
        answer, reviews.require(work.connection, review_id), tally(work.carried_out), targets=tuple(sorted(work.queued))
    )


def _turn(kind: ReviewEventKind, review: Review, details: Mapping[str, object]) -> ReviewChange:
    return ReviewChange(kind, review.id, review.entity_type, details)
