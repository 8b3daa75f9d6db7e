"""Records in, golden records and crosswalk out: the main job over HTTP."""

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.hubs import let_others_end
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record


@pytest.fixture
def golden_id(client: TestClient, admin: dict[str, str]) -> str:
    """Deliver one customer from two systems; both belong to one golden record."""
    first, second = deliver(
        client, admin, record("salesforce-emea", "001A", **MUELLER), record("netsuite-us", "10482", **MUELLER)
    )
    assert first["golden_id"] == second["golden_id"]
    return str(first["golden_id"])


def test_records_are_answered_in_order_each_by_itself(client: TestClient, admin: dict[str, str]) -> None:
    results = deliver(
        client,
        admin,
        record("salesforce-emea", "001A", **MUELLER),
        {"entity_type": "customer", "source": "salesforce-emea", "fields": 3},
        record("hubspot-us", "1", **MUELLER),
        record("netsuite-us", "10482", **MUELLER),
    )

    assert [result["status"] for result in results] == ["created", "rejected", "rejected", "created"]
    assert results[0]["golden_id"] == results[3]["golden_id"]
    assert {fault["place"] for fault in results[1]["errors"]} == {"object", "source_key", "fields"}
    assert [fault["code"] for fault in results[2]["errors"]] == ["source_unknown"]


def test_the_same_delivery_again_changes_nothing(client: TestClient, admin: dict[str, str], golden_id: str) -> None:
    (again,) = deliver(client, admin, record("salesforce-emea", "001A", **MUELLER))

    assert (again["status"], again["golden_id"]) == ("unchanged", golden_id)


def test_a_repeated_request_gets_the_first_reply(client: TestClient, admin: dict[str, str]) -> None:
    headers = admin | {"Idempotency-Key": "delivery-1"}
    body = {"records": [record("salesforce-emea", "001A", **MUELLER)]}

    first, second = (client.post("/v1/source-records", headers=headers, json=body) for _ in range(2))

    assert first.json()["results"][0]["status"] == "created"
    assert second.content == first.content


def test_a_writer_may_deliver_its_own_entity_type_and_source_only(
    client: TestClient, admin: dict[str, str], key_for: KeyFor
) -> None:
    writer = key_for("write:customer@netsuite-us")

    own = client.post("/v1/source-records", headers=writer, json={"records": [record("netsuite-us", "1", **MUELLER)]})
    other = client.post(
        "/v1/source-records", headers=writer, json={"records": [record("salesforce-emea", "1", **MUELLER)]}
    )

    assert (own.status_code, other.status_code) == (200, 403)


