"""Reviews over HTTP: the queue, claims, answers with what they were given on, undo, bands, two people, the feed."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.hubs import let_others_end
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import deliver, record

pytestmark = pytest.mark.db

Json = dict[str, Any]

NAMES = ("Nordwind Logistik GmbH", "Suedstern Handel GmbH")


@pytest.fixture
def ann(client: TestClient, admin: dict[str, str], key_for: KeyFor) -> dict[str, str]:
    """Give a steward's key, and two open questions: which names of two systems mean the same client."""
    rows = [
        record(source, str(number), legal_name=name, country="DE")
        for number, name in enumerate(NAMES)
        for source in ("salesforce-emea", "netsuite-us")
    ]
    deliver(client, admin, *rows)
    header = key_for("steward")
    for number in range(len(NAMES)):
        body = {
            "left": f"salesforce-emea/account:{number}",
            "right": f"netsuite-us/account:{number}",
            "judgement": "unsure",
            "reason": "who knows",
        }
        assert client.post("/v1/decisions", headers=header, json=body).status_code == 200
    return header


@pytest.fixture
def bob(key_for: KeyFor) -> dict[str, str]:
    return key_for("steward")


def listed(client: TestClient, header: dict[str, str], **query: Any) -> list[Json]:
    answer = client.get("/v1/reviews", headers=header, params=query)
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["rows"]
    return rows


def post(client: TestClient, header: dict[str, str], path: str, body: Json | None = None, **more: str) -> Any:
    return client.post(f"/v1/reviews{path}", headers={**header, **more}, json=body)


def same(review: Json, **more: Any) -> Json:
    return {"judgement": "same", "reason": "one VAT id", "expected": review["expected"], **more}


def test_the_queue_is_paged_by_stake_and_filtered(client: TestClient, ann: dict[str, str]) -> None:
    first = client.get("/v1/reviews", headers=ann, params={"limit": 1, "kind": "unsure"}).json()
    rest = client.get("/v1/reviews", headers=ann, params={"limit": 1, "kind": "unsure", "after": first["next"]}).json()

    assert len({row["id"] for row in first["rows"] + rest["rows"]}) == 2
    assert rest.get("next") is None
    assert listed(client, ann, kind="split") == listed(client, ann, source="workday") == []
    assert len(listed(client, ann, source="netsuite-us", bits_min=-1000, waiting="false")) == 2
    counts = client.get("/v1/reviews:counts", headers=ann).json()
    assert [(one["kind"], one["age"], one["count"]) for one in counts["counts"]] == [("unsure", "day", 2)]
    assert counts["pace"] == {"answers": 0, "timed": 0}


def test_one_steward_claims_and_others_are_told_who(
    client: TestClient, ann: dict[str, str], bob: dict[str, str]
) -> None:
    review = listed(client, ann)[0]
    assert post(client, ann, f"/{review['id']}:claim").json()["claimed_by"].startswith("test (key_")

    refused = post(client, bob, f"/{review['id']}:claim")
    assert (refused.status_code, refused.json()["code"]) == (409, "review_claimed")
    assert post(client, bob, f"/{review['id']}:decide", same(review)).json()["code"] == "review_claimed"
    assert post(client, bob, f"/{review['id']}:release").json()["code"] == "review_claimed"

    assert "claimed_by" not in post(client, ann, f"/{review['id']}:release").json()


def test_a_review_is_assigned_and_commented_on(client: TestClient, ann: dict[str, str]) -> None:
    review = listed(client, ann)[0]

    assert post(client, ann, f"/{review['id']}:assign", {"assignee": "group:emea"}).json()["assignee"] == "group:emea"
    said = post(client, ann, f"/{review['id']}/comments", {"comment": "<script>ask Kim</script>"}).json()

    read = client.get(f"/v1/reviews/{review['id']}", headers=ann).json()
    assert [one["id"] for one in read["comments"]] == [said["id"]]
    assert read["comments"][0]["comment"] == "<script>ask Kim</script>"
    assert read["weight"] == {"members": 2, "published": 0, "children": 0, "systems": 2}
    assert [row["id"] for row in listed(client, ann, assignee="group:emea")] == [review["id"]]
    assert post(client, ann, f"/{review['id']}/comments", {"comment": "x" * 2001}).status_code == 422


def test_an_answer_is_rehearsed_given_once_and_undone(client: TestClient, ann: dict[str, str]) -> None:
    review = listed(client, ann)[0]
    rehearsed = post(client, ann, f"/{review['id']}:decide", same(review, dry_run=True)).json()
    assert (rehearsed["dry_run"], len(listed(client, ann))) == (True, 2)

    given = post(client, ann, f"/{review['id']}:decide", same(review), **{"Idempotency-Key": "once"})
    again = post(client, ann, f"/{review['id']}:decide", same(review), **{"Idempotency-Key": "once"})

    assert given.content == again.content
    assert given.json()["effects"] == rehearsed["effects"]
    assert given.json()["review"]["closed_because"] == "answered same"
    assert len(listed(client, ann)) == 1

    undone = post(client, ann, f"/{review['id']}:undo").json()
    assert (undone["answer"]["state"], undone["review"]["state"]) == ("undone", "open")
    assert post(client, ann, f"/{review['id']}:undo").json()["code"] == "review_not_answered"


