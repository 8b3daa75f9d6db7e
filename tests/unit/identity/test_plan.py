"""Which golden id each group of records gets: heirs, survivors, forwards, homecomings, and the way back."""

import itertools
from collections.abc import Iterable, Iterator

from mdm.identity.model import GoldenRecord, GoldenState, IdentityPlan, Member, Move, Standing, Turn
from mdm.identity.plan import Situation, plan_identity
from mdm.ids import GoldenId, RecordId

R1, R2, R3, R4 = (RecordId(f"rec_{number}") for number in range(1, 5))
G1, G2, G3 = (GoldenId(f"cus_0{number}") for number in range(1, 4))  # ids sort by their age: G1 is the oldest
NEW1, NEW2 = GoldenId("cus_91"), GoldenId("cus_92")
ACTIVE, RETIRED = Standing("active"), Standing("retired")


def golden(
    id_: GoldenId,
    state: GoldenState = "active",
    to: GoldenId | None = None,
    *,
    confirmed: bool = False,
    acknowledged: bool = False,
) -> GoldenRecord:
    return GoldenRecord(id_, "customer", state, to, 1, confirmed, acknowledged)


def member(
    id_: RecordId, golden_id: GoldenId | None, *own: GoldenId, published: bool = False
) -> tuple[RecordId, Member]:
    kept = () if golden_id is None else (golden_id,)
    return id_, Member(id_, golden_id, frozenset(own or kept), published)


def planned(
    members: Iterable[tuple[RecordId, Member]],
    goldens: Iterable[GoldenRecord],
    *groups: set[RecordId],
    refreshed: tuple[GoldenId, ...] = (),
) -> IdentityPlan:
    situation = Situation("customer", dict(members), {one.id: one for one in goldens})
    ids: Iterator[GoldenId] = iter([NEW1, NEW2])
    return plan_identity(situation, list(map(frozenset, groups)), mint=lambda: next(ids), refreshed=refreshed)


def forwarded(to: GoldenId) -> Standing:
    return Standing("forwarded", to)


def test_a_new_record_that_stands_alone_mints_an_id() -> None:
    plan = planned([member(R1, None)], [], {R1})

    assert plan.moves == (Move(R1, None, NEW1),)
    assert plan.turns == (Turn(NEW1, None, ACTIVE),)
    assert plan.minted == (NEW1,)


def test_a_new_record_attaches_without_any_turn() -> None:
    plan = planned([member(R1, G1), member(R2, None)], [golden(G1)], {R1, R2})

    assert plan.moves == (Move(R2, None, G1),)
    assert plan.turns == ()


def test_the_oldest_id_survives_a_merge() -> None:
    plan = planned([member(R1, G2), member(R2, G1)], [golden(G1), golden(G2)], {R1, R2})

    assert plan.moves == (Move(R1, G2, G1),)
    assert plan.turns == (Turn(G2, ACTIVE, forwarded(G1)),)


def test_a_confirmed_id_survives_an_older_one() -> None:
    plan = planned([member(R1, G1), member(R2, G2)], [golden(G1), golden(G2, confirmed=True)], {R1, R2})

    assert plan.moves == (Move(R1, G1, G2),)
    assert plan.turns == (Turn(G1, ACTIVE, forwarded(G2)),)


def test_of_two_confirmed_ids_the_older_survives() -> None:
    goldens = [golden(G1, confirmed=True), golden(G2, confirmed=True)]

    plan = planned([member(R1, G1), member(R2, G2)], goldens, {R1, R2})

    assert plan.moves == (Move(R2, G2, G1),)


def test_an_acknowledged_id_does_not_survive_an_older_one_but_hands_its_standing_on() -> None:
    plan = planned([member(R1, G1), member(R2, G2)], [golden(G1), golden(G2, acknowledged=True)], {R1, R2})

    assert plan.turns == (
        Turn(G1, ACTIVE, Standing("active", is_acknowledged=True)),
        Turn(G2, Standing("active", is_acknowledged=True), Standing("forwarded", G1, is_acknowledged=True)),
    )


def test_the_part_with_most_published_keys_keeps_the_id() -> None:
    # {R1, R2} has two members and the oldest record, {R3} one published key.
    members = [member(R1, G1), member(R2, G1), member(R3, G1, published=True)]

    plan = planned(members, [golden(G1)], {R1, R2}, {R3})

    assert plan.moves == (Move(R1, G1, NEW1), Move(R2, G1, NEW1))


def test_the_part_with_most_members_keeps_the_id_when_nothing_is_published() -> None:
    plan = planned([member(R1, G1), member(R2, G1), member(R3, G1)], [golden(G1)], {R1}, {R2, R3})

    assert plan.moves == (Move(R1, G1, NEW1),)


def test_the_part_with_the_oldest_record_keeps_the_id_between_equal_parts() -> None:
    members = [member(record_id, G1) for record_id in (R1, R2, R3, R4)]

    plan = planned(members, [golden(G1)], {R2, R3}, {R1, R4})

    assert plan.moves == (Move(R2, G1, NEW1), Move(R3, G1, NEW1))


def test_of_equal_parts_the_one_that_joins_no_other_golden_record_keeps_the_id() -> None:
    # G2 has R2 and R3; R2 is older, but goes to G1, so nothing has to be minted for R3.
    members = [member(R1, G1), member(R2, G2), member(R3, G2)]

    plan = planned(members, [golden(G1), golden(G2)], {R1, R2}, {R3})

    assert plan.moves == (Move(R2, G2, G1),)
    assert plan.turns == ()


