"""Puts the review page together: a card, the list beside it, and a message, as one answer to a visit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response

from api.console.desk_lines import lines_of
from api.console.queue_page import types_of
from api.console.render import page, redirect
from api.console.views.card import CardView, card_view, short_id, state_of, still_fitting
from api.console.views.queue_filter import NAMES, Chosen, asked_of, read_chosen
from api.console.views.review_words import Speaker
from api.console.views.words import words
from api.console.visit import Visit
from api.console.words import CATALOGUES
from mdm import clock
from mdm.db.transaction import plan_once, snapshot
from mdm.decisions.review_model import Review
from mdm.errors import InputInvalid, ReviewUnknown
from mdm.ids import ReviewId
from mdm.stewardship import desk as desks
from mdm.stewardship import reviews
from mdm.stewardship.card import card_of, read_card
from mdm.stewardship.card_model import Card, Choice
from mdm.stewardship.card_reading import Reading
from mdm.stewardship.desk import COUNT_MAX, Desk

SHOWN: Final = "x-shown"
HELD: Final = "held"
HELD_NAME: Final = "x-held"
SAID_HERE: Final = "answered on the review card"  # the reason of an answer for which nobody wrote one
SKIPPED: Final = "mdm_skipped"
_SKIPPED_MAX: Final = 60  # chosen: a cookie of 2 KB; what was skipped before that comes again
_QUERY_MAX: Final = 500  # chosen: longer than every part of a filter together
_SKIPPED_LIFE_S: Final = 12 * 3600


@dataclass(frozen=True, slots=True)
class Toast:
    """A message that leaves by itself; `can_undo` puts the button beside it, `told` says who will be told."""

    words: str
    about: str = ""
    tone: str = ""
    can_undo: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer shows.

    review_id  of the card, None for the next of the list
    choices    what was chosen on it
    notices    what happened to it meanwhile
    leaving    reviews that the visitor turns away from
    skipped    those they skipped lately, in that order
    is_armed   the merge was pressed once, and its risk is confirmed with the next press
    within     the queue that is worked through; None: the one that the form names
    """

    review_id: ReviewId | None = None
    choices: Mapping[str, Choice] = field(default_factory=dict)
    notices: tuple[tuple[str, str], ...] = ()
    toast: Toast | None = None
    leaving: tuple[ReviewId, ...] = ()
    skipped: tuple[ReviewId, ...] = ()
    status: int = 200
    is_armed: bool = False
    within: Chosen | None = None

    @property
    def is_plain(self) -> bool:
        """Tell whether the card stands there as whoever opens it finds it."""
        return self.status == 200 and not (self.choices or self.notices or self.is_armed)


def show(visit: Visit, shown: Shown) -> Response:
    """Answer with the card that is wanted, or with the next one, or that there is none.

    Where the page keeps this very card ready, as it still is, the answer says so in its place.
    """
    within = shown.within if shown.within is not None else named_queue(visit)
    desk, reading = _look(visit, shown, within)
    is_had = reading is not None and _take(visit, reading, shown)
    if reading is not None and not is_had:
        # Somebody else took it in this very moment: the next one then, or the wanted one as it is by now.
        desk, reading = _look(visit, shown, within, lost=reading.review.id)
        is_had = reading is not None and (shown.review_id is not None or _take(visit, reading, shown))
    if reading is None or not is_had:
        return _answer(visit, shown, within, _context(visit, shown, within, desk))
    name = _name(visit, reading, within)
    if name and name == visit.held and shown.is_plain:
        context = _context(visit, shown, within, desk, shown_id=reading.review.id)
        headers = {"hx-replace-url": address_of(within, reading.review.id), SHOWN: HELD}
        return page(visit, "review_held.html", headers=headers, within=within, **context)
    card = card_of(reading, shown.choices, who=visit.who)
    view = _view(visit, card, shown.choices)
    return _answer(visit, shown, within, _context(visit, shown, within, desk, seen=(card, view)))


def look_ahead(visit: Visit, shown: Shown) -> Response:
    """Answer with the card that would be dealt, taken by nobody, under the name that it is shown by; or with none."""
    within = shown.within if shown.within is not None else named_queue(visit)
    desk, reading = _look(visit, shown, within)
    is_next = reading is not None and reading.review.id not in shown.leaving
    if reading is None or not is_next or state_of(reading.review, visit.who) != "open":
        return Response(status_code=204)
    card = card_of(reading, who=visit.who)
    context = _context(visit, shown, within, desk, seen=(card, _view(visit, card, {})))
    name = _name(visit, reading, within)
    return page(visit, "review_card.html", headers={HELD_NAME: name}, within=within, is_limited=False, **context)


def _answer(visit: Visit, shown: Shown, within: Chosen, context: Mapping[str, Any]) -> Response:
    view: CardView | None = context["card"]
    url = address_of(within, view.review_id if view is not None else None)
    return page(
        visit,
        "review_part.html" if visit.is_part else "review.html",
        status=shown.status,
        headers={"hx-replace-url": url} if visit.is_part else {},
        within=within,
        is_limited=not types_of(visit),
        **context,
    )


def _view(visit: Visit, card: Card, choices: Mapping[str, Choice]) -> CardView:
    return card_view(card, still_fitting(card, choices), speaker_for(visit), clock.now(), who=visit.who)


