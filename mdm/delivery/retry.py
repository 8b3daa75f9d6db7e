"""When a failed delivery is tried again, whose fault it was, and when a target as a whole is let rest.

One table by kind of failure. The waits are those that receivers of webhooks know (5 s to 10 h, about a day and a
quarter in all), with jitter, so that many lanes do not come back at once. What never will be taken is not tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from mdm.connectors.model import Failure, FailureKind

# lane    only this golden record fails: the others go on
# target  the target as a whole did not answer: it is let rest
Fault = Literal["lane", "target"]
# wait, and try again · park the lane · stop the target until a person looks · disable it
Consequence = Literal["wait", "park", "stop", "disable"]

WAITS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Seconds before each attempt after the first, as Svix publishes them."""
JITTER: Final = 0.2  # share of a wait, both ways (chosen)
OPENS_AFTER: Final = 5  # failures in a row of the target as a whole before it is let rest (chosen)
REST_S_FIRST: Final = 5.0
REST_S_MAX: Final = 300.0  # chosen: a target that is back is noticed within five minutes
RETRY_AFTER_S_MAX: Final = 24 * 3_600.0  # a target may not ask for more than a day


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from one kind of failure.

    counts  whether it uses up one of the lane's attempts
    """

    fault: Fault
    consequence: Consequence
    counts: bool


# Answers after which the thing may have been done all the same.
LEAVES_DOUBT: Final[frozenset[FailureKind]] = frozenset({"unavailable", "unclear"})

RULES: Final[Mapping[FailureKind, Rule]] = {
    "throttled": Rule("target", "wait", counts=False),
    "unavailable": Rule("target", "wait", counts=True),
    "unclear": Rule("target", "wait", counts=True),
    "refused": Rule("lane", "park", counts=True),
    "unsupported": Rule("lane", "park", counts=True),
    "ambiguous": Rule("lane", "park", counts=True),
    "taken": Rule("lane", "wait", counts=True),
    "not_allowed": Rule("target", "stop", counts=False),
    "moved": Rule("target", "stop", counts=False),
    "gone": Rule("target", "disable", counts=False),
}


def next_attempt(failure: Failure, *, attempts: int, now: datetime, chance: float) -> datetime | None:
    """Say when a lane is tried again, or None when it is parked.

    attempts  failed ones in a row, this one not counted
    chance    between 0 and 1: where within the jitter
    """
    rule = RULES[failure.kind]
    if rule.consequence == "park" or (rule.counts and attempts >= len(WAITS_S)):
        return None
    wait_s = (WAITS_S[attempts] if rule.counts else WAITS_S[0]) * (1 + JITTER * (2 * chance - 1))
    if failure.retry_after_s is not None:
        wait_s = max(min(failure.retry_after_s, RETRY_AFTER_S_MAX), wait_s if rule.counts else 0.0)
    return now + timedelta(seconds=wait_s)


def rest_until(failure: Failure, *, failures: int, now: datetime) -> datetime | None:
    """Say until when a target as a whole is let rest; None: it is not.

    failures  calls in a row that it did not answer, this one counted
    """
    if RULES[failure.kind].fault == "lane":
        return None
    if failure.kind == "throttled":
        wait_s = REST_S_FIRST if failure.retry_after_s is None else min(failure.retry_after_s, RETRY_AFTER_S_MAX)
        return now + timedelta(seconds=wait_s)
    if failures < OPENS_AFTER:
        return None
    return now + timedelta(seconds=min(REST_S_MAX, REST_S_FIRST * 2 ** (failures - OPENS_AFTER)))
