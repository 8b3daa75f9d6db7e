"""Freeze what systems quarrel about: no target is told of the attribute until a steward has answered the review.

A freeze ends with its review, however that was closed; what the targets missed meanwhile is told then.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run
from mdm.decisions import reviews
from mdm.decisions.review_model import Question
from mdm.delivery import freezing_store as store
from mdm.delivery.flip_flop import Quarrel, quarrels
from mdm.delivery.model import DueLane
from mdm.hub import Hub, Work, carry
from mdm.ids import ReviewId, new_delivery_order_id, new_freeze_id
from mdm.telemetry import FREEZES

THAW_MAX = 100  # freezes that one round ends (chosen)


def freeze_quarrels(hub: Hub, lanes: Sequence[DueLane]) -> int:
    """Freeze the attributes of these golden records about which systems quarrel; return how many."""
    returns_min = hub.settings.flip_flop_returns
    # A return needs a version, and so does each value that is replaced.
    ids = [lane.golden_id for lane in lanes if lane.head > returns_min + 1]
    if not ids:
        return 0
    with reading(hub.engine) as connection:
        since = clock.instant(connection) - timedelta(hours=hub.settings.flip_flop_hours)
        histories = store.select_histories(connection, ids, since=since, versions_min=returns_min + 2)
        known = store.select_frozen(connection, list(histories))
        settled = store.select_settled(connection, list(histories))
    found = [
        one
        for golden_id, versions in histories.items()
        for one in quarrels(golden_id, versions, returns_min=returns_min, settled=settled.get(golden_id, {}))
        if one.attribute not in known.get(golden_id, frozenset())
    ]
    for quarrel in found:
        carry(hub, partial(_freeze, quarrel=quarrel), who="relay")
    return len(found)


def thaw(hub: Hub) -> int:
    """End the freezes whose review is closed, and let the targets be told of what they missed; return how many."""

    def act(connection: Connection) -> int:
        name_actor(connection, "worker")
        now = clock.instant(connection)
        ended = store.end_answered(connection, at=now, who="worker", limit=THAW_MAX)
        for target_id, lanes in store.tell_again(connection, ended, now=now).items():
            store.insert_thaw(connection, new_delivery_order_id(), target_id, lanes=lanes, at=now)
        return len(ended)

    return run(hub.engine, act)


def _freeze(work: Work, quarrel: Quarrel) -> None:
    """Open the review of a quarrel, and freeze its attribute until that is closed."""
    golden = store.select_living(work.connection, quarrel.golden_id, quarrel.record_ids)
    if golden is None:
        return  # it was merged, or a record moved, since the versions were read
    entity_type = work.declared[golden.entity_type]
    at = clock.recording_instant(work.connection)
    subject: Mapping[str, object] = {
        "attribute": quarrel.attribute,
        "returns": quarrel.returns,
        "record_ids": sorted(quarrel.record_ids),
    }
    question = Question("flip_flop", *quarrel.record_ids, 0.0, subject)
    changes = reviews.settle(work.connection, entity_type, reviews.Asked((question,), {}), at=at, who=work.who)
    review_id = changes[0].review_id if changes else _standing(work, question)
    if store.insert_freeze(
        work.connection,
        {
            "id": new_freeze_id(),
            "golden_id": quarrel.golden_id,
            "attribute": quarrel.attribute,
            "reason": f"its value came back {quarrel.returns} times",
            "review_id": review_id,
        },
        at=at,
        who=work.who,
    ):
        work.tell_reviews(changes)
        work.counts.extend(
            FREEZES.labels(golden.entity_type, quarrel.attribute, target_id)
            for target_id in store.select_untold(work.connection, quarrel.golden_id)
        )


def _standing(work: Work, question: Question) -> ReviewId | None:
    return store.select_open_review(work.connection, question.key)
