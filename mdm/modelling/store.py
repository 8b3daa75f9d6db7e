"""SQL of versions of rules, their activations, what waits, and the work that follows, one function a question."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import RecordId
from mdm.modelling.model import (
    Activation,
    ChoiceVersion,
    ModelVersion,
    Pair,
    Proposal,
    ProposalState,
    Rematch,
    RematchState,
)

_MODEL: Final = (
    "SELECT version, entity_type, coalesce(origin, 'declared') AS origin, coalesce(reason, '') AS reason, made_from,"
    " recorded_at, who"
)
_ACTIVATION: Final = (
    "SELECT id, number, entity_type, model_version, survivorship_version, reason, is_forced, refusals, proposed_by,"
    " recorded_at, who FROM rule_activation"
)
_PROPOSAL: Final = (
    "SELECT id, entity_type, model_version, survivorship_version, reason, is_forced, refusals, state, recorded_at, who,"
    " settled_at, settled_by FROM rule_proposal"
)
_REMATCH: Final = (
    "SELECT id, entity_type, activation, state, position, total, done, found, recorded_at, who, ended_at, ended_by"
    " FROM rematch"
)


def insert_model(connection: Connection, version: ModelVersion, definition: Mapping[str, Any]) -> None:
    """Keep a model version; the same model made again stays what it was."""
    connection.execute(
        text(
            "INSERT INTO match_model (version, entity_type, definition, recorded_at, who, origin, reason, made_from,"
            " report) VALUES (:version, :entity_type, CAST(:definition AS jsonb), :recorded_at, :who,"
            " nullif(:origin, 'declared'), :reason, :made_from, CAST(:report AS jsonb))"
            " ON CONFLICT (version) DO NOTHING"
        ),
        {
            "version": version.version,
            "entity_type": version.entity_type,
            "definition": as_json(definition),
            "recorded_at": version.recorded_at,
            "who": version.who,
            "origin": version.origin,
            "reason": version.reason,
            "made_from": version.made_from,
            "report": None if version.report is None else as_json(version.report),
        },
    )


def insert_choice(connection: Connection, version: ChoiceVersion, definition: Mapping[str, Any]) -> None:
    """Keep a version of the choice of values; the same made again stays what it was."""
    connection.execute(
        text(
            "INSERT INTO survivorship_rules (version, entity_type, definition, reason, made_from, recorded_at, who)"
            " VALUES (:version, :entity_type, CAST(:definition AS jsonb), :reason, :made_from, :recorded_at, :who)"
            " ON CONFLICT (version) DO NOTHING"
        ),
        {
            "version": version.version,
            "entity_type": version.entity_type,
            "definition": as_json(definition),
            "reason": version.reason,
            "made_from": version.made_from,
            "recorded_at": version.recorded_at,
            "who": version.who,
        },
    )


def select_models(connection: Connection, entity_type: str | None, *, limit: int) -> tuple[ModelVersion, ...]:
    """List model versions, newest first, without their reports."""
    rows = connection.execute(
        text(
            f"{_MODEL}, NULL AS report FROM match_model WHERE (CAST(:type AS text) IS NULL OR entity_type = :type)"
            " ORDER BY recorded_at DESC, version LIMIT :limit"
        ),
        {"type": entity_type, "limit": limit},
    )
    return tuple(ModelVersion(*row) for row in rows)


def select_models_named(connection: Connection, beginning: str) -> tuple[ModelVersion, ...]:
    """Find the model versions that begin so, at most two, with their reports."""
    rows = connection.execute(
        text(f"{_MODEL}, report FROM match_model WHERE starts_with(version, :beginning) ORDER BY version LIMIT 2"),
        {"beginning": beginning},
    )
    return tuple(ModelVersion(*row) for row in rows)


def select_choices(connection: Connection, entity_type: str | None, *, limit: int) -> tuple[ChoiceVersion, ...]:
    """List versions of the choice of values, newest first."""
    rows = connection.execute(
        text(
            "SELECT version, entity_type, reason, made_from, recorded_at, who FROM survivorship_rules"
            " WHERE (CAST(:type AS text) IS NULL OR entity_type = :type)"
            " ORDER BY recorded_at DESC, version LIMIT :limit"
        ),
        {"type": entity_type, "limit": limit},
    )
    return tuple(ChoiceVersion(*row) for row in rows)


def select_choices_named(connection: Connection, beginning: str) -> tuple[ChoiceVersion, ...]:
    """Find the versions of the choice of values that begin so, at most two."""
    rows = connection.execute(
        text(
            "SELECT version, entity_type, reason, made_from, recorded_at, who FROM survivorship_rules"
            " WHERE starts_with(version, :beginning) ORDER BY version LIMIT 2"
        ),
        {"beginning": beginning},
    )
    return tuple(ChoiceVersion(*row) for row in rows)


def select_definition(connection: Connection, table: str, version: str) -> dict[str, Any] | None:
    """Read what a version holds; `table` is match_model or survivorship_rules."""
    assert table in {"match_model", "survivorship_rules"}, "one of two tables"
    found: dict[str, Any] | None = connection.execute(
        text(f"SELECT definition FROM {table} WHERE version = :version"), {"version": version}
    ).scalar_one_or_none()
    return found


def insert_activation(connection: Connection, made: Activation) -> None:
    """Append an activation."""
    connection.execute(
        text(
            "INSERT INTO rule_activation (id, number, entity_type, model_version, survivorship_version, reason,"
            " is_forced, refusals, proposed_by, recorded_at, who) VALUES (:id, :number, :entity_type, :model,"
            " :survivorship, :reason, :is_forced, CAST(:refusals AS jsonb), :proposed_by, :recorded_at, :who)"
        ),
        {
            "id": made.id,
            "number": made.number,
            "entity_type": made.entity_type,
            "model": made.rules.model,
            "survivorship": made.rules.survivorship,
            "reason": made.reason,
            "is_forced": made.is_forced,
            "refusals": as_json(list(made.refusals)),
            "proposed_by": made.proposed_by,
            "recorded_at": made.recorded_at,
            "who": made.who,
        },
    )


def select_activations(connection: Connection, entity_type: str | None, *, limit: int) -> tuple[Activation, ...]:
    """List activations, newest first."""
    rows = connection.execute(
        text(
            f"{_ACTIVATION} WHERE (CAST(:type AS text) IS NULL OR entity_type = :type)"
            " ORDER BY number DESC LIMIT :limit"
        ),
        {"type": entity_type, "limit": limit},
    )
    return tuple(_activation(row) for row in rows)


def select_newest_number(connection: Connection) -> int:
    """Give the number of the last activation of all."""
    found: int = connection.execute(text("SELECT coalesce(max(number), 0) FROM rule_activation")).scalar_one()
    return found


def insert_proposal(connection: Connection, made: Proposal) -> None:
    """Append a change that waits."""
    connection.execute(
        text(
            "INSERT INTO rule_proposal (id, entity_type, model_version, survivorship_version, reason, is_forced,"
            " refusals, state, recorded_at, who) VALUES (:id, :entity_type, :model, :survivorship, :reason, :is_forced,"
            " CAST(:refusals AS jsonb), 'waiting', :recorded_at, :who)"
        ),
        {
            "id": made.id,
            "entity_type": made.entity_type,
            "model": made.rules.model,
            "survivorship": made.rules.survivorship,
            "reason": made.reason,
            "is_forced": made.is_forced,
            "refusals": as_json(list(made.refusals)),
            "recorded_at": made.recorded_at,
            "who": made.who,
        },
    )


def settle_proposal(connection: Connection, id_: str, *, state: ProposalState, at: datetime, who: str) -> bool:
    """End the waiting of a change; False when it does not wait any more."""
    ended = text(
        "UPDATE rule_proposal SET state = :state, settled_at = :at, settled_by = :who"
        " WHERE id = :id AND state = 'waiting'"
    )
    return connection.execute(ended, {"state": state, "at": at, "who": who, "id": id_}).rowcount > 0


def select_proposal(connection: Connection, id_: str) -> Proposal | None:
    """Read a change that waits, or did."""
    row = connection.execute(text(f"{_PROPOSAL} WHERE id = :id"), {"id": id_}).one_or_none()
    return None if row is None else _proposal(row)


def select_waiting(connection: Connection, entity_type: str) -> Proposal | None:
    """Find the change of an entity type's rules that waits."""
    row = connection.execute(
        text(f"{_PROPOSAL} WHERE entity_type = :type AND state = 'waiting'"), {"type": entity_type}
    ).one_or_none()
    return None if row is None else _proposal(row)


