"""Routes of stewards' decisions."""

from fastapi import APIRouter, Response

from api.dependencies import Asker, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.decisions import DecisionAsked, DecisionTold
from api.schemas.shape import Page
from mdm.db.transaction import reading
from mdm.decisions.model import Decision, Verdict
from mdm.errors import SourceRecordUnknown
from mdm.identity.service import translate
from mdm.ids import DecisionId
from mdm.sources.model import SourceKey
from mdm.stewardship.service import decide, list_decisions, revoke

router = APIRouter(route_class=HubRoute, tags=["Decisions"])


@router.post("/v1/decisions", operation_id="make_decision", response_model=DecisionTold)
def make_decision(asked: DecisionAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Decide whether two source records are the same thing; what follows is carried out at once.

    Deciding the same again returns the decision that stands; one that contradicts others is refused with the proof.
    """
    left, right = SourceKey.parse(asked.left), SourceKey.parse(asked.right)
    if not asker.principal.may("steward"):
        with reading(hub.engine) as connection:
            found = translate(connection, [left])
        if left not in found:
            raise SourceRecordUnknown(str(left))
        asker.require("steward", entity_type=found[left][1])
    verdict = Verdict(asked.judgement, asked.reason, asked.relation, asked.valid_from, asked.valid_to)
    return once.around(
        lambda bracket: decide(hub, left, right, verdict, who=asker.name, bracket=bracket),
        lambda decision: _told(decision, asked),
    )


@router.get("/v1/decisions", operation_id="list_decisions", response_model_exclude_none=True)
def read_decisions(
    hub: TheHub, asker: Asker, entity_type: EntityTypeName = None, after: After = None, limit: Limit = PAGE_SIZE
) -> Page[DecisionTold]:
    """List decisions in the order they were made, revoked ones too."""
    asker.require("read", entity_type=entity_type)
    of = f"decisions?entity_type={entity_type}"
    position = read_cursor(after, of=of)
    found = list_decisions(hub, entity_type=entity_type, after=str(position[0]) if position else "", limit=limit + 1)
    return page([_told(one) for one in found], limit, of, lambda last: (last.id,))


@router.post("/v1/decisions/{decision_id}:revoke", operation_id="revoke_decision", response_model=DecisionTold)
def revoke_decision(decision_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Take a decision back; what only it held together or apart is clustered again."""
    asker.require("steward")
    return once.around(lambda bracket: revoke(hub, DecisionId(decision_id), who=asker.name, bracket=bracket), _told)


def _told(decision: Decision, asked: DecisionAsked | None = None) -> DecisionTold:
    """Tell a decision; one just made does not know its printed keys yet, the request does."""
    verdict = decision.verdict
    return DecisionTold(
        id=decision.id,
        entity_type=decision.entity_type,
        judgement=verdict.judgement,
        relation=verdict.relation,
        left=decision.left_key or (asked.left if asked else ""),
        right=decision.right_key or (asked.right if asked else ""),
        reason=verdict.reason,
        valid_from=verdict.valid_from,
        valid_to=verdict.valid_to,
        recorded_at=decision.recorded_at,
        who=decision.who,
        revoked_at=decision.revoked_at,
    )
