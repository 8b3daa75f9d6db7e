"""Give each group of records its golden id: pure, the same on every path.

A part all of whose records came from elsewhere goes home: it takes back an id of its own that rests. Among the other
parts a golden id goes where most of its published keys go, then most of its members, then to a part that meets no other
golden record, which would have an id in any case, then where its oldest record goes. A group that inherits several
keeps the confirmed one, else the oldest, else the lowest; the others forward to it. A group that inherits none and has
no id of its own mints. An id that nobody inherits is retired. One that comes back from retirement is inherited like an
active one, but for that no key of it counts as published: targets were told that it rests. An operation's wishes go
first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mdm.identity.model import NO_WISHES, GoldenRecord, GoldenState, IdentityPlan, Member, Move, Standing, Turn, Wishes
from mdm.ids import GoldenId, RecordId

Group = frozenset[RecordId]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the planner looks at.

    members  every record of the touched part, deleted ones too: those are in no group
    goldens  every golden record that a member has or had, and every id that forwards to one of these
    wishes   what the operation at hand asks of ids
    """

    entity_type: str
    members: Mapping[RecordId, Member]
    goldens: Mapping[GoldenId, GoldenRecord]
    wishes: Wishes = NO_WISHES


def plan_identity(
    situation: Situation, groups: Sequence[Group], *, mint: Callable[[], GoldenId], refreshed: Sequence[GoldenId] = ()
) -> IdentityPlan:
    """Plan how the touched part comes from what it is to `groups`, which hold each active member once."""
    ordered = sorted(groups, key=min)
    claims = _claims(situation, ordered)
    survivors = _survivors(situation, ordered, claims, mint)
    golden_by_record = {record_id: survivors[group] for group in ordered for record_id in group}
    turns = _turns(situation, ordered, claims, survivors)
    moves = tuple(
        Move(record_id, member.golden_id, after)
        for record_id, member in sorted(situation.members.items())
        if member.golden_id != (after := golden_by_record.get(record_id))
    )
    stays = {turn.golden_id for turn in turns if turn.after.state != "active"}
    return IdentityPlan(situation.entity_type, moves, turns, tuple(sorted(set(refreshed) - stays)))


def parts_by_wish(golden: GoldenRecord, members: Group, wishes: Wishes) -> tuple[tuple[Group, Standing], ...]:
    """Part the members of a golden record as an operation gives ids back, each part with the standing of its id."""
    returning = [(id_, members & records) for id_, records in sorted(wishes.homes.items()) if id_ != golden.id]
    staying = members.difference(*(part for _, part in returning))
    return tuple(
        (part, wishes.standings.get(id_, golden.standing)) for id_, part in ((golden.id, staying), *returning) if part
    )


def rejoined(parts: Sequence[tuple[GoldenId, Group]], wishes: Wishes) -> list[Group]:
    """Give back to each established golden record what it held before an operation divided it, out of all parts.

    Records that leave are held by none of the parts that they are in.
    """
    found = [(id_, part - wishes.leaving) for id_, part in parts]
    for golden_id, records in sorted(wishes.rejoined.items()):
        found = [(id_, part - records) for id_, part in found]
        own = frozenset().union(*(part for id_, part in found if id_ == golden_id))
        found = [(id_, part) for id_, part in found if id_ != golden_id] + [(golden_id, own | records)]
    return [part for _, part in found]


def parts_returned(situation: Situation) -> Mapping[GoldenId, Group]:
    """Return the records of each established golden record that an operation brings back from retirement."""
    goldens = situation.goldens
    back = _records_back(situation)
    return {golden_id: records for golden_id, records in back.items() if goldens[golden_id].is_established}


def survival_order(golden: GoldenRecord) -> tuple[bool, GoldenId]:
    """Order golden records by their right to survive: confirmed first, then oldest; ids sort by their minting."""
    return (not golden.is_confirmed, golden.id)


def _claims(situation: Situation, groups: Sequence[Group]) -> dict[Group, list[GoldenRecord]]:
    """Find for each golden id that is active, or comes back from retirement, the one group that inherits it."""
    shares: dict[GoldenId, list[tuple[int, int, bool, RecordId, Group]]] = {}
    held = _held(situation)
    for group in groups:
        by_golden: dict[GoldenId, list[RecordId]] = {}
        for record_id in group:
            if (golden_id := held.get(record_id)) is not None:
                by_golden.setdefault(golden_id, []).append(record_id)
        for golden_id, kept in by_golden.items():
            published = sum(situation.members[record_id].is_published for record_id in kept)
            shares.setdefault(golden_id, []).append((-published, -len(kept), len(by_golden) > 1, min(kept), group))
    claims: dict[Group, list[GoldenRecord]] = {group: [] for group in groups}
    for golden_id, group in _wished(situation, groups).items():
        claims[group].append(situation.goldens[golden_id])
    for golden_id, offers in shares.items():
        if golden_id in situation.wishes.homes:
            continue
        staying = [
            offer
            for offer in offers
            if not _goes_home(situation, golden_id, [id_ for id_ in offer[-1] if held.get(id_) == golden_id])
        ]
        claims[min(staying or offers, key=lambda offer: offer[:-1])[-1]].append(situation.goldens[golden_id])
    return claims


def _held(situation: Situation) -> dict[RecordId, GoldenId]:
    """Return the golden record that each record belongs to, or comes back with."""
    held = {id_: member.golden_id for id_, member in situation.members.items() if member.golden_id is not None}
    return held | {id_: golden_id for golden_id, records in _records_back(situation).items() for id_ in records}