def test_an_answer_to_versions_that_moved_on_is_refused_with_what_changed(
    client: TestClient, ann: dict[str, str]
) -> None:
    review = listed(client, ann)[0]
    golden_id = review["left_golden_id"]
    stale = {**review, "expected": {**review["expected"], golden_id: review["expected"][golden_id] + 1}}

    refused = post(client, ann, f"/{review['id']}:decide", same(stale))

    assert (refused.status_code, refused.json()["code"]) == (409, "review_outdated")
    assert golden_id in refused.json()["changes"][0]
    assert post(client, ann, f"/{review['id']}:decide", {"judgement": "same", "reason": "x"}).status_code == 422


def test_a_band_is_rehearsed_and_then_exactly_that_set_is_answered(client: TestClient, ann: dict[str, str]) -> None:
    said = {"judgement": "same", "reason": "one VAT id"}
    band = {"entity_type": "customer", "kinds": ["unsure"]}
    assert post(client, ann, ":decide", {**said, "band": band, "dry_run": False}).status_code == 422

    dry = post(client, ann, ":decide", {**said, "band": band}).json()
    assert (dry["dry_run"], dry["count"], len(dry["sample"]), len(listed(client, ann))) == (True, 2, 2, 2)

    done = post(client, ann, ":decide", {**said, "reviews": dry["chosen"], "dry_run": False}).json()
    assert (done["answered"], done["left"], done["effects"]) == (dry["answered"], [], dry["effects"])
    assert listed(client, ann) == []
    late = post(client, ann, ":decide", {**said, "reviews": dry["chosen"], "dry_run": False}).json()
    assert {one["code"] for one in late["left"]} == {"review_closed"}


def test_nothing_waits_for_approval_here(client: TestClient, ann: dict[str, str], bob: dict[str, str]) -> None:
    review = listed(client, ann)[0]

    for verb in ("approve", "reject"):
        refused = post(client, bob, f"/{review['id']}:{verb}")
        assert (refused.status_code, refused.json()["code"]) == (409, "review_not_answered")


def test_the_feed_tells_stewards_of_reviews_and_readers_of_golden_records(
    client: TestClient, ann: dict[str, str], key_for: KeyFor, engine: Engine
) -> None:
    let_others_end(engine)
    told = client.get("/v1/changes", headers=ann).json()["rows"]
    read = client.get("/v1/changes", headers=key_for("read")).json()["rows"]

    opened = [row for row in told if row["kind"] == "review.opened"]
    assert {row["review_id"] for row in opened} >= {row["id"] for row in listed(client, ann)}
    assert all("golden_id" not in row and "version" not in row for row in opened)
    assert [row for row in told if "review_id" not in row] == read
    assert all(row["golden_id"] and row["version"] for row in read)


def test_a_key_for_another_entity_type_sees_no_review(client: TestClient, ann: dict[str, str], key_for: KeyFor) -> None:
    review, other = listed(client, ann)[0], key_for("steward:project")

    assert client.get(f"/v1/reviews/{review['id']}", headers=other).status_code == 404
    assert client.get("/v1/reviews", headers=other).status_code == 403
    for verb, body in ((":claim", None), (":decide", same(review)), ("/comments", {"comment": "x"}), (":undo", None)):
        assert post(client, other, f"/{review['id']}{verb}", body).status_code == 404
    band = {"judgement": "same", "reason": "x", "band": {"entity_type": "customer"}}
    assert post(client, other, ":decide", band).status_code == 403
    chosen = [{"id": review["id"], "expected": review["expected"]}]
    assert post(client, other, ":decide", {"judgement": "same", "reason": "x", "reviews": chosen}).status_code == 404


def test_a_merge_with_a_risk_is_taken_once_the_risk_is_named(
    client: TestClient, admin: dict[str, str], ann: dict[str, str]
) -> None:
    """The two of a question get valid numbers of two companies: the question stays, a merge became dangerous."""
    (review,) = [one for one in listed(client, ann) if one["left"].endswith(":0") and one["right"].endswith(":0")]
    for source, number in (("salesforce-emea", "DE136695976"), ("netsuite-us", "DE129273398")):
        deliver(client, admin, record(source, "0", legal_name=NAMES[0], country="DE", vat_number=number))
    review = client.get(f"/v1/reviews/{review['id']}", headers=ann).json()
    assert [one["kind"] for one in review["risks"]] == ["identifiers_clash"]

    refused = post(client, ann, f"/{review['id']}:decide", same(review))
    (mark,) = (one["mark"] for one in review["risks"])

    assert (refused.status_code, refused.json()["code"]) == (409, "risk_unconfirmed")
    assert mark in refused.text
    bulk = {"judgement": "same", "reason": "one", "dry_run": True}
    chosen = {"id": review["id"], "expected": review["expected"]}
    tried = post(client, ann, ":decide", {**bulk, "reviews": [chosen]}).json()
    assert [one["code"] for one in tried["left"]] == ["risk_unconfirmed"]
    tried = post(client, ann, ":decide", {**bulk, "reviews": [{**chosen, "risks_seen": [mark]}]}).json()
    assert tried["answered"] == [review["id"]]
    taken = post(client, ann, f"/{review['id']}:decide", same(review, risks_seen=[mark]))
    assert taken.status_code == 200, taken.text
    assert taken.json()["review"]["state"] == "closed"
