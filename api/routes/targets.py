"""Routes of targets: declare them, see how they stand, let them pause, go on, or drain.

A target is seen by whoever may see every entity type that it is told of; to others it is unknown.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, Once, TheHub, Unsafe, json_answer
from api.route import HubRoute
from api.schemas.targets import (
    AppliedTold,
    Content,
    RemovedTold,
    StandAsked,
    StandingTold,
    TargetsTold,
    TargetTold,
)
from mdm.db.transaction import reading
from mdm.delivery.model import StandingState
from mdm.delivery.orders import target_line, target_lines
from mdm.delivery.targets import apply_declaration, check_target, let_stand, preview_declaration
from mdm.errors import InputInvalid, TargetUnknown
from mdm.publishing.file_target import remove_target, targets
from mdm.publishing.model import Target

router = APIRouter(route_class=HubRoute, tags=["Targets"])

DryRun = Annotated[bool, Query(description="Say what would happen, and change nothing.")]


@router.get("/v1/targets", operation_id="list_targets", response_model_exclude_none=True)
def list_targets(hub: TheHub, asker: Asker) -> TargetsTold:
    """List targets with how each stands and how much waits for it."""
    with reading(hub.engine) as connection:
        found = target_lines(connection)
    return TargetsTold(rows=[TargetTold.of(line) for line in found if may_see(asker, line.entity_types)])


@router.get("/v1/targets/{target_id}", operation_id="read_target", response_model_exclude_none=True)
def read_target(target_id: str, hub: TheHub, asker: Asker) -> TargetTold:
    """Read one target: its declaration, how it stands, what waits for it."""
    with reading(hub.engine) as connection:
        return TargetTold.of(target_line(connection, visible(connection, target_id, asker).id))


@router.put("/v1/targets/{target_id}", operation_id="apply_target", response_model=AppliedTold)
def apply_target(
    target_id: str,
    content: Content,
    hub: TheHub,
    asker: Asker,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
) -> Response:
    """Add or change a target by its declaration; what it was never told of is queued.

    A target of records that is new, or new to an entity type, is told nothing until its records are matched.
    """
    declaration = check_target(hub, content)
    if declaration.id != target_id:
        raise InputInvalid(
            f"the declaration is of {declaration.id}, not of {target_id[:80]}",
            remedy="name the same target in the path and in the body",
            field="/target",
        )
    if dry_run:
        with reading(hub.engine) as connection:
            return json_answer(AppliedTold.of(preview_declaration(connection, declaration, content), is_dry=True))
    return once(
        lambda connection: AppliedTold.of(
            apply_declaration(connection, declaration, content, who=asker.name), is_dry=False
        )
    )


@router.delete("/v1/targets/{target_id}", operation_id="remove_target", response_model=RemovedTold)
def delete_target(target_id: str, asker: Asker, once: Unsafe) -> Response:
    """Forget a target, what waits for it and what it holds; its records stay as they are."""

    def effect(connection: Connection) -> RemovedTold:
        remove_target(connection, target_id, who=asker.name)
        return RemovedTold(id=target_id)

    return once(effect)


@router.post("/v1/targets/{target_id}:pause", operation_id="pause_target", response_model=StandingTold)
def pause_target(target_id: str, asked: StandAsked, asker: Asker, once: Unsafe) -> Response:
    """Tell a target nothing until it is resumed; what changes meanwhile waits."""
    return _let_stand(target_id, "paused", asked, asker, once)


@router.post("/v1/targets/{target_id}:resume", operation_id="resume_target", response_model=StandingTold)
def resume_target(target_id: str, asked: StandAsked, asker: Asker, once: Unsafe) -> Response:
    """Tell a target again that was paused, stopped or disabled, or that rests: it is asked at once."""
    return _let_stand(target_id, "running", asked, asker, once)


@router.post("/v1/targets/{target_id}:drain", operation_id="drain_target", response_model=StandingTold)
def drain_target(target_id: str, asked: StandAsked, asker: Asker, once: Unsafe) -> Response:
    """Tell a target what waits now, then pause it."""
    return _let_stand(target_id, "draining", asked, asker, once)


def may_see(asker: Caller, entity_types: Sequence[str]) -> bool:
    """Tell whether a caller may see every entity type that a target is told of."""
    return all(asker.principal.may("read", entity_type=name) for name in entity_types)


def visible(connection: Connection, target_id: str, asker: Caller) -> Target:
    """Find a target; one beyond the caller's scope is as unknown as one that never was."""
    found = next((one for one in targets(connection) if one.id == target_id), None)
    if found is None or not may_see(asker, found.entity_types):
        raise TargetUnknown(target_id)
    return found


def _let_stand(target_id: str, state: StandingState, asked: StandAsked, asker: Caller, once: Once) -> Response:
    def effect(connection: Connection) -> StandingTold:
        for name in visible(connection, target_id, asker).entity_types:
            asker.require("lead", entity_type=name)
        return StandingTold.of(let_stand(connection, target_id, state, reason=asked.reason, who=asker.name))

    return once(effect)
