"""Servers of brokers are judged before a sink is asked: the corpus of webhooks' addresses reaches none of them."""

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from mdm.connectors.guarded import GuardedSink, Server
from mdm.connectors.model import Failure, Message, Receipt

NEWS = Message("m1", "golden_record.changed", "customer", "cus_1", b"{}")
HOME = (ip_network("127.0.0.0/8"),)


class Taken:
    """A place that takes every message and says how many it was given."""

    def __init__(self) -> None:
        self.count = 0

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt | Failure]:
        self.count += len(messages)
        return [Receipt(one.id) for one in messages]

    def close(self) -> None:
        """Do nothing."""


def tell(server: Server, *answers: str, allowed: Sequence[object] = ()) -> tuple[int, Receipt | Failure]:
    """Send one message to a server whose name has these addresses; say how many arrived, and what was answered."""
    taken = Taken()
    sink = GuardedSink(taken, [server], allowed, lambda _host, _port: answers)  # type: ignore[arg-type]
    (outcome,) = sink.send([NEWS])
    return taken.count, outcome


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1", "64:ff9b::7f00:1", "224.0.0.1", "nonsense"],
)
def test_what_is_not_public_is_called_only_where_it_is_allowed(address: str) -> None:
    arrived, outcome = tell(Server("broker", 4222, is_plain=False), address)

    assert arrived == 0
    assert isinstance(outcome, Failure)
    assert outcome.kind == "not_allowed"


def test_one_address_of_several_that_may_not_be_called_bars_the_name() -> None:
    assert tell(Server("broker", 4222, is_plain=False), "8.8.8.8", "10.0.0.8")[0] == 0


def test_a_public_server_is_called_with_tls_only() -> None:
    assert tell(Server("broker", 4222, is_plain=False), "8.8.8.8")[0] == 1
    assert tell(Server("broker", 4222, is_plain=True), "8.8.8.8")[0] == 0


def test_an_allowed_network_is_called_without_tls_too() -> None:
    assert tell(Server("broker", 4222, is_plain=True), "127.0.0.1", allowed=HOME)[0] == 1


def test_a_name_without_an_address_is_tried_again_later() -> None:
    _, outcome = tell(Server("broker", 4222, is_plain=False))

    assert isinstance(outcome, Failure)
    assert outcome.kind == "unavailable"


def test_each_message_is_counted_as_a_call() -> None:
    counted: list[int] = []
    sink = GuardedSink(
        Taken(), [Server("broker", 4222, is_plain=False)], [], lambda _host, _port: ("8.8.8.8",), counted.append
    )
    sink.send([NEWS, NEWS])
    sink.send([NEWS])

    assert counted == [2, 1]
