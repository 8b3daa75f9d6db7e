"""Queues and bands over HTTP: kept and ended, read in their order, and one answer to many after a look."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.stewardship.queue_bands import carry_band
from tests.hubs import hub_on
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import deliver, record

pytestmark = pytest.mark.db

Json = dict[str, Any]
Header = dict[str, str]


@pytest.fixture
def ann(client: TestClient, admin: Header, key_for: KeyFor) -> Header:
    """Give a steward's key, and three open questions about clients of equal names in one town."""
    for number, name in enumerate(("Kestrel", "Heron", "Siskin")):
        for source in ("salesforce-emea", "netsuite-us"):
            deliver(client, admin, record(source, str(number), legal_name=name, city="Hull"))
    return key_for("steward")


def send(client: TestClient, header: Header, path: str, body: Json | None = None, *, key: str = "") -> Any:
    own = {**header, "Idempotency-Key": key} if key else header
    return client.post(f"/v1{path}", headers=own, json=body)


def ids(client: TestClient, header: Header, path: str, **query: Any) -> list[str]:
    answer = client.get(f"/v1{path}", headers=header, params=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["rows"]]


def test_reviews_are_listed_in_the_order_that_is_asked_for(client: TestClient, ann: Header) -> None:
    rows = client.get("/v1/reviews", headers=ann).json()["rows"]
    by_age = [row["id"] for row in sorted(rows, key=lambda row: (row["recorded_at"], row["id"]))]

    assert len(rows) == 3
    assert ids(client, ann, "/reviews", ranking="oldest") == by_age
    paged: list[str] = []
    asked: Json | None = {"ranking": "oldest", "limit": 1}
    while asked:
        page = client.get("/v1/reviews", headers=ann, params=asked).json()
        paged += [row["id"] for row in page["rows"]]
        asked = {**asked, "after": page["next"]} if "next" in page else None
    assert paged == by_age
    first = client.get("/v1/reviews", headers=ann, params={"ranking": "oldest", "limit": 1}).json()["next"]
    other = client.get("/v1/reviews", headers=ann, params={"ranking": "useful", "after": first})
    assert (other.status_code, other.json()["code"]) == (400, "cursor_invalid")


def test_a_queue_is_kept_read_and_ended_by_its_owner(client: TestClient, ann: Header, key_for: KeyFor) -> None:
    bob = key_for("steward")
    body = {"name": "Oldest of NetSuite", "ranking": "oldest", "is_shared": True, "asked": {"source": "netsuite-us"}}

    kept = send(client, ann, "/queues", body, key="one")
    again = send(client, ann, "/queues", body, key="one")
    assert (kept.status_code, again.json()) == (201, kept.json())
    queue_id = kept.json()["id"]
    assert kept.json()["asked"]["source"] == "netsuite-us"
    assert ids(client, bob, "/queues") == [queue_id]
    assert ids(client, bob, f"/queues/{queue_id}/reviews") == ids(client, ann, "/reviews", ranking="oldest")

    refused = client.delete(f"/v1/queues/{queue_id}", headers=bob)
    assert (refused.status_code, refused.json()["code"]) == (404, "queue_unknown")
    assert client.delete(f"/v1/queues/{queue_id}", headers=ann).json() == {"id": queue_id, "ended": True}
    assert ids(client, bob, "/queues") == []


def test_a_queue_shows_nothing_beyond_the_scope_of_a_key(client: TestClient, ann: Header, key_for: KeyFor) -> None:
    queue_id = send(client, ann, "/queues", {"name": "all", "is_shared": True}).json()["id"]

    assert len(ids(client, key_for("steward:customer"), f"/queues/{queue_id}/reviews")) == 3
    assert ids(client, key_for("steward:project"), f"/queues/{queue_id}/reviews") == []
    limited = client.get(f"/v1/queues/{queue_id}/reviews", headers=key_for("steward:customer@netsuite-us"))
    assert limited.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x", "ranking": "newest"},
        {"name": "x", "asked": {"entity_types": ["nonsense"]}},
        {"name": "x", "asked": {"kinds": ["nonsense"]}},
        {"name": "x", "asked": {"colour": "red"}},
        {"name": "a\u202eb"},
    ],
    ids=str,
)
def test_a_queue_that_says_nonsense_is_refused(client: TestClient, ann: Header, body: Json) -> None:
    assert send(client, ann, "/queues", body).status_code in {404, 422}
    assert ids(client, ann, "/queues") == []


def test_a_band_is_looked_at_accepted_and_answered(client: TestClient, ann: Header, engine: Engine) -> None:
    body = {"judgement": "same", "reason": "equal names", "band": {"entity_type": "customer"}, "sample": 2, "seed": 7}

    seen = send(client, ann, "/bands", body)
    assert seen.status_code == 200, seen.text
    told = seen.json()
    assert (told["found"], told["ready"], len(told["sample"])) == (3, 3, 2)
    assert {one["left_name"] for one in told["sample"]} <= {"Kestrel", "Heron", "Siskin"}
    assert told["effects"][0]["forwarded"] == 2
    assert len(ids(client, ann, "/reviews")) == 3  # looking answers nothing

    accepted = send(client, ann, f"/bands/{told['id']}:accept", key="go")
    twice = send(client, ann, f"/bands/{told['id']}:accept", key="go")
    assert accepted.json() == twice.json()
    assert accepted.json()["state"] == "accepted"
    carry_band(hub_on(engine), told["id"])

    done = client.get(f"/v1/bands/{told['id']}", headers=ann).json()
    assert (done["state"], done["answered"], done["position"]) == ("done", 3, 3)
    assert ids(client, ann, "/bands") == [told["id"]]
    assert ids(client, ann, "/reviews") == []
    late = send(client, ann, f"/bands/{told['id']}:stop")
    assert (late.status_code, late.json()["code"]) == (409, "band_outdated")


def test_a_band_is_its_authors_and_within_the_scope_of_a_key(client: TestClient, ann: Header, key_for: KeyFor) -> None:
    body = {"judgement": "different", "reason": "two firms", "band": {"entity_type": "customer"}}
    band_id = send(client, ann, "/bands", body).json()["id"]
    bob, pia = key_for("steward"), key_for("steward:project")

    assert send(client, bob, f"/bands/{band_id}:accept").json()["code"] == "approval_needs_another"
    assert send(client, bob, f"/bands/{band_id}:stop").status_code == 403
    assert send(client, bob, f"/bands/{band_id}:approve").status_code == 403
    assert send(client, pia, "/bands", body).status_code == 403
    assert send(client, pia, f"/bands/{band_id}:accept").json()["code"] == "band_unknown"
    assert send(client, key_for("lead"), f"/bands/{band_id}:stop").json()["state"] == "stopped"
