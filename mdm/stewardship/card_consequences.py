"""What follows from a merge, as a review card tells it: who hears of it, and what stands against it.

Part of the card's value (`card_model.py`); pure. Texts and words stand in it as they do there.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from mdm.ids import GoldenId

RiskKind = Literal[
    "identifiers_clash",
    "identifiers_of_two_scopes",
    "decided_apart",
    "cannot_link_nearby",
    "both_established",
    "contradiction",
]


@dataclass(frozen=True, slots=True)
class RecordEffect:
    """What a system would be told anew of one of its records.

    changes  attributes whose golden value becomes another; `new_id` where the golden id does
    """

    source_key: str
    golden_id: GoldenId
    new_id: GoldenId | None
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemEffect:
    """What one source instance would be told anew; attributes not named stay as they are."""

    source: str
    title: str
    records: tuple[RecordEffect, ...]
    left_out: int
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetEffect:
    """A target that would be told of the golden records; `with_children`: of those that point at them too."""

    target_id: str
    kind: str
    with_children: bool


@dataclass(frozen=True, slots=True)
class Effects:
    """What follows from a merge: the id that stays, and what each system, target and child is told."""

    survivor_id: GoldenId
    absorbed_id: GoldenId
    systems: tuple[SystemEffect, ...]
    targets: tuple[TargetEffect, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a merge cannot be carried out, in the words of the error that it would raise; `chain` is the proof."""

    code: str
    message: str
    remedy: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoiceFault:
    """Why a choice cannot be taken; the others are."""

    attribute: str
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A reason why a merge is dangerous.

    attribute  that holds the strong identifiers, with what each column holds
    chain      decisions that part records, in the order of the proof
    count      open children of both columns
    """

    kind: RiskKind
    attribute: str = ""
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    count: int = 0

    @property
    def mark(self) -> str:
        """Name this very risk in few letters, for whoever confirms to have seen it; another one has another mark."""
        told = repr((self.attribute, self.left, self.right, self.chain, self.count))
        return f"{self.kind}.{sha256(told.encode()).hexdigest()[:12]}"
