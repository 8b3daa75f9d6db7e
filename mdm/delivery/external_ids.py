"""Which external id each record of a target shall bear: pure.

A golden record has its id borne by the record that stays, and by that one only. A record that bears it already is the
one that stays, so that merges and splits rename as little as they can. A record may keep the id of a golden record that
forwards; once that is active again, and has not got the record back, it lets go of it. Where another golden record's
record bears the id, that one lets go first: systems keep such ids unique, or find by it the record of another one.
"""

from collections.abc import Iterable, Sequence

from mdm.delivery.model import Namesake, OwnRecord, Sight


def with_bearer_first(records: Iterable[OwnRecord], sight: Sight) -> Sequence[OwnRecord]:
    """Put the record that stays first: one that bears the golden id, else the one that the hub has known longest."""
    return sorted(records, key=lambda one: one.external_id != sight.golden_id)


def id_to_give(sight: Sight, staying: OwnRecord, living: Sequence[OwnRecord]) -> str:
    """Say which external id the record that stays is given along with its values; "" where another one bears it."""
    is_borne = any(
        one is not staying and one.external_id == sight.golden_id and (one.object, one.scope) == _keeper_of(staying)
        for one in living
    )
    if staying.external_id != sight.golden_id and (is_borne or namesake_in(sight, *_keeper_of(staying)) is not None):
        return ""
    return str(sight.golden_id)


def is_renamed(staying: OwnRecord, given: str) -> bool:
    """Tell whether its external id alone is reason enough to write a record: it bears none, or another one.

    Of one that the hub made, and of which it is not known, it is given along with its values.
    """
    return bool(given) and staying.external_id not in {None, given}


def lets_go(sight: Sight, record: OwnRecord) -> bool:
    """Tell whether a record bears the id of another active golden record."""
    return record.external_id in sight.claimed


def namesake_in(sight: Sight, object_: str, scope: str) -> Namesake | None:
    """Find a record of another golden record that bears the golden id where it is to be unique."""
    return next((one for one in sight.namesakes if (one.object, one.scope) == (object_, scope)), None)


def _keeper_of(record: OwnRecord) -> tuple[str, str]:
    return record.object, record.scope
