"""Shapes of queues that people keep, and of bands: many reviews that get one answer."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.decisions import Judgement, Relation
from api.schemas.reviews import BandAsked, LeftTold, TallyTold
from api.schemas.shape import Asked, Instant, SourceId, Told
from mdm.decisions.review_model import Ranking
from mdm.entities.model import ReviewKind

Bits = Annotated[float | None, Field(allow_inf_nan=False)]


class QueueFilter(Asked):
    """Which open reviews a queue shows; what is left out lets everything through. Bounds are included."""

    entity_types: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(max_length=20)
    ] = ()
    kinds: Annotated[tuple[ReviewKind, ...], Field(max_length=20)] = ()
    source: SourceId | None = None
    bits_min: Bits = None
    bits_max: Bits = None
    stake_min: Bits = None
    stake_max: Bits = None
    is_waiting: bool | None = Field(default=None, description="true: an answer waits for a second person.")
    due_within_days: Annotated[float, Field(ge=0, le=3650)] | None = Field(default=None, description="0: overdue ones.")
    is_mine: bool = Field(default=False, description="Only what is assigned to whoever looks.")
    is_free: bool = Field(default=False, description="Only what nobody else has claimed.")


class QueueAskedFor(Asked):
    """A queue to keep under a name; one's own queue of that name gives way."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(examples=["Likely, from NetSuite"])
    asked: QueueFilter = QueueFilter()
    ranking: Ranking = "useful"
    is_shared: bool = Field(default=False, description="For everybody who answers reviews.")


class QueueTold(Told):
    """A queue that somebody keeps."""

    id: str = Field(examples=["que_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    name: str
    asked: QueueFilter
    ranking: Ranking
    is_shared: bool
    recorded_at: Instant
    who: str


class QueuesTold(Told):
    """The queues that the asker may use: their own, then what others share, by name."""

    rows: list[QueueTold]


class EndedTold(Told):
    """A queue that is kept no longer."""

    id: str
    ended: bool


class BandPreviewAsked(Asked):
    """One answer to all that a filter lets through, to be looked at first."""

    judgement: Judgement
    relation: Relation | None = Field(default=None, description="Needed for `related`.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    band: BandAsked
    sample: Annotated[int, Field(ge=1, le=100)] = Field(default=20, description="Reviews to draw and show.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = Field(
        default=None, description="The same seed draws the same sample from the same band."
    )


class StratumTold(Told):
    """A part of a band by score, as large as the others."""

    bits_from: float
    bits_to: float
    count: int
    shown: int


class SampledTold(Told):
    """A review of the sample with both sides in short."""

    id: str
    bits: float
    left_name: str
    right_name: str
    left: dict[str, str]
    right: dict[str, str]
    why: str = Field(description="What speaks for and against, strongest first, in bits.")


class BandPreviewTold(Told):
    """What accepting a band would answer; kept under `id` until `valid_until`."""

    id: str = Field(examples=["bnd_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    found: int = Field(description="Reviews that the filter lets through.")
    ready: int = Field(description="Those that would be answered; the others are held back.")
    held_counts: dict[str, int] = Field(description="How many are held back, by why.")
    held: list[LeftTold] = Field(description="The first of them.")
    strata: list[StratumTold]
    sample: list[SampledTold]
    seed: int
    effects: list[TallyTold] = Field(description="What answering the sample would do, all of it together.")
    waits_because: str | None = None
    valid_until: Instant


class BandTold(Told):
    """A band and how far it is."""

    id: str
    entity_type: str
    judgement: Judgement
    relation: str | None = None
    reason: str
    state: Literal["previewed", "waiting", "accepted", "done", "stopped"]
    size: int = Field(description="Reviews that it answers.")
    position: int = Field(description="How many of them are done with.")
    answered: int
    left: list[LeftTold] = Field(default=[], description="Those that were not answered, and why.")
    waits_because: str | None = None
    recorded_at: Instant
    who: str
    settled_at: Instant | None = None
    settled_by: str | None = Field(default=None, description="Who accepted it, or approved it as the second person.")
    ended_at: Instant | None = None
    ended_because: str | None = None


class BandsTold(Told):
    """Bands that wait, are under way, or ended within a day, newest first."""

    rows: list[BandTold]
