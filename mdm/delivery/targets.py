"""Use cases of targets: apply a declaration, let one pause, drain, go on, and say how each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.delivery import standings_store
from mdm.delivery.declaration import declaration_of, read_declaration
from mdm.delivery.model import Declaration, Standing, StandingState
from mdm.errors import InputInvalid, TargetUnknown
from mdm.hub import Hub
from mdm.publishing import store as publishing_store
from mdm.publishing.model import Target
from mdm.sources.service import require_instance


def apply_declaration(
    connection: Connection, declaration: Declaration, content: Mapping[str, Any], *, who: str
) -> Standing:
    """Add a target, or change it, and queue the present state of all it was not told of.

    A new target of records waits for its backfill: what it holds has to be matched before anything is written there.
    Raises SourceUnknown, InputInvalid when the id belongs to a target of another kind.
    """
    name_actor(connection, who)
    known = {one.id: one for one in publishing_store.select_targets(connection)}.get(declaration.id)
    if known is not None and known.kind != declaration.kind:
        raise InputInvalid(
            f"{declaration.id} is a target of kind {known.kind}, not {declaration.kind}",
            remedy="choose another id, or remove the target first",
            field="kind",
        )
    if declaration.instance:
        require_instance(connection, declaration.instance)
    target = Target(declaration.id, declaration.kind, declaration.entity_types, content)
    publishing_store.insert_target(connection, target, who=who)
    publishing_store.insert_backlog(connection, declaration.id, at=clock.recording_instant(connection), who=who)
    standing = standings_store.select_standing(connection, declaration.id)
    if standing is None:
        state: StandingState = "backfill" if declaration.kind == "records" else "running"
        standing = Standing(declaration.id, state, "", clock.instant(connection), who)
        standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return standing


def read_target(hub: Hub, path: Path) -> tuple[Declaration, Mapping[str, Any]]:
    """Read the declaration of a target from its file; raises TargetDeclarationInvalid with every fault."""
    return read_declaration(path, hub.declared)


def declarations(connection: Connection) -> dict[str, Declaration]:
    """Give every declared target by id, those of kind file aside."""
    found = publishing_store.select_targets(connection)
    return {one.id: declaration_of(one.configuration) for one in found if one.kind != "file"}


def declarations_of_instances(connection: Connection, instances: Sequence[str]) -> dict[str, Declaration]:
    """Give the targets whose records are those of source instances, by instance."""
    found = publishing_store.select_record_targets(connection, instances)
    return {one.instance: one for one in map(declaration_of, found)}


def require_declaration(connection: Connection, target_id: str) -> Declaration:
    """Give one declared target; raises TargetUnknown."""
    found = declarations(connection).get(target_id)
    if found is None:
        raise TargetUnknown(target_id)
    return found


def let_stand(connection: Connection, target_id: str, state: StandingState, *, reason: str, who: str) -> Standing:
    """Let a target run, pause or drain from now on; raises TargetUnknown, and InputInvalid before its backfill."""
    declaration = require_declaration(connection, target_id)
    standing = standings_store.select_standing(connection, target_id)
    assert standing is not None, "a declared target has a standing"
    if standing.state == "backfill" and state != "backfill":
        raise InputInvalid(
            f"the records of {target_id} are not matched yet",
            remedy=f"look at `mdm targets backfill {target_id}`, and apply it",
            field="target",
        )
    name_actor(connection, who)
    standing = replace(standing, state=state, reason=reason, since=clock.instant(connection), who=who)
    standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return standing


def end_backfill(connection: Connection, target_id: str, *, who: str) -> Standing:
    """Let a target run whose records are matched; raises TargetUnknown."""
    declaration = require_declaration(connection, target_id)
    name_actor(connection, who)
    standing = Standing(target_id, "running", "its records are matched", clock.instant(connection), who)
    standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return standing
