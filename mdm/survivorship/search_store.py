"""SQL of the search for golden records, one function a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.ids import GoldenId
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.search_terms import SearchRow
from mdm.survivorship.store import VERSION, version_of

_PARTED: Final = "\x1f"  # no term and no name holds a control character


@dataclass(frozen=True, slots=True)
class Candidate:
    """A golden record that a query found, with the names it is ranked by."""

    golden_id: GoldenId
    entity_type: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Newest:
    """Which golden records to list; `before` is the last one that was seen, "" for none; source None means any."""

    entity_types: Sequence[str]
    state: str
    source: str | None
    before: str


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A source record whose key was asked for, and where it belongs or belonged last."""

    source_key: str
    instance: str
    state: str
    golden_id: GoldenId


def select_searchable(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, list[tuple[Any, ...]]]:
    """Load what active members say, declared or not: (instance, object, scope, native id, values, undeclared) each."""
    rows = connection.execute(
        text(
            "SELECT r.golden_id, r.instance_id, r.object, r.scope, r.native_id, v.values, v.undeclared"
            " FROM source_record r JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version"
            " WHERE r.golden_id = ANY(:ids) AND r.state = 'active'"
            " ORDER BY r.golden_id, r.instance_id, r.object, r.scope, r.native_id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    found: dict[GoldenId, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(GoldenId(row.golden_id), []).append(tuple(row)[1:])
    return found


def delete_search_words(connection: Connection, golden_ids: Iterable[GoldenId]) -> None:
    """Let golden records be found by no word."""
    connection.execute(
        text("DELETE FROM golden_search WHERE golden_id = ANY(:ids)"), {"ids": [str(id_) for id_ in golden_ids]}
    )


def upsert_search_rows(connection: Connection, entity_type: str, rows: Mapping[GoldenId, SearchRow]) -> None:
    """Write by what golden records are found."""
    connection.execute(
        text(
            "INSERT INTO golden_search (golden_id, entity_type, words, names, terms)"
            " SELECT golden_id, :entity_type, words, string_to_array(names, :parted),"
            " array_to_tsvector(string_to_array(terms, :parted))"
            " FROM unnest(CAST(:ids AS text[]), CAST(:words AS text[]), CAST(:names AS text[]), CAST(:terms AS text[]))"
            " AS w (golden_id, words, names, terms)"
            " ON CONFLICT (golden_id) DO UPDATE SET words = excluded.words, names = excluded.names,"
            " terms = excluded.terms WHERE (golden_search.words, golden_search.names, golden_search.terms)"
            " IS DISTINCT FROM (excluded.words, excluded.names, excluded.terms)"
        ),
        {"entity_type": entity_type, **_columns(rows)},
    )


def select_unread(connection: Connection, entity_types: Iterable[str], *, limit: int) -> dict[str, list[GoldenId]]:
    """Hold some golden records that no terms were gathered of, by entity type, until the transaction ends."""
    rows = connection.execute(
        text(
            "SELECT golden_id, entity_type FROM golden_search WHERE terms IS NULL AND entity_type = ANY(:types)"
            " ORDER BY golden_id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"types": list(entity_types), "limit": limit},
    )
    found: dict[str, list[GoldenId]] = {}
    for row in rows:
        found.setdefault(row.entity_type, []).append(GoldenId(row.golden_id))
    return found


def search(
    connection: Connection, patterns: Sequence[str], *, entity_types: frozenset[str] | None, after: str, limit: int
) -> tuple[GoldenVersion, ...]:
    """List active golden records whose words fit every pattern, of some types or all, in the order of their ids."""
    fitting = "".join(f" AND s.words LIKE :pattern_{number}" for number in range(len(patterns)))
    rows = connection.execute(
        text(
            f"{VERSION} JOIN golden_search s ON s.golden_id = g.id WHERE v.recorded_to IS NULL"
            f" AND (CAST(:types AS text[]) IS NULL OR s.entity_type = ANY(:types)) AND s.golden_id > :after{fitting}"
            " ORDER BY s.golden_id LIMIT :limit"
        ),
        {
            "types": None if entity_types is None else sorted(entity_types),
            "after": after,
            "limit": limit,
            **{f"pattern_{number}": pattern for number, pattern in enumerate(patterns)},
        },
    )
    return tuple(version_of(row) for row in rows)


def prefer_indexes(connection: Connection) -> None:
    """Let the searches of this transaction go through their indexes, whatever the planner makes of a bounded answer.

    It takes the beginning of a word for a common thing, and reads the whole table to find 200 rows of it soon: 7 s
    where the index takes some milliseconds (a million golden records, November 2026).
    """
    connection.execute(text("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"))


def select_candidates(
    connection: Connection,
    query: str,
    *,
    entity_types: Sequence[str],
    limit: int,
    sources: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Candidate, ...]:
    """Take some active golden records whose terms answer a query, in no order; nobody has to be read twice for that."""
    rows = connection.execute(
        text(
            "SELECT s.golden_id, s.entity_type, s.names FROM golden_search s WHERE s.terms @@ CAST(:query AS tsquery)"
            f" AND s.entity_type = ANY(:types){_within(sources)} LIMIT :limit"
        ),
        {"query": query, "types": list(entity_types), "limit": limit, **_within_of(sources)},
    )
    return tuple(Candidate(GoldenId(row.golden_id), row.entity_type, tuple(row.names or ())) for row in rows)


def select_newest_ids(
    connection: Connection, asked: Newest, *, limit: int, sources: Mapping[str, frozenset[str]] | None = None
) -> list[GoldenId]:
    """List golden records of some types in one state, the newest first."""
    rows = connection.execute(
        text(
            "SELECT s.id FROM (SELECT id, id AS golden_id, entity_type, state FROM golden_record) s"
            " WHERE s.state = :state AND s.entity_type = ANY(:types)"
            " AND (CAST(:before AS text) = '' OR s.id < :before)"
            " AND (CAST(:source AS text) IS NULL OR EXISTS (SELECT FROM source_record r WHERE r.golden_id = s.id"
            f" AND r.state = 'active' AND r.instance_id = :source)){_within(sources)}"
            " ORDER BY s.id DESC LIMIT :limit"
        ),
        {
            "state": asked.state,
            "types": list(asked.entity_types),
            "before": asked.before,
            "source": asked.source,
            "limit": limit,
            **_within_of(sources),
        },
    )
    return [GoldenId(row.id) for row in rows]


def select_wordy(
    connection: Connection,
    patterns: Sequence[str],
    *,
    entity_types: Sequence[str],
    limit: int,
    sources: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Candidate, ...]:
    """Take some active golden records whose words fit every pattern, in no order."""
    fitting = "".join(f" AND s.words LIKE :pattern_{number}" for number in range(len(patterns)))
    rows = connection.execute(
        text(
            "SELECT s.golden_id, s.entity_type, s.names FROM golden_search s"
            f" WHERE s.entity_type = ANY(:types){fitting}{_within(sources)} LIMIT :limit"
        ),
        {
            "types": list(entity_types),
            "limit": limit,
            **_within_of(sources),
            **{f"pattern_{number}": pattern for number, pattern in enumerate(patterns)},
        },
    )
    return tuple(Candidate(GoldenId(row.golden_id), row.entity_type, tuple(row.names or ())) for row in rows)


def select_id_beginnings(
    connection: Connection, beginning: str, *, entity_types: Sequence[str], limit: int
) -> tuple[GoldenId, ...]:
    """List golden ids that begin so, in whatever state they are; the exact one is among them."""
    rows = connection.execute(
        text(
            "SELECT id FROM golden_record WHERE id ~>=~ :low AND id ~<~ :high AND entity_type = ANY(:types)"
            " ORDER BY id USING ~<~ LIMIT :limit"
        ),
        {"low": beginning, "high": f"{beginning}~", "types": list(entity_types), "limit": limit},
    )
    return tuple(GoldenId(row.id) for row in rows)


def select_key_holders(
    connection: Connection, native_id: str, *, place: str, entity_types: Sequence[str], limit: int
) -> tuple[KeyHolder, ...]:
    """List source records, also deleted ones, with exactly this native id: of every source, or of one printed place."""
    rows = connection.execute(
        text(
            "SELECT r.instance_id, r.state, r.golden_id, r.instance_id || '/' || r.object"
            " || CASE WHEN r.scope = '' THEN '' ELSE '/' || r.scope END AS place FROM source_instance i"
            " JOIN source_record r ON r.instance_id = i.id AND r.native_id = :native_id AND r.golden_id IS NOT NULL"
            " AND r.entity_type = ANY(:types) ORDER BY (r.state = 'active') DESC, r.id LIMIT :limit"
        ),
        {"native_id": native_id, "types": list(entity_types), "limit": limit},
    )
    return tuple(
        KeyHolder(f"{row.place}:{native_id}", row.instance_id, row.state, GoldenId(row.golden_id))
        for row in rows
        if place in ("", row.place)
    )


def _columns(rows: Mapping[GoldenId, SearchRow]) -> dict[str, Any]:
    return {
        "ids": [str(id_) for id_ in rows],
        "words": [row.words for row in rows.values()],
        "names": [_PARTED.join(row.names) for row in rows.values()],
        "terms": [_PARTED.join(row.terms) for row in rows.values()],
        "parted": _PARTED,
    }


def _within(sources: Mapping[str, frozenset[str]] | None) -> str:
    """Ask for a member of a source that may be read, of those entity types that are limited."""
    if not sources:
        return ""
    return "".join(
        f" AND (s.entity_type <> :type_{number} OR EXISTS (SELECT FROM source_record m WHERE m.golden_id = s.golden_id"
        f" AND m.state = 'active' AND m.instance_id = ANY(:sources_{number})))"
        for number in range(len(sources))
    )


def _within_of(sources: Mapping[str, frozenset[str]] | None) -> dict[str, Any]:
    named = enumerate(sorted((sources or {}).items()))
    return {
        key: value
        for number, (entity_type, allowed) in named
        for key, value in ((f"type_{number}", entity_type), (f"sources_{number}", sorted(allowed)))
    }
