"""A firm at rest: everything is told and read until nothing happens any more, stewards answer what is waited for."""

import re
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import text

from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.delivery.freezing import thaw
from mdm.delivery.orders import replay
from mdm.delivery.orders_model import Asked
from mdm.errors import Refused
from mdm.ids import GoldenId, ReviewId
from mdm.stewardship.answers import answer_review
from tests.chaos import Firm
from tests.systems import members_of

ROUNDS_MAX = 40  # a firm may have to be parted from several, one after the other


def come_to_rest(world: Firm) -> int:
    """Let everything be told and read until nothing happens any more; return how many rounds that took."""
    for number in range(ROUNDS_MAX):
        for system in world.systems:
            system.fake.faults.clear()
        world.now.forward(40_000)
        thaw(world.hub)  # a review of a quarrel closes too when its records part
        told_before = outcomes(world)
        for system in world.systems:
            system.tell(turns_max=10_000)
        world.hook.drain()
        told = outcomes(world) - told_before
        answered = answer_what_lanes_wait_for(world) + complete_what_is_parked(world)
        news = [one for system in world.systems for one in world.read(system) if one in {"created", "updated"}]
        if not news and not told and not answered and not waiting(world):
            return number
    raise AssertionError(f"no rest after {ROUNDS_MAX} rounds: {news} read, {told} told, {lanes_behind(world)} wait")


def answer_what_lanes_wait_for(world: Firm) -> int:
    """Let a steward part what a target is not told of since it may have it already; return how often."""
    with world.hub.engine.connect() as connection:
        waits = connection.execute(text("SELECT failure_reason FROM delivery_lane WHERE state = 'waiting'")).scalars()
        asked = {found for why in waits for found in re.findall(r"rev_[0-9a-z]{26}", why or "")}
    answered = 0
    for review_id in sorted(asked):
        with suppress(Refused):
            answer_review(world.hub, ReviewId(review_id), Verdict("different", "two firms"), who="mara")
            answered += 1
    return answered


def complete_what_is_parked(world: Firm) -> int:
    """Let people complete what a target does not take, and replay it; return of how many golden records.

    What is parted may be left with records that the hub made, which say nothing of their own; and no record is made
    without a name that it has to have, while systems quarrel about that.
    """
    with world.hub.engine.connect() as connection:
        dead = connection.execute(
            text("SELECT DISTINCT golden_id FROM delivery_lane WHERE state = 'dead' AND failure_kind = 'refused'")
        )
        parked = sorted(map(GoldenId, dead.scalars()))
    members = members_of(world.hub)
    for golden_id in parked:
        for key in members.get(golden_id, [])[:1]:  # what was merged since has none
            system = next(one for one in world.systems if one.instance == key.instance)
            system.complete(key.native_id, f"Firm {golden_id[-6:]} of Hull")
            world.read(system)
        settle_quarrels(world, golden_id)
        for target in world.systems:
            target.excused.add(golden_id)  # all of it is told again
            replay_one = partial(replay, target_id=target.declaration.id, asked=Asked(golden_id))
            run(world.hub.engine, partial(replay_one, reason="it is complete", who="mara"))
    return len(parked)


def settle_quarrels(world: Firm, golden_id: GoldenId) -> None:
    """Let a steward answer what is asked about the frozen attributes of a golden record."""
    with world.hub.engine.connect() as connection:
        asked = text("SELECT review_id FROM attribute_freeze WHERE golden_id = :golden AND ended_at IS NULL")
        reviews = connection.execute(asked, {"golden": golden_id}).scalars().all()
    for review_id in reviews:
        answer_review(world.hub, ReviewId(review_id), Verdict("same", "it is settled"), who="mara")
        world.done["quarrel settled"] += 1
    thaw(world.hub)


def outcomes(world: Firm) -> int:
    with world.hub.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM delivery_outcome")).scalar_one())


def waiting(world: Firm) -> int:
    """Count lanes that will be told; those that wait for a steward's answer to a review will not."""
    waiting = (
        "SELECT count(*) FROM delivery_lane WHERE acknowledged < head"
        " AND NOT (state = 'waiting' AND failure_reason LIKE 'review %')"
    )
    with world.hub.engine.connect() as connection:
        return int(connection.execute(text(waiting)).scalar_one())


def lanes_behind(world: Firm) -> list[dict[str, Any]]:
    """Give the lanes with something to tell as they are."""
    behind = "SELECT to_jsonb(l) FROM delivery_lane l WHERE acknowledged < head ORDER BY target_id, golden_id"
    with world.hub.engine.connect() as connection:
        return list(connection.execute(text(behind)).scalars())
