"""Bring all records of an entity type to rules that were activated: matched anew, batch by batch, in the background.

Each batch is one transaction with its progress, so a worker that is killed goes on where it was, and several workers
never do the same. What policy holds becomes a proposal, as whenever records are matched. Where only the choice of
values changed the same path works the values out again.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import run
from mdm.errors import InputInvalid
from mdm.hub import Hub, Work, carry
from mdm.identity.model import Cause
from mdm.modelling import store
from mdm.modelling.model import Rematch
from mdm.pipeline import reevaluate
from mdm.resolution.service import ChunkTooWide
from mdm.stewardship.tally import tally

WHO: Final = "worker"


def rematch_some(hub: Hub) -> int:
    """Match some more records of work that runs; return how many, 0 when there is nothing to do."""
    records_max = hub.settings.chunk_records
    while True:
        try:
            return carry(hub, partial(_some, records_max=records_max), who=WHO)
        except ChunkTooWide:
            records_max //= 2


def pause_rematch(hub: Hub, entity_type: str, *, who: str) -> Rematch:
    """Let the work rest; what is done stays done."""
    return run(hub.engine, lambda connection: _turn(connection, entity_type, "running", who))


def resume_rematch(hub: Hub, entity_type: str, *, who: str) -> Rematch:
    """Let the work go on where it was."""
    return run(hub.engine, lambda connection: _turn(connection, entity_type, "paused", who))


def _some(work: Work, *, records_max: int) -> int:
    found = store.take_rematch(work.connection)
    if found is None or found.entity_type not in work.declared:
        return 0
    ids = store.select_records_after(work.connection, found.entity_type, found.position, limit=records_max)
    if not ids:
        name_actor(work.connection, work.who)
        at = clock.recording_instant(work.connection)
        store.turn_rematch(work.connection, found.id, "done", at=at, who=work.who)
        return 0
    reviews = len(work.counts)
    cause = Cause("rules", f"activation {found.activation}")
    reevaluate(work, work.declared[found.entity_type], ids, cause=cause)
    store.update_rematch(
        work.connection,
        found.id,
        position=ids[-1],
        done=found.done + len(ids),
        found=_added(found.found, work, len(work.counts) - reviews),
    )
    return len(ids)


def _added(before: Mapping[str, int], work: Work, reviews: int) -> dict[str, int]:
    found = dict(before)
    counts = {"reviews": reviews}
    for one in tally(work.carried_out):
        counts |= {
            "records": one.records,
            "created": one.created,
            "forwarded": one.forwarded,
            "restored": one.restored,
            "retired": one.retired,
        }
        for name, count in counts.items():
            found[name] = found.get(name, 0) + count
        counts = {}
    for name, count in counts.items():
        found[name] = found.get(name, 0) + count
    found["values"] = found.get("values", 0) + len(work.written)
    return {name: count for name, count in found.items() if count}


def _turn(connection: Connection, entity_type: str, state: str, who: str) -> Rematch:
    found = store.select_rematch(connection, entity_type)
    if found is None or found.state != state:
        raise InputInvalid(
            f"no work on the rules of {entity_type} is {state}",
            remedy="look with `mdm model list`",
            field="entity_type",
        )
    name_actor(connection, who)
    store.turn_rematch(connection, found.id, "paused" if state == "running" else "running")
    after = store.select_rematch(connection, entity_type)
    assert after is not None, "it was there a statement ago"
    return after
