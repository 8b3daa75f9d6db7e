"""The hash chain of the audit log, and what a break in it means. Pure.

A leaf is the hash of an entry as written, a link the hash of the link before and the leaf. Since both are stored, an
altered entry shows at its own position and the chain goes on behind it; a break between two links tells that something
was taken out, put in or moved. Naming a break is a best effort, finding it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from mdm.history.model import Fault, Place

GENESIS: Final = sha256(b"mdm audit log").digest()
# Chosen: of more breaks the first tell enough, and naming one looks at all others.
BREAKS_MAX: Final = 100


def leaf_of(written: bytes) -> bytes:
    """Hash an entry as written."""
    return sha256(written).digest()


def link(before: bytes, leaf: bytes) -> bytes:
    """Hash the link before and the leaf of an entry: its own link."""
    return sha256(before + leaf).digest()


def chained(head: bytes, size: int, entries: Iterable[tuple[int, bytes]]) -> list[Place]:
    """Chain entries (id, as written) onto a log of this head and size."""
    places = []
    for entry_id, written in entries:
        leaf = leaf_of(written)
        head = link(head, leaf)
        size += 1
        places.append(Place(size, entry_id, leaf, head, written))
    return places


@dataclass(frozen=True, slots=True)
class Break:
    """A link that does not follow from the link before it; `earlier` is the one before that."""

    place: Place
    before: bytes
    earlier: bytes


class Walk:
    """Follow the chain from its beginning, keep the hashes at the wanted positions, collect what does not verify."""

    def __init__(self, wanted: Iterable[int] = ()) -> None:
        """Begin before position 1."""
        self.size = 0
        self.head = GENESIS
        self.hashes: dict[int, bytes] = {}
        self._wanted = frozenset(wanted)
        self._earlier = GENESIS
        self._faults: list[Fault] = []
        self._breaks: list[Break] = []
        self._strayed: list[tuple[Place, bytes]] = []
        self._cut = 0

    def follow(self, places: Iterable[Place]) -> None:
        """Take the links in the order of their positions."""
        for place in places:
            if place.written is not None and sha256(place.written).digest() != place.leaf:
                self._strayed.append((place, leaf_of(place.written)))
            if place.written is None:
                told = f"entry {place.entry_id} is gone, its seal is still there"
                self._note(Fault("deleted", f"position {place.position}", told))
            if place.position != self.size + 1:
                self._note(_gap(self.size + 1, place.position - 1))
            elif sha256(self.head + place.leaf).digest() != place.hash:
                self._note_break(Break(place, self.head, self._earlier))
            self._earlier, self.head, self.size = self.head, place.hash, place.position
            if place.position in self._wanted:
                self.hashes[place.position] = place.hash

    def faults(self) -> tuple[Fault, ...]:
        """Name what was found, in the order of positions within each kind."""
        found = [*self._faults, *_name_strayed(self._strayed), *_name_breaks(self._breaks)]
        if self._cut:
            found.append(Fault("edited", "further on", f"{self._cut:,} more breaks of the chain are not listed"))
        return tuple(found)

    def _note(self, fault: Fault) -> None:
        if len(self._faults) < BREAKS_MAX:
            self._faults.append(fault)
        else:
            self._cut += 1

    def _note_break(self, broken: Break) -> None:
        if len(self._breaks) < BREAKS_MAX:
            self._breaks.append(broken)
        else:
            self._cut += 1


def _gap(first: int, last: int) -> Fault:
    where = f"position {first}" if first == last else f"positions {first} to {last}"
    return Fault("deleted", where, "the seals are gone")


def _name_strayed(strayed: list[tuple[Place, bytes]]) -> list[Fault]:
    """Tell entries that were changed from entries that were exchanged."""
    sealed = {place.leaf: place.position for place, _ in strayed}
    found = []
    for place, leaf in strayed[:BREAKS_MAX]:
        where = f"position {place.position}"
        if leaf in sealed:
            told = f"entry {place.entry_id} was sealed at position {sealed[leaf]}"
            found.append(Fault("reordered", where, told))
        else:
            found.append(Fault("edited", where, f"entry {place.entry_id} is not what was sealed"))
    return found


def _name_breaks(breaks: list[Break]) -> list[Fault]:
    hashes = {hash_ for broken in breaks for hash_ in (broken.before, broken.earlier, broken.place.hash)}
    moved = {broken.place.position for broken in breaks if _follows_another(broken, hashes)}
    by_position = {broken.place.position: broken for broken in breaks}
    found: dict[int, Fault] = {}
    mended: set[int] = set()  # positions whose break another fault explains
    for position, broken in by_position.items():
        where = f"position {position}"
        following = by_position.get(position + 1)
        if position in mended:
            continue
        if link(broken.earlier, broken.place.leaf) == broken.place.hash and position - 1 not in moved:
            before = f"position {position - 1}"
            found[position - 1] = Fault("inserted", before, "the chain goes on as if this entry were not there")
        elif position in moved:
            found[position] = Fault("reordered", where, f"entry {broken.place.entry_id} was sealed behind another one")
        elif following and _is_altered_seal(broken, following):
            mended.add(position + 1)
            found[position] = Fault("edited", where, "the seal is not what follows from the entries up to it")
        else:
            told = "entries before it were taken out, or it was changed together with its seal"
            found[position] = Fault("deleted", f"before {where}", told)
    return list(found.values())


def _follows_another(broken: Break, hashes: set[bytes]) -> bool:
    """Tell whether a link is sound, but behind another link than the one it stands behind."""
    others = hashes - {broken.before, broken.place.hash}
    return any(link(other, broken.place.leaf) == broken.place.hash for other in others)


def _is_altered_seal(broken: Break, following: Break) -> bool:
    """Tell whether the chain goes on behind a link as if the link were what it should be."""
    return link(link(broken.before, broken.place.leaf), following.place.leaf) == following.place.hash
