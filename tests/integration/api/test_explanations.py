"""Explanations over HTTP: the answers of the services in their published shape, and refusals as everywhere."""

from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record

BOLT = {"name": "Bolt Werkzeuge AG", "country": "AT", "city": "Wien"}
FIRST, SECOND, THIRD = "salesforce-emea/account:001A", "netsuite-us/account:10482", "netsuite-us/account:7"


@pytest.fixture
def golden_ids(client: TestClient, admin: dict[str, str]) -> tuple[str, str]:
    """Deliver one customer from two systems, and another one; give both golden ids."""
    first, second, third = deliver(
        client,
        admin,
        record("salesforce-emea", "001A", **MUELLER),
        record("netsuite-us", "10482", **MUELLER),
        record("netsuite-us", "7", **BOLT),
    )
    assert first["golden_id"] == second["golden_id"] != third["golden_id"]
    return first["golden_id"], third["golden_id"]


@pytest.fixture
def merged(client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str]) -> tuple[str, str]:
    """Decide that the two customers are one; give the id that survived, and the one that was absorbed."""
    body = {"left": FIRST, "right": THIRD, "judgement": "same", "reason": "renamed in 2024"}
    assert client.post("/v1/decisions", headers=admin, json=body).status_code == 200
    survivor = get(client, admin, f"/v1/golden-records/{golden_ids[0]}")["id"]
    return survivor, next(id_ for id_ in golden_ids if id_ != survivor)


def get(client: TestClient, header: dict[str, str], path: str, **parameters: str) -> Any:
    answer = client.get(path, headers=header, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("other", "kind"), [(SECOND, "same_golden_record"), (THIRD, "not_compared")])
def test_why_answers_with_a_sentence_and_a_waterfall_that_adds_up(
    client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str], other: str, kind: str
) -> None:
    told = get(client, admin, "/v1/why", left=FIRST, right=other)

    assert told["kind"] == kind
    assert FIRST in told["sentence"]
    assert other in told["sentence"]
    shown = told["explanation"]
    parts = [shown["prior_bits"], *(step[name] for step in shown["steps"] for name in ("bits", "frequency_bits"))]
    assert sum(Decimal(str(part)) for part in parts) == Decimal(str(shown["bits"]))
    assert told["review_bits"] <= told["match_bits"]
    assert all(rule["meeting"] != "met" for rule in told["rules"]) is (kind == "not_compared")


def test_why_takes_golden_ids(client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str]) -> None:
    told = get(client, admin, "/v1/why", left=golden_ids[0], right=golden_ids[1])

    assert (told["left"]["asked"], told["right"]["source_key"]) == (golden_ids[0], THIRD)


def test_a_life_is_told_of_the_absorbed_id_and_of_its_survivor(
    client: TestClient, admin: dict[str, str], merged: tuple[str, str]
) -> None:
    survivor, loser = merged

    absorbed = get(client, admin, f"/v1/golden-records/{loser}/life")
    living = get(client, admin, f"/v1/golden-records/{survivor}/life")

    assert (absorbed["id"], absorbed["status"], absorbed["forwarded_to"]) == (loser, "forwarded", survivor)
    assert [(step["kind"], step["others"]) for step in absorbed["steps"]] == [("minted", []), ("forwarded", [survivor])]
    assert living["steps"][-1]["kind"] == "survived"
    assert living["absorbed"] == [loser]
    event = absorbed["steps"][-1]["event"]
    assert (event["kind"], event["reason"]) == ("decision", "renamed in 2024")


def test_a_story_follows_forwards_and_names_what_carried_the_records(
    client: TestClient, admin: dict[str, str], merged: tuple[str, str]
) -> None:
    told = get(client, admin, f"/v1/golden-records/{merged[1]}/story")

    assert (told["id"], told["forwarded_from"], told["is_complete"]) == (merged[0], merged[1], True)
    last = told["chapters"][-1]
    assert (last["kind"], last["members_count"], last["other"]) == ("merged", 3, merged[1])
    assert any("decision_id" in carrier for carrier in last["carriers"])


def test_an_event_is_told_with_moves_and_standings(
    client: TestClient, admin: dict[str, str], merged: tuple[str, str]
) -> None:
    event_id = get(client, admin, f"/v1/golden-records/{merged[1]}/life")["steps"][-1]["event"]["id"]

    told = get(client, admin, f"/v1/events/{event_id}")

    assert {move["after"] for move in told["moves"]} == {merged[0]}
    (turn,) = told["turns"]
    assert (turn["golden_id"], turn["before"]["state"], turn["after"]["state"]) == (merged[1], "active", "forwarded")
    assert told["event"]["id"] == event_id


def test_a_history_names_the_cause_of_each_version(
    client: TestClient, admin: dict[str, str], merged: tuple[str, str]
) -> None:
    newest, *_ = get(client, admin, f"/v1/golden-records/{merged[1]}/history")["rows"]

    assert (newest["cause"], newest["reason"]) == ("decision", "renamed in 2024")
    assert "root_id" not in newest


