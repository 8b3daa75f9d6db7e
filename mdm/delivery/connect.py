"""From the declaration of a target to what speaks with it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

from mdm.connectors.guarded import GuardedSink, Server
from mdm.connectors.http import HttpClient, Timeouts
from mdm.connectors.kafka import KafkaPlace, KafkaSink
from mdm.connectors.model import MessageSink, RecordSystem
from mdm.connectors.nats import NatsPlace, NatsSink
from mdm.connectors.rabbitmq import RabbitPlace, RabbitSink
from mdm.connectors.record_api import CONCURRENCY, RecordApi
from mdm.connectors.signatures import Keys
from mdm.connectors.webhook import Webhook
from mdm.delivery.model import Declaration
from mdm.errors import InputInvalid
from mdm.settings import Settings, secret

Connection = Mapping[str, Any]
BROKER_TIMEOUT_S: Final = 10.0  # chosen: a broker that confirms nothing for so long is given up for this turn
KAFKA_OPTIONS: Final = frozenset(
    {
        *("security.protocol", "ssl.certificate.location", "ssl.key.location", "client.id", "client.rack"),
        *("compression.type", "compression.level", "broker.address.family", "socket.keepalive.enable"),
    }
)
MECHANISM: Final = "SCRAM-SHA-512"  # chosen: the strongest that every Kafka since 0.10 speaks
TIMEOUT_S: Final = 20.0  # Standard Webhooks 1.0 asks for 15 to 30 seconds


def connect(declaration: Declaration, settings: Settings) -> RecordSystem | MessageSink:
    """Open what speaks with a target; it connects when it is first asked.

    Raises InputInvalid for a connector that does not exist, SettingsInvalid for a secret that is not set.
    """
    name = declaration.connection.get("connector", declaration.kind)
    found = _CONNECTORS.get(str(name))
    if found is None:
        raise InputInvalid(
            f"target {declaration.id}: there is no connector {name!r}",
            remedy=f"there are {', '.join(sorted(_CONNECTORS))}",
            field="connector",
        )
    return found(declaration.connection, settings)


@contextmanager
def open_records(declaration: Declaration, settings: Settings) -> Iterator[RecordSystem]:
    """Open what reads and writes the records of a target, for the length of a `with` block; raises as `connect`."""
    system = cast("RecordSystem", connect(declaration, settings))
    try:
        yield system
    finally:
        system.close()


def _secret(connection: Connection, name: str) -> str:
    variable = connection.get(name)
    return secret(str(variable)) if variable else ""


def _client(connection: Connection, settings: Settings) -> HttpClient:
    return HttpClient(allowed=settings.outgoing_networks, timeouts=_timeouts(connection))


def _timeouts(connection: Connection) -> Timeouts:
    total_s = float(connection.get("timeout_s", TIMEOUT_S))
    return Timeouts(connect_s=min(5.0, total_s), silence_s=total_s, total_s=total_s)


def _webhook(connection: Connection, settings: Settings) -> Webhook:
    url, until = str(_wanted(connection, "url")), connection.get("previous_until")
    keys = Keys(
        _secret(connection, "secret"),
        _secret(connection, "previous_secret"),
        datetime.fromisoformat(str(until)) if until else None,
    )
    return Webhook(url, keys, _client(connection, settings))


def _record_api(connection: Connection, settings: Settings) -> RecordApi:
    return RecordApi(
        str(_wanted(connection, "url")),
        _secret(connection, "secret"),
        allowed=settings.outgoing_networks,
        timeouts=_timeouts(connection),
        concurrency=int(connection.get("concurrency", CONCURRENCY)),
    )


def _nats(connection: Connection, settings: Settings) -> GuardedSink:
    servers = _listed(connection)
    sink = NatsSink(
        NatsPlace(
            servers=servers,
            subject_prefix=str(connection.get("subject_prefix", "mdm")),
            stream=str(connection.get("stream", "")),
            user=str(connection.get("user", "")),
            password=_secret(connection, "password"),
            token=_secret(connection, "token"),
            credentials_path=str(connection.get("credentials_path", "")),
            ca_path=str(connection.get("ca_path", "")),
            timeout_s=_broker_timeout_s(connection),
        )
    )
    return GuardedSink(sink, [_server(one, 4222, secure="tls") for one in servers], settings.outgoing_networks)


def _rabbitmq(connection: Connection, settings: Settings) -> GuardedSink:
    url = str(_wanted(connection, "url"))
    if urlsplit(url).password:
        raise InputInvalid(
            "the url of a broker holds a password",
            remedy="name user, and as password an environment variable that holds it, as MDM_SECRET_RABBIT",
            field="url",
        )
    sink = RabbitSink(
        RabbitPlace(
            url,
            exchange=str(connection.get("exchange", "mdm")),
            user=str(connection.get("user", "")),
            password=_secret(connection, "password"),
            ca_path=str(connection.get("ca_path", "")),
            timeout_s=_broker_timeout_s(connection),
        )
    )
    return GuardedSink(sink, [_server(url, 5672, secure="amqps")], settings.outgoing_networks)


def _kafka(connection: Connection, settings: Settings) -> GuardedSink:
    given = {str(name): str(value) for name, value in connection.get("options", {}).items()}
    if unknown := sorted(given.keys() - KAFKA_OPTIONS):
        # Some of the client's options load programs, open files or call other addresses.
        raise InputInvalid(
            f"the option {unknown[0]} of Kafka is not for declarations",
            remedy=f"there are {', '.join(sorted(KAFKA_OPTIONS))}; user, password, mechanism and ca_path stand beside",
            field="options",
        )
    options = given
    if ca_path := connection.get("ca_path"):
        options = {"security.protocol": "SSL", "ssl.ca.location": str(ca_path)} | options
    if user := connection.get("user"):
        mechanism = str(connection.get("mechanism", MECHANISM))
        options |= {"security.protocol": given.get("security.protocol", "SASL_SSL"), "sasl.mechanism": mechanism}
        options |= {"sasl.username": str(user), "sasl.password": _secret(connection, "password")}
    servers = _listed(connection)
    is_plain = not options.get("security.protocol", "PLAINTEXT").upper().endswith("SSL")
    sink = KafkaSink(
        KafkaPlace(
            ",".join(servers),
            topic=str(connection.get("topic", "mdm.{entity_type}")),
            options=options,
            timeout_s=_broker_timeout_s(connection),
        )
    )
    named = [replace(_server(one, 9092, secure=""), is_plain=is_plain) for one in servers]
    return GuardedSink(sink, named, settings.outgoing_networks)


def _listed(connection: Connection) -> tuple[str, ...]:
    servers = _wanted(connection, "servers")
    return tuple(map(str, servers)) if isinstance(servers, list) else tuple(str(servers).split(","))


def _server(written: str, port: int, *, secure: str) -> Server:
    """Read host and port of a server; `secure` is the scheme that speaks TLS."""
    try:
        place = urlsplit(written if "://" in written else f"//{written}")
        return Server(place.hostname or "", place.port or port, is_plain=place.scheme != secure)
    except ValueError as error:
        raise InputInvalid(
            f"{written!r} is no address of a server", remedy="write host:port", field="servers"
        ) from error


def _broker_timeout_s(connection: Connection) -> float:
    return float(connection.get("timeout_s", BROKER_TIMEOUT_S))


def _wanted(connection: Connection, name: str) -> Any:
    if not connection.get(name):
        raise InputInvalid(f"the connection has no {name}", remedy=f"say {name} under `connection`", field=name)
    return connection[name]


_CONNECTORS: Final[Mapping[str, Callable[[Connection, Settings], RecordSystem | MessageSink]]] = {
    "kafka": _kafka,
    "nats": _nats,
    "rabbitmq": _rabbitmq,
    "record_api": _record_api,
    "webhook": _webhook,
}
