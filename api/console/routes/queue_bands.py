"""Many reviews with one answer: a look at a sample, accepting, approving, and how far it is."""

from collections import Counter
from typing import Any, Final, cast

from fastapi import APIRouter, Response

from api.console.page import PageRoute
from api.console.queue_page import chosen_by, require_band, seen_filter
from api.console.render import page, redirect
from api.console.views.queue import duration, sampled
from api.console.views.words import words
from api.console.visit import TheVisit, Visit
from api.console.words import CATALOGUES
from mdm import clock
from mdm.decisions.model import JUDGEMENTS, Judgement, Verdict
from mdm.decisions.queue_model import Band
from mdm.errors import Forbidden, InputInvalid
from mdm.stewardship import queue_bands, queues
from mdm.stewardship.band_preview import Sampling, band_preview
from mdm.stewardship.short_facts import telling_attributes

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

SAMPLE_SIZES: Final = ("10", "20", "50")
SKIPPED_SHOWN: Final = 50  # chosen: more are counted


@router.post("/queue/bands")
def look(visit: TheVisit) -> Response:
    """Show what one answer to all that the filter lets through would do, with a sample drawn from it."""
    chosen, asked = chosen_by(visit, visit.form)
    size = visit.form.one("sample", SAMPLE_SIZES[1])
    if size not in SAMPLE_SIZES:
        raise InputInvalid("a sample shows 10, 20 or 50", remedy="choose one of them", field="sample")
    verdict = _verdict(visit)
    seen = band_preview(visit.hub, seen_filter(visit, asked), verdict, who=visit.who, sampling=Sampling(int(size)))
    entity_type = visit.hub.entity_type(asked.filter.entity_types[0])
    titles = [(name, entity_type.attributes[name].title) for name in telling_attributes(entity_type)]
    at = clock.now()
    return page(
        visit,
        "queue_band_preview.html",
        chosen=chosen,
        seen=seen,
        entity_type=entity_type.name,
        sample=[
            sampled(one, titles, at, words(visit.language, CATALOGUES[visit.language].gettext)) for one in seen.sample
        ],
        now=at,
    )


@router.get("/queue/bands/{band_id}")
def progress(band_id: str, visit: TheVisit) -> Response:
    """Show how far a band is; the page asks again while it is under way."""
    return _show(visit, require_band(visit, band_id))


@router.post("/queue/bands/{band_id}/accept")
def accept(band_id: str, visit: TheVisit) -> Response:
    """Let a band that was looked at be answered, or wait for a second person."""
    require_band(visit, band_id)
    queue_bands.accept_band(visit.hub, band_id, who=visit.who)
    return redirect(visit, f"/queue/bands/{band_id}")


@router.post("/queue/bands/{band_id}/approve")
def approve(band_id: str, visit: TheVisit) -> Response:
    """Approve a band that somebody else accepted."""
    band = require_band(visit, band_id)
    visit.require("lead", entity_type=band.entity_type)
    queue_bands.approve_band(visit.hub, band_id, who=visit.who)
    return redirect(visit, f"/queue/bands/{band_id}")


@router.post("/queue/bands/{band_id}/stop")
def stop(band_id: str, visit: TheVisit) -> Response:
    """Stop a band of one's own, or as a lead anybody's; what is answered stays answered."""
    band = require_band(visit, band_id)
    if not _may_stop(visit, band):
        raise Forbidden(f"{band.who} answers this band", remedy="ask them, or a lead, to stop it")
    queue_bands.stop_band(visit.hub, band_id, who=visit.who)
    return redirect(visit, f"/queue/bands/{band_id}")


def _show(visit: Visit, band: Band) -> Response:
    spoken = words(visit.language, CATALOGUES[visit.language].gettext)
    seconds = queues.team_medians(visit.hub).clear_seconds
    shown: dict[str, Any] = {
        "band": band,
        "share": 100 * band.position / max(1, len(band.chosen)),
        "skipped_counts": Counter(one.code for one in band.skipped),
        "skipped": band.skipped[:SKIPPED_SHOWN],
        "may_stop": _may_stop(visit, band),
        "may_approve": band.who != visit.who and visit.may("lead", entity_type=band.entity_type),
        "saved": "" if seconds is None else duration(seconds * band.answered, spoken),
        "now": clock.now(),
    }
    return page(visit, "queue_band_part.html" if visit.is_part else "queue_band.html", **shown)


def _may_stop(visit: Visit, band: Band) -> bool:
    return band.who == visit.who or visit.may("lead", entity_type=band.entity_type)


def _verdict(visit: Visit) -> Verdict:
    judgement = visit.form.one("judgement")
    if judgement not in JUDGEMENTS:
        raise InputInvalid("an answer was not chosen", remedy="choose one of the answers", field="judgement")
    relation = visit.form.one("relation") or None
    return Verdict(
        cast("Judgement", judgement), visit.form.one("reason").strip(), relation if judgement == "related" else None
    )
