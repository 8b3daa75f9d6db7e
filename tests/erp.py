"""The fake ERP as a target of a hub: declared, spoken to by the real connector, told by the real relay."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.http import Timeouts
from mdm.connectors.record_api import RecordApi
from mdm.delivery.model import Declaration
from mdm.delivery.relay import Relay, relay_to_records
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from tests.hubs import register_instances
from tests.targets import declare

NETSUITE = """
    target: netsuite
    title: NetSuite
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_NETSUITE}}
    instance: netsuite-us
    records:
      customer:
        object: customer
        creates: true
        on_merge: deactivate
        fields:
          legal_name: {{field: companyName}}
          currency: {{}}
          city: {{}}
          tax_ids: {{field: vatRegNumber, takes: first}}
          phones: {{field: phone, owner: fill, takes: first}}
      project:
        object: project
        creates: true
        fields:
          name: {{field: projectName}}
          customer: {{}}
"""
PATIENT = Timeouts(connect_s=60, silence_s=60, total_s=90)
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@dataclass
class Clock:
    """The database's clock, put forward by hand."""

    ahead: timedelta = timedelta()

    def __call__(self, connection: Connection) -> datetime:
        return clock.instant(connection) + self.ahead

    def forward(self, **duration: float) -> None:
        self.ahead += timedelta(**duration)


@dataclass
class Books:
    """A running ERP, the target that it is, and the relay that tells it.

    call  gives a relay that calls the ERP elsewhere, or trusts whom the first one does not
    """

    fake: Fake
    declaration: Declaration
    relay: Relay
    call: "Call"
    clock: Clock = field(default_factory=Clock)


class Call(Protocol):
    """Gives a relay that calls an address."""

    def __call__(self, url: str, tls: ssl.SSLContext | None = None) -> Relay: ...


@contextmanager
def books(
    hub: Hub,
    folder: Path,
    *,
    declaration: str = NETSUITE,
    timeouts: Timeouts = PATIENT,
    furnish: Callable[[Fake], None] = lambda _: None,
    address: Callable[[Fake], str] = lambda fake: fake.url,
    is_matched: bool = True,
) -> Iterator[Books]:
    """Run an ERP that is a source and a target of the hub; `address` says where the hub believes it to be."""
    register_instances(hub, "salesforce-us", "kantata", "netsuite-us")
    with running(Fake(ERP), has_tls=True) as fake, ExitStack() as opened:
        furnish(fake)
        declared = declare(hub, folder, declaration.format(url=address(fake)), is_matched=is_matched)
        now = Clock()

        def call(url: str, tls: ssl.SSLContext | None = None) -> Relay:
            system = RecordApi(url, fake.hub_key, allowed=LOOPBACK, timeouts=timeouts, tls=tls)
            opened.callback(system.close)
            return relay_to_records(hub, declared, system, now=now)

        yield Books(fake, declared, call(address(fake)), call, now)
