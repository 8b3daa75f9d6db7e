"""What follows when another record bears the external id that was to be written, or is what a create was answered with.

That happens where an answer was lost: the target made a record, or gave it an id, and by the time it is asked again the
record belongs to another golden record. The ledger is told who bears what, and the next request bears a new id, since
a system that knows its request ids would give the same answer for ever. The owner is then asked to let go.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from mdm.connectors.model import Change, Failure
from mdm.delivery import external_ids_store as store
from mdm.delivery.lanes_store import begin_series
from mdm.delivery.model import Declaration, DueLane, Sight
from mdm.ids import GoldenId

# taken      another record bears the id
# ambiguous  several records bear it
# unclear    the answer is about a record that bears another id by now
_ABOUT_IDS: Final = frozenset({"taken", "ambiguous", "unclear"})


def is_about_ids(failure: Failure) -> bool:
    """Tell whether a failure names records of which it has to be known whose they are."""
    return failure.kind == "taken" or (bool(failure.records) and failure.kind in _ABOUT_IDS)


def settle_taken(
    connection: Connection, declaration: Declaration, lane: DueLane, sight: Sight, change: Change, failure: Failure
) -> tuple[Failure, GoldenId | None]:
    """Note who bears the id; returns the failure as it is then, and the owner who has to let go of it.

    A failure about records of nobody else stays as it is. A system that keeps its refusals by request id would give
    the same one for ever, so that after "taken" the next request bears a new id whoever the owner is.
    """
    owners = store.select_owners(connection, declaration.instance, change.object, change.scope, failure.records)
    others = sorted({owner for owner in owners.values() if owner != sight.golden_id})
    if failure.kind == "taken" or (failure.kind == "ambiguous" and others):
        # What the hub never heard of is read once it does: a place where nothing is would be waited for.
        borne = dict.fromkeys(owners, str(sight.golden_id))
        store.note_external_ids(connection, declaration.id, sight.entity_type, borne)
    if others or failure.kind == "taken":
        begin_series(connection, lane)
    if not others:
        return failure, None
    return replace(failure, kind="taken"), others[0]
