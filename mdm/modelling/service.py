"""Use cases of versions of rules: keep, find, compare, try, activate with a reason, roll back, approve.

An activation is one row; the newest of an entity type holds. Whoever activates holds the rules alone for that moment,
so that no transaction commits what it worked out by other ones. Then the records are brought to the new rules by the
worker, see `mdm.jobs.rematch`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run, snapshot
from mdm.entities import rules_store
from mdm.entities.frozen import (
    Survivorship,
    misfits,
    model_definition,
    model_from,
    survivorship_from,
    survivorship_of,
    under,
)
from mdm.entities.model import EntityType
from mdm.errors import (
    ApprovalNeedsAnother,
    ApprovalPending,
    InputInvalid,
    MatchModelRefused,
    MatchModelUnknown,
    RulesProposalUnknown,
    RulesUnchanged,
)
from mdm.hub import UNBRACKETED, Bracket, Hub
from mdm.ids import new_activation_id, new_proposal_id, new_rematch_id
from mdm.modelling import store
from mdm.modelling.difference import difference
from mdm.modelling.evidence import RECORDS_MAX, Decided, Gathered, gather, gather_decided
from mdm.modelling.model import (
    DECLARED,
    Activated,
    Activation,
    Asked,
    ChoiceVersion,
    Difference,
    ModelVersion,
    Origin,
    Overview,
    Pair,
    Proposal,
    ProposalState,
    Provenance,
    Rematch,
)
from mdm.modelling.sanity import Agreement, reasons_against
from mdm.modelling.scoring import Scored, score_candidates, score_pairs
from mdm.modelling.trial import Trial, try_rules
from mdm.resolution.service import standardise
from mdm.survivorship.options import check_options

LISTED_MAX = 200  # chosen: versions on one page
BEGINNING_MIN = 4  # characters of a version that may stand for it


@dataclass(frozen=True, slots=True)
class _Change:
    """What is about to hold, and why."""

    entity_type: str
    rules: Pair
    reason: str
    is_forced: bool
    refusals: tuple[str, ...]
    proposed_by: str | None = None


def overview(hub: Hub, entity_type: str, *, limit: int = LISTED_MAX) -> Overview:
    """Show an entity type's rules: which hold, all versions, activations, what waits and what is at work."""
    hub.entity_type(entity_type)
    declared = hub.rules.declared[entity_type]
    with snapshot(hub.engine) as connection:
        models = store.select_models(connection, entity_type, limit=limit)
        activations = store.select_activations(connection, entity_type, limit=limit)
        return Overview(
            entity_type=entity_type,
            declared=declared.model.version,
            holds=activations[0].rules if activations else Pair(None, None),
            models=models,
            choices=store.select_choices(connection, entity_type, limit=limit),
            activations=activations,
            waiting=store.select_waiting(connection, entity_type),
            rematch=store.select_rematch(connection, entity_type),
        )


def find_model(hub: Hub, beginning: str) -> ModelVersion:
    """Find a model version by its name or the beginning of it; raises MatchModelUnknown."""
    with reading(hub.engine) as connection:
        found = store.select_models_named(connection, beginning) if len(beginning) >= BEGINNING_MIN else ()
    if len(found) != 1:
        raise MatchModelUnknown(beginning)
    return found[0]


def find_choice(hub: Hub, beginning: str) -> ChoiceVersion:
    """Find a version of the choice of values by its name or the beginning of it; raises MatchModelUnknown."""
    with reading(hub.engine) as connection:
        found = store.select_choices_named(connection, beginning) if len(beginning) >= BEGINNING_MIN else ()
    if len(found) != 1:
        raise MatchModelUnknown(beginning)
    return found[0]


def entity_type_under(hub: Hub, name: str, rules: Pair) -> EntityType:
    """Give an entity type as it would be under some versions; raises MatchModelUnknown, InputInvalid."""
    with reading(hub.engine) as connection:
        return _under(hub, connection, name, rules)


