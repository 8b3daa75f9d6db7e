"""What a fake does wrong, and when: faults by plan, seeded, or one by one from a script.

A fault spoils the answer. `is_done` says whether the work was done all the same: both are met in the field, and only
the second shows whether a client that asks again makes a twin. `MISBEHAVIOUR` names the whole matrix.
"""

import random
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

# answer     another status in place of the answer, with a small body of its own
# page       as answer, with a long page of HTML
# hang       no answer, the connection stays open
# slow_body  the true answer, a byte at a time
# drop       the connection ends without an answer
# half       half of the true answer, then the connection ends
# twice      the true answer, two times over
# wrong_id   the true answer, with another record's id
# misrouted  the true answer, with another request's id
FaultKind = Literal["answer", "page", "hang", "slow_body", "drop", "half", "twice", "wrong_id", "misrouted"]

PAGE_LENGTH: Final = 10_000_000  # bytes of a page, as reliability asks for
PAUSE_S: Final = 0.1  # chosen: between two bytes, below any time-out of a read


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave; the name stands in the journal.

    status         of an answer or a page
    retry_after_s  what the Retry-After of an answer says
    location       what the Location of an answer says
    """

    name: str
    kind: FaultKind
    is_done: bool = False
    status: int = 0
    retry_after_s: int | None = None
    location: str = ""

    def done(self) -> "Fault":
        """Return the same fault with the work done."""
        return replace(self, is_done=True, name=f"{self.name}_done")


THROTTLED: Final = Fault("throttled", "answer", status=429)
THROTTLED_FOR_7_S: Final = Fault("throttled_for_7_s", "answer", status=429, retry_after_s=7)
FAILING: Final = Fault("failing", "answer", status=500)
OVERLOADED: Final = Fault("overloaded", "answer", status=503)
HANG: Final = Fault("hang", "hang")
SLOW_BODY: Final = Fault("slow_body", "slow_body", is_done=True)
DROP: Final = Fault("drop", "drop")
DONE_THEN_DROP: Final = Fault("done_then_drop", "drop", is_done=True)
HALF_AN_ANSWER: Final = Fault("half_an_answer", "half", is_done=True)
ANSWER_TWICE: Final = Fault("answer_twice", "twice", is_done=True)
WRONG_ID: Final = Fault("wrong_id", "wrong_id", is_done=True)
MISROUTED: Final = Fault("misrouted", "misrouted", is_done=True)
SCHEMA_ERROR: Final = Fault("schema_error", "answer", status=422)
REDIRECT: Final = Fault("redirect", "answer", status=302, location="/elsewhere")
GONE: Final = Fault("gone", "answer", status=410)
LONG_PAGE: Final = Fault("long_page", "page", status=500)

MISBEHAVIOUR: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            *(THROTTLED, THROTTLED_FOR_7_S, FAILING, FAILING.done(), OVERLOADED, HANG, HANG.done(), SLOW_BODY),
            *(DROP, DONE_THEN_DROP, HALF_AN_ANSWER, ANSWER_TWICE, WRONG_ID, MISROUTED, SCHEMA_ERROR, REDIRECT),
            *(GONE, LONG_PAGE, LONG_PAGE.done()),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Aim:
    """Which requests a fault is meant for; what is left empty is any.

    key  native id or external id of the record
    """

    method: str = ""
    object: str = ""
    key: str = ""

    def takes(self, method: str, object_: str, keys: Iterable[str]) -> bool:
        """Tell whether a request is meant."""
        return self.method in {"", method} and self.object in {"", object_} and (not self.key or self.key in keys)


@dataclass(slots=True)
class _Plan:
    fault: Fault
    aim: Aim
    probability: float
    left: int | None


class Faults:
    """The plan of one fake: the script comes first, then the first plan that meets the request and its chance."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self._script: deque[Fault | None] = deque()
        self._plans: list[_Plan] = []

    def plan(self, fault: Fault, aim: Aim | None = None, *, times: int | None = None, probability: float = 1) -> None:
        """Let a fault act on the requests that it is aimed at, so many times or for ever, with a probability."""
        with self._lock:
            self._plans.append(_Plan(fault, aim or Aim(), probability, times))

    def script(self, *faults: Fault | None) -> None:
        """Say what happens to the next requests, one by one; None lets one through."""
        with self._lock:
            self._script.extend(faults)

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._script.clear()
            self._plans.clear()

    def next_for(self, method: str, object_: str, keys: Iterable[str]) -> Fault | None:
        """Take the fault that acts on a request."""
        keys = tuple(keys)
        with self._lock:
            if self._script:
                return self._script.popleft()
            for plan in self._plans:
                if plan.left == 0 or not plan.aim.takes(method, object_, keys):
                    continue
                if plan.probability < 1 and self._chance.random() >= plan.probability:
                    continue
                if plan.left is not None:
                    plan.left -= 1
                return plan.fault
        return None
