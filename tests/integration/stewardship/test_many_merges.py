"""Merges that share one event are taken back each by itself: what became of one pair leaves the others alone."""

import pytest
from sqlalchemy import text

from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.ids import EventId
from mdm.jobs.service import deliver
from mdm.stewardship import service
from mdm.stewardship.model import Confirm, Merge, MergeAll, Move, Unmerge
from tests.hubs import assert_sound, delivery
from tests.integration.stewardship.acts import A, B, C, D, E, alone, do, groups, ids, key, send
from tests.integration.stewardship.widgets import acknowledge

pytestmark = pytest.mark.db
TYPE = "widget_hold"


def test_a_later_link_across_one_border_does_not_tie_the_other_pairs_together_again(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D, E)
    do(hub, Confirm(golden[B]))
    merged = do(hub, MergeAll(((golden[A], golden[B]), (golden[C], golden[D]))))
    assert ids(hub, A, B) == [golden[B]] * 2
    # The oldest record of the three is tied to the newcomer, and it is the one that returns.
    linked = do(hub, Merge(golden[B], golden[E]))
    assert [(one.left_key, one.right_key) for one in linked.made] == [(A, E)]

    done = do(hub, Unmerge(merged.event_id))

    assert groups(hub) == {"a", "be", "c", "d"}
    said = sorted((one.verdict.judgement, one.left_key[-1] + one.right_key[-1]) for one in done.made)
    assert said == [("different", "ab"), ("different", "ae"), ("different", "cd"), ("same", "be")]
    assert_sound(hub)


def test_what_the_other_pairs_gained_stays_theirs_when_one_is_taken_back(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    acknowledge(hub, B, D)
    merged = do(hub, MergeAll(((golden[A], golden[B]), (golden[C], golden[D]))))
    assert ids(hub, B, D) == [golden[A], golden[C]]

    do(hub, Unmerge(merged.event_id, golden[B]))

    assert groups(hub) == {"a", "b", "cd"}
    assert established(hub) == {golden[B], golden[C]}
    do(hub, Unmerge(merged.event_id, golden[D]))
    assert established(hub) == {golden[B], golden[D]}
    assert_sound(hub)


def test_what_one_golden_record_gained_by_absorbing_two_it_keeps_as_long_as_the_other_is_absorbed(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    acknowledge(hub, B)
    merged = do(hub, MergeAll(((golden[A], golden[B]), (golden[A], golden[C]))))
    assert established(hub) == {golden[A]} == set(ids(hub, A, B, C))

    do(hub, Unmerge(merged.event_id, golden[C]))
    assert (groups(hub), established(hub)) == ({"ab", "c"}, {golden[A]})
    do(hub, Unmerge(merged.event_id, golden[B]))

    assert (groups(hub), established(hub)) == ({"a", "b", "c"}, {golden[B]})
    assert_sound(hub)


def test_a_merge_that_came_with_a_move_is_taken_back_and_the_move_is_not(hub: Hub) -> None:
    """The record that stays moved makes its new golden record established, as it came from an established one."""
    golden = alone(hub, A, B, D, E)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Confirm(golden[A]))
    service.decide(hub, key(B), key(E), Verdict("different", "sure"), who="bob")
    send(hub, A, name="red", codes=["x1"], note="a")
    send(hub, E, name="red", codes=["x1"], note="e")
    assert groups(hub) == {"ab", "d", "e"}
    moved = do(hub, Move(key(B), golden[D]))
    assert groups(hub) == {"ae", "bd"}

    do(hub, Unmerge(moved.event_id))

    assert groups(hub) == {"a", "bd", "e"}
    assert established(hub) == set(ids(hub, A, B))
    assert_sound(hub)


def established(hub: Hub) -> set[str]:
    with hub.engine.connect() as connection:
        found = text(
            "SELECT id FROM golden_record WHERE state = 'active' AND (is_confirmed OR is_acknowledged) ORDER BY id"
        )
        return set(connection.execute(found).scalars())


def test_an_id_that_the_event_woke_for_others_leads_to_their_records_once_these_are_absorbed(hub: Hub) -> None:
    """One delivery joins d to a, and lets c go home from b and e: c stays off a only because d is there."""
    send(hub, A, name="red", codes=["k1"])
    send(hub, B, name="blue", codes=["k2"])
    send(hub, C, name="green", codes=["k3"])
    send(hub, D, name="teal", codes=["k4"])
    golden = dict(zip((A, B, C, D), ids(hub, A, B, C, D), strict=True))
    send(hub, E, name="grey", codes=["k2", "k3"])
    assert (groups(hub), standing_of(hub, golden[C])) == ({"a", "bce", "d"}, ("forwarded", golden[B]))
    deliver(
        hub,
        [
            delivery(C, TYPE, name="green", codes=["k3", "k1"], batch="150483782"),
            delivery(D, TYPE, name="red", codes=["k1"], batch="804735132"),
            delivery(E, TYPE, name="grey", codes=["k2"]),
        ],
        who="test",
    )
    assert (groups(hub), ids(hub, C, D)) == ({"ad", "be", "c"}, [golden[C], golden[A]])

    do(hub, Unmerge(last_event(hub)))

    assert (groups(hub), ids(hub, A, D)) == ({"ac", "be", "d"}, [golden[A], golden[D]])
    assert standing_of(hub, golden[C]) == ("forwarded", golden[A])
    assert_sound(hub)


def test_an_id_that_the_event_woke_for_others_goes_along_once_these_joined_who_returns(hub: Hub) -> None:
    """Moving a away from c leaves c under the id that it had before; c is moved after it, and both return at once."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[C]))
    moved = do(hub, Move(key(A), golden[B]))
    assert (ids(hub, A, C), standing_of(hub, golden[A])) == ([golden[B], golden[C]], ("forwarded", golden[B]))
    apart = next(one for one in moved.made if one.verdict.judgement == "different" and one.right_key == C)
    service.revoke(hub, apart.id, who="ann")
    do(hub, Move(key(C), golden[B]))

    do(hub, Unmerge(moved.event_id, golden[A]))

    assert (groups(hub), ids(hub, A, B)) == ({"ac", "b"}, [golden[A], golden[B]])
    assert standing_of(hub, golden[C]) == ("forwarded", golden[A])
    assert_sound(hub)


def last_event(hub: Hub) -> EventId:
    with hub.engine.connect() as connection:
        return EventId(connection.execute(text("SELECT max(id) FROM identity_event")).scalar_one())


def standing_of(hub: Hub, golden_id: str) -> tuple[str, str | None]:
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT state, forward_to FROM golden_record WHERE id = :id"), {"id": golden_id})
        return tuple(rows.one())
