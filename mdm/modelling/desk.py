"""What whoever draws the lines looks at: the hub's own scores, the team's pace, and what decisions say of them.

Scoring takes seconds, so it is kept for some minutes in a process, for the rules that it was made with.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from mdm import clock
from mdm.db.transaction import snapshot
from mdm.decisions import answers_store
from mdm.decisions.review_model import Pace
from mdm.hub import Hub
from mdm.modelling.evidence import gather, gather_decided
from mdm.modelling.lines import Calibration, Histogram, Position, calibrate, histogram, position, weights_of
from mdm.modelling.scoring import score_pairs
from mdm.modelling.service import scored_of
from mdm.resolution.service import standardise
from mdm.stewardship.reviews import PACE_DAYS

KEPT_S: Final = 600.0  # chosen: a line is moved for minutes, and the records do not change much meanwhile
RECORDS_MAX: Final = 10_000  # chosen: two seconds of scoring


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of an entity type's pairs under the rules that hold, and what is known of them.

    records  active source records of the hub; share: how much of them was scored
    pace     how fast the team answers, from real answers
    """

    entity_type: str
    version: str
    review_bits: float
    match_bits: float
    records: int
    share: float
    histogram: Histogram
    calibration: Calibration
    pace: Pace

    @property
    def is_estimate(self) -> bool:
        """Tell whether a part of the records stands for all."""
        return self.share < 1

    def at(self, review_bits: float, match_bits: float) -> Position:
        """Count what the lines at these bits would cost."""
        return position(self.histogram, self.calibration, (review_bits, match_bits), self.pace.seconds_median)


@dataclass(slots=True)
class KeptScores:
    """Scores kept for some minutes in one process; made once where the pages are served."""

    _kept: dict[str, tuple[float, Scores]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, hub: Hub, name: str) -> Scores:
        """Give the scores of an entity type, made anew when they are old or of other rules."""
        version = hub.entity_type(name).version
        with self._lock:  # two who come at once wait for one scoring
            made_at, found = self._kept.get(name, (float("-inf"), None))
            if found is None or found.version != version or time.monotonic() - made_at > KEPT_S:
                found = scores_of(hub, name)
                self._kept[name] = (time.monotonic(), found)
            return found


def scores_of(hub: Hub, name: str, *, limit: int = RECORDS_MAX) -> Scores:
    """Score an entity type's pairs, all or those of a drawn part, under the rules that hold."""
    entity_type = hub.entity_type(name)
    with snapshot(hub.engine) as connection:
        gathered = gather(connection, entity_type, limit=limit)
        decided = gather_decided(connection, entity_type)
        pace = answers_store.select_team_pace(connection, at=clock.instant(connection), days=PACE_DAYS)
    scored = scored_of(entity_type, gathered)
    judged = score_pairs(standardise(entity_type, decided.records), decided.left, decided.right, entity_type.model)
    return Scores(
        entity_type=name,
        version=entity_type.version,
        review_bits=entity_type.model.review_bits,
        match_bits=entity_type.model.match_bits,
        records=gathered.total,
        share=gathered.share,
        histogram=histogram(scored, weights_of(gathered.is_drawn, scored, gathered.share)),
        calibration=calibrate(judged.bits, decided.is_same),
        pace=pace,
    )
