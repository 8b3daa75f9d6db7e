"""Bands: many reviews that look alike get one answer, after a look at a drawn sample, in the background.

`band_preview` looks and keeps what was seen under an id. Accepting it answers exactly the reviews that it counted,
piece by piece, each piece with its progress in one transaction: a process that is killed goes on where it was. What
moved since is left and named; where too much moved, accepting is refused.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run
from mdm.decisions import queues_store, reviews_store
from mdm.decisions.queue_model import Band, BandState, Shown, Skipped
from mdm.errors import ApprovalNeedsAnother, BandOutdated, BandUnknown, HubError, Unavailable
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.stewardship.band_preview import PREVIEW_LIFE
from mdm.stewardship.bands import Intended, answer_each
from mdm.telemetry import logger

MOVED_SHARE_MAX: Final = 0.02  # chosen: of a band that was looked at, at most one in fifty may have moved since


def accept_band(hub: Hub, band_id: str, *, who: str, bracket: Bracket[Band] = UNBRACKETED) -> Band:
    """Let a band that was looked at be answered; where policy asks for it, another person has to approve first.

    Raises BandUnknown, BandOutdated when it is settled already, a review of the sample moved, more than one in fifty
    of all did, or the preview is too old; ApprovalNeedsAnother for a preview of somebody else.
    """

    def act(connection: Connection) -> Band:
        band = _require(connection, band_id)
        if band.who != who:
            raise ApprovalNeedsAnother(f"{band.who} looked at band {band_id}", remedy="look at it yourself first")
        if band.state != "previewed":
            raise BandOutdated(f"band {band_id} is {band.state}", remedy="look at the reviews again")
        at = clock.recording_instant(connection)
        if at > band.recorded_at + PREVIEW_LIFE:
            raise BandOutdated(f"the preview of band {band_id} is too old", remedy="look at the reviews again")
        _require_as_shown(connection, band)
        state: BandState = "waiting" if band.waits_because else "accepted"
        queues_store.settle_band(connection, band_id, state=state, at=at, who=who)
        return _require(connection, band_id)

    return run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))


def approve_band(hub: Hub, band_id: str, *, who: str, bracket: Bracket[Band] = UNBRACKETED) -> Band:
    """Approve, as the second person, a band that somebody else accepted.

    Raises BandUnknown, BandOutdated, ApprovalNeedsAnother.
    """

    def act(connection: Connection) -> Band:
        band = _require(connection, band_id)
        if band.state != "waiting":
            raise BandOutdated(f"band {band_id} is {band.state}, it does not wait", remedy="nothing is to approve")
        if band.who == who:
            raise ApprovalNeedsAnother(f"{who} accepted band {band_id}", remedy="let somebody else approve it")
        _require_as_shown(connection, band)
        at = clock.recording_instant(connection)
        queues_store.settle_band(connection, band_id, state="accepted", at=at, who=who)
        return _require(connection, band_id)

    return run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))


def stop_band(hub: Hub, band_id: str, *, who: str, bracket: Bracket[Band] = UNBRACKETED) -> Band:
    """Stop a band; what is answered stays answered. Raises BandUnknown, BandOutdated."""

    def act(connection: Connection) -> Band:
        band = _require(connection, band_id)
        if band.state in {"done", "stopped"}:
            raise BandOutdated(f"band {band_id} is {band.state}", remedy="there is nothing to stop")
        at = clock.recording_instant(connection)
        name_actor(connection, who)
        queues_store.end_band(connection, band_id, state="stopped", because=f"stopped by {who}", at=at)
        return _require(connection, band_id)

    return run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))


def band_progress(hub: Hub, band_id: str) -> Band:
    """Tell how far a band is; raises BandUnknown."""
    with reading(hub.engine) as connection:
        band = queues_store.read_band(connection, band_id)
    if band is None:
        raise BandUnknown(band_id)
    return band


def carry_some(hub: Hub) -> int:
    """Answer the next piece of the oldest accepted band: a task of the worker. Return how many reviews that were.

    A refusal that the answers themselves do not explain stops the band, with why.
    """
    with reading(hub.engine) as connection:
        names = queues_store.select_accepted(connection)
    for band_id, who in names:
        try:
            done = carry(hub, lambda work, band_id=band_id: _carry_piece(work, hub, band_id), who=who)  # type: ignore[misc]
        except Unavailable:
            raise
        except HubError as error:
            logger(__name__).warning("band stopped", band=band_id, code=error.code)
            run(hub.engine, lambda connection, band_id=band_id, error=error: _stop(connection, band_id, error))  # type: ignore[misc]
            continue
        if done:
            return done
    return 0


def carry_band(hub: Hub, band_id: str) -> Band:
    """Answer an accepted band to its end here and now, as the worker would; raises BandUnknown."""
    while (band := band_progress(hub, band_id)).state == "accepted":
        carry(hub, lambda work: _carry_piece(work, hub, band_id), who=band.who)
    return band


def _carry_piece(work: Work, hub: Hub, band_id: str) -> int:
    """Answer the next piece of a band, unless somebody else is at it; progress and answers are one transaction."""
    band = queues_store.take_band(work.connection, band_id)
    if band is None:
        return 0
    piece = _next_piece(band, hub.settings.chunk_records, hub.settings.reviews_bulk_max)
    intended = [Intended(one.review_id, one.expected, band.verdict) for one in piece]
    done = answer_each(work, intended, bulk_id=band.id)
    skipped = [Skipped(one.review_id, one.code, one.message) for one in done.left.values()]
    position = band.position + len(piece)
    queues_store.advance_band(work.connection, band.id, position=position, answered=len(done.answered), skipped=skipped)
    if position == len(band.chosen):
        at = clock.recording_instant(work.connection)
        name_actor(work.connection, work.who)
        queues_store.end_band(work.connection, band.id, state="done", because="all are answered or left", at=at)
    return len(piece)


def _next_piece(band: Band, size: int, most: int) -> Sequence[Shown]:
    """Take the next reviews, and with them those that share golden records with the last: they stand side by side."""
    rest = band.chosen[band.position :]
    end = min(size, len(rest))
    seen = {golden_id for one in rest[:end] for golden_id in one.expected}
    while end < min(most, len(rest)) and not seen.isdisjoint(rest[end].expected):
        seen |= rest[end].expected.keys()
        end += 1
    return rest[:end]


def _stop(connection: Connection, band_id: str, error: HubError) -> None:
    at = clock.recording_instant(connection)
    name_actor(connection, "hub")
    queues_store.end_band(connection, band_id, state="stopped", because=f"{error.code}: {error.message}", at=at)


def _require(connection: Connection, band_id: str) -> Band:
    band = queues_store.select_band(connection, band_id)
    if band is None:
        raise BandUnknown(band_id)
    return band


def _require_as_shown(connection: Connection, band: Band) -> None:
    """Refuse when what was shown moved: any review of the sample, or too many of all."""
    now = reviews_store.select_reviews_by_id(connection, [one.review_id for one in band.chosen])
    moved = {
        one.review_id
        for one in band.chosen
        if one.review_id not in now
        or now[one.review_id].state != "open"
        or now[one.review_id].versions != dict(one.expected)
    }
    shown = len(moved.intersection(band.sample))
    if shown or len(moved) > MOVED_SHARE_MAX * len(band.chosen):
        raise BandOutdated(
            f"{len(moved)} of {len(band.chosen)} reviews of band {band.id} moved since, {shown} of the sample shown",
            remedy="look at the reviews again",
        )
