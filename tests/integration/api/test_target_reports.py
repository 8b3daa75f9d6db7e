"""Backfill and drift over HTTP and in the command line: planned before applied, read again, mended on request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.jobs.service import deliver
from mdm.settings import Settings
from tests.erp import Books, books
from tests.hubs import delivery, hub_on
from tests.integration.api.conftest import KeyFor, serving
from tests.integration.cli.conftest import Mdm, document
from tests.integration.cli.conftest import mdm as mdm  # noqa: PLC0414 -- a fixture

pytestmark = pytest.mark.db

OPEN = "127.0.0.0/8"
BACKFILL, DRIFT, RECONCILE = (f"/v1/targets/netsuite{one}" for one in (":backfill", "/drift", ":reconcile"))


@pytest.fixture
def erp(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """Give an ERP that holds one firm which the hub knows from a CRM, not matched yet."""
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "hub-key")
    monkeypatch.setenv("MDM_OUTGOING_NETWORKS", OPEN)
    with books(hub_on(engine), tmp_path, is_matched=False) as one:
        firm: dict[str, Any] = {
            "name": "Brightwater GmbH",
            "currency": "EUR",
            "vat number": "NL000000001B64",
            "country": "NL",
        }
        deliver(hub_on(engine), [delivery("salesforce-us/Account:1", "customer", **firm)], who="t")
        fields = {"companyName": "Brightwater", "currency": "EUR", "vatRegNumber": "NL000000001B64"}
        one.fake.enter("customer", fields, by="anna")
        yield one


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    with serving(Settings(database_url=database_url, pool_size=4, outgoing_networks=OPEN)) as opened:
        yield opened


def test_a_target_is_matched_compared_and_mended_over_http(erp: Books, client: TestClient, key_for: KeyFor) -> None:
    lead, reader = key_for("lead"), key_for("read")
    assert client.post(BACKFILL, headers=reader, json={}).status_code == 403
    assert client.post(BACKFILL, headers=lead, json={"dry_run": False}).json()["code"] == "input_invalid"
    assert client.post(RECONCILE, headers=lead, json={}).json()["code"] == "input_invalid"
    assert client.get(DRIFT, headers=reader).json()["code"] == "target_report_unknown"

    plan = client.post(BACKFILL, headers=lead, json={})
    assert plan.status_code == 200, plan.text
    assert (plan.json()["state"], plan.json()["counts"]["customer"]["matched"]) == ("planned", 1)
    headers = {**lead, "Idempotency-Key": "once"}
    applied = client.post(BACKFILL, headers=headers, json={"dry_run": False}).json()
    assert (applied["state"], applied["counts"]) == ("applied", applied["planned"])
    assert client.post(BACKFILL, headers=headers, json={"dry_run": False}).json() == applied

    erp.relay.drain()
    erp.fake.edit("customer", "1001", {"companyName": "Somebody"}, by="anna")
    found = client.post(RECONCILE, headers=lead, json={"repair": "republish"}).json()
    assert (found["state"], found["counts"]["customer"]["edited"]) == ("repaired", 1)
    assert client.get(DRIFT, headers=reader).json() == found
    erp.relay.drain()
    assert erp.fake.record("customer", "1001").fields["companyName"] == "Brightwater GmbH"
    assert client.get("/v1/targets/nobody/drift", headers=reader).json()["code"] == "target_unknown"


def test_the_command_line_plans_applies_and_compares(erp: Books, mdm: Mdm) -> None:
    refused = mdm("targets", "backfill", "netsuite", "--apply")
    assert refused.exit_code == 1
    assert "there is no plan" in refused.stderr

    assert "records matched by the path" in mdm("targets", "backfill", "netsuite").stdout
    applied = mdm("targets", "backfill", "netsuite", "--apply")
    assert "As planned." in applied.stdout, applied.stderr
    erp.relay.drain()
    assert "holds what it should" in mdm("targets", "drift", "netsuite").stdout

    erp.fake.edit("customer", "1001", {"companyName": "Somebody"}, by="anna")
    compared = mdm("targets", "drift", "netsuite")
    assert compared.exit_code == 4
    assert "edited there" in compared.stdout
    assert document(mdm("targets", "drift", "netsuite", "--repair", "republish", "--json"))["state"] == "repaired"
    erp.relay.drain()
    assert mdm("targets", "drift", "netsuite").exit_code == 0
