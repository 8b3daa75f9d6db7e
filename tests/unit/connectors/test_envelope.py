"""The envelope of an event: what it holds, that it is thin, and that it stays below its bound."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from mdm.connectors.envelope import ENVELOPE_BYTES_MAX, Told, enclose, schema_of, source_of

SOURCE = "https://mdm.example.com"
GOLDEN_ID = "cus_" + "0" * 26
REVIEW_ID = "rev_" + "0" * 26
CHANGED = Told(
    id="8812-4711",
    kind="golden_record.changed",
    entity_type="customer",
    subject=GOLDEN_ID,
    sequence=7,
    at=datetime(2026, 11, 25, 12, 0, 0, 5, tzinfo=UTC),
    version=7,
    changed=("phone", "name"),
)
OPENED = Told(
    id="8812-4712",
    kind="review.opened",
    entity_type="customer",
    subject=REVIEW_ID,
    sequence=4712,
    at=datetime(2026, 11, 25, 12, tzinfo=UTC),
    details={"kind": "possible_match"},
)


def read(told: Told, **bound: int) -> dict[str, Any]:
    envelope: dict[str, Any] = orjson.loads(enclose(told, source=SOURCE, **bound))
    return envelope


def test_a_changed_golden_record_is_told_thinly() -> None:
    assert read(CHANGED) == {
        "specversion": "1.0",
        "id": "8812-4711",
        "source": SOURCE,
        "type": "golden_record.changed",
        "subject": GOLDEN_ID,
        "time": "2026-11-25T12:00:00.000005Z",
        "dataschema": "urn:mdm:event:golden_record.changed:2",
        "datacontenttype": "application/json",
        "partitionkey": GOLDEN_ID,
        "sequence": "0000000000000000007",
        "data": {"golden_id": GOLDEN_ID, "entity_type": "customer", "version": 7, "changed": ["name", "phone"]},
    }


def test_a_forwarded_golden_record_names_its_survivor_and_the_records_that_left() -> None:
    survivor = "cus_" + "1" * 26
    told = replace(CHANGED, kind="golden_record.forwarded", details={"forward_to": survivor, "left": ["rec_1"]})

    assert read(told)["data"] == {
        "golden_id": GOLDEN_ID,
        "entity_type": "customer",
        "version": 7,
        "changed": ["name", "phone"],
        "forward_to": survivor,
        "left": ["rec_1"],
    }


def test_a_split_names_its_parts_which_are_left_out_last() -> None:
    move = {"source_key": "crm-us/Account:1", "before": GOLDEN_ID, "after": "cus_" + "1" * 26}
    parts = [{"golden_id": "cus_" + "1" * 26, "source_keys": ["crm-us/Account:1"]}]
    details = {"event_id": "evt_1", "left": ["rec_1"], "moves": [move], "parts": parts}
    told = replace(CHANGED, kind="golden_record.split", details=details)
    whole = read(told)["data"]

    assert {name: whole[name] for name in details} == details
    cut = read(told, bytes_max=len(enclose(told, source=SOURCE)) - 60)["data"]
    assert (cut["left_out"], cut["parts"], cut["event_id"]) == (["left", "moves"], parts, "evt_1")


def test_values_are_told_where_the_subscription_asks_for_them() -> None:
    told = replace(CHANGED, values={"phone": None, "name": "Meyer GmbH"})

    assert read(told)["data"]["values"] == {"name": "Meyer GmbH", "phone": None}
    assert read(replace(CHANGED, values={}))["data"]["values"] == {}
    assert "values" not in read(CHANGED)["data"]


def test_a_turn_of_a_review_is_told_with_its_details() -> None:
    envelope = read(OPENED)

    assert (envelope["type"], envelope["subject"], envelope["partitionkey"]) == ("review.opened", REVIEW_ID, REVIEW_ID)
    assert envelope["sequence"] == "0000000000000004712"
    assert envelope["data"] == {
        "review_id": REVIEW_ID,
        "entity_type": "customer",
        "details": {"kind": "possible_match"},
    }


def test_the_same_happening_gives_the_same_bytes() -> None:
    one = replace(CHANGED, values={"a": 1, "b": 2}, at=datetime(2026, 11, 25, 13, tzinfo=timezone(timedelta(hours=1))))
    same = replace(
        CHANGED, values={"b": 2, "a": 1}, at=datetime(2026, 11, 25, 12, tzinfo=UTC), changed=("name", "phone")
    )

    assert enclose(one, source=SOURCE) == enclose(same, source=SOURCE)


def test_sequences_sort_as_texts_in_the_order_of_their_numbers() -> None:
    numbers = [1, 9, 10, 4711, 2**63 - 1]

    written = [read(replace(CHANGED, sequence=number))["sequence"] for number in numbers]

    assert written == sorted(written)


def test_what_does_not_fit_is_left_out_and_named_the_values_first() -> None:
    joined = [f"rec_{number:026}" for number in range(100)]  # 100 * 33 bytes
    told = replace(CHANGED, details={"joined": joined, "left": ["rec_1"]}, values={"name": "x" * 20_000})

    envelope = read(told)

    assert envelope["data"]["left_out"] == ["values"]
    assert envelope["data"]["joined"] == joined
    assert len(enclose(told, source=SOURCE)) <= ENVELOPE_BYTES_MAX

    envelope = read(told, bytes_max=1_000)

    assert envelope["data"]["left_out"] == ["values", "joined"]
    assert envelope["data"]["left"] == ["rec_1"]


def test_a_merge_of_thousands_of_records_still_fits() -> None:
    many = [f"rec_{number:026}" for number in range(5_000)]
    told = replace(CHANGED, details={"joined": many, "left": many, "forward_to": GOLDEN_ID})

    written = enclose(told, source=SOURCE)

    assert len(written) <= ENVELOPE_BYTES_MAX
    assert orjson.loads(written)["data"]["left_out"] == ["joined", "left"]
    assert orjson.loads(written)["data"]["forward_to"] == GOLDEN_ID


def test_an_envelope_at_the_bound_is_left_whole() -> None:
    told = replace(CHANGED, values={"name": "x" * 40})
    size = len(enclose(told, source=SOURCE))

    assert "left_out" not in read(told, bytes_max=size)["data"]
    assert read(told, bytes_max=size - 1)["data"]["left_out"] == ["values"]


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("https://mdm.example.com", "https://mdm.example.com"), (None, "urn:mdm:7312.1")],
)
def test_the_source_is_the_address_of_the_hub_or_the_history_of_its_database(
    public_url: str | None, expected: str
) -> None:
    assert source_of(public_url, "7312.1") == expected


def test_each_kind_has_a_schema_of_its_own() -> None:
    assert schema_of("golden_record.retired") == "urn:mdm:event:golden_record.retired:2"
