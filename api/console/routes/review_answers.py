"""Answers given on the review page, approved, turned down and taken back; each answers with the next card."""

from typing import Final, cast

from fastapi import APIRouter, Request, Response

from api.console.page import PageRoute
from api.console.review_page import SAID_HERE, Shown, Toast, show, skipped_by, speaker_for, to_page, visible
from api.console.views.card_choices import choices_of
from api.console.views.review_words import waits
from api.console.views.sentences import told
from api.console.views.vocabulary import N_
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal, status_of
from mdm.decisions.model import Judgement, Verdict
from mdm.decisions.review_model import Answer, Review
from mdm.errors import (
    ApprovalPending,
    Conflict,
    InputInvalid,
    ReviewClaimed,
    ReviewClosed,
    ReviewNotAnswered,
    ReviewOutdated,
    RiskUnconfirmed,
)
from mdm.ids import ReviewId
from mdm.stewardship import answers, reviews
from mdm.stewardship import desk as desks
from mdm.stewardship.card_model import Choice
from mdm.stewardship.dealing import Deal, answer_card

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

_JUDGEMENTS: Final = {"merge": "same", "different": "different", "related": "related", "unsure": "unsure"}
_DONE: Final = {
    "same": N_("Merged"),
    "different": N_("Kept apart"),
    "related": N_("Related"),
    "unsure": N_("Left open"),
}
_ONCE_MORE: Final = N_(
    "A merge here has a risk, which stands below. Nothing was decided; press Merge once more to take it."
)
_AGAIN: Final = N_(
    "The risks of this merge are others than those you saw. Nothing was decided; read them, and press again."
)
_ABOUT_MAX: Final = 60


