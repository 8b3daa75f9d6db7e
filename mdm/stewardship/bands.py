"""One answer to many reviews: a dry run chooses a set by what is alike in it, the act answers exactly that set.

All in one transaction. What moved since it was chosen is left and named, and so is what an answer before it settled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mdm.decisions import reviews, reviews_store
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.entities.model import EntityType
from mdm.errors import DecisionContradicts, HubError, InputInvalid, RiskUnconfirmed, TooLarge
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.ids import ReviewId, new_bulk_id
from mdm.stewardship.answers import NO_VALUES, give_answer, hold_reviews, require_answerable, require_as_read
from mdm.stewardship.carrying import second_person
from mdm.stewardship.risk_guard import Risks, require_seen, risks_of_many
from mdm.stewardship.tally import Tally, tally

SAMPLE: Final = 10  # chosen: reviews of a bulk that a dry run shows


@dataclass(frozen=True, slots=True)
class Chosen:
    """A review to be answered together with others, the golden versions that it was read with, the risks seen."""

    review_id: ReviewId
    expected: Mapping[str, int]
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Left:
    """A review that a bulk did not answer, and why; code `review_followed`: an answer of the same bulk settled it."""

    review_id: ReviewId
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Intended:
    """An answer that somebody wants to give together with others, each with a verdict of its own.

    seen  marks of the risks of a merge that they have seen and take
    """

    review_id: ReviewId
    expected: Mapping[str, int]
    verdict: Verdict
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of intended answers: the reviews answered, as they were before, and those left."""

    answered: tuple[Review, ...]
    left: Mapping[ReviewId, Left]


@dataclass(frozen=True, slots=True)
class BulkGiven:
    """What became of answers given together: `chosen` is the set that a later act answers exactly.

    sample  the first reviews, as they were before
    """

    bulk_id: str
    chosen: tuple[Chosen, ...]
    answered: tuple[ReviewId, ...]
    left: tuple[Left, ...]
    sample: tuple[Review, ...]
    effects: tuple[Tally, ...]
    waits_because: str = ""


def rehearse_bulk(hub: Hub, asked: ReviewFilter, verdict: Verdict, *, who: str) -> BulkGiven:
    """Choose the reviews that a filter lets through, highest stake first, and tell what answering them all would do.

    Raises InputInvalid when the filter names no single entity type or lets more through than may be answered at once.
    """
    if len(asked.entity_types) != 1 or asked.state != "open":
        raise InputInvalid(
            "many reviews are answered for one entity type at a time, open ones only",
            remedy="name an entity type",
            field="entity_type",
        )

    def act(work: Work) -> BulkGiven:
        found = reviews_store.select_reviews(
            work.connection, asked, after=None, limit=hub.settings.reviews_bulk_max + 1
        )
        chosen = [Chosen(review.id, review.versions) for review in found]
        return _answering_many(hub, chosen, verdict, who)(work)

    return rehearse(hub, act, who=who)


def answer_many(
    hub: Hub,
    chosen: Sequence[Chosen],
    verdict: Verdict,
    *,
    who: str,
    bracket: Bracket[BulkGiven] = UNBRACKETED,
) -> BulkGiven:
    """Answer exactly these reviews in one transaction; those that moved since they were chosen are left, with why.

    Raises InputInvalid for none, too many, or reviews of several entity types.
    """
    return carry(hub, _answering_many(hub, chosen, verdict, who), who=who, bracket=bracket)


def rehearse_many(hub: Hub, chosen: Sequence[Chosen], verdict: Verdict, *, who: str) -> BulkGiven:
    """Tell what `answer_many` would do, and do nothing."""
    return rehearse(hub, _answering_many(hub, chosen, verdict, who), who=who)