def _name(visit: Visit, reading: Reading, within: Chosen) -> str:
    """Name the card as this visitor's page would show it; "" for one that is not to be kept."""
    if not reading.mark or visit.session is None:
        return ""
    told = f"{reading.mark} {visit.language} {within.query} {visit.session.csrf}"
    return f"{reading.review.id}.{blake2b(told.encode(), digest_size=16).hexdigest()}"


def queue_named(visit: Visit, said: Mapping[str, str]) -> Chosen:
    """Read which queue is worked through; one that is not the visitor's, or malformed, is the whole desk."""
    try:
        return read_chosen(said, types_of(visit))
    except InputInvalid:
        return Chosen()


def named_queue(visit: Visit) -> Chosen:
    """Read the queue that a form of the page carries along."""
    pairs = parse_qsl(visit.form.one("queue")[:_QUERY_MAX])
    return queue_named(visit, {name: value for name, value in pairs if name in NAMES})


def address_of(within: Chosen, review_id: str | None) -> str:
    """Give the address of a card inside its queue."""
    path = f"/review/{review_id}" if review_id else "/review"
    return f"{path}?{within.query}" if within.query else path


def _context(
    visit: Visit,
    shown: Shown,
    within: Chosen,
    desk: Desk,
    *,
    seen: tuple[Card, CardView] | None = None,
    shown_id: str = "",
) -> dict[str, Any]:
    card, view = seen or (None, None)
    now, here = clock.now(), view.review_id if view is not None else shown_id
    return {
        "card": view,
        "comments": card.comments if card is not None else (),
        "claimed_by": card.review.claimed_by if card is not None else None,
        "assignee": card.review.assignee if card is not None else None,
        "proposal": next((one for one in card.answers if one.state == "proposed"), None) if card is not None else None,
        "last_answer": card.answers[-1] if card is not None and card.answers else None,
        "said_here": SAID_HERE,
        "notices": shown.notices,
        "is_armed": shown.is_armed,
        "toast": shown.toast,
        "now": now,
        "lines": lines_of(visit, desk, query=within.query, shown_id=here, now=now),
        "opened": desk.opened,
        "is_many": desk.opened >= COUNT_MAX,
        "answered": desk.answered,
        "short_id": short_id,
    }


def speaker_for(visit: Visit) -> Speaker:
    """Return who speaks the visitor's language."""
    catalogue = CATALOGUES[visit.language]
    return Speaker(words(visit.language, catalogue.gettext), catalogue.ngettext)


def visible(visit: Visit, review_id: str) -> Review:
    """Find a review that the visitor may answer; one beyond that is as unknown as one that never was."""
    review = reviews.get_review(visit.hub, ReviewId(review_id))
    if not visit.may("steward", entity_type=review.entity_type):
        raise ReviewUnknown(review_id)
    return review


def skipped_by(request: Request) -> tuple[ReviewId, ...]:
    """Read what the visitor skipped lately, the first skipped first."""
    told = request.cookies.get(SKIPPED, "")
    return tuple(ReviewId(f"rev_{part}") for part in told.split(".") if part.isalnum())[-_SKIPPED_MAX:]


def remember_skipped(response: Response, skipped: Sequence[ReviewId], request: Request) -> None:
    """Keep what the visitor skipped, for the rest of their day, in their own browser."""
    kept = list(dict.fromkeys(reversed(skipped)))[:_SKIPPED_MAX][::-1]
    response.set_cookie(
        SKIPPED,
        ".".join(id_.removeprefix("rev_") for id_ in kept),
        max_age=_SKIPPED_LIFE_S,
        path="/review",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def to_page(visit: Visit, response: Response, review_id: str | None = None) -> Response:
    """Answer a form of a browser without scripts: lead it to the page instead of sending a part."""
    if visit.is_part or response.status_code >= 400:
        return response
    return redirect(visit, address_of(named_queue(visit), review_id))


def _next(desk: Desk, leaving: Sequence[ReviewId]) -> list[ReviewId]:
    """List what may be dealt, in order; what the visitor leaves comes last, when nothing else is there."""
    ids = [line.review.id for line in desk.lines]
    return [id_ for id_ in ids if id_ not in leaving] or ids


def _look(visit: Visit, shown: Shown, within: Chosen, *, lost: ReviewId | None = None) -> tuple[Desk, Reading | None]:
    """Read the desk and the card that is wanted, or the next one, as of one moment; `lost` is somebody else's."""
    types, own = visit.person.principal.entity_types("steward"), types_of(visit)
    asked = asked_of(within, own) if within.query and own else None
    with snapshot(visit.hub.engine) as connection:
        if asked is None:
            plan_once(connection)
        desk = desks.desk(visit.hub, connection, who=visit.who, entity_types=types, skipping=shown.skipped, asked=asked)
        dealt = (id_ for id_ in _next(desk, shown.leaving) if id_ != lost)
        review_id = shown.review_id or next(dealt, None)
        if review_id is None:
            return desk, None
        if asked is not None:  # a filter is worth a plan of its own, a card is not
            plan_once(connection)
        return desk, read_card(visit.hub, connection, review_id)


def _take(visit: Visit, reading: Reading, shown: Shown) -> bool:
    """Take an open card into the visitor's hand; False when it is somebody else's by now."""
    review_id = reading.review.id
    if not visit.may("steward", entity_type=reading.review.entity_type):
        raise ReviewUnknown(review_id)
    leaving = [id_ for id_ in shown.leaving if id_ != review_id]
    is_free = state_of(reading.review, visit.who) == "open"
    return not is_free or desks.take(visit.hub, review_id, who=visit.who, leaving=leaving)
