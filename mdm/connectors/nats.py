"""A NATS JetStream sink: a message is done when the stream has acknowledged it.

`Nats-Msg-Id` is the message's id, so that a stream stores a repeat only once within its duplicate window. A subject is
`PREFIX.ENTITY_TYPE.KIND.SUBJECT`, as in mdm.customer.golden_record.changed.cus_…: consumers filter on any part, and a
stream with `max_msgs_per_subject` 1 keeps the newest. The stream itself is made by whoever runs the server.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ssl import create_default_context
from typing import TYPE_CHECKING, Any, Final

from mdm.connectors.extras import extra_missing
from mdm.connectors.loop import LoopThread
from mdm.connectors.model import Failure, FailureKind, Message, Receipt
from mdm.connectors.turns import Outcome, failure, in_turns

if TYPE_CHECKING:
    from nats.aio.client import Client

CLOSING_S: Final = 1  # chosen: a connection that does not end is left

# Error codes of JetStream (its server's errors.json) that speak of the message or of the rights, not of the server.
_KIND_BY_CODE: Final[dict[int, FailureKind]] = {
    10054: "refused",  # message size exceeds maximum allowed
    10060: "not_allowed",  # expected stream does not match: so will every other message
    10071: "refused",  # wrong last sequence
    10047: "throttled",  # insufficient storage
    10077: "throttled",  # the stream is full and discards what is new
}


@dataclass(frozen=True, slots=True)
class NatsPlace:
    """Where to publish to, and as whom.

    servers           as nats://host:4222 or tls://host:4222, tried in random order
    stream            refuse to publish into any other; empty takes the one that the subject belongs to
    credentials_path  a .creds file with JWT and key
    ca_path           certificates of whoever signed the server's; empty trusts what the system trusts
    timeout_s         for a connection, and for the acknowledgements of a turn
    """

    servers: tuple[str, ...]
    subject_prefix: str = "mdm"
    stream: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    credentials_path: str = ""
    ca_path: str = ""
    timeout_s: float = 10


class NatsSink:
    """Publishes to JetStream; used by one thread at a time. A lost connection is made anew at the next send."""

    def __init__(self, place: NatsPlace) -> None:
        """Make it; nothing is connected before the first message. Raises Unavailable without the extra `nats`."""
        try:
            from nats import errors
            from nats.aio.client import Client
            from nats.js import errors as stream_errors
        except ImportError as error:
            raise extra_missing("nats", "NATS") from error
        self._new_client = Client
        self._errors, self._stream_errors = errors, stream_errors
        self._place = place
        self._loop = LoopThread("nats")
        self._client: Client | None = None
        # What ends the wait for an acknowledgement: by subject in small letters, as the client reports violations.
        self._waiting: dict[str, asyncio.Future[Failure]] = {}

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Publish messages and wait for their acknowledgements."""
        return in_turns(messages, lambda turn: self._loop.run(self._send_turn(turn)))

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._loop.run(self._leave(self._client))
        self._client = None
        self._loop.close()

    async def _send_turn(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        if self._client is None or not self._client.is_connected:
            connected = await self._connect()
            if isinstance(connected, Failure):
                return [connected] * len(messages)
            self._client = connected
        return await asyncio.gather(*(self._publish(self._client, message) for message in messages))

    async def _connect(self) -> "Client | Failure":
        """Connect to one of the servers; the client's own reconnecting would send late what was already given up."""
        found = failure("unavailable", "no server is named")
        for server in random.sample(self._place.servers, len(self._place.servers)):
            client = self._new_client()
            try:
                async with asyncio.timeout(self._place.timeout_s):
                    await client.connect(
                        servers=[server],
                        allow_reconnect=False,
                        connect_timeout=max(1, round(self._place.timeout_s)),
                        error_cb=self._note_error,
                        closed_cb=self._note_end,
                        **self._credentials(),
                    )
                return client
            except (OSError, TimeoutError, self._errors.Error) as error:
                is_refused = "authorization" in str(error).lower() or "authentication" in str(error).lower()
                found = failure("not_allowed" if is_refused else "unavailable", str(error) or "no answer in time")
                await self._leave(client)
        return found

    async def _leave(self, client: "Client") -> None:
        """Close a connection; of one whose TLS handshake failed the client waits for the end for ever."""
        with suppress(OSError, TimeoutError, self._errors.Error):
            async with asyncio.timeout(CLOSING_S):
                await client.close()

    def _credentials(self) -> dict[str, Any]:
        given = {
            "user": self._place.user,
            "password": self._place.password,
            "token": self._place.token,
            "user_credentials": self._place.credentials_path,
        }
        found: dict[str, Any] = {name: value for name, value in given.items() if value}
        return found | ({"tls": create_default_context(cafile=self._place.ca_path)} if self._place.ca_path else {})

    async def _publish(self, client: "Client", message: Message) -> Outcome:
        subject = f"{self._place.subject_prefix}.{message.entity_type}.{message.kind}.{message.subject}"
        ended: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        self._waiting[subject.lower()] = ended
        publishing: asyncio.Future[Any] = asyncio.ensure_future(
            client.jetstream().publish(
                subject,
                message.body,
                timeout=self._place.timeout_s,
                stream=self._place.stream or None,
                headers={"Nats-Msg-Id": message.id, "Content-Type": "application/cloudevents+json"},
            )
        )
        try:
            either: set[asyncio.Future[Any]] = {publishing, ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not publishing.done():
                publishing.cancel()
                return await ended
            stored = publishing.result()
            return Receipt(message.id, f"{stored.stream}/{stored.seq}")
        except (OSError, TimeoutError, self._errors.Error) as error:
            return self._failure_of(error)
        finally:
            del self._waiting[subject.lower()]

    def _failure_of(self, error: Exception) -> Failure:
        errors, stream_errors = self._errors, self._stream_errors
        if isinstance(error, stream_errors.APIError):
            server_failed = (error.code or 500) >= 500
            kind = _KIND_BY_CODE.get(error.err_code or 0, "unavailable" if server_failed else "refused")
            return failure(kind, f"{error.err_code} {error.description}")
        if isinstance(error, stream_errors.NoStreamResponseError):
            return failure("unavailable", "no stream takes this subject, or none has a leader now")
        if isinstance(error, errors.MaxPayloadError | errors.BadSubjectError):
            return failure("refused", error)
        return failure("unclear", str(error) or "no acknowledgement in time")

    async def _note_error(self, error: Exception) -> None:
        """Take what the server says of no request in particular; a publish without permission gets no other answer."""
        said = str(error)
        if "permissions violation" not in said.lower():
            return
        for subject, ended in self._waiting.items():
            if "for publish" not in said.lower() or f'"{subject}"' in said.lower():
                _end(ended, failure("not_allowed", said))

    async def _note_end(self) -> None:
        for ended in self._waiting.values():
            _end(ended, failure("unclear", "the connection ended before the acknowledgement came"))


def _end(waiting: asyncio.Future[Failure], with_failure: Failure) -> None:
    if not waiting.done():
        waiting.set_result(with_failure)
