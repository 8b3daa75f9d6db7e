"""Re-keyed and migrated: the old key leads to the new one, and questions about the past still see the old one."""

from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.delivery.binding import bind_key
from mdm.hub import Hub, carry
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from tests.hubs import assert_sound, delivery, golden_by_key, register_instances, row_marks
from tests.integration.source_events.facts import TYPE, fact, golden, key_of, keys, rows, send, tell, values

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def _erp(hub: Hub) -> None:
    register_instances(hub, "crm-east", "crm-west", "erp-one")
    send(hub, "old", codes=["aa1"], name="red", note="as it was", at=1)
    send(hub, "erp:n1", codes=["aa1"], at=1)


def test_a_new_key_that_was_not_delivered_yet_takes_over_what_the_old_one_said(hub: Hub) -> None:
    before = golden(hub, "old")

    assert tell(hub, fact("re_keyed", "old", "new", at=5)) == ["recorded"]

    assert golden(hub, "new") == golden(hub, "old") == before
    assert keys(hub, "erp:n1") == ["new", "old re_keyed", "n1"]
    assert keys(hub, "erp:n1", to="crm-east") == ["new"]
    assert "as it was" in str(values(hub, "old"))
    assert_sound(hub)

    assert send(hub, "new", codes=["zz9"], note="as it is", at=6).status == "created"

    assert golden(hub, "new") == golden(hub, "old") == before
    assert "as it is" in str(values(hub, "old"))
    assert "aa1" in str(values(hub, "old")), "the ERP says so too"
    assert_sound(hub)


def test_a_new_key_whose_record_the_hub_made_takes_over_what_the_old_one_said(hub: Hub) -> None:
    """What is reserved says its values until the system in which the hub created it delivers its own."""
    before, said = golden(hub, "old"), values(hub, "old")[0][0]
    carry(
        hub,
        lambda work: bind_key(work, TYPE, SourceKey.parse(key_of("new")), GoldenId(before), reason="made there"),
        who="target x",
    )

    assert tell(hub, fact("re_keyed", "old", "new", at=5)) == ["recorded"]

    assert golden(hub, "new") == golden(hub, "old") == before
    assert values(hub, "new")[0][0] == said
    assert tell(hub, fact("re_keyed", "old", "new", at=5)) != ["recorded"]
    assert send(hub, "new", codes=["zz9"], note="as it is", at=6).status == "updated"
    assert "as it is" in str(values(hub, "new"))
    assert_sound(hub)


def test_a_new_key_that_was_delivered_first_is_joined(hub: Hub) -> None:
    send(hub, "new", codes=["zz9"], note="as it is", at=6)
    assert golden(hub, "new") != golden(hub, "old")

    assert tell(hub, fact("re_keyed", "old", "new", at=5)) == ["recorded"]

    assert golden(hub, "new") == golden(hub, "old")
    assert keys(hub, "erp:n1", to="crm-east") == ["new"]
    assert "as it is" in str(values(hub, "old"))
    assert_sound(hub)


def test_an_old_key_that_comes_after_all_stays_given_up_where_it_is_older(hub: Hub) -> None:
    send(hub, "next", codes=["bb2"], at=6)
    tell(hub, fact("re_keyed", "late", "next", at=5))

    assert send(hub, "late", codes=["bb2"], note="late", at=4).status == "created"

    assert golden(hub, "late") == golden(hub, "next")
    assert keys(hub, "next") == ["late re_keyed", "next"]
    assert_sound(hub)


def test_a_question_about_the_time_before_sees_the_old_key(hub: Hub) -> None:
    then = run(hub.engine, clock.horizon)

    def answers() -> Any:
        return keys(hub, "erp:n1", as_of=then), keys(hub, "erp:n1", to="crm-east", as_of=then)

    assert answers() == (["old", "n1"], ["old"])
    tell(hub, fact("re_keyed", "old", "new", at=5))

    assert answers() == (["old", "n1"], ["old"])
    now = run(hub.engine, clock.horizon)
    assert keys(hub, "erp:n1", to="crm-east", as_of=now) == ["new"]


def test_a_new_key_that_only_the_hub_knew_goes_when_the_old_one_lives_on(hub: Hub) -> None:
    before = golden_by_key(hub), values(hub, "old")
    tell(hub, fact("re_keyed", "old", "new", at=5))

    send(hub, "old", codes=["aa1"], name="red", note="as it was", at=8)

    assert golden_by_key(hub) == before[0]
    assert keys(hub, "erp:n1") == ["old", "n1"]
    assert_sound(hub)


def test_a_record_re_keyed_twice_leads_to_the_newest_key(hub: Hub) -> None:
    assert tell(hub, fact("re_keyed", "old", "new", at=5), fact("re_keyed", "new", "newer", at=6)) == ["recorded"] * 2

    assert keys(hub, "old", to="crm-east") == ["newer"]
    assert len(set(golden_by_key(hub).values())) == 1
    assert_sound(hub)


def test_what_points_at_an_old_key_finds_what_has_the_new_one(hub: Hub) -> None:
    register_instances(hub, "crm-east")
    deliver(hub, [delivery("crm-east/Account:c1", "customer", name="Muster AG", country="CH")], who="test")
    project = delivery("crm-east/Opportunity:p1", "project", name="Phase 1", customer="c1")
    deliver(hub, [project], who="test")
    shown = "SELECT values ->> 'customer' FROM golden_version WHERE golden_id LIKE 'prj_%' AND recorded_to IS NULL"
    (customer,) = rows(hub, shown)
    assert customer != (None,)

    assert tell(hub, fact("re_keyed", "c1", "c2", at=5)) == ["recorded"]

    assert rows(hub, shown) == [customer]
    assert_sound(hub)


def test_an_instance_is_migrated_key_by_key(hub: Hub) -> None:
    for number in range(3):
        send(hub, f"k{number}", codes=[f"cc{number}"], name="green", at=1)
    before = {f"k{number}": golden(hub, f"k{number}") for number in range(3)}

    moved = [fact("instance_migrated", f"k{number}", f"west:m{number}", at=5) for number in range(3)]
    assert tell(hub, *moved) == ["recorded"] * 3
    marks = row_marks(hub)
    assert tell(hub, *moved) == ["unchanged"] * 3

    assert row_marks(hub) == marks
    assert {name: golden(hub, name) for name in before} == before
    assert [keys(hub, f"k{number}", to="crm-west") for number in range(3)] == [["m0"], ["m1"], ["m2"]]
    assert [keys(hub, f"k{number}", to="crm-east") for number in range(3)] == [[], [], []]
    assert_sound(hub)
    assert key_of("west:m0") in golden_by_key(hub)
    assert rows(hub, f"SELECT count(*) FROM source_record WHERE entity_type = '{TYPE}'") == [(8,)]
