"""What an event says beyond its golden version: which records came and went, from where and where to. Pure.

What is kept are ids alone. The source keys, by which the world outside knows the records, are laid over them when the
event is told.

    event_id    the change of identity or values that made the version
    joined      records that came, by id
    left        records that went, by id
    others      the golden record on the other side of such a move, by id of the record; none: it came from no golden
                record, or went to none
    follows     golden ids at which it points, regrouped by the same change; an undo of that takes it back as well
    parts       golden ids, not active before, into which a golden record that goes on was divided
    forward_to  the golden record that it was merged into
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mdm.identity.life import life_steps
from mdm.identity.model import IdentityPlan, Move
from mdm.ids import EventId, GoldenId, RecordId
from mdm.publishing.model import GoldenEventKind, News
from mdm.sources.model import SourceKey
from mdm.survivorship.model import GoldenVersion

_AT_REST: dict[str, GoldenEventKind] = {"forwarded": "golden_record.forwarded", "retired": "golden_record.retired"}


def kinds_and_details(news: News, event_id: EventId) -> Iterator[tuple[GoldenEventKind, dict[str, Any]]]:
    """Say of each golden version what kind of news it is, and give the details to keep."""
    plan, versions = news.plan, news.versions
    came: dict[GoldenId | None, list[Move]] = {}
    went: dict[GoldenId | None, list[Move]] = {}
    for move in plan.moves:
        came.setdefault(move.after, []).append(move)
        went.setdefault(move.before, []).append(move)
    for version in versions:
        joined, left = came.get(version.golden_id, []), went.get(version.golden_id, [])
        parts = _parts(plan, version) if left and version.state == "active" else ()
        details = {
            "joined": [move.record_id for move in joined],
            "left": [move.record_id for move in left],
            "others": {move.record_id: move.before for move in joined if move.before}
            | {move.record_id: move.after for move in left if move.after},
            "follows": _followed(news, version),
            "parts": list(parts),
            "forward_to": version.forward_to,
        }
        yield _kind(version, parts), {"event_id": event_id, **{name: kept for name, kept in details.items() if kept}}


def moved_in(details: Mapping[str, Any]) -> tuple[RecordId, ...]:
    """Name the records whose source keys `told` needs."""
    if "event_id" not in details:
        return ()
    return tuple(map(RecordId, (*details.get("joined", ()), *details.get("left", ()))))


def told(
    details: Mapping[str, Any], golden_id: GoldenId, key_by_record: Mapping[RecordId, SourceKey]
) -> Mapping[str, Any]:
    """Write the details of a golden version as they are told: each move with its source key, both sides named.

    Details of an event that kept no other side, and those of reviews, are told as they are.
    """
    if "event_id" not in details:
        return details
    others = details.get("others", {})
    moves = [_move(key_by_record, id_, before=others.get(id_), after=golden_id) for id_ in details.get("joined", ())]
    moves += [_move(key_by_record, id_, before=golden_id, after=others.get(id_)) for id_ in details.get("left", ())]
    parts = [
        {"golden_id": part, "source_keys": [move["source_key"] for move in moves if move.get("after") == part]}
        for part in details.get("parts", ())
    ]
    kept = {name: value for name, value in details.items() if name not in {"others", "follows", "parts"}}
    return kept | ({"moves": moves} if moves else {}) | ({"parts": parts} if parts else {})


def _kind(version: GoldenVersion, parts: Sequence[GoldenId]) -> GoldenEventKind:
    if version.state in _AT_REST:
        return _AT_REST[version.state]
    if version.version == 1:
        return "golden_record.created"
    return "golden_record.split" if parts else "golden_record.changed"


def _followed(news: News, version: GoldenVersion) -> list[str]:
    """Name the regrouped golden records that a version points at, where there was one before it."""
    if not news.regrouped or version.version == 1:
        return []
    values = (one for value in version.values.values() for one in (value if isinstance(value, list) else [value]))
    return sorted({one for one in values if isinstance(one, str)} & news.regrouped)


def _parts(plan: IdentityPlan, version: GoldenVersion) -> tuple[GoldenId, ...]:
    """Name the golden ids that took records out of one that goes on, as its own life tells them."""
    steps = life_steps(plan, version.golden_id)
    return next((step.others for step in steps if step.kind == "split"), ())


def _move(key_by_record: Mapping[RecordId, SourceKey], record_id: str, **sides: str | None) -> dict[str, str]:
    key = key_by_record[RecordId(record_id)]
    return {"source_key": str(key)} | {side: id_ for side, id_ in sides.items() if id_ is not None}
