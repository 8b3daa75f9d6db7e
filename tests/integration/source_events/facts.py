"""Short words for tests of what sources do to their own records: widgets of two CRMs and an ERP."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.identity.service import crosswalk, golden_id_of
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.jobs.source_events import report
from mdm.source_events.model import Noted, SourceFact
from mdm.sources.model import SourceKey
from tests.hubs import EPOCH, delivery

TYPE = "widget_merge"


def key_of(name: str, instance: str = "crm-east") -> str:
    """Print the key of a record by its short name; `erp:n1` is one of the other system."""
    place, _, native_id = name.rpartition(":")
    return f"{ {'': instance, 'west': 'crm-west', 'erp': 'erp-one'}[place] }/Account:{native_id}"


def send(hub: Hub, name: str, /, *, at: int | None = None, deleted: bool = False, **fields: Any) -> Outcome:
    """Deliver one widget."""
    (outcome,) = deliver(hub, [delivery(key_of(name), TYPE, at=at, deleted=deleted, **fields)], who="test")
    return outcome


def fact(kind: Any, name: str, other: str | None = None, *, at: int | None = None, **said: Any) -> SourceFact:
    """Make a fact; `at` counts hours of the source's clock."""
    key = SourceKey.parse(key_of(name))
    happened_at = None if at is None else EPOCH + timedelta(hours=at)
    survivor = None if other is None else SourceKey.parse(key_of(other))
    return SourceFact(kind, key.instance, key, survivor, happened_at=happened_at, **said)


def tell(hub: Hub, *facts: SourceFact) -> list[str]:
    """Report facts and give the status of each."""
    return [one.status for one in noted(hub, *facts)]


def noted(hub: Hub, *facts: SourceFact) -> tuple[Noted, ...]:
    """Report facts and give what became of each."""
    return report(hub, facts, who="crm-east")


def golden(hub: Hub, name: str, as_of: Any = None) -> str:
    """Give the golden id that a key resolves to."""
    return str(run(hub.engine, lambda c: golden_id_of(c, SourceKey.parse(key_of(name)), as_of=as_of))[0])


def keys(hub: Hub, name: str, *, to: str | None = None, as_of: Any = None) -> list[str]:
    """List the keys of the golden record that a key resolves to, those given up marked by their reason."""
    found = run(
        hub.engine,
        lambda c: crosswalk(c, golden_id_of(c, SourceKey.parse(key_of(name)), as_of=as_of)[0], to=to, as_of=as_of),
    )
    return [f"{one.native_id} {one.ended}" if one.ended else one.native_id for one in found]


def rows(hub: Hub, statement: str) -> list[tuple[Any, ...]]:
    """Run one query."""
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def values(hub: Hub, name: str) -> Any:
    """Give the golden values and the winning records of a key's golden record, as bytes of JSON."""
    statement = (
        "SELECT values::text, lineage::text FROM golden_version"
        f" WHERE golden_id = '{golden(hub, name)}' AND recorded_to IS NULL"
    )
    return rows(hub, statement)
