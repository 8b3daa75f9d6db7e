"""The route of search before create."""

from fastapi import APIRouter

from api.dependencies import Asker, TheHub
from api.route import HubRoute
from api.schemas.match import CandidateTold, EvidenceTold, MatchAsked, MatchTold
from api.schemas.shape import Fault
from mdm.db.transaction import reading
from mdm.entities.model import NOWHERE
from mdm.jobs.known_instances import KnownInstances
from mdm.resolution.model import Candidate, Sought
from mdm.resolution.search import search

router = APIRouter(route_class=HubRoute, tags=["Match"])


@router.post("/v1/match", operation_id="search_before_create")
def search_before_create(asked: MatchAsked, hub: TheHub, asker: Asker) -> MatchTold:
    """Find the golden records that a new record may mean, with the evidence; nothing is written.

    A key limited to some sources sees the records of those alone.
    """
    entity_type = hub.entity_type(asked.entity_type)
    sources = asker.principal.sources("read", entity_type.name)
    if sources is not None and not sources:
        asker.require("read", entity_type=entity_type.name)
    sought = Sought(asked.fields, KnownInstances(hub).origin_of(asked.source) if asked.source else NOWHERE)
    with reading(hub.engine) as connection:
        found = search(connection, entity_type, sought, bounds=hub.bounds, sources=sources, limit=asked.limit)
    return MatchTold(
        candidates=[candidate_told(candidate) for candidate in found.candidates],
        is_complete=found.is_complete,
        faults=[Fault.of(fault) for fault in found.faults],
        undeclared=list(found.undeclared),
    )


def candidate_told(candidate: Candidate) -> CandidateTold:
    """Tell one candidate with its evidence."""
    why = candidate.explanation
    return CandidateTold(
        golden_id=candidate.golden_id,
        verdict="match" if why.verdict == "match" else "possible_match",
        bits=why.bits,
        prior_bits=why.prior_bits,
        is_vetoed=why.is_conflict,
        rules=list(why.rules),
        source_key=str(candidate.key),
        evidence=[
            EvidenceTold(
                comparison=step.comparison,
                level=step.level,
                bits=step.bits,
                frequency_bits=step.frequency_bits,
                asked=list(step.left),
                held=list(step.right),
            )
            for step in why.steps
        ],
    )
