"""Routes of what stewards do to golden records: each with a dry run that shows what it would do."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.dependencies import Asker, Caller, Once, TheHub, Unsafe, json_response
from api.etag import IfMatch, read_if_match
from api.route import HubRoute
from api.schemas.operations import (
    BoundTold,
    ChangedTold,
    EffectTold,
    JudgeAsked,
    MergeAsked,
    MoveAsked,
    MovedTold,
    OperationAsked,
    SplitAsked,
    UnmergeAsked,
    UnmergeRecordAsked,
)
from mdm.db.transaction import reading
from mdm.decisions.model import Decision, Verdict
from mdm.hub import Hub
from mdm.identity.service import golden_record, identity_event
from mdm.ids import EventId, GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.model import (
    By,
    ChangedGolden,
    Confirm,
    Dissolve,
    Effect,
    Judge,
    Merge,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeBranch,
    UnmergeRecord,
)
from mdm.stewardship.operations import perform, preview

router = APIRouter(route_class=HubRoute, tags=["Operations"])

DryRun = Annotated[bool, Query(description="Say what would happen, and change nothing.")]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every operation needs besides itself: the hub, who asks, once or as a dry run, on which version."""

    hub: Hub
    asker: Caller
    once: Once
    is_dry: bool
    seen: tuple[GoldenId, int] | None

    def on_golden(self, golden_id: str, operation: Operation, asked: OperationAsked) -> Response:
        """Do something to a golden record, if the caller may."""
        with reading(self.hub.engine) as connection:
            entity_type = golden_record(connection, GoldenId(golden_id)).entity_type
        return self._do(operation, asked, entity_type)

    def on_event(self, event_id: str, operation: Operation, asked: OperationAsked) -> Response:
        """Do something to an event, if the caller may."""
        with reading(self.hub.engine) as connection:
            entity_type = identity_event(connection, EventId(event_id)).plan.entity_type
        return self._do(operation, asked, entity_type)

    def _do(self, operation: Operation, asked: OperationAsked, entity_type: str) -> Response:
        self.asker.require("steward", entity_type=entity_type)
        expected = {GoldenId(id_): version for id_, version in asked.expected_versions.items()}
        by = By(self.asker.name, asked.reason, expected | dict([self.seen] if self.seen else []))
        if self.is_dry:
            told = self._told(preview(self.hub, operation, by)).model_copy(update={"dry_run": True})
            return json_response(told.model_dump(mode="json", exclude_none=True))
        return self.once.around(lambda bracket: perform(self.hub, operation, by, bracket=bracket), self._told)

    def _told(self, effect: Effect) -> EffectTold:
        principal = self.asker.principal
        types = {one.after.entity_type for one in effect.goldens}
        return _told(effect, {name for name in types if principal.may("read", entity_type=name)})


def _desk(
    hub: TheHub,
    asker: Asker,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
    if_match: IfMatch = None,
) -> _Desk:
    return _Desk(hub, asker, once, dry_run, read_if_match(if_match))


Desk = Annotated[_Desk, Depends(_desk)]


@router.post("/v1/golden-records/{golden_id}:merge", operation_id="merge", response_model=EffectTold)
def merge(golden_id: str, asked: MergeAsked, desk: Desk) -> Response:
    """Make two golden records one: the absorbed id forwards for ever, and every later run keeps them together.

    Refused with the proof when a decision keeps two of their members apart.
    """
    survivor = GoldenId(asked.survivor) if asked.survivor else None
    operation = Merge(GoldenId(golden_id), GoldenId(asked.other), survivor, asked.values)
    return desk.on_golden(golden_id, operation, asked)


@router.post("/v1/golden-records/{golden_id}:judge", operation_id="judge", response_model=EffectTold)
def judge(golden_id: str, asked: JudgeAsked, desk: Desk) -> Response:
    """Decide that two golden records are same, different, related, or that it is unsure; it binds all their members."""
    verdict = Verdict(asked.judgement, asked.reason, asked.relation)
    return desk.on_golden(golden_id, Judge(GoldenId(golden_id), GoldenId(asked.other), verdict), asked)


@router.post("/v1/golden-records/{golden_id}:split", operation_id="split", response_model=EffectTold)
def split(golden_id: str, asked: SplitAsked, desk: Desk) -> Response:
    """Divide a golden record anew; parts that came from elsewhere get their own ids back."""
    parts = tuple(frozenset(map(SourceKey.parse, part)) for part in asked.parts)
    return desk.on_golden(golden_id, Split(GoldenId(golden_id), parts), asked)


