"""Webhooks over real HTTP: verified by the reference library, also in an exchange of secrets, each subject in order."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from ipaddress import ip_network
from threading import Barrier

import orjson
import pytest
import standardwebhooks
from standardwebhooks import WebhookVerificationError

from mdm import clock
from mdm.connectors.envelope import Told, enclose
from mdm.connectors.http import HttpClient
from mdm.connectors.model import Failure, Message, MessageSink, Receipt
from mdm.connectors.signatures import Keys, flaw_of, make_key_pair, make_secret
from mdm.connectors.webhook import BODY_BYTES_MAX, SUBJECTS_MAX, Webhook
from tests.receivers import Attempt, Receiver, receiver

SUBJECTS = 25


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def webhook_to(listener: Receiver, keys: Keys, *, subjects_max: int = SUBJECTS_MAX) -> Webhook:
    return Webhook(listener.url, keys, HttpClient(allowed=[ip_network("127.0.0.0/8")]), subjects_max=subjects_max)


def message(number: int, subject: str = "") -> Message:
    told = Told(
        id=f"evt-{number}",
        kind="golden_record.changed",
        entity_type="customer",
        subject=subject or f"cus_{number % SUBJECTS}",
        sequence=number,
        at=clock.now(),
        version=number,
        changed=("name",),
    )
    return Message(told.id, told.kind, told.entity_type, told.subject, enclose(told, source="urn:mdm:test"))


def deliver(webhook: MessageSink, messages: Sequence[Message]) -> None:
    """Send until all are taken, as the relay does; what failed is sent again."""
    waiting = list(messages)
    for _ in range(len(messages)):
        outcomes = webhook.send(waiting)
        waiting = [each for each, outcome in zip(waiting, outcomes, strict=True) if isinstance(outcome, Failure)]
        if not waiting:
            break
    webhook.close()
    assert waiting == []


def verifies(secret: str, attempt: Attempt) -> bool:
    try:
        read = standardwebhooks.Webhook(secret).verify(attempt.body, dict(attempt.headers))
    except WebhookVerificationError:
        return False
    assert read["id"] == attempt.id
    return True


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.soak)])
def test_the_reference_library_verifies_every_delivery_through_an_exchange_of_secrets(
    listener: Receiver, count: int
) -> None:
    """The sender signs with the old secret, then with both, then with the new one; the receiver changes in between."""
    old, new = make_secret(), make_secret()
    starts, ends = int(count * 0.3), int(count * 0.7)
    came: Counter[int] = Counter()
    verdicts: list[tuple[int, bool, bool]] = []

    def answer(attempt: Attempt) -> int:
        number = int(attempt.id[4:])
        with listener.lock:
            verdicts.append((number, verifies(old, attempt), verifies(new, attempt)))
            came[number] += 1
            return 503 if number % 7 == 0 and came[number] < 3 else 204

    listener.answer = answer
    messages = [message(number) for number in range(count)]
    later, before = clock.now() + timedelta(hours=1), clock.now() - timedelta(hours=1)

    deliver(webhook_to(listener, Keys(old)), messages[:starts])
    deliver(webhook_to(listener, Keys(old).rotated(new, until=later)), messages[starts:ends])
    deliver(webhook_to(listener, Keys(old).rotated(new, until=before)), messages[ends:])

    assert sum(not by_old for number, by_old, _ in verdicts if number < ends) == 0
    assert sum(not by_new for number, _, by_new in verdicts if number >= starts) == 0
    # The exchange is one: who kept the old secret too long, or took the new one too early, is not let in.
    assert sum(by_old for number, by_old, _ in verdicts if number >= ends) == 0
    assert sum(by_new for number, _, by_new in verdicts if number < starts) == 0
    # Every 7th was turned away twice, so it came three times, under the same id.
    assert came == {number: 3 if number % 7 == 0 else 1 for number in range(count)}


def test_a_message_carries_the_envelope_its_signature_and_what_the_receiver_asked_for(listener: Receiver) -> None:
    webhook = Webhook(
        listener.url,
        Keys(make_secret()),
        HttpClient(allowed=[ip_network("127.0.0.0/8")]),
        headers={"Authorization": "Bearer x", "Webhook-Id": "mine", "Content-Type": "text/plain"},
    )
    sent = message(7)

    [outcome] = webhook.send([sent])

    webhook.close()
    [attempt] = listener.attempts
    assert outcome == Receipt("evt-7")
    assert attempt.path == "/hook?tenant=1"
    assert attempt.body == sent.body
    assert {name: value for name, value in attempt.headers.items() if name[:8] != "webhook-"} == {
        "host": listener.url.split("/")[2],
        "user-agent": f"mdm-hub/{version('mdm-hub')}",
        "accept-encoding": "identity",
        "authorization": "Bearer x",
        "content-type": "application/cloudevents+json",
        "content-length": str(len(sent.body)),
    }
    assert attempt.id == "evt-7"
    assert abs(int(attempt.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert orjson.loads(attempt.body)["subject"] == "cus_7"


def test_a_webhook_may_sign_asymmetrically_beside_a_shared_secret(listener: Receiver) -> None:
    secret = make_secret()
    private, public = make_key_pair()

    deliver(webhook_to(listener, Keys(private, secret, clock.now() + timedelta(hours=1))), [message(1)])

    [attempt] = listener.attempts
    assert verifies(secret, attempt)
    assert flaw_of(attempt.headers, attempt.body, [public], at=clock.now()) == ""


def test_messages_of_one_subject_come_in_order_and_others_beside_them(listener: Receiver) -> None:
    together = Barrier(4)

    def answer(attempt: Attempt) -> int:
        if attempt.id in {"evt-0", "evt-1", "evt-2", "evt-3"}:  # of four subjects: each waits for the other three
            together.wait(30)
        return 204

    listener.answer = answer
    messages = [message(number, f"cus_{number % 4}") for number in range(40)]

    deliver(webhook_to(listener, Keys(make_secret()), subjects_max=4), messages)

    order = defaultdict(list)
    for attempt in listener.attempts:
        order[orjson.loads(attempt.body)["subject"]].append(int(attempt.id[4:]))
    assert order == {f"cus_{place}": list(range(place, 40, 4)) for place in range(4)}
    assert listener.at_once_max == 4


def test_after_a_failure_the_later_messages_of_the_subject_are_not_sent(listener: Receiver) -> None:
    listener.answer = lambda attempt: 422 if attempt.id == "evt-2" else 204
    messages = [message(1, "cus_a"), message(2, "cus_a"), message(3, "cus_b"), message(4, "cus_a"), message(5, "cus_b")]
    webhook = webhook_to(listener, Keys(make_secret()))

    outcomes = webhook.send(messages)

    webhook.close()
    refused = Failure("refused", "422 Unprocessable Entity")
    assert [type(outcome) for outcome in outcomes] == [Receipt, Failure, Receipt, Failure, Receipt]
    assert outcomes[1] == outcomes[3]
    assert isinstance(outcomes[1], Failure)
    assert (outcomes[1].kind, outcomes[1].reason[:4]) == (refused.kind, "422 ")
    assert sorted(attempt.id for attempt in listener.attempts) == ["evt-1", "evt-2", "evt-3", "evt-5"]


@pytest.mark.parametrize(("status", "kind"), [(429, "throttled"), (401, "not_allowed"), (302, "moved"), (410, "gone")])
def test_what_concerns_the_whole_target_ends_the_call(listener: Receiver, status: int, kind: str) -> None:
    listener.answer = lambda _: (status, {"Retry-After": "30"})
    webhook = webhook_to(listener, Keys(make_secret()), subjects_max=2)

    outcomes = webhook.send([message(number) for number in range(20)])

    webhook.close()
    assert {outcome.kind for outcome in outcomes if isinstance(outcome, Failure)} == {kind}
    assert len(outcomes) == 20
    assert {outcome.retry_after_s for outcome in outcomes if isinstance(outcome, Failure)} == {30.0}
    assert len(listener.attempts) <= 2  # those that were under way


def test_a_failure_of_one_subject_leaves_the_others_alone(listener: Receiver) -> None:
    listener.answer = lambda attempt: 500 if attempt.id == "evt-3" else 204
    webhook = webhook_to(listener, Keys(make_secret()))

    outcomes = webhook.send([message(number) for number in range(20)])

    webhook.close()
    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Failure)] == [3]
    assert len(listener.attempts) == 20


def test_a_message_past_the_bound_is_refused_unsent_and_one_at_the_bound_is_sent(listener: Receiver) -> None:
    webhook = webhook_to(listener, Keys(make_secret()))
    large = Message("evt-1", "golden_record.changed", "customer", "cus_a", b"x" * (BODY_BYTES_MAX + 1))
    fitting = Message("evt-2", "golden_record.changed", "customer", "cus_b", b"x" * BODY_BYTES_MAX)

    outcomes = webhook.send([large, fitting])

    webhook.close()
    assert outcomes == [
        Failure("refused", "the message has 20,001 bytes; a webhook carries at most 20,000"),
        Receipt("evt-2"),
    ]
    assert [attempt.id for attempt in listener.attempts] == ["evt-2"]


def test_nothing_to_send_is_nothing_sent(listener: Receiver) -> None:
    webhook = webhook_to(listener, Keys(make_secret()))

    assert webhook.send([]) == []

    webhook.close()
    assert listener.attempts == []
