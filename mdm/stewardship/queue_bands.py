"""Bands: many reviews that look alike get one answer, after a look at a drawn sample, in the background.

The preview counts what a filter lets through, holds back what one answer should not settle, draws a sample from every
part of the score and tells what answering the sample would do. It is kept under an id. Accepting it answers exactly
the reviews that it counted, piece by piece, each piece with its progress in one transaction: a process that is killed
goes on where it was. What moved since is left and named; where too much moved, accepting is refused.
"""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

import networkx as nx
from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run
from mdm.decisions import answers_store, queues_store, reviews_store
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import Band, BandState, Shown, Skipped
from mdm.decisions.review_model import HOLDING, Review, ReviewFilter
from mdm.entities.model import EntityType
from mdm.errors import (
    ApprovalNeedsAnother,
    BandOutdated,
    BandUnknown,
    HubError,
    InputInvalid,
    Unavailable,
)
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.ids import ReviewId, new_band_id
from mdm.stewardship.answers import require_answerable
from mdm.stewardship.bands import Intended, answer_each, many_wait
from mdm.stewardship.short_facts import ShortFacts, short_facts
from mdm.stewardship.tally import Tally, tally
from mdm.telemetry import logger

SAMPLE_MAX: Final = 100  # chosen: more than anybody reads
STRATA: Final = 5  # chosen: enough to see both ends and the middle of a band
HELD_MAX: Final = 100  # reviews held back that are named; all are counted
PREVIEW_LIFE: Final = timedelta(hours=1)  # chosen: a preview is for now
MOVED_SHARE_MAX: Final = 0.02  # chosen: of a band that was looked at, at most one in fifty may have moved since


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a sample is drawn; the same seed draws the same from the same band. None: the hub draws a seed."""

    size: int = 20
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of a band by score, as large as the others: how many are in it, and how many of them are shown."""

    bits_from: float
    bits_to: float
    count: int
    shown: int


@dataclass(frozen=True, slots=True)
class BandPreview:
    """What accepting a band would answer.

    id             names it when it is accepted, until `valid_until`
    found          reviews that the filter lets through: `ready` and those held back
    held_counts    how many are held back, by why: contradiction, guard, review_claimed, approval_pending,
                   two_established, second_person, ill_fitting
    held           the first of them, and why
    sample         drawn from every stratum, in the order of the score
    effects        what answering the sample would do, all of it together
    waits_because  why another person has to approve the band; "" when nobody has to
    """

    id: str
    verdict: Verdict
    found: int
    ready: int
    held_counts: Mapping[str, int]
    held: tuple[Skipped, ...]
    strata: tuple[Stratum, ...]
    sample: tuple[ShortFacts, ...]
    seed: int
    effects: tuple[Tally, ...]
    waits_because: str
    valid_until: datetime


def band_preview(
    hub: Hub,
    asked: ReviewFilter,
    verdict: Verdict,
    *,
    who: str,
    sampling: Sampling = Sampling(),
    bracket: Bracket[BandPreview] = UNBRACKETED,
) -> BandPreview:
    """Look at the reviews that a filter lets through as a band, and keep what was seen.

    Raises InputInvalid for no single entity type, no review, more than a band may hold, or a malformed verdict.
    """
    if len(asked.entity_types) != 1 or asked.state != "open":
        raise InputInvalid("a band is of one entity type, open reviews only", remedy="name one", field="entity_type")
    if not 1 <= sampling.size <= SAMPLE_MAX:
        raise InputInvalid(f"a sample shows 1 to {SAMPLE_MAX} reviews", remedy="choose another size", field="sample")
    entity_type = hub.entity_type(asked.entity_types[0])
    most = hub.settings.reviews_band_max
    seed = secrets.randbits(32) if sampling.seed is None else sampling.seed
    with reading(hub.engine) as connection:
        found = reviews_store.select_reviews(connection, asked, limit=most + 1)
        if not 0 < len(found) <= most:
            raise InputInvalid(
                "no open review passes the filter" if not found else f"more than {most:,} reviews pass the filter",
                remedy="choose others: by kind, bits, stake or source",
                field="filter",
            )
        held = _held_back(connection, entity_type, found, verdict, who)
        ready = [review for review in found if review.id not in held]
        strata, drawn = draw(ready, sampling.size, seed)
        sample = short_facts(connection, entity_type, drawn)
    waits_because = many_wait(entity_type, len(ready))
    intended = [Intended(review.id, review.versions, verdict) for review in drawn]
    effects = rehearse(hub, lambda work: _try(work, intended), who=who) if intended else ()
    band = _band(asked, verdict, ready, [one.id for one in drawn], seed, who=who, waits_because=waits_because)
    counts: dict[str, int] = {}
    for one in held.values():
        counts[one.code] = counts.get(one.code, 0) + 1
    seen = BandPreview(
        id=band.id,
        verdict=verdict,
        found=len(found),
        ready=len(ready),
        held_counts=counts,
        held=tuple(held.values())[:HELD_MAX],
        strata=strata,
        sample=sample,
        seed=seed,
        effects=effects,
        waits_because=waits_because,
        valid_until=band.recorded_at + PREVIEW_LIFE,
    )
    return run(hub.engine, lambda connection: bracket.around(connection, lambda: _keep(connection, band, seen)))


