"""The AsyncAPI 3.0 document: every message that leaves the hub, on every way it can leave.

It is made from what makes the messages: kinds of events, the envelope, the places of sinks, the change feed's own
schema. A test holds real messages of every kind against it.
"""

from typing import Any, Final, get_args

from api.openapi import VERSION
from api.schemas.changes import (
    SUMMARIES,
    ChangesTold,
    ForwardedDetails,
    GoldenDetails,
    MovedTold,
    PartTold,
    SplitDetails,
)
from mdm.connectors.envelope import ENVELOPE_BYTES_MAX, schema_of
from mdm.connectors.kafka import KafkaPlace
from mdm.connectors.nats import NatsPlace
from mdm.connectors.rabbitmq import RabbitPlace
from mdm.publishing.model import GoldenEventKind

Part = dict[str, Any]

ENVELOPE_TYPE: Final = "application/cloudevents+json"
KINDS: Final[tuple[GoldenEventKind, ...]] = get_args(GoldenEventKind)
_TEXT: Final[Part] = {"type": "string"}
_IDS: Final[Part] = {"type": "array", "items": _TEXT}


def document() -> Part:
    """Write the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Golden-record hub: messages",
            "version": VERSION,
            "description": (
                "Each message is told at least once, and in order within its subject; a repeat has the same id."
                " Envelopes are CloudEvents 1.0 in their JSON form, thin unless a subscription asks for values."
            ),
        },
        "defaultContentType": ENVELOPE_TYPE,
        "channels": {name: {**way, "messages": _messages_of(name)} for name, way in _ways().items()} | _feed(),
        "operations": {
            f"tell_{name}": {
                "action": "send",
                "channel": _ref("channels", name),
                "messages": [_ref("channels", name, "messages", _key(kind)) for kind in KINDS],
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}} if name == "webhook" else {},
            }
            for name in _ways()
        }
        | {
            "read_changes": {
                "action": "send",
                "channel": _ref("channels", "changes"),
                "messages": [_ref("channels", "changes", "messages", "page")],
                "bindings": {"http": {"method": "GET", "bindingVersion": "0.3.0"}},
            }
        },
        "components": {
            "messages": {f"{name}_{_key(kind)}": _message(name, kind) for name in _ways() for kind in KINDS}
            | {"changes": _page()},
            "messageTraits": {name: _trait(name) for name in _ways()},
            "schemas": {_key(kind): _envelope(kind) for kind in KINDS},
        },
    }


def _ways() -> dict[str, Part]:
    """Name the ways to a receiver, with the addresses that the sinks write to unless they are told otherwise."""
    nats, kafka = NatsPlace(()), KafkaPlace("")
    entity_type = {"description": "As declared, for example customer."}
    kind = {"enum": list(KINDS)}
    return {
        "webhook": {"address": None, "description": "The url of the target; signed by Standard Webhooks 1.0."},
        "nats": {
            "address": f"{nats.subject_prefix}.{{entity_type}}.{{kind}}.{{subject}}",
            "description": "A subject of NATS JetStream; the stream stores a repeat once within its duplicate window.",
            "parameters": {"entity_type": entity_type, "kind": kind, "subject": {"description": "The golden id."}},
        },
        "rabbitmq": {
            "address": "{entity_type}.{kind}",
            "description": "A routing key of RabbitMQ.",
            "parameters": {"entity_type": entity_type, "kind": kind},
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": RabbitPlace("").exchange, "type": "topic", "durable": True},
                    "bindingVersion": "0.3.0",
                }
            },
        },
        "kafka": {
            "address": kafka.topic,
            "description": "A topic of Kafka.",
            "parameters": {"entity_type": entity_type},
            "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
        },
    }


def _feed() -> dict[str, Part]:
    return {
        "changes": {
            "address": "/v1/changes",
            "description": "The change feed: every event in the order of commits, of reviews too, read page by page.",
            "messages": {"page": _ref("components", "messages", "changes")},
        }
    }


def _messages_of(way: str) -> dict[str, Part]:
    return {_key(kind): _ref("components", "messages", f"{way}_{_key(kind)}") for kind in KINDS}


def _message(way: str, kind: GoldenEventKind) -> Part:
    return {
        "name": kind,
        "title": kind,
        "summary": SUMMARIES[kind],
        "contentType": ENVELOPE_TYPE,
        "payload": _ref("components", "schemas", _key(kind)),
        "traits": [_ref("components", "messageTraits", way)],
    }


def _page() -> Part:
    schema = ChangesTold.model_json_schema(ref_template="#/components/messages/changes/payload/$defs/{model}")
    return {
        "name": "changes",
        "title": "A page of the change feed",
        "contentType": "application/json",
        "payload": schema,
    }


def _trait(way: str) -> Part:
    """Say what stands beside the envelope on one way."""
    names: dict[str, dict[str, str]] = {
        "webhook": {
            "webhook-id": "The id of the event.",
            "webhook-timestamp": "Seconds since 1970, of this attempt.",
            "webhook-signature": "One signature, or two parted by a blank while a secret is exchanged.",
        },
        "nats": {"Nats-Msg-Id": "The id of the event."},
        "rabbitmq": {"subject": "The golden id, by which messages are in order."},
        "kafka": {"id": "The id of the event.", "content-type": f"{ENVELOPE_TYPE}."},
    }
    properties = {name: {**_TEXT, "description": text} for name, text in names[way].items()}
    trait: Part = {"headers": {"type": "object", "required": list(properties), "properties": properties}}
    if way == "kafka":
        key = {**_TEXT, "description": "The golden id, by which messages are in order."}
        trait["bindings"] = {"kafka": {"key": key, "bindingVersion": "0.5.0"}}
    return trait


def _envelope(kind: GoldenEventKind) -> Part:
    names = {
        "specversion": {"const": "1.0"},
        "id": {**_TEXT, "description": "The same in every attempt and at every target; remember it, to know repeats."},
        "source": {**_TEXT, "format": "uri-reference", "description": "This hub."},
        "type": {"const": kind},
        "subject": {**_TEXT, "description": "The golden id."},
        "time": {**_TEXT, "format": "date-time"},
        "dataschema": {"const": schema_of(kind)},
        "datacontenttype": {"const": "application/json"},
        "partitionkey": {**_TEXT, "description": "The golden id."},
        "sequence": {**_TEXT, "pattern": "^[0-9]{19}$", "description": "Rises within a subject; sorts as text."},
        "data": _told(kind),
    }
    return {
        "type": "object",
        "description": f"{SUMMARIES[kind]} At most {ENVELOPE_BYTES_MAX:,} bytes.",
        "required": list(names),
        "additionalProperties": False,
        "properties": names,
    }


def _told(kind: GoldenEventKind) -> Part:
    names: Part = {
        "golden_id": _TEXT,
        "entity_type": _TEXT,
        "version": {"type": "integer", "minimum": 1},
        "changed": {**_IDS, "description": "Names of the attributes whose value is another than before."},
        "event_id": {**_TEXT, **_said(GoldenDetails, "event_id")},
        "moves": {"type": "array", "items": MovedTold.model_json_schema(), **_said(GoldenDetails, "moves")},
        "joined": {**_IDS, **_said(GoldenDetails, "joined")},
        "left": {**_IDS, **_said(GoldenDetails, "left")},
        "values": {"type": "object", "description": "By attribute, where the subscription asks for them."},
        "left_out": {**_IDS, "description": "What did not fit; read it by id."},
    }
    required = ["golden_id", "entity_type", "version"]
    if kind == "golden_record.forwarded":
        names["forward_to"] = {**_TEXT, **_said(ForwardedDetails, "forward_to")}
        required.append("forward_to")
    if kind == "golden_record.split":
        # Not required: what is too long for an envelope is left out.
        parts = {"type": "array", "items": PartTold.model_json_schema()}
        names["parts"] = {**parts, **_said(SplitDetails, "parts")}
    return {"type": "object", "required": required, "additionalProperties": False, "properties": names}


def _said(details: type[GoldenDetails], name: str) -> dict[str, str]:
    """Describe a key as the change feed does."""
    return {"description": details.model_fields[name].description or ""}


def _key(kind: str) -> str:
    """Name a kind where only letters, digits, hyphens and underscores may stand."""
    return kind.replace(".", "_")


def _ref(*places: str) -> Part:
    return {"$ref": "#/" + "/".join(places)}
