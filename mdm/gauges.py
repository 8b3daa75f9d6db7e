"""Gauges of what the database knows: targets and deals, as whoever is scraped has just read them.

Counters are those of one process; these are the same wherever they are asked. Without a reading nothing is said, so
that a database that does not answer shows as figures that are absent, and never as old ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mdm.telemetry import REGISTRY


@dataclass(frozen=True, slots=True)
class TargetReading:
    """How one target stands at the moment of a scrape.

    lanes     golden records that it has yet to be told of, by state of their lane: ready, waiting, dead
    failing   those of the ready ones whose last attempt failed
    oldest_s  for how long the oldest message could have been told; None where nothing is late
    standing  its state, or "" for a folder of files
    frozen    attributes of golden records that it is not told of until a steward has answered
    is_outside_hours  whether it would be told, were it not for its hours
    """

    target: str
    lanes: Mapping[str, int]
    failing: int
    oldest_s: float | None
    standing: str
    failures: int
    frozen: int
    is_outside_hours: bool = False


class TargetGauges(Collector):
    """How targets stand, as whoever is scraped has just read it; without a reading nothing is said of them."""

    STANDINGS: Final = ("backfill", "running", "draining", "paused", "stopped", "disabled")

    def __init__(self) -> None:
        """Begin without a reading."""
        self._readings: Sequence[TargetReading] | None = None

    def tell(self, readings: Sequence[TargetReading] | None) -> None:
        """Put a new reading in place of the one before, as a whole; None while there is nobody to ask."""
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        """Give the families with a sample for every target."""
        families = {
            "targets": GaugeMetricFamily(
                "mdm_targets", "Targets that there are; not told while the database does not answer."
            ),
            "lanes": GaugeMetricFamily(
                "mdm_target_lanes",
                "Golden records that a target has yet to be told of, by state; dead ones wait for a person.",
                labels=["target", "state"],
            ),
            "failing": GaugeMetricFamily(
                "mdm_target_failing_lanes", "Ready ones of these whose last attempt failed.", labels=["target"]
            ),
            "oldest": GaugeMetricFamily(
                "mdm_target_oldest_seconds",
                "For how long the oldest message could have been told; parked ones, waits, hours, pauses do not count.",
                labels=["target"],
            ),
            "standing": GaugeMetricFamily(
                "mdm_target_standing",
                "1 for the state that a target is in, 0 for the others.",
                labels=["target", "state"],
            ),
            "failures": GaugeMetricFamily(
                "mdm_target_failures", "Turns in a row that a target as a whole did not answer.", labels=["target"]
            ),
            "frozen": GaugeMetricFamily(
                "mdm_target_frozen",
                "Attributes of golden records that a target is not told of, since systems quarrel about them.",
                labels=["target"],
            ),
            "outside_hours": GaugeMetricFamily(
                "mdm_target_outside_hours",
                "1 while a target that runs waits for the hours of its schedule, else 0.",
                labels=["target"],
            ),
        }
        readings = self._readings
        if readings is not None:
            families["targets"].add_metric([], len(readings))
        for one in readings or ():
            for state, count in one.lanes.items():
                families["lanes"].add_metric([one.target, state], count)
            families["failing"].add_metric([one.target], one.failing)
            families["oldest"].add_metric([one.target], one.oldest_s or 0.0)
            families["frozen"].add_metric([one.target], one.frozen)
            if one.standing:
                families["failures"].add_metric([one.target], one.failures)
                families["outside_hours"].add_metric([one.target], float(one.is_outside_hours))
                for state in self.STANDINGS:
                    families["standing"].add_metric([one.target, state], float(one.standing == state))
        yield from families.values()


@dataclass(frozen=True, slots=True)
class DriftReading:
    """What the last comparison of one target that came to its end found, and whether another one is due.

    counts     of findings that are a difference, over all entity types: each kind, also where there is none
    state      repaired where what was found was mended or ordered by it, else found; "" where none came to its end
    age_s      for how long the comparison is past; None where none came to its end
    overdue_s  for how long another one could have come to its end; None where none is asked for by now
    """

    target: str
    counts: Mapping[str, int]
    state: str
    age_s: float | None
    overdue_s: float | None


class DriftGauges(Collector):
    """How targets differ from what they should hold, as their last comparisons found."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self._readings: Sequence[DriftReading] = ()

    def tell(self, readings: Sequence[DriftReading] | None) -> None:
        """Put a new reading in place of the one before, as a whole; None while there is nobody to ask."""
        self._readings = readings or ()

    def collect(self) -> Iterator[Metric]:
        """Give the families with samples for every target that was compared."""
        drift = GaugeMetricFamily(
            "mdm_target_drift",
            "Differences that the last comparison of a target found, by kind; repaired ones were mended by it.",
            labels=["target", "finding", "state"],
        )
        age = GaugeMetricFamily(
            "mdm_target_drift_age_seconds", "For how long the last comparison of a target is past.", labels=["target"]
        )
        overdue = GaugeMetricFamily(
            "mdm_target_drift_overdue_seconds",
            "For how long a comparison that a running target declares could have come to its end; 0 while none is due.",
            labels=["target"],
        )
        for one in self._readings:
            if one.age_s is not None:
                age.add_metric([one.target], one.age_s)
            if one.overdue_s is not None:
                overdue.add_metric([one.target], one.overdue_s)
            for finding, count in one.counts.items():
                drift.add_metric([one.target, finding, one.state], count)
        yield from (drift, age, overdue)


