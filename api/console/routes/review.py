"""The review page: the next card, a certain one, and what is done with a card short of answering it."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.console.page import PageRoute
from api.console.queue_page import query_of
from api.console.render import page
from api.console.review_page import (
    Shown,
    Toast,
    look_ahead,
    queue_named,
    remember_skipped,
    show,
    skipped_by,
    to_page,
    visible,
)
from api.console.views.card_choices import choices_of, with_change
from api.console.views.vocabulary import N_
from api.console.visit import TheVisit
from mdm.access import people
from mdm.db.transaction import reading, run
from mdm.ids import ReviewId
from mdm.stewardship import desk as desks
from mdm.stewardship import reviews

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

_JUDGEMENTS: Final = ("merge", "different", "related", "unsure")


@router.get("/review")
def next_card(visit: TheVisit, request: Request) -> Response:
    """Deal the next card to whoever asks, of all or of the queue that the address names."""
    return show(visit, Shown(skipped=skipped_by(request), within=queue_named(visit, query_of(request))))


@router.get("/review/people")
def colleagues(visit: TheVisit) -> Response:
    """List whom a card can be assigned to, for the field of the dialog."""
    with reading(visit.hub.engine) as connection:
        found = [one for one in people.list_people(connection) if not one.is_disabled]
    return page(visit, "review_people.html", people=[one for one in found if one.principal.holds("steward")])


@router.get("/review/ahead")
def ahead(visit: TheVisit, request: Request, leaving: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Give the card that would be dealt after the one at hand, for the page to keep ready; it is nobody's by that."""
    left = (ReviewId(leaving),) if leaving else ()
    within = queue_named(visit, query_of(request))
    return look_ahead(visit, Shown(leaving=left, skipped=skipped_by(request), within=within))


@router.get("/review/{review_id}")
def one_card(
    review_id: str, visit: TheVisit, request: Request, leaving: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Show a certain card, and give back the one that is left for it."""
    left = (ReviewId(leaving),) if leaving else ()
    within = queue_named(visit, query_of(request))
    return show(visit, Shown(ReviewId(review_id), leaving=left, skipped=skipped_by(request), within=within))


@router.post("/review/{review_id}/pick")
def pick(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Choose a side's value or type one: the card again, with the merged record as it would be."""
    form = visit.form
    notices: tuple[tuple[str, str], ...] = ()
    if form.one("unsent") in _JUDGEMENTS:
        words = visit.text(N_("You were signed out before your answer arrived. Nothing was decided: give it again."))
        notices = (("neg", words),)
    choices = with_change(choices_of(form), form)
    return show(visit, Shown(ReviewId(review_id), choices, notices, skipped=skipped_by(request)))


@router.post("/review/{review_id}/claim")
def claim(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Try again to take a card that was somebody else's."""
    shown = Shown(ReviewId(review_id), choices_of(visit.form), skipped=skipped_by(request))
    return to_page(visit, show(visit, shown), review_id)


@router.post("/review/{review_id}/renew")
def renew(review_id: str, visit: TheVisit) -> Response:
    """Keep the card that is open in the visitor's hand; say so when it is not theirs any more."""
    review = visible(visit, review_id)
    is_theirs = review.state == "open" and review.answer_id is None
    if is_theirs and desks.take(visit.hub, review.id, who=visit.who):
        return Response(status_code=204)
    review = reviews.get_review(visit.hub, review.id)
    _, given = reviews.what_was_said(visit.hub, review.id)
    answer = next((one for one in reversed(given) if one.state in {"carried_out", "proposed"}), None)
    return page(visit, "review_lost.html", review=review, answer=answer)


@router.post("/review/{review_id}/skip")
def skip(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Leave a card for later: it comes again after all others."""
    visible(visit, review_id)
    return _left(visit, ReviewId(review_id), request, Toast(visit.text(N_("Left for later"))))


@router.post("/review/{review_id}/release")
def release(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Give a card back to the others, and go on."""
    visible(visit, review_id)
    return _left(visit, ReviewId(review_id), request, Toast(visit.text(N_("Given back to the others"))))


@router.post("/review/{review_id}/assign")
def assign(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Make a card the work of somebody; of somebody else, and the visitor goes on."""
    review = visible(visit, review_id)
    assignee = visit.form.one("assignee").strip() or None
    run(visit.hub.engine, lambda connection: reviews.assign(connection, review.id, assignee))
    if assignee in (None, visit.who):
        words = N_("Nobody's work any more") if assignee is None else N_("Assigned to you")
        shown = Shown(review.id, choices_of(visit.form), toast=Toast(visit.text(words)), skipped=skipped_by(request))
        return to_page(visit, show(visit, shown), review_id)
    words = visit.text(N_("Assigned to %(name)s")) % {"name": assignee}
    return _left(visit, review.id, request, Toast(words), is_skipped=False)


@router.post("/review/{review_id}/comment")
def comment(review_id: str, visit: TheVisit, request: Request) -> Response:
    """Write a note for whoever looks at the card after."""
    review = visible(visit, review_id)
    words = visit.form.one("note")
    run(visit.hub.engine, lambda connection: reviews.comment(connection, review.id, words, who=visit.who))
    toast = Toast(visit.text(N_("Noted")))
    shown = Shown(review.id, choices_of(visit.form), toast=toast, skipped=skipped_by(request))
    return to_page(visit, show(visit, shown), review_id)


def _left(visit: TheVisit, review_id: ReviewId, request: Request, toast: Toast, *, is_skipped: bool = True) -> Response:
    """Give a card up and deal the next one."""
    skipped = [id_ for id_ in skipped_by(request) if id_ != review_id]
    if is_skipped:
        skipped.append(review_id)
    run(visit.hub.engine, lambda connection: reviews.give_up(connection, review_id, who=visit.who))
    response = show(visit, Shown(toast=toast, leaving=(review_id,), skipped=tuple(skipped)))
    response = to_page(visit, response)
    remember_skipped(response, skipped, request)
    return response
