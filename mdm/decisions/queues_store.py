"""SQL of kept queues, bands and pace, one function a question."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import (
    Band,
    BandLine,
    BandState,
    Medians,
    QueueAsked,
    SavedQueue,
    Shown,
    Skipped,
    StewardDay,
)
from mdm.ids import ReviewId

CLEAR_BITS: Final = 4.0  # odds of 16 to 1, one way or the other (chosen)
_ASKED: Final = TypeAdapter(QueueAsked)


def insert_queue(connection: Connection, queue: SavedQueue) -> None:
    """Keep a queue; one of the same person and name ends."""
    connection.execute(
        text(
            "UPDATE saved_queue SET ended_at = :at, ended_by = :who WHERE who = :who AND name = :name AND ended_at IS"
            " NULL"
        ),
        {"at": queue.recorded_at, "who": queue.who, "name": queue.name},
    )
    connection.execute(
        text(
            "INSERT INTO saved_queue (id, name, asked, ranking, is_shared, recorded_at, who) VALUES (:id, :name,"
            " CAST(:asked AS jsonb), :ranking, :is_shared, :at, :who)"
        ),
        {
            "id": queue.id,
            "name": queue.name,
            "asked": _ASKED.dump_json(queue.asked).decode(),
            "ranking": queue.asked.ranking,
            "is_shared": queue.is_shared,
            "at": queue.recorded_at,
            "who": queue.who,
        },
    )


def select_queues(connection: Connection, who: str) -> tuple[SavedQueue, ...]:
    """List the queues that somebody may use: their own, then what others share, by name."""
    rows = connection.execute(
        text(
            "SELECT id, name, asked, is_shared, recorded_at, who FROM saved_queue WHERE ended_at IS NULL AND"
            " (who = :who OR is_shared) ORDER BY who <> :who, name, id"
        ),
        {"who": who},
    )
    return tuple(
        SavedQueue(row.id, row.name, _ASKED.validate_python(row.asked), row.is_shared, row.recorded_at, row.who)
        for row in rows
    )


def end_queue(connection: Connection, queue_id: str, *, at: datetime, who: str) -> bool:
    """End a queue of somebody's own; tell whether there was one."""
    done = connection.execute(
        text(
            "UPDATE saved_queue SET ended_at = :at, ended_by = :who WHERE id = :id AND who = :who AND ended_at IS NULL"
        ),
        {"id": queue_id, "at": at, "who": who},
    )
    return done.rowcount == 1


def insert_band(connection: Connection, band: Band) -> None:
    """Keep a band as it was looked at."""
    connection.execute(
        text(
            "INSERT INTO review_band (id, entity_type, asked, judgement, relation, reason, chosen, sample, seed,"
            " waits_because, state, position, answered, skipped, recorded_at, who) VALUES (:id, :entity_type,"
            " CAST(:asked AS jsonb), :judgement, :relation, :reason, CAST(:chosen AS jsonb), CAST(:sample AS jsonb),"
            " :seed, :waits_because, :state, 0, 0, '[]', :at, :who)"
        ),
        {
            "id": band.id,
            "entity_type": band.entity_type,
            "asked": as_json(band.asked),
            "judgement": band.verdict.judgement,
            "relation": band.verdict.relation,
            "reason": band.verdict.reason,
            "chosen": as_json([[one.review_id, one.expected] for one in band.chosen]),
            "sample": as_json(band.sample),
            "seed": band.seed,
            "waits_because": band.waits_because,
            "state": band.state,
            "at": band.recorded_at,
            "who": band.who,
        },
    )


def select_band(connection: Connection, band_id: str) -> Band | None:
    """Find a band and hold it until the transaction ends."""
    row = connection.execute(text("SELECT * FROM review_band WHERE id = :id FOR UPDATE"), {"id": band_id}).one_or_none()
    return _band(row) if row is not None else None


def read_band(connection: Connection, band_id: str) -> Band | None:
    """Find a band, also while somebody carries it out."""
    row = connection.execute(text("SELECT * FROM review_band WHERE id = :id"), {"id": band_id}).one_or_none()
    return _band(row) if row is not None else None