def test_one_call_takes_a_thousand_records_and_no_more(client: TestClient, admin: dict[str, str]) -> None:
    answer = client.post("/v1/source-records", headers=admin, json={"records": [3] * 1_001})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_key_is_translated_into_the_golden_id_and_into_the_other_system(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    alone = client.get("/v1/crosswalk?source=salesforce-emea&source_key=001A", headers=admin).json()
    target = client.get("/v1/crosswalk?source=salesforce-emea&source_key=001A&to=netsuite-us", headers=admin).json()

    assert (alone["answer"], alone["golden_id"], alone["source_keys"]) == ("one", golden_id, None)
    assert target["source_keys"] == [{"source": "netsuite-us", "object": "account", "scope": "", "source_key": "10482"}]


def test_many_keys_are_answered_in_order_with_the_reason_of_each_that_has_none(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    deliver(client, admin, record("salesforce-emea", "002B", name="Zweigwerk Ludwigshafen AG", country="DE"))
    keys = [
        {"source": "salesforce-emea", "source_key": "nobody"},
        {"source": "salesforce-emea", "source_key": "001A", "object": "account", "scope": ""},
        {"source": "salesforce-emea", "source_key": "002B"},
        {"source": "nowhere", "source_key": "1"},
    ]

    answers = client.post("/v1/crosswalk:resolve", headers=admin, json={"keys": keys, "to": "netsuite-us"}).json()

    told = [(answer["answer"], answer["reason"]) for answer in answers["answers"]]
    assert told == [
        ("none", "source_key_unknown"),
        ("one", None),
        ("none", "not_in_target"),
        ("none", "source_unknown"),
    ]
    assert answers["answers"][1]["golden_id"] == golden_id


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("source=salesforce-emea&source_key=nobody", 404, "source_record_unknown"),
        ("source=nowhere&source_key=001A", 404, "source_unknown"),
        ("source=salesforce-emea&source_key=001A&to=nowhere", 404, "source_unknown"),
        ("source=salesforce-emea", 422, "request_invalid"),
        ("source=salesforce-emea&source_key=001A&golden_id=x", 422, "request_invalid"),
        ("source=salesforce-emea&source_key=001A&source_key=002B", 422, "request_invalid"),
        ("source=salesforce-emea&source_key=001A&colour=red", 422, "request_invalid"),
        ("source=salesforce-emea&source_key=" + "x" * 256, 422, "request_invalid"),
        ("source=salesforce-emea&source_key=001A&object=account&as_of=yesterday", 422, "request_invalid"),
        ("source=salesforce-emea&source_key=001A&object=account&as_of=2999-01-01", 409, "as_of_beyond_horizon"),
        ("source=salesforce-emea&source_key=001A&object=account&as_of=2020-01-01", 404, "source_record_unknown"),
        ("golden_id=cus_nobody", 404, "golden_record_unknown"),
    ],
)
def test_a_look_up_that_cannot_be_answered_says_why(
    client: TestClient, admin: dict[str, str], golden_id: str, query: str, status: int, code: str
) -> None:
    answer = client.get(f"/v1/crosswalk?{query}", headers=admin)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_the_keys_of_a_golden_record_are_listed(client: TestClient, admin: dict[str, str], golden_id: str) -> None:
    answer = client.get(f"/v1/crosswalk?golden_id={golden_id}", headers=admin).json()

    assert [key["source_key"] for key in answer["source_keys"]] == ["10482", "001A"]
    assert (answer["status"], answer["forwarded_from"]) == ("active", None)


