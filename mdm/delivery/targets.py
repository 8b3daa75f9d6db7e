"""Use cases of targets: apply a declaration, let one pause, drain, go on, and say how each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import reading
from mdm.delivery import standings_store
from mdm.delivery.changes import Applied, differences
from mdm.delivery.connection import connection_of, unset_secrets
from mdm.delivery.declaration import check_declaration, declaration_of, read_declaration
from mdm.delivery.model import Declaration, Stance, Standing, StandingState
from mdm.errors import InputInvalid, TargetUnknown
from mdm.hub import Hub
from mdm.publishing import store as publishing_store
from mdm.publishing.model import Target
from mdm.sources.service import instances, require_instance


def apply_declaration(
    connection: Connection, declaration: Declaration, content: Mapping[str, Any], *, who: str
) -> Applied:
    """Add a target, or change it, and queue the present state of all it was not told of.

    A target of records that is new, or new to an entity type, waits for its backfill: what it holds has to be matched
    before anything is written there; after that it stands as before. Raises SourceUnknown, InputInvalid when the id
    belongs to a target of another kind or of another system.
    """
    name_actor(connection, who)
    applied = preview_declaration(connection, declaration, content)
    target = Target(declaration.id, declaration.kind, declaration.entity_types, content)
    publishing_store.insert_target(connection, target, who=who)
    queued = publishing_store.insert_backlog(
        connection, declaration.id, at=clock.recording_instant(connection), who=who
    )
    if applied.change == "new" or applied.needs_backfill:
        reason = f"new: {', '.join(applied.new_types)}" if applied.change != "new" else ""
        standing = Standing(declaration.id, applied.state, reason, clock.instant(connection), who, after=applied.after)
        standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return replace(applied, queued=queued)


def preview_declaration(connection: Connection, declaration: Declaration, content: Mapping[str, Any]) -> Applied:
    """Say what applying a declaration would do, and change nothing; raises as applying it does."""
    known = publishing_store.select_target(connection, declaration.id)
    if known is not None and known.kind != declaration.kind:
        raise InputInvalid(
            f"{declaration.id} is a target of kind {known.kind}, not {declaration.kind}",
            remedy="choose another id, or remove the target first",
            field="kind",
        )
    if known is not None and (known.configuration.get("instance") or "") != declaration.instance:
        # What the hub wrote there, and the records' ids, would be taken for what another system holds.
        raise InputInvalid(
            f"{declaration.id} writes the records of {known.configuration['instance']}, not of {declaration.instance}",
            remedy="choose another id, or remove the target first",
            field="instance",
        )
    if declaration.instance:
        require_instance(connection, declaration.instance)
    queued = publishing_store.count_backlog(connection, declaration.id, declaration.entity_types)
    told = known.entity_types if known is not None else ()
    new_types = tuple(name for name in declaration.entity_types if name not in told)
    found = differences(known.configuration, content) if known is not None else ()
    needs_backfill = declaration.kind == "records" and bool(new_types)
    standing = standings_store.select_standing(connection, declaration.id)
    state: StandingState = standing.state if standing is not None else "running"
    is_unmatched = needs_backfill or state == "backfill"
    return Applied(
        declaration.id,
        "new" if known is None else "changed" if found else "unchanged",
        found,
        queued,
        new_types,
        needs_backfill=needs_backfill,
        state="backfill" if needs_backfill else state,
        after=_after_backfill(standing) if standing is not None and is_unmatched else None,
        warnings=_warnings(declaration),
    )


def read_target(hub: Hub, path: Path) -> tuple[Declaration, Mapping[str, Any]]:
    """Read the declaration of a target from its file; raises TargetDeclarationInvalid with every fault."""
    return read_declaration(path, hub.declared, _registered(hub))


def check_target(hub: Hub, content: Mapping[str, Any]) -> Declaration:
    """Read the declaration of a target from plain values; raises TargetDeclarationInvalid with every fault."""
    return check_declaration(content, hub.declared, _registered(hub))


def declarations(connection: Connection) -> dict[str, Declaration]:
    """Give every declared target by id, those of kind file aside."""
    found = publishing_store.select_targets(connection)
    return {one.id: declaration_of(one.configuration) for one in found if one.kind != "file"}


def declarations_of_instances(connection: Connection, instances: Sequence[str]) -> dict[str, Declaration]:
    """Give the targets whose records are those of source instances, by instance."""
    found = publishing_store.select_record_targets(connection, instances)
    return {one.instance: one for one in map(declaration_of, found)}


def require_declaration(connection: Connection, target_id: str) -> Declaration:
    """Give one declared target; raises TargetUnknown, and InputInvalid for a target of files, which has none."""
    found = publishing_store.select_target(connection, target_id)
    if found is None:
        raise TargetUnknown(target_id)
    if found.kind == "file":
        raise InputInvalid(
            f"{target_id} is a folder of files: it holds all that is known after each round",
            remedy="`mdm sync` writes it; `mdm targets remove` ends that",
            field="target",
        )
    return declaration_of(found.configuration)


def let_stand(connection: Connection, target_id: str, state: StandingState, *, reason: str, who: str) -> Standing:
    """Let a target run, pause or drain from now on, or from when its records are matched.

    Raises TargetUnknown, InputInvalid without a reason, and where nothing but its backfill keeps a target from running.
    """
    declaration = require_declaration(connection, target_id)
    standing = standings_store.select_standing(connection, target_id)
    assert standing is not None, "a declared target has a standing"
    if not reason.strip():
        raise InputInvalid("say why", remedy="give a reason of one sentence", field="reason")
    if standing.state == "backfill" and state == "running" and standing.after is None:
        raise InputInvalid(
            f"the records of {target_id} are not matched yet",
            remedy=f"look at `mdm targets backfill {target_id}`, and apply it; then it runs",
            field="target",
        )
    name_actor(connection, who)
    if standing.state == "backfill":
        standing = replace(standing, after=None if state == "running" else Stance(state, reason))
    else:
        standing = replace(standing, state=state, reason=reason, since=clock.instant(connection), who=who)
    standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return standing


def end_backfill(connection: Connection, target_id: str, *, who: str) -> Standing:
    """Let a target run whose records are matched, or stand as it stood before; raises TargetUnknown."""
    declaration = require_declaration(connection, target_id)
    before = standings_store.select_standing(connection, target_id)
    after = (before.after if before is not None else None) or Stance("running", "its records are matched")
    name_actor(connection, who)
    standing = Standing(target_id, after.state, after.reason, clock.instant(connection), who)
    standings_store.upsert_standing(connection, standing, burst=declaration.rate.burst)
    return standing


def _after_backfill(standing: Standing) -> Stance | None:
    if standing.state in {"backfill", "running"}:
        return standing.after
    return Stance(standing.state, standing.reason)


def _registered(hub: Hub) -> tuple[str, ...]:
    with reading(hub.engine) as connection:
        return tuple(one.id for one in instances(connection))


def _warnings(declaration: Declaration) -> tuple[str, ...]:
    """Name secrets that are not there: the environment of whoever tells the target may be another one than ours."""
    return tuple(
        f"connection.{name}: {variable} is not set in this environment; that of the worker has to hold it"
        for name, variable in unset_secrets(connection_of(declaration), clock.now())
    )
