"""The order that every sink keeps: messages of one subject one after the other, those of different subjects together.

A turn holds the next message of every subject that has not failed, so that a message is only sent once the one before
it was confirmed. Brokers confirm turns as a whole as fast as single messages; a subject rarely has more than one.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from mdm.connectors.model import REASON_LENGTH_MAX, Failure, FailureKind, Message, Receipt

TURN_MAX: Final = 500  # chosen: messages that wait for a confirmation at once, some 10 MB of the largest envelopes

Outcome = Receipt | Failure


def in_turns(messages: Sequence[Message], send: Callable[[Sequence[Message]], Sequence[Outcome]]) -> list[Outcome]:
    """Send messages by turns and say what became of each; what follows a failure in its subject fails like it.

    send  sends messages of different subjects and says what became of each, in their order
    """
    outcomes: dict[int, Outcome] = {}
    waiting: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, message in enumerate(messages):
        waiting[message.subject].append(place)
    while waiting:
        turn = [places[0] for places in islice(waiting.values(), TURN_MAX)]
        for place, outcome in zip(turn, send([messages[place] for place in turn]), strict=True):
            # A subject that had its turn queues up behind the others.
            left = waiting.pop(messages[place].subject)
            outcomes[left.popleft()] = outcome
            if isinstance(outcome, Failure):
                outcomes.update(dict.fromkeys(left, outcome))
            elif left:
                waiting[messages[place].subject] = left
    return [outcomes[place] for place in range(len(messages))]


def failure(kind: FailureKind, reason: object) -> Failure:
    """Say why in one line that is not too long: brokers name subjects and rules, never what a message says."""
    return Failure(kind, " ".join(str(reason).split())[:REASON_LENGTH_MAX])
