"""Whatever goes wrong leaves as a problem document with a request id, and tells no more than it should."""

import json
from urllib.parse import quote

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app
from mdm.access.service import create_key
from mdm.db.engine import open_engine
from mdm.db.transaction import transaction
from mdm.errors import SourceRecordUnknown, TouchedSetGrew
from mdm.failpoints import armed
from mdm.settings import Settings
from tests.integration.api.conftest import KeyFor, serving
from tests.integration.api.records import MUELLER, record

INSTANT = "«an instant»"  # where a request has one


def problem(answer: object, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    document: dict[str, object] = answer.json()  # type: ignore[attr-defined]
    assert document["code"] == code
    assert document["type"] == f"urn:mdm:problem:{code}"
    assert document["request_id"] == answer.headers["x-request-id"]  # type: ignore[attr-defined]
    return document


def test_an_unknown_route_and_an_unknown_method(client: TestClient) -> None:
    problem(client.get("/v1/nothing"), 404, "route_unknown")
    refused = client.delete("/healthz")
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/v1/golden-records", "/v1/golden-records/cus_x", "/v1/crosswalk", "/v1/sources"])
def test_an_unknown_query_parameter_is_refused(client: TestClient, key_for: KeyFor, path: str) -> None:
    document = problem(client.get(f"{path}?nme=Kestrel", headers=key_for("admin")), 422, "request_invalid")

    assert document["errors"] == [{"place": "query nme", "message": "there is no query parameter 'nme'"}]


def test_a_misspelt_query_parameter_names_the_nearest(client: TestClient, key_for: KeyFor) -> None:
    refused = client.get("/v1/golden-records?q=kestrel&entity_typ=customer", headers=key_for("admin"))

    assert problem(refused, 422, "request_invalid")["remedy"] == "did you mean entity_type?"


def test_a_200_mb_body_is_refused_while_it_streams(client: TestClient, key_for: KeyFor) -> None:
    headers = key_for("admin") | {"Content-Type": "application/json"}

    problem(
        client.post("/v1/api-keys", headers=headers, content=(b" " * 1_000_000 for _ in range(200))), 413, "too_large"
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"name": NaN}', 400, "json_malformed"),
        (b'{"name": "\\ud800"}', 400, "json_malformed"),
        (b'{"name": "a\\u0000"}', 422, "nul_character"),
        (b'{"name": 1' + b"0" * 30 + b"}", 422, "number_too_large"),
        (b"[" * 100_000, 422, "json_too_deep"),
        (b"", 422, "request_invalid"),
        (b"[]", 422, "request_invalid"),
        (b"\x89PNG", 400, "json_malformed"),
    ],
)
def test_a_hostile_body_is_refused_and_names_the_place(
    client: TestClient, key_for: KeyFor, body: bytes, status: int, code: str
) -> None:
    headers = key_for("admin") | {"Content-Type": "application/json"}

    document = problem(client.post("/v1/api-keys", headers=headers, content=body), status, code)

    assert document["remedy"]
    assert "place" in document["errors"][0]  # type: ignore[index]


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1735689600"])
@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/v1/api-keys", {"name": "n", "scopes": ["read"], "expires_at": INSTANT}, "/expires_at"),
        (
            "/v1/source-events",
            {"events": [{"kind": "deleted", "key": "crm/account:1", "happened_at": INSTANT}]},
            "/events/0/happened_at",
        ),
        ("/v1/deliveries:replay", {"target": "books", "reason": "r", "since": INSTANT}, "/since"),
        ("/v1/deliveries:replay", {"target": "books", "reason": "r", "until": INSTANT}, "/until"),
        ("/v1/reviews?due_before=", None, "query due_before"),
        ("/v1/exceptions?since=", None, "query since"),
        ("/v1/deliveries/history?since=", None, "query since"),
        ("/v1/deliveries/history?until=", None, "query until"),
        ("/v1/golden-records/cus_1?as_of=", None, "query as_of"),
        ("/v1/golden-records/cus_1/members?valid_at=", None, "query valid_at"),
        ("/v1/crosswalk?source=crm&source_key=1&as_of=", None, "query as_of"),
    ],
)
def test_an_instant_that_no_calendar_holds_is_refused_with_its_place(
    client: TestClient, key_for: KeyFor, instant: str, path: str, body: dict[str, object] | None, place: str
) -> None:
    if body is None:
        answer = client.get(path + quote(instant), headers=key_for("admin"))
    else:
        content = json.dumps(body, ensure_ascii=False).replace(INSTANT, instant)
        headers = key_for("admin") | {"Content-Type": "application/json"}
        answer = client.post(path, headers=headers, content=content)

    document = problem(answer, 422, "request_invalid")

    assert document["remedy"]
    assert [fault["place"] for fault in document["errors"]] == [place]  # type: ignore[attr-defined]


