"""The AsyncAPI document says what is really sent: messages of every kind are held against it, and it holds together."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from api.asyncapi import KINDS, document
from api.schemas.changes import DETAILS, ChangesTold, ChangeTold
from mdm.connectors.envelope import Told, enclose
from mdm.connectors.signatures import sign
from mdm.publishing.model import EventKind, GoldenEventKind

DOCUMENT = document()
WAYS = {"webhook", "nats", "rabbitmq", "kafka"}
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
GOLDEN_ID = "cus_" + "0" * 26


def message(kind: GoldenEventKind, **bound: int) -> dict[str, Any]:
    other = "cus_" + "1" * 26
    own: dict[str, Any] = {
        "golden_record.forwarded": {"forward_to": other},
        "golden_record.split": {"parts": [{"golden_id": other, "source_keys": ["crm-us/Account:1"]}]},
    }
    moves = [{"source_key": "crm-us/Account:1", "before": GOLDEN_ID, "after": other}]
    details = {**own.get(kind, {}), "event_id": "evt_1", "joined": ["rec_1"], "moves": moves}
    told = Told(
        id=f"{GOLDEN_ID}-7", kind=kind, entity_type="customer", subject=GOLDEN_ID, sequence=7, at=AT, version=7,
        changed=("name",), details=details, values={"name": "Contoso", "sites": ["Leeds"]},
    )  # fmt: skip
    envelope: dict[str, Any] = orjson.loads(enclose(told, source="https://mdm.example.com", **bound))
    return envelope


def schema_of(kind: GoldenEventKind) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][kind.replace(".", "_")]
    return found


def refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (part["$ref"] for _ in range("$ref" in part))
        for below in part.values():
            yield from refs(below)
    elif isinstance(part, list):
        for below in part:
            yield from refs(below)


def resolved(ref: str) -> Any:
    found: Any = DOCUMENT
    for place in ref.removeprefix("#/").split("/"):
        found = found[place]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_every_kind_is_as_described(kind: GoldenEventKind) -> None:
    Draft202012Validator(schema_of(kind)).validate(message(kind))


def test_a_message_that_had_to_leave_something_out_is_as_described() -> None:
    whole = len(orjson.dumps(message("golden_record.changed")))

    cut = message("golden_record.changed", bytes_max=whole - 1)

    assert cut["data"]["left_out"] == ["values"]
    Draft202012Validator(schema_of("golden_record.changed")).validate(cut)


@pytest.mark.parametrize(
    ("place", "value"), [("type", "golden_record.retired"), ("sequence", "7"), ("surprise", 1), ("data", {})]
)
def test_another_message_is_not(place: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(schema_of("golden_record.changed")).validate(
            {**message("golden_record.changed"), place: value}
        )


def test_every_kind_is_told_on_every_way_with_the_headers_that_are_sent() -> None:
    channels = DOCUMENT["channels"]

    assert channels.keys() == WAYS | {"changes"}
    for way in WAYS:
        told = [resolved(one["$ref"]) for one in channels[way]["messages"].values()]
        assert [one["name"] for one in told] == list(KINDS)
    signed = sign(["whsec_" + "A" * 32], "id", AT, b"{}")
    assert set(DOCUMENT["components"]["messageTraits"]["webhook"]["headers"]["required"]) == {
        name for name in signed if name.startswith("webhook-")
    }


def test_every_reference_leads_to_something_and_operations_name_messages_of_their_channel() -> None:
    assert all(resolved(ref) for ref in refs(DOCUMENT))
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert all(one["$ref"].startswith(f"{channel}/messages/") for one in operation["messages"])


def test_parameters_are_those_of_the_address() -> None:
    for channel in DOCUMENT["channels"].values():
        address = channel["address"] or ""
        named = {part.partition("}")[0] for part in address.split("{")[1:]}
        assert channel.get("parameters", {}).keys() == named


CHANGES: dict[EventKind, dict[str, Any]] = {
    "golden_record.created": {
        "event_id": "evt_1",
        "joined": ["rec_1"],
        "moves": [{"source_key": "a/b:1", "after": "x"}],
    },
    "golden_record.changed": {},
    "golden_record.split": {"event_id": "evt_1", "parts": [{"golden_id": "x", "source_keys": ["a/b:1"]}]},
    "golden_record.forwarded": {"event_id": "evt_1", "forward_to": "x"},
    "golden_record.retired": {"event_id": "evt_1", "left": ["rec_1"]},
    "review.opened": {"kind": "possible_match", "golden_ids": ["x"]},
    "review.decided": {"answer_id": "ans_1", "state": "carried_out", "judgement": "same", "event_id": "evt_1"},
    "review.closed": {"kind": "possible_match", "because": "answered"},
}


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_a_page_of_the_change_feed_is_as_described(kind: EventKind) -> None:
    details = DETAILS[kind].model_validate(CHANGES[kind])
    change = ChangeTold(id="1-2", kind=kind, entity_type="customer", details=details, recorded_at=AT, who="hub")
    page = ChangesTold(rows=[change], next="1.1.2.3").model_dump(mode="json", exclude_none=True)

    assert page["rows"][0]["details"] == CHANGES[kind]
    Draft202012Validator({**DOCUMENT, **DOCUMENT["components"]["messages"]["changes"]["payload"]}).validate(page)


def test_the_feed_names_all_its_kinds_and_describes_what_each_says() -> None:
    payload = DOCUMENT["components"]["messages"]["changes"]["payload"]
    kind = payload["$defs"]["ChangeTold"]["properties"]["kind"]

    assert kind["enum"] == list(get_args(EventKind))
    assert all(f"`{one}`: " in kind["description"] for one in kind["enum"])
    told = {ref.rpartition("/")[2] for ref in refs(payload["$defs"]["ChangeTold"]["properties"]["details"])}
    assert told == {details.__name__ for details in DETAILS.values()}
