"""A plan is carried out as it was made or not at all, and its inverse gives the earlier state back."""

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from mdm import clock
from mdm.db.transaction import run, transaction
from mdm.entities.model import EntityType
from mdm.errors import PlanOutdated
from mdm.hub import Hub, carry
from mdm.identity import crosswalk_store, store
from mdm.identity.model import Cause, IdentityPlan, Move, Standing, Turn
from mdm.identity.service import carry_out
from mdm.ids import GoldenId, RecordId
from mdm.jobs.service import deliver
from mdm.pipeline import apply
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db

A, B = "crm-east/Account:a", "crm-east/Account:b"


def record_ids(engine: Engine) -> dict[str, RecordId]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, native_id FROM source_record"))
        return {row.native_id: RecordId(row.id) for row in rows}


def merging(hub: Hub) -> IdentityPlan:
    """Deliver two widgets and plan to merge the second into the first."""
    deliver(hub, [delivery(key, "widget_hold", name=key) for key in (A, B)], who="test")
    golden, ids = golden_by_key(hub), record_ids(hub.engine)
    first, second = GoldenId(golden[A]), GoldenId(golden[B])
    return IdentityPlan(
        "widget_hold",
        moves=(Move(ids["b"], second, first),),
        turns=(Turn(second, Standing("active"), Standing("forwarded", first)),),
    )


def carried_out(hub: Hub, plan: IdentityPlan) -> None:
    widget: EntityType = hub.declared["widget_hold"]
    carry(hub, lambda work: apply(work, widget, plan, cause=Cause("decision", "test")), who="test")


def values(hub: Hub, key: str) -> dict[str, Any]:
    found = run(hub.engine, lambda c: golden_version(c, GoldenId(golden_by_key(hub)[key])))
    assert found is not None
    return dict(found.values)


def test_the_inverse_of_a_plan_gives_back_ids_members_and_values(hub: Hub) -> None:
    plan = merging(hub)
    before, shown = golden_by_key(hub), [values(hub, key) for key in (A, B)]

    carried_out(hub, plan)
    assert golden_by_key(hub) == {A: before[A], B: before[A]}
    assert_sound(hub)

    carried_out(hub, plan.inverse())
    assert golden_by_key(hub) == before
    assert [values(hub, key) for key in (A, B)] == shown
    assert_sound(hub)


def test_a_plan_that_the_world_has_overtaken_is_refused_and_changes_nothing(hub: Hub) -> None:
    plan = merging(hub)
    carried_out(hub, plan)
    after = golden_by_key(hub)

    with pytest.raises(PlanOutdated, match=plan.turns[0].golden_id):
        carried_out(hub, plan)

    assert golden_by_key(hub) == after


def test_a_plan_whose_record_moved_on_is_refused(hub: Hub) -> None:
    plan = merging(hub)
    only_moves = IdentityPlan("widget_hold", moves=(Move(plan.moves[0].record_id, None, plan.moves[0].after),))

    with pytest.raises(PlanOutdated, match="without"):
        carried_out(hub, only_moves)


def test_every_membership_names_the_event_that_made_it_and_spans_do_not_overlap(hub: Hub) -> None:
    plan = merging(hub)
    carried_out(hub, plan)
    carried_out(hub, plan.inverse())

    second = plan.turns[0].golden_id
    first_span, last_span = run(hub.engine, lambda c: crosswalk_store.select_spans(c, second))

    assert first_span.source_key == last_span.source_key == B
    assert first_span.recorded_to is not None
    assert first_span.recorded_to < last_span.recorded_from
    assert last_span.recorded_to is None
    with hub.engine.connect() as connection:
        plans = connection.execute(text("SELECT count(DISTINCT event_id) FROM membership")).scalar_one()
    assert plans == 3  # the batch that made both, the merge, and its inverse


def commit(engine: Engine, *statements: str) -> None:
    def act(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    with transaction(engine) as connection:
        act(connection)


def test_an_active_record_without_a_golden_record_cannot_be_committed(hub: Hub) -> None:
    deliver(hub, [delivery(A, "widget_hold", name="red")], who="test")

    with pytest.raises(IntegrityError, match="is active and belongs to no golden record"):
        commit(hub.engine, "UPDATE source_record SET golden_id = NULL")

    commit(hub.engine, "UPDATE source_record SET golden_id = NULL, state = 'deleted'")


def test_an_active_record_may_be_without_one_inside_a_transaction(hub: Hub) -> None:
    deliver(hub, [delivery(A, "widget_hold", name="red")], who="test")

    commit(
        hub.engine,
        "UPDATE source_record SET golden_id = NULL",
        "UPDATE source_record SET golden_id = origin_golden_id",
    )

    assert_sound(hub)


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_forward_in_two_hops_cannot_be_committed_whichever_hop_comes_first(hub: Hub, order: tuple[str, str]) -> None:
    keys = [f"crm-east/Account:{letter}" for letter in "abc"]
    deliver(hub, [delivery(key, "widget_hold", name=key) for key in keys], who="test")
    first, second, third = (golden_by_key(hub)[key] for key in keys)
    hops = {"a": (first, second), "b": (second, third)}
    statements = [
        f"UPDATE golden_record SET state = 'forwarded', forward_to = '{to}' WHERE id = '{id_}'"
        for id_, to in (hops[hop] for hop in order)
    ]

    with pytest.raises(IntegrityError, match="would forward in two hops"):
        commit(hub.engine, *statements)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE golden_record SET state = 'forwarded'",
        "UPDATE golden_record SET forward_to = id",
        "UPDATE golden_record SET state = 'gone'",
        "UPDATE source_record SET golden_id = 'wht_nobody'",
        "UPDATE source_record SET entity_type = 'widget_merge'",
        "UPDATE source_record SET source_time = 'infinity'",
        (
            "INSERT INTO membership SELECT record_id, recorded_from + interval '1 s', NULL, "
            "golden_id, NULL, event_id, who"
            " FROM membership"
        ),
        "UPDATE membership SET recorded_to = recorded_from - interval '1 s'",
    ],
)
def test_the_schema_itself_refuses_what_no_code_may_write(hub: Hub, change: str) -> None:
    deliver(hub, [delivery(A, "widget_hold", name="red")], who="test")

    with pytest.raises(IntegrityError):
        commit(hub.engine, change)


def test_marking_as_published_establishes_a_golden_record_and_its_present_keys(hub: Hub) -> None:
    deliver(hub, [delivery(A, "widget_hold", codes=["x1"])], who="test")
    golden_id = GoldenId(golden_by_key(hub)[A])

    run(hub.engine, lambda c: store.mark_published(c, [golden_id], at=clock.now()))
    deliver(hub, [delivery(B, "widget_hold", codes=["x1"])], who="test")

    ids = record_ids(hub.engine)
    members = run(hub.engine, lambda c: store.select_members(c, ids.values()))
    assert run(hub.engine, lambda c: store.select_goldens(c, [golden_id]))[golden_id].is_established
    assert (members[ids["a"]].is_published, members[ids["b"]].is_published) == (True, False)


def test_carrying_out_needs_the_ids_to_stand_as_planned(hub: Hub) -> None:
    plan = merging(hub)
    confirmed = IdentityPlan(
        "widget_hold",
        turns=(Turn(plan.turns[0].golden_id, Standing("active", is_confirmed=True), Standing("retired")),),
    )

    with pytest.raises(PlanOutdated):
        run(hub.engine, lambda c: carry_out(c, confirmed, cause=Cause("decision", "test"), at=clock.now(), who="test"))
