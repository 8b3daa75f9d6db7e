"""What deliveries do to golden records is told as what operations do: what is divided, as a split."""

from collections.abc import Mapping
from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.publishing.model import Event
from mdm.publishing.service import changes
from tests.hubs import delivery, golden_by_key, let_others_end

pytestmark = pytest.mark.db

A, B = "crm-east/Account:a", "crm-west/Account:b"


def send(hub: Hub, key: str, **fields: Any) -> None:
    deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")


def last(hub: Hub, count: int) -> dict[str, Event]:
    """Give the last events by golden id."""
    let_others_end(hub.engine)
    events, _ = run(hub.engine, lambda connection: changes(connection, after=None, limit=100))
    assert len({one.details["event_id"] for one in events[-count:]}) == 1
    return {str(one.golden_id): one for one in events[-count:]}


def told(event: Event) -> tuple[str, Mapping[str, Any]]:
    return event.kind, {name: event.details[name] for name in ("moves", "parts") if name in event.details}


def test_a_delivery_that_parts_a_golden_record_splits_it(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    whole = golden_by_key(hub)[A]

    send(hub, B, codes=["x2"])

    minted = golden_by_key(hub)[B]
    assert minted != whole
    events = last(hub, 2)
    went = [{"source_key": B, "before": whole, "after": minted}]
    parts = [{"golden_id": minted, "source_keys": [B]}]
    assert told(events[whole]) == ("golden_record.split", {"moves": went, "parts": parts})
    assert told(events[minted]) == ("golden_record.created", {"moves": went})


def test_a_record_that_comes_home_to_its_own_id_splits_what_it_leaves(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x2"])
    home = golden_by_key(hub)[B]
    send(hub, B, codes=["x1"])
    whole = golden_by_key(hub)[B]
    assert whole != home

    send(hub, B, codes=["x2"])

    assert golden_by_key(hub)[B] == home
    events = last(hub, 2)
    went = [{"source_key": B, "before": whole, "after": home}]
    parts = [{"golden_id": home, "source_keys": [B]}]
    assert told(events[whole]) == ("golden_record.split", {"moves": went, "parts": parts})
    assert told(events[home]) == ("golden_record.changed", {"moves": went})


def test_a_record_that_is_deleted_and_returns_has_no_other_side(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    id_ = golden_by_key(hub)[A]

    deliver(hub, [delivery(A, "widget_hold", deleted=True)], who="test")
    gone = told(last(hub, 1)[id_])
    send(hub, A, codes=["x1"])

    assert gone == ("golden_record.retired", {"moves": [{"source_key": A, "before": id_}]})
    assert told(last(hub, 1)[id_]) == ("golden_record.changed", {"moves": [{"source_key": A, "after": id_}]})
