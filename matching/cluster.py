"""The law of clusters: from edges, must-links and conflicts to a partition of the records.

`propose` gives C, the partition that facts, decisions and model ask for. `hold` gives P, in which established golden
records keep their members and free records follow C around them, with the open proposals that stand between P and C. A
conflict is a relation between two records; what parts chains only is what two groups know. Every tie ends at the source
keys, so that no order of arrival can change the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, TypedDict, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.online import Signatures

_MANY: Final = 10_000
"""Keys from which Arrow sorts them sooner than Python (November 2026)."""

Chained: TypeAlias = Mapping[int, frozenset[str]]
"""What a record, or a group, knows of features that part along chains: scope → values."""

NO_PAIRS: NDArray[np.int32] = np.empty((0, 2), dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Hold pairs whose verdict is match: left < right int32 [edges], bits float64 [edges]."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    bits: NDArray[np.float64]


class Limits(TypedDict, total=False):
    """Name what binds a partition besides edges; each may be left out.

    musts, conflicts  int32 [pairs, 2], positions in the keys: decided the same; decided different or unsure
    signatures        the records' strong identifiers, None = there are no vetoes
    """

    musts: NDArray[np.int32]
    conflicts: NDArray[np.int32]
    signatures: Signatures | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Propose to join held groups that C has as one, or to split one that C has as several.

    members  the C-cluster of a join, the held group of a split
    parts    the held groups that meet the cluster, or the group's parts by C; ordered by their smallest source key
    """

    kind: Literal["join", "split"]
    members: frozenset[int]
    parts: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Hold P: the groups, established ones first in the order given, and what is open between P and C."""

    groups: tuple[frozenset[int], ...]
    proposals: tuple[Proposal, ...]


def propose(keys: Sequence[str], edges: Edges, **limits: Unpack[Limits]) -> NDArray[np.int32]:
    """Return C as labels: int32 [records], the position of the cluster's member with the smallest key.

    Must-links are contracted first, then edges join strongest first, ties by the two keys in order; a join is refused
    when any pair across the two sides is in conflict, or when a veto along chains parts the sides and one record of the
    edge does not know what parts them.
    """
    return propose_counting(keys, edges, **limits)[0]


def propose_counting(
    keys: Sequence[str], edges: Edges, **limits: Unpack[Limits]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return C as `propose` does, and the positions of the edges that a conflict refused, strongest first."""
    rank = _ranks(keys)
    musts = limits.get("musts", NO_PAIRS)
    parts = components(len(keys), np.concatenate((edges.left, musts[:, 0])), np.concatenate((edges.right, musts[:, 1])))
    labels = _smallest(parts, rank)
    contested = _contested(parts, limits)
    if not contested.any():
        return labels, np.empty(0, dtype=np.int64)
    chosen = np.flatnonzero(contested)
    few = _only(limits, chosen)
    local = np.cumsum(contested) - 1
    groups = _Groups(len(chosen), rank[chosen].tolist(), _Conflicts(few))
    for left, right in few.get("musts", NO_PAIRS).tolist():
        groups.join(left, right)
    order = _strongest_first(edges, rank, np.flatnonzero(contested[edges.left]))
    asked = zip(order.tolist(), local[edges.left[order]].tolist(), local[edges.right[order]].tolist(), strict=True)
    refused = [edge for edge, left, right in asked if not groups.join_unless_conflict(left, right)]
    labels[chosen] = chosen[groups.labels()]
    return labels, np.array(refused, dtype=np.int64)


