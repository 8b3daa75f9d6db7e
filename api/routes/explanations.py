"""Routes that explain: why two records are one or not, how a golden record came to be, what it was at another time."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Asker, Caller, TheHub
from api.instant import AsOf, ValidAt, maybe_instant
from api.route import HubRoute
from api.schemas.explanations import (
    ChapterTold,
    CutTold,
    DecisionBriefTold,
    EventBriefTold,
    EventTold,
    GraphDecisionTold,
    GraphEdgeTold,
    GraphTold,
    LifeStepTold,
    LifeTold,
    LinkTold,
    MembersTold,
    MemberTold,
    MoveTold,
    NamesTold,
    NameTold,
    NodeTold,
    StoryTold,
    TurnTold,
    WhyTold,
)
from mdm.db.transaction import reading, snapshot
from mdm.errors import EventUnknown, GoldenRecordUnknown
from mdm.ids import EventId, GoldenId
from mdm.stewardship.graph import graph_of
from mdm.stewardship.past import Chapter, life_of, story_of, tell_event
from mdm.stewardship.then import Moment, members_of, names_of, standing_of
from mdm.stewardship.why import why

router = APIRouter(route_class=HubRoute, tags=["Explanations"])

Named = Annotated[
    str,
    Query(
        min_length=1,
        max_length=600,
        description="A printed source key, or a golden id.",
        examples=["netsuite-us/customer:10482"],
    ),
]


@router.get("/v1/why", operation_id="explain_pair", response_model_exclude_none=True)
def explain_pair(left: Named, right: Named, hub: TheHub, asker: Asker) -> WhyTold:
    """Tell why two records are one golden record, or why not, with all the evidence."""
    with snapshot(hub.engine) as connection:
        found = why(hub, connection, left, right, may_see=lambda name: asker.principal.may("read", entity_type=name))
    return WhyTold.model_validate(found)


@router.get("/v1/events/{event_id}", operation_id="read_event", response_model_exclude_none=True)
def read_event(event_id: str, hub: TheHub, asker: Asker) -> EventTold:
    """Tell one identity event: who and why, every record and id that it moved, and what followed from it."""
    with snapshot(hub.engine) as connection:
        told = tell_event(connection, EventId(event_id))
    if not asker.principal.may("read", entity_type=told.event.entity_type):
        raise EventUnknown(event_id)
    return EventTold(
        event=EventBriefTold.model_validate(told.event),
        moves=[MoveTold.model_validate(move) for move in told.moves],
        turns=[TurnTold.model_validate(turn) for turn in told.turns],
        refreshed=list(told.refreshed),
        followers=[
            EventBriefTold.model_validate(one)
            for one in told.followers
            if asker.principal.may("read", entity_type=one.entity_type)
        ],
        undone_by=list(told.undone_by),
        decisions_made=[DecisionBriefTold(id=one.id, said=str(one)) for one in told.made],
        decisions_revoked=[DecisionBriefTold(id=one.id, said=str(one)) for one in told.revoked],
    )


@router.get("/v1/golden-records/{golden_id}/life", operation_id="read_life", response_model_exclude_none=True)
def read_life(golden_id: str, hub: TheHub, asker: Asker) -> LifeTold:
    """Tell the life of exactly this id: minted, absorbed, forwarded, split, restored, retired, confirmed."""
    with snapshot(hub.engine) as connection:
        life = life_of(connection, GoldenId(golden_id))
    golden = life.golden
    _require_visible(asker, golden.entity_type, golden_id)
    return LifeTold(
        id=golden.id,
        entity_type=golden.entity_type,
        status=golden.state,
        forwarded_to=golden.forward_to,
        is_confirmed=golden.is_confirmed,
        is_acknowledged=golden.is_acknowledged,
        steps=[
            LifeStepTold(
                kind=line.step.kind, others=list(line.step.others), event=EventBriefTold.model_validate(line.event)
            )
            for line in life.lines
        ],
        absorbed=list(life.absorbed),
        is_complete=life.is_complete,
    )


@router.get("/v1/golden-records/{golden_id}/story", operation_id="read_story", response_model_exclude_none=True)
def read_story(golden_id: str, hub: TheHub, asker: Asker) -> StoryTold:
    """Tell step by step how a golden record came together: which records, when, by whom, and what carried them."""
    with snapshot(hub.engine) as connection:
        story = story_of(connection, GoldenId(golden_id))
    golden = story.golden
    _require_visible(asker, golden.entity_type, golden_id)
    return StoryTold(
        id=golden.id,
        entity_type=golden.entity_type,
        status=golden.state,
        forwarded_from=_forwarded(golden_id, golden.id),
        chapters=[_chapter_told(chapter) for chapter in story.chapters],
        is_complete=story.is_complete,
    )


@router.get("/v1/golden-records/{golden_id}/graph", operation_id="read_graph", response_model_exclude_none=True)
def read_graph(golden_id: str, hub: TheHub, asker: Asker) -> GraphTold:
    """Draw a golden record: members, edges with bits, bridges and the cheapest cut, decisions among members."""
    with snapshot(hub.engine) as connection:
        graph = graph_of(connection, hub.declared, GoldenId(golden_id))
    golden = graph.golden
    _require_visible(asker, golden.entity_type, golden_id)
    return GraphTold(
        id=golden.id,
        entity_type=golden.entity_type,
        forwarded_from=_forwarded(golden_id, golden.id),
        nodes=[NodeTold.model_validate(node) for node in graph.nodes],
        edges=[GraphEdgeTold.model_validate(edge) for edge in graph.edges],
        decisions=[
            GraphDecisionTold(id=one.id, judgement=one.verdict.judgement, left=one.left_key, right=one.right_key)
            for one in graph.decisions
        ],
        minimum_cut=CutTold.model_validate(graph.minimum_cut) if graph.minimum_cut is not None else None,
        is_connected=graph.is_connected,
        is_complete=graph.is_complete,
    )


@router.get("/v1/golden-records/{golden_id}/members", operation_id="read_members", response_model_exclude_none=True)
def read_members(
    golden_id: str, hub: TheHub, asker: Asker, as_of: AsOf = None, valid_at: ValidAt = None
) -> MembersTold:
    """List the members of a golden record, now, as of a recorded instant, or of what existed at one of the world."""
    moment = _moment(as_of, valid_at)
    with reading(hub.engine) as connection:
        found = members_of(connection, GoldenId(golden_id), moment)
    standing = found.standing
    _require_visible(asker, standing.entity_type, golden_id)
    return MembersTold(
        golden_id=standing.golden_id,
        entity_type=standing.entity_type,
        status=standing.state,
        forwarded_from=_forwarded(golden_id, standing.golden_id),
        members=[MemberTold.model_validate(member) for member in found.members],
        undated=None if moment.valid_at is None else list(found.undated),
    )


@router.get("/v1/golden-records/{golden_id}/names", operation_id="read_names", response_model_exclude_none=True)
def read_names(golden_id: str, hub: TheHub, asker: Asker, as_of: AsOf = None, valid_at: ValidAt = None) -> NamesTold:
    """List the names a golden record goes by or went by, with when each source said so; with `valid_at`, those then."""
    moment = _moment(as_of, valid_at)
    with reading(hub.engine) as connection:
        standing = standing_of(connection, GoldenId(golden_id), moment)
        _require_visible(asker, standing.entity_type, golden_id)
        found = names_of(connection, hub.entity_type(standing.entity_type), standing.golden_id, moment)
    return NamesTold(
        golden_id=standing.golden_id,
        entity_type=standing.entity_type,
        forwarded_from=_forwarded(golden_id, standing.golden_id),
        names=[NameTold.model_validate(name) for name in found.names],
        is_complete=found.is_complete,
    )


def _moment(as_of: str | None, valid_at: str | None) -> Moment:
    return Moment(maybe_instant(as_of, name="as_of"), maybe_instant(valid_at, name="valid_at"))


def _require_visible(asker: Caller, entity_type: str, asked_id: str) -> None:
    """Refuse a golden record beyond the key's scope as if it had never been."""
    if not asker.principal.may("read", entity_type=entity_type):
        raise GoldenRecordUnknown(asked_id)


def _forwarded(asked_id: str, golden_id: GoldenId) -> str | None:
    return asked_id if asked_id != golden_id else None


def _chapter_told(chapter: Chapter) -> ChapterTold:
    return ChapterTold(
        kind=chapter.kind,
        golden_id=chapter.golden_id,
        record_keys=list(chapter.record_keys),
        other=chapter.other,
        carriers=[LinkTold.model_validate(carrier) for carrier in chapter.carriers],
        members_count=chapter.members_count,
        event=EventBriefTold.model_validate(chapter.event),
    )
