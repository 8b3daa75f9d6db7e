"""Find out which golden record a target's record is before any matching: by its key, external id or match key.

What none of these tells goes along the path like any other record.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final, Literal

from mdm.connectors.model import RemoteRecord
from mdm.db.transaction import reading
from mdm.delivery.model import Declaration, RecordSubscription
from mdm.entities.mapping import map_record
from mdm.entities.model import Origin
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.reconciliation import store as reconciliation_store
from mdm.reconciliation.remote_records import column_map_of, delivery_of, key_of
from mdm.sources import store as sources_store
from mdm.sources.model import Delivery, SourceKey
from mdm.sources.service import systems

GOLDENS_A_READ: Final = 5_000
KEYS_MAX: Final = 20  # chosen: match keys of one record, where several attributes hold several values

# known       the hub knows the key
# linked      its external id is a golden id
# match_key   exactly one golden record has the same values in the attributes to match on
# ambiguous   several have
# none        nothing tells it
# left_alone  taken out of use or merged away there, and unknown to the hub
By = Literal["known", "linked", "match_key", "ambiguous", "none", "left_alone"]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A record of a target, and which golden record it is by what it says itself."""

    record: RemoteRecord
    delivery: Delivery
    by: By
    golden_id: GoldenId | None = None
    candidates: tuple[GoldenId, ...] = ()

    @property
    def key(self) -> SourceKey:
        """Return its source key."""
        return self.delivery.key


@dataclass(slots=True)
class MatchKeys:
    """Golden records of one entity type by match key; empty where the declaration names no attributes."""

    golden_ids: defaultdict[Key, set[GoldenId]] = field(default_factory=lambda: defaultdict(set))

    def find(self, keys: Iterator[Key]) -> tuple[GoldenId, ...]:
        """Give the golden records that have one of these keys."""
        return tuple(sorted({golden_id for key in keys for golden_id in self.golden_ids.get(key, ())}))


def read_match_keys(hub: Hub, subscription: RecordSubscription) -> MatchKeys:
    """Read the match keys of all active golden records of a type, once for many records."""
    found = MatchKeys()
    after = ""
    while subscription.match_on:
        with reading(hub.engine) as connection:
            rows = reconciliation_store.select_shown_values(
                connection, subscription.entity_type, subscription.match_on, after=after, limit=GOLDENS_A_READ
            )
        if not rows:
            break
        for row in rows:
            for key in _keys(row.shown):
                found.golden_ids[key].add(GoldenId(row.id))
        after = rows[-1].id
    return found


def claim_all(
    hub: Hub,
    declaration: Declaration,
    subscription: RecordSubscription,
    records: Sequence[RemoteRecord],
    match_keys: MatchKeys,
) -> list[Claim]:
    """Find out which golden record each record is by what it says itself."""
    named = {record.external_id for record in records if record.external_id}
    with reading(hub.engine) as connection:
        heads = sources_store.select_heads(connection, [key_of(declaration, one) for one in records])
        goldens = reconciliation_store.select_goldens(connection, subscription.entity_type, named) if named else {}
        origin = Origin(declaration.instance, systems(connection).get(declaration.instance, ""))
    known = {key: GoldenId(head.golden_id) for key, head in heads.items() if head.golden_id and head.state == "active"}
    return [
        _claim(
            hub,
            delivery_of(declaration, subscription, one),
            subscription,
            one,
            _Known(origin, known, goldens, match_keys),
        )
        for one in records
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    origin: Origin
    by_key: Mapping[SourceKey, GoldenId]
    by_external_id: Mapping[str, GoldenId]
    match_keys: MatchKeys


def _claim(
    hub: Hub, delivery: Delivery, subscription: RecordSubscription, record: RemoteRecord, known: _Known
) -> Claim:
    if golden_id := known.by_key.get(delivery.key):
        return Claim(record, delivery, "known", golden_id)
    if record.merged_into:
        return Claim(record, delivery, "left_alone")
    if golden_id := known.by_external_id.get(record.external_id):
        return Claim(record, delivery, "linked", golden_id)
    found: tuple[GoldenId, ...] = ()
    if subscription.match_on:
        mapped = map_record(
            hub.entity_type(subscription.entity_type),
            delivery.fields,
            origin=known.origin,
            column_map=column_map_of(subscription),
        )
        found = known.match_keys.find(_keys([mapped.values.get(name) for name in subscription.match_on]))
    if len(found) == 1:
        return Claim(record, delivery, "match_key", found[0])
    if not record.is_active:
        return Claim(record, delivery, "left_alone")
    return Claim(record, delivery, "ambiguous" if found else "none", candidates=found)


def _keys(values: Sequence[Any]) -> Iterator[Key]:
    """Give every combination of the values; none where an attribute has no value."""
    options = [
        [text for one in (value if isinstance(value, list) else [value]) if one is not None and (text := _plain(one))]
        for value in values
    ]
    return islice(product(*options), KEYS_MAX)


def _plain(value: Any) -> str:
    return " ".join(str(value).split()).casefold()
