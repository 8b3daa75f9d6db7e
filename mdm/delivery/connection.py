"""What each connector takes of the `connection` of a target, checked when a target is declared and when it is opened.

Secrets are named by the environment variable that holds them: a declaration is kept in the database and shown. One that
was kept before connections were checked is still read; it is refused when the target is opened.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic.json_schema import models_json_schema
from pydantic_core import PydanticCustomError

from mdm.clock import in_utc
from mdm.connectors.http import flaw_of_url
from mdm.connectors.model import CONCURRENCY
from mdm.delivery.model import Declaration
from mdm.entities.declaration import Part, Text
from mdm.entities.document import Document, Fault
from mdm.entities.shape import check_shape, suggest
from mdm.errors import InputInvalid
from mdm.settings import SECRET_NAME, is_secret_set

BROKER_TIMEOUT_S: Final = 10.0  # chosen: a broker that confirms nothing for so long is given up for this turn
KAFKA_OPTIONS: Final = frozenset(
    {
        *("security.protocol", "ssl.certificate.location", "ssl.key.location", "client.id", "client.rack"),
        *("compression.type", "compression.level", "broker.address.family", "socket.keepalive.enable"),
    }
)
TIMEOUT_S: Final = 20.0  # Standard Webhooks 1.0 asks for 15 to 30 seconds
TIMEOUT_S_MAX: Final = 600.0  # chosen: a call that takes longer holds a relay up for nothing
CONCURRENCY_MAX: Final = 64  # chosen: no vendor bears more of one integration
_SECRETS: Final = ("secret", "previous_secret", "password", "token")


def _refused(message: str, remedy: str) -> PydanticCustomError:
    # The words go in as values, so that braces in them are not taken for places to fill.
    return PydanticCustomError("connection", "{message}", {"message": message, "remedy": remedy})


def _variable(given: object) -> object:
    if not isinstance(given, str) or not SECRET_NAME.fullmatch(given):
        raise _refused(
            "a secret does not belong into this file",
            "name an environment variable that holds it, as MDM_SECRET_NETSUITE_US",
        )
    return given


def _callable(url: str) -> str:
    if flaw := flaw_of_url(url):
        raise _refused(flaw, "write an address as https://crm.example.com/hooks")
    return url


def _broker(url: str) -> str:
    try:
        place = urlsplit(url)
        is_address = place.scheme in {"amqp", "amqps"} and bool(place.hostname) and place.port != 0
    except ValueError:
        raise _refused(f"{url!r} is no address of a server", "write amqps://host:port/vhost") from None
    if place.password:
        raise _refused(
            "the url of a broker holds a password",
            "name user, and as password an environment variable that holds it, as MDM_SECRET_RABBIT",
        )
    if not is_address:
        raise _refused(f"{url!r} is no address of a server", "write amqps://host:port/vhost")
    return url


def _server(written: str) -> str:
    try:
        place = urlsplit(written if "://" in written else f"//{written}")
        is_address = bool(place.hostname) and place.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise _refused(f"{written!r} is no address of a server", "write host:port")
    return written


def _listed(given: object) -> object:
    return [one.strip() for one in given.split(",")] if isinstance(given, str) else given


def _instant(given: object) -> object:
    example = "write an instant with its zone, as 2026-12-31T00:00:00Z"
    if not isinstance(given, str):
        raise _refused("is no instant", example)
    try:
        instant = datetime.fromisoformat(given)
        meant = in_utc(instant)
    except ValueError:
        raise _refused(f"{given[:80]!r} is no instant", example) from None
    if instant.tzinfo is None:
        # Not taken for UTC: an exchange that ends hours before the receiver thinks so loses messages.
        written = meant.isoformat().replace("+00:00", "Z")
        raise _refused(f"{given!r} does not say its zone", f"write {written} if it is meant in UTC")
    return meant


def _option_name(name: str) -> str:
    if name not in KAFKA_OPTIONS:
        # Some of the client's options load programs, open files or call other addresses.
        known = ", ".join(sorted(KAFKA_OPTIONS))
        raise _refused(
            f"the option {name} of Kafka is not for declarations",
            f"there are {known}; user, password, mechanism and ca_path stand beside",
        )
    return name


def _option(given: object) -> object:
    if isinstance(given, bool):
        return str(given).lower()
    return str(given) if isinstance(given, int | float) else given


Seconds = Annotated[float, Field(gt=0, le=TIMEOUT_S_MAX, allow_inf_nan=False)]
Variable = Annotated[str, BeforeValidator(_variable), StringConstraints(pattern=SECRET_NAME.pattern)]
Address = Annotated[Text, AfterValidator(_callable)]
Servers = Annotated[
    list[Annotated[Text, AfterValidator(_server)]],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    Field(min_length=1, description="host:port, one or a list"),
]
Instant = Annotated[datetime, BeforeValidator(_instant)]
OptionName = Annotated[str, AfterValidator(_option_name)]
Option = Annotated[str, BeforeValidator(_option, json_schema_input_type=str | int | float | bool)]


class RecordApiConnection(Part):
    """How a system of records is spoken to over the record API."""

    connector: Literal["record_api"]
    url: Address = Field(description="up to and without /api")
    secret: Variable | None = Field(None, description="variable that holds the key of the system")
    timeout_s: Seconds = TIMEOUT_S
    concurrency: Annotated[int, Field(ge=1, le=CONCURRENCY_MAX)] = Field(
        CONCURRENCY, description="requests under way at a time"
    )


class WebhookConnection(Part):
    """Where messages are sent to over HTTP, and with what they are signed."""

    connector: Literal["webhook"] = "webhook"
    url: Address
    secret: Variable = Field(description="variable that holds the secret that signs, as whsec_…")
    previous_secret: Variable | None = Field(
        None, description="while the secret is exchanged: variable that holds the one before it, which signs too"
    )
    previous_until: Instant | None = Field(
        None, description="instant with its zone until which the previous secret signs, as 2026-12-31T00:00:00Z"
    )
    timeout_s: Seconds = TIMEOUT_S

    def has_previous(self, now: datetime) -> bool:
        """Tell whether the previous secret still signs: after that it need not be there any more."""
        return self.previous_until is not None and now < self.previous_until


class NatsConnection(Part):
    """Where messages are published to JetStream, and as whom."""

    connector: Literal["nats"] = "nats"
    servers: Servers
    subject_prefix: Text = "mdm"
    stream: str = Field("", description="refuse to publish into any other")
    user: str = ""
    password: Variable | None = None
    token: Variable | None = None
    credentials_path: str = Field("", description="a .creds file with JWT and key")
    ca_path: str = Field("", description="PEM file with certificates of whoever signed the server's")
    timeout_s: Seconds = BROKER_TIMEOUT_S


class RabbitConnection(Part):
    """Where messages are published to RabbitMQ, and as whom."""

    connector: Literal["rabbitmq"] = "rabbitmq"
    url: Annotated[Text, AfterValidator(_broker)] = Field(description="without user, as amqps://broker:5671/vhost")
    exchange: Text = "mdm"
    user: str = ""
    password: Variable | None = None
    ca_path: str = Field("", description="PEM file with certificates of whoever signed the server's")
    timeout_s: Seconds = BROKER_TIMEOUT_S


class KafkaConnection(Part):
    """Where messages are published to Kafka, and as whom."""

    connector: Literal["kafka"] = "kafka"
    servers: Servers
    topic: Text = "mdm.{entity_type}"
    user: str = ""
    password: Variable | None = None
    # Chosen: the strongest that every Kafka since 0.10 speaks.
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    ca_path: str = Field("", description="PEM file with certificates of whoever signed the server's")
    options: dict[OptionName, Option] = Field({}, description="options of librdkafka, as compression.type")
    timeout_s: Seconds = BROKER_TIMEOUT_S


ConnectionSettings = RecordApiConnection | WebhookConnection | NatsConnection | RabbitConnection | KafkaConnection
# By kind of target, the connector that speaks with it and what that takes.
_SHAPES: Final[Mapping[str, tuple[str, type[ConnectionSettings]]]] = {
    "records": ("record_api", RecordApiConnection),
    "webhook": ("webhook", WebhookConnection),
    "nats": ("nats", NatsConnection),
    "rabbitmq": ("rabbitmq", RabbitConnection),
    "kafka": ("kafka", KafkaConnection),
}
CONNECTORS: Final = tuple(sorted(name for name, _ in _SHAPES.values()))


def connection_of(declaration: Declaration) -> ConnectionSettings:
    """Read the connection of a target; raises InputInvalid that names every fault of it."""
    content = {"kind": declaration.kind, "connection": dict(declaration.connection)}
    shaped, faults = check_connection(Document("the declaration", content, {(): 0}))
    if shaped is None:
        said = "; ".join(f"{one.place}: {one.problem}; {one.remedy}" for one in faults)
        raise InputInvalid(
            f"the connection of target {declaration.id} cannot be used: {said}",
            remedy="mend it in its declaration, and apply that",
            field="connection",
        )
    return shaped


def check_connection(document: Document) -> tuple[ConnectionSettings | None, list[Fault]]:
    """Read the connection of a declaration, or give every fault of it; nothing where its kind is not known."""
    content, kind = document.content.get("connection"), str(document.content.get("kind"))
    if not isinstance(content, dict) or kind not in _SHAPES:
        return None, []
    connector, shape = _SHAPES[kind]
    lines = {place[1:]: line for place, line in document.lines.items() if place[:1] == ("connection",)}
    inner = Document(document.file, content, {(): document.line(("connection",)), **lines})
    shaped, faults = check_shape(inner, shape)
    faults = [one for one in faults if one.place != "connector"]
    faults += _connector_faults(inner, kind, connector)
    if isinstance(shaped, WebhookConnection):
        faults += _exchange_faults(inner, shaped)
    return (shaped if not faults else None), [
        replace(one, place=".".join(filter(None, ("connection", one.place)))) for one in faults
    ]


def unset_secrets(connection: ConnectionSettings, now: datetime) -> Iterator[tuple[str, str]]:
    """Give each setting that names a variable which this environment does not hold, and the variable."""
    for name in _SECRETS:
        if name == "previous_secret" and isinstance(connection, WebhookConnection) and not connection.has_previous(now):
            continue
        variable = getattr(connection, name, None)
        if variable and not is_secret_set(variable):
            yield name, variable


def connection_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the JSON Schema of what stands in `connection`, by kind of target, and the definitions that it refers to."""
    shapes: Iterable[type[ConnectionSettings]] = [shape for _, shape in _SHAPES.values()]
    references, definitions = models_json_schema([(shape, "validation") for shape in shapes])
    by_kind = {kind: references[shape, "validation"] for kind, (_, shape) in _SHAPES.items()}
    return by_kind, definitions["$defs"]