@dataclass(frozen=True, slots=True)
class BackfillReading:
    """A backfill that was ordered and has not come to its end: ordered while it waits for a worker, then reading."""

    target: str
    state: str
    age_s: float


class BackfillGauges(Collector):
    """Which backfills are under way, and for how long."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self._readings: Sequence[BackfillReading] = ()

    def tell(self, readings: Sequence[BackfillReading] | None) -> None:
        """Put a new reading in place of the one before, as a whole; None while there is nobody to ask."""
        self._readings = readings or ()

    def collect(self) -> Iterator[Metric]:
        """Give the family with a sample for every backfill that is under way."""
        age = GaugeMetricFamily(
            "mdm_target_backfill_age_seconds",
            "For how long a backfill that was ordered is under way, by state: ordered while no worker has it, reading.",
            labels=["target", "state"],
        )
        for one in self._readings:
            age.add_metric([one.target, one.state], one.age_s)
        yield age


@dataclass(frozen=True, slots=True)
class StateReading:
    """The deals of one state at the moment of a scrape.

    oldest_s  for how long the oldest one is in it; 0 when there is none
    late      those that are in it for longer than the recipe allows; None where no recipe could be read
    """

    state: str
    on_their_way: int
    held_up: int
    oldest_s: float
    late: int | None


@dataclass(frozen=True, slots=True)
class StepReading:
    """Deals at one step, in one state, of one standing: going, waiting, incomplete, failing, failed or taking_back."""

    state: str
    step: str
    standing: str
    count: int


class DealGauges(Collector):
    """How deals stand: by state with their age, and at which step they wait or fail."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self._readings: tuple[Sequence[StateReading], Sequence[StepReading]] | None = None

    def tell(self, readings: tuple[Sequence[StateReading], Sequence[StepReading]] | None) -> None:
        """Put a new reading in place of the one before, as a whole; None while there is nobody to ask."""
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        """Give the families with a sample for every state, and for every step at which a deal stands."""
        deals = GaugeMetricFamily(
            "mdm_deals",
            "Deals in each state, on their way or held up (incomplete, failing, failed, taken back, or waiting for what"
            " a person has to mend).",
            labels=["state", "standing"],
        )
        oldest = GaugeMetricFamily(
            "mdm_deals_oldest_seconds",
            "For how long the oldest deal of each state is in it; 0 when there is none.",
            labels=["state"],
        )
        late = GaugeMetricFamily(
            "mdm_deals_late", "Deals that are in a state for longer than the recipe allows.", labels=["state"]
        )
        at_step = GaugeMetricFamily(
            "mdm_deals_at_step",
            "Deals at each step, and how they stand there: going, waiting, incomplete, failing, failed, taking_back.",
            labels=["state", "step", "standing"],
        )
        states, steps = self._readings or ((), ())
        for one in states:
            deals.add_metric([one.state, "on_its_way"], one.on_their_way)
            deals.add_metric([one.state, "held_up"], one.held_up)
            oldest.add_metric([one.state], one.oldest_s)
            if one.late is not None:
                late.add_metric([one.state], one.late)
        for each in steps:
            at_step.add_metric([each.state, each.step, each.standing], each.count)
        yield from (deals, oldest, late, at_step)


TARGETS: Final = TargetGauges()
REGISTRY.register(TARGETS)
DRIFTS: Final = DriftGauges()
REGISTRY.register(DRIFTS)
BACKFILLS: Final = BackfillGauges()
REGISTRY.register(BACKFILLS)
DEALS: Final = DealGauges()
REGISTRY.register(DEALS)
