"""The clock of a fake: the real one, or one that stands still until a test moves it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from mdm import clock

MIDNIGHT: Final = datetime(2026, 11, 1, tzinfo=UTC)  # chosen: where a clock that is moved by hand begins


class Clock(Protocol):
    """Whatever tells a fake the time."""

    def now(self) -> datetime:
        """Return the present instant, UTC."""


class RealClock:
    """The clock of this process."""

    def now(self) -> datetime:
        """Return the present instant, UTC."""
        return clock.now()


class VirtualClock:
    """A clock that stands still until it is moved; several fakes may share it."""

    def __init__(self, start: datetime = MIDNIGHT) -> None:
        self._lock = threading.Lock()
        self._now = start

    def now(self) -> datetime:
        """Return the instant to which the clock was moved."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds."""
        assert seconds >= 0, "time does not run backwards here"
        with self._lock:
            self._now += timedelta(seconds=seconds)