def test_only_members_of_an_id_count_for_who_inherits_it() -> None:
    # G1 has R1 and R2; {R2, R3, R4} is the larger group, yet both hold one member of G1, and R1 is older.
    members = [member(R1, G1), member(R2, G1), member(R3, None), member(R4, None)]

    plan = planned(members, [golden(G1)], {R1}, {R2, R3, R4})

    assert plan.moves == (Move(R2, G1, NEW1), Move(R3, None, NEW1), Move(R4, None, NEW1))


def test_forwards_are_flattened_to_one_hop() -> None:
    goldens = [golden(G1), golden(G2), golden(G3, "forwarded", G2)]

    plan = planned([member(R1, G1), member(R2, G2)], goldens, {R1, R2})

    assert plan.turns == (Turn(G2, ACTIVE, forwarded(G1)), Turn(G3, forwarded(G2), forwarded(G1)))


def test_a_part_comes_home_to_the_id_that_was_its_own() -> None:
    members = [member(R1, G1), member(R2, G1, G2)]

    plan = planned(members, [golden(G1), golden(G2, "forwarded", G1)], {R1}, {R2})

    assert plan.moves == (Move(R2, G1, G2),)
    assert plan.turns == (Turn(G2, forwarded(G1), ACTIVE),)


def test_what_forwards_to_a_part_that_inherits_nothing_new_stays() -> None:
    # R2 leaves and comes home to G2; G3 forwarded to G1 and still does.
    members = [member(R1, G1), member(R2, G1, G2)]
    goldens = [golden(G1), golden(G2, "forwarded", G1), golden(G3, "forwarded", G1)]

    plan = planned(members, goldens, {R1}, {R2})

    assert [turn.golden_id for turn in plan.turns] == [G2]


def test_an_id_is_home_to_one_group_only() -> None:
    # Both lost records had G2 as their own; the group of the older record takes it, the other one mints.
    members = [member(R1, G1), member(R2, G1, G2), member(R3, G1, G2)]

    plan = planned(members, [golden(G1), golden(G2, "forwarded", G1)], {R1}, {R2}, {R3})

    assert plan.moves == (Move(R2, G1, G2), Move(R3, G1, NEW1))


def test_an_id_in_use_is_no_home() -> None:
    # G1 has most of its members elsewhere, so R3, whose own it is as well, gets a new one.
    members = [member(R1, G1), member(R2, G1), member(R3, G1)]

    plan = planned(members, [golden(G1)], {R1, R2}, {R3})

    assert plan.moves == (Move(R3, G1, NEW1),)


def test_an_id_without_records_is_retired() -> None:
    plan = planned([member(R1, G1)], [golden(G1)])

    assert plan.moves == (Move(R1, G1, None),)
    assert plan.turns == (Turn(G1, ACTIVE, RETIRED),)


def test_a_record_that_returns_takes_its_retired_id_back() -> None:
    plan = planned([member(R1, None, G1)], [golden(G1, "retired")], {R1})

    assert plan.moves == (Move(R1, None, G1),)
    assert plan.turns == (Turn(G1, RETIRED, ACTIVE),)


def test_ids_that_forward_to_a_retired_one_still_lead_there_in_one_hop() -> None:
    plan = planned([member(R1, G1)], [golden(G1), golden(G2, "forwarded", G1)])

    assert plan.turns == (Turn(G1, ACTIVE, RETIRED),)


def test_an_id_keeps_its_standing_through_retirement_and_return() -> None:
    away = planned([member(R1, G1)], [golden(G1, confirmed=True)])
    back = planned([member(R1, None, G1)], [golden(G1, "retired", confirmed=True)], {R1})

    assert away.turns[0].after == Standing("retired", is_confirmed=True)
    assert back.turns[0].after == Standing("active", is_confirmed=True)


def test_nothing_to_do_is_an_empty_plan() -> None:
    plan = planned([member(R1, G1), member(R2, G1)], [golden(G1)], {R1, R2})

    assert not plan.changes_identity
    assert plan.touched == ()


def test_an_id_that_ends_is_not_refreshed() -> None:
    members = [member(R1, G1), member(R2, G2)]

    plan = planned(members, [golden(G1), golden(G2)], {R1, R2}, refreshed=(G2, G1, G1))

    assert plan.refreshed == (G1,)
    assert plan.touched == (G1, G2)


def test_the_order_of_the_groups_does_not_matter() -> None:
    members = [member(R1, G1), member(R2, G1, G2), member(R3, None), member(R4, G3)]
    goldens = [golden(G1), golden(G2, "forwarded", G1), golden(G3)]
    groups: list[set[RecordId]] = [{R1}, {R2}, {R3}, {R4}]

    plans = {planned(members, goldens, *order) for order in itertools.permutations(groups)}

    assert len(plans) == 1


def test_the_inverse_gives_back_every_move_and_standing() -> None:
    members = [member(R1, G1), member(R2, G2)]
    goldens = [golden(G1), golden(G2, acknowledged=True), golden(G3, "forwarded", G2)]
    plan = planned(members, goldens, {R1, R2})

    inverse = plan.inverse()

    assert inverse.moves == (Move(R2, G1, G2),)
    assert inverse.turns == (
        Turn(G1, Standing("active", is_acknowledged=True), ACTIVE),
        Turn(G2, Standing("forwarded", G1, is_acknowledged=True), Standing("active", is_acknowledged=True)),
        Turn(G3, forwarded(G1), forwarded(G2)),
    )
    assert inverse.touched == plan.touched
    assert (inverse.inverse().moves, inverse.inverse().turns) == (plan.moves, plan.turns)


def test_the_inverse_retires_what_was_minted() -> None:
    plan = planned([member(R1, G1), member(R2, G1)], [golden(G1)], {R1}, {R2})

    inverse = plan.inverse()

    assert inverse.moves == (Move(R2, NEW1, G1),)
    assert inverse.turns == (Turn(NEW1, ACTIVE, RETIRED),)
    assert inverse.minted == ()
