"""The hub as a slow, pure model, written from its promises: what a few widgets, decisions and operations must come to.

It knows no tables, locks or plans. Golden ids are taken over from the hub where the promises say that one is minted,
and foretold everywhere else. An operation that would leave a contradiction among the decisions is refused as a whole.
"""

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.properties.hub_facts import PUT, Gid, Key, Merged, Refused, Said, Widget
from tests.properties.test_law_of_clusters import Graph, ordered, parts_of, slow_hold, slow_propose


@dataclass
class Model:
    """Records, decisions and golden ids, and the rules that tie them."""

    policy: str
    widgets: dict[Key, Widget] = field(default_factory=dict)
    withdrawn: dict[Key, Widget | None] = field(default_factory=dict)
    known: dict[Key, int] = field(default_factory=dict)  # newest source time of every key ever seen, deleted ones too
    decisions: list[Said] = field(default_factory=list)
    members: dict[Gid, set[Key]] = field(default_factory=dict)
    acknowledged: set[Gid] = field(default_factory=set)
    confirmed: set[Gid] = field(default_factory=set)
    published: set[tuple[Key, Gid]] = field(default_factory=set)
    states: dict[Gid, tuple[str, Gid | None]] = field(default_factory=dict)
    own: dict[Key, list[Gid]] = field(default_factory=dict)  # first and last golden id
    age: dict[Key, str] = field(default_factory=dict)  # record ids, which sort by age
    overrides: list[tuple[Key, str]] = field(default_factory=list)  # of notes, by the record they hang on, oldest first
    acting: str = "ingest"  # what is being settled
    moved_by: dict[Key, str] = field(default_factory=dict)  # what brought a record into its golden record
    merges: list[Merged] = field(default_factory=list)  # what the last settling absorbed
    homes: dict[Gid, frozenset[Key]] = field(default_factory=dict)  # whose an id is, while an operation is settled
    given: dict[Gid, tuple[bool, bool]] = field(default_factory=dict)  # confirmed, acknowledged: given back with it
    leads: dict[Gid, Gid] = field(default_factory=dict)  # where forwards lead again
    preferred: set[Gid] = field(default_factory=set)  # survive whatever else would decide
    back: frozenset[Key] = frozenset()  # records with which a golden record comes back from retirement
    returned: frozenset[Key] = frozenset()  # the same where it is established
    returning: Gid = ""  # the golden record that does

    def takes(self, key: Key, time: int) -> bool:
        """Tell whether a delivery of this time is news; an older one is stale."""
        return time >= self.known.get(key, time)

    def take(self, key: Key, widget: Widget | None, time: int) -> None:
        """Take news of a record, None for its deletion; a withdrawn one stays withdrawn."""
        self.known[key] = time
        if key in self.withdrawn:
            self.withdrawn[key] = widget
        elif widget is None:
            self.widgets.pop(key, None)
        else:
            self.widgets[key] = widget

    def contradicts(self, left: Key, right: Key, judgement: str) -> bool:
        """Tell whether a decision in person cannot hold beside the active ones."""
        trial = copy.deepcopy(self)
        try:
            trial.decide(left, right, judgement)
        except Refused:
            return True
        return False

    def decide(self, left: Key, right: Key, judgement: str, event: str = "") -> None:
        """Take over a decision in person; it answers `unsure` about the pair. Raises Refused for a contradiction."""
        self._say([(left, right)], judgement, event, is_personal=True)
        self._require_consistent()

    def merge(self, first: Gid, second: Gid, event: str, survivor: Gid | None = None) -> None:
        """Join two golden records."""
        self._tie(self.members[first] | self.members[second], event)
        self._require_consistent()
        self.preferred = {survivor} if survivor else set()

    def judge(self, first: Gid, second: Gid, judgement: str, event: str) -> None:
        """Part two golden records, every pair of members."""
        left, right = self.members[first], self.members[second]
        self._say(list(itertools.product(sorted(left), sorted(right))), judgement, event)
        self._require_consistent()

    def split(self, parts: Sequence[frozenset[Key]], event: str) -> None:
        """Divide anew, and tie each part together."""
        self._divide(parts, event)
        for part in parts:
            self._tie(part, event)
        self._require_consistent()

    def move(self, key: Key, to: Gid, event: str) -> None:
        """Take a record out of its golden record and into another."""
        left = self.members[self.gid_of(key)] - {key}
        if left:
            self._divide([frozenset(left), frozenset({key})], event)
        self._tie(self.members[to] | {key}, event)
        self._require_consistent()
        self.preferred = {to}

    def dissolve(self, gid: Gid, event: str) -> None:
        """Let each record stand alone."""
        self._divide([frozenset({key}) for key in self._by_age(self.members[gid])], event)
        self._require_consistent()

    def take_out(self, key: Key, event: str) -> None:
        """Take one record out for good; also what was decided in person gives way."""
        rest = frozenset(self.members[self.gid_of(key)] - {key})
        self._divide([rest, frozenset({key})], event, may_end=lambda _: True)
        self._require_consistent()

    def confirm(self, gid: Gid, event: str) -> None:
        """Tie the members together, and establish the id."""
        self._tie(self.members[gid], event)
        self._require_consistent()
        self.confirmed.add(gid)

    def retire(self, gid: Gid) -> None:
        """Withdraw the members."""
        for key in self.members[gid]:
            self.withdrawn[key] = self.widgets.pop(key)

    def restore(self, gid: Gid) -> None:
        """Bring back what belonged to an id last, and the id with it; an established one has its records again."""
        back = [key for key in self.withdrawn if self.own[key][-1] == gid]
        if self.states[gid][0] == "retired":
            self.back, self.returning = frozenset(back), gid
            self.returned = self.back if gid in self.confirmed | self.acknowledged else frozenset()
        for key in back:
            widget = self.withdrawn.pop(key)
            if widget is not None:
                self.widgets[key] = widget

    def unmerge(self, merged: Merged, merge_event: str, event: str) -> None:
        """Give back an absorbed golden record and part it for good. Raises Refused when something is in the way."""
        here = self.resolved(merged.survivor)
        if self.states[merged.absorbed][0] != "forwarded":
            raise Refused
        gone = {key for key in merged.leaving if key in self.widgets and self.gid_of(key) != here}
        leaving = merged.leaving - gone
        if any(self.moved_by[key] in PUT for key in gone) or not leaving & self.widgets.keys():
            raise Refused
        now = self.members.get(here, set())
        arrived = now - merged.seen
        staying = frozenset((now | merged.staying) - leaving - arrived)
        personal = [(one.left, one.right) for one in self._links() if one.is_personal and one.event != merge_event]
        along = self._connected(leaving, personal) & arrived
        tied = [(one.left, one.right) for one in self._links() if not one.is_personal and one.event != merge_event]
        put = (self._connected(leaving | staying, tied) & arrived) - along
        arrived, staying = arrived - put, staying | put
        own = [one for one in self.decisions if one.event == merge_event]
        self._divide([staying, leaving | along], event, also=own)
        self._require_consistent()
        rest = frozenset(now - leaving)
        self.homes = {merged.absorbed: leaving, here: (rest - arrived) or rest}
        led_here = {gid for gid, standing in self.states.items() if standing == ("forwarded", here)}
        self.leads = {gid: to for gid, to in merged.forwards.items() if to == merged.absorbed and gid in led_here}
        if here == merged.survivor and merged.rested is not None:
            self.leads[here] = self.resolved(merged.rested)  # where nobody stays with it
        self.given[merged.absorbed] = (merged.absorbed in merged.confirmed, merged.absorbed in merged.acknowledged)
        others = {gid for gid in merged.beside if self.states[gid] == ("forwarded", here)}
        was = tuple(bool((others | {merged.survivor}) & had) for had in (merged.confirmed, merged.acknowledged))
        gained = (was[0] or merged.absorbed in merged.confirmed, was[1] or merged.absorbed in merged.acknowledged)
        if here == merged.survivor and was != gained:
            since = any(gid == here for _, gid in self.published - merged.published)
            self.given[here] = (was[0], was[1] or since)

    def override(self, gid: Gid, note: str) -> None:
        """A steward says what a golden record notes; it hangs on the record whose note it masks."""
        self.clear(gid)
        self.overrides.append((self._speaker(gid), note))

    def clear(self, gid: Gid) -> None:
        """End what stewards said for a golden record."""
        self.overrides = [one for one in self.overrides if one[0] not in self.members[gid]]

    def note_of(self, gid: Gid) -> str:
        """Say what a golden record notes: the latest word of a steward, else of the latest news."""
        said = [note for key, note in self.overrides if key in self.members[gid]]
        return said[-1] if said else self.widgets[self._speaker(gid)].note

    def _speaker(self, gid: Gid) -> Key:
        """Find the member whose note shows: the newest, of equal ones that of the first source, then key."""
        return min(self.members[gid], key=lambda key: (-self.widgets[key].time, key))

    def acknowledge(self, gid: Gid) -> None:
        """A target took a golden record: it is established, and its keys are published."""
        self.acknowledged.add(gid)
        self.published |= {(key, gid) for key in self.members[gid]}

    def gid_of(self, key: Key) -> Gid:
        """Return the golden id of an active record."""
        return next(gid for gid, members in self.members.items() if key in members)

    def resolved(self, gid: Gid) -> Gid:
        """Return what an id leads to."""
        state, to = self.states[gid]
        return to if state == "forwarded" and to is not None else gid

    def _say(self, pairs: Iterable[tuple[Key, Key]], what: str, event: str, *, is_personal: bool = False) -> None:
        for left, right in pairs:
            pair = {left, right}
            if what != "unsure":
                self.decisions = [
                    one for one in self.decisions if one.what != "unsure" or {one.left, one.right} != pair
                ]
            if any({one.left, one.right} == pair and one.what == what for one in self.decisions):
                continue
            self.decisions.append(Said(left, right, what, event, is_personal))

    def _links(self) -> list[Said]:
        return [one for one in self.decisions if one.what == "same"]

    def _by_age(self, keys: Iterable[Key]) -> list[Key]:
        return sorted(keys, key=self.age.__getitem__)

    def _connected(self, keys: Iterable[Key], links: Iterable[tuple[Key, Key]]) -> frozenset[Key]:
        reached, links = set(keys), list(links)
        while near := {b if a in reached else a for a, b in links if (a in reached) != (b in reached)}:
            reached |= near
        return frozenset(reached)

    def _tie(self, keys: Iterable[Key], event: str) -> None:
        inside = set(keys)
        self.decisions = [one for one in self.decisions if one.what != "unsure" or not {one.left, one.right} <= inside]
        self._star(inside, event)

    def _star(self, keys: Iterable[Key], event: str) -> None:
        """Tie what is not tied yet around the oldest of each piece; links of others may join nothing any more."""
        inside = set(keys)
        links = [(one.left, one.right) for one in self._links() if {one.left, one.right} <= inside]
        pieces = {self._connected([key], links) for key in inside}
        first, *others = self._by_age(self._by_age(piece)[0] for piece in pieces)
        self._say([(first, other) for other in others], "same", event)

    def _divide(
        self,
        parts: Sequence[frozenset[Key]],
        event: str,
        *,
        may_end: Callable[[Said], bool] = lambda one: not one.is_personal,
        also: Sequence[Said] = (),
    ) -> None:
        """Draw borders: links of operations that cross end, each side stays tied, every pair across differs."""
        links = [(one.left, one.right) for one in self._links()]
        side = {key: number for number, part in enumerate(parts) for key in part}
        layer = set(side)
        while layer := {b if a in layer else a for a, b in links if (a in layer) != (b in layer)} - side.keys():
            for key in self._by_age(layer):
                near = [b if a == key else a for a, b in links if key in (a, b)]
                side[key] = min(side[one] for one in near if one in side)
        crossing = [one for one in self._links() if side.get(one.left, 0) != side.get(one.right, 0) and may_end(one)]
        ended = [one for one in self._links() if one in crossing or one in also]
        self.decisions = [one for one in self.decisions if one not in ended]
        is_redrawn, leaning = any(one not in also for one in ended), self._leaning_on(ended)
        for component in {self._connected([key], links) for pair in links for key in pair}:
            for number in sorted({side.get(key, 0) for key in component}):
                together = {key for key in component if side.get(key, 0) == number}
                if is_redrawn or together & leaning:
                    self._star(together, event)
        pairs = [pair for one, other in itertools.combinations(parts, 2) for pair in itertools.product(one, other)]
        self._say(sorted(pairs), "different", event)

    def _leaning_on(self, ended: Sequence[Said]) -> set[Key]:
        """Find what later operations tied: they named one record for all that these links tied to it."""
        first = min((one.event for one in ended), default=None)
        later = [one for one in self._links() if first is not None and one.event > first and not one.is_personal]
        return {key for one in later for key in (one.left, one.right)}

    def _require_consistent(self) -> None:
        links = [(one.left, one.right) for one in self._links()]
        if any(one.right in self._connected([one.left], links) for one in self.decisions if one.what != "same"):
            raise Refused

    def partition(self) -> set[frozenset[Key]]:
        """Work out P from nothing but the records, the decisions and what is established."""
        graph, names = self._graph()
        clusters = slow_propose(graph)
        bound = [
            frozenset(names.index(key) for key in alive)
            for gid, members in sorted(self.members.items())
            for part, (is_confirmed, is_acknowledged) in self._parts(gid, members)
            if (is_confirmed or is_acknowledged) and self.policy == "hold" and (alive := part & self.widgets.keys())
        ]
        if self.returned & self.widgets.keys() and self.policy == "hold":
            bound.append(frozenset(names.index(key) for key in self.returned & self.widgets.keys()))
        chains = [pair for group in bound for pair in itertools.pairwise(sorted(group))]
        established = frozenset().union(*bound)
        joined = [part & established for part in parts_of(len(names), [*graph.musts, *chains]) if part & established]
        bound = [part for group in joined for part in _parted(group, clusters, graph)]
        held = slow_hold(_with_established(graph, bound), clusters)
        return {frozenset(names[position] for position in group) for group in held}

    def settle(self, observed: Mapping[Key, Gid], ages: Mapping[Key, str]) -> None:
        """Bring golden ids to what the partition asks; asserts on any difference from what the hub shows."""
        before = copy.deepcopy(self)
        groups = self.partition()
        self.age.update(ages)
        shown: dict[Gid, set[Key]] = {}
        for key, gid in observed.items():
            shown.setdefault(gid, set()).add(key)
        assert {frozenset(members) for members in shown.values()} == groups, f"hub {shown}, model {groups}"
        heirs, foretold = self._heirs(groups), self.foretell(groups)
        members: dict[Gid, set[Key]] = {}
        absorbed: list[tuple[Gid, Gid]] = []
        for group in groups:
            actual = observed[min(group)]
            if foretold[group] is None:
                assert actual not in self.states, f"{actual} was used before"
            else:
                assert actual == foretold[group], f"{sorted(group)} should be {foretold[group]}, is {actual}"
            members[actual] = set(group)
            claimed = [gid for gid, heir in heirs.items() if heir == group]
            for flagged, had in ((self.acknowledged, before.acknowledged), (self.confirmed, before.confirmed)):
                came = {gid for gid in had if before.members.get(gid, set()) & group}
                if came or (self.returned & group and self.returning in had):
                    flagged.add(actual)
            if actual in self.given:
                self._flag(actual, *self.given[actual])
            absorbed += [(gid, actual) for gid in claimed if gid != actual]
        self._rest(members, absorbed)
        for gid, kept in members.items():
            self.states[gid] = ("active", None)
            for key in kept:
                if key not in before.members.get(gid, ()):
                    self.moved_by[key] = self.acting
                first, *_ = self.own.get(key, [gid])
                self.own[key] = [first, gid]
        self.members = members
        into = {gid: to for gid, to in sorted(absorbed) if gid in before.members}
        self.merges = [
            before.merged_into(gid, to, frozenset(self.own), frozenset(one for one in into if into[one] == to) - {gid})
            for gid, to in into.items()
        ]
        self.homes, self.given, self.leads, self.preferred, self.acting = {}, {}, {}, set(), "ingest"
        self.back = self.returned = frozenset()

    def merged_into(self, absorbed: Gid, survivor: Gid, seen: frozenset[Key], beside: frozenset[Gid]) -> Merged:
        """Note what stands before one golden record is absorbed by another."""
        return Merged(
            absorbed,
            survivor,
            frozenset(self.members[absorbed]),
            frozenset(self.members.get(survivor, ())),
            seen,
            frozenset(self.acknowledged),
            frozenset(self.confirmed),
            frozenset(self.published),
            {gid: to for gid, (_, to) in self.states.items() if to == absorbed},
            beside,
            self.states.get(survivor, ("", None))[1],
        )

    def foretell(self, groups: Iterable[frozenset[Key]]) -> dict[frozenset[Key], Gid | None]:
        """Say which golden id each group must have, None where one is minted."""
        groups = list(groups)
        heirs = self._heirs(groups)
        foretold: dict[frozenset[Key], Gid | None] = {}
        for group in sorted(groups, key=lambda group: min(self.age[key] for key in group)):
            claimed = sorted((gid for gid, heir in heirs.items() if heir == group), key=self._right_to_survive)
            own = {gid for key in group for gid in self.own.get(key, ())} - set(foretold.values()) - heirs.keys()
            homes = sorted((gid for gid in own if self.states[gid][0] != "active"), key=self._right_to_survive)
            foretold[group] = next(iter(claimed or homes), None)
        return foretold

    def _right_to_survive(self, gid: Gid) -> tuple[bool, bool, Gid]:
        return (gid not in self.preferred, gid not in self.confirmed, gid)

    def _flag(self, gid: Gid, is_confirmed: bool, is_acknowledged: bool) -> None:
        for flagged, is_set in ((self.confirmed, is_confirmed), (self.acknowledged, is_acknowledged)):
            (flagged.add if is_set else flagged.discard)(gid)

    def _rest(self, members: Mapping[Gid, set[Key]], absorbed: Iterable[tuple[Gid, Gid]]) -> None:
        """Lay ids without members to rest: forwarded to what absorbed them, else retired."""
        for gid, to in absorbed:
            self._forward(gid, to)
        for gid, (state, _) in list(self.states.items()):
            if gid in self.leads and gid not in members:
                self.states[gid] = ("forwarded", self.leads[gid])
            elif state == "active" and gid not in members:
                self.states[gid] = ("retired", None)

    def _parts(self, gid: Gid, members: set[Key]) -> list[tuple[set[Key], tuple[bool, bool]]]:
        """Part a golden record as an operation gives ids back, each part with what established it."""
        back = [(home, members & keys) for home, keys in self.homes.items() if home != gid]
        staying = members.difference(*(part for _, part in back))
        own = (gid in self.confirmed, gid in self.acknowledged)
        return [(part, self.given.get(id_, own)) for id_, part in ((gid, staying), *back) if part]

    def _heirs(self, groups: Iterable[frozenset[Key]]) -> dict[Gid, frozenset[Key]]:
        groups = list(groups)
        heirs = self._wished(groups)
        held = {**self.members, self.returning: set(self.back)} if self.back else self.members
        for gid, had in held.items():
            offers = []
            for group in groups:
                kept = had & group
                if kept:
                    published = sum((key, gid) in self.published for key in kept if gid in self.members)
                    meets = any(others & group for other, others in held.items() if other != gid)
                    offers.append((-published, -len(kept), meets, min(self.age[key] for key in kept), group))
            if offers and gid not in self.homes:
                staying = [offer for offer in offers if not self._goes_home(gid, had & offer[-1])]
                heirs[gid] = min(staying or offers, key=lambda offer: offer[:-1])[-1]
        return heirs

    def _wished(self, groups: Iterable[frozenset[Key]]) -> dict[Gid, frozenset[Key]]:
        """Give ids to those whose they are by an operation; one that rests stays where its records stayed too."""
        found = {}
        for gid, keys in self.homes.items():
            offers = [
                (-len(kept), min(map(self.age.__getitem__, kept)), group) for group in groups if (kept := keys & group)
            ]
            if offers:
                found[gid] = min(offers, key=lambda offer: offer[:2])[2]
        return {
            gid: group
            for gid, group in found.items()
            if self.states[gid][0] == "active" or found.get(self.resolved(gid)) != group
        }

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
        musts = tuple(ordered(place[a], place[b]) for a, b, what, *_ in alive if what == "same")
        units = {record: unit for unit in parts_of(len(names), musts) for record in unit}
        foes = frozenset(
            ordered(one, other)
            for a, b, what, *_ in alive
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
