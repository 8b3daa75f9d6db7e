"""What stewards do to golden records over HTTP: dry, once, on the version that was seen, by those who may."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record

OTHER = {"legal_name": "Tadcaster Shipping plc", "country": "GB", "website": "https://tadcaster-shipping.example"}


@pytest.fixture
def two(client: TestClient, admin: dict[str, str]) -> tuple[str, str]:
    """Deliver two customers that nothing joins."""
    results = deliver(
        client, admin, record("salesforce-emea", "001A", **MUELLER), record("netsuite-us", "10482", **OTHER)
    )
    first, second = (str(result["golden_id"]) for result in results)
    assert first != second
    return first, second


def merge(client: TestClient, header: dict[str, str], two: tuple[str, str], query: str = "", **more: Any) -> Any:
    body = {"other": two[1], "reason": "seen", **more}
    return client.post(f"/v1/golden-records/{two[0]}:merge{query}", headers=header, json=body)


def test_a_dry_run_shows_what_the_merge_then_does(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    foreseen = merge(client, admin, two, "?dry_run=true").json()
    before = client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()
    done = merge(client, admin, two).json()
    after = client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()

    assert (before["id"], after["id"], after["forwarded_from"]) == (two[1], two[0], two[1])
    assert foreseen.pop("dry_run") is True
    for told in (foreseen, done):
        del told["event_id"]
        told["decisions_made"] = [{**one, "id": ""} for one in told["decisions_made"]]
    assert foreseen == done


def test_an_unmerge_by_the_event_gives_both_back(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    event_id = merge(client, admin, two).json()["event_id"]

    answer = client.post(f"/v1/merges/{event_id}:unmerge", headers=admin, json={"reason": "not the same"})

    assert answer.status_code == 200
    assert [one["after"] for one in answer.json()["moved"]] == [two[1]]
    again = client.post(f"/v1/merges/{event_id}:unmerge", headers=admin, json={"reason": "not the same"})
    assert (again.status_code, again.json()["code"]) == (409, "operation_blocked")
    assert again.json()["blocking"] == [answer.json()["event_id"]]


def test_a_repeated_request_merges_once_and_gets_the_first_reply(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    header = admin | {"Idempotency-Key": "merge-1"}

    first, second = (merge(client, header, two) for _ in range(2))

    assert first.status_code == 200
    assert second.content == first.content


def test_a_golden_record_that_moved_on_is_refused(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    deliver(client, admin, record("salesforce-emea", "001A", **(MUELLER | {"city": "Augsburg"})))

    by_tag = merge(client, admin | {"If-Match": f'"{two[0]}.1"'}, two)
    by_body = merge(client, admin, two, expected_versions={two[0]: 1})

    assert [(one.status_code, one.json()["code"]) for one in (by_tag, by_body)] == [(412, "version_outdated")] * 2


def project(source: str, key: str, client_key: str, name: str) -> dict[str, Any]:
    return record(source, key, name=name, customer=client_key) | {"entity_type": "project"}


def test_values_of_what_follows_are_told_to_those_who_may_read_them_only(
    client: TestClient, admin: dict[str, str], two: tuple[str, str], key_for: KeyFor
) -> None:
    (child,) = deliver(client, admin, project("netsuite-us", "P2", "10482", "Harbour migration"))
    customers, both = key_for("steward:customer"), key_for("steward:customer", "read:project")

    limited = merge(client, customers, two, "?dry_run=true")
    told = merge(client, both, two, "?dry_run=true")
    once = customers | {"Idempotency-Key": "merge-1"}
    done, repeated = merge(client, once, two), merge(client, once, two)

    for answer in (limited, done, repeated):
        assert "Harbour migration" not in answer.text
        of = {one["entity_type"]: one for one in answer.json()["golden_records"]}
        assert of["project"]["id"] == child["golden_id"]
        assert not {"before", "after"} & of["project"].keys()
        assert {"before", "after"} <= of["customer"].keys()
    assert "Harbour migration" in told.text


def test_a_child_that_moved_on_since_the_dry_run_is_refused(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    """The projects of both clients become one as well; once one of them changed, something else would be done."""
    deliver(
        client,
        admin,
        project("salesforce-emea", "P1", "001A", "Intranet Relaunch"),
        project("netsuite-us", "P2", "10482", "Intranet Relaunch"),
    )
    foreseen = merge(client, admin, two, "?dry_run=true").json()["golden_records"]
    expected = {one["id"]: one["version"] - 1 for one in foreseen}
    assert len(expected) == 4
    deliver(client, admin, project("netsuite-us", "P2", "10482", "Harbour migration"))

    refused = [merge(client, admin, two, query, expected_versions=expected) for query in ("?dry_run=true", "")]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(412, "version_outdated")] * 2
    assert client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()["id"] == two[1]
    (moved,) = (id_ for id_ in expected if id_ in refused[1].json()["detail"])
    assert merge(client, admin, two, expected_versions=expected | {moved: expected[moved] + 1}).status_code == 200


def test_a_version_of_a_golden_record_that_is_not_touched_is_compared_too(
    client: TestClient, admin: dict[str, str], two: tuple[str, str]
) -> None:
    """Whoever names it looked at something else than what is done."""
    (other,) = deliver(client, admin, record("salesforce-emea", "003", name="Larch Ltd", country="GB"))

    outdated = merge(client, admin, two, expected_versions={other["golden_id"]: 7})
    unknown = merge(client, admin, two, expected_versions={"cus_none": 1})
    by_tag = merge(client, admin | {"If-Match": f'"{other["golden_id"]}.7"'}, two)

    assert [(one.status_code, one.json()["code"]) for one in (outdated, unknown, by_tag)] == [
        (412, "version_outdated"),
        (404, "golden_record_unknown"),
        (412, "version_outdated"),
    ]
    assert "cus_none" in unknown.json()["detail"]
    assert merge(client, admin, two, expected_versions={other["golden_id"]: 1}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/golden-records/{0}:split", {"parts": [["salesforce-emea/account:001A"]]}),
        ("/v1/golden-records/{0}:dissolve", {}),
        ("/v1/golden-records/{0}:unmerge", {"source_key": "salesforce-emea/account:001A"}),
        ("/v1/golden-records/{0}:unmerge", {"source_key": "salesforce-emea/account:001A", "branch": True}),
        ("/v1/golden-records/{0}:confirm", {}),
        ("/v1/golden-records/{0}:retire", {}),
    ],
)
def test_every_operation_can_be_undone(
    client: TestClient, admin: dict[str, str], two: tuple[str, str], path: str, body: dict[str, Any]
) -> None:
    merge(client, admin, two)
    before = client.get(f"/v1/golden-records/{two[0]}", headers=admin).json()

    done = client.post(path.format(*two), headers=admin, json=body | {"reason": "seen"})
    assert done.status_code == 200, done.json()
    undone = client.post(f"/v1/events/{done.json()['event_id']}:undo", headers=admin, json={"reason": "mistaken"})

    assert undone.status_code == 200, undone.json()
    after = client.get(f"/v1/golden-records/{two[0]}", headers=admin).json()
    assert {name: after[name] for name in ("id", "status", "values")} == {
        name: before[name] for name in ("id", "status", "values")
    }


def test_retired_and_restored_moved_and_judged(client: TestClient, admin: dict[str, str], two: tuple[str, str]) -> None:
    def post(path: str, **body: Any) -> Any:
        answer = client.post(path, headers=admin, json=body | {"reason": "seen"})
        assert answer.status_code == 200, answer.json()
        return answer.json()

    post(f"/v1/golden-records/{two[1]}:retire")
    assert client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()["status"] == "retired"
    post(f"/v1/golden-records/{two[1]}:restore")
    assert client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()["status"] == "active"
    post(f"/v1/golden-records/{two[0]}:judge", other=two[1], judgement="unsure")
    post(f"/v1/golden-records/{two[0]}:move", source_key="netsuite-us/account:10482")
    assert client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()["id"] == two[0]


def test_what_may_not_be_done_is_not_done(
    client: TestClient, admin: dict[str, str], two: tuple[str, str], key_for: KeyFor
) -> None:
    reader, elsewhere = key_for("read"), key_for("steward:project")

    assert merge(client, reader, two).status_code == 403
    assert merge(client, elsewhere, two).status_code == 403
    unknown = client.post("/v1/golden-records/cus_none:confirm", headers=admin, json={"reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "golden_record_unknown")
    unknown = client.post("/v1/events/evt_none:undo", headers=admin, json={"reason": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "event_unknown")


@pytest.mark.parametrize("taken", ["netsuite-us/account:10482", "netsuite-us/account:P2", "netsuite-us/account:none"])
def test_an_unmerge_takes_out_members_of_the_golden_record_of_its_address_only(
    client: TestClient, admin: dict[str, str], two: tuple[str, str], key_for: KeyFor, taken: str
) -> None:
    """Its scope is checked there, so a key for customers took a record out of a project, or of any third customer."""
    merge(client, admin, two)
    third, *projects = (
        str(result["golden_id"])
        for result in deliver(
            client,
            admin,
            record("salesforce-emea", "003", name="Larch Ltd", country="GB"),
            record("salesforce-emea", "P1", name="Harbour migration") | {"entity_type": "project"},
            record("netsuite-us", "P2", name="Intranet") | {"entity_type": "project"},
        )
    )
    merge(client, admin, (projects[0], projects[1]))
    customers = key_for("steward:customer")

    def unmerge(golden_id: str, query: str = "", **more: bool) -> Any:
        body = {"source_key": taken, "reason": "seen", **more}
        return client.post(f"/v1/golden-records/{golden_id}:unmerge{query}", headers=customers, json=body)

    refused = [unmerge(third, query, branch=branch) for query in ("?dry_run=true", "") for branch in (False, True)]

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(422, "input_invalid")] * 4
    assert all(f"{taken} is no member of {third}" in one.text for one in refused)
    assert client.get(f"/v1/golden-records/{two[1]}", headers=admin).json()["id"] == two[0]
    assert client.get(f"/v1/golden-records/{projects[1]}", headers=admin).json()["id"] == projects[0]
    # A forwarded id stands for what it leads to.
    assert unmerge(two[1]).status_code == (200 if taken == "netsuite-us/account:10482" else 422)
