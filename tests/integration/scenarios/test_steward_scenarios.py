"""G1–G8, N1–N3, U1–U4, W1: what other hubs were found to break of a steward's word, and merges taken apart."""

import random
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from mdm.db.transaction import run
from mdm.errors import DecisionContradicts
from mdm.hub import Hub
from mdm.identity.model import GoldenRecord, Member
from mdm.identity.plan import Situation, plan_identity
from mdm.identity.service import crosswalk, crosswalk_pairs, identity_event, named_golden
from mdm.ids import GoldenId, RecordId
from mdm.jobs.service import deliver
from mdm.publishing.files import write_rows
from mdm.stewardship.model import Dissolve, Merge, MergeAll, Split, Undo, Unmerge, UnmergeBranch, UnmergeRecord
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key, hub_state, partition_of, row_marks
from tests.integration.scenarios.board import (
    HOLD,
    acknowledge,
    again,
    alone,
    decided,
    golden,
    groups,
    ids,
    judge,
    key,
    merge,
    printed,
    questions,
    send,
    standing,
    values,
)
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db

MERGES = 20  # in a round of random ones; fifty rounds are a thousand


def test_g1_what_a_steward_split_stays_split_when_the_same_comes_again(hub: Hub) -> None:
    alike = [delivery(printed(name), HOLD, name="red", codes=["x1"]) for name in "abc"]
    deliver(hub, alike, who="test")
    first = golden(hub, "a")

    do(hub, Split(first, (frozenset({key("c")}),)))
    assert groups(hub) == {"ab", "c"}
    assert ids(hub, "ab") == [first] * 2

    deliver(hub, alike, who="test")
    assert groups(hub) == {"ab", "c"}
    deliver(hub, [delivery(str(one.key), HOLD, **one.fields, note="again") for one in alike], who="test")
    assert groups(hub) == {"ab", "c"}
    assert_sound(hub)


def test_g2_what_a_steward_said_is_different_is_apart_after_every_run(hub: Hub) -> None:
    for name in "ab":
        send(hub, name, name="red", codes=["x1"])

    judge(hub, "a", "b", "different")
    assert groups(hub) == {"a", "b"}

    for name in "abc":
        send(hub, name, name="red", codes=["x1", "x2"])
    assert len(groups(hub)) == 2
    assert decided(hub) == [("different", "ab")]
    assert_sound(hub)


def test_g3_a_delta_with_one_of_three_members_computes_from_all_three(hub: Hub) -> None:
    send(hub, "a", at=1, codes=["x1"], note="first")
    send(hub, "west:b", at=1, codes=["x1", "x2"], name="red")
    send(hub, "c", at=1, codes=["x2"], batch="150483782")
    assert groups(hub) == {"abc"}

    outcome = send(hub, "a", at=2, codes=["x1"], note="second")

    assert outcome.outcome == "kept"
    assert values(hub, "a") == {"name": "red", "codes": ["x1", "x2"], "batch": "150483782", "note": "second"}
    assert_sound(hub)


def test_g4_all_records_of_an_absorbed_golden_record_move_with_one_of_them(hub: Hub) -> None:
    for name, code in (("a", "x1"), ("b", "x1"), ("c", "x2"), ("d", "x2")):
        send(hub, name, codes=[code])
    first, second = golden(hub, "a"), golden(hub, "c")
    assert groups(hub) == {"ab", "cd"}

    send(hub, "c", codes=["x1", "x2"])  # d is not in this delivery

    assert ids(hub, "abcd") == [first] * 4
    assert standing(hub, second) == ("forwarded", first)
    assert [one.source_key for one in run(hub.engine, lambda c: crosswalk(c, second))] == [
        printed(name) for name in "abcd"
    ]
    assert_sound(hub)


def test_g5_an_id_that_was_given_up_answers_with_its_survivor_however_often_that_moved_on(hub: Hub) -> None:
    first = alone(hub, "abc")
    merge(hub, "c", "b")
    merge(hub, "b", "a")

    for id_ in (first["b"], first["c"]):
        assert standing(hub, id_) == ("forwarded", first["a"])  # in one hop
        assert run(hub.engine, partial(named_golden, name=id_)).id == first["a"]
        shown = run(hub.engine, partial(golden_version, golden_id=id_))
        assert shown is not None
        assert (shown.state, shown.forward_to) == ("forwarded", first["a"])
    assert_sound(hub)


