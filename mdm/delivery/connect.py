"""From the declaration of a target to what speaks with it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

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


def _nats(connection: Connection, _: Settings) -> NatsSink:
    servers = _wanted(connection, "servers")
    return NatsSink(
        NatsPlace(
            servers=tuple(servers) if isinstance(servers, list) else (str(servers),),
            subject_prefix=str(connection.get("subject_prefix", "mdm")),
            stream=str(connection.get("stream", "")),
            user=str(connection.get("user", "")),
            password=_secret(connection, "password"),
            token=_secret(connection, "token"),
            credentials_path=str(connection.get("credentials_path", "")),
            timeout_s=_broker_timeout_s(connection),
        )
    )


def _rabbitmq(connection: Connection, _: Settings) -> RabbitSink:
    url = str(_wanted(connection, "url"))
    if urlsplit(url).password:
        raise InputInvalid(
            "the url of a broker holds a password",
            remedy="name user, and as password an environment variable that holds it, as MDM_SECRET_RABBIT",
            field="url",
        )
    return RabbitSink(
        RabbitPlace(
            url,
            exchange=str(connection.get("exchange", "mdm")),
            user=str(connection.get("user", "")),
            password=_secret(connection, "password"),
            timeout_s=_broker_timeout_s(connection),
        )
    )


def _kafka(connection: Connection, _: Settings) -> KafkaSink:
    options = {name: str(value) for name, value in connection.get("options", {}).items()}
    if user := connection.get("user"):
        options |= {"sasl.username": str(user), "sasl.password": _secret(connection, "password")}
    servers = _wanted(connection, "servers")
    return KafkaSink(
        KafkaPlace(
            ",".join(servers) if isinstance(servers, list) else str(servers),
            topic=str(connection.get("topic", "mdm.{entity_type}")),
            options=options,
            timeout_s=_broker_timeout_s(connection),
        )
    )


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
