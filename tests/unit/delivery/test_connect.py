"""What the declaration of a broker says of its connection reaches its sink, and secrets come from the environment."""

from typing import Any

import pytest

from mdm.connectors.guarded import Server
from mdm.connectors.kafka import KafkaPlace
from mdm.connectors.nats import NatsPlace
from mdm.connectors.rabbitmq import RabbitPlace
from mdm.delivery.connect import connect
from mdm.delivery.declaration import declaration_of
from mdm.errors import InputInvalid
from mdm.settings import Settings


def place_of(kind: str, connection: dict[str, Any]) -> Any:
    """Give where the sink of a declaration publishes to."""
    declared = {"target": "news", "title": "News", "kind": kind, "connection": connection}
    sink: Any = connect(declaration_of({**declared, "events": {"entities": ["customer"]}}), Settings())
    return sink.sink._place


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_SECRET_BROKER", "p@ss/word")


def test_nats_is_told_its_servers_stream_and_user() -> None:
    said = {
        "servers": ["nats://a:4222", "nats://b:4222"],
        "stream": "MDM",
        "user": "hub",
        "password": "MDM_SECRET_BROKER",
    }

    place = place_of("nats", said)

    assert place == NatsPlace(
        ("nats://a:4222", "nats://b:4222"), stream="MDM", user="hub", password="p@ss/word", timeout_s=10
    )


def test_a_password_of_rabbitmq_may_hold_any_letter() -> None:
    place: RabbitPlace = place_of(
        "rabbitmq", {"url": "amqps://broker:5671/crm", "user": "hub", "password": "MDM_SECRET_BROKER", "timeout_s": 3}
    )

    assert (place.exchange, place.timeout_s) == ("mdm", 3)
    assert place.address == "amqps://hub:p%40ss%2Fword@broker:5671/crm"


def test_kafka_is_told_options_and_user() -> None:
    place: KafkaPlace = place_of(
        "kafka",
        {
            "servers": ["a:9092", "b:9092"],
            "topic": "golden",
            "user": "hub",
            "password": "MDM_SECRET_BROKER",
            "options": {"security.protocol": "SASL_SSL"},
        },
    )

    assert (place.bootstrap_servers, place.topic) == ("a:9092,b:9092", "golden")
    assert place.options == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "hub",
        "sasl.password": "p@ss/word",
    }


def test_kafka_with_a_user_speaks_sasl_over_tls_unless_it_is_said_otherwise() -> None:
    said = {"servers": "a:9092", "user": "hub", "password": "MDM_SECRET_BROKER"}

    unsaid: KafkaPlace = place_of("kafka", said)
    plain: KafkaPlace = place_of(
        "kafka", {**said, "mechanism": "PLAIN", "options": {"security.protocol": "SASL_PLAINTEXT"}}
    )
    private: KafkaPlace = place_of("kafka", {"servers": "a:9092", "ca_path": "/etc/ca.pem"})

    assert unsaid.options["security.protocol"] == "SASL_SSL"
    assert (plain.options["security.protocol"], plain.options["sasl.mechanism"]) == ("SASL_PLAINTEXT", "PLAIN")
    assert private.options == {"security.protocol": "SSL", "ssl.ca.location": "/etc/ca.pem"}


@pytest.mark.parametrize("option", ["plugin.library.paths", "ssl.engine.location", "sasl.password", "acks"])
def test_options_of_kafka_that_load_programs_or_break_promises_are_refused(option: str) -> None:
    with pytest.raises(InputInvalid, match=f"the option {option} of Kafka is not for declarations"):
        place_of("kafka", {"servers": "a:9092", "options": {option: "x"}})


@pytest.mark.parametrize(
    ("kind", "connection", "server"),
    [
        ("nats", {"servers": "tls://a"}, Server("a", 4222, is_plain=False)),
        ("nats", {"servers": ["nats://a:1"]}, Server("a", 1, is_plain=True)),
        ("nats", {"servers": "a:1"}, Server("a", 1, is_plain=True)),
        ("rabbitmq", {"url": "amqps://a:5671/crm"}, Server("a", 5671, is_plain=False)),
        ("rabbitmq", {"url": "amqp://[::1]/"}, Server("::1", 5672, is_plain=True)),
        ("kafka", {"servers": "a"}, Server("a", 9092, is_plain=True)),
        ("kafka", {"servers": "a:1", "user": "hub"}, Server("a", 1, is_plain=False)),
    ],
)
def test_each_server_of_a_broker_is_known_before_it_is_called(
    kind: str, connection: dict[str, Any], server: Server
) -> None:
    declared = {"target": "news", "title": "News", "kind": kind, "connection": connection}
    sink: Any = connect(declaration_of({**declared, "events": {"entities": ["customer"]}}), Settings())

    assert sink._servers == (server,)


@pytest.mark.parametrize(("kind", "field"), [("nats", "servers"), ("rabbitmq", "url"), ("kafka", "servers")])
def test_a_broker_without_an_address_is_refused(kind: str, field: str) -> None:
    with pytest.raises(InputInvalid, match=rf"connection\.{field}: is missing; add `{field}:`"):
        place_of(kind, {"user": "hub"})


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(InputInvalid, match="holds a password"):
        place_of("rabbitmq", {"url": "amqp://hub:hush@broker/"})


def test_a_webhook_without_an_address_is_refused_by_name() -> None:
    declared = {"target": "news", "title": "News", "kind": "webhook", "connection": {"secret": "MDM_SECRET_BROKER"}}

    with pytest.raises(InputInvalid, match=r"connection\.url: is missing; add `url:`"):
        connect(declaration_of({**declared, "events": {"entities": ["customer"]}}), Settings())
