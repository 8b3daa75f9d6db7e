"""A fake counts requests in windows of its own clock, and locks itself when keys are guessed."""

from mdm.demo.fakes.clock import VirtualClock
from mdm.demo.fakes.limits import LOCKED_FOR_S, Limits, Rate
from tests.unit.demo.fakes.systems import refusal


def test_one_request_too_many_is_refused_until_the_window_is_over() -> None:
    clock = VirtualClock()
    limits = Limits(clock, Rate(2, window_s=60))
    limits.admit("hub")
    clock.advance(20)
    limits.admit("hub")

    refused = refusal(lambda: limits.admit("hub"))
    limits.admit("anna")

    assert (refused.status, refused.facts) == (429, {"retry_after_s": 40})
    clock.advance(40)
    limits.admit("hub")


def test_some_systems_do_not_say_when_to_come_back() -> None:
    limits = Limits(VirtualClock(), Rate(0, tells_when=False))

    assert refusal(lambda: limits.admit("hub")).facts == {}


def test_five_wrong_keys_in_a_row_lock_everybody_out() -> None:
    clock = VirtualClock()
    limits = Limits(clock)

    statuses = [refusal(lambda: limits.admit("")).status for _ in range(6)]
    locked = refusal(lambda: limits.admit("hub"))

    assert statuses == [401, 401, 401, 401, 401, 403]
    assert (locked.status, locked.code) == (403, "locked_out")
    clock.advance(LOCKED_FOR_S)
    limits.admit("hub")


def test_a_right_key_in_between_begins_the_count_anew() -> None:
    limits = Limits(VirtualClock())
    for _ in range(3):
        for _ in range(4):
            refusal(lambda: limits.admit(""))
        limits.admit("hub")
