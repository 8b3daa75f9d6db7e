"""What an operation did, read back from the transaction that did it: the same words for a rehearsal and for the act."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.hub import Work
from mdm.identity.model import Cause, IdentityPlan
from mdm.identity.model import Move as PlannedMove
from mdm.ids import GoldenId, RecordId
from mdm.sources import store as sources_store
from mdm.stewardship.model import ChangedGolden, Effect, MovedRecord
from mdm.survivorship import store as survivorship_store
from mdm.survivorship.model import GoldenVersion


def effect_of(work: Work, cause: Cause, reinstated: Sequence[Decision] = ()) -> Effect:
    """Gather what the transaction at hand did under a cause, and the decisions that stand again by it."""
    assert cause.event_id is not None, "an operation has its event id from the start"
    written = _first_and_last(work.written)
    made, ended = decisions_store.select_decisions_by(work.connection, cause.event_id)
    return Effect(
        event_id=cause.event_id,
        kind=cause.kind,
        entity_type=work.carried_out[0].entity_type,
        moved=_moved(work),
        goldens=_changed(work, written),
        made=(*made, *_with_keys(work, reinstated)),
        ended=ended,
        targets=dict(sorted(work.queued.items())),
    )


def _with_keys(work: Work, decided: Sequence[Decision]) -> tuple[Decision, ...]:
    """Name the records of decisions that were just made anew by their source keys."""
    keys = sources_store.select_keys(work.connection, sorted({id_ for one in decided for id_ in one.pair}))
    return tuple(replace(one, left_key=str(keys[one.left_id]), right_key=str(keys[one.right_id])) for one in decided)


def _moved(work: Work) -> tuple[MovedRecord, ...]:
    net = net_moves(work.carried_out)
    keys = sources_store.select_keys(work.connection, [move.record_id for _, move in net])
    return tuple(
        MovedRecord(entity_type, str(keys[move.record_id]), move.before, move.after) for entity_type, move in net
    )


def net_moves(plans: Iterable[IdentityPlan]) -> tuple[tuple[str, PlannedMove], ...]:
    """Sum up what plans carried out one after the other move: each record once, none that ends where it began."""
    first: dict[RecordId, PlannedMove] = {}
    last: dict[RecordId, GoldenId | None] = {}
    entity_type_of: dict[RecordId, str] = {}
    for plan in plans:
        for move in plan.moves:
            first.setdefault(move.record_id, move)
            last[move.record_id] = move.after
            entity_type_of[move.record_id] = plan.entity_type
    return tuple(
        (entity_type_of[record_id], PlannedMove(record_id, move.before, last[record_id]))
        for record_id, move in first.items()
        if move.before != last[record_id]
    )


def _changed(work: Work, written: Sequence[tuple[GoldenVersion, GoldenVersion]]) -> tuple[ChangedGolden, ...]:
    before = survivorship_store.select_numbered(
        work.connection, [(first.golden_id, first.version - 1) for first, _ in written]
    )
    return tuple(ChangedGolden(before.get(last.golden_id), last) for _, last in written)


def _first_and_last(written: Iterable[GoldenVersion]) -> list[tuple[GoldenVersion, GoldenVersion]]:
    """Pair the first version that was written of each golden record with the last."""
    found: dict[GoldenId, tuple[GoldenVersion, GoldenVersion]] = {}
    for version in written:
        first, _ = found.get(version.golden_id, (version, version))
        found[version.golden_id] = (first, version)
    return list(found.values())