def draw(ready: Sequence[Review], size: int, seed: int) -> tuple[tuple[Stratum, ...], tuple[Review, ...]]:
    """Draw a sample from every part of the score: parts of one size, each shown about equally often."""
    ordered = sorted(ready, key=lambda review: (review.bits, review.id))
    parts = min(STRATA, size, len(ordered))
    chance = random.Random(seed)  # noqa: S311 -- a sample that can be drawn again
    strata, drawn = [], []
    for part in range(parts):
        members = ordered[len(ordered) * part // parts : len(ordered) * (part + 1) // parts]
        wanted = size * (part + 1) // parts - size * part // parts
        shown = chance.sample(members, min(wanted, len(members)))
        strata.append(Stratum(members[0].bits, members[-1].bits, len(members), len(shown)))
        drawn += sorted(shown, key=lambda review: (review.bits, review.id))
    return tuple(strata), tuple(drawn)


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


def _held_back(
    connection: Connection, entity_type: EntityType, found: Sequence[Review], verdict: Verdict, who: str
) -> dict[ReviewId, Skipped]:
    """Say which reviews one answer should not settle, and why."""
    golden_ids = {golden_id for review in found for golden_id in review.versions}
    established = answers_store.select_established(connection, golden_ids) if verdict.judgement == "same" else ()
    published_max = entity_type.reviews.approval.published_keys
    weights = (
        reviews_store.select_weights(connection, [review.pair for review in found]) if published_max is not None else ()
    )
    held: dict[ReviewId, Skipped] = {}
    for place, review in enumerate(found):
        code, message = _why_held(review, verdict, who)
        if not code and len(review.versions) > 1 and all(id_ in established for id_ in review.versions):
            code, message = "two_established", "both golden records are established: each such join is looked at"
        if not code and published_max is not None and weights[place][0].published >= published_max:
            published = weights[place][0].published
            code, message = "second_person", f"it is about {published} published keys, {published_max} or more"
        if code:
            held[review.id] = Skipped(review.id, code, message)
    return held


def _why_held(review: Review, verdict: Verdict, who: str) -> tuple[str, str]:
    if review.kind == "contradiction":
        return "contradiction", "a source contradicts a steward: answered alone"
    if review.kind in HOLDING:
        return "guard", f"it asks whether one golden record is one ({review.kind.replace('_', ' ')}): looked at alone"
    try:
        require_answerable(review, verdict, who)
    except InputInvalid as error:
        return ("ill_fitting", error.message) if review.kind == "unsure" else _raise(error)
    except HubError as error:
        return error.code, error.message
    return "", ""


def _raise(error: InputInvalid) -> tuple[str, str]:
    raise error


def _try(work: Work, intended: Sequence[Intended]) -> tuple[Tally, ...]:
    answer_each(work, intended, bulk_id="")
    return tally(work.carried_out)


def _band(
    asked: ReviewFilter,
    verdict: Verdict,
    ready: Sequence[Review],
    sample: Sequence[ReviewId],
    seed: int,
    **facts: str,
) -> Band:
    return Band(
        id=new_band_id(),
        entity_type=asked.entity_types[0],
        asked={name: value for name, value in asdict(asked).items() if value not in (None, (), (None, None))},
        verdict=verdict,
        chosen=tuple(Shown(review.id, review.versions) for review in _side_by_side(ready)),
        sample=tuple(sample),
        seed=seed,
        waits_because=facts["waits_because"],
        state="previewed",
        position=0,
        answered=0,
        skipped=(),
        recorded_at=clock.now(),
        who=facts["who"],
    )


def _side_by_side(ready: Sequence[Review]) -> list[Review]:
    """Put reviews that share golden records next to each other, the order otherwise kept."""
    graph = nx.Graph()
    for review in ready:
        graph.add_edges_from((review.id, golden_id) for golden_id in review.versions)
    first = {node: number for number, nodes in enumerate(nx.connected_components(graph)) for node in nodes}
    return sorted(ready, key=lambda review: first.get(review.id, -1))


def _keep(connection: Connection, band: Band, seen: BandPreview) -> BandPreview:
    queues_store.insert_band(connection, band)
    return seen


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
