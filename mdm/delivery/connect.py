"""From the declaration of a target to what speaks with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

from mdm import clock
from mdm.connectors.guarded import GuardedSink, Server
from mdm.connectors.http import HttpClient, Timeouts
from mdm.connectors.kafka import KafkaPlace, KafkaSink
from mdm.connectors.model import Load, MessageSink, Meter, RecordSystem, unmetered
from mdm.connectors.nats import NatsPlace, NatsSink
from mdm.connectors.rabbitmq import RabbitPlace, RabbitSink
from mdm.connectors.record_api import RecordApi
from mdm.connectors.signatures import Keys
from mdm.connectors.webhook import Webhook
from mdm.delivery.connection import (
    KafkaConnection,
    NatsConnection,
    RabbitConnection,
    RecordApiConnection,
    WebhookConnection,
    connection_of,
)
from mdm.delivery.meter import Paced
from mdm.delivery.model import Declaration
from mdm.hub import Hub
from mdm.settings import Settings, secret


def connect(declaration: Declaration, settings: Settings, meter: Meter = unmetered) -> RecordSystem | MessageSink:
    """Open what speaks with a target; it connects when it is first asked, and tells its meter before each call.

    Raises InputInvalid for a connection that cannot be used, SettingsInvalid for a secret that is not set.
    """
    connection = connection_of(declaration)
    match connection:
        case WebhookConnection():
            return _webhook(connection, settings, meter)
        case RecordApiConnection():
            return _record_api(connection, settings, meter)
        case NatsConnection():
            return _nats(connection, settings, meter)
        case RabbitConnection():
            return _rabbitmq(connection, settings, meter)
        case KafkaConnection():
            return _kafka(connection, settings, meter)


@contextmanager
def open_records(hub: Hub, declaration: Declaration) -> Iterator[RecordSystem]:
    """Open what reads and writes the records of a target, for the length of a `with` block; raises as `connect`."""
    system = cast("RecordSystem", connect(declaration, hub.settings, Paced(hub.engine, declaration)))
    try:
        yield system
    finally:
        system.close()


def _secret(variable: str | None) -> str:
    return secret(variable) if variable else ""


def _timeouts(total_s: float) -> Timeouts:
    return Timeouts(connect_s=min(5.0, total_s), silence_s=total_s, total_s=total_s)


def _webhook(connection: WebhookConnection, settings: Settings, meter: Meter) -> Webhook:
    previous = _secret(connection.previous_secret) if connection.has_previous(clock.now()) else ""
    keys = Keys(_secret(connection.secret), previous, connection.previous_until)
    client = HttpClient(allowed=settings.outgoing_networks, timeouts=_timeouts(connection.timeout_s), meter=meter)
    return Webhook(connection.url, keys, client)


def _record_api(connection: RecordApiConnection, settings: Settings, meter: Meter) -> RecordApi:
    return RecordApi(
        connection.url,
        _secret(connection.secret),
        allowed=settings.outgoing_networks,
        timeouts=_timeouts(connection.timeout_s),
        load=Load(connection.concurrency, meter),
    )


def _nats(connection: NatsConnection, settings: Settings, meter: Meter) -> GuardedSink:
    sink = NatsSink(
        NatsPlace(
            servers=tuple(connection.servers),
            subject_prefix=connection.subject_prefix,
            stream=connection.stream,
            user=connection.user,
            password=_secret(connection.password),
            token=_secret(connection.token),
            credentials_path=connection.credentials_path,
            ca_path=connection.ca_path,
            timeout_s=connection.timeout_s,
        )
    )
    servers = [_server(one, 4222, secure="tls") for one in connection.servers]
    return GuardedSink(sink, servers, settings.outgoing_networks, meter=meter)


def _rabbitmq(connection: RabbitConnection, settings: Settings, meter: Meter) -> GuardedSink:
    sink = RabbitSink(
        RabbitPlace(
            connection.url,
            exchange=connection.exchange,
            user=connection.user,
            password=_secret(connection.password),
            ca_path=connection.ca_path,
            timeout_s=connection.timeout_s,
        )
    )
    return GuardedSink(sink, [_server(connection.url, 5672, secure="amqps")], settings.outgoing_networks, meter=meter)


def _kafka(connection: KafkaConnection, settings: Settings, meter: Meter) -> GuardedSink:
    options = given = dict(connection.options)
    if connection.ca_path:
        options = {"security.protocol": "SSL", "ssl.ca.location": connection.ca_path} | options
    if connection.user:
        protocol = given.get("security.protocol", "SASL_SSL")
        options |= {"security.protocol": protocol, "sasl.mechanism": connection.mechanism}
        options |= {"sasl.username": connection.user, "sasl.password": _secret(connection.password)}
    is_plain = not options.get("security.protocol", "PLAINTEXT").upper().endswith("SSL")
    sink = KafkaSink(
        KafkaPlace(
            ",".join(connection.servers), topic=connection.topic, options=options, timeout_s=connection.timeout_s
        )
    )
    servers = [replace(_server(one, 9092, secure=""), is_plain=is_plain) for one in connection.servers]
    return GuardedSink(sink, servers, settings.outgoing_networks, meter=meter)


def _server(written: str, port: int, *, secure: str) -> Server:
    """Read host and port of a server that was found to be one; `secure` is the scheme that speaks TLS."""
    place = urlsplit(written if "://" in written else f"//{written}")
    return Server(place.hostname or "", place.port or port, is_plain=place.scheme != secure)
