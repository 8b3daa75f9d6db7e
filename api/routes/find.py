"""The one search over names, keys, numbers and ids."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import Asker, TheHub
from api.pagination import EntityTypeName
from api.route import HubRoute
from api.schemas.find import FoundTold, HitTold, WhyTold
from mdm.access.limits import Limits
from mdm.stewardship.find import find
from mdm.stewardship.found import Hit

FOUND: Final = 20  # chosen: what a palette shows without scrolling twice

router = APIRouter(route_class=HubRoute, tags=["Golden records"])

Question = Annotated[
    str,
    Query(
        max_length=10_000,
        description="A name, also misspelled or a former one; a source key, a golden id, a tax id, a project number, a"
        " telephone number, an e-mail address or a web site in any format, or how one of them begins.",
        examples=["müler maschinenbau", "DE 136 695 976", "netsuite-us/customer:10482"],
    ),
]
FoundLimit = Annotated[int, Query(ge=1, le=100, description="Golden records at most.")]


@router.get("/v1/find", operation_id="find", response_model_exclude_none=True)
def find_anything(
    hub: TheHub, asker: Asker, q: Question, entity_type: EntityTypeName = None, limit: FoundLimit = FOUND
) -> FoundTold:
    """Find golden records by whatever is known of them, best first, each with the reason why it was found."""
    if entity_type is not None:
        hub.entity_type(entity_type)
    limits = Limits.of(asker.principal, "read", hub.declared)
    found = find(hub, q, limits=limits, entity_type=entity_type, limit=limit)
    return FoundTold(
        question=found.question,
        rows=[_told(hit) for hit in found.hits],
        is_complete=found.is_complete,
        took_ms=round(found.took_ms, 3),
    )


def _told(hit: Hit) -> HitTold:
    return HitTold(
        id=hit.golden_id,
        entity_type=hit.entity_type,
        name=hit.name,
        status=hit.state,
        forwarded_from=hit.forwarded_from,
        sources=list(hit.sources),
        reasons=[
            WhyTold(
                by=why.by,
                attribute=why.attribute,
                shown=why.shown,
                source_keys=list(why.source_keys),
                is_gone=why.is_gone,
            )
            for why in hit.reasons
        ],
    )
