"""A few clients for tests of the page of a record: Brightwater in three systems with a project, Halden beside it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, golden_by_key, hub_on, register_instances

SF = "salesforce-emea/Account:001A"
NS = "netsuite-us/customer:N-7"
CE = "certinia/Account:C-1"
HALDEN = "certinia/Account:C-2"
PARENT = "certinia/Account:C-9"
PROJECT = "certinia/pse__Proj__c:P-1"

BRIGHTWATER: Mapping[str, Any] = {
    "name": "Brightwater Consulting Ltd",
    "vat number": "GB 980 7806 84",
    "website": "brightwater.example",
    "phone": "+44 20 7946 0958",
    "city": "London",
    "country": "GB",
}


def deliver_all(hub: Hub, *records: Any) -> None:
    """Deliver records one after the other; none may be refused."""
    for each in records:
        (outcome,) = deliver(hub, [each], who="test")
        assert outcome.status != "rejected", outcome


def brightwater(engine: Engine) -> Hub:
    """Make a hub with Brightwater as one golden record of three systems, its parent, a project, and Halden."""
    hub = hub_on(engine)
    register_instances(hub, "salesforce-emea", "netsuite-us", "certinia")
    deliver_all(
        hub,
        delivery(PARENT, "customer", at=1, name="Northgate Holdings SE", country="DE", city="Bonn"),
        delivery(SF, "customer", at=1, **BRIGHTWATER),
        delivery(NS, "customer", at=2, **{**BRIGHTWATER, "name": "BRIGHTWATER CONSULTING LIMITED", "city": "Bristol"}),
        delivery(CE, "customer", at=3, **BRIGHTWATER, parent="C-9"),
        delivery(HALDEN, "customer", at=1, name="Halden Roe Partners LLP", country="GB", city="Leeds"),
        delivery(PROJECT, "project", at=3, name="Harbour migration", code="HM-1", customer="C-1", status="active"),
    )
    golden = golden_by_key(hub)
    assert golden[SF] == golden[NS] == golden[CE] != golden[HALDEN]
    return hub
