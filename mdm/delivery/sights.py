"""What decides about the records of a target, read for many golden records at one instant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, Row

from mdm.db.transaction import snapshot
from mdm.delivery import external_ids_store, freezing_store, written_for_store
from mdm.delivery import ledger_store as store
from mdm.delivery.model import Declaration, FieldRule, OwnRecord, Sight
from mdm.delivery.written_for import marks_in_question
from mdm.entities.model import EntityType
from mdm.ids import GoldenId


def look(
    engine: Engine, declaration: Declaration, declared: Mapping[str, EntityType], ids: Sequence[GoldenId]
) -> tuple[dict[GoldenId, Sight], frozenset[GoldenId]]:
    """Give the sight of each golden record, and those whose newest version is held back.

    One that has no version to show yet has no sight.
    """
    with snapshot(engine) as connection:
        shown = store.select_shown(connection, ids)
        records = store.select_own_records(connection, declaration.id, declaration.instance, ids)
        reserved = store.select_reserved(connection, declaration.instance, ids) if declaration.instance else set()
        frozen = freezing_store.select_frozen(connection, ids)
        lacking = [id_ for id_ in ids if not any(map(is_living, records.get(id_, ())))]
        reviews = store.select_reviews_with(connection, declaration.instance, lacking) if lacking else {}
        pointed = {id_: pointed_at(declaration, declared, row.entity_type, row.shown) for id_, row in shown.items()}
        namesakes = (
            external_ids_store.select_namesakes(connection, declaration.id, declaration.instance, ids)
            if declaration.instance
            else {}
        )
        borne = _ids_of_others(records)
        claimed = external_ids_store.select_active(connection, borne) if borne else frozenset()
        keys = store.select_keys(
            connection, declaration.id, declaration.instance, {one for many in pointed.values() for one in many}
        )
        asked = _in_question(declaration, declared, shown, records)
        parted = written_for_store.select_parted(connection, asked) if asked else {}
    sights = {
        id_: Sight(
            id_,
            row.entity_type,
            row.state,
            row.version,
            row.shown,
            tuple(records.get(id_, ())),
            {one: keys.get(one, []) for one in pointed[id_]},
            frozen.get(id_, frozenset()),
            id_ in reserved,
            reviews.get(id_),
            tuple(namesakes.get(id_, ())),
            claimed & {one.external_id for one in records.get(id_, ())} - {id_},
            parted.get(id_, frozenset()),
        )
        for id_, row in shown.items()
        if row.version is not None
    }
    held_back = frozenset(id_ for id_, row in shown.items() if row.version is None or row.version < row.newest)
    return sights, held_back


def is_living(record: OwnRecord) -> bool:
    """Tell whether a record that the crosswalk names is still there, in use or not, as far as is known."""
    return record.held is None or record.held.state not in {"merged", "lost"}


def _ids_of_others(records: Mapping[GoldenId, Sequence[OwnRecord]]) -> set[str]:
    """Give the external ids that records bear besides that of their own golden record."""
    borne = ((id_, one.external_id) for id_, many in records.items() for one in many)
    return {external_id for id_, external_id in borne if external_id and external_id != id_}


def _in_question(
    declaration: Declaration,
    declared: Mapping[str, EntityType],
    shown: Mapping[GoldenId, Row[Any]],
    records: Mapping[GoldenId, Sequence[OwnRecord]],
) -> dict[GoldenId, list[tuple[FieldRule, str]]]:
    """Give the fields of which it is to be asked whose value stands there, with what it was written for."""
    found: defaultdict[GoldenId, list[tuple[FieldRule, str]]] = defaultdict(list)
    for id_, many in records.items():
        row = shown.get(id_)
        subscription = declaration.records.get(row.entity_type) if row is not None else None
        if row is not None and subscription is not None:
            for one in many:
                found[id_].extend(marks_in_question(subscription, declared[row.entity_type], row.shown or {}, one))
    return {id_: some for id_, some in found.items() if some}


def pointed_at(
    declaration: Declaration, declared: Mapping[str, EntityType], name: str, values: Mapping[str, object] | None
) -> frozenset[GoldenId]:
    """Find the golden records that the values which a target is told of point at."""
    subscription = declaration.records.get(name)
    if subscription is None or not values:
        return frozenset()
    found: set[GoldenId] = set()
    for rule in subscription.fields:
        value = values.get(rule.attribute)
        if value is not None and declared[name].attributes[rule.attribute].reference is not None:
            found.update(GoldenId(one) for one in (value if isinstance(value, list) else [value]))
    return frozenset(found)
