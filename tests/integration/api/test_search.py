"""Golden records are found by what they or their members say, by their ids and by their keys."""

from typing import Any

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from mdm.db.transaction import transaction
from tests.hubs import assert_sound, hub_on
from tests.integration.api.conftest import KeyFor
from tests.integration.api.records import MUELLER, deliver, record


@pytest.fixture
def golden_ids(client: TestClient, admin: dict[str, str]) -> list[str]:
    """Deliver two customers, one with an undeclared column and a two-letter name."""
    results = deliver(
        client,
        admin,
        record("salesforce-emea", "001A", **MUELLER),
        record("netsuite-us", "10482", name="3M Deutschland GmbH", country="DE", city="Neuss", ledger_colour="teal"),
    )
    return [result["golden_id"] for result in results]


def found(client: TestClient, header: dict[str, str], question: str, **more: Any) -> list[str]:
    answer = client.get("/v1/golden-records", headers=header, params={"q": question} | more)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["rows"]]


@pytest.mark.parametrize(
    ("question", "which"),
    [
        ("mueller", [0]),
        ("MULLER söhne", [0]),
        ("kol", [0]),
        ("3m", [1]),
        ("teal", [1]),
        ("10482", [1]),
        ("netsuite-us/account:10482", [1]),
        ("gmbh", [0, 1]),
        ("muller neuss", []),
        ("netsuite-us/account:1", []),
        ("%", []),
        ("'; DROP TABLE golden_search; --", []),
        ("", [0, 1]),
    ],
)
def test_every_word_must_appear_in_what_members_say(
    client: TestClient, admin: dict[str, str], golden_ids: list[str], question: str, which: list[int]
) -> None:
    assert found(client, admin, question) == sorted(golden_ids[index] for index in which)


def test_a_merged_id_finds_the_survivor(client: TestClient, admin: dict[str, str], golden_ids: list[str]) -> None:
    body = {
        "left": "salesforce-emea/account:001A",
        "right": "netsuite-us/account:10482",
        "judgement": "same",
        "reason": "a test",
    }
    assert client.post("/v1/decisions", headers=admin, json=body).status_code == 200

    answers = [found(client, admin, golden_id) for golden_id in golden_ids]

    assert answers[0] == answers[1]
    assert answers[0][0] in golden_ids
    assert found(client, admin, "teal") == found(client, admin, "mueller") == answers[0]


def test_words_follow_the_record_when_it_changes_or_goes(
    client: TestClient, admin: dict[str, str], golden_ids: list[str], engine: Engine
) -> None:
    deliver(
        client, admin, record("netsuite-us", "10482", name="3M Deutschland GmbH", country="DE", ledger_colour="red")
    )
    deliver(client, admin, record("salesforce-emea", "001A") | {"deleted": True})

    assert found(client, admin, "teal") == []
    assert found(client, admin, "red") == [golden_ids[1]]
    assert found(client, admin, "mueller") == []
    assert_sound(hub_on(engine))


def test_pages_show_each_row_once(client: TestClient, admin: dict[str, str], golden_ids: list[str]) -> None:
    first = client.get("/v1/golden-records", headers=admin, params={"q": "gmbh", "limit": 1}).json()
    second = client.get(
        "/v1/golden-records", headers=admin, params={"q": "gmbh", "limit": 1, "after": first["next"]}
    ).json()

    assert [first["rows"][0]["id"], second["rows"][0]["id"]] == sorted(golden_ids)
    assert "next" not in second


def test_a_key_finds_what_it_may_read(
    client: TestClient, admin: dict[str, str], golden_ids: list[str], key_for: KeyFor
) -> None:
    projects = key_for("read:project")

    assert found(client, projects, "mueller") == []
    assert found(client, projects, golden_ids[0]) == []
    assert client.get("/v1/golden-records?entity_type=customer", headers=projects).status_code == 403
    assert found(client, key_for("read:customer"), "mueller", entity_type="customer") == [golden_ids[0]]
    assert client.get("/v1/golden-records?entity_type=vendr", headers=admin).status_code == 404


def test_too_many_words_are_refused(client: TestClient, admin: dict[str, str]) -> None:
    answer = client.get("/v1/golden-records", headers=admin, params={"q": " ".join(map(str, range(100, 120)))})

    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "q")


def test_a_search_reads_the_index(client: TestClient, admin: dict[str, str], engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(
            text("EXPLAIN SELECT golden_id FROM golden_search WHERE words LIKE '%mul%' AND words LIKE '% 3m %'")
        ).scalars()

        assert "ix_golden_search_words" in " ".join(plan)


def test_one_search_ranks_and_says_why(
    client: TestClient, admin: dict[str, str], golden_ids: list[str], key_for: KeyFor
) -> None:
    def rows(header: dict[str, str], question: str, **more: Any) -> list[dict[str, Any]]:
        answer = client.get("/v1/find", headers=header, params={"q": question} | more)
        assert answer.status_code == 200, answer.text
        told: list[dict[str, Any]] = answer.json()["rows"]
        return told

    (hit,) = rows(admin, "VAT DE 136-695-976")
    (misspelled,) = rows(admin, "muler soehne")

    assert (hit["id"], hit["name"], hit["status"]) == (golden_ids[0], "Müller & Söhne GmbH", "active")
    assert hit["sources"] == ["salesforce-emea"]
    assert hit["reasons"][0] == {
        "by": "number",
        "attribute": "tax_ids",
        "shown": "DE136695976",
        "source_keys": ["salesforce-emea/account:001A"],
        "is_gone": False,
    }
    assert (misspelled["id"], misspelled["reasons"][0]["by"]) == (golden_ids[0], "similar_name")
    assert rows(key_for("read:project"), "muller") == rows(key_for("read:customer@netsuite-us"), "muller") == []
    assert [hit["id"] for hit in rows(key_for("read:customer@netsuite-us"), "3m")] == [golden_ids[1]]
    assert client.get("/v1/find?q=x&entity_type=vendr", headers=admin).status_code == 404


@pytest.mark.parametrize("question", ["%F0%9F%92%A5", "%E2%80%AE", "%25_%5C", "%22%27%3A%2A", "x" * 9_000])
def test_anything_may_be_searched_for(client: TestClient, admin: dict[str, str], question: str) -> None:
    assert client.get(f"/v1/find?q={question}", headers=admin).json()["rows"] == []


def test_what_no_column_keeps_is_refused_at_the_door(client: TestClient, admin: dict[str, str]) -> None:
    for path in ("find", "golden-records"):
        assert client.get(f"/v1/{path}?q=a%00b", headers=admin).status_code in {400, 422}
