"""Backfill and drift over HTTP and in the command line: planned before applied, read again, mended on request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.hub import open_hub
from mdm.jobs.ordered_backfills import carry_out_ordered
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
CANCEL, NEWEST = "/v1/targets/netsuite:cancel-backfill", "/v1/targets/netsuite/backfill"


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


def test_a_backfill_is_ordered_read_carried_out_and_cancelled_over_http(
    erp: Books, client: TestClient, key_for: KeyFor, database_url: str
) -> None:
    lead, reader = key_for("lead"), key_for("read")
    order = {"wait": False}
    assert client.post(BACKFILL, headers=reader, json=order).status_code == 403
    assert client.post(CANCEL, headers=reader).status_code == 403
    assert client.get(NEWEST, headers=reader).json()["code"] == "backfill_unknown"
    assert client.post(CANCEL, headers=lead).json()["code"] == "backfill_unknown"
    assert client.post(BACKFILL, headers=lead, json={**order, "dry_run": False}).json()["code"] == "input_invalid"

    headers = {**lead, "Idempotency-Key": "once"}
    ordered = client.post(BACKFILL, headers=headers, json=order)
    assert (ordered.status_code, ordered.json()["state"], ordered.json()["aim"]) == (202, "ordered", "planned")
    place = ordered.headers["location"]
    assert client.get(place, headers=reader).json() == ordered.json() == client.get(NEWEST, headers=reader).json()
    assert "mdm_target_backfill_age_seconds{" in client.get("/metrics").text
    assert client.post(BACKFILL, headers=lead, json=order).json() == ordered.json()

    with open_hub(Settings(outgoing_networks=OPEN), database_url) as hub:
        assert carry_out_ordered(hub) == 1
        planned = client.get(place, headers=reader).json()
        assert (planned["state"], planned["counts"]["customer"]["matched"]) == ("planned", 1)
        assert planned["progress"] == {"entity_type": "project", "records": 0, "type_number": 2, "types": 2}
        repeated = client.post(BACKFILL, headers=headers, json=order)
        assert (repeated.status_code, repeated.content) == (202, ordered.content)
        assert repeated.headers["location"] == place

        cancelled = client.post(BACKFILL, headers=lead, json={**order, "dry_run": False}).json()
        told = client.post(CANCEL, headers=lead).json()
        assert (told["id"], told["state"], told["reason"]) == (cancelled["id"], "cancelled", told["who"])
        assert carry_out_ordered(hub) == 0

        client.post(BACKFILL, headers=lead, json={**order, "dry_run": False})
        assert carry_out_ordered(hub) == 1
    applied = client.get(NEWEST, headers=reader).json()
    assert (applied["state"], applied["counts"]) == ("applied", planned["counts"])
    assert client.get(f"/v1/targets/nobody/backfills/{applied['id']}", headers=reader).status_code == 404
    assert client.get(f"{NEWEST}s/trp_other", headers=reader).json()["code"] == "backfill_unknown"


def test_the_command_line_orders_shows_and_cancels(erp: Books, mdm: Mdm) -> None:
    assert mdm("targets", "backfill", "netsuite", "--last").exit_code == 1
    assert mdm("targets", "backfill", "netsuite", "--last", "--later").exit_code == 2
    assert mdm("targets", "backfill", "netsuite", "--apply", "--cancel").exit_code == 2
    assert "there is no plan" in mdm("targets", "backfill", "netsuite", "--apply", "--later").stderr

    assert "waits for `mdm worker`: its plan" in mdm("targets", "backfill", "netsuite", "--later").stdout
    cancelled = mdm("targets", "backfill", "netsuite", "--cancel")
    again = mdm("targets", "backfill", "netsuite", "--cancel")
    assert ("was cancelled by" in cancelled.stdout, cancelled.stderr) == (True, "")
    assert "Nothing was cancelled: no backfill of netsuite is under way" in again.stderr
    assert document(mdm("targets", "backfill", "netsuite", "--later", "--json"))["state"] == "ordered"
    assert document(mdm("worker", "--once", "--json"))["backfill"] == 1
    planned = mdm("targets", "backfill", "netsuite", "--last").stdout
    assert "records matched by the path" in planned
    assert "was planned, asked for by" in planned

    assert "for good" in mdm("targets", "backfill", "netsuite", "--apply", "--later").stdout
    assert document(mdm("worker", "--once", "--json"))["backfill"] == 1
    assert document(mdm("targets", "backfill", "netsuite", "--last", "--json"))["state"] == "applied"
    assert document(mdm("targets", "show", "netsuite", "--json"))["standing"]["state"] == "running"
    assert erp.fake.records.all("customer")


def test_a_target_that_does_not_answer_fails_what_was_ordered_in_words(
    erp: Books, mdm: Mdm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDM_SECRET_NETSUITE", "another key")
    mdm("targets", "backfill", "netsuite", "--later")

    assert document(mdm("worker", "--once", "--json"))["backfill"] == 1

    failed = mdm("targets", "backfill", "netsuite", "--last").stdout
    assert "failed: netsuite cannot be read" in failed
    assert "401" in failed
    assert erp.fake.records.all("customer")


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


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            "draining",
            "netsuite is draining: what it lacks is written now, by `mdm worker`; then it is paused.",
        ),
        ("paused", "netsuite is paused: what it lacks is written once it is resumed."),
    ],
)
@pytest.mark.usefixtures("erp")
def test_applying_says_what_becomes_of_what_a_target_lacks_that_stands_as_before(
    mdm: Mdm, engine: Engine, state: str, said: str
) -> None:
    with engine.begin() as connection:
        before = "UPDATE target_standing SET state_after = :state, reason_after = 'audit'"
        connection.execute(text(before), {"state": state})
    mdm("targets", "backfill", "netsuite")

    applied = mdm("targets", "backfill", "netsuite", "--apply").stdout

    assert said in applied
    assert ("mdm targets resume netsuite" in applied) is (state == "paused")


def drift_told(client: TestClient) -> dict[tuple[str, str], float]:
    """Give the differences of the target in the metrics, by finding and state."""
    families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}
    return {(one.labels["finding"], one.labels["state"]): one.value for one in families["mdm_target_drift"].samples}


def test_a_scrape_tells_what_the_last_comparison_found_and_when(
    erp: Books, client: TestClient, key_for: KeyFor, engine: Engine
) -> None:
    lead = key_for("lead")
    assert drift_told(client) == {}  # nothing is known before the first comparison
    client.post(BACKFILL, headers=lead, json={})
    client.post(BACKFILL, headers=lead, json={"dry_run": False})
    erp.relay.drain()
    (known,) = erp.fake.records.all("customer")
    erp.fake.edit("customer", known.native_id, {"companyName": "Somebody Else Ltd"}, by="anna")
    erp.fake.enter("customer", {"companyName": "Ostrava Steel AS", "currency": "CZK"}, by="anna", native_id="2001")

    assert client.post(RECONCILE, headers=lead, json={}).status_code == 200
    none = {(finding, "found"): 0.0 for finding in ("missed", "lost", "forwarded", "unnamed")}
    assert drift_told(client) == {**none, ("edited", "found"): 1, ("unknown", "found"): 1}

    client.post(RECONCILE, headers=lead, json={"repair": "republish"})
    assert {state for _, state in drift_told(client)} == {"repaired"}
    erp.relay.drain()
    client.post(RECONCILE, headers=lead, json={})
    assert drift_told(client) == dict.fromkeys([*none, ("edited", "found"), ("unknown", "found")], 0.0)

    with engine.begin() as connection:
        connection.execute(text("UPDATE target_report SET recorded_at = recorded_at - interval '1 hour'"))
    families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}
    (age,) = families["mdm_target_drift_age_seconds"].samples
    assert age.labels == {"target": "netsuite"}
    assert age.value == pytest.approx(3_600, abs=60)