def test_a_query_that_is_no_text_is_refused(client: TestClient, key_for: KeyFor) -> None:
    problem(client.get("/v1/crosswalk?source=%ff%fe", headers=key_for("read")), 400, "address_malformed")


def test_a_fault_of_the_hub_tells_only_its_request_id(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("Acme Secret GmbH: SELECT * FROM api_key")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers={"X-Request-Id": "ticket-4711"})
        still_alive = client.get("/healthz")

    document = problem(answer, 500, "internal_error")
    assert document["request_id"] == "ticket-4711"
    assert "Acme" not in answer.text
    assert "SELECT" not in answer.text
    assert still_alive.status_code == 200


def test_without_a_database_callers_are_told_when_to_come_back(key_for: KeyFor) -> None:
    header = key_for("read")
    settings = Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing", pool_size=1)

    with serving(settings) as client:
        refused = client.get("/v1/golden-records/cus_1", headers=header)
        ready = client.get("/readyz")
        alive = client.get("/healthz")

    document = problem(refused, 503, "database_unavailable")
    assert refused.headers["retry-after"]
    assert "nobody" not in str(document)
    assert (ready.status_code, alive.status_code) == (503, 200)


def test_who_had_other_writers_in_the_way_is_told_of_them_and_not_of_the_database(
    client: TestClient, admin: dict[str, str]
) -> None:
    def grow() -> None:
        raise TouchedSetGrew(frozenset())

    body = {"records": [record("netsuite-us", "1", **MUELLER)]}
    with armed({"publish.queued": grow}):
        refused = client.post("/v1/source-records", headers=admin, json=body)

    document = problem(refused, 503, "others_in_the_way")
    assert document["detail"] == "other writers were in the way 10 times"
    assert "ask for less at once" in str(document["remedy"])
    assert refused.headers["retry-after"] == "1"


def test_a_key_that_leads_nowhere_any_more_says_what_became_of_it_to_whoever_may_see_it(
    client: TestClient, admin: dict[str, str], key_for: KeyFor
) -> None:
    one = record("netsuite-us", "1", **MUELLER)
    client.post("/v1/source-records", headers=admin, json={"records": [one]})
    client.post("/v1/source-records", headers=admin, json={"records": [{**one, "deleted": True}]})
    asked = f"/v1/crosswalk?source=netsuite-us&object={one['object']}&source_key=1"

    told = problem(client.get(asked, headers=admin), 404, "source_record_unknown")
    hidden = problem(client.get(asked, headers=key_for("read:contract")), 404, "source_record_unknown")

    assert "it was deleted in its source" in str(told["remedy"])
    assert hidden["remedy"] == SourceRecordUnknown.hint


def test_a_hot_read_outlives_the_loss_of_every_connection(fresh_database: str) -> None:
    engine = open_engine(fresh_database, 1)
    with transaction(engine) as connection:
        header = {"Authorization": f"Bearer {create_key(connection, name='x', scopes=['read'], by='test').token}"}
    look_up = "/v1/crosswalk?golden_id=cus_nobody"

    with serving(Settings(database_url=fresh_database, pool_size=2)) as client:
        before = client.get(look_up, headers=header)
        with transaction(engine) as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        after = client.get(look_up, headers=header)
    engine.dispose()

    problem(before, 404, "golden_record_unknown")
    problem(after, 404, "golden_record_unknown")


def test_every_answer_carries_safe_headers_and_a_request_id(client: TestClient) -> None:
    answer = client.get("/healthz")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-request-id"]) == 16


def test_the_docs_page_may_load_nothing_from_another_host(client: TestClient) -> None:
    page = client.get("/docs")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/docs/rapidoc-min.js").status_code == 200
    problem(client.get("/docs/secrets.txt"), 404, "route_unknown")
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert client.get("/asyncapi.json").json()["asyncapi"] == "3.0.0"


def test_ready_means_that_the_database_answers_with_the_schema_of_this_release(client: TestClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "schema": "ok"}},
    )


def test_metrics_count_requests_by_route_and_status(client: TestClient) -> None:
    client.get("/v1/api-keys")

    assert 'mdm_http_requests_total{route="GET /v1/api-keys",status="401"}' in client.get("/metrics").text