def test_a_graph_is_plain_nodes_and_edges(client: TestClient, admin: dict[str, str], merged: tuple[str, str]) -> None:
    told = get(client, admin, f"/v1/golden-records/{merged[1]}/graph")

    assert (told["id"], told["forwarded_from"]) == merged
    assert {node["source_key"] for node in told["nodes"]} == {FIRST, SECOND, THIRD}
    (edge,) = told["edges"]
    assert ({edge["left"], edge["right"]}, edge["verdict"], edge["is_bridge"]) == ({FIRST, SECOND}, "match", True)
    (decision,) = told["decisions"]
    assert (decision["judgement"], {decision["left"], decision["right"]}) == ("same", {FIRST, THIRD})
    assert told["minimum_cut"]["part"] == [SECOND]


def test_members_and_names_at_a_time(client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str]) -> None:
    dated = record("salesforce-emea", "001A", **MUELLER) | {"source_time": "2020-05-01T00:00:00Z"}
    deliver(client, admin, dated)
    path = f"/v1/golden-records/{golden_ids[0]}"

    now = get(client, admin, f"{path}/members")
    then = get(client, admin, f"{path}/members", valid_at="2021-01-01")
    before = get(client, admin, f"{path}/members", valid_at="2019-01-01")
    names = get(client, admin, f"{path}/names", valid_at="2021-01-01")

    assert [member["source_key"] for member in now["members"]] == [SECOND, FIRST]
    assert "undated" not in now
    assert ([member["source_key"] for member in then["members"]], then["undated"]) == ([FIRST], [SECOND])
    assert then["members"][0]["said_at"].startswith("2020-05-01")
    assert before["members"] == []
    assert {name["value"] for name in names["names"]} == {MUELLER["name"]}


def test_the_crosswalk_answers_of_the_world_too(
    client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str]
) -> None:
    deliver(client, admin, record("salesforce-emea", "001A", **MUELLER) | {"source_time": "2020-05-01T00:00:00Z"})
    key = "/v1/crosswalk?source=salesforce-emea&object=account&source_key=001A"

    found = get(client, admin, f"{key}&valid_at=2021-01-01")
    keys = get(client, admin, f"/v1/crosswalk?golden_id={golden_ids[0]}&valid_at=2021-01-01")

    assert (found["answer"], found["golden_id"]) == ("one", golden_ids[0])
    assert get(client, admin, f"{key}&to=netsuite-us&valid_at=2021-01-01")["reason"] == "not_in_target"
    assert ([one["source_key"] for one in keys["source_keys"]], keys["undated"]) == (["001A"], [SECOND])
    assert client.get(f"{key}&valid_at=2019-01-01", headers=admin).json()["code"] == "source_record_unknown"
    other = key.replace("salesforce-emea", "netsuite-us").replace("001A", "7")
    undated = client.get(f"{other}&valid_at=2021-01-01", headers=admin)
    assert (undated.status_code, undated.json()["code"]) == (422, "input_invalid")


@pytest.mark.parametrize("part", ["", "/members", "/names"])
def test_beyond_the_safe_horizon_is_refused_with_409(
    client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str], part: str
) -> None:
    answer = client.get(f"/v1/golden-records/{golden_ids[0]}{part}?as_of=2999-01-01", headers=admin)

    assert (answer.status_code, answer.json()["code"]) == (409, "as_of_beyond_horizon")
    assert "the safe horizon 20" in answer.json()["detail"]


def test_what_means_nothing_is_refused(client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str]) -> None:
    path = f"/v1/golden-records/{golden_ids[0]}"

    for question, status, place in (
        (f"{path}/members?valid_at=2999-01-01", 422, "valid_at"),
        (f"{path}/members?valid_at=yesterday", 422, "query valid_at"),
        (f"{path}/members?as_of=yesterday", 422, "query as_of"),
        (f"{path}?valid_at=2021-01-01", 422, "valid_at"),
        (f"{path}/graph?as_of=2021-01-01", 422, "as_of"),
        (f"{path}/members?as_of=2020-01-01", 404, path.rpartition("/")[2]),
    ):
        answer = client.get(question, headers=admin)
        assert answer.status_code == status, answer.text
        assert place in answer.text, answer.text


PATHS = ("/life", "/story", "/graph", "/members", "/names")


def test_what_a_key_may_not_read_is_as_unknown_as_what_never_was(
    client: TestClient, admin: dict[str, str], golden_ids: tuple[str, str], key_for: KeyFor
) -> None:
    event_id = get(client, admin, f"/v1/golden-records/{golden_ids[0]}/life")["steps"][0]["event"]["id"]
    reader = key_for("read:project")

    for part in PATHS:
        for golden_id in (golden_ids[0], "cus_nobody"):
            answer = client.get(f"/v1/golden-records/{golden_id}{part}", headers=reader)
            assert (answer.status_code, answer.json()["code"]) == (404, "golden_record_unknown")
    for event in (event_id, "evt_nobody"):
        answer = client.get(f"/v1/events/{event}", headers=reader)
        assert (answer.status_code, answer.json()["code"]) == (404, "event_unknown")
    for left in (FIRST, "netsuite-us/account:nobody"):
        answer = client.get("/v1/why", headers=reader, params={"left": left, "right": SECOND})
        assert (answer.status_code, answer.json()["code"]) == (404, "source_record_unknown")
    answer = client.get("/v1/why", headers=reader, params={"left": golden_ids[0], "right": golden_ids[1]})
    assert (answer.status_code, answer.json()["code"]) == (404, "golden_record_unknown")
