"""The route of deliveries: the way in."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Response

from api.dependencies import Asker, Everything, Unsafe
from api.route import HubRoute
from api.schemas.shape import Fault
from api.schemas.source_records import (
    Malformed,
    SourceRecordAsked,
    SourceRecordsAsked,
    SourceRecordsTold,
    SourceRecordTold,
)
from mdm.jobs.model import Outcome
from mdm.sources.model import Delivery, SourceKey

router = APIRouter(route_class=HubRoute, tags=["Source records"])


@router.post("/v1/source-records", operation_id="deliver_source_records", response_model=SourceRecordsTold)
def deliver_source_records(asked: SourceRecordsAsked, opened: Everything, asker: Asker, once: Unsafe) -> Response:
    """Take up to 1,000 records as their systems hold them now; each is taken or refused by itself.

    Sending the same again changes nothing, and an older version never overwrites a newer one.
    """
    hub = opened.hub
    for record in asked.records:
        if not isinstance(record, Malformed):
            asker.require("write", entity_type=record.entity_type, source=record.source)
    deliveries = [_delivery(record) for record in asked.records if not isinstance(record, Malformed)]
    return once.around(
        lambda bracket: opened.deliveries.deliver(hub, deliveries, who=asker.name, bracket=bracket),
        lambda outcomes: _told_all(asked.records, outcomes),
    )


def _told_all(records: Sequence[SourceRecordAsked | Malformed], outcomes: Sequence[Outcome]) -> SourceRecordsTold:
    """Tell what became of each record, in their order; malformed ones were delivered to nobody."""
    waiting = iter(outcomes)
    return SourceRecordsTold(
        results=[
            SourceRecordTold(status="rejected", outcome="none", errors=list(record.faults))
            if isinstance(record, Malformed)
            else told(next(waiting))
            for record in records
        ]
    )


def _delivery(record: SourceRecordAsked) -> Delivery:
    key = SourceKey(record.source, record.object, record.scope, record.source_key)
    survivor = None if record.merged_into is None else replace(key, native_id=record.merged_into)
    return Delivery(key, record.entity_type, record.fields, record.source_time, record.deleted, survivor)


def told(outcome: Outcome) -> SourceRecordTold:
    """Tell what became of one delivery."""
    return SourceRecordTold(
        status=outcome.status,
        golden_id=outcome.golden_id,
        outcome=outcome.outcome,
        in_review=outcome.in_review,
        errors=[Fault.of(reason) for reason in outcome.errors],
    )