def _records_back(situation: Situation) -> Mapping[GoldenId, Group]:
    """Return the records with which an operation brings golden records back from retirement."""
    goldens = situation.goldens
    return {
        golden_id: frozenset(
            id_ for id_ in records if id_ in situation.members and situation.members[id_].golden_id is None
        )
        for golden_id, records in sorted(situation.wishes.returned.items())
        if golden_id in goldens and goldens[golden_id].state == "retired"
    }


def _wished(situation: Situation, groups: Sequence[Group]) -> dict[GoldenId, Group]:
    """Find the group that holds most of the records whose a golden id is by wish.

    One that rests comes back only if its records have left the golden record that it leads to.
    """
    found: dict[GoldenId, Group] = {}
    for golden_id, records in situation.wishes.homes.items():
        offers = [(-len(kept), min(kept), group) for group in groups if (kept := group & records)]
        if offers and golden_id in situation.goldens:
            found[golden_id] = min(offers, key=lambda offer: offer[:2])[2]
    return {
        golden_id: group
        for golden_id, group in found.items()
        if (led_to := situation.goldens[golden_id].forward_to) is None or found.get(led_to) != group
    }


def _goes_home(situation: Situation, golden_id: GoldenId, kept: Iterable[RecordId]) -> bool:
    """Tell whether each of these records of a golden record had another id before, one that rests now."""
    return all(
        any(
            situation.goldens[id_].state != "active"
            for id_ in situation.members[record_id].own_golden_ids - {golden_id}
        )
        for record_id in kept
    )


def _survivors(
    situation: Situation,
    groups: Sequence[Group],
    claims: Mapping[Group, list[GoldenRecord]],
    mint: Callable[[], GoldenId],
) -> dict[Group, GoldenId]:
    def order(golden: GoldenRecord) -> tuple[bool, bool, GoldenId]:
        return (golden.id not in situation.wishes.survivors, *survival_order(golden))

    survivors: dict[Group, GoldenId] = {}
    taken = {golden.id for claimed in claims.values() for golden in claimed}
    for group in groups:
        claimed = claims[group]
        at_rest = [] if claimed else _homes(situation, group, taken)
        survivors[group] = min(claimed or at_rest, key=order).id if claimed or at_rest else mint()
        taken.add(survivors[group])
    return survivors


def _homes(situation: Situation, group: Group, taken: set[GoldenId]) -> list[GoldenRecord]:
    """List the resting ids that were a member's own: its first, or its last before it was deleted."""
    own = {id_ for record_id in group for id_ in situation.members[record_id].own_golden_ids}
    return [situation.goldens[id_] for id_ in own - taken if situation.goldens[id_].state != "active"]


def _turns(
    situation: Situation,
    groups: Sequence[Group],
    claims: Mapping[Group, list[GoldenRecord]],
    survivors: Mapping[Group, GoldenId],
) -> tuple[Turn, ...]:
    after: dict[GoldenId, Standing] = {}
    for group in groups:
        survivor_id = survivors[group]
        after[survivor_id] = _surviving(situation, group, survivor_id)
        for golden in claims[group]:
            if golden.id != survivor_id:
                after[golden.id] = _at_rest(situation, golden, survivor_id)
    held = {member.golden_id for member in situation.members.values()}
    for golden in situation.goldens.values():
        if golden.state == "active" and golden.id in held and golden.id not in after:
            after[golden.id] = _at_rest(situation, golden, None)
        elif golden.state == "forwarded" and golden.id not in after:
            led_to = situation.wishes.forwards.get(golden.id, golden.forward_to)
            after[golden.id] = replace(golden.standing, state=_resting(led_to), forward_to=led_to)
    flat = {id_: _flattened(standing, after) for id_, standing in after.items()}
    before = {id_: situation.goldens[id_].standing if id_ in situation.goldens else None for id_ in flat}
    return tuple(Turn(id_, before[id_], flat[id_]) for id_ in sorted(flat) if before[id_] != flat[id_])


def _at_rest(situation: Situation, golden: GoldenRecord, led_to: GoldenId | None) -> Standing:
    """Return the standing of an active id that comes to rest: as it rested before by wish, else as its records ask."""
    rested = situation.wishes.rests.get(golden.id)
    return rested or replace(golden.standing, state=_resting(led_to), forward_to=led_to)


def _resting(led_to: GoldenId | None) -> GoldenState:
    return "retired" if led_to is None else "forwarded"


def _surviving(situation: Situation, group: Group, survivor_id: GoldenId) -> Standing:
    """Return the standing of a survivor: what is established stays so, under another id and as a part too."""
    wishes = situation.wishes
    if (before := wishes.standings.get(survivor_id)) is not None:
        return Standing("active", None, before.is_confirmed, before.is_acknowledged)
    ids = {survivor_id} | {situation.members[record_id].golden_id for record_id in group}
    ids |= {id_ for id_, part in parts_returned(situation).items() if not part.isdisjoint(group)}
    sources = [golden for id_, golden in situation.goldens.items() if id_ in ids]
    is_confirmed = survivor_id in wishes.confirmed or any(one.is_confirmed for one in sources)
    return Standing("active", None, is_confirmed, any(one.is_acknowledged for one in sources))


def _flattened(standing: Standing, after: Mapping[GoldenId, Standing]) -> Standing:
    target = standing
    while target.forward_to is not None and (further := after.get(target.forward_to)) is not None:
        if further.state != "forwarded":
            break
        target = further
    return replace(standing, forward_to=target.forward_to)
