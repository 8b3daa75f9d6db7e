"""How a target does, in words with a sign of its own, and what may be done to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from api.console.views.targets import (
    AFTER_BACKFILL,
    FAILURES,
    KINDS,
    OUTCOMES,
    RECORD_STATES,
    acts_of,
    duration,
    health_of,
)
from api.console.views.words import words
from mdm.connectors.model import FailureKind
from mdm.delivery.model import OutcomeKind, RemoteState, Stance, Standing, StandingState, TargetKind
from mdm.delivery.orders_model import Depth, TargetLine

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
STANDING = Standing("erp", "running", "", NOW, "test")
LINE = TargetLine("erp", "ERP", "records", ("customer",), {}, STANDING, Depth())


def with_standing(**changed: object) -> TargetLine:
    return replace(LINE, standing=replace(STANDING, **changed))  # type: ignore[arg-type]


def test_there_are_words_for_whatever_a_target_may_say() -> None:
    assert set(KINDS) == set(get_args(TargetKind))
    assert set(FAILURES) == set(get_args(FailureKind))
    assert set(OUTCOMES) == set(get_args(OutcomeKind))
    assert set(RECORD_STATES) == set(get_args(RemoteState))


def test_every_health_has_a_sign_of_its_own() -> None:
    states: tuple[StandingState, ...] = ("backfill", "running", "draining", "paused", "stopped", "disabled")
    lines = [
        *(with_standing(state=state) for state in states),
        with_standing(failures=3),
        with_standing(failures=7, opens_at=NOW + timedelta(minutes=4)),
        replace(LINE, oldest_s=301.0),
        replace(LINE, told_again_at=NOW + timedelta(hours=8)),
        replace(LINE, standing=None, kind="file"),
    ]

    found = [health_of(line, NOW) for line in lines]

    assert len({health.sign for health in found}) == len({health.words for health in found}) == len(lines)
    assert [health.tone for health in found[:2]] == ["accent", "pos"]


def test_parked_lanes_alone_make_no_target_late() -> None:
    assert health_of(replace(LINE, depth=Depth(dead=3)), NOW).sign == "going"
    assert health_of(replace(LINE, oldest_s=299.0), NOW).sign == "going"


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("running", ["pause", "drain"]),
        ("paused", ["resume", "drain"]),
        ("draining", ["pause", "resume"]),
        ("stopped", ["resume"]),
        ("disabled", ["resume"]),
        ("backfill", ["pause", "drain"]),
    ],
)
def test_only_what_makes_sense_is_offered(state: StandingState, names: list[str]) -> None:
    assert [act.name for act in acts_of(with_standing(state=state))] == names
    assert acts_of(replace(LINE, standing=None)) == ()


def test_a_target_that_is_paused_once_it_is_matched_can_be_let_run() -> None:
    assert [act.name for act in acts_of(with_standing(state="backfill", after=Stance("paused", "audit")))] == ["resume"]
    assert set(AFTER_BACKFILL) == set(get_args(StandingState)) - {"backfill", "running"}


def test_failures_are_told_before_hours_and_hours_that_began_no_more() -> None:
    assert health_of(replace(with_standing(failures=3), told_again_at=NOW + timedelta(hours=8)), NOW).sign == "silent"
    assert health_of(replace(LINE, told_again_at=NOW), NOW).sign == "going"


def test_a_target_that_rests_can_be_asked_at_once() -> None:
    assert [act.name for act in acts_of(with_standing(failures=5))] == ["pause", "drain", "resume"]


def test_a_duration_is_told_in_few_letters() -> None:
    english = words("en")
    assert [duration(seconds, english, NOW) for seconds in (4.2, 61, 7_300)] == ["4 s", "1 min", "2 h"]