def keep_model(hub: Hub, made: EntityType, source: Provenance, *, who: str) -> ModelVersion:
    """Keep the model of an entity type as a version; nothing is activated."""
    require_fit(hub, made)

    def act(connection: Connection) -> ModelVersion:
        at = clock.recording_instant(connection)
        version = ModelVersion(
            made.model.version,
            made.name,
            source.origin,
            source.reason.strip(),
            source.made_from,
            at,
            who,
            source.report,
        )
        name_actor(connection, who)
        store.insert_model(connection, version, model_definition(made.model))
        return store.select_models_named(connection, version.version)[0]

    return run(hub.engine, act)


def keep_choice(hub: Hub, made: EntityType, *, reason: str, who: str, made_from: str | None = None) -> ChoiceVersion:
    """Keep the choice of values of an entity type as a version; nothing is activated."""
    require_fit(hub, made)
    choice = survivorship_of(made)

    def act(connection: Connection) -> ChoiceVersion:
        at = clock.recording_instant(connection)
        version = ChoiceVersion(choice.version, made.name, reason.strip(), made_from, at, who)
        name_actor(connection, who)
        store.insert_choice(connection, version, choice.definition())
        return store.select_choices_named(connection, version.version)[0]

    return run(hub.engine, act)


def keep_parts(hub: Hub, made: EntityType, *, origin: Origin, reason: str, who: str) -> Pair:
    """Keep what an edit changed, each part as a version; None for a part that is as it holds."""
    holding = hub.entity_type(made.name)
    model = choice = None
    if made.model != holding.model:
        kept = keep_model(hub, made, Provenance(origin, reason, holding.model.version), who=who)
        model = kept.version
    if survivorship_of(made) != survivorship_of(holding):
        before = survivorship_of(holding).version
        choice = keep_choice(hub, made, reason=reason, who=who, made_from=before).version
    return Pair(model, choice)


def require_fit(hub: Hub, made: EntityType) -> None:
    """Refuse rules that the entity type as declared cannot work by."""
    declared = hub.rules.declared[hub.entity_type(made.name).name]
    if reasons := misfits(declared, made.model):
        raise InputInvalid(
            f"the model does not fit {made.name}: {'; '.join(reasons)}",
            remedy="declare what it reads, or take another model",
            field="model",
        )
    check_options(made)


def compare(hub: Hub, name: str, before: Pair, after: Pair) -> Difference:
    """Tell what differs between two sets of rules of one entity type."""
    return difference(entity_type_under(hub, name, before), entity_type_under(hub, name, after))


def consequences(
    hub: Hub, made: EntityType, *, limit: int = RECORDS_MAX, tell: Callable[[str], None] = lambda _: None
) -> tuple[Trial, Trial, tuple[str, ...]]:
    """Try rules on the hub's records beside those that hold: both trials, and what speaks against the new ones."""
    holding = hub.entity_type(made.name)
    tell("reading records")
    with snapshot(hub.engine) as connection:
        gathered = gather(connection, holding, limit=limit)
        decided = gather_decided(connection, holding)
    tell("trying the rules that hold")
    before = _tried(holding, gathered)
    tell("trying the new rules")
    after = before if made.version == holding.version else _tried(made, gathered)
    return before, after, reasons_against(before, after, agreement(made, decided))


def agreement(made: EntityType, decided: Decided) -> Agreement:
    """Count where rules judge alone against what stewards decided."""
    if not len(decided.left):
        return Agreement(0, 0, 0, 0)
    scored = score_pairs(standardise(made, decided.records), decided.left, decided.right, made.model)
    verdicts = scored.verdicts(made.model.review_bits, made.model.match_bits)
    verdicts = np.where(scored.vetoed, 0, verdicts)
    same = decided.is_same
    return Agreement(
        int((~same).sum()), int((~same & (verdicts == 2)).sum()), int(same.sum()), int((same & (verdicts == 0)).sum())
    )


