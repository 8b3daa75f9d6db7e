"""A webhook: messages sent to an address over HTTP, each signed (Standard Webhooks 1.0), each a CloudEvents envelope.

Any answer of success means that the message was taken; its body is not read further. The id of a message stays the same
for every attempt, time and signature are those of the attempt. Messages of one subject go one after another, those of
different subjects side by side.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from mdm import clock
from mdm.connectors.http import HttpClient, failure_of
from mdm.connectors.model import CallFailed, Failure, FailureKind, Message, Receipt
from mdm.connectors.signatures import Keys, sign

BODY_BYTES_MAX: Final = 20_000  # Standard Webhooks 1.0, "Payload size"
SUBJECTS_MAX: Final = 8  # chosen: requests under way at one receiver
CONTENT_TYPE: Final = "application/cloudevents+json"
# After these nothing else is sent in the same call: whatever is asked next would fail the same way.
_OF_THE_WHOLE_TARGET: Final[frozenset[FailureKind]] = frozenset({"throttled", "not_allowed", "moved", "gone"})


class Webhook:
    """One address that messages are sent to; implements MessageSink."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        client: HttpClient,
        *,
        headers: Mapping[str, str] | None = None,
        subjects_max: int = SUBJECTS_MAX,
    ) -> None:
        """Send nothing yet.

        client        closed with the webhook
        headers       what the receiver asks for beside the signature; they replace none of our own
        subjects_max  requests under way at a time
        """
        self._url = url
        self._keys = keys
        self._client = client
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._senders = ThreadPoolExecutor(subjects_max, thread_name_prefix="webhook")

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt | Failure]:
        """Send messages, those of one subject in order, and say what became of each, in their order.

        It takes at most the time of one call times the longest queue: subjects divided by those sent side by side.
        """
        places_by_subject: defaultdict[str, list[int]] = defaultdict(list)
        for place, message in enumerate(messages):
            places_by_subject[message.subject].append(place)
        outcomes: dict[int, Receipt | Failure] = {}
        stopped = _Stop()

        def send_subject(places: Sequence[int]) -> None:
            failure: Failure | None = None
            for place in places:
                failure = failure or stopped.failure
                outcome = failure or self._send(messages[place])
                if isinstance(outcome, Failure):
                    failure = outcome
                    stopped.note(outcome)
                outcomes[place] = outcome

        list(self._senders.map(send_subject, places_by_subject.values()))
        return [outcomes[place] for place in range(len(messages))]

    def close(self) -> None:
        """Close the connections."""
        self._senders.shutdown()
        self._client.close()

    def _send(self, message: Message) -> Receipt | Failure:
        """Make one attempt."""
        if len(message.body) > BODY_BYTES_MAX:
            return Failure(
                "refused", f"the message has {len(message.body):,} bytes; a webhook carries at most {BODY_BYTES_MAX:,}"
            )
        at = clock.now()
        own = {"content-type": CONTENT_TYPE, **sign(self._keys.at(at), message.id, at, message.body)}
        try:
            answer = self._client.send("POST", self._url, headers={**self._headers, **own}, body=message.body)
        except CallFailed as failed:
            return failed.failure
        if answer.is_success:
            return Receipt(message.id)
        failure = failure_of(answer)
        assert failure is not None  # it is no success
        return failure


class _Stop:
    """Remembers the first failure that concerns the whole target."""

    def __init__(self) -> None:
        self.failure: Failure | None = None

    def note(self, failure: Failure) -> None:
        """Stop at a failure that every other message would meet too."""
        if self.failure is None and failure.kind in _OF_THE_WHOLE_TARGET:
            self.failure = failure
