"""Routes of rules: versions, what differs, what they would change, activation, roll back, a second person."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.route import HubRoute
from api.schemas.match_models import (
    ActivatedTold,
    ActivationAsked,
    ActivationTold,
    ChoiceVersionTold,
    ComparisonTold,
    ConsequencesTold,
    DifferenceTold,
    ExampleTold,
    LevelChangeTold,
    LevelTold,
    ModelTold,
    ModelVersionTold,
    ProposalTold,
    RematchTold,
    RollbackAsked,
    RulesAsked,
    RulesOfType,
    RulesTold,
    TrialTold,
)
from mdm.errors import MatchModelUnknown, RulesProposalUnknown
from mdm.hub import Hub
from mdm.modelling import service
from mdm.modelling.editing import as_yaml
from mdm.modelling.model import (
    DECLARED,
    Activated,
    Activation,
    Asked,
    ChoiceVersion,
    ModelVersion,
    Overview,
    Pair,
    Proposal,
    Rematch,
)
from mdm.modelling.trial import Example, Trial

router = APIRouter(route_class=HubRoute, tags=["Rules"])

TRIED_MAX = 10_000  # chosen: some seconds; `mdm model diff --consequences` looks at more
TypeName = Annotated[str, Query(min_length=1, max_length=100)]
VersionName = Annotated[str, Query(pattern=r"^(declared|[0-9a-f]{4,16})$")]


@router.get("/v1/match-models", operation_id="list_rules", response_model_exclude_none=True)
def list_rules(entity_type: TypeName, hub: TheHub, asker: Asker) -> RulesOfType:
    """Show an entity type's rules: what holds, all versions, activations, what waits, how far the records are."""
    asker.require("steward", entity_type=hub.entity_type(entity_type).name)
    return _overview_told(service.overview(hub, entity_type))


@router.get("/v1/match-models/{version}", operation_id="read_match_model", response_model_exclude_none=True)
def read_match_model(version: str, hub: TheHub, asker: Asker) -> ModelTold:
    """Read a version of a match model, with the declaration it makes as YAML."""
    kept = _model(hub, version, asker)
    made = service.entity_type_under(hub, kept.entity_type, Pair(kept.version, None))
    model = made.model
    return ModelTold(
        kept=_model_told(kept),
        entity_type=made.name,
        version=model.version,
        prior_bits=model.prior_bits,
        review_bits=model.review_bits,
        match_bits=model.match_bits,
        population=model.population.records_count,
        comparisons=[
            ComparisonTold(
                name=one.name,
                feature=one.feature,
                comparator=one.comparator,
                levels=[LevelTold(label=at.label, at_least=at.at_least, bits=at.bits) for at in one.levels],
            )
            for one in model.comparisons
        ],
        yaml=as_yaml(hub, made),
    )


@router.get("/v1/match-models:diff", operation_id="compare_match_models", response_model_exclude_none=True)
def compare_match_models(
    entity_type: TypeName, before: VersionName, after: VersionName, hub: TheHub, asker: Asker
) -> DifferenceTold:
    """Tell what differs between two versions of an entity type's match model."""
    asker.require("steward", entity_type=hub.entity_type(entity_type).name)
    pairs = [Pair(None if one == DECLARED else service.find_model(hub, one).version, None) for one in (before, after)]
    found = service.compare(hub, entity_type, *pairs)
    return DifferenceTold(
        before=found.before,
        after=found.after,
        lines=dict(found.lines),
        levels=[
            LevelChangeTold(comparison=one.comparison, level=one.level, before=one.before, after=one.after)
            for one in found.levels
        ],
        parts=list(found.parts),
        values=dict(found.values),
    )


@router.post("/v1/match-models:try", operation_id="try_rules")
def try_rules(asked: RulesAsked, hub: TheHub, asker: Asker) -> ConsequencesTold:
    """Try rules on the hub's records: golden records joined and split, questions opened. Nothing is changed."""
    asker.require("steward", entity_type=hub.entity_type(asked.entity_type).name)
    holds = service.overview(hub, asked.entity_type, limit=1).holds
    wanted = _asked(hub, asked)
    rules = Pair(_part(wanted.model, holds.model), _part(wanted.survivorship, holds.survivorship))
    made = service.entity_type_under(hub, asked.entity_type, rules)
    before, after, reasons = service.consequences(hub, made, limit=TRIED_MAX)
    return ConsequencesTold(before=_trial_told(before), after=_trial_told(after), reasons_against=list(reasons))