def test_g6_a_golden_record_whose_evidence_is_gone_falls_apart(hub: Hub) -> None:
    send(hub, "a", codes=["x1"], name="red")
    send(hub, "b", codes=["x1"], name="blue")
    first = golden(hub, "a")

    send(hub, "b", codes=["x2"], name="blue")

    assert groups(hub) == {"a", "b"}
    assert golden(hub, "a") == first
    assert (values(hub, "a")["name"], values(hub, "b")["name"]) == ("red", "blue")
    assert questions(hub) == []
    assert_sound(hub)


def test_g6_one_that_was_published_is_kept_from_all_members_and_a_steward_asked(hub: Hub) -> None:
    send(hub, "a", codes=["x1"], name="red")
    send(hub, "b", codes=["x1"], name="blue")
    acknowledge(hub, "a")

    send(hub, "b", codes=["x2"], name="blue", note="news")

    assert groups(hub) == {"ab"}
    assert values(hub, "a") == {"name": "red", "codes": ["x1", "x2"], "note": "news"}
    assert questions(hub) == [("split", "ab", "ab")]
    assert_sound(hub)


def test_g7_a_merge_shows_at_once_names_what_it_moved_and_can_be_taken_back(hub: Hub) -> None:
    send(hub, "a", name="red", codes=["x1"])
    send(hub, "b", note="spare", codes=["x2"])
    send(hub, "c", name="blue", codes=["x2"])
    first, second = golden(hub, "a"), golden(hub, "b")
    before = hub_state(hub)

    effect = merge(hub, "b", "a")

    assert values(hub, "a") == {"name": "red", "codes": ["x1", "x2"], "note": "spare"}
    assert [(one.source_key, one.before, one.after) for one in effect.moved] == [
        (printed("b"), second, first),
        (printed("c"), second, first),
    ]
    event = run(hub.engine, lambda c: identity_event(c, effect.event_id))
    assert [(move.before, move.after) for move in event.plan.moves] == [(second, first)] * 2
    assert_sound(hub)

    do(hub, Unmerge(effect.event_id))
    assert hub_state(hub) == before
    assert_sound(hub)


def test_g8_one_native_id_in_two_instances_is_two_records(hub: Hub) -> None:
    send(hub, "a", name="red")
    send(hub, "west:a", name="blue")

    assert partition_of(hub) == {frozenset({printed("a")}), frozenset({printed("west:a")})}
    assert (values(hub, "a"), values(hub, "west:a")) == ({"name": "red"}, {"name": "blue"})

    send(hub, "west:a", name="green")
    assert (values(hub, "a"), values(hub, "west:a")) == ({"name": "red"}, {"name": "green"})
    assert_sound(hub)


def test_n1_a_negative_within_what_is_decided_the_same_is_refused_with_the_proof(hub: Hub) -> None:
    alone(hub, "abc")
    proof = [judge(hub, "a", "b", "same"), judge(hub, "b", "c", "same")]
    before = row_marks(hub)

    with pytest.raises(DecisionContradicts) as refused:
        judge(hub, "a", "c", "different")

    assert [one.id in step for one, step in zip(proof, refused.value.chain, strict=True)] == [True, True]
    assert row_marks(hub) == before


def test_n1_a_negative_within_what_matching_alone_joined_parts_it(hub: Hub) -> None:
    """Not refused: nobody decided the contrary, and it does not stand without effect either."""
    send(hub, "a", codes=["x1"])
    send(hub, "b", codes=["x1", "x2"])
    send(hub, "c", codes=["x2"])
    assert groups(hub) == {"abc"}

    judge(hub, "a", "c", "different")

    assert groups(hub) == {"ab", "c"}  # of two equal edges the one with the smaller keys joins
    assert_sound(hub)


def test_n2_dissolving_lets_every_record_stand_alone_and_keeps_what_was_parted(hub: Hub) -> None:
    first = alone(hub, "abcd")
    judge(hub, "a", "d", "different")
    merge(hub, "b", "a")
    merge(hub, "c", "a")

    do(hub, Dissolve(first["a"]))

    assert ids(hub, "abcd") == [first[name] for name in "abcd"]
    assert ("different", "ad") in decided(hub)
    for other in "db":
        with pytest.raises(DecisionContradicts):
            merge(hub, other, "a")
    assert_sound(hub)


