"""The operations on one golden record as the page offers them: their words, what has to be chosen, the operation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from api.console.views.vocabulary import N_
from mdm.ids import EventId, GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.model import (
    Confirm,
    Dissolve,
    Effect,
    Merge,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeRecord,
)

PARTS: Final = ("1", "2", "3", "4")  # chosen: more parts at once are several divisions, one after the other


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen so far, from the address or the form of the page.

    other     the golden record to merge with, or to move to
    survivor  whose id stays; "" leaves it to the rule
    key       the record to move or to take out
    parts     source key → number of the part it goes to
    question  by what the other golden record is looked for
    """

    other: str = ""
    survivor: str = ""
    key: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    question: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """An operation as the page offers it.

    title, hint, button   what it is called, what it means, what the button says
    needs                 what has to be chosen: other, key, parts
    is_grave              asks twice
    make                  gives the operation, or None while something is not chosen yet
    """

    name: str
    title: str
    hint: str
    button: str
    needs: tuple[str, ...]
    make: Callable[[GoldenId, Choices], Operation | None]
    is_grave: bool = False


def _merge(golden_id: GoldenId, chosen: Choices) -> Operation | None:
    survivor = GoldenId(chosen.survivor) if chosen.survivor else None
    return Merge(golden_id, GoldenId(chosen.other), survivor) if chosen.other else None


def _split(golden_id: GoldenId, chosen: Choices) -> Operation | None:
    groups: dict[str, set[SourceKey]] = {}
    for key, part in chosen.parts.items():
        groups.setdefault(part, set()).add(SourceKey.parse(key))
    if len(groups) < 2:
        return None
    return Split(golden_id, tuple(frozenset(groups[part]) for part in sorted(groups)))


def _move(golden_id: GoldenId, chosen: Choices) -> Operation | None:
    if not chosen.key or not chosen.other:
        return None
    return Move(SourceKey.parse(chosen.key), GoldenId(chosen.other), golden_id)


def _take_out(golden_id: GoldenId, chosen: Choices) -> Operation | None:
    return UnmergeRecord(SourceKey.parse(chosen.key), golden_id) if chosen.key else None


OFFERS: Final[Mapping[str, Offer]] = MappingProxyType(
    {
        offer.name: offer
        for offer in (
            Offer(
                "merge",
                N_("Merge with another record"),
                N_("The two become one. The number that goes keeps leading to the one that stays, for ever."),
                N_("Merge"),
                ("other",),
                _merge,
            ),
            Offer(
                "split",
                N_("Divide into parts"),
                N_("Each part becomes a record of its own, and later data cannot join them again."),
                N_("Divide"),
                ("parts",),
                _split,
            ),
            Offer(
                "move",
                N_("Move a record elsewhere"),
                N_("One source record leaves, and belongs to another record from now on."),
                N_("Move"),
                ("key", "other"),
                _move,
            ),
            Offer(
                "take-out",
                N_("Take one record out"),
                N_("One source record leaves for good; it gets back the number that it had before, or a new one."),
                N_("Take it out"),
                ("key",),
                _take_out,
            ),
            Offer(
                "dissolve",
                N_("Let every record stand alone"),
                N_("Nothing of it stays together; later data cannot join these records again."),
                N_("Take it apart"),
                (),
                lambda golden_id, _: Dissolve(golden_id),
                is_grave=True,
            ),
            Offer(
                "confirm",
                N_("Confirm that it is right"),
                N_("Its records stay together, whatever data arrive, and its number stays after a merge."),
                N_("Confirm"),
                (),
                lambda golden_id, _: Confirm(golden_id),
            ),
            Offer(
                "retire",
                N_("End this record"),
                N_("It tells of nothing real. Its source records are kept and updated, and belong to nothing."),
                N_("End it"),
                (),
                lambda golden_id, _: Retire(golden_id),
                is_grave=True,
            ),
            Offer(
                "restore",
                N_("Bring it back"),
                N_("It returns with its number, and with the source records that it had."),
                N_("Bring it back"),
                (),
                lambda golden_id, _: Restore(golden_id),
            ),
        )
    }
)

UNDO: Final = Offer(
    "undo",
    N_("Undo"),
    N_("As if it had not been done. Nothing keeps later data from doing it again."),
    N_("Undo it"),
    (),
    lambda *_: None,
)
UNMERGE: Final = Offer(
    "unmerge",
    N_("Unmerge"),
    N_("What was merged returns with its own number, and later data cannot join the two again."),
    N_("Unmerge"),
    (),
    lambda *_: None,
)


def taking_back(how: str, event_id: EventId, returning: str) -> tuple[Offer, Operation]:
    """Give the operation that takes an event back: undone as if it had not been, or unmerged for good."""
    if how == "unmerge":
        return UNMERGE, Unmerge(event_id, GoldenId(returning) if returning else None)
    return UNDO, Undo(event_id)


def goes_on_at(golden_id: GoldenId, effect: Effect) -> GoldenId:
    """Name the golden record to look at afterwards: this one, or the one it leads to now."""
    for one in effect.goldens:
        if one.after.golden_id == golden_id and one.after.forward_to is not None:
            return one.after.forward_to
    return golden_id


def lanes_of(keys: Sequence[str], chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """Place source keys in the part that is chosen for each, the first part where none is."""
    lanes: dict[str, list[str]] = {part: [] for part in PARTS[: max(2, min(len(keys), len(PARTS)))]}
    for key in keys:
        part = chosen.get(key, PARTS[0])
        lanes[part if part in lanes else PARTS[0]].append(key)
    return lanes
