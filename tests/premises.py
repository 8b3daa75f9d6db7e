"""Set a firm up for chaos: a CRM and an ERP that are sources and targets of the hub, and a receiver of all versions."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from mdm.connectors.record_api import RecordApi
from mdm.delivery.connect import connect
from mdm.delivery.relay import relay_to, relay_to_records
from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.wire import running
from mdm.entities.model import SurvivorshipRule
from mdm.settings import Settings
from tests.chaos import Firm
from tests.erp import LOOPBACK, PATIENT
from tests.hubs import declared, hub_on, register_instances
from tests.receivers import receiver
from tests.systems import Now, System
from tests.targets import declare

CRM_TARGET = """
    target: crm
    title: CRM
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: salesforce-us
    rate: {{per_second: 10000}}
    records:
      customer:
        object: Account
        creates: true
        fields:
          legal_name: {{field: Name}}
          tax_ids: {{field: VAT_Number__c, takes: first}}
          phones: {{field: Phone, owner: fill, takes: first}}
          industry: {{field: Industry, owner: target}}
"""
ERP_TARGET = """
    target: erp
    title: ERP
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_X}}
    instance: netsuite-us
    rate: {{per_second: 10000}}
    undo_window_s: 60
    records:
      customer:
        object: customer
        creates: true
        on_merge: deactivate
        use_flag: isInactive
        fields:
          legal_name: {{field: companyName}}
          currency: {{}}
          tax_ids: {{field: vatRegNumber, takes: first}}
          phones: {{field: phone, owner: fill, takes: first}}
"""
HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    rate: {{per_second: 10000}}
    undo_window_s: 60
    events: {{entities: [customer]}}
"""


@contextmanager
def firm(engine: Engine, folder: Path, seed: int) -> Iterator[Firm]:
    """Set the firm up."""
    customer = declared()["customer"]
    name = replace(customer.attributes["legal_name"], survivorship=SurvivorshipRule("most_recent"))
    changed = replace(customer, attributes={**customer.attributes, "legal_name": name})
    hub = replace(hub_on(engine), declared={**declared(), "customer": changed})
    register_instances(hub, "salesforce-us", "netsuite-us")
    now = Now()
    with ExitStack() as opened:
        systems = []
        for character, instance, object_, fields, target in (
            (CRM, "salesforce-us", "Account", ("Name", "CurrencyIsoCode"), CRM_TARGET),
            (ERP, "netsuite-us", "customer", ("companyName", "currency"), ERP_TARGET),
        ):
            fake = opened.enter_context(running(Fake(character, clock=now, seed=seed)))
            api = RecordApi(fake.url, fake.hub_key, allowed=LOOPBACK, timeouts=PATIENT)
            opened.callback(api.close)
            declaration = declare(hub, folder, target.format(url=fake.url))
            relay = relay_to_records(hub, declaration, api, now=now)
            systems.append(System(instance, object_, *fields, fake, api, declaration, relay))
        heard = opened.enter_context(receiver())
        hook = declare(hub, folder, HOOK.format(url=heard.url))
        sink = connect(hook, Settings(outgoing_networks="127.0.0.0/8"))
        opened.callback(sink.close)
        crm, erp = systems
        yield Firm(hub, now, random.Random(seed), crm, erp, relay_to(hub, hook, sink, now=now), heard)