@router.post("/v1/golden-records/{golden_id}:move", operation_id="move", response_model=EffectTold)
def move(golden_id: str, asked: MoveAsked, desk: Desk) -> Response:
    """Take one record out of its golden record and into this one."""
    return desk.on_golden(golden_id, Move(SourceKey.parse(asked.source_key), GoldenId(golden_id)), asked)


@router.post("/v1/golden-records/{golden_id}:unmerge", operation_id="unmerge_record", response_model=EffectTold)
def unmerge_record(golden_id: str, asked: UnmergeRecordAsked, desk: Desk) -> Response:
    """Take one record out of this golden record for good, or the branch that came with it in the last merge.

    Refused when the record is no member of it.
    """
    key = SourceKey.parse(asked.source_key)
    unmerged = UnmergeBranch if asked.branch else UnmergeRecord
    return desk.on_golden(golden_id, unmerged(key, GoldenId(golden_id)), asked)


@router.post("/v1/golden-records/{golden_id}:dissolve", operation_id="dissolve", response_model=EffectTold)
def dissolve(golden_id: str, asked: OperationAsked, desk: Desk) -> Response:
    """Let every record of a golden record stand alone."""
    return desk.on_golden(golden_id, Dissolve(GoldenId(golden_id)), asked)


@router.post("/v1/golden-records/{golden_id}:confirm", operation_id="confirm", response_model=EffectTold)
def confirm(golden_id: str, asked: OperationAsked, desk: Desk) -> Response:
    """Say that a golden record is right: its members stay together, and its id survives merges."""
    return desk.on_golden(golden_id, Confirm(GoldenId(golden_id)), asked)


@router.post("/v1/golden-records/{golden_id}:retire", operation_id="retire", response_model=EffectTold)
def retire(golden_id: str, asked: OperationAsked, desk: Desk) -> Response:
    """End a golden record that tells of no real thing; its records are kept and belong to nothing."""
    return desk.on_golden(golden_id, Retire(GoldenId(golden_id)), asked)


@router.post("/v1/golden-records/{golden_id}:restore", operation_id="restore", response_model=EffectTold)
def restore(golden_id: str, asked: OperationAsked, desk: Desk) -> Response:
    """Bring back a golden record that a steward retired, under the same id."""
    return desk.on_golden(golden_id, Restore(GoldenId(golden_id)), asked)


@router.post("/v1/merges/{event_id}:unmerge", operation_id="unmerge", response_model=EffectTold)
def unmerge(event_id: str, asked: UnmergeAsked, desk: Desk) -> Response:
    """Take a merge back exactly: ids, members, values, children. The two stay apart from now on.

    Refused with the name of the event or decision that is in the way.
    """
    returning = GoldenId(asked.returning) if asked.returning else None
    return desk.on_event(event_id, Unmerge(EventId(event_id), returning), asked)


@router.post("/v1/events/{event_id}:undo", operation_id="undo", response_model=EffectTold)
def undo(event_id: str, asked: OperationAsked, desk: Desk) -> Response:
    """Take an operation back as if it had not been done; nothing keeps matching from joining or parting again."""
    return desk.on_event(event_id, Undo(EventId(event_id)), asked)


def _told(effect: Effect, readable: Container[str]) -> EffectTold:
    """Tell an effect; values of what follows only of entity types that the caller may read."""
    return EffectTold(
        event_id=effect.event_id,
        kind=effect.kind,
        moved=[
            MovedTold(entity_type=one.entity_type, source_key=one.source_key, before=one.before, after=one.after)
            for one in effect.moved
        ],
        golden_records=[_changed(one, is_readable=one.after.entity_type in readable) for one in effect.goldens],
        decisions_made=_bound(effect.made),
        decisions_ended=_bound(effect.ended),
        targets=dict(effect.targets),
    )


def _changed(one: ChangedGolden, *, is_readable: bool) -> ChangedTold:
    return ChangedTold(
        id=one.after.golden_id,
        entity_type=one.after.entity_type,
        status=one.after.state,
        forwarded_to=one.after.forward_to,
        version=one.after.version,
        before=dict(one.before.values) if is_readable and one.before is not None else None,
        after=dict(one.after.values) if is_readable else None,
    )


def _bound(decisions: Sequence[Decision]) -> list[BoundTold]:
    return [
        BoundTold(
            id=one.id,
            judgement=one.verdict.relation or one.verdict.judgement,
            left=one.left_key,
            right=one.right_key,
        )
        for one in decisions
    ]