def _only(limits: Limits, chosen: NDArray[np.int64]) -> Limits:
    """Return what binds some records, who are numbered anew in their order; whole components only."""
    found: Limits = {"musts": _renumbered(limits.get("musts", NO_PAIRS), chosen)}
    found["conflicts"] = _renumbered(limits.get("conflicts", NO_PAIRS), chosen)
    signatures = limits.get("signatures")
    if signatures is not None:
        counts = np.diff(signatures.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        places = np.repeat(signatures.offsets[chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        found["signatures"] = Signatures(
            offsets,
            signatures.scopes[places],
            signatures.sets[places],
            signatures.contents,
            signatures.chained_from,
        )
    return found


def _renumbered(pairs: NDArray[np.int32], chosen: NDArray[np.int64]) -> NDArray[np.int32]:
    kept = pairs[np.isin(pairs, chosen).all(axis=1)]
    return np.searchsorted(chosen, kept).astype(np.int32)


def components(size: int, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.int64]:
    """Name each record's connected component by its smallest member: int64 [records]."""
    names = np.arange(size, dtype=np.int64)
    while True:
        least = np.minimum(names[left], names[right])
        before = names.copy()
        np.minimum.at(names, left, least)
        np.minimum.at(names, right, least)
        np.minimum.at(names, before[left], least)
        np.minimum.at(names, before[right], least)
        names = names[names]
        if (names == before).all():
            return names


def _smallest(parts: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the position of the smallest-key member of each record's component: int32 [records]."""
    in_order = np.argsort(rank)
    first = np.full(len(parts), -1, dtype=np.int32)
    first[parts[in_order[::-1]]] = in_order[::-1]  # the last to be written is the smallest
    return first[parts]


def _contested(parts: NDArray[np.int64], limits: Limits) -> NDArray[np.bool_]:
    """Tell which records stand in a component where anything may keep two of them apart: bool [records]."""
    is_contested = np.zeros(len(parts), dtype=bool)
    conflicts = limits.get("conflicts", NO_PAIRS)
    is_contested[parts[conflicts[:, 0]]] = True
    signatures = limits.get("signatures")
    if signatures is not None and len(signatures.sets):
        owners = parts[np.repeat(np.arange(len(parts)), np.diff(signatures.offsets))]
        scopes_count = int(signatures.scopes.max()) + 1
        slots = owners * scopes_count + signatures.scopes
        order = np.argsort(slots)
        slots, sets = slots[order], signatures.sets[order]
        begins = np.flatnonzero(np.concatenate(([True], slots[1:] != slots[:-1])))
        differ = np.minimum.reduceat(sets, begins) != np.maximum.reduceat(sets, begins)
        is_contested[slots[begins[differ]] // scopes_count] = True
    return is_contested[parts]


def hold(
    keys: Sequence[str],
    edges: Edges,
    proposed: NDArray[np.int32],
    established: Sequence[frozenset[int]],
    **limits: Unpack[Limits],
) -> Held:
    """Return P and its open proposals for the partition C given as labels.

    Free records attach, in the order of their keys and must-linked ones together, to the strongest established group
    with members in their cluster that none of them conflicts with, ties to the group with the smallest key; those left
    over in a cluster form one group.
    """
    rank = _ranks(keys).tolist()
    around = _Around(
        rank=rank,
        strength=_strength(edges),
        conflicts=_Conflicts(limits),
        owner={record: group for group, members in enumerate(established) for record in members},
        groups=[set(members) for members in established],
        anchors=[min((rank[record] for record in members), default=-1) for members in established],
    )
    clusters = _members_by_label(proposed, rank)
    units = _units(limits.get("musts", NO_PAIRS), len(keys), rank)
    loose = [left for cluster in clusters if (left := around.attach(cluster, units))]
    groups = tuple(frozenset(members) for members in (*around.groups, *loose))
    return Held(groups, _proposals(groups, clusters, proposed, rank))


@dataclass(slots=True)
class _Around:
    """Attach free records to the established groups, cluster by cluster."""

    rank: list[int]
    strength: dict[int, dict[int, float]]
    conflicts: "_Conflicts"
    owner: dict[int, int]
    groups: list[set[int]]
    anchors: list[int]

    def attach(self, cluster: list[int], units: dict[int, list[int]]) -> set[int]:
        """Attach what fits, and return the records of the cluster that are left over."""
        inside = sorted(
            {self.owner[record] for record in cluster if record in self.owner}, key=self.anchors.__getitem__
        )
        left: set[int] = set()
        placed: set[int] = set()
        for record in cluster:
            if record in self.owner or record in placed:
                continue
            unit = units.get(record, [record])
            free = [member for member in unit if member not in self.owner]
            placed.update(free)
            bound = {self.owner[member] for member in unit if member in self.owner}
            target = min(bound, key=self.anchors.__getitem__) if bound else self._strongest(free, inside)
            (left if target is None else self.groups[target]).update(free)
        return left

    def _strongest(self, unit: list[int], inside: list[int]) -> int | None:
        fits = [group for group in inside if not self._conflicts_with(unit, self.groups[group])]
        return max(fits, key=lambda group: self._pull(unit, self.groups[group]), default=None)

    def _conflicts_with(self, unit: list[int], members: set[int]) -> bool:
        if any(self.conflicts.meets(record, members) for record in unit):
            return True
        chained = self.conflicts.chained
        if not chained:
            return False
        ours, theirs = (_together(chained, side) for side in (unit, members))
        edges = [(one, other) for one in unit for other in self.strength.get(one, {}) if other in members]
        return bool(_parting(ours, theirs)) and not any(self.conflicts.weighs(*edge, ours, theirs) for edge in edges)

    def _pull(self, unit: list[int], members: set[int]) -> float:
        edges = (self.strength.get(record, {}) for record in unit)
        return max((bits for near in edges for other, bits in near.items() if other in members), default=float("-inf"))


class _Conflicts:
    """Answer whether two records, or any pair across two groups, are in conflict."""

    def __init__(self, limits: Limits) -> None:
        signatures = limits.get("signatures")
        self.foes: dict[int, set[int]] = {}
        for left, right in limits.get("conflicts", NO_PAIRS).tolist():
            self.foes.setdefault(left, set()).add(right)
            self.foes.setdefault(right, set()).add(left)
        self.contents: tuple[frozenset[str], ...] = () if signatures is None else signatures.contents
        self.sets: dict[int, dict[int, set[int]]] = {}
        self.chained: dict[int, dict[int, frozenset[str]]] = {}
        if signatures is not None:
            owners = np.repeat(np.arange(len(signatures.offsets) - 1), np.diff(signatures.offsets))
            rows = zip(owners.tolist(), signatures.scopes.tolist(), signatures.sets.tolist(), strict=True)
            for record, scope, content in rows:
                if scope < signatures.chained_from:
                    self.sets.setdefault(record, {})[scope] = {content}
                else:
                    self.chained.setdefault(record, {})[scope] = self.contents[content]

    def meets(self, record: int, members: set[int]) -> bool:
        """Tell whether a record is in conflict with any of the members."""
        if not self.foes.get(record, set()).isdisjoint(members):
            return True
        mine = self.sets.get(record)
        return mine is not None and any(
            self.apart(mine, self.sets[member]) for member in members if member in self.sets
        )

    def weighs(self, left: int, right: int, ours: Chained, theirs: Chained) -> bool:
        """Tell whether two records that match know themselves all that parts their sides along chains."""
        first, second = self.chained.get(left, {}), self.chained.get(right, {})
        return all(scope in first and scope in second for scope in _parting(ours, theirs))

    def apart(self, first: dict[int, set[int]], second: dict[int, set[int]]) -> bool:
        """Tell whether two sides hold, in one scope, two value sets that share nothing."""
        for scope in first.keys() & second.keys():
            ours, theirs = first[scope], second[scope]
            if len(ours) == 1 and ours == theirs:
                continue
            if any(a != b and self.contents[a].isdisjoint(self.contents[b]) for a in ours for b in theirs):
                return True
        return False


@dataclass(slots=True)
class _Groups:
    """Join records into groups (union by size, path halving; Tarjan 1975) that know what they must not be joined to."""

    size: int
    rank: list[int]
    conflicts: _Conflicts
    parent: list[int] = field(init=False)
    members: dict[int, list[int]] = field(default_factory=dict)
    foes: dict[int, set[int]] = field(init=False)
    sets: dict[int, dict[int, set[int]]] = field(init=False)
    chained: dict[int, Chained] = field(init=False)

    def __post_init__(self) -> None:
        self.parent = list(range(self.size))
        self.foes = {record: set(foes) for record, foes in self.conflicts.foes.items()}
        self.sets = {record: dict(scopes) for record, scopes in self.conflicts.sets.items()}
        self.chained = dict(self.conflicts.chained)

    def root(self, record: int) -> int:
        """Find the record that stands for a group."""
        parent = self.parent
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    def join(self, left: int, right: int) -> None:
        """Join the groups of two records, whatever stands between them."""
        first, second = self.root(left), self.root(right)
        if first != second:
            self._union(first, second)

    def join_unless_conflict(self, left: int, right: int) -> bool:
        """Join the groups of two records, or return False when any pair across is in conflict."""
        first, second = self.root(left), self.root(right)
        if first == second:
            return True
        foes = self.foes.get(first)
        if foes and second in self.foes and not foes.isdisjoint(self.members.get(second, (second,))):
            return False
        ours, theirs = self.sets.get(first), self.sets.get(second)
        if ours is not None and theirs is not None and self.conflicts.apart(ours, theirs):
            return False
        if self.chained and first in self.chained and second in self.chained:
            one, other = self.chained[first], self.chained[second]
            if not self.conflicts.weighs(left, right, one, other):
                return False
        self._union(first, second)
        return True

    def _union(self, first: int, second: int) -> None:
        ours, theirs = self.members.pop(first, None) or [first], self.members.pop(second, None) or [second]
        if len(ours) < len(theirs):
            first, second, ours, theirs = second, first, theirs, ours
        self.parent[second] = first
        ours.extend(theirs)
        self.members[first] = ours
        if second in self.foes:
            self.foes.setdefault(first, set()).update(self.foes.pop(second))
        for scope, contents in self.sets.pop(second, {}).items():
            scopes = self.sets.setdefault(first, {})
            scopes[scope] = scopes[scope] | contents if scope in scopes else contents
        if second in self.chained:
            self.chained[first] = _together(self.chained, (first, second))

    def labels(self) -> NDArray[np.int32]:
        """Return the position of the smallest-key member of each record's group: int32 [records]."""
        labels = np.arange(self.size, dtype=np.int32)
        for members in self.members.values():
            labels[members] = min(members, key=self.rank.__getitem__)
        return labels


def _together(chained: Mapping[int, Chained], records: Iterable[int]) -> Chained:
    """Gather what some records, or groups, know along chains."""
    found: dict[int, frozenset[str]] = {}
    for record in records:
        for scope, values in chained.get(record, {}).items():
            found[scope] = found[scope] | values if scope in found else values
    return found


def _parting(first: Chained, second: Chained) -> list[int]:
    """Return the scopes in which two sides know values along chains and share none."""
    return [scope for scope in first.keys() & second.keys() if first[scope].isdisjoint(second[scope])]


def _ranks(keys: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each record in the order of keys: int64 [records]."""
    rank = np.empty(len(keys), dtype=np.int64)
    if len(keys) > _MANY:  # Arrow orders UTF-8 by bytes, which is Python's order of code points
        order = pc.sort_indices(pa.array(keys, pa.large_string())).to_numpy()
    else:
        order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    rank[order] = np.arange(len(keys))
    return rank


def _strongest_first(edges: Edges, rank: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    left, right = rank[edges.left[chosen]], rank[edges.right[chosen]]
    return chosen[np.lexsort((np.maximum(left, right), np.minimum(left, right), -edges.bits[chosen]))]


def _strength(edges: Edges) -> dict[int, dict[int, float]]:
    strength: dict[int, dict[int, float]] = {}
    for left, right, bits in zip(edges.left.tolist(), edges.right.tolist(), edges.bits.tolist(), strict=True):
        strength.setdefault(left, {})[right] = bits
        strength.setdefault(right, {})[left] = bits
    return strength


def _members_by_label(labels: NDArray[np.int32], rank: list[int]) -> list[list[int]]:
    """Return the clusters ordered by their smallest key, members in the order of keys."""
    members: dict[int, list[int]] = {}
    for record in sorted(range(len(labels)), key=rank.__getitem__):
        members.setdefault(int(labels[record]), []).append(record)
    return list(members.values())


def _units(musts: NDArray[np.int32], size: int, rank: list[int]) -> dict[int, list[int]]:
    """Return, for each must-linked record, all that must stay with it."""
    linked = _Groups(size, rank, _Conflicts({}))
    for left, right in musts.tolist():
        linked.join(left, right)
    return {record: members for members in linked.members.values() for record in members}


def _proposals(
    groups: Sequence[frozenset[int]],
    clusters: Iterable[list[int]],
    proposed: NDArray[np.int32],
    rank: list[int],
) -> tuple[Proposal, ...]:
    owner = {record: position for position, members in enumerate(groups) for record in members}

    def smallest(members: Iterable[int]) -> int:
        return min(rank[record] for record in members)

    joins = []
    for cluster in clusters:
        met = {owner[record] for record in cluster}
        if len(met) > 1:
            joins.append(
                Proposal("join", frozenset(cluster), tuple(sorted((groups[group] for group in met), key=smallest)))
            )
    splits = []
    for members in sorted((members for members in groups if members), key=smallest):
        parts: dict[int, set[int]] = {}
        for record in members:
            parts.setdefault(int(proposed[record]), set()).add(record)
        if len(parts) > 1:
            splits.append(Proposal("split", members, tuple(sorted(map(frozenset, parts.values()), key=smallest))))
    return (*joins, *splits)