def _answering_many(hub: Hub, chosen: Sequence[Chosen], verdict: Verdict, who: str) -> Callable[[Work], BulkGiven]:
    chosen = tuple({one.review_id: one for one in chosen}.values())
    bulk_max = hub.settings.reviews_bulk_max
    if not 0 < len(chosen) <= bulk_max:
        raise InputInvalid(
            f"{len(chosen)} reviews are chosen; 1 to {bulk_max} can be answered at once",
            remedy="choose others: by kind, bits, stake or source",
            field="reviews",
        )

    def act(work: Work) -> BulkGiven:
        found = hold_reviews(work, [one.review_id for one in chosen])
        if len({review.entity_type for review in found.values()}) > 1:
            raise InputInvalid(
                "the reviews are of several entity types", remedy="answer one type at a time", field="reviews"
            )
        intended = [Intended(one.review_id, one.expected, verdict, one.seen) for one in chosen]
        ready = [found[one.review_id] for one in intended if _fault(found[one.review_id], one, who) is None]
        waits_because = many_wait(work.declared[ready[0].entity_type], len(ready)) if ready else ""
        bulk_id = new_bulk_id()
        done = answer_each(work, intended, bulk_id=bulk_id, waits_because=waits_because)
        return BulkGiven(
            bulk_id,
            chosen,
            tuple(review.id for review in done.answered),
            tuple(done.left[one.review_id] for one in chosen if one.review_id in done.left),
            tuple(ready[:SAMPLE]),
            tally(work.carried_out),
            waits_because,
        )

    return act


def answer_each(work: Work, intended: Sequence[Intended], *, bulk_id: str, waits_because: str = "") -> Done:
    """Give answers in the transaction at hand, in this order; those that cannot be given are left, with why.

    waits_because  why every one of them waits for a second person; "" leaves that to each
    Raises ReviewUnknown.
    """
    found = hold_reviews(work, [one.review_id for one in intended])
    left: dict[ReviewId, Left] = {}
    answered = []
    merges = [found[one.review_id] for one in intended if one.verdict.judgement == "same"]
    risks = dict(risks_of_many(work, work.connection, merges))
    touched: set[str] = set()
    for one in intended:
        review = found[one.review_id]
        if review.id in risks and not touched.isdisjoint(review.versions):
            risks.pop(review.id)  # an answer before this one may have changed them
        fault = _fault(review, one, work.who) or _answer_one_of_many(work, one, risks, bulk_id, waits_because)
        if fault is None:
            answered.append(review)
            touched |= review.versions.keys()
        else:
            left[review.id] = fault
    return Done(tuple(answered), left)


def many_wait(entity_type: EntityType, answers_count: int) -> str:
    """Say why so many answers at once wait for a second person by the policy of an entity type; "" when not."""
    bulk_max = entity_type.reviews.approval.bulk
    return f"{answers_count} answers at once, more than {bulk_max}" if bulk_max and answers_count > bulk_max else ""


def _answer_one_of_many(work: Work, intended: Intended, risks: Risks, bulk_id: str, waits_because: str) -> Left | None:
    now = reviews.require(work.connection, intended.review_id)
    if now.state != "open":
        return Left(now.id, "review_followed", "an answer of the same bulk settled it")
    if intended.verdict.judgement == "same":
        told = risks if now.id in risks else risks_of_many(work, work.connection, [now])
        try:
            require_seen(now, told[now.id], intended.seen)
        except RiskUnconfirmed as error:
            return Left(now.id, error.code, f"{error.message}; {error.remedy}")
    waits = bool(waits_because or second_person(work, now, intended.verdict))
    counted = len(work.counts)
    try:
        # Both refusals come before any golden record is locked that was not before, so no lock is given up with them.
        with work.connection.begin_nested():
            give_answer(work, now, intended.verdict, NO_VALUES, bulk_id=bulk_id, waits=waits)
    except (DecisionContradicts, TooLarge) as error:
        del work.counts[counted:]
        return Left(now.id, error.code, error.message)
    return None


def _fault(review: Review, intended: Intended, who: str) -> Left | None:
    try:
        if review.kind == "contradiction":
            raise InputInvalid("a contradiction is answered by itself", remedy="answer it alone", field="reviews")
        require_answerable(review, intended.verdict, who)
        require_as_read(review, intended.expected)
    except HubError as error:
        return Left(review.id, error.code, error.message)
    return None
