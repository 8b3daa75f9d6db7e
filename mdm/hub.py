"""The hub as one value, and one transaction's hands on it.

`Hub` is what a process opens once: the pool of connections, the declared entity types, the settings. `Work` is what the
path needs inside one transaction. `carry` runs work in a transaction and repeats it when other writers were in the way.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar, cast

from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from mdm import clock
from mdm.db.engine import open_engine
from mdm.db.transaction import plan_once, run
from mdm.decisions.review_model import ReviewChange
from mdm.entities import rules_store
from mdm.entities.live import LiveTypes
from mdm.entities.model import EntityType
from mdm.entities.service import entity_types
from mdm.errors import EntityTypeUnknown, RulesMoved, TouchedSetGrew
from mdm.identity.model import NO_WISHES, IdentityPlan, Wishes
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId
from mdm.publishing.service import publish_reviews
from mdm.resolution.model import Bounds
from mdm.settings import Settings
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.options import check_options
from mdm.telemetry import IDENTITY_CHANGES, REVIEWS

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Bracket(Generic[Result]):
    """What a caller wants done in the transactions of a use case: the way a reply is kept together with its effect.

    before  runs first in each transaction that writes; what it raises leaves nothing of that transaction
    after   runs with the result in the last transaction, before it commits
    """

    before: Callable[[Connection], None] = lambda _: None
    after: Callable[[Connection, Result], None] = lambda _, __: None

    def around(self, connection: Connection, act: Callable[[], Result]) -> Result:
        """Do the whole of a use case between `before` and `after`."""
        self.before(connection)
        result = act()
        self.after(connection, result)
        return result


UNBRACKETED: Final[Bracket[Any]] = Bracket()


@dataclass(slots=True)
class InstancesSeen:
    """Source instances with their systems, and when they were looked at last, by the process's own clock."""

    systems: dict[str, str] = field(default_factory=dict)
    at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Hub:
    """What a process opens once and shares among its threads.

    declared        the entity types as they hold: declarations with the rules activated since, see mdm.entities.live
    instances_seen  the source instances that were seen registered; none is ever removed
    """

    engine: Engine
    declared: Mapping[str, EntityType]
    settings: Settings
    instances_seen: InstancesSeen = field(default_factory=InstancesSeen, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Let the declarations follow what is activated."""
        if not isinstance(self.declared, LiveTypes):
            object.__setattr__(self, "declared", LiveTypes(self.declared))

    @property
    def rules(self) -> LiveTypes:
        """Give the entity types as they hold, and what lies over their declarations."""
        assert isinstance(self.declared, LiveTypes), "made so when the hub was opened"
        return self.declared

    @property
    def bounds(self) -> Bounds:
        """Return how far one transaction may reach."""
        settings = self.settings
        return Bounds(settings.locks_max, settings.block_size_emergency, settings.component_records_max)

    def entity_type(self, name: str) -> EntityType:
        """Return a declared entity type; raises EntityTypeUnknown that names those which exist."""
        if name not in self.declared:
            raise EntityTypeUnknown(name, remedy=f"declared are {', '.join(sorted(self.declared))}")
        return self.declared[name]


@dataclass(slots=True)
class Fence:
    """The rules that a transaction works by, as the number of their activation, and whether they are held."""

    number: int
    is_held: bool = False

    def check(self, found: int) -> None:
        """Take note of the rules in force; raises RulesMoved when they are others, or about to be."""
        if found != self.number:
            raise RulesMoved
        self.is_held = True


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction's hands: its connection, what is declared, how far it may reach, and in whose name.

    wishes  what the operation at hand asks of golden ids
    queued  how many messages wait for each target by what was done
    regrouped  golden records between which records moved so far
    counts  counters that go up by one when the transaction is committed
    fence   None where nothing is written
    """

    connection: Connection
    declared: Mapping[str, EntityType]
    bounds: Bounds
    locks: GoldenLocks
    who: str
    wishes: Wishes = NO_WISHES
    carried_out: list[IdentityPlan] = field(default_factory=list)
    written: list[GoldenVersion] = field(default_factory=list)
    queued: Tally[str] = field(default_factory=Tally)
    counts: list[Counter] = field(default_factory=list)
    regrouped: set[GoldenId] = field(default_factory=set)
    fence: Fence | None = None

    def recording_instant(self, connection: Connection) -> datetime:
        """Take the instant of recording, and hold the rules by which this transaction works; raises RulesMoved."""
        if self.fence is None or self.fence.is_held:
            return clock.recording_instant(connection)
        instant, number = rules_store.recording_instant(connection)
        self.fence.check(number)
        return instant

    def hold_rules(self) -> None:
        """Hold the rules by which this transaction works, unless it does already; raises RulesMoved."""
        if self.fence is not None and not self.fence.is_held:
            self.fence.check(rules_store.rules_in_force(self.connection))

    def note(self, plan: IdentityPlan) -> None:
        """Note a plan that was carried out: what it minted is this transaction's own, and it is counted at the end."""
        self.locks.adopt(plan.minted)
        self.carried_out.append(plan)
        for move in plan.moves:
            if move.before and move.after and move.before != move.after:
                self.regrouped.update((move.before, move.after))

    def tell_reviews(self, changes: Sequence[ReviewChange]) -> None:
        """Tell the change feed of turns of reviews; those opened and closed are counted at the end."""
        publish_reviews(self.connection, changes, who=self.who)
        for change in changes:
            if change.kind != "review.decided":
                word = "reopened" if change.details.get("reopened") else change.kind.removeprefix("review.")
                self.counts.append(REVIEWS.labels(change.entity_type, change.details["kind"], word))


@contextmanager
def open_hub(settings: Settings, url: str) -> Iterator[Hub]:
    """Open the hub on a migrated database for the length of a `with` block."""
    declared = entity_types(settings.entities)
    for entity_type in declared.values():
        check_options(entity_type)
    engine = open_engine(url, settings.pool_size)
    try:
        hub = Hub(engine, declared, settings)
        hub.rules.watch(engine)
        yield hub
    finally:
        engine.dispose()


class _Rehearsed(Exception):
    """Carries the result of a rehearsal past the rollback."""

    def __init__(self, result: Any) -> None:
        """Keep the result."""
        super().__init__()
        self.result = result


def carry(hub: Hub, act: Callable[[Work], Result], *, who: str, bracket: Bracket[Result] = UNBRACKETED) -> Result:
    """Do one act in one transaction, again from the start when it touches more than it had locked.

    It also begins again when rules were activated since it began: what is committed was worked out by those in force.
    """

    def attempt(work: Work) -> tuple[Result, Work]:
        result = bracket.around(work.connection, lambda: act(work))
        work.hold_rules()
        return result, work

    result, work = run(hub.engine, _repeatable(hub, attempt, who))
    for plan in work.carried_out:
        _count(plan)
    for counter in work.counts:
        counter.inc()
    return result


def rehearse(hub: Hub, act: Callable[[Work], Result], *, who: str) -> Result:
    """Do one act as `carry` would, take nothing of it over, and return what it would have returned."""

    def attempt(work: Work) -> Result:
        raise _Rehearsed(act(work))

    try:
        return run(hub.engine, _repeatable(hub, attempt, who))
    except _Rehearsed as rehearsed:
        return cast("Result", rehearsed.result)


def _repeatable(hub: Hub, attempt: Callable[[Work], Result], who: str) -> Callable[[Connection], Result]:
    """Give each attempt hands of its own, with the locks that the one before found it needs."""
    prefixes = [entity_type.id_prefix for entity_type in hub.declared.values()]
    wanted: frozenset[str] = frozenset()
    has_moved = False

    def on(connection: Connection) -> Result:
        nonlocal wanted, has_moved
        plan_once(connection)
        rules = hub.rules.refresh(connection) if has_moved else hub.rules.now()
        locks = GoldenLocks(prefixes, wanted)
        try:
            return attempt(Work(connection, rules.types, hub.bounds, locks, who, fence=Fence(rules.number)))
        except TouchedSetGrew as grew:
            wanted |= grew.golden_ids
            raise
        except RulesMoved:
            has_moved = True
            raise

    return on


def _count(plan: IdentityPlan) -> None:
    for turn in plan.turns:
        if turn.before is None:
            IDENTITY_CHANGES.labels(plan.entity_type, "created").inc()
        elif turn.before.state != turn.after.state:
            kind = {"forwarded": "merged", "retired": "retired", "active": "restored"}[turn.after.state]
            IDENTITY_CHANGES.labels(plan.entity_type, kind).inc()
