"""The change feed says who went where: splits are told as splits, and every move names both its sides."""

from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.hubs import let_others_end
from tests.integration.api.records import deliver, record

KEYS = ("001A", "002B", "003C")
A, B, C = (f"salesforce-emea/account:{key}" for key in KEYS)
NAMES = ("Tadcaster Shipping plc", "Nordlicht Beratung GmbH", "Olive Grove Catering Ltd")


class Feed:
    """Acts on customers over HTTP, and reads what is told of it from then on."""

    def __init__(self, client: TestClient, header: dict[str, str], engine: Engine) -> None:
        self._client, self._header, self._engine = client, header, engine
        self._cursor: str | None = None

    def post(self, path: str, **body: Any) -> Any:
        """Act, after all that is told by now was read; give the answer."""
        self.read()
        answer = self._client.post(path, headers=self._header, json=body | {"reason": "seen"})
        assert answer.status_code == 200, answer.json()
        return answer.json()

    def read(self) -> list[dict[str, Any]]:
        let_others_end(self._engine)
        params = {"limit": 100} | ({"after": self._cursor} if self._cursor else {})
        page = self._client.get("/v1/changes", headers=self._header, params=params).json()
        self._cursor = page["next"]
        rows: list[dict[str, Any]] = page["rows"]
        return rows

    def told(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Give by golden id kind and details, which never hide the ids of records that moved."""
        rows = [row for row in self.read() if "golden_id" in row]
        for row in rows:
            assert len(row["details"].get("moves", [])) == sum(
                len(row["details"].pop(name, [])) for name in ("joined", "left")
            )
        assert len({row["golden_id"] for row in rows}) == len(rows)
        return {row["golden_id"]: (row["kind"].removeprefix("golden_record."), row["details"]) for row in rows}


@pytest.fixture
def feed(client: TestClient, admin: dict[str, str], engine: Engine) -> Feed:
    return Feed(client, admin, engine)


@pytest.fixture
def ids(client: TestClient, admin: dict[str, str]) -> tuple[str, ...]:
    """Deliver three customers that nothing joins."""
    given = zip(KEYS, NAMES, strict=True)
    rows = [record("salesforce-emea", key, legal_name=name, country="GB") for key, name in given]
    found = tuple(str(one["golden_id"]) for one in deliver(client, admin, *rows))
    assert len(set(found)) == len(found)
    return found


def moved(key: str, before: str | None = None, after: str | None = None) -> dict[str, str]:
    return {"source_key": key} | {
        side: id_ for side, id_ in {"before": before, "after": after}.items() if id_ is not None
    }


def test_a_new_record_came_from_no_golden_record(feed: Feed, ids: tuple[str, ...]) -> None:
    told = feed.told()

    for key, id_ in zip((A, B, C), ids, strict=True):
        kind, details = told[id_]
        assert (kind, details["moves"]) == ("created", [moved(key, after=id_)])


def test_a_merge_tells_both_ids_which_records_went_where(feed: Feed, ids: tuple[str, ...]) -> None:
    event_id = feed.post(f"/v1/golden-records/{ids[0]}:merge", other=ids[1])["event_id"]

    went = [moved(B, before=ids[1], after=ids[0])]
    assert feed.told() == {
        ids[0]: ("changed", {"event_id": event_id, "moves": went}),
        ids[1]: ("forwarded", {"event_id": event_id, "moves": went, "forward_to": ids[0]}),
    }


def test_an_unmerge_is_told_as_the_split_of_what_goes_on(feed: Feed, ids: tuple[str, ...]) -> None:
    merge_id = feed.post(f"/v1/golden-records/{ids[0]}:merge", other=ids[1])["event_id"]

    event_id = feed.post(f"/v1/merges/{merge_id}:unmerge")["event_id"]

    went = [moved(B, before=ids[0], after=ids[1])]
    parts = [{"golden_id": ids[1], "source_keys": [B]}]
    assert feed.told() == {
        ids[0]: ("split", {"event_id": event_id, "moves": went, "parts": parts}),
        ids[1]: ("changed", {"event_id": event_id, "moves": went}),
    }


def test_a_split_names_each_part_that_was_minted(
    client: TestClient, admin: dict[str, str], feed: Feed, ids: tuple[str, ...]
) -> None:
    twins = [record("netsuite-us", key, legal_name=NAMES[0], country="GB", vat_id="GB980780684") for key in "123"]
    found = {one["golden_id"] for one in deliver(client, admin, *twins)}
    assert len(found) == 1
    whole = str(found.pop())
    two, three = "netsuite-us/account:2", "netsuite-us/account:3"

    done = feed.post(f"/v1/golden-records/{whole}:split", parts=[[two], [three]])

    minted = {one["source_key"]: one["after"] for one in done["moved"]}
    told = feed.told()
    kind, details = told.pop(whole)
    assert (kind, details["event_id"]) == ("split", done["event_id"])
    assert {part["golden_id"]: part["source_keys"] for part in details["parts"]} == {
        minted[two]: [two],
        minted[three]: [three],
    }
    assert details["moves"] == [moved(two, whole, minted[two]), moved(three, whole, minted[three])]
    assert told == {
        minted[key]: ("created", {"event_id": done["event_id"], "moves": [moved(key, whole, minted[key])]})
        for key in (two, three)
    }


def test_a_dissolved_golden_record_is_told_as_split_into_all_that_it_held(feed: Feed, ids: tuple[str, ...]) -> None:
    for other in ids[1:]:
        feed.post(f"/v1/golden-records/{ids[0]}:merge", other=other)

    event_id = feed.post(f"/v1/golden-records/{ids[0]}:dissolve")["event_id"]

    told = feed.told()
    kind, details = told.pop(ids[0])
    assert (kind, details["event_id"]) == ("split", event_id)
    assert details["parts"] == [
        {"golden_id": ids[1], "source_keys": [B]},
        {"golden_id": ids[2], "source_keys": [C]},
    ]
    assert told == {
        id_: ("changed", {"event_id": event_id, "moves": [moved(key, ids[0], id_)]})
        for key, id_ in ((B, ids[1]), (C, ids[2]))
    }


def test_a_move_between_two_that_stand_is_a_change_of_both(feed: Feed, ids: tuple[str, ...]) -> None:
    feed.post(f"/v1/golden-records/{ids[0]}:merge", other=ids[1])

    event_id = feed.post(f"/v1/golden-records/{ids[2]}:move", source_key=B)["event_id"]

    told = feed.told()
    went = [moved(B, before=ids[0], after=ids[2])]
    assert told[ids[0]] == told[ids[2]] == ("changed", {"event_id": event_id, "moves": went})


def test_the_event_that_a_change_names_can_be_read(
    client: TestClient, admin: dict[str, str], feed: Feed, ids: tuple[str, ...]
) -> None:
    event_ids = {details["event_id"] for _, details in feed.told().values()}

    assert event_ids
    for event_id in event_ids:
        assert client.get(f"/v1/events/{event_id}", headers=admin).json()["event"]["id"] == event_id
