"""The look at a band before it is accepted: what a filter lets through, what one answer should not settle, a sample.

What was seen is kept under an id, with the golden versions that were shown; accepting it answers exactly that.
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
from mdm.db.transaction import reading, run
from mdm.decisions import answers_store, queues_store, reviews_store
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import Band, Shown, Skipped
from mdm.decisions.review_model import HOLDING, Review, ReviewFilter
from mdm.entities.model import EntityType
from mdm.errors import HubError, InputInvalid
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, rehearse
from mdm.ids import ReviewId, new_band_id
from mdm.stewardship.answers import require_answerable
from mdm.stewardship.bands import Intended, answer_each, many_wait
from mdm.stewardship.risk_guard import risk_words, risks_of_many
from mdm.stewardship.short_facts import ShortFacts, short_facts
from mdm.stewardship.tally import Tally, tally

SAMPLE_MAX: Final = 100  # chosen: more than anybody reads
STRATA: Final = 5  # chosen: enough to see both ends and the middle of a band
HELD_MAX: Final = 100  # reviews held back that are named; all are counted
PREVIEW_LIFE: Final = timedelta(hours=1)  # chosen: a preview is for now


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
        if verdict.judgement == "same":
            held |= _risky(hub, connection, [review for review in found if review.id not in held])
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


def _risky(hub: Hub, connection: Connection, found: Sequence[Review]) -> dict[ReviewId, Skipped]:
    """Hold back what has a risk: nobody sees it in a band, and each is confirmed where it stands on its card."""
    risks = risks_of_many(hub, connection, found)
    return {
        review_id: Skipped(review_id, "risk_unconfirmed", f"a merge has risks: {told}")
        for review_id, told in ((id_, ", ".join(risk_words(some))) for id_, some in risks.items() if some)
    }


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