def _connector_faults(inner: Document, kind: str, connector: str) -> Iterator[Fault]:
    given = inner.content.get("connector")
    if "connector" not in inner.content:
        if kind == "records":
            yield inner.fault(("connector",), "is missing", f"add `connector: {connector}`")
    elif given in CONNECTORS:
        if given != connector:
            yield inner.fault(("connector",), f"{given} speaks with no target of kind {kind}", f"write {connector}")
    else:
        nearest = suggest(str(given), CONNECTORS, otherwise=f"write {connector}")
        there_are = "" if "known:" in nearest else f"; there are {', '.join(CONNECTORS)}"
        yield inner.fault(("connector",), f"there is no connector {given!r}", f"{nearest}{there_are}")


def _exchange_faults(inner: Document, shaped: WebhookConnection) -> Iterator[Fault]:
    """Find an exchange of secrets that is half declared: the previous one would sign never, or for ever."""
    if shaped.previous_secret and shaped.previous_until is None:
        remedy = "say `previous_until`, as 2026-12-31T00:00:00Z"
        yield inner.fault(("previous_secret",), "does not say until when it signs", remedy)
    if shaped.previous_until is not None and not shaped.previous_secret:
        remedy = "name `previous_secret`, or remove it"
        yield inner.fault(("previous_until",), "there is no previous secret that signs until then", remedy)
