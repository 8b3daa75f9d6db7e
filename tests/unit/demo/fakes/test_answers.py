"""The protocol of the fakes: what is asked over HTTP, what is answered, and what the journal keeps of it."""

import json
from typing import Any

import pytest

from mdm.demo.fakes.answers import answer
from mdm.demo.fakes.clock import VirtualClock
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import DONE_THEN_DROP, THROTTLED_FOR_7_S
from mdm.demo.fakes.model import Reply, Request
from tests.unit.demo.fakes.systems import client, crm, erp


def ask(fake: Fake, method: str, target: str, document: Any = None, **headers: str) -> tuple[int, Any]:
    reply = replied(fake, method, target, document, **headers)
    return reply.status, json.loads(reply.body)


def replied(fake: Fake, method: str, target: str, document: Any = None, **headers: str) -> Reply:
    named = {
        "authorization": f"Bearer {fake.hub_key}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    body = b"" if document is None else json.dumps(document).encode()
    return answer(fake, Request(method, target, named, body))[0]


def test_a_new_record_is_answered_whole() -> None:
    status, told = ask(erp(), "POST", "/api/customer", {"external_id": "cus_1", "fields": client()})

    assert (status, told["effect"]) == (201, "created")
    assert told["record"] == {
        "object": "customer",
        "scope": "",
        "id": "1001",
        "external_id": "cus_1",
        "fields": {"companyName": "Acme GmbH", "currency": "EUR"},
        "version": 1,
        "changed_at": "2026-11-01T00:00:00+00:00",
        "changed_by": "hub",
        "is_active": True,
        "merged_into": "",
    }


def test_a_repeat_gives_the_earlier_record_as_it_is_now() -> None:
    fake = erp()
    first = ask(fake, "POST", "/api/customer", {"fields": client()}, idempotency_key="k1")
    fake.edit("customer", "1001", {"city": "Bonn"}, by="anna")

    repeated = ask(fake, "POST", "/api/customer", {"fields": client()}, idempotency_key="k1")
    other = ask(fake, "POST", "/api/customer", {"fields": client("B")}, idempotency_key="k2")

    assert [each[1]["record"]["id"] for each in (first, repeated, other)] == ["1001", "1001", "1002"]
    assert (repeated[0], repeated[1]["effect"], repeated[1]["record"]["version"]) == (200, "repeated", 2)


def test_a_key_is_known_for_a_day() -> None:
    fake = erp()
    assert isinstance(fake.clock, VirtualClock)
    ask(fake, "POST", "/api/customer", {"fields": client()}, idempotency_key="k1")
    fake.clock.advance(24 * 3600 + 1)
    ask(fake, "POST", "/api/customer", {"fields": client()}, idempotency_key="k2")

    assert ask(fake, "POST", "/api/customer", {"fields": client()}, idempotency_key="k1")[1]["record"]["id"] == "1003"


def test_without_knowledge_of_keys_the_external_id_leads_to_the_record() -> None:
    fake = erp()
    fake.is_idempotent = False
    document = {"external_id": "cus_1", "fields": client()}
    ask(fake, "POST", "/api/customer", document, idempotency_key="k1")

    status, told = ask(fake, "POST", "/api/customer", document, idempotency_key="k1")

    assert (status, told["effect"], told["record"]["id"]) == (200, "known", "1001")


def test_a_patch_writes_fields_and_external_id_at_the_version_that_was_seen() -> None:
    fake = erp()
    fake.enter("customer", client(), by="anna")
    document = {"fields": {"city": "Bonn"}, "external_id": "cus_1"}

    late = ask(fake, "PATCH", "/api/customer/1001", document, if_match='"2"')
    status, told = ask(fake, "PATCH", "/api/customer/1001", document, if_match='"1"')

    assert (late[0], late[1]["error"]["code"]) == (412, "changed_meanwhile")
    assert (status, told["record"]["version"], told["record"]["external_id"]) == (200, 2, "cus_1")


def test_users_write_with_keys_of_their_own() -> None:
    fake = erp()
    key = fake.key_of("anna")

    _, told = ask(fake, "POST", "/api/customer", {"fields": client()}, authorization=f"Bearer {key}")

    assert told["record"]["changed_by"] == "anna"


def test_the_verbs_deactivate_reactivate_and_merge() -> None:
    books, sales = erp(), crm()
    books.enter("customer", client(), by="anna")
    loser, survivor = (sales.enter("Account", {"Name": name}, by="anna").native_id for name in "AB")

    off = ask(books, "POST", "/api/customer/1001:deactivate")
    on = ask(books, "POST", "/api/customer/1001:reactivate")
    merged = ask(sales, "POST", f"/api/Account/{loser}:merge", {"into": survivor})

    assert (off[0], off[1]["record"]["is_active"]) == (200, False)
    assert (on[0], on[1]["record"]["is_active"], on[1]["record"]["version"]) == (200, True, 3)
    assert (merged[0], merged[1]["record"]["merged_into"]) == (200, survivor)
    assert ask(sales, "GET", f"/api/Account/{loser}")[1]["record"]["merged_into"] == survivor


@pytest.mark.parametrize(
    ("method", "target", "document", "status", "code"),
    [
        ("GET", "/", None, 404, "unknown_route"),
        ("GET", "/api/invoice", None, 404, "unknown_object"),
        ("GET", "/api/customer/9", None, 404, "unknown_record"),
        ("PATCH", "/api/customer/9", {"fields": {}}, 404, "unknown_record"),
        ("DELETE", "/api/customer/9", None, 405, "method_not_allowed"),
        ("PATCH", "/api/customer", {"fields": {}}, 405, "method_not_allowed"),
        ("POST", "/api/customer", [], 400, "malformed"),
        ("POST", "/api/customer", {"fields": []}, 422, "invalid_fields"),
        ("POST", "/api/customer", {"fields": ["x"]}, 400, "malformed"),
        ("GET", "/api/customer?after=yesterday", None, 400, "bad_cursor"),
        ("GET", "/api/customer?limit=0", None, 400, "bad_cursor"),
        ("POST", "/api/customer/9:merge", {"into": "8"}, 409, "cannot_merge"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_code(
    method: str, target: str, document: Any, status: int, code: str
) -> None:
    told = ask(erp(), method, target, document)

    assert (told[0], told[1]["error"]["code"]) == (status, code)


def test_a_wrong_key_is_refused_and_stands_in_the_journal() -> None:
    fake = erp()

    told = ask(fake, "GET", "/api/customer", authorization="Bearer wrong")

    assert (told[0], told[1]["error"]["code"]) == (401, "unknown_key")
    assert [(entry.by, entry.status) for entry in fake.journal.entries()] == [("", 401)]


def test_every_field_that_is_not_taken_is_listed() -> None:
    _, told = ask(erp(), "POST", "/api/customer", {"fields": {"currency": "XXX"}})

    faults = {fault["field"]: fault["code"] for fault in told["error"]["fields"]}
    assert faults == {"currency": "unknown_value", "companyName": "required"}


def test_pages_follow_the_cursor_and_hold_at_most_500() -> None:
    fake = erp()
    for number in range(501):
        fake.enter("customer", client(f"C{number}"), by="anna")

    _, first = ask(fake, "GET", "/api/customer?limit=9999")
    _, second = ask(fake, "GET", f"/api/customer?after={first['cursor']}&limit=9999")

    assert [len(page["records"]) for page in (first, second)] == [500, 1]
    assert [page["is_last"] for page in (first, second)] == [False, True]


def test_an_empty_object_has_one_empty_page() -> None:
    assert ask(erp(), "GET", "/api/customer?after=&limit=5") == (
        200,
        {"object": "customer", "records": [], "cursor": "", "is_last": True},
    )


def test_the_request_id_comes_back_and_the_date_is_that_of_the_clock() -> None:
    reply = replied(erp(), "GET", "/api/customer", x_request_id="q1")

    assert reply.headers["X-Request-Id"] == "q1"
    assert reply.headers["Date"] == "Sun, 01 Nov 2026 00:00:00 GMT"


def test_the_journal_tells_what_was_done_whatever_the_client_saw() -> None:
    fake = erp()
    fake.faults.script(THROTTLED_FOR_7_S, DONE_THEN_DROP)
    document = {"external_id": "cus_1", "fields": client()}

    told = [replied(fake, "POST", "/api/customer", document, idempotency_key="k1") for _ in range(3)]

    entries = fake.journal.entries()
    assert told[0].headers["Retry-After"] == "7"
    assert [(entry.fault, entry.effect, entry.native_id) for entry in entries] == [
        ("throttled_for_7_s", "", ""),
        ("done_then_drop", "created", "1001"),
        ("", "repeated", "1001"),
    ]
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[1].changed == client()
    assert [entry.number for entry in fake.journal.writes("customer", "1001")] == [2]
