"""The table of failures: whose fault it was, when the lane is tried again, and when the target is let rest."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from mdm.connectors.model import Failure, FailureKind
from mdm.delivery.retry import RULES, WAITS_S, next_attempt, rest_until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wait(kind: FailureKind, attempts: int = 0, *, chance: float = 0.5, retry_after_s: float | None = None) -> float:
    failure = Failure(kind, "x", retry_after_s)
    due = next_attempt(failure, attempts=attempts, now=NOW, chance=chance)
    return -1 if due is None else (due - NOW).total_seconds()


def test_every_kind_of_failure_has_a_rule() -> None:
    assert set(RULES) == set(get_args(FailureKind))


def test_the_waits_grow_and_end_in_a_parked_lane() -> None:
    assert [wait("unavailable", attempts) for attempts in range(len(WAITS_S) + 1)] == [*WAITS_S, -1]


def test_jitter_is_a_fifth_both_ways() -> None:
    assert [wait("unclear", chance=chance) for chance in (0, 1)] == [4, 6]


@pytest.mark.parametrize("kind", ["refused", "ambiguous"])
def test_what_will_never_be_taken_is_not_tried_again(kind: FailureKind) -> None:
    assert wait(kind) == -1


def test_a_target_may_ask_for_a_wait_of_a_day_at_most_and_throttling_uses_up_no_attempt() -> None:
    assert wait("throttled", 100, retry_after_s=7) == 7
    assert wait("throttled", retry_after_s=10**9) == 86_400
    assert wait("unavailable", 1, retry_after_s=7) == 300  # what it asks for is less than we wait by ourselves


def test_a_target_is_let_rest_after_five_failures_in_a_row_and_longer_each_time() -> None:
    failure = Failure("unavailable", "x")
    rests = [rest_until(failure, failures=count, now=NOW) for count in range(1, 14)]

    assert rests[:4] == [None] * 4
    assert [(one - NOW).total_seconds() for one in rests[4:] if one] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert rest_until(Failure("refused", "x"), failures=50, now=NOW) is None
