"""A RabbitMQ sink: a message is done when the broker has confirmed that its queues have it.

Messages are persistent and go to a topic exchange under `ENTITY_TYPE.KIND`, as in customer.golden_record.changed, with
`message_id` as what tells a repeat: the broker itself stores it again. One that no queue is bound for is given back by
the broker and counts as not sent. Exchange and queues are made by whoever runs the server.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from ssl import create_default_context
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from mdm.connectors.extras import extra_missing
from mdm.connectors.loop import LoopThread
from mdm.connectors.model import Failure, Message, Receipt
from mdm.connectors.turns import Outcome, failure, in_turns

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

CLOSING_S: Final = 5  # chosen: a broker that does not say goodbye is left


@dataclass(frozen=True, slots=True)
class RabbitPlace:
    """Where to publish to: an address as amqp://host:5672/vhost or amqps://, a topic exchange, and as whom.

    ca_path  certificates of whoever signed the server's; empty trusts what the system trusts
    """

    url: str
    exchange: str = "mdm"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_path: str = ""
    timeout_s: float = 10

    @property
    def address(self) -> str:
        """Return the address with user and password, as the client wants it."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{quote(self.user, '')}:{quote(self.password, '')}@{rest}" if self.user else self.url


class RabbitSink:
    """Publishes with confirms; used by one thread at a time. A lost connection is made anew at the next send."""

    def __init__(self, place: RabbitPlace) -> None:
        """Make it; nothing is connected before the first message. Raises Unavailable without the extra `rabbitmq`."""
        try:
            import aio_pika
            from aiormq import exceptions
        except ImportError as error:
            raise extra_missing("rabbitmq", "RabbitMQ") from error
        self._aio_pika = aio_pika
        self._errors = exceptions
        self._place = place
        self._loop = LoopThread("rabbitmq")
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Publish messages and wait for their confirms."""
        return in_turns(messages, lambda turn: self._loop.run(self._send_turn(turn)))

    def close(self) -> None:
        """Close the connection."""
        self._loop.run(self._disconnect())
        self._loop.close()

    async def _send_turn(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        exchange = self._exchange
        if exchange is None or self._channel is None or self._channel.is_closed:
            await self._disconnect()
            found = await self._connect()
            if isinstance(found, Failure):
                return [found] * len(messages)
            self._exchange = exchange = found
        outcomes = await asyncio.gather(*(self._publish(exchange, message) for message in messages))
        if any(isinstance(outcome, Failure) and outcome.kind == "unclear" for outcome in outcomes):
            # A channel that may still hold what was given up is not used again.
            await self._disconnect()
        return outcomes

    async def _connect(self) -> "AbstractExchange | Failure":
        errors = self._errors
        try:
            async with asyncio.timeout(self._place.timeout_s):
                # The robust connection of the library is not taken: it would send late what was already given up.
                self._connection = await self._aio_pika.connect(
                    self._place.address,
                    ssl_context=create_default_context(cafile=self._place.ca_path) if self._place.ca_path else None,
                )
                self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                return await self._channel.get_exchange(self._place.exchange)
        except (errors.AuthenticationError, errors.ProbableAuthenticationError) as error:
            return failure("not_allowed", error)
        except (errors.ConnectionNotAllowed, errors.ChannelAccessRefused) as error:
            return failure("not_allowed", error)
        except (OSError, TimeoutError, errors.AMQPError) as error:
            return failure("unavailable", str(error) or "no answer in time")

    async def _publish(self, exchange: "AbstractExchange", message: Message) -> Outcome:
        errors = self._errors
        letter = self._aio_pika.Message(
            message.body,
            message_id=message.id,
            type=message.kind,
            content_type="application/cloudevents+json",
            delivery_mode=self._aio_pika.DeliveryMode.PERSISTENT,
            headers={"subject": message.subject},
        )
        key = f"{message.entity_type}.{message.kind}"
        try:
            await exchange.publish(letter, key, mandatory=True, timeout=self._place.timeout_s)
            return Receipt(message.id)
        except errors.PublishError:
            return failure("unavailable", f"no queue is bound to {self._place.exchange} for {key}")
        except errors.DeliveryError:
            return failure("throttled", "a queue did not take it: it is full, or its node failed")
        except errors.ChannelAccessRefused as error:
            return failure("not_allowed", error)
        except (OSError, TimeoutError, RuntimeError, errors.AMQPError) as error:
            return failure("unclear", str(error) or "no confirm in time")

    async def _disconnect(self) -> None:
        """Let go of the connection, also one that no longer answers."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(CLOSING_S):
                await connection.close()
        except (OSError, TimeoutError, self._errors.AMQPError):
            pass