def insert_rematch(connection: Connection, made: Rematch) -> None:
    """Append a piece of work that begins."""
    connection.execute(
        text(
            "INSERT INTO rematch (id, entity_type, activation, state, position, total, done, found, recorded_at, who)"
            " VALUES (:id, :entity_type, :activation, 'running', '', :total, 0, '{}', :recorded_at, :who)"
        ),
        {
            "id": made.id,
            "entity_type": made.entity_type,
            "activation": made.activation,
            "total": made.total,
            "recorded_at": made.recorded_at,
            "who": made.who,
        },
    )


def end_rematches(connection: Connection, entity_type: str, *, at: datetime, who: str) -> None:
    """End open work of an entity type, since other rules hold now."""
    connection.execute(
        text(
            "UPDATE rematch SET state = 'superseded', ended_at = :at, ended_by = :who"
            " WHERE entity_type = :type AND state IN ('running', 'paused')"
        ),
        {"type": entity_type, "at": at, "who": who},
    )


def update_rematch(connection: Connection, id_: str, *, position: str, done: int, found: Mapping[str, int]) -> None:
    """Note how far the work is."""
    connection.execute(
        text("UPDATE rematch SET position = :position, done = :done, found = CAST(:found AS jsonb) WHERE id = :id"),
        {"id": id_, "position": position, "done": done, "found": as_json(dict(found))},
    )


