"""What one key may ask: requests in a window of time, and how often a wrong key may be tried.

Real systems lock an account whose secret is guessed; a connector that repeats a refused key must be seen to do so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mdm.demo.fakes.clock import Clock
from mdm.demo.fakes.model import Refused

WRONG_KEYS_MAX: Final = 5  # chosen: what most identity providers allow in a row
LOCKED_FOR_S: Final = 900  # chosen, see WRONG_KEYS_MAX


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a window of seconds; some systems say when to come back, some do not."""

    requests_max: int
    window_s: float = 60
    tells_when: bool = True


class Limits:
    """The counters of one fake; `rate` may be set at any time."""

    def __init__(self, clock: Clock, rate: Rate | None = None) -> None:
        self.rate = rate
        self._clock = clock
        self._windows: dict[str, tuple[datetime, int]] = {}
        self._wrong_keys = 0
        self._locked_until: datetime | None = None

    def admit(self, who: str) -> None:
        """Count a request of someone, "" for a wrong key; raise Refused where it is one too many or not allowed."""
        now = self._clock.now()
        if self._locked_until is not None and now < self._locked_until:
            raise Refused(403, "locked_out", "Too many wrong keys; the API is locked.")
        self._locked_until = None
        if not who:
            self._count_wrong_key(now)
            raise Refused(401, "unknown_key", "The API key is not known.")
        self._wrong_keys = 0
        if self.rate is None:
            return
        window = timedelta(seconds=self.rate.window_s)
        began, count = self._windows.get(who, (now, 0))
        if now >= began + window:
            began, count = now, 0
        if count >= self.rate.requests_max:
            wait_s = (began + window - now).total_seconds()
            facts = {"retry_after_s": wait_s} if self.rate.tells_when else {}
            raise Refused(429, "too_many_requests", "Request limit exceeded.", facts=facts)
        self._windows[who] = began, count + 1

    def _count_wrong_key(self, now: datetime) -> None:
        self._wrong_keys += 1
        if self._wrong_keys >= WRONG_KEYS_MAX:
            self._locked_until = now + timedelta(seconds=LOCKED_FOR_S)
            self._wrong_keys = 0
