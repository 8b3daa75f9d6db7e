"""Beyond its bounds the hub gives up neither records nor promises: it stores them alone and looks again later."""

import pytest
from sqlalchemy import text

from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.jobs.service import deliver, reevaluate_deferred
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from tests.hubs import assert_sound, delivery, hub_on, partition_of

pytestmark = pytest.mark.db


def deferred(hub: Hub) -> set[str]:
    with hub.engine.connect() as connection:
        return set(connection.execute(text("SELECT native_id FROM source_record WHERE is_deferred")).scalars())


def sizes(hub: Hub) -> list[int]:
    return sorted(map(len, partition_of(hub)))


def test_a_record_under_too_large_a_block_is_stored_alone_and_matched_later(hub: Hub) -> None:
    # The fourth record under one code finds a block of four, one more than the bound.
    narrow = hub_on(hub.engine, block_size_emergency=3)
    for number in range(4):
        deliver(narrow, [delivery(f"crm-east/Account:{number}", "widget_hold", codes=["aa1"])], who="test")
    assert deferred(hub) == {"3"}
    assert sizes(hub) == [1, 3]

    assert reevaluate_deferred(narrow) == 1

    assert deferred(hub) == set()
    assert sizes(hub) == [4]
    assert reevaluate_deferred(narrow) == 0
    assert_sound(hub)


def test_a_deferred_record_still_meets_those_of_its_smaller_blocks(hub: Hub) -> None:
    narrow = hub_on(hub.engine, block_size_emergency=2)
    deliver(narrow, [delivery("crm-east/Account:1", "widget_hold", name="red", codes=["bb2"])], who="test")
    deliver(narrow, [delivery(f"crm-west/Account:{n}", "widget_hold", name="red") for n in range(3)], who="test")

    deliver(narrow, [delivery("crm-east/Account:2", "widget_hold", name="red", codes=["bb2"])], who="test")

    assert "2" in deferred(hub)
    assert frozenset({"crm-east/Account:1", "crm-east/Account:2"}) in partition_of(hub)


def test_a_record_that_leaves_the_large_block_is_deferred_no_more(hub: Hub) -> None:
    narrow = hub_on(hub.engine, block_size_emergency=2)
    deliver(narrow, [delivery(f"crm-east/Account:{n}", "widget_hold", name="red") for n in range(3)], who="test")
    assert deferred(hub) == {"0", "1", "2"}

    deliver(narrow, [delivery("crm-east/Account:1", "widget_hold", name="blue")], who="test")

    assert deferred(hub) == {"0", "2"}


def test_deferred_records_that_need_too_many_locks_together_are_looked_at_in_several_rounds(hub: Hub) -> None:
    # Each has three keys, one of them shared: nine records need 19 locks, and no more than six are allowed.
    narrow = hub_on(hub.engine, block_size_emergency=2, locks_max=6)
    for number in range(9):
        codes = [f"x{number}", f"y{number}", "shared"]
        deliver(narrow, [delivery(f"crm-east/Account:{number}", "widget_hold", codes=codes)], who="test")
    assert len(deferred(hub)) == 7

    settled = [reevaluate_deferred(narrow) for _ in range(7)]

    assert deferred(hub) == set()
    assert sum(settled) == 7
    assert sizes(hub) == [9]


def test_a_component_beyond_the_bound_keeps_what_it_holds_and_a_new_record_attaches(hub: Hub) -> None:
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", codes=["aa1"]) for n in range(4)], who="test")
    narrow = hub_on(hub.engine, component_records_max=3)

    deliver(narrow, [delivery("crm-west/Account:9", "widget_hold", codes=["aa1"])], who="test")

    assert sizes(hub) == [5]
    assert deferred(hub) == {"9"}
    assert_sound(hub)


def test_what_was_not_settled_beyond_the_bound_is_settled_by_the_worker_who_looks_further(hub: Hub) -> None:
    # The last record bridges two golden records of three and two; online, five are one more than the bound.
    for number, code in enumerate(["aa1", "aa1", "aa1", "bb2", "bb2"]):
        deliver(hub, [delivery(f"crm-east/Account:{number}", "widget_hold", codes=[code])], who="test")
    narrow = hub_on(hub.engine, component_records_max=4)
    deliver(narrow, [delivery("crm-west/Account:9", "widget_hold", codes=["aa1", "bb2"])], who="test")
    assert sizes(hub) == [2, 4]
    assert deferred(hub) == {"9"}
    assert_sound(hub)

    assert reevaluate_deferred(narrow) == 1

    assert sizes(hub) == [6]
    assert deferred(hub) == set()
    assert_sound(hub)


def test_records_leave_a_component_beyond_the_bound_when_they_are_deleted(hub: Hub) -> None:
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", codes=["aa1"]) for n in range(5)], who="test")
    narrow = hub_on(hub.engine, component_records_max=3)

    deliver(narrow, [delivery("crm-east/Account:0", "widget_hold", deleted=True)], who="test")

    assert sizes(hub) == [4]
    assert_sound(hub)


@pytest.mark.parametrize(("judgement", "expected"), [("different", [1, 4]), ("same", [5])])
def test_a_decision_binds_in_a_component_beyond_the_bound_too(hub: Hub, judgement: str, expected: list[int]) -> None:
    deliver(hub, [delivery(f"crm-east/Account:{n}", "widget_hold", codes=["aa1"]) for n in range(4)], who="test")
    deliver(
        hub,
        [delivery("crm-east/Account:4", "widget_hold", codes=["aa1" if judgement == "different" else "bb2"])],
        who="test",
    )
    narrow = hub_on(hub.engine, component_records_max=3)
    pair = SourceKey.parse("crm-east/Account:0"), SourceKey.parse("crm-east/Account:4")

    stewardship.decide(narrow, *pair, Verdict(judgement, "seen"), who="ann")  # type: ignore[arg-type]

    assert sizes(hub) == expected
    assert_sound(hub)


def test_a_batch_that_asks_for_too_many_locks_is_cut(hub: Hub) -> None:
    # Each record has a name and two codes: three keys, so that two fit under a bound of six.
    narrow = hub_on(hub.engine, locks_max=6)
    batch = [
        delivery(f"crm-east/Account:{n}", "widget_hold", name=f"n{n}", codes=[f"x{n}", f"y{n // 2}"]) for n in range(8)
    ]

    outcomes = deliver(narrow, batch, who="test")

    assert [outcome.status for outcome in outcomes] == ["created"] * 8
    assert sizes(hub) == [2, 2, 2, 2]


def test_one_record_may_need_more_locks_than_the_bound(hub: Hub) -> None:
    narrow = hub_on(hub.engine, locks_max=2)

    (outcome,) = deliver(narrow, [delivery("crm-east/Account:1", "widget_hold", codes=["a1", "b2", "c3"])], who="test")

    assert outcome.status == "created"
