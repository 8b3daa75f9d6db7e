"""Rejected deliveries of a batch: when each is put in the queue, and what is told of it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from mdm.jobs.model import Outcome, Outcomes
from mdm.sources import exceptions
from mdm.sources.model import Accepted, Rejected


def rejected_by_turn(judged: Sequence[Accepted | Rejected]) -> tuple[dict[int, Rejected], dict[int, Rejected]]:
    """Part what is rejected of a batch into what is queued first, and what came after an accepted one of its key.

    Without a source time the later of two deliveries holds, so the latter waits until the earlier one is stored.
    """
    early, late, accepted = {}, {}, set()
    for index, one in enumerate(judged):
        if isinstance(one, Accepted):
            accepted.add(one.delivery.key)
        elif one.delivery.key in accepted:
            late[index] = one
        else:
            early[index] = one
    return early, late


def queued(
    connection: Connection, rejected: Mapping[int, Rejected], *, column_map: Mapping[str, str], who: str
) -> Outcomes:
    """Queue rejected deliveries and say of each whether it is rejected or stale, by its place in the call."""
    outcomes = {
        index: Outcome(one.delivery.key, "rejected", None, "none", errors=one.reasons)
        for index, one in rejected.items()
    }
    # A merge is told again by whoever told it; the queue keeps records.
    records = [index for index, one in rejected.items() if one.delivery.merged_into is None]
    if records:
        kept = [rejected[index] for index in records]
        for place in exceptions.queue_rejected(connection, kept, column_map=column_map, who=who):
            outcomes[records[place]] = Outcome(kept[place].delivery.key, "stale", None, "none")
    return outcomes
