"""What sources do to their own records, over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record

LOSER, SURVIVOR = "salesforce-emea/account:001A", "salesforce-emea/account:001B"
MERGE = {"kind": "merged", "key": LOSER, "other_key": SURVIVOR, "happened_at": "2026-06-30T12:00:00Z"}


@pytest.fixture(autouse=True)
def _records(client: TestClient, admin: dict[str, str]) -> None:
    """Have Müller twice: in Salesforce and NetSuite, and in Salesforce under another name."""
    acme = {"Name": "Acme Tools Inc", "Website": "acme-tools.com", "BillingCountry": "US"}
    deliver(
        client,
        admin,
        record("salesforce-emea", "001A", **MUELLER),
        record("netsuite-us", "10482", **MUELLER),
        record("salesforce-emea", "001B", **acme),
    )


def tell(client: TestClient, header: dict[str, str], *events: Any) -> Any:
    return client.post("/v1/source-events", headers=header, json={"events": list(events)})


def look_up(client: TestClient, header: dict[str, str], query: str) -> Any:
    return client.get(f"/v1/crosswalk?{query}", headers=header).json()


def test_a_merge_leads_the_old_key_on_and_the_golden_record_lists_it_as_ended(
    client: TestClient, admin: dict[str, str]
) -> None:
    (told,) = tell(client, admin, MERGE).json()["results"]

    assert told["status"] == "recorded"
    found = look_up(client, admin, "source=netsuite-us&source_key=10482&to=salesforce-emea")
    assert (found["answer"], [key["source_key"] for key in found["source_keys"]]) == ("one", ["001B"])
    assert look_up(client, admin, "source=salesforce-emea&source_key=001A")["golden_id"] == told["golden_id"]
    listed = look_up(client, admin, f"golden_id={told['golden_id']}")["source_keys"]
    assert [(key["source_key"], key.get("ended")) for key in listed] == [
        ("10482", None),
        ("001A", "merged"),
        ("001B", None),
    ]
    many = {"keys": [{"source": "netsuite-us", "source_key": "10482"}], "to": "salesforce-emea"}
    (answer,) = client.post("/v1/crosswalk:resolve", headers=admin, json=many).json()["answers"]
    assert [key["source_key"] for key in answer["source_keys"]] == ["001B"]


def test_the_same_again_is_unchanged_and_a_repeated_request_gets_the_first_reply(
    client: TestClient, admin: dict[str, str]
) -> None:
    keyed = admin | {"Idempotency-Key": "merge-1"}
    first, second = tell(client, keyed, MERGE), tell(client, keyed, MERGE)

    assert first.json()["results"][0]["status"] == "recorded"
    assert second.content == first.content
    assert tell(client, admin, MERGE).json()["results"][0]["status"] == "unchanged"


def test_each_event_is_kept_or_rejected_by_itself_and_listed(client: TestClient, admin: dict[str, str]) -> None:
    told = tell(
        client,
        admin,
        {"kind": "vanished", "key": "netsuite-us/account:10482", "reason": "not in the nightly list"},
        {"kind": "merged", "key": "hubspot-us/companies:1", "other_key": SURVIVOR},
        {"kind": "merged", "key": LOSER, "other_key": "salesforce-emea/account:009"},
    ).json()["results"]

    assert [one["status"] for one in told] == ["recorded", "rejected", "waiting"]
    assert told[1]["errors"][0]["code"] == "source_unknown"
    rows = client.get("/v1/source-events?limit=1", headers=admin).json()
    assert [(row["kind"], row["reason"], row["is_waiting"]) for row in rows["rows"]] == [
        ("vanished", "not in the nightly list", False)
    ]
    rest = client.get(f"/v1/source-events?limit=1&after={rows['next']}", headers=admin).json()["rows"]
    assert [(row["kind"], row["is_waiting"]) for row in rest] == [("merged", True)]


def test_an_event_may_be_revoked(client: TestClient, admin: dict[str, str]) -> None:
    (told,) = tell(client, admin, MERGE).json()["results"]

    revoked = client.post(f"/v1/source-events/{told['id']}:revoke", headers=admin)

    assert (revoked.status_code, revoked.json()["ended_because"]) == (200, "revoked")
    found = look_up(client, admin, "source=netsuite-us&source_key=10482&to=salesforce-emea")
    assert [key["source_key"] for key in found["source_keys"]] == ["001A"]
    assert client.post("/v1/source-events/sev_none:revoke", headers=admin).json()["code"] == "source_event_unknown"


def test_an_instance_is_retired_and_listed_so(client: TestClient, admin: dict[str, str]) -> None:
    told = tell(client, admin, {"kind": "instance_retired", "source": "netsuite-us"}).json()["results"]

    assert told[0]["status"] == "recorded"
    sources = client.get("/v1/sources", headers=admin).json()["rows"]
    assert [(one["id"], bool(one.get("retired_at"))) for one in sources] == [
        ("netsuite-us", True),
        ("salesforce-emea", False),
    ]
    found = look_up(client, admin, "source=salesforce-emea&source_key=001A&to=netsuite-us")
    assert (found["answer"], found["reason"]) == ("none", "not_in_target")


def test_a_delivery_may_say_that_its_record_was_merged(client: TestClient, admin: dict[str, str]) -> None:
    gone = record("salesforce-emea", "001A") | {"deleted": True, "merged_into": "001B"}

    (told,) = deliver(client, admin, gone)

    assert told["status"] == "updated"
    assert look_up(client, admin, "source=salesforce-emea&source_key=001B")["golden_id"] == told["golden_id"]


def test_the_life_of_a_key_is_told_in_the_order_of_time(client: TestClient, admin: dict[str, str]) -> None:
    tell(client, admin, MERGE)

    life = client.get(f"/v1/source-records/life?key={SURVIVOR}", headers=admin).json()
    loser = client.get(f"/v1/source-records/life?key={LOSER}", headers=admin).json()

    assert [one["kind"] for one in life["moments"]] == [
        "delivered",
        "joined",
        "source_event",
        "decided",
        "left",
        "joined",
    ]
    assert [one["kind"] for one in loser["moments"]] == ["delivered", "joined", "source_event", "decided", "ended"]
    assert loser["moments"][-1]["facts"] == {"because": "merged", "successor": SURVIVOR}
    assert "Müller" not in str(loser)
    unknown = client.get("/v1/source-records/life?key=netsuite-us/account:9", headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "source_record_unknown")


def test_a_writer_tells_of_its_own_source_and_entity_type_only(
    client: TestClient, admin: dict[str, str], key_for: KeyFor
) -> None:
    writer = key_for("write:customer@salesforce-emea")

    assert tell(client, writer, MERGE).status_code == 403
    assert tell(client, writer, MERGE | {"entity_type": "customer"}).status_code == 200
    elsewhere = {"kind": "vanished", "key": "netsuite-us/account:10482", "entity_type": "customer"}
    assert tell(client, writer, elsewhere).status_code == 403


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "merged", "source": "netsuite-us"},
        {"kind": "instance_retired", "key": LOSER},
        {"kind": "vanished"},
        {"kind": "vanished", "key": LOSER, "source": "netsuite-us"},
        {"kind": "vanished", "key": "no key"},
    ],
)
def test_an_event_that_names_the_wrong_things_is_refused(
    client: TestClient, admin: dict[str, str], event: dict[str, str]
) -> None:
    assert tell(client, admin, event).status_code == 422
