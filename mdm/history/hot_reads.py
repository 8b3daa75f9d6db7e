"""The reads that systems make thousands of times a minute: translate a key, translate many, read a golden record.

Asynchronous, one statement each, on psycopg itself: through SQLAlchemy the same look-up takes a third more processor
time (measured, November 2026). They answer for the present moment; the services of identity and
survivorship answer for the past.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Literal

import orjson
from psycopg import AsyncConnection, AsyncCursor

from mdm.errors import SourceRecordUnknown, SourceUnknown
from mdm.ids import GoldenId

Answer = Literal["one", "none", "many"]

# A key belongs to the golden record of its source record, also one that its source gave up; a forward is one hop long,
# by invariant. A key that a source gave up is no key in it: its successor is a member of the same golden record.
_TRANSLATE: Final = """
SELECT r.entity_type, g.id, g.state, t.object, t.scope, t.native_id
  FROM source_record r
  JOIN golden_record q ON q.id = r.golden_id
  JOIN golden_record g ON g.id = coalesce(q.forward_to, q.id)
  LEFT JOIN source_record t ON t.golden_id = g.id AND t.instance_id = %(to)s AND t.state = 'active'
   AND t.ended_because IS NULL
 WHERE r.instance_id = %(source)s AND r.native_id = %(source_key)s AND r.state = 'active'
   AND (%(object)s::text IS NULL OR r.object = %(object)s) AND (%(scope)s::text IS NULL OR r.scope = %(scope)s)
 ORDER BY g.id, t.object, t.scope, t.native_id"""

# The same for many keys; one JSON parameter is cheaper to send than four arrays.
_TRANSLATE_MANY: Final = """
SELECT k.position, r.entity_type, g.id, g.state, t.object, t.scope, t.native_id
  FROM ROWS FROM (json_to_recordset(%(keys)s::json) AS (source text, source_key text, object text, scope text))
       WITH ORDINALITY AS k(source, source_key, object, scope, position)
  JOIN source_record r ON r.instance_id = k.source AND r.native_id = k.source_key AND r.state = 'active'
   AND (k.object IS NULL OR r.object = k.object) AND (k.scope IS NULL OR r.scope = k.scope)
  JOIN golden_record q ON q.id = r.golden_id
  JOIN golden_record g ON g.id = coalesce(q.forward_to, q.id)
  LEFT JOIN source_record t ON t.golden_id = g.id AND t.instance_id = %(to)s AND t.state = 'active'
   AND t.ended_because IS NULL
 ORDER BY k.position, g.id, t.object, t.scope, t.native_id"""

_KEYS_OF: Final = """
SELECT g.id, g.entity_type, g.state, r.instance_id, r.object, r.scope, r.native_id, r.ended_because, r.unseen_because
  FROM golden_record q
  JOIN golden_record g ON g.id = coalesce(q.forward_to, q.id)
  LEFT JOIN source_record r ON r.golden_id = g.id AND r.state = 'active'
   AND (%(to)s::text IS NULL OR r.instance_id = %(to)s)
 WHERE q.id = %(golden_id)s
 ORDER BY r.instance_id, r.object, r.scope, r.native_id"""

_GOLDEN: Final = """
SELECT g.id, g.entity_type, g.state, g.version, v."values"::text, v.completeness, v.recorded_from
  FROM golden_record q
  JOIN golden_record g ON g.id = coalesce(q.forward_to, q.id)
  JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version
 WHERE q.id = %(golden_id)s"""


@dataclass(frozen=True, slots=True)
class TargetKey:
    """A key in the target of a translation."""

    source: str
    object: str
    scope: str
    source_key: str


@dataclass(frozen=True, slots=True)
class Translation:
    """What a key stands for. `answer` counts golden records, or keys in the target when one was named."""

    answer: Answer
    reason: str | None = None
    golden_id: GoldenId | None = None
    golden_ids: tuple[GoldenId, ...] | None = None
    entity_type: str | None = None
    status: str | None = None
    source_keys: tuple[TargetKey, ...] | None = None


@dataclass(frozen=True, slots=True)
class GoldenKey:
    """A golden record with one of its keys, or without any.

    ended   why the source uses the key no more, which is a live one in no target then; None while it does
    unseen  why the source does not show the record, which counts all the same
    """

    golden_id: GoldenId
    entity_type: str
    status: str
    key: TargetKey | None
    ended: str | None = None
    unseen: str | None = None


@dataclass(frozen=True, slots=True)
class GoldenNow:
    """A golden record as it stands, its values still in JSON."""

    id: GoldenId
    entity_type: str
    status: str
    version: int
    values_json: str
    completeness: float
    recorded_at: datetime


class HotConnection(AsyncConnection[Any]):
    """A connection that asks everything through one cursor: making one takes 14 of the 80 µs of a look-up's statement.

    So an answer is to be fetched before the next question is put (November 2026).
    """

    _only_cursor: AsyncCursor[Any] | None = None

    async def execute(self, *args: Any, **kwargs: Any) -> AsyncCursor[Any]:
        """Execute a query and return the cursor to read its results."""
        if self._only_cursor is None:
            self._only_cursor = self.cursor()
        return await self._only_cursor.execute(*args, **kwargs)


UNKNOWN: Final = Translation("none", "source_key_unknown")
SOURCE_UNKNOWN: Final = Translation("none", "source_unknown")

# Tells whether the asker may see records of this entity type of this source; None sees everything. What it may not see
# is as unknown to it as if it did not exist.
Sight = Callable[[str, str], bool]


async def translate(
    connection: AsyncConnection[Any], key: Mapping[str, Any], *, to: str | None, sight: Sight | None = None
) -> Translation:
    """Translate one key {source, source_key, object, scope}; no object or scope means any.

    Raises SourceUnknown for a source instance that was never registered, SourceRecordUnknown for a key never seen.
    """
    source = str(key["source"])
    named = {"source": source, "source_key": key["source_key"], "object": key.get("object"), "scope": key.get("scope")}
    cursor = await connection.execute(_TRANSLATE, {**named, "to": to})
    answer = translation([row for row in await cursor.fetchall() if sight is None or sight(row[0], source)], to)
    if answer.answer == "none":
        await _require_sources(connection, source, to)
    if answer is UNKNOWN:
        place = f"/{named['object']}" if named["object"] else ""
        raise SourceRecordUnknown(f"{key['source_key']} of {source}{place}")
    return answer


async def translate_many(
    connection: AsyncConnection[Any],
    keys: Sequence[Mapping[str, Any]],
    *,
    to: str | None,
    sight: Sight | None = None,
) -> list[Translation]:
    """Translate many keys; answers in the order of the keys. Raises SourceUnknown when `to` was never registered."""
    if to is not None:
        await _require_sources(connection, to)
    cursor = await connection.execute(_TRANSLATE_MANY, {"keys": orjson.dumps(keys).decode(), "to": to})
    rows = await cursor.fetchall()
    if sight is not None:
        rows = [row for row in rows if sight(row[1], str(keys[row[0] - 1]["source"]))]
    answers = [UNKNOWN] * len(keys)
    for position, found in groupby(rows, key=lambda row: row[0]):
        answers[position - 1] = translation([row[1:] for row in found], to)
    if UNKNOWN in answers:
        known = await _known_sources(connection)
        answers = [
            SOURCE_UNKNOWN if answer is UNKNOWN and key["source"] not in known else answer
            for key, answer in zip(keys, answers, strict=True)
        ]
    return answers


async def keys_of(connection: AsyncConnection[Any], golden_id: str, *, to: str | None) -> tuple[GoldenKey, ...] | None:
    """List the keys of a golden record or of its survivor, ended ones too; None when the id was never given out."""
    rows = await (await connection.execute(_KEYS_OF, {"golden_id": golden_id, "to": to})).fetchall()
    if not rows:
        return None
    return tuple(
        GoldenKey(GoldenId(row[0]), row[1], row[2], TargetKey(*row[3:7]) if row[3] else None, *row[7:]) for row in rows
    )


async def golden_now(connection: AsyncConnection[Any], golden_id: str) -> GoldenNow | None:
    """Read a golden record, the survivor when it was forwarded; None when the hub never gave out this id."""
    row = await (await connection.execute(_GOLDEN, {"golden_id": golden_id})).fetchone()
    return None if row is None else GoldenNow(GoldenId(row[0]), *row[1:])


def translation(rows: Sequence[tuple[Any, ...]], to: str | None) -> Translation:
    """Count what one key stands for.

    rows  (entity type, golden id, state, object, scope, native id of a key in the target or None), sorted by golden id
    """
    if not rows:
        return UNKNOWN
    entity_type, golden_id, status, *_ = rows[0]
    if rows[-1][1] != golden_id:
        return Translation("many", "ambiguous_key", golden_ids=tuple(dict.fromkeys(GoldenId(row[1]) for row in rows)))
    if to is None:
        return Translation("one", None, GoldenId(golden_id), None, entity_type, status)
    # Several matching records of one golden record repeat its keys in the target.
    keys = tuple(dict.fromkeys(TargetKey(to, *row[3:]) for row in rows if row[5] is not None))
    answer, reason = _COUNTED[min(len(keys), 2)]
    return Translation(answer, reason, GoldenId(golden_id), None, entity_type, status, keys)


async def _require_sources(connection: AsyncConnection[Any], *sources: str | None) -> None:
    known = await _known_sources(connection)
    for source in sources:
        if source is not None and source not in known:
            raise SourceUnknown(source)


async def _known_sources(connection: AsyncConnection[Any]) -> frozenset[str]:
    cursor = await connection.execute("SELECT id FROM source_instance")
    return frozenset(row[0] for row in await cursor.fetchall())


_COUNTED: Final[tuple[tuple[Answer, str | None], ...]] = (
    ("none", "not_in_target"),
    ("one", None),
    ("many", "several_in_target"),
)
