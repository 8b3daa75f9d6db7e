"""The queue: what is asked, in which order, kept under a name; and answers that wait for a second person."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.console.page import PageRoute
from api.console.queue_page import Notice, chosen_by, query_of, require_types, show_queue, types_of
from api.console.render import redirect
from api.console.views.queue_filter import read_chosen, to_keep
from api.console.views.vocabulary import N_
from api.console.visit import TheVisit, Visit
from mdm.db.transaction import run
from mdm.errors import HubError, InputInvalid, ReviewNotAnswered, ReviewUnknown, Unavailable
from mdm.ids import ReviewId
from mdm.stewardship import answers, queues, reviews

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

SETTLED_MAX: Final = 200  # chosen: more than a page shows


@router.get("/queue")
def queue(visit: TheVisit, request: Request, after: Annotated[str, Query(max_length=2_000)] = "") -> Response:
    """Show the queue as the address says."""
    return show_queue(visit, read_chosen(query_of(request), types_of(visit)), after=after)


@router.post("/queue/saved")
def save(visit: TheVisit) -> Response:
    """Keep what is shown under a name."""
    chosen, _ = chosen_by(visit, visit.form)
    kept = to_keep(chosen, require_types(visit))
    name, is_shared = visit.form.one("name"), bool(visit.form.one("shared"))
    run(
        visit.hub.engine,
        lambda connection: queues.save_queue(connection, name, kept, who=visit.who, is_shared=is_shared),
    )
    return redirect(visit, f"/queue?{chosen.query}".rstrip("?"))


@router.post("/queue/saved/{queue_id}/end")
def end(queue_id: str, visit: TheVisit) -> Response:
    """Keep a queue of one's own no longer; somebody else's stays."""
    if not run(visit.hub.engine, lambda connection: queues.end_queue(connection, queue_id, who=visit.who)):
        raise InputInvalid("this queue is not yours, or gone already", remedy="load the page again")
    return redirect(visit, "/queue")


@router.post("/queue/settle")
def settle(visit: TheVisit) -> Response:
    """Approve or reject answers of others that wait, each by itself: one that is refused stops no other."""
    chosen, _ = chosen_by(visit, visit.form)
    act = visit.form.one("act")
    picked = visit.form.many("pick")
    if act not in {"approve", "reject"} or not 0 < len(picked) <= SETTLED_MAX:
        raise InputInvalid("nothing was chosen", remedy="tick the answers, then approve or reject them")
    done, refused = 0, []
    for pick in dict.fromkeys(picked):
        review_id, _, answer_id = pick.partition(":")
        try:
            _settle_one(visit, ReviewId(review_id), answer_id, act=act)
            done += 1
        except Unavailable:
            raise
        except HubError as error:
            refused.append(f"{error.message}. {error.remedy[:1].upper()}{error.remedy[1:]}".strip())
    words = N_("Approved: %(done)s. Refused: %(refused)s.") if act == "approve" else N_("Rejected: %(done)s.")
    told = visit.text(words) % {"done": done, "refused": len(refused)}
    return show_queue(visit, chosen, notice=Notice("bad" if refused else "pos", told, tuple(refused)))


def _settle_one(visit: Visit, review_id: ReviewId, answer_id: str, *, act: str) -> None:
    """Settle the answer that was shown; raises ReviewNotAnswered when another one waits by now."""
    review = reviews.get_review(visit.hub, review_id)
    if not visit.may("steward", entity_type=review.entity_type):
        raise ReviewUnknown(review_id)
    visit.require("lead", entity_type=review.entity_type)
    if review.answer_id != answer_id:
        raise ReviewNotAnswered(
            f"the answer to review {review_id} that was shown waits no longer", remedy="load the page again"
        )
    (answers.approve if act == "approve" else answers.reject)(visit.hub, review_id, who=visit.who)
