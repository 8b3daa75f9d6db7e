"""The hub as a slow, pure model, written from its promises: what a few widgets and decisions must come to.

It knows no tables, locks or plans. Golden ids are taken over from the hub where the promises say that one is minted,
and foretold everywhere else.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.properties.test_law_of_clusters import Graph, ordered, parts_of, slow_hold, slow_propose

Key = str
Gid = str


@dataclass(frozen=True)
class Widget:
    """What a source says of one record."""

    codes: frozenset[str]
    name: str
    batch: str
    note: str
    time: int


@dataclass
class Model:
    """Records, decisions and golden ids, and the rules that tie them."""

    policy: str
    widgets: dict[Key, Widget] = field(default_factory=dict)
    known: dict[Key, int] = field(default_factory=dict)  # newest source time of every key ever seen, deleted ones too
    decisions: list[tuple[Key, Key, str]] = field(default_factory=list)
    members: dict[Gid, set[Key]] = field(default_factory=dict)
    acknowledged: set[Gid] = field(default_factory=set)
    published: set[Key] = field(default_factory=set)
    states: dict[Gid, tuple[str, Gid | None]] = field(default_factory=dict)
    own: dict[Key, list[Gid]] = field(default_factory=dict)  # first and last golden id
    age: dict[Key, str] = field(default_factory=dict)  # record ids, which sort by age

    def takes(self, key: Key, time: int) -> bool:
        """Tell whether a delivery of this time is news; an older one is stale."""
        return time >= self.known.get(key, time)

    def contradicts(self, left: Key, right: Key, judgement: str) -> bool:
        """Tell whether a decision cannot hold beside the active ones."""
        others = [one for one in self.decisions if not (one[2] == "unsure" and {one[0], one[1]} == {left, right})]
        names = sorted({name for one in others for name in one[:2]} | {left, right})
        place = {name: position for position, name in enumerate(names)}
        groups = parts_of(len(names), [(place[a], place[b]) for a, b, what in others if what == "same"])
        ours, theirs = (next(group for group in groups if place[side] in group) for side in (left, right))
        if judgement != "same":
            return ours == theirs
        return any(
            what != "same"
            and {place[a], place[b]} & ours
            and {place[a], place[b]} & theirs
            and {place[a], place[b]} <= ours | theirs
            and not ({place[a], place[b]} <= ours or {place[a], place[b]} <= theirs)
            for a, b, what in others
        )

    def decide(self, left: Key, right: Key, judgement: str) -> None:
        """Take over a decision that does not contradict; it answers `unsure` about the same pair."""
        pair = {left, right}
        if any({a, b} == pair and what == judgement for a, b, what in self.decisions):
            return
        self.decisions = [one for one in self.decisions if not (one[2] == "unsure" and {one[0], one[1]} == pair)]
        self.decisions.append((left, right, judgement))

    def acknowledge(self, gid: Gid) -> None:
        """A target took a golden record: it is established, and its keys are published."""
        self.acknowledged.add(gid)
        self.published |= self.members[gid]

    def gid_of(self, key: Key) -> Gid:
        """Return the golden id of an active record."""
        return next(gid for gid, members in self.members.items() if key in members)

    def partition(self) -> set[frozenset[Key]]:
        """Work out P from nothing but the records, the decisions and what is established."""
        graph, names = self._graph()
        clusters = slow_propose(graph)
        bound = [
            frozenset(names.index(key) for key in alive)
            for gid, members in sorted(self.members.items())
            if gid in self.acknowledged and self.policy == "hold" and (alive := members & self.widgets.keys())
        ]
        chains = [pair for group in bound for pair in itertools.pairwise(sorted(group))]
        established = frozenset().union(*bound)
        joined = [part & established for part in parts_of(len(names), [*graph.musts, *chains]) if part & established]
        bound = [part for group in joined for part in _parted(group, clusters, graph)]
        held = slow_hold(_with_established(graph, bound), clusters)
        return {frozenset(names[position] for position in group) for group in held}

    def settle(self, observed: Mapping[Key, Gid], ages: Mapping[Key, str]) -> None:
        """Bring golden ids to what the partition asks; asserts on any difference from what the hub shows."""
        groups = self.partition()
        self.age.update(ages)
        shown: dict[Gid, set[Key]] = {}
        for key, gid in observed.items():
            shown.setdefault(gid, set()).add(key)
        assert {frozenset(members) for members in shown.values()} == groups, f"hub {shown}, model {groups}"
        heirs, foretold = self._heirs(groups), self.foretell(groups)
        established = [self.members[gid] for gid in self.acknowledged & self.members.keys()]
        members: dict[Gid, set[Key]] = {}
        for group in groups:
            actual = observed[min(group)]
            if foretold[group] is None:
                assert actual not in self.states, f"{actual} was used before"
            else:
                assert actual == foretold[group], f"{sorted(group)} should be {foretold[group]}, is {actual}"
            members[actual] = set(group)
            claimed = [gid for gid, heir in heirs.items() if heir == group]
            if any(had & group for had in established):
                self.acknowledged.add(actual)
            for gid in claimed:
                if gid != actual:
                    self._forward(gid, actual)
        for gid, (state, _) in list(self.states.items()):
            if state == "active" and gid not in members:
                self.states[gid] = ("retired", None)
        for gid, kept in members.items():
            self.states[gid] = ("active", None)
            for key in kept:
                if key not in self.members.get(gid, ()):
                    self.published.discard(key)
                first, *_ = self.own.get(key, [gid])
                self.own[key] = [first, gid]
        self.members = members

    def foretell(self, groups: Iterable[frozenset[Key]]) -> dict[frozenset[Key], Gid | None]:
        """Say which golden id each group must have, None where one is minted."""
        groups = list(groups)
        heirs = self._heirs(groups)
        foretold: dict[frozenset[Key], Gid | None] = {}
        for group in sorted(groups, key=lambda group: min(self.age[key] for key in group)):
            claimed = sorted(gid for gid, heir in heirs.items() if heir == group)
            own = {gid for key in group for gid in self.own.get(key, ())} - set(foretold.values())
            homes = sorted(gid for gid in own if self.states[gid][0] != "active")
            foretold[group] = next(iter(claimed or homes), None)
        return foretold

    def _heirs(self, groups: Iterable[frozenset[Key]]) -> dict[Gid, frozenset[Key]]:
        heirs = {}
        for gid, had in self.members.items():
            offers = []
            for group in groups:
                kept = had & group
                if kept:
                    offers.append((-len(kept & self.published), -len(kept), min(self.age[key] for key in kept), group))
            if offers:
                staying = [offer for offer in offers if not self._goes_home(gid, had & offer[3])]
                heirs[gid] = min(staying or offers, key=lambda offer: offer[:3])[3]
        return heirs

    def _goes_home(self, gid: Gid, kept: Iterable[Key]) -> bool:
        """Tell whether every one of these members of a golden record had another id before, which rests now."""
        return all(any(self.states[id_][0] != "active" for id_ in self.own[key] if id_ != gid) for key in kept)

    def _forward(self, gid: Gid, to: Gid) -> None:
        self.states[gid] = ("forwarded", to)
        for other, (state, target) in self.states.items():
            if state == "forwarded" and target == gid:
                self.states[other] = ("forwarded", to)

    def _graph(self) -> tuple[Graph, list[Key]]:
        names = sorted(self.widgets)
        place = {name: position for position, name in enumerate(names)}
        edges = {}
        for left, right in itertools.combinations(names, 2):
            ours, theirs = self.widgets[left], self.widgets[right]
            bits = 10.0 * bool(ours.codes & theirs.codes) + 4.0 * (ours.name == theirs.name)
            if bits >= 8:
                edges[place[left], place[right]] = bits
        alive = [one for one in self.decisions if one[0] in place and one[1] in place]
        musts = tuple(ordered(place[a], place[b]) for a, b, what in alive if what == "same")
        units = {record: unit for unit in parts_of(len(names), musts) for record in unit}
        foes = frozenset(
            ordered(one, other)
            for a, b, what in alive
            if what != "same"
            for one, other in itertools.product(units[place[a]], units[place[b]])
        )
        numbers = tuple(
            {"duns": frozenset([self.widgets[name].batch])} if self.widgets[name].batch else {} for name in names
        )
        return Graph(tuple(names), edges, musts, foes, numbers, ()), names


def _parted(group: frozenset[int], clusters: Iterable[frozenset[int]], graph: Graph) -> Sequence[frozenset[int]]:
    if not any(set(pair) <= group for pair in graph.foes):
        return [group]
    return [group & cluster for cluster in clusters if group & cluster]


def _with_established(graph: Graph, bound: Iterable[frozenset[int]]) -> Graph:
    return Graph(graph.keys, graph.edges, graph.musts, graph.foes, graph.numbers, tuple(bound))
