"""Golden records as identities, and the plan: the one value that every change of identity is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from mdm.ids import EventId, GoldenId, RecordId

GoldenState = Literal["active", "forwarded", "retired"]
CauseKind = Literal[
    "ingest",
    "deferred",
    "decay",
    "decision",
    "revocation",
    "merge",
    "unmerge",
    "split",
    "move",
    "dissolve",
    "confirm",
    "retire",
    "restore",
    "undo",
    "override",
    "source_event",
    "rules",
]


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """A golden id with its state; the values live in its versions."""

    id: GoldenId
    entity_type: str
    state: GoldenState
    forward_to: GoldenId | None
    version: int
    is_confirmed: bool = False
    is_acknowledged: bool = False

    @property
    def is_established(self) -> bool:
        """Tell whether its members stay unless somebody decides otherwise."""
        return self.standing.is_established

    @property
    def standing(self) -> "Standing":
        """Return the part of it that a plan may change."""
        return Standing(self.state, self.forward_to, self.is_confirmed, self.is_acknowledged)


@dataclass(frozen=True, slots=True)
class Member:
    """A source record as identity sees it.

    golden_id         where it belongs now; None for one that is new or deleted
    own_golden_ids    ids it may come home to: the first it was given, and the last it had
    is_published      a target acknowledged its key under golden_id
    """

    record_id: RecordId
    golden_id: GoldenId | None
    own_golden_ids: frozenset[GoldenId]
    is_published: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What an id resolves to (itself, another, or nothing any more), and whether its members are established."""

    state: GoldenState
    forward_to: GoldenId | None = None
    is_confirmed: bool = False
    is_acknowledged: bool = False

    @property
    def is_established(self) -> bool:
        """Tell whether its members stay unless somebody decides otherwise."""
        return self.is_confirmed or self.is_acknowledged

    def as_document(self) -> Mapping[str, Any]:
        """Return it as plain JSON values."""
        return {
            "state": self.state,
            "forward_to": self.forward_to,
            "is_confirmed": self.is_confirmed,
            "is_acknowledged": self.is_acknowledged,
        }


@dataclass(frozen=True, slots=True)
class Move:
    """One record changes its golden record; None before means that it had none."""

    record_id: RecordId
    before: GoldenId | None
    after: GoldenId | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One golden id changes its standing; None before means that it is minted."""

    golden_id: GoldenId
    before: Standing | None
    after: Standing


@dataclass(frozen=True, slots=True)
class Cause:
    """Why identity or values change: the kind of act, and what a reader of the history wants to know of it.

    event_id   the id that the event gets, chosen beforehand so that facts can name it; it is then written in any case
    root_id    the event that this one follows from, as projects follow their clients
    undoes_id  the event that this one takes back
    """

    kind: CauseKind
    reason: str = ""
    event_id: EventId | None = None
    root_id: EventId | None = None
    undoes_id: EventId | None = None

    def following(self, event_id: EventId) -> "Cause":
        """Return the cause of what follows from an event of this cause."""
        return Cause(self.kind, self.reason, root_id=self.root_id or event_id, undoes_id=self.undoes_id)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an operation asks of the planner besides the groups; the path of an arriving record asks for nothing.

    survivors  golden ids that survive, whatever else would decide
    confirmed  golden ids of which a steward says that they are right
    homes      whose a golden id is: it goes to the group with most of these records, whatever else would decide
    forwards   where an id that comes to rest in none of the groups led before, and leads again; None: it was retired
    standings  whether an id was confirmed and acknowledged before, and is again
    rests      how an id rested before, should it come to rest again
    leaving    records that no golden record holds where they are now, however established it is
    rejoined   the records that an established golden record held before it was divided, and holds again
    returned   the records with which a retired golden record comes back, whose its id is; an established one keeps them
    """

    survivors: frozenset[GoldenId] = frozenset()
    confirmed: frozenset[GoldenId] = frozenset()
    homes: Mapping[GoldenId, frozenset[RecordId]] = field(default_factory=dict)
    forwards: Mapping[GoldenId, GoldenId | None] = field(default_factory=dict)
    standings: Mapping[GoldenId, "Standing"] = field(default_factory=dict)
    rests: Mapping[GoldenId, "Standing"] = field(default_factory=dict)
    returned: Mapping[GoldenId, frozenset[RecordId]] = field(default_factory=dict)
    leaving: frozenset[RecordId] = frozenset()
    rejoined: Mapping[GoldenId, frozenset[RecordId]] = field(default_factory=dict)


