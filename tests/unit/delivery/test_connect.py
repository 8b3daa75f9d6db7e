"""What the declaration of a broker says of its connection reaches its sink, and secrets come from the environment."""

from typing import Any

import pytest

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
    return sink._place


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
    assert place.options == {"security.protocol": "SASL_SSL", "sasl.username": "hub", "sasl.password": "p@ss/word"}


@pytest.mark.parametrize(("kind", "field"), [("nats", "servers"), ("rabbitmq", "url"), ("kafka", "servers")])
def test_a_broker_without_an_address_is_refused(kind: str, field: str) -> None:
    with pytest.raises(InputInvalid, match=f"the connection has no {field}"):
        place_of(kind, {"user": "hub"})


def test_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(InputInvalid, match="holds a password"):
        place_of("rabbitmq", {"url": "amqp://hub:hush@broker/"})


def test_a_webhook_without_an_address_is_refused_by_name() -> None:
    declared = {"target": "news", "title": "News", "kind": "webhook", "connection": {"secret": "MDM_SECRET_BROKER"}}

    with pytest.raises(InputInvalid, match="the connection has no url"):
        connect(declaration_of({**declared, "events": {"entities": ["customer"]}}), Settings())
