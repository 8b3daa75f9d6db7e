"""A steward at work, card after card: the next review, an answer with choices, the last ones taken back, a rehearsal.

Whoever skips a review names it with every next request; the hub keeps no list of what people skipped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions import reviews_store
from mdm.decisions import service as decisions
from mdm.decisions.model import Signature, Verdict
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.errors import InputInvalid, Refused
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.identity.model import Cause
from mdm.ids import ReviewId, new_event_id
from mdm.pipeline import recluster
from mdm.stewardship.answers import (
    NO_VALUES,
    Given,
    answering,
    hold_reviews,
    require_answerable,
    require_as_read,
    undo,
)
from mdm.stewardship.card import NO_CHOICES, chosen_values, refusal_of
from mdm.stewardship.card_consequences import Refusal
from mdm.stewardship.card_model import Choice
from mdm.stewardship.card_reading import Reading, read
from mdm.stewardship.effects import effect_of
from mdm.stewardship.model import By, Effect, Merge
from mdm.stewardship.operations import perform_in
from mdm.stewardship.reviews import ANY, list_reviews

SKIPPED_MAX: Final = 500  # chosen: more reviews than somebody opens in a day
UNDONE_MAX: Final = 50  # chosen: more answers than somebody takes back at once
_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Deal:
    """An answer as it is given on a card.

    expected  the golden versions that the card showed; an answer to what moved since is refused; None: unchecked
    choices   by attribute, what the merged record shall show; only with `same`
    seen      marks of the risks that whoever merges has seen and takes
    """

    verdict: Verdict
    expected: Mapping[str, int] | None
    choices: Mapping[str, Choice] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What an answer would do, children included, as the operation itself tells it; or why it would be refused."""

    effect: Effect | None
    refusal: Refusal | None = None


def answer_card(hub: Hub, review_id: ReviewId, deal: Deal, *, who: str, bracket: Bracket[Given] = UNBRACKETED) -> Given:
    """Answer a review from its card, with the values that were chosen; see `answers.answer_review` for what it raises.

    InputInvalid also for a choice that cannot be taken, with its attribute as the field; RiskUnconfirmed for a merge
    with a risk that is not among those seen.
    """
    return carry(hub, lambda work: _answer(work, hub, review_id, deal, who), who=who, bracket=bracket)


def rehearse_card(hub: Hub, review_id: ReviewId, *, choices: Mapping[str, Choice] = NO_CHOICES, who: str) -> Rehearsed:
    """Merge the two golden records of a review, or part the two records of one, and take it back.

    It locks what the act locks and takes as long; the card tells the values without that. Raises ReviewUnknown.
    """
    try:
        return Rehearsed(rehearse(hub, _rehearsal(hub, review_id, choices, who), who=who))
    except Refused as error:
        if isinstance(error, InputInvalid) or error.code.endswith("unknown"):
            raise
        return Rehearsed(None, refusal_of(error))


def next_review(hub: Hub, asked: ReviewFilter = ANY, *, who: str, skipping: Sequence[ReviewId] = ()) -> Review | None:
    """Deal the next open review that nobody else works on and that waits for no second person, the most at stake first.

    skipping  reviews that this person skipped today, in that order: they come last
    """
    if len(skipping) > SKIPPED_MAX:
        raise InputInvalid(
            f"{len(skipping)} reviews are skipped, at most {SKIPPED_MAX} may be",
            remedy="begin again with none skipped, or look for others",
            field="skipping",
        )
    wanted = replace(asked, state="open", is_waiting=False)
    skipped = dict.fromkeys(skipping)
    after: tuple[float, str] | None = None
    while True:
        page = list_reviews(hub, wanted, after=after, limit=_PAGE)
        for review in page:
            if review.claimed_by in (None, who) and review.id not in skipped:
                return review
        if len(page) < _PAGE:
            return _first_skipped(hub, wanted, tuple(skipped), who)
        after = (page[-1].stake, page[-1].id)


def undo_last(hub: Hub, *, who: str, count: int = 1) -> tuple[Given, ...]:
    """Take back the last answers of a person, the latest first; fewer when there are fewer.

    Each is a step of its own: when one is refused, those before it stay undone and are returned. Raises what the first
    one raises: ReviewNotAnswered, OperationBlocked, DecisionContradicts.
    """
    if not 0 < count <= UNDONE_MAX:
        raise InputInvalid(
            f"{count} answers cannot be undone at once, 1 to {UNDONE_MAX} can", remedy="ask again", field="count"
        )
    undone: list[Given] = []
    for _ in range(count):
        try:
            undone.append(undo(hub, who=who))
        except Refused:
            if not undone:
                raise
            break
    return tuple(undone)


def _answer(work: Work, hub: Hub, review_id: ReviewId, deal: Deal, who: str) -> Given:
    values = NO_VALUES
    if deal.choices:
        review = hold_reviews(work, [review_id])[review_id]
        require_answerable(review, deal.verdict, who)
        if deal.expected is not None:
            require_as_read(review, deal.expected)
        values = _values(read(hub, work.connection, review_id), deal, who)
    return answering(review_id, deal.verdict, deal.expected, who, values=values, seen=deal.seen)(work)


def _values(reading: Reading, deal: Deal, who: str) -> Mapping[str, Any]:
    if not deal.choices:
        return NO_VALUES
    outcome = chosen_values(reading, deal.choices, who)
    if outcome is None or deal.verdict.judgement != "same":
        raise InputInvalid(
            "values are chosen for a merge, and this answer merges nothing",
            remedy="leave the choices out, or set overrides",
            field="choices",
        )
    for fault in outcome.faults:
        raise InputInvalid(fault.message, remedy=fault.remedy, field=fault.attribute)
    return outcome.values


def _rehearsal(hub: Hub, review_id: ReviewId, choices: Mapping[str, Choice], who: str) -> Callable[[Work], Effect]:
    def act(work: Work) -> Effect:
        reading = read(hub, work.connection, review_id)
        review = hold_reviews(work, [review_id])[review_id]
        require_as_read(review, reading.review.versions)
        if reading.is_pair:
            outcome = chosen_values(reading, choices, who)
            values = outcome.values if outcome is not None else NO_VALUES
            first, second = reading.golden_ids
            return perform_in(work, Merge(first, second, values=values), By(who, "rehearsed"))
        signed = Signature(clock.recording_instant(work.connection), who, new_event_id())
        verdict = Verdict("different", "rehearsed")
        decisions.make_decisions(work.connection, review.entity_type, [review.pair], verdict, signed=signed)
        cause = Cause("decision", verdict.reason, event_id=signed.event_id)
        recluster(work, work.declared[review.entity_type], review.pair, cause=cause)
        return effect_of(work, cause)

    return act


def _first_skipped(hub: Hub, wanted: ReviewFilter, skipped: Sequence[ReviewId], who: str) -> Review | None:
    found = run(hub.engine, lambda connection: reviews_store.select_reviews_by_id(connection, skipped))
    for review_id in skipped:
        review = found.get(review_id)
        if review is not None and _is_dealt(review, wanted, who):
            return review
    return None


def _is_dealt(review: Review, wanted: ReviewFilter, who: str) -> bool:
    """Tell whether a skipped review may come again; it was dealt by the same filter before, so its state is asked."""
    fits = not wanted.entity_types or review.entity_type in wanted.entity_types
    return fits and review.state == "open" and review.answer_id is None and review.claimed_by in (None, who)
