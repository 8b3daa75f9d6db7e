"""What a trial and a training read of the hub: records with their golden records, decisions, decided pairs.

All of an entity type up to a bound; beyond it a drawn part: whole golden records, and whoever they could match.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from mdm.decisions.model import Constraints
from mdm.decisions.service import constraints
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.modelling import store
from mdm.resolution import store as resolution_store
from mdm.sources import store as sources_store
from mdm.sources.model import SourceRecord

RECORDS_MAX: Final = 20_000  # chosen: some seconds of reading and matching
SEEDS_SHARE: Final = (
    4  # chosen: of what is read of a larger hub, one in so many is drawn, the others are those it meets
)
READ_AT_ONCE: Final = 2_000
DECIDED_MAX: Final = 20_000  # chosen: more decided pairs than a team makes in a year


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Records of one entity type by printed source key, and what is held and decided of them.

    total     active records the hub has
    is_drawn  bool [records]: those that stand for the hub; the others are there to be met
    standing  record → its golden record, and whether that is established
    """

    records: tuple[SourceRecord, ...]
    total: int
    is_drawn: NDArray[np.bool_]
    standing: Mapping[RecordId, tuple[str, bool]]
    constraints: Constraints

    @property
    def share(self) -> float:
        """Tell which share of the hub's records was drawn."""
        return float(self.is_drawn.sum()) / self.total if self.total else 1.0

    @property
    def is_whole(self) -> bool:
        """Tell whether all records of the hub were read."""
        return bool(self.is_drawn.all()) and len(self.records) == self.total


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Pairs on which somebody decided, as positions among records: int32 [pairs], and whether they are the same."""

    records: tuple[SourceRecord, ...]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    is_same: NDArray[np.bool_]


def gather(connection: Connection, entity_type: EntityType, *, limit: int = RECORDS_MAX, seed: str = "") -> Gathered:
    """Read the records of an entity type, all of them or a drawn part with whoever it could match."""
    total = store.count_records(connection, entity_type.name)
    drawn = store.select_drawn(
        connection, entity_type.name, limit=total if total <= limit else limit // SEEDS_SHARE, seed=seed
    )
    met: set[RecordId] = set(drawn)
    if total > limit:
        for part in _parts(drawn):
            pairs, _ = resolution_store.select_candidates(
                connection, entity_type.name, part, size_max=entity_type.model.block_size_max
            )
            met.update(id_ for pair in pairs for id_ in pair)
            if len(met) > limit:
                break
    records = sorted(_read(connection, sorted(met)), key=lambda record: str(record.key))
    ids = [record.id for record in records]
    chosen = set(drawn)
    return Gathered(
        records=tuple(records),
        total=total,
        is_drawn=np.fromiter((id_ in chosen for id_ in ids), dtype=bool, count=len(ids)),
        standing=store.select_standing(connection, ids),
        constraints=constraints(connection, ids),
    )


def gather_decided(connection: Connection, entity_type: EntityType, *, limit: int = DECIDED_MAX) -> Decided:
    """Read the pairs on which stewards decided, with their records as they are now."""
    rows = store.select_decided(connection, entity_type.name, limit=limit)
    return placed(
        _read(connection, sorted({RecordId(id_) for row in rows for id_ in row[:2]})),
        [(RecordId(row.left_id), RecordId(row.right_id), row.is_same) for row in rows],
    )


def placed(records: Sequence[SourceRecord], pairs: Iterable[tuple[RecordId, RecordId, bool]]) -> Decided:
    """Name pairs by the places of their records; pairs of records that are not there are left out."""
    ordered = tuple(sorted(records, key=lambda record: str(record.key)))
    place = {record.id: position for position, record in enumerate(ordered)}
    known = sorted({(*sorted((place[a], place[b])), same) for a, b, same in pairs if a in place and b in place})
    return Decided(
        ordered,
        np.array([pair[0] for pair in known], dtype=np.int32),
        np.array([pair[1] for pair in known], dtype=np.int32),
        np.array([pair[2] for pair in known], dtype=bool),
    )


def _read(connection: Connection, ids: Sequence[RecordId]) -> list[SourceRecord]:
    found: list[SourceRecord] = []
    for part in _parts(ids):
        found += (record for record in sources_store.select_records(connection, part) if record.state == "active")
    return found


def _parts(ids: Sequence[RecordId]) -> Iterable[Sequence[RecordId]]:
    return (ids[start : start + READ_AT_ONCE] for start in range(0, len(ids), READ_AT_ONCE))
