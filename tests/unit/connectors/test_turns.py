"""A subject's messages go one after the other, and none after a failure."""

from collections.abc import Sequence

from mdm.connectors.model import Failure, Message, Receipt
from mdm.connectors.turns import TURN_MAX, Outcome, failure, in_turns


def told(id_: str) -> Message:
    """Make a message: a1 is the first of subject a."""
    return Message(id_, "golden_record.changed", "customer", id_[0], b"")


def record(turns: list[list[str]], *, failing: str = "") -> "Sending":
    return Sending(turns, failing)


class Sending:
    """Notes the turns and lets one message fail."""

    def __init__(self, turns: list[list[str]], failing: str) -> None:
        self._turns, self._failing = turns, failing

    def __call__(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self._turns.append([message.id for message in messages])
        return [
            Failure("throttled", "full") if message.id == self._failing else Receipt(message.id) for message in messages
        ]


def test_each_turn_holds_one_message_of_every_subject() -> None:
    turns: list[list[str]] = []

    outcomes = in_turns([told(id_) for id_ in ("a1", "a2", "b1", "a3", "c1", "b2")], record(turns))

    assert turns == [["a1", "b1", "c1"], ["a2", "b2"], ["a3"]]
    assert outcomes == [Receipt(id_) for id_ in ("a1", "a2", "b1", "a3", "c1", "b2")]


def test_what_follows_a_failure_is_not_sent_and_fails_in_the_same_way() -> None:
    turns: list[list[str]] = []

    outcomes = in_turns([told(id_) for id_ in ("a1", "a2", "b1", "a3", "b2")], record(turns, failing="a2"))

    full = Failure("throttled", "full")
    assert turns == [["a1", "b1"], ["a2", "b2"]]
    assert outcomes == [Receipt("a1"), full, Receipt("b1"), full, Receipt("b2")]


def test_a_turn_is_bounded_and_the_rest_has_the_next_one() -> None:
    turns: list[list[str]] = []
    messages = [Message(f"{n}", "golden_record.changed", "customer", f"cus_{n}", b"") for n in range(TURN_MAX + 1)]

    in_turns(messages, record(turns))

    assert [len(turn) for turn in turns] == [TURN_MAX, 1]


def test_a_reason_is_one_line_that_ends() -> None:
    assert failure("refused", "too\n  large" + "!" * 600).reason == "too large" + "!" * 491