def test_a_golden_record_is_read_with_values_history_and_lineage(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    golden = client.get(f"/v1/golden-records/{golden_id}", headers=admin).json()
    history = client.get(f"/v1/golden-records/{golden_id}/history", headers=admin).json()
    lineage = client.get(f"/v1/golden-records/{golden_id}/lineage", headers=admin).json()

    assert (golden["id"], golden["status"]) == (golden_id, "active")
    assert [version["version"] for version in history["rows"]] == list(range(golden["version"], 0, -1))
    assert set(golden["values"]) <= set(lineage["attributes"])
    assert history["rows"][0]["values"] == golden["values"]


def test_history_comes_in_pages(client: TestClient, admin: dict[str, str], golden_id: str) -> None:
    deliver(client, admin, record("salesforce-emea", "001A", **(MUELLER | {"city": "Bonn"})))
    place = f"/v1/golden-records/{golden_id}/history"
    whole = client.get(place, headers=admin).json()["rows"]

    versions: list[int] = []
    after = None
    while len(versions) < 20:
        answer = client.get(place, headers=admin, params={"limit": 1} | ({"after": after} if after else {})).json()
        versions += [version["version"] for version in answer["rows"]]
        if (after := answer.get("next")) is None:
            break

    assert versions == [version["version"] for version in whole]
    tampered = client.get(place, headers=admin, params={"after": "AAAA"})
    assert (tampered.status_code, tampered.json()["code"]) == (400, "cursor_invalid")


def test_an_answer_as_of_now_equals_the_answer_given_now(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    now = client.get(f"/v1/golden-records/{golden_id}", headers=admin).json()
    then = client.get(f"/v1/golden-records/{golden_id}?as_of={now['recorded_at']}", headers=admin).json()
    key = "/v1/crosswalk?source=salesforce-emea&source_key=001A&object=account&to=netsuite-us"

    assert then | {"as_of": None} == now
    assert (
        client.get(f"{key}&as_of={now['recorded_at']}", headers=admin).json() == client.get(key, headers=admin).json()
    )


def test_a_key_sees_its_own_entity_types_and_sources_only(
    client: TestClient, admin: dict[str, str], golden_id: str, key_for: KeyFor
) -> None:
    projects, salesforce = key_for("read:project"), key_for("read@salesforce-emea")
    look_up = "/v1/crosswalk?source=salesforce-emea&source_key=001A"

    assert client.get(f"/v1/golden-records/{golden_id}", headers=projects).json()["code"] == "golden_record_unknown"
    assert client.get(look_up, headers=projects).json()["code"] == "source_record_unknown"
    assert client.get(look_up, headers=salesforce).json()["golden_id"] == golden_id
    assert client.get(f"{look_up}&to=netsuite-us", headers=salesforce).status_code == 403
    keys = client.get(f"/v1/crosswalk?golden_id={golden_id}", headers=salesforce).json()["source_keys"]
    assert [key["source"] for key in keys] == ["salesforce-emea"]


def test_a_decision_parts_two_records_is_repeated_harmlessly_and_revoked(
    client: TestClient, admin: dict[str, str], golden_id: str
) -> None:
    body = {
        "left": "salesforce-emea/account:001A",
        "right": "netsuite-us/account:10482",
        "judgement": "different",
        "reason": "two branches",
    }

    made = client.post("/v1/decisions", headers=admin, json=body).json()
    again = client.post("/v1/decisions", headers=admin, json=body).json()
    look_up = "/v1/crosswalk?source=salesforce-emea&source_key=001A&to=netsuite-us"
    parted = client.get(look_up, headers=admin).json()
    contradicting = client.post("/v1/decisions", headers=admin, json=body | {"judgement": "same"})
    revoked = client.post(f"/v1/decisions/{made['id']}:revoke", headers=admin)
    listed = client.get("/v1/decisions?entity_type=customer", headers=admin).json()["rows"]

    assert made["id"] == again["id"]
    assert (made["left"], made["right"]) == (body["left"], body["right"])
    assert (parted["answer"], parted["reason"]) == ("none", "not_in_target")
    assert (contradicting.status_code, contradicting.json()["code"]) == (409, "decision_contradicts")
    assert contradicting.json()["chain"]
    assert revoked.status_code == 200
    assert client.get(look_up, headers=admin).json()["answer"] == "one"
    assert [decision["id"] for decision in listed] == [made["id"]]


def test_a_rejected_record_waits_is_mended_and_replayed(client: TestClient, admin: dict[str, str]) -> None:
    (refused,) = deliver(client, admin, record("netsuite-us", "7", city="Köln"))
    assert refused["status"] == "rejected"
    (waiting,) = client.get("/v1/exceptions", headers=admin).json()["rows"]
    place = f"/v1/exceptions/{waiting['id']}"

    mended = client.patch(place, headers=admin, json={"fields": MUELLER})
    replayed = client.post(f"{place}:replay", headers=admin)

    assert mended.json()["fields"]["name"] == MUELLER["name"]
    assert replayed.json()["status"] == "created"
    assert client.get("/v1/exceptions", headers=admin).json()["rows"] == []
    assert client.post(f"{place}:dismiss", headers=admin).json()["code"] == "exception_closed"


def test_the_change_feed_tells_each_version_once(
    client: TestClient, admin: dict[str, str], golden_id: str, engine: Engine
) -> None:
    told, after = [], None
    let_others_end(engine)
    for _ in range(20):
        answer = client.get(
            "/v1/changes", headers=admin, params={"limit": 1} | ({"after": after} if after else {})
        ).json()
        told += [(change["golden_id"], change["version"]) for change in answer["rows"]]
        after = answer["next"]

    assert len(set(told)) == len(told)
    assert {version for id_, version in told if id_ == golden_id} >= {1}
    assert client.get("/v1/changes?after=1.2", headers=admin).json()["code"] == "cursor_invalid"


def test_reviews_are_listed_and_an_unknown_one_is_not_found(client: TestClient, admin: dict[str, str]) -> None:
    deliver(
        client,
        admin,
        record("salesforce-emea", "1", name="Nordlicht Beratung GmbH", country="DE", city="Kiel"),
        record("netsuite-us", "2", name="Nordlicht Beratung", country="DE"),
    )

    reviews = client.get("/v1/reviews?entity_type=customer", headers=admin)

    assert reviews.status_code == 200
    for review in reviews.json()["rows"]:
        read = client.get(f"/v1/reviews/{review['id']}", headers=admin).json()
        assert {**read, **review} == read
    assert client.get("/v1/reviews/rev_nobody", headers=admin).json()["code"] == "review_unknown"
