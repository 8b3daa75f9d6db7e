"""SQL of the review card: one statement gathers the review and all around it, with the questions of other stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from mdm.db.gathered import listed, rows_of
from mdm.db.statement import text
from mdm.decisions.answers_store import ANSWER, COMMENT, answer_of, comment_of
from mdm.decisions.model import Decision
from mdm.decisions.review_model import Answer, Comment, Review
from mdm.decisions.reviews_store import REVIEW, REVIEW_JOINS, review_of
from mdm.decisions.store import DECISION, decision_of
from mdm.identity.model import GoldenRecord
from mdm.ids import EventId, GoldenId, RecordId, ReviewId
from mdm.publishing.model import Target
from mdm.resolution.model import Edge
from mdm.resolution.store import EDGES_AMONG, edges_of
from mdm.sources.model import SourceInstance, SourceRecord
from mdm.sources.references_store import RESOLVED, resolved_of
from mdm.sources.store import INSTANCES, RECORD, record_of
from mdm.stewardship.card_model import Happened
from mdm.survivorship.model import GoldenVersion, Override
from mdm.survivorship.store import OVERRIDE, overrides_of

CAUSE_LENGTH_MAX: Final = 2_000  # chosen: a reason is a sentence or two


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A golden record that points at another one; `count` and `open_count` are of all alike, this one among them."""

    parent_id: GoldenId
    golden_id: GoldenId
    entity_type: str
    values: dict[str, Any]
    count: int
    open_count: int


@dataclass(frozen=True, slots=True)
class Stand:
    """A golden record as it stands, with what it shows and the ids of its members."""

    golden: GoldenRecord
    version: GoldenVersion
    member_ids: frozenset[RecordId]


