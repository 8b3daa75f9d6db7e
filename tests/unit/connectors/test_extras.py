"""A sink whose client is not installed says which extra brings it."""

import sys

import pytest

from mdm.connectors.kafka import KafkaPlace, KafkaSink
from mdm.connectors.nats import NatsPlace, NatsSink
from mdm.connectors.rabbitmq import RabbitPlace, RabbitSink
from mdm.errors import Unavailable


@pytest.mark.parametrize(
    ("module", "extra", "make"),
    [
        ("nats", "nats", lambda: NatsSink(NatsPlace(("nats://localhost",)))),
        ("aio_pika", "rabbitmq", lambda: RabbitSink(RabbitPlace("amqp://localhost"))),
        ("confluent_kafka", "kafka", lambda: KafkaSink(KafkaPlace("localhost"))),
    ],
)
def test_a_client_that_is_not_installed_is_named_with_its_extra(
    module: str, extra: str, make: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(Unavailable) as refused:
        make()

    assert f"pip install 'mdm-hub[{extra}]'" in refused.value.remedy


@pytest.mark.parametrize("make", [NatsPlace, RabbitPlace, KafkaPlace])
def test_what_is_secret_is_not_printed(make: type) -> None:
    secrets = {
        NatsPlace: NatsPlace(("nats://localhost",), password="hush", token="hush"),
        RabbitPlace: RabbitPlace("amqp://localhost", user="hub", password="hush"),
        KafkaPlace: KafkaPlace("localhost", options={"sasl.password": "hush"}),
    }

    assert "hush" not in repr(secrets[make])
