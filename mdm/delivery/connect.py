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
from mdm.connectors.model import Load, MessageSink, Pace, RecordSystem, at_once
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
from mdm.delivery.model import Declaration
from mdm.delivery.pace import TargetPace
from mdm.hub import Hub
from mdm.settings import Settings, secret


def connect(declaration: Declaration, settings: Settings, pace: Pace = at_once) -> RecordSystem | MessageSink:
    """Open what speaks with a target; it connects when it is first asked, and asks its pace before each call.

    Raises InputInvalid for a connection that cannot be used, SettingsInvalid for a secret that is not set.
    """
    connection = connection_of(declaration)
    match connection:
        case WebhookConnection():
            return _webhook(connection, settings, pace)
        case RecordApiConnection():
            return _record_api(connection, settings, pace)
        case NatsConnection():
            return _nats(connection, settings, pace)
        case RabbitConnection():
            return _rabbitmq(connection, settings, pace)
        case KafkaConnection():
            return _kafka(connection, settings, pace)


@contextmanager
def open_records(hub: Hub, declaration: Declaration) -> Iterator[RecordSystem]:
    """Open what reads and writes the records of a target, for the length of a `with` block; raises as `connect`."""
    system = cast("RecordSystem", connect(declaration, hub.settings, TargetPace(hub.engine, declaration)))
    try:
        yield system
    finally:
        system.close()


def _secret(variable: str | None) -> str:
    return secret(variable) if variable else ""


def _timeouts(total_s: float) -> Timeouts:
    return Timeouts(connect_s=min(5.0, total_s), silence_s=total_s, total_s=total_s)


def _webhook(connection: WebhookConnection, settings: Settings, pace: Pace) -> Webhook:
    previous = _secret(connection.previous_secret) if connection.has_previous(clock.now()) else ""
    keys = Keys(_secret(connection.secret), previous, connection.previous_until)
    client = HttpClient(allowed=settings.outgoing_networks, timeouts=_timeouts(connection.timeout_s), pace=pace)
    return Webhook(connection.url, keys, client)


def _record_api(connection: RecordApiConnection, settings: Settings, pace: Pace) -> RecordApi:
    return RecordApi(
        connection.url,
        _secret(connection.secret),
        allowed=settings.outgoing_networks,
        timeouts=_timeouts(connection.timeout_s),
        load=Load(connection.concurrency, pace),
    )


def _nats(connection: NatsConnection, settings: Settings, pace: Pace) -> GuardedSink:
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
    return GuardedSink(sink, servers, settings.outgoing_networks, pace=pace)


def _rabbitmq(connection: RabbitConnection, settings: Settings, pace: Pace) -> GuardedSink:
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
    return GuardedSink(sink, [_server(connection.url, 5672, secure="amqps")], settings.outgoing_networks, pace=pace)


def _kafka(connection: KafkaConnection, settings: Settings, pace: Pace) -> GuardedSink:
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
    return GuardedSink(sink, servers, settings.outgoing_networks, pace=pace)


def _server(written: str, port: int, *, secure: str) -> Server:
    """Read host and port of a server that was found to be one; `secure` is the scheme that speaks TLS."""
    place = urlsplit(written if "://" in written else f"//{written}")
    return Server(place.hostname or "", place.port or port, is_plain=place.scheme != secure)