_GOLDENS = "CAST((SELECT ids FROM golden) AS text[])"
_MEMBERS = "CAST((SELECT ids FROM member) AS text[])"
_AROUND = "CAST((SELECT ids FROM around) AS text[])"
_STANDS = (
    "SELECT g.id, g.entity_type, g.state, g.forward_to, g.version, g.is_confirmed, g.is_acknowledged, v.values,"
    " v.lineage, v.completeness, v.held, v.recorded_from, v.event_id, v.who,"
    " ARRAY(SELECT r.id FROM source_record r WHERE r.golden_id = g.id AND r.state = 'active') AS member_ids"
    " FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.recorded_to IS NULL"
    f" WHERE g.id = ANY({_GOLDENS}) ORDER BY g.id"
)
# What points at the golden records: counted by parent and entity type, the newest of each loaded.
_CHILDREN = (
    "WITH own AS (SELECT golden_id, instance_id, native_id, entity_type, scope FROM source_record"
    f"  WHERE golden_id = ANY({_GOLDENS}) AND state = 'active'),"
    " child AS (SELECT DISTINCT o.golden_id AS parent_id, c.golden_id, c.entity_type FROM own o"
    "  JOIN source_reference f ON f.instance_id = o.instance_id AND f.native_id = o.native_id"
    "   AND f.entity_type = o.entity_type AND o.scope IN (f.scope, '')"
    f"  JOIN source_record c ON c.id = f.record_id AND c.state = 'active' AND c.golden_id <> ALL({_GOLDENS})),"
    " ranked AS (SELECT c.parent_id, c.golden_id, c.entity_type, v.values,"
    "   count(*) OVER w AS count, count(*) FILTER (WHERE coalesce(v.values ->> 'status', '') <> ALL(:closed))"
    "   OVER w AS open_count, row_number() OVER (PARTITION BY c.parent_id, c.entity_type ORDER BY c.golden_id DESC)"
    "   AS place FROM child c JOIN golden_version v ON v.golden_id = c.golden_id AND v.recorded_to IS NULL"
    "  WINDOW w AS (PARTITION BY c.parent_id, c.entity_type))"
    " SELECT parent_id, golden_id, entity_type, values, count, open_count FROM ranked WHERE place <= :children_max"
    " ORDER BY parent_id, entity_type, place"
)
# The versions that the golden records got, newest first, with the events that made them.
_HAPPENED = (
    "SELECT v.golden_id, v.version, v.state, v.forward_to, v.recorded_from, v.who, v.event_id, e.kind,"
    " left(e.cause, :length) AS cause FROM golden_version v JOIN identity_event e ON e.id = v.event_id"
    f" WHERE v.golden_id = ANY({_GOLDENS}) ORDER BY v.recorded_from DESC, v.golden_id, v.version DESC"
    " LIMIT :happened_max"
)
# Every golden record that a value points at, or that a member is matched within, as it shows now.
_NAMES = (
    "SELECT v.golden_id, g.entity_type, v.values FROM golden_version v JOIN golden_record g ON g.id = v.golden_id"
    " WHERE v.recorded_to IS NULL AND v.golden_id = ANY(ARRAY("
    f"SELECT golden_id FROM ({RESOLVED.replace(':ids', _MEMBERS)}) AS pointed"
    f" UNION SELECT context FROM source_record WHERE id = ANY({_MEMBERS}) AND context <> ''"
    " UNION SELECT jsonb_array_elements_text(CASE jsonb_typeof(held.value) WHEN 'array' THEN held.value WHEN 'string'"
    "  THEN jsonb_build_array(held.value) ELSE '[]' END) FROM golden_version own"
    "  CROSS JOIN LATERAL (SELECT own.values -> named AS value FROM unnest(CAST(:pointing AS text[])) AS named) AS held"
    f"  WHERE own.golden_id = ANY({_GOLDENS}) AND own.recorded_to IS NULL)) ORDER BY v.golden_id"
)
_TARGETS = "SELECT id, kind, entity_types, configuration FROM target ORDER BY id"
_PUBLISHED = (
    f"(SELECT count(DISTINCT record_id) FROM membership WHERE record_id = ANY({_MEMBERS}) AND recorded_to IS NULL"
    " AND published_at IS NOT NULL)"
)
_LISTS: Final[Mapping[str, str]] = {
    "stands": _STANDS,
    "edges": EDGES_AMONG.replace(":ids", _MEMBERS).replace(":limit", ":edges_max"),
    "resolved": RESOLVED.replace(":ids", _MEMBERS),
    "overrides": f"{OVERRIDE} WHERE record_id = ANY({_MEMBERS}) AND ended_at IS NULL ORDER BY recorded_at, id",
    "decisions": (
        f"{DECISION} WHERE d.revoked_at IS NULL AND (d.left_id = ANY({_AROUND}) OR d.right_id = ANY({_AROUND}))"
        " ORDER BY d.id"
    ),
    "children": _CHILDREN,
    "happened": _HAPPENED,
    "comments": f"{COMMENT} WHERE review_id = :id ORDER BY id",
    "answers": f"{ANSWER} WHERE a.review_id = :id ORDER BY a.id",
    "instances": INSTANCES,
    "targets": _TARGETS,
    "names": _NAMES,
}
_RECORDS = listed(f"{RECORD} WHERE r.id = ANY({_MEMBERS}) ORDER BY r.id")
# One statement for all of a card. Arrays of ids, so that each question is asked of its index as where it stands alone.
_CARD = (
    f"WITH RECURSIVE asked AS MATERIALIZED ({REVIEW} FROM review q{REVIEW_JOINS} WHERE q.id = :id),"
    " golden AS MATERIALIZED"
    "  (SELECT array_remove(ARRAY[left_golden_id, right_golden_id], NULL) AS ids FROM asked),"
    " member AS MATERIALIZED (SELECT ARRAY(SELECT r.id FROM source_record r"
    f"  WHERE r.golden_id = ANY({_GOLDENS}) AND r.state = 'active') AS ids),"
    # All that decisions of being the same connect with a member.
    f" reached (id) AS (SELECT unnest({_MEMBERS}) UNION SELECT beside.id FROM reached CROSS JOIN LATERAL"
    "  (SELECT right_id AS id FROM decision WHERE left_id = reached.id AND judgement = 'same' AND revoked_at IS NULL"
    "   UNION ALL SELECT left_id FROM decision WHERE right_id = reached.id AND judgement = 'same'"
    "   AND revoked_at IS NULL) AS beside),"
    " around AS MATERIALIZED (SELECT ARRAY(SELECT id FROM reached) AS ids)"
    " SELECT (SELECT row_to_json(asked) FROM asked) AS review, CAST(json_build_object("
    + ", ".join(f"'{name}', {listed(query)}" for name, query in _LISTS.items())
    + f", 'records', CASE WHEN cardinality({_MEMBERS}) <= :members_max THEN {_RECORDS} END"
    f", 'published', {_PUBLISHED}) AS text) AS told"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each is gathered for a card; members beyond theirs are not loaded."""

    members: int
    edges: int
    children: int
    happened: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that one statement tells for a card.

    records    the members; None where there are more than the bound
    decisions  active ones on every record that `same` decisions connect with a member
    published  keys of the members that a target took
    told       the document that it was read from: another one where anything is
    """

    review: Review
    stands: Mapping[GoldenId, Stand]
    edges: tuple[Edge, ...]
    records: tuple[SourceRecord, ...] | None
    resolved: Mapping[tuple[RecordId, str, int], GoldenId]
    overrides: Mapping[RecordId, Sequence[Override]]
    decisions: tuple[Decision, ...]
    children: tuple[ChildRow, ...]
    happened: tuple[Happened, ...]
    comments: tuple[Comment, ...]
    answers: tuple[Answer, ...]
    instances: tuple[SourceInstance, ...]
    targets: tuple[Target, ...]
    names: tuple[tuple[GoldenId, str, Mapping[str, Any]], ...]
    published: int
    told: str


def select_card(
    connection: Connection, review_id: ReviewId, *, closed: Sequence[str], pointing: Sequence[str], limits: Limits
) -> Gathered | None:
    """Gather a review and all around it; None where there is no such review.

    closed    words of the attribute `status` that say that a record is over
    pointing  attributes whose values are golden ids
    """
    row = connection.execute(
        text(_CARD),
        {
            "id": review_id,
            "closed": list(closed),
            "pointing": list(pointing),
            "members_max": limits.members,
            "edges_max": limits.edges,
            "children_max": limits.children,
            "happened_max": limits.happened,
            "length": CAUSE_LENGTH_MAX,
        },
    ).one()
    return None if row.review is None else _gathered(row.review, row.told)


def _gathered(review: Mapping[str, Any], told: str) -> Gathered:
    found = orjson.loads(told)
    (asked,) = rows_of([review], instants=("recorded_at", "due_at", "claimed_until", "closed_at"))
    days, instants = ("valid_from", "valid_to"), ("recorded_at", "settled_at")
    return Gathered(
        review=review_of(asked),
        stands={GoldenId(row.id): _stand(row) for row in rows_of(found["stands"], instants=("recorded_from",))},
        edges=edges_of(rows_of(found["edges"])),
        records=(
            tuple(map(record_of, rows_of(found["records"], instants=("source_time",))))
            if found["records"] is not None
            else None
        ),
        resolved=resolved_of(rows_of(found["resolved"])),
        overrides=overrides_of(rows_of(found["overrides"], instants=("until", "recorded_at"))),
        decisions=tuple(
            map(decision_of, rows_of(found["decisions"], instants=("recorded_at", "revoked_at"), days=days))
        ),
        children=tuple(
            ChildRow(
                GoldenId(row.parent_id), GoldenId(row.golden_id), row.entity_type, row.values, row.count, row.open_count
            )
            for row in rows_of(found["children"])
        ),
        happened=tuple(map(_happened, rows_of(found["happened"], instants=("recorded_from",)))),
        comments=tuple(map(comment_of, rows_of(found["comments"], instants=("recorded_at",)))),
        answers=tuple(map(answer_of, rows_of(found["answers"], instants=instants, days=days))),
        instances=tuple(
            SourceInstance(**row.__dict__) for row in rows_of(found["instances"], instants=("retired_at",))
        ),
        targets=tuple(
            Target(one["id"], one["kind"], tuple(one["entity_types"]), one["configuration"]) for one in found["targets"]
        ),
        names=tuple((GoldenId(one["golden_id"]), one["entity_type"], one["values"]) for one in found["names"]),
        published=found["published"],
        told=told,
    )


def _happened(row: Any) -> Happened:
    return Happened(
        golden_id=GoldenId(row.golden_id),
        version=row.version,
        state=row.state,
        forward_to=GoldenId(row.forward_to) if row.forward_to else None,
        kind=row.kind,
        reason=row.cause,
        event_id=EventId(row.event_id),
        recorded_at=row.recorded_from,
        who=row.who,
    )


def _stand(row: Any) -> Stand:
    golden_id, forward_to = GoldenId(row.id), GoldenId(row.forward_to) if row.forward_to else None
    return Stand(
        GoldenRecord(
            id=golden_id,
            entity_type=row.entity_type,
            state=row.state,
            forward_to=forward_to,
            version=row.version,
            is_confirmed=row.is_confirmed,
            is_acknowledged=row.is_acknowledged,
        ),
        GoldenVersion(
            golden_id=golden_id,
            entity_type=row.entity_type,
            version=row.version,
            state=row.state,
            forward_to=forward_to,
            values=row.values,
            lineage=row.lineage,
            completeness=row.completeness,
            held=tuple(row.held),
            recorded_from=row.recorded_from,
            recorded_to=None,
            event_id=row.event_id,
            who=row.who,
        ),
        frozenset(map(RecordId, row.member_ids)),
    )