def select_accepted(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Name the accepted bands, oldest first, and who accepted them."""
    rows = connection.execute(text("SELECT id, who FROM review_band WHERE state = 'accepted' ORDER BY id LIMIT 20"))
    return tuple((row.id, row.who) for row in rows)


def select_bands(
    connection: Connection, entity_types: Sequence[str], *, since: datetime, limit: int
) -> tuple[BandLine, ...]:
    """List the bands of some entity types that wait, are under way, or ended since an instant; newest first."""
    rows = connection.execute(
        text(
            "SELECT id, entity_type, judgement, relation, reason, waits_because, state, jsonb_array_length(chosen) AS"
            " size, position, answered, recorded_at, who FROM review_band WHERE entity_type = ANY(:types) AND"
            " (state IN ('waiting', 'accepted') OR ended_at >= :since) ORDER BY recorded_at DESC, id DESC LIMIT :limit"
        ),
        {"types": list(entity_types), "since": since, "limit": limit},
    )
    return tuple(
        BandLine(
            id=row.id,
            entity_type=row.entity_type,
            verdict=Verdict(row.judgement, row.reason, row.relation),
            waits_because=row.waits_because,
            state=row.state,
            size=row.size,
            position=row.position,
            answered=row.answered,
            recorded_at=row.recorded_at,
            who=row.who,
        )
        for row in rows
    )


def take_band(connection: Connection, band_id: str) -> Band | None:
    """Hold an accepted band, unless somebody else carries it out at the moment or it is not accepted any more."""
    row = connection.execute(
        text("SELECT * FROM review_band WHERE id = :id AND state = 'accepted' FOR UPDATE SKIP LOCKED"), {"id": band_id}
    ).one_or_none()
    return _band(row) if row is not None else None


def settle_band(connection: Connection, band_id: str, *, state: BandState, at: datetime, who: str) -> None:
    """Say that a band was accepted or approved, by whom."""
    connection.execute(
        text("UPDATE review_band SET state = :state, settled_at = :at, settled_by = :who WHERE id = :id"),
        {"id": band_id, "state": state, "at": at, "who": who},
    )


def advance_band(
    connection: Connection, band_id: str, *, position: int, answered: int, skipped: Sequence[Skipped]
) -> None:
    """Write down how far a band is."""
    connection.execute(
        text(
            "UPDATE review_band SET position = :position, answered = answered + :answered, skipped = skipped ||"
            " CAST(:skipped AS jsonb) WHERE id = :id"
        ),
        {
            "id": band_id,
            "position": position,
            "answered": answered,
            "skipped": as_json([[one.review_id, one.code, one.message] for one in skipped]),
        },
    )


def end_band(connection: Connection, band_id: str, *, state: BandState, because: str, at: datetime) -> None:
    """Say that a band is done, or stopped."""
    connection.execute(
        text("UPDATE review_band SET state = :state, ended_at = :at, ended_because = :because WHERE id = :id"),
        {"id": band_id, "state": state, "because": because, "at": at},
    )


def select_day(connection: Connection, who: str, *, day: datetime, at: datetime, days: int) -> StewardDay:
    """Tell how the day of somebody goes that began at an instant, with their pace of the last days."""
    row = connection.execute(
        text(
            "WITH timed AS (SELECT abs(q.bits) >= :clear AS is_clear, EXTRACT(epoch FROM a.recorded_at - a.claimed_at)"
            "   AS seconds FROM review_answer a JOIN review q ON q.id = a.review_id WHERE a.who = :who"
            "   AND a.recorded_at > :since AND a.bulk_id IS NULL AND a.claimed_at IS NOT NULL AND a.state <> 'undone')"
            " SELECT (SELECT count(DISTINCT review_id) FROM review_answer WHERE who = :who AND recorded_at >= :day"
            "   AND state IN ('carried_out', 'proposed')) AS answered,"
            " (SELECT count(*) FROM review WHERE state = 'open' AND due_at < CAST(:day AS timestamptz) +"
            "   interval '1 day' AND coalesce(assignee, :who) = :who) AS still_due,"
            " count(*) FILTER (WHERE is_clear) AS clear_count, count(*) FILTER (WHERE NOT is_clear) AS hard_count,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_clear) AS clear_median,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT is_clear) AS hard_median"
            " FROM timed"
        ),
        {"who": who, "day": day, "since": at - timedelta(days=days), "clear": CLEAR_BITS},
    ).one()
    return StewardDay(
        row.answered,
        row.still_due,
        row.clear_count,
        None if row.clear_median is None else float(row.clear_median),
        row.hard_count,
        None if row.hard_median is None else float(row.hard_median),
    )


def select_medians(connection: Connection, *, since: datetime) -> Medians:
    """Tell how fast everybody together answers, single answers only."""
    row = connection.execute(
        text(
            "WITH timed AS (SELECT abs(q.bits) >= :clear AS is_clear, EXTRACT(epoch FROM a.recorded_at - a.claimed_at)"
            "   AS seconds FROM review_answer a JOIN review q ON q.id = a.review_id WHERE a.recorded_at > :since"
            "   AND a.bulk_id IS NULL AND a.claimed_at IS NOT NULL AND a.state <> 'undone')"
            " SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_clear) AS clear,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE NOT is_clear) AS hard FROM timed"
        ),
        {"since": since, "clear": CLEAR_BITS},
    ).one()
    return Medians(None if row.clear is None else float(row.clear), None if row.hard is None else float(row.hard))


def count_answers_by_day(connection: Connection, who: str, *, until: datetime, days: int) -> tuple[int, ...]:
    """Count the reviews that somebody answered on each of so many days; the last day ends at `until`."""
    rows = connection.execute(
        text(
            "SELECT CAST(floor(EXTRACT(epoch FROM CAST(:until AS timestamptz) - recorded_at) / 86400) AS int) AS ago,"
            " count(DISTINCT review_id) AS n FROM review_answer WHERE who = :who AND state IN ('carried_out',"
            " 'proposed') AND recorded_at < :until AND recorded_at >= CAST(:until AS timestamptz)"
            " - make_interval(days => :days) GROUP BY 1"
        ),
        {"who": who, "until": until, "days": days},
    )
    found = {row.ago: row.n for row in rows}
    return tuple(found.get(ago, 0) for ago in range(days - 1, -1, -1))


def _band(row: Row[Any]) -> Band:
    return Band(
        id=row.id,
        entity_type=row.entity_type,
        asked=row.asked,
        verdict=Verdict(row.judgement, row.reason, row.relation),
        chosen=tuple(Shown(ReviewId(id_), expected) for id_, expected in row.chosen),
        sample=tuple(map(ReviewId, row.sample)),
        seed=row.seed,
        waits_because=row.waits_because,
        state=row.state,
        position=row.position,
        answered=row.answered,
        skipped=tuple(Skipped(ReviewId(id_), code, message) for id_, code, message in row.skipped),
        recorded_at=row.recorded_at,
        who=row.who,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
    )
