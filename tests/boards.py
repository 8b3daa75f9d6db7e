"""Targets in every standing, with a day behind them: for those who look at pages of targets."""

from pathlib import Path

from sqlalchemy import text

from mdm.connectors.model import Failure
from mdm.db.transaction import run
from mdm.delivery.relay import relay_to_records
from mdm.delivery.targets import let_stand
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.publishing.file_target import add_target
from tests.hubs import delivery, register_instances
from tests.targets import Shelf, declare

CRM = """
    target: {id}
    title: {title}
    kind: records
    connection: {{connector: record_api, url: 'http://127.0.0.1:1'}}
    instance: {instance}
    records:
      customer:
        object: customer
        creates: true
        fields:
          legal_name: {{field: name}}
"""
NEWS = """
    target: news
    title: News for the data platform
    kind: webhook
    connection: {url: 'https://example.com/hook', secret: MDM_SECRET_NEWS}
    events: {entities: [customer]}
"""
FIRMS = ("Harbour Lights Ltd", "Kestrel Aviation plc", "Nordwind Logistik GmbH", "Ostrava Steel a.s.", "Pinewood Homes")
HOSTILE = '"><img src=x onerror=alert(1)>\u202e'


def board(hub: Hub, folder: Path) -> Shelf:
    """Declare five targets and a folder: books runs with two parked lanes, billing was stopped, others rest or wait."""
    register_instances(hub, "salesforce-emea", "netsuite-us", "d365-emea", "kantata")
    clients = [delivery(f"salesforce-emea/Account:{n}", "customer", Name=name) for n, name in enumerate(FIRMS)]
    deliver(hub, clients, who="test")
    shelf = Shelf(failing=[Failure("refused", f"422 Unprocessable Content: name {HOSTILE}"), Failure("refused", "422")])
    books = declare(hub, folder, CRM.format(id="books", title="The books (NetSuite US)", instance="netsuite-us"))
    declare(hub, folder, CRM.format(id="billing", title="Billing EMEA", instance="d365-emea"))
    declare(hub, folder, CRM.format(id="plans", title="Kantata", instance="kantata"), is_matched=False)
    declare(hub, folder, NEWS)
    relay_to_records(hub, books, shelf).drain()
    run(hub.engine, lambda c: add_target(c, "share", folder / "share", ["customer"], who="test"))
    run(hub.engine, lambda c: let_stand(c, "billing", "stopped", reason="401 Unauthorized", who="target billing"))
    _spread(hub)
    return shelf


def _spread(hub: Hub) -> None:
    """Let what was told have happened over a day: one of each lane an hour, and news not answer."""
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO delivery_outcome (target_id, golden_id, version, outcome, attempts, reason, details,"
                " queued_at, recorded_at, who) SELECT 'books', golden_id, 1, 'delivered', 1, '', '{}',"
                " now() - make_interval(mins => 75 * n + 9 * n % 60), now() - make_interval(mins => 60 * n), 'test'"
                " FROM (SELECT golden_id FROM delivery_lane WHERE target_id = 'books') AS g,"
                " generate_series(1, 22) AS n WHERE n % 7 <> 3"
            )
        )
        connection.execute(
            text(
                "UPDATE target_pulse SET failures = 7, failing_since = now() - interval '40 min',"
                " opens_at = now() + interval '4 min', succeeded_at = now() - interval '41 min'"
                " WHERE target_id = 'news'"
            )
        )
        connection.execute(
            text("UPDATE delivery_lane SET recorded_at = now() - interval '41 min' WHERE target_id = 'news'")
        )
