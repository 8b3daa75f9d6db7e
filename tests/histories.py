"""What clients saw of golden records that many write at once, and whether a serial order explains it: like Elle.

Each write tells which golden versions it made of which, and which records it moved; each read tells version and members
of some golden records in one snapshot. Versions order the writes of a golden record, so that all dependencies are
known: who wrote before whom, who read what whom wrote, who read before whom wrote, and who was done before whom began.
A cycle among them, a gap or a fork among versions, and members that the writes do not explain are anomalies.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import networkx as nx


@dataclass(frozen=True, slots=True)
class Write:
    """One write that was acknowledged: from when to when, and what it did.

    versions  golden id → the version it found (0: none), and the last one it made
    moves     record, the golden record it left and the one it came to
    """

    name: str
    begun: float
    ended: float
    versions: Mapping[str, tuple[int, int]]
    moves: Sequence[tuple[str, str | None, str | None]] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """One snapshot: golden id → its version and members."""

    name: str
    begun: float
    ended: float
    seen: Mapping[str, tuple[int, frozenset[str]]]


Seen = Mapping[str, tuple[int, frozenset[str]]]


def anomalies(writes: Sequence[Write], reads: Sequence[Read], start: Seen) -> list[str]:
    """List what no serial order explains, beginning with what golden records were at the start; empty is right."""
    found: list[str] = []
    graph: nx.DiGraph[object] = nx.DiGraph()
    made_by: dict[tuple[str, int], str] = {}
    followed_by: dict[tuple[str, int], str] = {}
    members = {(golden_id, version): held for golden_id, (version, held) in start.items()}
    for golden_id, line in _lines(writes).items():
        version, held = start.get(golden_id, (0, frozenset()))
        for write in line:
            before, after = write.versions[golden_id]
            if before != version:
                found.append(f"{write.name} made {golden_id} {after} of {before}, while {version} was the last")
            if (golden_id, before) in made_by:
                graph.add_edge(made_by[golden_id, before], write.name)
            followed_by[golden_id, before] = made_by[golden_id, after] = write.name
            came = {record for record, _, to in write.moves if to == golden_id}
            left = {record for record, of, _ in write.moves if of == golden_id}
            version, held = after, (held - left) | came
            members[golden_id, version] = held
    for read in reads:
        for golden_id, (version, seen) in read.seen.items():
            if (golden_id, version) not in members:
                found.append(f"{read.name} saw {golden_id} {version}, which nobody made")
            elif (known := members[golden_id, version]) != seen:
                found.append(f"{read.name} saw {golden_id} {version} with {sorted(seen)}, not {sorted(known)}")
            if (golden_id, version) in made_by:
                graph.add_edge(made_by[golden_id, version], read.name)
            if (golden_id, version) in followed_by:
                graph.add_edge(read.name, followed_by[golden_id, version])
    _add_time(graph, [*writes, *reads])
    if not nx.is_directed_acyclic_graph(graph):
        circle = sorted({step for edge in nx.find_cycle(graph) for step in edge if isinstance(step, str)})
        found.append(f"no serial order of {', '.join(circle)}")
    return found


def _lines(writes: Sequence[Write]) -> dict[str, list[Write]]:
    """Give the writes of each golden record in the order of the versions they made."""
    lines: dict[str, list[tuple[int, Write]]] = {}
    for write in writes:
        for golden_id, (_, after) in write.versions.items():
            lines.setdefault(golden_id, []).append((after, write))
    return {golden_id: [write for _, write in sorted(line, key=itemgetter(0))] for golden_id, line in lines.items()}


def _add_time(graph: "nx.DiGraph[object]", acts: Iterable[Write | Read]) -> None:
    """Add who was done before whom began, through a chain of instants in place of an edge for each pair."""
    instants = sorted([(act.begun, 1, act.name) for act in acts] + [(act.ended, 0, act.name) for act in acts])
    for place, (_, is_begin, name) in enumerate(instants):
        if place:
            graph.add_edge(place - 1, place)
        if is_begin:
            graph.add_edge(place, name)
        else:
            graph.add_edge(name, place)