def turn_rematch(
    connection: Connection, id_: str, state: RematchState, *, at: datetime | None = None, who: str | None = None
) -> None:
    """Let the work run, pause or end."""
    connection.execute(
        text("UPDATE rematch SET state = :state, ended_at = :at, ended_by = :who WHERE id = :id"),
        {"id": id_, "state": state, "at": at, "who": who},
    )


def select_rematch(connection: Connection, entity_type: str) -> Rematch | None:
    """Give the newest work of an entity type."""
    row = connection.execute(
        text(f"{_REMATCH} WHERE entity_type = :type ORDER BY activation DESC, id DESC LIMIT 1"), {"type": entity_type}
    ).one_or_none()
    return None if row is None else Rematch(*row)


def take_rematch(connection: Connection) -> Rematch | None:
    """Take work that runs, for the length of the transaction; None when there is none, or others are at it."""
    row = connection.execute(
        text(f"{_REMATCH} WHERE state = 'running' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")
    ).one_or_none()
    return None if row is None else Rematch(*row)


def count_records(connection: Connection, entity_type: str) -> int:
    """Count the active source records of an entity type."""
    found: int = connection.execute(
        text("SELECT count(*) FROM source_record WHERE entity_type = :type AND state = 'active'"), {"type": entity_type}
    ).scalar_one()
    return found


def select_records_after(connection: Connection, entity_type: str, after: str, *, limit: int) -> tuple[RecordId, ...]:
    """List active records by id, those behind an id."""
    rows = connection.execute(
        text(
            "SELECT id FROM source_record WHERE id > :after AND entity_type = :type AND state = 'active'"
            " ORDER BY id LIMIT :limit"
        ),
        {"type": entity_type, "after": after, "limit": limit},
    )
    return tuple(map(RecordId, rows.scalars()))


def select_values_after(connection: Connection, entity_type: str, after: str, *, limit: int) -> Sequence[Row[Any]]:
    """List active records by id, those behind an id, with their values: id, the parts of the key, context, values."""
    return connection.execute(
        text(
            "SELECT r.id, r.instance_id, r.object, r.scope, r.native_id, r.context, v.values FROM source_record r"
            " JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version"
            " WHERE r.id > :after AND r.entity_type = :type AND r.state = 'active' ORDER BY r.id LIMIT :limit"
        ),
        {"type": entity_type, "after": after, "limit": limit},
    ).all()


def select_drawn(connection: Connection, entity_type: str, *, limit: int, seed: str) -> tuple[RecordId, ...]:
    """Draw the active records of whole golden records, as many as fit, by a seed that draws the same again."""
    rows = connection.execute(
        text(
            "SELECT id FROM source_record WHERE entity_type = :type AND state = 'active'"
            " ORDER BY md5(:seed || golden_id), id LIMIT :limit"
        ),
        {"type": entity_type, "seed": seed, "limit": limit},
    )
    return tuple(map(RecordId, rows.scalars()))


def select_decided(connection: Connection, entity_type: str, *, limit: int) -> tuple[Row[Any], ...]:
    """List the newest pairs of active records on which a steward decided: left_id, right_id, is_same."""
    rows = connection.execute(
        text(
            "SELECT d.left_id, d.right_id, d.judgement = 'same' AS is_same FROM decision d"
            " JOIN source_record l ON l.id = d.left_id AND l.state = 'active'"
            " JOIN source_record r ON r.id = d.right_id AND r.state = 'active'"
            " WHERE d.entity_type = :type AND d.revoked_at IS NULL AND d.judgement <> 'unsure' AND d.basis = 'steward'"
            " ORDER BY d.id DESC LIMIT :limit"
        ),
        {"type": entity_type, "limit": limit},
    )
    return tuple(rows)


def select_standing(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, tuple[str, bool]]:
    """Give each record's golden record, and whether that is established."""
    rows = connection.execute(
        text(
            "SELECT r.id, r.golden_id, g.is_confirmed OR g.is_acknowledged AS is_established FROM source_record r"
            " JOIN golden_record g ON g.id = r.golden_id WHERE r.id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {RecordId(row.id): (row.golden_id, row.is_established) for row in rows}


def _activation(row: Row[Any]) -> Activation:
    return Activation(
        row.id,
        row.number,
        row.entity_type,
        Pair(row.model_version, row.survivorship_version),
        row.reason,
        row.is_forced,
        tuple(row.refusals),
        row.proposed_by,
        row.recorded_at,
        row.who,
    )


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(
        row.id,
        row.entity_type,
        Pair(row.model_version, row.survivorship_version),
        row.reason,
        row.is_forced,
        tuple(row.refusals),
        row.state,
        row.recorded_at,
        row.who,
        row.settled_at,
        row.settled_by,
    )