def test_n3_the_surviving_id_of_a_thousand_random_merges_is_the_confirmed_else_the_oldest(seed: int) -> None:
    """Planned: whichever is named first, whatever the ids are, and however many come together at once."""
    rnd = random.Random(seed)
    for _ in range(1_000):
        goldens = [_random_golden(rnd) for _ in range(rnd.randint(2, 4))]
        members = {
            RecordId(f"rec_{number}"): Member(
                RecordId(f"rec_{number}"), one.id, frozenset({one.id}), rnd.random() < 0.3
            )
            for number, one in enumerate(rnd.sample(goldens, len(goldens)))
        }
        expected = min(goldens, key=lambda one: (not one.is_confirmed, one.id)).id

        for order in (goldens, goldens[::-1]):
            situation = Situation(HOLD, members, {one.id: one for one in order})
            plan = plan_identity(situation, [frozenset(members)], mint=lambda: GoldenId("wht_none"))

            assert {move.after for move in plan.moves} == {expected}
            assert {turn.golden_id for turn in plan.turns if turn.after.state == "forwarded"} == {
                one.id for one in goldens
            } - {expected}


def _random_golden(rnd: random.Random) -> GoldenRecord:
    return GoldenRecord(
        GoldenId(f"wht_{rnd.getrandbits(64):016x}"), HOLD, "active", None, 1, is_confirmed=rnd.random() < 0.2
    )


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("rounds", [1, pytest.param(50, marks=pytest.mark.soak)])
def test_n3_random_merges_carried_out_end_under_the_oldest_id_of_each(hub: Hub, seed: int, rounds: int) -> None:
    rnd = random.Random(seed)
    for number in range(rounds):
        names = [f"{number}.{place:02d}" for place in range(MERGES + 5)]
        minted = {name: GoldenId(id_) for name, id_ in zip(names, _minted(hub, names), strict=True)}
        oldest = dict(minted)
        for _ in range(MERGES):
            first, second = rnd.sample(sorted(set(oldest.values())), 2)
            do(hub, Merge(first, second))
            oldest = {name: min(first, second) if id_ in {first, second} else id_ for name, id_ in oldest.items()}

        found = golden_by_key(hub)
        assert {name: found[printed(name)] for name in names} == oldest
        assert {standing(hub, id_) for id_ in minted.values()} == {("active", None)} | {
            ("forwarded", oldest[name]) for name, id_ in minted.items() if oldest[name] != id_
        }
    assert_sound(hub)


def _minted(hub: Hub, names: list[str]) -> list[str | None]:
    outcomes = deliver(hub, [delivery(printed(name), HOLD, name=name) for name in names], who="test")
    return [outcome.golden_id for outcome in outcomes]


def test_u1_a_linear_unmerge_takes_one_record_out_and_gives_it_its_own_id(hub: Hub) -> None:
    first = alone(hub, "abcd")
    merge(hub, "b", "a")
    merge(hub, "d", "c")
    merge(hub, "c", "a")
    assert groups(hub) == {"abcd"}

    do(hub, UnmergeRecord(key("c")))

    assert groups(hub) == {"abd", "c"}
    assert ids(hub, "abcd") == [first["a"], first["a"], first["c"], first["a"]]
    again(hub, "abcd")
    assert groups(hub) == {"abd", "c"}
    assert_sound(hub)


@pytest.mark.oldest
def test_u2_a_branch_unmerge_takes_out_what_had_come_together_before(hub: Hub) -> None:
    first = alone(hub, "abcd")
    merge(hub, "b", "a")
    merge(hub, "d", "c")
    before = hub_state(hub)
    merge(hub, "c", "a")

    do(hub, UnmergeBranch(key("c")))

    assert groups(hub) == {"ab", "cd"}
    assert ids(hub, "abcd") == [first["a"], first["a"], first["c"], first["c"]]
    assert hub_state(hub) == before
    assert_sound(hub)


