"""Merges that share one event are taken back each by itself: what became of one pair leaves the others alone."""

import pytest

from mdm.hub import Hub
from mdm.stewardship.model import Confirm, Merge, MergeAll, Unmerge
from tests.hubs import assert_sound
from tests.integration.stewardship.acts import A, B, C, D, E, alone, do, groups, ids

pytestmark = pytest.mark.db


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
