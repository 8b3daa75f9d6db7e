"""The page of the queue, whichever route answers with it: what is shown, and to whom.

A question is about golden records, which hold records of every source: so it is shown to those whose role reaches an
entity type in every source, as by the API and on the card. Whoever is limited to some sources is told so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi import Request, Response

from api.console.render import page
from api.console.views import queue as views
from api.console.views.queue_filter import NAMES, Chosen, asked_of, chosen_in, read_chosen
from api.console.views.words import Words, words
from api.console.visit import Form, Visit
from api.console.words import CATALOGUES
from api.pagination import read_cursor, write_cursor
from mdm import clock
from mdm.db.transaction import reading
from mdm.decisions.queue_model import Band, QueueAsked
from mdm.decisions.relations import fitting
from mdm.decisions.review_model import REVIEW_KINDS, Place, Ranking, ReviewFilter
from mdm.errors import BandUnknown, Forbidden
from mdm.sources.service import instances
from mdm.stewardship import queue_bands, queues
from mdm.stewardship.queue_lines import queue_lines

PAGE: Final = 30  # chosen: two screens of lines


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say above the list; kind is a class of notices: pos, neg, bad, or nothing."""

    kind: str
    words: str
    lines: tuple[str, ...] = ()


def types_of(visit: Visit) -> tuple[str, ...]:
    """Name the entity types whose questions somebody may answer."""
    return tuple(sorted(name for name in visit.hub.declared if visit.may("steward", entity_type=name)))


def require_types(visit: Visit) -> tuple[str, ...]:
    """Do the same for an act, which needs at least one; raises Forbidden."""
    names = types_of(visit)
    if not names:
        raise Forbidden(
            "your role is limited to some systems, and questions are about records of all of them",
            remedy="ask an administrator of the hub for a role without that limit",
        )
    return names


def chosen_by(visit: Visit, form: Form) -> tuple[Chosen, QueueAsked]:
    """Read the filter that a form carries, within the limits of the visitor."""
    names = require_types(visit)
    chosen = read_chosen({name: form.one(name) for name in NAMES}, names)
    return chosen, asked_of(chosen, names)


def seen_filter(visit: Visit, asked: QueueAsked) -> ReviewFilter:
    """Give the filter of a queue as the visitor sees it now."""
    return asked.as_seen(who=visit.who, at=clock.now())


def require_band(visit: Visit, band_id: str) -> Band:
    """Find a band of an entity type that the visitor may answer; one beyond is as unknown as one that never was."""
    band = queue_bands.band_progress(visit.hub, band_id)
    if not visit.may("steward", entity_type=band.entity_type):
        raise BandUnknown(band_id)
    return band


def show_queue(visit: Visit, chosen: Chosen, *, after: str = "", notice: Notice | None = None) -> Response:
    """Answer with the page of the queue."""
    names = types_of(visit)
    if not names:
        return page(visit, "queue_limited.html")
    spoken = words(visit.language, CATALOGUES[visit.language].gettext)
    asked = asked_of(chosen, names)
    shown: dict[str, Any] = {"chosen": chosen, "notice": notice, "types": names, "kinds": REVIEW_KINDS}
    shown |= _list(visit, chosen, asked, after)
    if after and visit.is_part:
        return page(visit, "queue_more.html", **shown)
    shown |= _side(visit, asked, names, spoken)
    shown |= {"relations": fitting(chosen.type or names[0]), "bands": queues.list_bands(visit.hub, names)}
    kept = [(one, chosen_in(one.asked)) for one in queues.list_queues(visit.hub, who=visit.who)]
    shown["saved"] = [(one, its) for one, its in kept if not its.type or its.type in names]
    with reading(visit.hub.engine) as connection:
        shown["sources"] = instances(connection)
    return page(visit, "queue.html", **shown)


def _list(visit: Visit, chosen: Chosen, asked: QueueAsked, after: str) -> dict[str, Any]:
    """Read one page of the queue."""
    of = f"queue?{chosen.query}"
    place = _place(read_cursor(after or None, of=of), asked.ranking)
    found = queues.queue_page(visit.hub, asked, who=visit.who, after=place, limit=PAGE + 1)
    at = clock.now()
    spoken = words(visit.language, CATALOGUES[visit.language].gettext)
    lines = [views.line_of(one, at, spoken) for one in queue_lines(visit.hub, found[:PAGE])]
    rest = ""
    if len(found) > PAGE:
        rank, id_ = found[PAGE - 1].place_in(asked.ranking)
        rest = write_cursor((rank.isoformat() if isinstance(rank, datetime) else rank, id_), of=of)
    return {"lines": lines, "rest": rest, "now": at, "may_settle": _may_settle(visit, lines)}


def _may_settle(visit: Visit, lines: Sequence[views.Line]) -> frozenset[str]:
    """Name the reviews whose waiting answer the visitor may approve: a lead, and not their own."""
    return frozenset(
        line.review.id
        for line in lines
        if line.waiting is not None
        and line.waiting.who != visit.who
        and visit.may("lead", entity_type=line.review.entity_type)
    )


def _place(position: tuple[str | float, ...] | None, ranking: Ranking) -> Place | None:
    if position is None:
        return None
    rank, id_ = position
    return datetime.fromisoformat(str(rank)) if ranking == "oldest" else float(rank), str(id_)


def _side(visit: Visit, asked: QueueAsked, names: tuple[str, ...], spoken: Words) -> dict[str, Any]:
    """Work out the figures beside the list: size and cost of what is shown, the visitor's day, ages of all."""
    size = queues.queue_size(visit.hub, asked, who=visit.who)
    medians = queues.team_medians(visit.hub)
    seconds = size.seconds(medians)
    day = clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    by_day = queues.answers_by_day(visit.hub, who=visit.who, until=day + timedelta(days=1))
    return {
        "size": size,
        "cost": "" if seconds is None else views.duration(seconds, spoken),
        "day": queues.steward_day(visit.hub, who=visit.who, day=day),
        "duration": lambda number: views.duration(number, spoken),
        "ages": views.age_rows(queues.ageing(visit.hub, names), spoken),
        "pace": views.pace_of(by_day, spoken),
    }


def query_of(request: Request) -> dict[str, str]:
    """Give the query of an address; of a name that comes twice, the last."""
    return dict(request.query_params)
