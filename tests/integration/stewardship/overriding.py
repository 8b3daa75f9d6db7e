"""Records to override, and how tests do it and look at what came of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from mdm.db.transaction import run
from mdm.decisions.model import Lasting, Verdict
from mdm.hub import Hub
from mdm.ids import GoldenId, RecordId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import overrides
from mdm.stewardship import service as stewardship
from mdm.stewardship.override_lists import overrides_of
from mdm.stewardship.overrides import OverrideChange, Wish
from mdm.survivorship import service as survivorship
from tests.hubs import delivery, golden_by_key

A, B, C = "crm-east/Account:a", "crm-west/Account:b", "crm-east/Account:c"
SAID = "told by phone"


def send(hub: Hub, key: str, kind: str = "widget_hold", *, at: int | None = None, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, kind, at=at, **fields)], who="test")
    assert outcome.status in {"created", "updated", "unchanged"}


def golden(hub: Hub, key: str) -> GoldenId:
    return GoldenId(golden_by_key(hub)[key])


def values(hub: Hub, key: str) -> Mapping[str, Any]:
    found = run(hub.engine, lambda c: survivorship.golden_version(c, golden(hub, key)))
    assert found is not None
    return found.values


def version(hub: Hub, key: str) -> int:
    found = run(hub.engine, lambda c: survivorship.golden_version(c, golden(hub, key)))
    assert found is not None
    return found.version


def put(hub: Hub, key: str, attribute: str, value: Any, lasting: Lasting | None = None, **more: Any) -> OverrideChange:
    wish = Wish(attribute, value, SAID, lasting or Lasting())
    return overrides.set_override(hub, golden(hub, key), wish, who="ann", **more)


def rows(hub: Hub) -> list[Any]:
    with hub.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM value_override ORDER BY id")))


def join(hub: Hub, left: str, right: str) -> Any:
    return stewardship.decide(hub, SourceKey.parse(left), SourceKey.parse(right), Verdict("same", "seen"), who="ann")


def record_id(hub: Hub, key: str) -> RecordId:
    with hub.engine.connect() as connection:
        query = text("SELECT id FROM source_record WHERE native_id = :native_id")
        return RecordId(connection.execute(query, {"native_id": SourceKey.parse(key).native_id}).scalar_one())


def states(hub: Hub, key: str) -> list[tuple[Any, str]]:
    return [(one.override.value, one.state) for one in overrides_of(hub, golden(hub, key))]