@router.post("/review/{review_id}/decide")
def decide(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Answer a card; the next one comes with the answer. Where it cannot be carried out, the card says why."""
    review = visible(visit, review_id)
    verdict = _verdict(visit)
    choices = choices_of(visit.form)
    is_sure = visit.form.one("sure") == "yes"
    seen = frozenset(visit.form.many("risk")) if is_sure else frozenset[str]()
    deal = Deal(verdict, _expected(visit), choices if verdict.judgement == "same" else {}, seen)
    skipped = skipped_by(request)
    try:
        given = answer_card(visit.hub, review.id, deal, who=visit.who)
    except (ReviewClosed, ApprovalPending) as error:
        return _come_late(visit, review, verdict, skipped, error)
    except RiskUnconfirmed as error:
        words = _AGAIN if is_sure else _ONCE_MORE
        notices = (("neg", visit.text(words)),)
        status = status_of(type(error))
        shown = Shown(review.id, choices, notices, skipped=skipped, status=status, is_armed=not is_sure)
        return show(visit, shown)
    except (ReviewClaimed, ReviewOutdated, Conflict, InputInvalid) as error:
        notice = _refused(visit, error, choices)
        shown = Shown(review.id, choices, (notice,), skipped=skipped, status=status_of(type(error)))
        return show(visit, shown)
    words = visit.text(_DONE[verdict.judgement])
    if given.waits_because:
        because = waits(given.waits_because, speaker_for(visit))
        words = visit.text(N_("Waits for a second person: %(because)s")) % {"because": because}
    toast = Toast(words, _about(visit), can_undo=not given.waits_because, told=_told(visit, given))
    return to_page(visit, show(visit, Shown(toast=toast, leaving=(review.id,), skipped=skipped)))


@router.post("/review/{review_id}/approve")
def approve(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Carry out what somebody else answered."""
    review = visible(visit, review_id)
    return _settled(visit, review, request, is_approved=True)


@router.post("/review/{review_id}/reject")
def reject(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Turn down what somebody else answered; the card stays open."""
    review = visible(visit, review_id)
    return _settled(visit, review, request, is_approved=False)


@router.post("/review/{review_id}/withdraw")
def withdraw(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Take back one's own answer to a certain card, also one that waits."""
    review = visible(visit, review_id)
    return _undone(visit, review.id, request)


@router.post("/review/undo")
def undo(visit: TheVisit, request: Request) -> Response:
    """Take back the visitor's last answer; again, the one before it."""
    last = desks.last_answered(visit.hub, who=visit.who)
    if last is None:
        raise ReviewNotAnswered("you have no answer left to take back", remedy="answers of others are theirs")
    visible(visit, last[0])
    return _undone(visit, last[0], request)


def _undone(visit: Visit, review_id: ReviewId, request: Request) -> Response:
    given = answers.undo(visit.hub, review_id=review_id, who=visit.who)
    said = visit.text(_DONE[given.answer.verdict.judgement])
    toast = Toast(visit.text(N_("Taken back: %(answer)s")) % {"answer": said}, can_undo=True)
    shown_id = review_id if given.review.state == "open" else None
    leaving = tuple(ReviewId(id_) for id_ in visit.form.many("current") if id_ != review_id)
    shown = Shown(shown_id, toast=toast, leaving=leaving, skipped=skipped_by(request))
    return to_page(visit, show(visit, shown), shown_id)


def _settled(visit: Visit, review: Review, request: Request, *, is_approved: bool) -> Response:
    act = answers.approve if is_approved else answers.reject
    skipped = skipped_by(request)
    try:
        act(visit.hub, review.id, who=visit.who)
    except Conflict as error:
        notice = _refused(visit, error, {})
        return show(visit, Shown(review.id, notices=(notice,), skipped=skipped, status=status_of(type(error))))
    words = visit.text(N_("Approved and done") if is_approved else N_("Turned down; the card is open again"))
    shown_id = None if is_approved else review.id
    return to_page(visit, show(visit, Shown(shown_id, toast=Toast(words), leaving=(review.id,), skipped=skipped)))


def _told(visit: Visit, given: answers.Given) -> str:
    """Say which systems will be told; nothing where nothing was carried out."""
    if given.answer.state != "carried_out":
        return ""
    if not given.targets:
        return visit.text(N_("No system is told anything."))
    return visit.text(N_("Told to: %(targets)s.")) % {"targets": speaker_for(visit).listed([*given.targets])}


def _verdict(visit: Visit) -> Verdict:
    told = visit.form.one("verdict")
    if told not in _JUDGEMENTS:
        raise HttpRefusal(
            422,
            "request_invalid",
            "the form names no answer",
            remedy=f"send verdict as one of {', '.join(_JUDGEMENTS)}",
            place="verdict",
        )
    reason = visit.form.one("reason").strip() or SAID_HERE
    relation = visit.form.one("relation") or None if told == "related" else None
    return Verdict(cast("Judgement", _JUDGEMENTS[told]), reason, relation)


def _expected(visit: Visit) -> dict[str, int]:
    """Read the versions that the card showed; a form without them is none of this page's."""
    found = {}
    for golden_id, version in visit.form.starting("expected.").items():
        if not version.isdecimal() or len(version) > 9:
            raise HttpRefusal(422, "request_invalid", "a version is a number", remedy="load the page again")
        found[golden_id] = int(version)
    return found


def _come_late(
    visit: Visit, review: Review, verdict: Verdict, skipped: tuple[ReviewId, ...], error: Conflict
) -> Response:
    """Go on where the card is answered already: by the very same press, twice sent, or by somebody else."""
    answer = _standing(visit, review)
    if answer is not None and answer.who == visit.who and answer.verdict.judgement == verdict.judgement:
        toast = Toast(visit.text(_DONE[verdict.judgement]), _about(visit), can_undo=answer.state == "carried_out")
        return to_page(visit, show(visit, Shown(toast=toast, leaving=(review.id,), skipped=skipped)))
    if answer is not None and answer.who == visit.who:
        words = visit.text(N_("You answered this card already: %(answer)s. This press changed nothing")) % {
            "answer": visit.text(_DONE[answer.verdict.judgement])
        }
    elif answer is not None:
        words = visit.text(N_("%(name)s answered this card before you: %(answer)s. Yours changed nothing")) % {
            "name": answer.who,
            "answer": visit.text(_DONE[answer.verdict.judgement]),
        }
    else:
        words = (
            f"{visit.text(N_('This card is closed; your answer changed nothing'))}: {told(error.message, visit.text)}"
        )
    toast = Toast(words, _about(visit), tone="bad")
    return show(visit, Shown(toast=toast, leaving=(review.id,), skipped=skipped, status=409))


def _standing(visit: Visit, review: Review) -> Answer | None:
    _, given = reviews.what_was_said(visit.hub, review.id)
    return next((one for one in reversed(given) if one.state in {"carried_out", "proposed"}), None)


def _refused(visit: Visit, error: Conflict | InputInvalid, choices: dict[str, Choice]) -> tuple[str, str]:
    """Say why an answer was not carried out, and what became of what was chosen."""
    if isinstance(error, ReviewOutdated):
        words = visit.text(N_("The records changed while you looked. This is the card as it is now; decide again."))
        kept = visit.text(N_("What you chose is kept where it still fits."))
        return ("neg", f"{words} {kept}" if choices else words)
    if isinstance(error, ReviewClaimed):
        words = visit.text(N_("%(name)s has taken this card meanwhile. Nothing was decided by you."))
        return ("neg", words % {"name": error.by})
    said = [told(each, visit.text) for each in (error.message, error.remedy)]
    return ("bad", f"{visit.text(N_('That did not work'))}: {said[0]}. {said[1][:1].upper()}{said[1][1:]}")


def _about(visit: Visit) -> str:
    return visit.form.one("about")[:_ABOUT_MAX]