def test_u3_each_merge_of_a_tree_is_unmerged_for_itself(hub: Hub) -> None:
    first = alone(hub, "abcd")
    inner = merge(hub, "b", "a")
    merge(hub, "d", "c")
    merge(hub, "c", "a")

    do(hub, Unmerge(inner.event_id))

    assert groups(hub) == {"acd", "b"}
    assert ids(hub, "abcd") == [first["a"], first["b"], first["a"], first["a"]]
    assert_sound(hub)


def test_u3_a_merge_is_unmerged_although_its_survivor_was_merged_on(hub: Hub) -> None:
    first = alone(hub, "abc")
    inner = merge(hub, "c", "b")
    merge(hub, "b", "a")
    assert ids(hub, "abc") == [first["a"]] * 3

    do(hub, Unmerge(inner.event_id))

    assert ids(hub, "abc") == [first["a"], first["a"], first["c"]]
    again(hub, "abc")
    assert groups(hub) == {"ab", "c"}
    assert_sound(hub)


def test_u4_children_go_home_with_the_parent_that_an_unmerge_gives_back(hub: Hub) -> None:
    """Equal gizmos of four widgets become one when their widgets are, and part with them, ids and values as before."""
    alone(hub, "abcd")
    deliver(
        hub,
        [delivery(f"crm-east/Gizmo:{name}", "gizmo", name="cog", grade="a", widget=name) for name in "abcd"],
        who="test",
    )
    gizmo = {name: golden_by_key(hub)[f"crm-east/Gizmo:{name}"] for name in "abcd"}

    def gizmos() -> list[str]:
        found = golden_by_key(hub)
        return [found[f"crm-east/Gizmo:{name}"] for name in "abcd"]

    merge(hub, "b", "a")
    merge(hub, "d", "c")
    assert gizmos() == [gizmo["a"], gizmo["a"], gizmo["c"], gizmo["c"]]
    before = hub_state(hub)
    merge(hub, "c", "a")
    assert gizmos() == [gizmo["a"]] * 4

    do(hub, UnmergeBranch(key("c")))
    assert gizmos() == [gizmo["a"], gizmo["a"], gizmo["c"], gizmo["c"]]
    assert hub_state(hub) == before

    do(hub, UnmergeRecord(key("d")))
    assert gizmos() == [gizmo["a"], gizmo["a"], gizmo["c"], gizmo["d"]]
    assert_sound(hub)


def crosswalk_file(hub: Hub, path: Path) -> bytes:
    """Write the golden id of every key, then which keys mean the same in the two instances, as other systems get it."""
    instances = ("crm-east", "crm-west")
    rows = [{"golden_id": id_, "from_key": printed_key} for printed_key, id_ in sorted(golden_by_key(hub).items())]
    for source, to in (instances, instances[::-1]):
        pairs = run(hub.engine, partial(crosswalk_pairs, source=source, to=to))
        rows += [{column: str(value) for column, value in asdict(pair).items()} for pair in pairs]
    write_rows(path, ("entity_type", "golden_id", "from_key", "to_key"), rows)
    return path.read_bytes()


@pytest.mark.parametrize("back", [Undo, Unmerge])
def test_w1_undoing_the_wave_of_an_acquisition_gives_back_the_crosswalk_byte_by_byte(
    hub: Hub, tmp_path: Path, back: type[Undo | Unmerge]
) -> None:
    """W1. The clients of a firm that was bought are merged into ours as one wave, some of them several into one."""
    alone(hub, ["a", "b", "c", "d", "west:f", "west:g", "west:h", "west:i"])
    for name in ("d", "west:j"):  # a client of both, known as one before the wave
        send(hub, name, name="both", codes=["x1"])
    before = crosswalk_file(hub, tmp_path / "before.csv"), hub_state(hub)
    wave = [("a", "west:f"), ("b", "west:g"), ("b", "west:h"), ("c", "west:j")]

    effect = do(hub, MergeAll(tuple((golden(hub, ours), golden(hub, theirs)) for ours, theirs in wave)))
    assert groups(hub) == {"af", "bgh", "cdj", "i"}
    assert crosswalk_file(hub, tmp_path / "during.csv") != before[0]
    do(hub, back(effect.event_id))

    assert (crosswalk_file(hub, tmp_path / "after.csv"), hub_state(hub)) == before
    assert b"crm-west/Account:j,crm-east/Account:d" in before[0]
    assert_sound(hub)