@router.post("/v1/match-models:activate", operation_id="activate_rules", response_model=ActivatedTold)
def activate_rules(asked: ActivationAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Let other rules hold. The worker then matches all records anew; what policy holds becomes a proposal.

    Refused with every reason when what they would do looks wrong; `force` takes that upon oneself.
    """
    asker.require("lead", entity_type=hub.entity_type(asked.entity_type).name)
    wanted = _asked(hub, asked, reason=asked.reason, is_forced=asked.force)
    return once.around(
        lambda bracket: service.activate(hub, asked.entity_type, wanted, who=asker.name, bracket=bracket),
        _activated_told,
    )


@router.post("/v1/match-models:rollback", operation_id="roll_back_rules", response_model=ActivatedTold)
def roll_back_rules(asked: RollbackAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Let the rules hold again that held before those that hold now."""
    asker.require("lead", entity_type=hub.entity_type(asked.entity_type).name)
    return once.around(
        lambda bracket: service.roll_back(
            hub, asked.entity_type, reason=asked.reason, who=asker.name, is_forced=asked.force, bracket=bracket
        ),
        _activated_told,
    )


@router.post(
    "/v1/match-models/proposals/{proposal_id}:approve", operation_id="approve_rules", response_model=ActivatedTold
)
def approve_rules(proposal_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Approve, as the second person, a change of rules that somebody else asked for."""
    _proposal(hub, proposal_id, asker)
    return once.around(
        lambda bracket: service.approve(hub, proposal_id, who=asker.name, bracket=bracket), _activated_told
    )


@router.post(
    "/v1/match-models/proposals/{proposal_id}:reject", operation_id="reject_rules", response_model=ProposalTold
)
def reject_rules(proposal_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Turn a change of rules down, or withdraw one's own."""
    _proposal(hub, proposal_id, asker)
    return once.around(
        lambda bracket: service.turn_down(hub, proposal_id, who=asker.name, bracket=bracket), _proposal_told
    )


def _model(hub: Hub, version: str, asker: Caller) -> ModelVersion:
    """Find a model; one of an entity type beyond the caller's scope is as unknown as one that never was."""
    found = service.find_model(hub, version[:16])
    if not asker.principal.may("steward", entity_type=found.entity_type):
        raise MatchModelUnknown(version[:100])
    return found


def _proposal(hub: Hub, proposal_id: str, asker: Caller) -> None:
    found = service.proposal(hub, proposal_id)
    if not asker.principal.may("lead", entity_type=found.entity_type):
        raise RulesProposalUnknown(proposal_id)


def _asked(hub: Hub, asked: RulesAsked, *, reason: str = "", is_forced: bool = False) -> Asked:
    model = asked.model if asked.model in {None, DECLARED} else service.find_model(hub, str(asked.model)).version
    choice = asked.survivorship
    if choice not in {None, DECLARED}:
        choice = service.find_choice(hub, str(choice)).version
    return Asked(model, choice, reason, is_forced)


def _part(asked: str | None, holds: str | None) -> str | None:
    return holds if asked is None else None if asked == DECLARED else asked


def _rules_told(rules: Pair) -> RulesTold:
    return RulesTold(model=rules.model, survivorship=rules.survivorship)


def _overview_told(found: Overview) -> RulesOfType:
    return RulesOfType(
        entity_type=found.entity_type,
        declared=found.declared,
        holds=_rules_told(found.holds),
        models=[_model_told(one) for one in found.models],
        survivorship=[_choice_told(one) for one in found.choices],
        activations=[_activation_told(one) for one in found.activations],
        waiting=None if found.waiting is None else _proposal_told(found.waiting),
        rematch=None if found.rematch is None else _rematch_told(found.rematch),
    )


def _model_told(one: ModelVersion) -> ModelVersionTold:
    return ModelVersionTold(
        version=one.version,
        entity_type=one.entity_type,
        origin=one.origin,
        reason=one.reason,
        made_from=one.made_from,
        recorded_at=one.recorded_at,
        who=one.who,
        report=None if one.report is None else dict(one.report),
    )


def _choice_told(one: ChoiceVersion) -> ChoiceVersionTold:
    return ChoiceVersionTold(
        version=one.version,
        entity_type=one.entity_type,
        reason=one.reason,
        made_from=one.made_from,
        recorded_at=one.recorded_at,
        who=one.who,
    )


def _activation_told(one: Activation) -> ActivationTold:
    return ActivationTold(
        id=one.id,
        number=one.number,
        entity_type=one.entity_type,
        rules=_rules_told(one.rules),
        reason=one.reason,
        forced=one.is_forced,
        refusals=list(one.refusals),
        proposed_by=one.proposed_by,
        recorded_at=one.recorded_at,
        who=one.who,
    )


def _proposal_told(one: Proposal) -> ProposalTold:
    return ProposalTold(
        id=one.id,
        entity_type=one.entity_type,
        rules=_rules_told(one.rules),
        reason=one.reason,
        refusals=list(one.refusals),
        state=one.state,
        recorded_at=one.recorded_at,
        who=one.who,
    )


def _rematch_told(one: Rematch) -> RematchTold:
    return RematchTold(
        id=one.id,
        activation=one.activation,
        state=one.state,
        total=one.total,
        done=one.done,
        found=dict(one.found),
    )


def _activated_told(done: Activated) -> ActivatedTold:
    return ActivatedTold(
        activation=None if done.activation is None else _activation_told(done.activation),
        waiting=None if done.waiting is None else _proposal_told(done.waiting),
        rematch=None if done.rematch is None else _rematch_told(done.rematch),
    )


def _trial_told(one: Trial) -> TrialTold:
    return TrialTold(
        share=one.share,
        records=one.figures.records,
        golden_records=one.figures.goldens,
        largest=one.figures.largest,
        matches=one.figures.matches,
        possible_matches=one.figures.possible,
        questions=one.figures.questions,
        joined=one.joined,
        split=one.split,
        joins=[_example_told(each) for each in one.joins],
        splits=[_example_told(each) for each in one.splits],
    )


def _example_told(one: Example) -> ExampleTold:
    return ExampleTold(golden_ids=list(one.golden_ids), names=list(one.names))
