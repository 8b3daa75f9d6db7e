"""The connection of a target: every wrong word is refused with its line and with what to write instead."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from mdm.delivery.connection import CONNECTORS, WebhookConnection, connection_of, unset_secrets
from mdm.delivery.declaration import check_declaration, declaration_of, read_declaration, target_schema
from mdm.errors import InputInvalid, TargetDeclarationInvalid
from tests.hubs import declared

ROOT = Path(__file__).parents[3]
EXAMPLES, GUIDES = ROOT / "examples" / "targets", ROOT / "docs" / "guides"
URL = {"url": "https://example.com/hook", "secret": "MDM_SECRET_NEWS"}
HOOK = {
    "target": "news",
    "title": "News",
    "kind": "webhook",
    "connection": URL,
    "events": {"entities": ["gizmo"]},
}
EXCHANGE = {"previous_secret": "MDM_SECRET_NEWS_OLD", "previous_until": "2026-12-31T01:00:00+01:00"}


def faults(tmp_path: Path, kind: str, *lines: str) -> list[str]:
    """Give the faults of a declaration whose connection stands from line 5 on."""
    file = tmp_path / "t.yaml"
    rest = "instance: erp-us\nrecords: {gizmo: {object: Gizmo, fields: {name: {}}}}\n"
    rest = rest if kind == "records" else "events: {entities: [gizmo]}\n"
    stands = "".join(f"  {line}\n" for line in lines)
    file.write_text(f"target: t\ntitle: T\nkind: {kind}\nconnection:\n{stands}{rest}")
    with pytest.raises(TargetDeclarationInvalid) as refused:
        read_declaration(file, declared())
    return [fault.removeprefix(f"{file}:") for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("kind", "line", "fault"),
    [
        ("webhook", "previous_until: next week", "'next week' is no instant; write an instant with its zone, as"),
        ("webhook", "previous_until: 2026-12-31", "'2026-12-31' does not say its zone; write 2026-12-31T00:00:00Z"),
        (
            "webhook",
            "previous_until: '2026-12-31T18:30:00'",
            "'2026-12-31T18:30:00' does not say its zone; write 2026-12-31T18:30:00Z",
        ),
        ("webhook", "previous_until: 0001-01-01T00:00:00+14:00", "is no instant; write an instant with its zone"),
        ("webhook", "previous_until: 20261231", "is no instant; write an instant with its zone"),
        ("webhook", "previous_until: 2026-12-31T00:00:00Z", "there is no previous secret that signs until then"),
        ("webhook", "previous_secret: MDM_SECRET_OLD", "does not say until when it signs; say `previous_until`"),
        ("webhook", "previous_secret: whsec_abc", "a secret does not belong into this file; name an environment"),
        ("webhook", "previus_until: 2026-12-31T00:00:00Z", "previus_until is not a key here; write previous_until"),
        ("webhook", "timeout_s: soon", "should be a valid number (here: 'soon'); write a number"),
        ("webhook", "timeout_s: 0", "should be greater than 0"),
        ("webhook", "connector: webhok", "there is no connector 'webhok'; write webhook; there are kafka, nats, "),
        ("webhook", "connector: nats", "nats speaks with no target of kind webhook; write webhook"),
        ("webhook", "connector: 7", "there is no connector 7; write webhook; known: kafka, nats, rabbitmq, record_api"),
        ("records", "connector: recordapi", "there is no connector 'recordapi'; write record_api; there are kafka, "),
        ("records", "concurrency: many", "write a whole number"),
        ("nats", "timeout: 3", "timeout is not a key here; write timeout_s"),
        ("kafka", "options: {acks: 0}", "the option acks of Kafka is not for declarations; there are broker.address"),
        ("kafka", "mechanism: SCRAM-SHA-51", "write SCRAM-SHA-512"),
    ],
)
def test_a_wrong_word_is_refused_with_its_line(tmp_path: Path, kind: str, line: str, fault: str) -> None:
    address = "servers: a:1" if kind in {"nats", "kafka"} else "url: 'https://example.com'"
    needed = {"webhook": ["secret: MDM_SECRET_HOOK"], "records": ["connector: record_api"]}.get(kind, [])
    lines = [line] + [one for one in [address, *needed] if one.partition(":")[0] != line.partition(":")[0]]

    (found,) = faults(tmp_path, kind, *lines)

    assert found.startswith(f"5: connection.{line.partition(':')[0]}")
    assert fault in found


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("webhook", "url: example.com/hook"),
        ("webhook", "url: ftp://example.com"),
        ("webhook", "url: 'https://hub:hush@example.com'"),
        ("records", "url: https://"),
        ("rabbitmq", "url: https://broker/"),
        ("rabbitmq", "url: amqp://broker:port/"),
        ("nats", "servers: ['a:1', 'b:x']"),
        ("kafka", "servers: 'a:1,,b:2'"),
    ],
)
def test_an_address_that_is_none_is_refused_with_its_line(tmp_path: Path, kind: str, line: str) -> None:
    needed = {"webhook": ["secret: MDM_SECRET_HOOK"], "records": ["connector: record_api"]}.get(kind, [])

    (found,) = faults(tmp_path, kind, line, *needed)

    assert found.startswith(f"5: connection.{line.partition(':')[0]}")


def test_all_faults_of_a_connection_are_told_at_once_beside_those_of_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        dedent(
            """\
            target: T
            title: News
            kind: webhook
            connection:
              urll: https://example.com
              secret: whsec_hush
              previous_until: next week
              timeout_s: soon
            events: {entities: [gizmo]}
            """
        )
    )

    with pytest.raises(TargetDeclarationInvalid) as refused:
        read_declaration(file, declared())

    assert [re.findall(r"yaml:(\d+): ([\w.]+)", one)[0] for one in refused.value.faults] == [
        ("1", "target"),
        ("4", "connection.url"),
        ("5", "connection.urll"),
        ("6", "connection.secret"),
        ("7", "connection.previous_until"),
        ("8", "connection.timeout_s"),
    ]
    assert "hush" not in str(refused.value)


def test_a_connection_that_came_as_json_is_refused_by_its_places() -> None:
    content = {**HOOK, "connection": {**URL, "timeout_s": "soon"}}

    with pytest.raises(TargetDeclarationInvalid) as refused:
        check_declaration(content, declared())

    assert refused.value.places == (("connection", "timeout_s"),)


def test_an_exchange_of_secrets_is_read_with_its_instant_in_utc() -> None:
    content = {**HOOK, "connection": {**URL, **EXCHANGE}}

    connection = connection_of(check_declaration(content, declared()))

    assert isinstance(connection, WebhookConnection)
    assert connection.previous_until == datetime(2026, 12, 31, tzinfo=UTC)
    assert connection.has_previous(datetime(2026, 12, 30, tzinfo=UTC))
    assert not connection.has_previous(datetime(2026, 12, 31, tzinfo=UTC))


def test_a_declaration_that_was_kept_before_is_read_and_refused_when_it_is_opened() -> None:
    kept = declaration_of({**HOOK, "connection": {"urll": "https://example.com", "previous_until": "next week"}})

    assert kept.id == "news"
    with pytest.raises(InputInvalid, match="the connection of target news cannot be used: connection") as refused:
        connection_of(kept)
    assert "urll is not a key here; write url" in refused.value.message
    assert "'next week' is no instant" in refused.value.message


def test_a_secret_that_is_not_there_is_named_while_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = {**HOOK, "connection": {**URL, **EXCHANGE}}
    connection = connection_of(check_declaration(content, declared()))
    monkeypatch.setenv("MDM_SECRET_NEWS", "whsec_…")

    before = unset_secrets(connection, datetime(2026, 12, 30, tzinfo=UTC))
    after = unset_secrets(connection, datetime(2027, 1, 1, tzinfo=UTC))

    assert list(before) == [("previous_secret", "MDM_SECRET_NEWS_OLD")]
    assert list(after) == []


def shapes() -> Iterator[str]:
    schema = target_schema()
    for one in schema["allOf"]:
        kind = one["if"]["properties"]["kind"]["const"]
        name = one["then"]["properties"]["connection"]["$ref"].rpartition("/")[2]
        yield f"{kind}: {', '.join(sorted(schema['$defs'][name]['properties']))}"


def test_the_schema_says_what_a_connection_takes_by_kind() -> None:
    told = dict(one.split(": ") for one in shapes())

    assert told.keys() == {"records", "webhook", "nats", "rabbitmq", "kafka"}
    assert told["webhook"] == "connector, previous_secret, previous_until, secret, timeout_s, url"
    assert target_schema()["$defs"]["WebhookConnection"]["additionalProperties"] is False


@pytest.mark.parametrize("name", ["books", "news", "news-exchange"])
def test_the_examples_are_good_and_stand_in_the_guides(name: str) -> None:
    declaration, content = read_declaration(EXAMPLES / f"{name}.yaml", declared())

    assert connection_of(declaration).connector in CONNECTORS
    guides = " ".join((GUIDES / page).read_text(encoding="utf-8") for page in ("targets.md", "webhooks.md"))
    for key, value in content["connection"].items():
        assert f"{key}: {value}" in guides
