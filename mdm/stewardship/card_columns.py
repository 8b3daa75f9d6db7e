"""The heads of the columns of a review card, and what points at the golden records behind them: pure."""

from collections.abc import Iterable, Sequence

from mdm.ids import GoldenId
from mdm.sources.model import SourceRecord
from mdm.stewardship.card_model import KEYS_MAX, TEXT_LENGTH_MAX, ChildGroup, Column, SystemKeys
from mdm.stewardship.card_reading import Reading


def columns_of_pair(reading: Reading, placed: Sequence[SourceRecord]) -> tuple[Column, ...]:
    """Head two golden records, each with the record of it that is compared."""
    heads = []
    for record in placed:
        golden_id = GoldenId(str(record.golden_id))
        members = [one for one in reading.records.values() if one.golden_id == golden_id]
        name = reading.entity_type.name_of(reading.versions[golden_id].values)
        heads.append(_column(reading, golden_id, name, record, members))
    return tuple(heads)


def columns_of_cluster(
    reading: Reading, placed: Sequence[SourceRecord], bits_to_first: Sequence[float]
) -> tuple[Column, ...]:
    """Head the records of one golden record."""
    heads = []
    for place, record in enumerate(placed):
        golden_id = GoldenId(str(record.golden_id))
        name = reading.entity_type.name_of(record.values)
        links, strongest = reading.strengths.get(record.id, (0, float("-inf")))
        heads.append(
            _column(
                reading,
                golden_id,
                name,
                record,
                [record],
                bits_to_first=bits_to_first[place - 1] if place else None,
                links=links,
                strongest_bits=strongest if links else None,
            )
        )
    return tuple(heads)


def children_of(reading: Reading) -> tuple[ChildGroup, ...]:
    """Count and name what points at each column, by entity type; what points at the absorbed one moves."""
    groups: dict[tuple[GoldenId, str], ChildGroup] = {}
    for row in reading.children:
        named = reading.names[row.golden_id]
        found = groups.get((row.parent_id, row.entity_type))
        groups[row.parent_id, row.entity_type] = ChildGroup(
            row.entity_type,
            reading.golden_ids.index(row.parent_id),
            row.count,
            row.open_count,
            reading.is_pair and row.parent_id != reading.survivor_id,
            (*(found.named if found else ()), named),
        )
    return tuple(groups[key] for key in sorted(groups, key=lambda key: (reading.golden_ids.index(key[0]), key[1])))


def _column(
    reading: Reading,
    golden_id: GoldenId,
    name: str,
    record: SourceRecord,
    members: Sequence[SourceRecord],
    **links: object,
) -> Column:
    golden = reading.goldens[golden_id]
    context = GoldenId(record.context) if record.context else None
    return Column(
        golden_id=golden_id,
        version=golden.version,
        is_established=golden.is_established,
        is_confirmed=golden.is_confirmed,
        name=name[:TEXT_LENGTH_MAX],
        record_key=str(record.key),
        records_count=len(members) if not reading.is_pair else len(reading.member_ids.get(golden_id, ())),
        systems=_systems(reading, members),
        within=reading.names.get(context) if context is not None else None,
        **links,  # type: ignore[arg-type]
    )


def _systems(reading: Reading, members: Iterable[SourceRecord]) -> tuple[SystemKeys, ...]:
    keys: dict[str, list[str]] = {}
    for member in sorted(members, key=lambda one: (one.source_rank, one.key)):
        keys.setdefault(member.key.instance, []).append(str(member.key))
    return tuple(
        SystemKeys(
            source,
            reading.instances[source].title if source in reading.instances else source,
            len(found),
            tuple(found[:KEYS_MAX]),
        )
        for source, found in keys.items()
    )
