"""Routes of bands: one answer to many reviews, looked at as a sample first, then answered in the background."""

from collections.abc import Iterable

from fastapi import APIRouter, Response

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.route import HubRoute
from api.routes.review_words import effects_told, filter_of
from api.schemas.queues import (
    BandPreviewAsked,
    BandPreviewTold,
    BandsTold,
    BandTold,
    SampledTold,
    StratumTold,
)
from api.schemas.reviews import LeftTold
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import Band, BandLine, Skipped
from mdm.errors import BandUnknown, Forbidden
from mdm.hub import Hub
from mdm.stewardship import queue_bands, queues
from mdm.stewardship.band_preview import BandPreview, Sampling, band_preview

router = APIRouter(route_class=HubRoute, tags=["Reviews"])


@router.get("/v1/bands", operation_id="list_bands", response_model_exclude_none=True)
def list_bands(hub: TheHub, asker: Asker) -> BandsTold:
    """List bands that wait, are under way, or ended within a day, newest first."""
    own = [name for name in hub.declared if asker.principal.may("steward", entity_type=name)]
    return BandsTold(rows=[_line_told(one) for one in queues.list_bands(hub, own)])


@router.post("/v1/bands", operation_id="look_at_band", response_model=BandPreviewTold)
def look_at_band(asked: BandPreviewAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Count what one answer would settle, draw a sample and tell what answering that would do; nothing is answered."""
    asker.require("steward", entity_type=asked.band.entity_type)
    verdict = Verdict(asked.judgement, asked.reason, asked.relation)
    sampling = Sampling(asked.sample, asked.seed)
    return once.around(
        lambda bracket: band_preview(
            hub, filter_of(asked.band), verdict, who=asker.name, sampling=sampling, bracket=bracket
        ),
        _preview_told,
    )


@router.get("/v1/bands/{band_id}", operation_id="read_band", response_model_exclude_none=True)
def read_band(band_id: str, hub: TheHub, asker: Asker) -> BandTold:
    """Tell how far a band is."""
    return _told(_visible(hub, band_id, asker))


@router.post("/v1/bands/{band_id}:accept", operation_id="accept_band", response_model=BandTold)
def accept_band(band_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Let a band that the asker looked at be answered, or wait for a second person."""
    _visible(hub, band_id, asker)
    return once.around(lambda bracket: queue_bands.accept_band(hub, band_id, who=asker.name, bracket=bracket), _told)


@router.post("/v1/bands/{band_id}:approve", operation_id="approve_band", response_model=BandTold)
def approve_band(band_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Approve, as the second person, a band that somebody else accepted."""
    band = _visible(hub, band_id, asker)
    asker.require("lead", entity_type=band.entity_type)
    return once.around(lambda bracket: queue_bands.approve_band(hub, band_id, who=asker.name, bracket=bracket), _told)


@router.post("/v1/bands/{band_id}:stop", operation_id="stop_band", response_model=BandTold)
def stop_band(band_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Stop a band of the asker's, or as a lead anybody's; what is answered stays answered."""
    band = _visible(hub, band_id, asker)
    if band.who != asker.name and not asker.principal.may("lead", entity_type=band.entity_type):
        raise Forbidden(f"{band.who} answers this band", remedy="ask them, or a lead, to stop it")
    return once.around(lambda bracket: queue_bands.stop_band(hub, band_id, who=asker.name, bracket=bracket), _told)


def _visible(hub: Hub, band_id: str, asker: Caller) -> Band:
    """Find a band; one beyond the key's scope is as unknown as one that never was."""
    band = queue_bands.band_progress(hub, band_id)
    if not asker.principal.may("steward", entity_type=band.entity_type):
        raise BandUnknown(band_id)
    return band


def _preview_told(seen: BandPreview) -> BandPreviewTold:
    return BandPreviewTold(
        id=seen.id,
        found=seen.found,
        ready=seen.ready,
        held_counts=dict(seen.held_counts),
        held=_left_told(seen.held),
        strata=[
            StratumTold(bits_from=one.bits_from, bits_to=one.bits_to, count=one.count, shown=one.shown)
            for one in seen.strata
        ],
        sample=[
            SampledTold(
                id=one.review.id,
                bits=one.review.bits,
                left_name=one.left_name,
                right_name=one.right_name,
                left=dict(one.left),
                right=dict(one.right),
                why=one.why,
            )
            for one in seen.sample
        ],
        seed=seen.seed,
        effects=effects_told(seen.effects),
        waits_because=seen.waits_because or None,
        valid_until=seen.valid_until,
    )


def _told(band: Band) -> BandTold:
    return BandTold(
        id=band.id,
        entity_type=band.entity_type,
        judgement=band.verdict.judgement,
        relation=band.verdict.relation,
        reason=band.verdict.reason,
        state=band.state,
        size=len(band.chosen),
        position=band.position,
        answered=band.answered,
        left=_left_told(band.skipped),
        waits_because=band.waits_because or None,
        recorded_at=band.recorded_at,
        who=band.who,
        settled_at=band.settled_at,
        settled_by=band.settled_by,
        ended_at=band.ended_at,
        ended_because=band.ended_because,
    )


def _line_told(band: BandLine) -> BandTold:
    return BandTold(
        id=band.id,
        entity_type=band.entity_type,
        judgement=band.verdict.judgement,
        relation=band.verdict.relation,
        reason=band.verdict.reason,
        state=band.state,
        size=band.size,
        position=band.position,
        answered=band.answered,
        waits_because=band.waits_because or None,
        recorded_at=band.recorded_at,
        who=band.who,
    )


def _left_told(left: Iterable[Skipped]) -> list[LeftTold]:
    return [LeftTold(id=one.review_id, code=one.code, message=one.message) for one in left]
