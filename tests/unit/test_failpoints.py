"""Failpoints cost nothing unarmed, and armed make the real process fail where a test wants it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from mdm import failpoints
from mdm.failpoints import FailpointHit, arm_from_text, armed, failpoint, hits


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    """Leave the points of this process as they were."""
    before = dict(failpoints._armed)
    yield
    failpoints._armed.clear()
    failpoints._armed.update(before)


def test_an_unarmed_point_does_nothing() -> None:
    before = dict(hits())

    failpoint("ingest.stored")

    assert hits() == before


def test_an_armed_point_calls_its_function_for_the_length_of_the_block() -> None:
    calls: list[str] = []

    with armed({"ingest.stored": lambda: calls.append("stored")}):
        failpoint("ingest.stored")
        failpoint("ingest.locked")
    failpoint("ingest.stored")

    assert calls == ["stored"]


def test_a_block_that_fails_disarms_its_points() -> None:
    def broken() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError), armed({"ingest.stored": broken}):
        failpoint("ingest.stored")

    failpoint("ingest.stored")


def test_arming_a_point_that_does_not_exist_is_a_bug_of_the_test() -> None:
    with pytest.raises(AssertionError, match=r"ingest\.sotred"), armed({"ingest.sotred": lambda: None}):
        pass


def test_raise_strikes_once_at_the_hit_that_was_asked_for() -> None:
    arm_from_text("publish.queued=raise:2")

    failpoint("publish.queued")
    with pytest.raises(FailpointHit, match=r"publish\.queued"):
        failpoint("publish.queued")
    failpoint("publish.queued")


def test_hits_count_from_the_moment_a_point_is_armed() -> None:
    arm_from_text("merge.locked=raise:1")
    with pytest.raises(FailpointHit):
        failpoint("merge.locked")

    arm_from_text("merge.locked=raise:1")

    with pytest.raises(FailpointHit):
        failpoint("merge.locked")


def test_delay_waits_for_milliseconds() -> None:
    arm_from_text("decide.stored=delay:30")
    before = time.monotonic()

    failpoint("decide.stored")

    assert time.monotonic() - before >= 0.03


def test_kill_ends_the_process_at_its_hit() -> None:
    script = (
        "from mdm.failpoints import arm_from_text, failpoint\n"
        "arm_from_text('ingest.locked=delay:0,ingest.stored=kill:3')\n"
        "for turn in range(1, 9):\n"
        "    print(turn, flush=True)\n"
        "    failpoint('ingest.stored')\n"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == ["1", "2", "3"]


def test_an_empty_setting_arms_nothing() -> None:
    before = dict(failpoints._armed)

    arm_from_text("")

    assert failpoints._armed == before


@pytest.mark.parametrize(
    "text",
    ["ingest.stored", "ingest.stored=", "ingest.stored=explode", "nowhere=kill", "ingest.stored=kill:x", "=kill"],
)
def test_a_faulty_setting_is_named_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write NAME=kill\|raise\|delay\[:NUMBER\] with a name of .*ingest\.stored"):
        arm_from_text(text)


def test_a_setting_with_one_faulty_part_arms_none_of_it() -> None:
    before = dict(failpoints._armed)

    with pytest.raises(ValueError, match="nowhere"):
        arm_from_text("ingest.stored=kill,nowhere=kill")

    assert failpoints._armed == before
