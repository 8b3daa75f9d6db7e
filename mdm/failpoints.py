"""Named points of the path where a test can make the real process fail.

`failpoint("ingest.stored")` costs one truth test while nothing is armed. A test arms points in its own process with
`armed(...)` or, for a process it will kill, through the setting `failpoints`, a list such as
`ingest.stored=kill:3,publish.queued=delay:50`: an action, and for `kill` and `raise` the hit at which it strikes.
Actions: `kill` (SIGKILL to itself), `raise` (FailpointHit), `delay` (milliseconds), `call` (a function, `armed` only,
used for barriers between threads).
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

POINTS: Final = frozenset(
    {
        "ingest.locked",
        "ingest.stored",
        "block.keyed",
        "compare.searched",
        "decide.stored",
        "decision.stored",
        "cluster.planned",
        "merge.locked",
        "merge.applied",
        "operation.begun",
        "operation.locked",
        "survive.stored",
        "publish.queued",
        "publish.reviews",
        "publish.written",
        "publish.acknowledged",
        "delivery.leased",
        "delivery.intended",
        "delivery.sent",
        "delivery.bound",
        "delivery.settled",
        "deal.taken_up",
        "deal.step_done",
        "deal.taken_back",
        "reservation.stored",
        "reservation.ended",
        "transaction.committing",
        "transaction.committed",
    }
)

_DIGITS_MAX: Final = 9  # chosen: delays of eleven days, more hits than any test makes


class FailpointHit(Exception):
    """An armed failpoint raised, as the test wanted."""


_armed: dict[str, Callable[[], None]] = {}
_hits: Counter[str] = Counter()
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Stand at a named point; do nothing unless a test armed it."""
    if not _armed:
        return
    action = _armed.get(name)
    if action is not None:
        with _lock:
            _hits[name] += 1
        action()


@contextmanager
def armed(actions: Mapping[str, Callable[[], None]]) -> Iterator[None]:
    """Arm points with functions for the length of a `with` block; unknown names are a bug of the test."""
    assert not actions.keys() - POINTS, f"unknown failpoints {sorted(actions.keys() - POINTS)}"
    _armed.update(actions)
    try:
        yield
    finally:
        for name in actions:
            _armed.pop(name, None)


def arm_from_text(text: str) -> None:
    """Arm the points of a setting such as `ingest.stored=kill:3`; raises ValueError that names the faulty part."""
    actions = read_actions(text)
    _armed.update(actions)
    for name in actions:
        _hits[name] = 0


def read_actions(text: str) -> dict[str, Callable[[], None]]:
    """Read what a setting wants done at which point, arming none; raises ValueError that names the faulty part."""
    actions: dict[str, Callable[[], None]] = {}
    for part in filter(None, text.split(",")):
        name, _, action = part.partition("=")
        verb, _, number = action.partition(":")
        is_number = number.isdecimal() and len(number) <= _DIGITS_MAX
        if name not in POINTS or verb not in {"kill", "raise", "delay"} or (number and not is_number):
            known = ", ".join(sorted(POINTS))
            message = f"failpoint {part[:60]!r}: write NAME=kill|raise|delay[:NUMBER] with a name of {known}"
            raise ValueError(message)
        actions[name] = partial(_ACTIONS[verb], name, int(number or 1))
    return actions


def hits() -> Mapping[str, int]:
    """Return how often each armed point was passed, for reports of points that were never hit."""
    return dict(_hits)


def _kill(name: str, at_hit: int) -> None:
    if _hits[name] >= at_hit:
        os.kill(os.getpid(), signal.SIGKILL)


def _raise(name: str, at_hit: int) -> None:
    if _hits[name] == at_hit:
        raise FailpointHit(name)


def _delay(_name: str, milliseconds: int) -> None:
    time.sleep(milliseconds / 1000)


_ACTIONS: Final[Mapping[str, Callable[[str, int], None]]] = {"kill": _kill, "raise": _raise, "delay": _delay}
