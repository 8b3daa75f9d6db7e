"""From the declaration of a target to what speaks with it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from mdm.connectors.http import HttpClient, Timeouts
from mdm.connectors.model import MessageSink, RecordSystem
from mdm.connectors.record_api import CONCURRENCY, RecordApi
from mdm.connectors.signatures import Keys
from mdm.connectors.webhook import Webhook
from mdm.delivery.model import Declaration
from mdm.errors import InputInvalid
from mdm.settings import Settings, secret

Connection = Mapping[str, Any]
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


def _secret(connection: Connection, name: str) -> str:
    variable = connection.get(name)
    return secret(str(variable)) if variable else ""


def _client(connection: Connection, settings: Settings) -> HttpClient:
    return HttpClient(allowed=settings.outgoing_networks, timeouts=_timeouts(connection))


def _timeouts(connection: Connection) -> Timeouts:
    total_s = float(connection.get("timeout_s", TIMEOUT_S))
    return Timeouts(connect_s=min(5.0, total_s), silence_s=total_s, total_s=total_s)


def _webhook(connection: Connection, settings: Settings) -> Webhook:
    until = connection.get("previous_until")
    keys = Keys(
        _secret(connection, "secret"),
        _secret(connection, "previous_secret"),
        datetime.fromisoformat(str(until)) if until else None,
    )
    return Webhook(str(connection["url"]), keys, _client(connection, settings))


def _record_api(connection: Connection, settings: Settings) -> RecordApi:
    return RecordApi(
        str(connection["url"]),
        _secret(connection, "secret"),
        allowed=settings.outgoing_networks,
        timeouts=_timeouts(connection),
        concurrency=int(connection.get("concurrency", CONCURRENCY)),
    )


_CONNECTORS: Final[Mapping[str, Callable[[Connection, Settings], RecordSystem | MessageSink]]] = {
    "record_api": _record_api,
    "webhook": _webhook,
}
