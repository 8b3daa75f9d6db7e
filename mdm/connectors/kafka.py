"""A Kafka sink: a message is done when all in-sync replicas have it, as its delivery report says.

The key is the subject, so that a golden record stays in one partition and in order; the header `id` tells a repeat. The
producer is idempotent: its own retries store nothing twice. A later send of the same message is stored again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mdm.connectors.extras import extra_missing
from mdm.connectors.model import Failure, FailureKind, Message, Receipt
from mdm.connectors.turns import Outcome, failure, in_turns

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

_LATE_S: Final = 5  # chosen: how long after its time-out a delivery report may come before it is given up
# By the names that librdkafka gives its error codes; what stands nowhere here is unclear.
_KINDS: Final[Mapping[FailureKind, tuple[str, ...]]] = {
    "not_allowed": (
        *("TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
        *("SASL_AUTHENTICATION_FAILED", "_AUTHENTICATION", "UNSUPPORTED_SASL_MECHANISM"),
    ),
    "refused": (
        *("MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD", "RECORD_LIST_TOO_LARGE", "POLICY_VIOLATION"),
        *("TOPIC_EXCEPTION",),
    ),
    "throttled": ("THROTTLING_QUOTA_EXCEEDED", "_QUEUE_FULL"),
    "unavailable": (
        *("_UNKNOWN_TOPIC", "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_PARTITION", "NOT_ENOUGH_REPLICAS"),
        *("LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "_PURGE_QUEUE", "_RESOLVE"),
    ),
}


@dataclass(frozen=True, slots=True)
class KafkaPlace:
    """Where to publish to.

    topic    may hold {entity_type}, so that each entity type has a topic of its own
    options  of librdkafka, as security.protocol, sasl.username and sasl.password
    """

    bootstrap_servers: str
    topic: str = "mdm.{entity_type}"
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 10


class KafkaSink:
    """Publishes to Kafka; used by one thread at a time."""

    def __init__(self, place: KafkaPlace) -> None:
        """Make it; nothing is connected before the first message. Raises Unavailable without the extra `kafka`."""
        try:
            import confluent_kafka
        except ImportError as error:
            raise extra_missing("kafka", "Kafka") from error
        self._kafka = confluent_kafka
        self._place = place
        self._producer: Producer | None = None
        self._is_reached = False
        self._denied: KafkaError | None = None
        self._kinds = {
            getattr(confluent_kafka.KafkaError, name): kind for kind, names in _KINDS.items() for name in names
        }

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Publish messages and wait for their delivery reports."""
        return in_turns(messages, self._send_turn)

    def close(self) -> None:
        """Let go of the producer."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
        self._producer, self._is_reached = None, False

    def _send_turn(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        producer = self._producer = self._producer or self._kafka.Producer(self._configuration())
        if not self._is_reached and (unreached := self._reach(producer, messages[0])) is not None:
            return [unreached] * len(messages)
        self._is_reached = True
        reports: dict[str, Outcome] = {}
        for message in messages:
            self._produce(producer, message, reports)
        producer.flush(self._place.timeout_s + _LATE_S)
        if len(reports) < len(messages):
            # Nothing may be sent after its failure was told.
            producer.purge()
            producer.flush(0)
        outcomes = [reports.get(message.id, failure("unclear", "no delivery report in time")) for message in messages]
        if any(isinstance(outcome, Failure) for outcome in outcomes):
            self._is_reached = False
        return outcomes

    def _configuration(self) -> dict[str, Any]:
        return {
            "client.id": "mdm-hub",
            "logger": logging.getLogger(__name__),
            **self._place.options,
            "bootstrap.servers": self._place.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.timeout.ms": round(self._place.timeout_s * 1_000),
            "error_cb": self._note_error,
        }

    def _reach(self, producer: "Producer", message: Message) -> Failure | None:
        """Ask for the topic first: what fails here was surely not sent, which a time-out of a delivery cannot say."""
        topic = self._topic(message)
        try:
            described = producer.list_topics(topic, timeout=self._place.timeout_s)
        except self._kafka.KafkaException as error:
            producer.poll(0)
            return self._lost("unavailable", error.args[0])
        found = described.topics[topic].error
        return self._lost("not_allowed", found) if found and self._kinds.get(found.code()) == "not_allowed" else None

    def _lost(self, kind: FailureKind, error: "KafkaError") -> Failure:
        """Fail, and begin the next send with a new producer."""
        denied, self._producer, self._denied = self._denied, None, None
        return failure("not_allowed", denied.str()) if denied else failure(kind, error.str())

    def _produce(self, producer: "Producer", message: Message, reports: dict[str, Outcome]) -> None:
        try:
            producer.produce(
                self._topic(message),
                message.body,
                message.subject,
                headers={"id": message.id, "content-type": "application/cloudevents+json"},
                on_delivery=self._reporter(message, reports),
            )
        except self._kafka.KafkaException as error:
            reports[message.id] = self._failure_of(error.args[0])
        except BufferError as error:
            reports[message.id] = failure("throttled", error)

    def _topic(self, message: Message) -> str:
        return self._place.topic.replace("{entity_type}", message.entity_type)

    def _reporter(self, message: Message, reports: dict[str, Outcome]) -> Callable[[Any, Any], None]:
        def report(error: "KafkaError | None", told: Any) -> None:
            stored = f"{told.topic()}/{told.partition()}/{told.offset()}"
            reports[message.id] = self._failure_of(error) if error else Receipt(message.id, stored)

        return report

    def _failure_of(self, error: "KafkaError") -> Failure:
        if error.fatal():
            # An idempotent producer that lost its place is of no use any more.
            self._producer = None
        return failure(self._kinds.get(error.code(), "unclear"), error.str())

    def _note_error(self, error: "KafkaError") -> None:
        if self._kinds.get(error.code()) == "not_allowed":
            self._denied = error
