"""What a golden record is to others: the relations that stewards decided, read from its side.

Relations bind source records and follow them; each is told with the golden records that its two records belong to now.
They are no values: what a record points at as its parent is an attribute, and stands among the values.
"""

from datetime import date

from sqlalchemy import Connection

from mdm.decisions import store
from mdm.decisions.model import RelatedPair, Relation
from mdm.decisions.relations import read_from
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId


def relations_of(connection: Connection, golden_id: GoldenId, *, valid_at: date | None = None) -> tuple[Relation, ...]:
    """List the relations of what a golden id stands for: those valid on a day, or all with their validity.

    Raises GoldenRecordUnknown.
    """
    golden = resolve_golden(connection, golden_id)
    pairs: tuple[RelatedPair, ...] = store.select_related(connection, [golden.id])
    if valid_at is not None:
        pairs = tuple(one for one in pairs if one.holds_at(valid_at))
    return read_from(golden.id, pairs)
