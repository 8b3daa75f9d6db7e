"""A connector that speaks to a running fake, and the changes it is given."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from mdm.connectors.http import Timeouts
from mdm.connectors.model import Change, Failure, Receipt, RecordSystem
from mdm.connectors.record_api import RecordApi
from mdm.demo.fakes.clock import VirtualClock
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.model import Character
from mdm.demo.fakes.wire import running

LOOPBACK = [ip_network("127.0.0.0/8")]
PATIENT = Timeouts(connect_s=60, silence_s=60, total_s=90)
# Bounds of the one that is to run out only, so that a busy machine turns no fault into another.
NO_SILENCE = Timeouts(connect_s=60, silence_s=0.3, total_s=90)
NO_DRIPPING = Timeouts(connect_s=60, silence_s=60, total_s=2)
TRUST = ssl.create_default_context()  # reading the authorities takes longer than most of these tests


@contextmanager
def spoken_to(fake: Fake, *, timeouts: Timeouts = PATIENT, url: str = "") -> Iterator[RecordApi]:
    """Connect to a fake that runs."""
    connector = RecordApi(url or fake.url, fake.hub_key, allowed=LOOPBACK, timeouts=timeouts, tls=TRUST)
    try:
        yield connector
    finally:
        connector.close()


@contextmanager
def system(character: Character, *scopes: str) -> Iterator[tuple[Fake, RecordApi]]:
    """Run a fake with a clock that stands still, and connect to it."""
    with (
        running(Fake(character, clock=VirtualClock(), scopes=scopes)) as fake,
        spoken_to(fake) as it,
    ):
        yield fake, it


def new_client(request_id: str = "r1", external_id: str = "cus_1", **fields: Any) -> Change:
    """Ask for a customer of the ERP."""
    values = {"companyName": "Acme GmbH", "currency": "EUR", **fields}
    return Change(request_id, "create", "customer", "", "", values, external_id=external_id)


def update(request_id: str, native_id: str, **fields: Any) -> Change:
    """Ask for other values of a customer of the ERP."""
    return Change(request_id, "update", "customer", "", native_id, fields)


def one(connector: RecordSystem, change: Change) -> Receipt | Failure:
    """Carry out one change."""
    (outcome,) = connector.write([change])
    return outcome


def until_done(connector: RecordSystem, change: Change, *, attempts_max: int = 20) -> tuple[Receipt, list[str]]:
    """Repeat a change as a relay does, without its waiting; gives the receipt and the kinds of failure before it."""
    kinds: list[str] = []
    for _ in range(attempts_max):
        outcome = one(connector, replace(change))
        if isinstance(outcome, Receipt):
            return outcome, kinds
        kinds.append(outcome.kind)
    raise AssertionError(f"not done after {attempts_max} attempts: {kinds}")