def activate(hub: Hub, name: str, asked: Asked, *, who: str, bracket: Bracket[Activated] = UNBRACKETED) -> Activated:
    """Let other rules hold, or wait for a second person where the policy asks for one.

    Raises MatchModelRefused with what speaks against them unless it is forced, InputInvalid without a reason,
    ApprovalPending when a change waits already, MatchModelUnknown, RulesUnchanged when they hold already.
    """
    holding = hub.entity_type(name)
    if not asked.reason.strip():
        raise InputInvalid("a change of rules needs a reason", remedy="say in a few words why", field="reason")

    def look(connection: Connection) -> tuple[Pair, EntityType]:
        bracket.before(connection)  # a repeat is answered before it can be refused
        return _asked_for(hub, connection, name, asked)

    rules, made = run(hub.engine, look)
    require_fit(hub, made)
    reasons: tuple[str, ...] = ()
    if made.model != holding.model:
        _, _, reasons = consequences(hub, made)
    if reasons and not asked.is_forced:
        raise MatchModelRefused(_named(rules), reasons)
    change = _Change(name, rules, asked.reason.strip(), asked.is_forced and bool(reasons), reasons)

    def act(connection: Connection) -> Activated:
        name_actor(connection, who)
        if holding.reviews.approval.rules:
            return Activated(None, _propose(connection, change, who), None, reasons)
        return Activated(*_activated(connection, change, who), reasons)

    done = run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))
    if done.activation is not None:
        _follow(hub)
    return done


def roll_back(
    hub: Hub, name: str, *, reason: str, who: str, is_forced: bool = False, bracket: Bracket[Activated] = UNBRACKETED
) -> Activated:
    """Let the rules hold again that held before those that hold; raises RulesUnchanged when there were none."""
    hub.entity_type(name)

    def look(connection: Connection) -> tuple[Activation, ...]:
        bracket.before(connection)
        return store.select_activations(connection, name, limit=2)

    activations = run(hub.engine, look)
    if not activations:
        raise RulesUnchanged(f"no other rules were ever activated for {name}", remedy="there is nothing to take back")
    before = activations[1].rules if len(activations) > 1 else Pair(None, None)
    asked = Asked(before.model or DECLARED, before.survivorship or DECLARED, reason, is_forced)
    return activate(hub, name, asked, who=who, bracket=bracket)


def approve(hub: Hub, proposal_id: str, *, who: str, bracket: Bracket[Activated] = UNBRACKETED) -> Activated:
    """Approve, as the second person, a change of rules that somebody else asked for; raises ApprovalNeedsAnother."""

    def act(connection: Connection) -> Activated:
        found = _require_waiting(connection, proposal_id)
        if found.who == who:
            raise ApprovalNeedsAnother(f"{who} asked for this change", remedy="let somebody else approve it")
        name_actor(connection, who)
        store.settle_proposal(connection, found.id, state="approved", at=clock.recording_instant(connection), who=who)
        change = _Change(found.entity_type, found.rules, found.reason, found.is_forced, found.refusals, found.who)
        return Activated(*_activated(connection, change, who), found.refusals)

    done = run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))
    _follow(hub)
    return done


def turn_down(hub: Hub, proposal_id: str, *, who: str, bracket: Bracket[Proposal] = UNBRACKETED) -> Proposal:
    """End the waiting of a change: withdrawn by whoever asked for it, else rejected."""

    def act(connection: Connection) -> Proposal:
        found = _require_waiting(connection, proposal_id)
        state: ProposalState = "withdrawn" if found.who == who else "rejected"
        at = clock.recording_instant(connection)
        store.settle_proposal(connection, found.id, state=state, at=at, who=who)
        return replace(found, state=state, settled_at=at, settled_by=who)

    return run(hub.engine, lambda connection: bracket.around(connection, lambda: act(connection)))


def proposal(hub: Hub, proposal_id: str) -> Proposal:
    """Read a change of rules that waits, or did; raises RulesProposalUnknown."""
    with reading(hub.engine) as connection:
        found = store.select_proposal(connection, proposal_id)
    if found is None:
        raise RulesProposalUnknown(proposal_id)
    return found