NO_WISHES: Final = Wishes()


@dataclass(frozen=True, slots=True)
class IdentityPlan:
    """A change of identity, complete: nothing is left to choose when it is carried out.

    moves      records that change their golden record
    turns      golden ids that change their standing, minted ones included
    refreshed  golden records whose members stay but whose values may change
    """

    entity_type: str
    moves: tuple[Move, ...] = ()
    turns: tuple[Turn, ...] = ()
    refreshed: tuple[GoldenId, ...] = ()

    @property
    def changes_identity(self) -> bool:
        """Tell whether any record or id ends up elsewhere."""
        return bool(self.moves or self.turns)

    @property
    def minted(self) -> tuple[GoldenId, ...]:
        """Return the golden ids that this plan makes."""
        return tuple(turn.golden_id for turn in self.turns if turn.before is None)

    @property
    def touched(self) -> tuple[GoldenId, ...]:
        """Return every golden id whose version may rise, sorted."""
        ids = {turn.golden_id for turn in self.turns} | set(self.refreshed)
        ids |= {id_ for move in self.moves for id_ in (move.before, move.after) if id_ is not None}
        return tuple(sorted(ids))

    def inverse(self) -> "IdentityPlan":
        """Return the plan that takes this one back; a minted id is retired, since ids are never unmade."""
        return replace(
            self,
            moves=tuple(Move(move.record_id, move.after, move.before) for move in self.moves),
            turns=tuple(Turn(turn.golden_id, turn.after, turn.before or Standing("retired")) for turn in self.turns),
            refreshed=self.touched,
        )

    def as_document(self) -> Mapping[str, Any]:
        """Return the plan as plain JSON values: ids and states, no values of records."""
        # Written out: `asdict` copies every value deeply, which cost an eighth of a merge (November 2026).
        return {
            "entity_type": self.entity_type,
            "moves": [{"record_id": move.record_id, "before": move.before, "after": move.after} for move in self.moves],
            "turns": [
                {
                    "golden_id": turn.golden_id,
                    "before": turn.before.as_document() if turn.before is not None else None,
                    "after": turn.after.as_document(),
                }
                for turn in self.turns
            ],
            "refreshed": list(self.refreshed),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "IdentityPlan":
        """Read a plan from what `as_document` wrote."""
        return cls(
            document["entity_type"],
            tuple(
                Move(RecordId(move["record_id"]), _maybe_golden_id(move["before"]), _maybe_golden_id(move["after"]))
                for move in document["moves"]
            ),
            tuple(
                Turn(
                    GoldenId(turn["golden_id"]),
                    _standing(turn["before"]) if turn["before"] is not None else None,
                    _standing(turn["after"]),
                )
                for turn in document["turns"]
            ),
            tuple(map(GoldenId, document["refreshed"])),
        )


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """A change of identity that was carried out: the plan, why, when and in whose name."""

    id: EventId
    cause: Cause
    plan: IdentityPlan
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class CrosswalkEntry:
    """One source key of a golden record.

    ended   why the source uses the key no more; None while it does
    """

    source: str
    object: str
    scope: str
    native_id: str
    source_key: str
    entity_type: str
    golden_id: GoldenId
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class CrosswalkPair:
    """Two source keys of one golden record in two source instances."""

    entity_type: str
    golden_id: GoldenId
    from_key: str
    to_key: str


@dataclass(frozen=True, slots=True)
class MembershipSpan:
    """A source key belonged to a golden record from one instant until another (None: still)."""

    source_key: str
    golden_id: GoldenId
    recorded_from: datetime
    recorded_to: datetime | None
    event_id: str


def _maybe_golden_id(text: str | None) -> GoldenId | None:
    return GoldenId(text) if text is not None else None


def _standing(document: Mapping[str, Any]) -> Standing:
    return Standing(
        document["state"],
        _maybe_golden_id(document["forward_to"]),
        document["is_confirmed"],
        document["is_acknowledged"],
    )
