"""Routes of relations: what a golden record is to others."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Asker, TheHub
from api.instant import read_instant
from api.route import HubRoute
from api.schemas.relations import RelationsTold, RelationTold
from mdm.db.transaction import reading
from mdm.decisions.model import Relation
from mdm.errors import GoldenRecordUnknown
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.stewardship.relations import relations_of

router = APIRouter(route_class=HubRoute, tags=["Golden records"])

ValidAt = Annotated[
    str | None,
    Query(
        max_length=50,
        description="A day, or an instant for its day in UTC: only what holds in the world then. Left out, all"
        " relations are listed with their validity.",
        examples=["2026-06-30"],
    ),
]


@router.get("/v1/golden-records/{golden_id}/relations", operation_id="list_relations", response_model_exclude_none=True)
def read_relations(golden_id: str, hub: TheHub, asker: Asker, valid_at: ValidAt = None) -> RelationsTold:
    """List what a golden record is to others by decision: parent_of, child_of, sister_of and their like."""
    day = read_instant(valid_at, name="valid_at").date() if valid_at is not None else None
    with reading(hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
        if not asker.principal.may("read", entity_type=golden.entity_type):
            raise GoldenRecordUnknown(golden_id)
        found = relations_of(connection, golden.id, valid_at=day)
    rows = [_told(one) for one in found]
    return RelationsTold(golden_id=golden.id, entity_type=golden.entity_type, valid_at=day, rows=rows)


def _told(one: Relation) -> RelationTold:
    decision = one.decision
    return RelationTold(
        relation=one.relation,
        golden_id=one.golden_id,
        own_key=one.own_key,
        other_key=one.other_key,
        state=one.state,
        valid_from=decision.verdict.valid_from,
        valid_to=decision.verdict.valid_to,
        also=list(one.also) or None,
        decision_id=decision.id,
        reason=decision.verdict.reason,
        who=decision.who,
        recorded_at=decision.recorded_at,
    )