def _tried(made: EntityType, gathered: Gathered) -> Trial:
    forms = standardise(made, gathered.records)
    return try_rules(made, gathered, forms, score_candidates(forms, made.model))


def scored_of(made: EntityType, gathered: Gathered) -> Scored:
    """Score all pairs among gathered records that could match."""
    return score_candidates(standardise(made, gathered.records), made.model)


def _require_waiting(connection: Connection, proposal_id: str) -> Proposal:
    found = store.select_proposal(connection, proposal_id)
    if found is None or found.state != "waiting":
        raise RulesProposalUnknown(proposal_id)
    return found


def _asked_for(hub: Hub, connection: Connection, name: str, asked: Asked) -> tuple[Pair, EntityType]:
    """Work out which two parts would hold; raises RulesUnchanged when they hold already."""
    newest = store.select_activations(connection, name, limit=1)
    holds = newest[0].rules if newest else Pair(None, None)
    rules = Pair(_part(asked.model, holds.model), _part(asked.survivorship, holds.survivorship))
    if rules == holds:
        raise RulesUnchanged(f"these rules hold for {name} already", remedy="there is nothing to activate")
    return rules, _under(hub, connection, name, rules)


def _part(asked: str | None, holds: str | None) -> str | None:
    if asked is None:
        return holds
    return None if asked == DECLARED else asked


def _under(hub: Hub, connection: Connection, name: str, rules: Pair) -> EntityType:
    declared = hub.rules.declared[hub.entity_type(name).name]
    model = choice = None
    if rules.model is not None:
        definition = store.select_definition(connection, "match_model", rules.model)
        if definition is None or definition["entity_type"] != name:
            raise MatchModelUnknown(rules.model)
        model = model_from(definition, rules.model)
    if rules.survivorship is not None:
        choice = _choice(connection, name, rules.survivorship)
    return under(declared, model, choice)


def _choice(connection: Connection, name: str, version: str) -> Survivorship:
    definition = store.select_definition(connection, "survivorship_rules", version)
    if definition is None:
        raise MatchModelUnknown(version)
    choice = survivorship_from(name, definition)
    if choice.version != version:  # of another entity type
        raise MatchModelUnknown(version)
    return choice


def _propose(connection: Connection, change: _Change, who: str) -> Proposal:
    if store.select_waiting(connection, change.entity_type) is not None:
        raise ApprovalPending(
            f"a change of the rules of {change.entity_type} waits for a second person already",
            remedy="approve it or turn it down first",
        )
    made = Proposal(
        new_proposal_id(),
        change.entity_type,
        change.rules,
        change.reason,
        change.is_forced,
        change.refusals,
        "waiting",
        clock.recording_instant(connection),
        who,
    )
    store.insert_proposal(connection, made)
    return made


def _activated(connection: Connection, change: _Change, who: str) -> tuple[Activation, None, Rematch]:
    """Append the activation and begin the work that follows; work for earlier rules ends."""
    rules_store.hold_rules_alone(connection)
    at = clock.recording_instant(connection)
    made = Activation(
        new_activation_id(),
        store.select_newest_number(connection) + 1,
        change.entity_type,
        change.rules,
        change.reason,
        change.is_forced,
        change.refusals,
        change.proposed_by,
        at,
        who,
    )
    store.insert_activation(connection, made)
    store.end_rematches(connection, change.entity_type, at=at, who=who)
    total = store.count_records(connection, change.entity_type)
    work = Rematch(new_rematch_id(), change.entity_type, made.number, "running", "", total, 0, {}, at, who)
    store.insert_rematch(connection, work)
    return made, None, work


def _follow(hub: Hub) -> None:
    """Let this process work by the new rules at once; others see them with their next transaction."""
    with reading(hub.engine) as connection:
        hub.rules.refresh(connection)


def _named(rules: Pair) -> str:
    return f"model {rules.model or DECLARED}"
