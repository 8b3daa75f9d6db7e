"""From the declaration of a target to what speaks with it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mdm.connectors.model import MessageSink, RecordSystem
from mdm.delivery.model import Declaration
from mdm.errors import InputInvalid
from mdm.settings import Settings, secret

Connection = Mapping[str, Any]


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


_CONNECTORS: Final[Mapping[str, Callable[[Connection, Settings], RecordSystem | MessageSink]]] = {}
