"""The scenarios G1-G8, N1-N3, U1-U4, C1 and C5, played in the same way on every system, and what a hub does in each.

A scenario first makes sure that its set-up stands (an AssertionError is a fault of the adapter, not a finding), then
acts and observes. Nothing is known beforehand: each outcome is worked out from what the system answered.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from system import Merge, NoSuchOperation, Record, Refused, System

HOLDS, BREAKS, NOT_OFFERED = "holds", "breaks", "no such operation"
PAIRS = 1_000  # merges of N3
SEED = 7

A1 = Record("crm-us", "1", "Alba Consulting", tax="T1")
A2 = Record("erp-us", "2", "Alba Consulting Inc", tax="T1", website="alba.example")
A3 = Record("psa-us", "3", "Alba", tax="T1", phone="555-0103")
B1 = Record("crm-us", "4", "Boro Partners", website="boro.example", phone="555-0104")
B2 = Record("erp-us", "5", "Boro Partners LP", website="boro.example")
C1 = Record("crm-us", "6", "Cena Works", tax="T6", phone="555-0106")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a system did: whether that is what a hub does, and what was observed."""

    outcome: str
    observed: str


Play = Callable[[System], Finding]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table."""

    id: str
    given: str
    expected: str
    play: Play


def judge(*observations: tuple[bool, str, str]) -> Finding:
    """Make a finding of observations: (is it as a hub does, words when it is, words when it is not)."""
    outcome = HOLDS if all(is_right for is_right, _, _ in observations) else BREAKS
    return Finding(outcome, "; ".join(right if is_right else wrong for is_right, right, wrong in observations))


def run(scenario: Scenario, system: System) -> Finding:
    """Play one scenario on a fresh system."""
    try:
        finding = scenario.play(system)
    except NoSuchOperation as none:
        return Finding(NOT_OFFERED, str(none))
    remark = system.remark()
    return replace(finding, observed=f"{finding.observed} ({remark})") if remark else finding


def require_together(system: System, *records: Record) -> str:
    """Make sure of a set-up: these records are one entity; return its id."""
    holders = {record.label: system.holder(record) for record in records}
    assert len(set(holders.values())) == 1, f"set-up failed, not one entity: {holders}"
    return holders[records[0].label]


def require_apart(system: System, first: Record, second: Record) -> None:
    """Make sure of a set-up: two records are two entities."""
    assert system.holder(first) != system.holder(second), f"set-up failed, one entity: {first}, {second}"


def is_apart(system: System, first: Record, second: Record) -> bool:
    """Tell whether two records are in two entities now."""
    return system.holder(first) != system.holder(second)


def split_holds(system: System) -> Finding:
    """G1: what a steward took out stays out when the same input comes again."""
    system.deliver([A1, A2, A3])
    require_together(system, A1, A2, A3)
    system.take_out(A3)
    require_apart(system, A1, A3)
    system.deliver([A1, A2, A3])
    return judge((is_apart(system, A1, A3), "stayed out", "joined again by the next run of the same input"))


def verdict_holds(system: System) -> Finding:
    """G2: two records decided different are apart at once, after the same input, and after one changed a little."""
    system.deliver([A1, A2])
    require_together(system, A1, A2)
    system.decide(A1, A2, "different")
    at_once = is_apart(system, A1, A2)
    system.deliver([A1, A2])
    after_same = is_apart(system, A1, A2)
    changed = replace(A2, phone="555-0202")
    system.deliver([A1, changed])
    after_change = is_apart(system, A1, changed)
    return judge(
        (at_once, "parted by the verdict", "not parted by the verdict"),
        (after_same, "apart after the same input", "together after the same input"),
        (after_change, "apart after a phone changed", "together after a phone changed"),
    )


def delta_keeps_values(system: System) -> Finding:
    """G3: golden values come from all members, also when a run brings one of them."""
    system.deliver([A1, A2, A3])
    entity = require_together(system, A1, A2, A3)
    before = system.values(entity)
    assert (before.get("website"), before.get("phone")) == (A2.website, A3.phone), f"set-up failed: {before}"
    system.deliver([replace(A1, name="Alba Consulting Limited")])
    after = system.values(system.holder(A1))
    kept = [name for name in ("website", "phone") if after.get(name) == before[name]]
    lost = f"of website and phone kept: {kept or 'none'}"
    return judge((len(kept) == 2, "website and phone of the other members kept", lost))


def absorbed_members_follow(system: System) -> Finding:
    """G4: when a delta joins two entities, members that are not in it come along."""
    system.deliver([A1, A2, B1, B2])
    require_together(system, A1, A2)
    require_together(system, B1, B2)
    require_apart(system, A1, B1)
    bridge = replace(B1, tax="T1")
    system.deliver([A1, bridge])
    holders = {record.label: system.holder(record) for record in (A1, A2, bridge, B2)}
    home = holders[A1.label]
    astray = sorted(label for label, holder in holders.items() if holder != home)
    return judge((not astray, "all four records in one entity", f"left on the other entity: {', '.join(astray)}"))


def retired_id_forwards(system: System) -> Finding:
    """G5: an id that was given out answers with the survivor after a merge."""
    system.deliver([A1, A2, B1, B2])
    first, second = system.holder(A1), system.holder(B1)
    merge = system.merge(first, second)
    everybody = frozenset(record.label for record in (A1, A2, B1, B2))
    assert system.members(merge.survivor) == everybody, "set-up failed: the merge did not join all"
    answered = system.members(merge.absorbed)
    return judge(
        (
            answered == everybody,
            "the old id answers with the survivor",
            f"the old id answers {sorted(answered) or 'empty'}",
        )
    )


def evidence_gone(system: System) -> Finding:
    """G6: when what joined two records is gone, they part or a steward is asked."""
    system.deliver([A1, A2])
    entity = require_together(system, A1, A2)
    before = system.values(entity)
    other = replace(A2, name="Dilo Logistics", tax="T9", website="dilo.example")
    system.deliver([A1, other])
    parted = is_apart(system, A1, other)
    asked = not parted and _or_no(lambda: system.asks(A1, other))
    changed = (
        "" if parted else f"; name was {before.get('name')!r}, is {system.values(system.holder(A1)).get('name')!r}"
    )
    return judge(
        (parted or asked, "parted" if parted else "a steward is asked", f"one entity still, nobody is asked{changed}")
    )


def merge_by_hand(system: System) -> Finding:
    """G7: a merge by hand refreshes the values, tells what it moved, and can be taken back exactly."""
    system.deliver([A1, A2, B1, B2])
    first, second = system.holder(A1), system.holder(B1)
    before = {first: dict(system.values(first)), second: dict(system.values(second))}
    merge = system.merge(first, second)
    fresh = "555-0104" in str(system.values(merge.survivor).get("phone"))
    told = _or_no(lambda: system.moved(merge) >= frozenset({(B1 if merge.absorbed == second else A1).label}))
    observations = [
        (fresh, "values refreshed", "values stale"),
        (told, "history names the moved records", "history does not name the moved records"),
    ]
    try:
        system.undo(merge)
    except NoSuchOperation:
        return judge(*observations, (False, "", "no unmerge"))
    held = {first: (A1, A2), second: (B1, B2)}
    back = all(system.holder(record) == entity for entity, records in held.items() for record in records)
    values = back and all(dict(system.values(entity)) == before[entity] for entity in held)
    return judge(
        *observations,
        (back, "unmerge gave both ids and members back", "unmerge did not give ids and members back"),
        (values, "and their values", "values differ from before"),
    )


def keys_of_two_instances(system: System) -> Finding:
    """G8: the same native key in two installations is two records."""
    us = Record("crm-us", "77", "Efra Studio", tax="T77", phone="555-0177")
    emea = Record("crm-emea", "77", "Gavi Foods", tax="T78", phone="555-0178")
    system.deliver([us])
    system.deliver([emea])
    names = [str(system.values(system.holder(record)).get("name")) for record in (us, emea)]
    apart = is_apart(system, us, emea)
    return judge(
        (apart and names == [us.name, emea.name], "two records", f"one entity, which shows {names[0]}"),
    )


def contradiction_refused(system: System) -> Finding:
    """N1: a `different` inside a chain of `same` is refused, and the chain is shown."""
    system.deliver([replace(A1, tax=""), replace(A2, tax=""), replace(A3, tax="")])
    system.decide(A1, A2, "same")
    system.decide(A2, A3, "same")
    require_together(system, A1, A2, A3)
    try:
        system.decide(A1, A3, "different")
    except Refused as refused:
        said = str(refused)
        proof = all(record.key in said for record in (A1, A2, A3))
        return judge((proof, "refused, with the chain that proves it", f"refused without proof: {said}"))
    parted = is_apart(system, A1, A3)
    effect = "tore the decided chain apart" if parted else "changed nothing"
    return judge((False, "", f"taken without complaint; it {effect}"))


def dissolve_keeps_negatives(system: System) -> Finding:
    """N2: what was decided different stays so after its entity is dissolved, also against new evidence."""
    system.deliver([A1, A2, C1])
    entity = require_together(system, A1, A2)
    system.decide(A1, C1, "different")
    system.dissolve(entity)
    require_apart(system, A1, A2)
    system.deliver([A1, replace(C1, tax="T1")])
    return judge((is_apart(system, A1, C1), "still apart", "joined by new evidence: the decision went with the entity"))


def survivor_is_determined(system: System) -> Finding:
    """N3: the same thousand merges keep the same entities; the second time half the calls name them otherwise."""
    first = _survivors(system, round_=1)
    second = _survivors(system, round_=2)
    agreed = [one == other for one, other in zip(first, second, strict=True)]
    same_calls, swapped = sum(agreed[0::2]), sum(agreed[1::2])
    half = PAIRS // 2
    order = {half: "whichever is named first", 0: "the caller names the survivor"}.get(
        swapped, f"named the other way round {swapped} of {half}"
    )
    return judge(
        (
            same_calls == half,
            f"the same survivor {half} of {half} times, {order}",
            f"the same survivor {same_calls} of {half} times, {order}",
        )
    )


def leaves_alone(system: System) -> Finding:
    """U1: A+B, then C+D, then AB+CD; C leaves alone."""
    branches = _branches(system)
    system.take_out(branches.records["C"])
    groups = _groups(system, branches.records)
    return judge((groups == ["ABD", "C"], "{C}, {A,B,D}", f"groups {groups}"))


def branch_leaves(system: System) -> Finding:
    """U2: A+B, then C+D, then AB+CD; the branch that joined through the last merge leaves together."""
    branches = _branches(system)
    system.undo(branches.last)
    groups = _groups(system, branches.records)
    return judge((groups == ["AB", "CD"], "{A,B}, {C,D}", f"groups {groups}"))


def ids_come_home(system: System) -> Finding:
    """U3: what leaves gets back the id it had: the branches theirs, then C its first one."""
    branches = _branches(system)
    try:
        system.undo(branches.last)
    except NoSuchOperation:
        branch = (False, "", "no unmerge of a branch")
    else:
        now = {system.holder(branches.records[letter]) for letter in "ABCD"}
        branch = (now == branches.ids, "both branches have their ids again", "a branch has another id")
    system.take_out(branches.records["C"])
    is_home = system.holder(branches.records["C"]) == branches.first_id
    return judge(branch, (is_home, "C alone has its first id again", "C alone has a new id"))


def children_come_home(system: System) -> Finding:
    """U4: what points at C follows it out of a merge and back."""
    system.deliver([A1, C1])
    system.add_child("engagement-1", C1)
    home = system.holder(C1)
    assert system.parent_of("engagement-1") == home, "set-up failed: the child does not point at C"
    merge = system.merge(system.holder(A1), home)
    followed = system.parent_of("engagement-1") == merge.survivor
    system.undo(merge)
    returned = system.parent_of("engagement-1") == system.holder(C1) == home
    return judge(
        (followed, "followed the merge", "did not follow the merge"), (returned, "came home", "did not come home")
    )


def two_at_once(system: System) -> Finding:
    """C1: two alike new records at the same instant are one entity."""
    return _at_once(system, [A1, A2])


def eight_at_once(system: System) -> Finding:
    """C5: eight alike new records on eight threads are one entity."""
    return _at_once(system, [Record(f"crm-{number}", "1", f"Alba {number}", tax="T1") for number in range(8)])


SCENARIOS: Final = (
    Scenario("G1", "a record was taken out by hand, then the same input comes again", "it stays out", split_holds),
    Scenario("G2", "two records were decided different, then runs go on", "they stay apart", verdict_holds),
    Scenario("G3", "a delta brings one of three members", "golden values from all three", delta_keeps_values),
    Scenario(
        "G4", "a delta joins two entities; two members are not in it", "all members move", absorbed_members_follow
    ),
    Scenario("G5", "look-up of an id that was merged away", "it forwards to the survivor", retired_id_forwards),
    Scenario("G6", "what joined two records is gone", "they part, or a steward is asked", evidence_gone),
    Scenario("G7", "a merge by hand", "values fresh, history complete, unmerge exact", merge_by_hand),
    Scenario("G8", "the same key in two installations", "two records", keys_of_two_instances),
    Scenario("N1", "`different` inside a chain of `same`", "refused with the chain", contradiction_refused),
    Scenario("N2", "an entity with a `different` is dissolved", "the decision stays", dissolve_keeps_negatives),
    Scenario("N3", f"{PAIRS:,} random merges, done twice", "the same survivors", survivor_is_determined),
    Scenario("U1", "A+B, C+D, AB+CD; C leaves alone", "{C}, {A,B,D}", leaves_alone),
    Scenario("U2", "A+B, C+D, AB+CD; the last merge is taken back", "{A,B}, {C,D}", branch_leaves),
    Scenario("U3", "the same two ways of leaving", "each gets back the id it had", ids_come_home),
    Scenario("U4", "a child points at what is merged and unmerged", "it follows, and comes home", children_come_home),
    Scenario("C1", "two alike new records at the same instant", "one entity", two_at_once),
    Scenario("C5", "eight alike new records on eight threads", "one entity", eight_at_once),
)


@dataclass(frozen=True, slots=True)
class _Branches:
    """Four unlike records joined as AB and CD, then all.

    first_id  of C before any merge
    ids       of AB and CD before the last merge
    last      the merge of the two
    """

    records: dict[str, Record]
    first_id: str
    ids: set[str]
    last: Merge


def _branches(system: System) -> _Branches:
    records = {letter: Record("crm-us", letter, f"{letter} Works", phone=f"555-{letter}") for letter in "ABCD"}
    system.deliver(list(records.values()))
    first = {letter: system.holder(record) for letter, record in records.items()}
    assert len(set(first.values())) == len(records), "set-up failed: unlike records were joined"
    left = system.merge(first["A"], first["B"]).survivor
    right = system.merge(first["C"], first["D"]).survivor
    last = system.merge(left, right)
    require_together(system, *records.values())
    return _Branches(records, first["C"], {left, right}, last)


def _groups(system: System, records: dict[str, Record]) -> list[str]:
    letters: dict[str, list[str]] = {}
    for letter, record in records.items():
        letters.setdefault(system.holder(record), []).append(letter)
    return sorted("".join(group) for group in letters.values())


def _survivors(system: System, *, round_: int) -> list[bool | None]:
    """Merge pairs of entities of two records each; tell for each pair whether the one meant first survived.

    Both rounds do the same, but that the second one names the two of every other pair the other way round.
    """
    chance = random.Random(SEED)
    twins = [
        [Record(source, f"{round_}-{number}", f"Firm {number}", tax=f"R{round_}N{number}") for source in ("crm", "erp")]
        for number in range(2 * PAIRS)
    ]
    system.deliver([record for pair in twins for record in pair])
    order = chance.sample(range(2 * PAIRS), 2 * PAIRS)
    survived: list[bool | None] = []
    for number, (one, other) in enumerate(zip(order[0::2], order[1::2], strict=True)):
        meant, against = (require_together(system, *twins[index]) for index in (one, other))
        is_swapped = round_ > 1 and number % 2 == 1
        merge = system.merge(against, meant) if is_swapped else system.merge(meant, against)
        survived.append({meant: True, against: False}.get(merge.survivor))
    return survived


def _at_once(system: System, records: Sequence[Record]) -> Finding:
    system.deliver_at_once(records)
    count = len({system.holder(record) for record in records})
    return judge((count == 1, "one entity", f"{count} entities"))


def _or_no(question: Callable[[], bool]) -> bool:
    """Answer no where the system has no means to ask."""
    try:
        return question()
    except NoSuchOperation:
        return False
