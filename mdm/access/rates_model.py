"""How much a principal may ask in how many seconds, as values. Pure.

A rate is a bucket of `quota` tokens that is filled again evenly within `window_s` seconds: a caller may use the whole
quota at once, and then goes on at the pace of the refill. It is printed `6000/60`, one of a key's own `read=6000/60`.

Every request costs a token of `read` or `write`. One that carries many keys or records costs besides one of `bulk_read`
or `bulk_write` for each of them.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from mdm.errors import InputInvalid

RateName = Literal["read", "write", "bulk_read", "bulk_write"]

RATE_NAMES: Final[tuple[RateName, ...]] = get_args(RateName)
# What must not happen uncounted: where the buckets cannot be asked, requests of these are refused.
GUARDED: Final[frozenset[RateName]] = frozenset({"write", "bulk_write"})
UNITS: Final[Mapping[RateName, str]] = {
    "read": "requests",
    "write": "requests",
    "bulk_read": "keys",
    "bulk_write": "records",
}
# Chosen: a thousand million tokens are no limit; a window of two hours and three quarters is the longest to wait for.
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many tokens in so many seconds."""

    quota: int
    window_s: int

    @classmethod
    def parse(cls, printed: str) -> Self:
        """Read the printed form; raises InputInvalid."""
        found = _RATE.fullmatch(printed)
        if found is None:
            raise InputInvalid(
                f"{printed[:40]!r} is not a rate",
                remedy="write how many in how many seconds, as 6000/60",
                field="rates",
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Print the form that `parse` reads."""
        return f"{self.quota}/{self.window_s}"

    @property
    def per_s(self) -> float:
        """Tell how many tokens come back each second."""
        return self.quota / self.window_s

    def wait_s(self, missing: float) -> int:
        """Tell after how many whole seconds so many more tokens are there; never less than one."""
        return max(1, math.ceil(missing / self.per_s))


OwnRates = tuple[tuple[RateName, Rate], ...]
"""The rates that a key has of its own, in the order of RATE_NAMES."""


def parse_own_rates(printed: Iterable[str]) -> OwnRates:
    """Read a key's own rates, each name at most once; raises InputInvalid."""
    found: dict[RateName, Rate] = {}
    for one in printed:
        name, _, rate = one.partition("=")
        if name not in RATE_NAMES or name in found:
            raise InputInvalid(
                f"{one[:60]!r} names no rate, or one that was named before",
                remedy=f"write each of {', '.join(RATE_NAMES)} at most once, as read=6000/60",
                field="rates",
            )
        found[name] = Rate.parse(rate)
    return tuple((name, found[name]) for name in RATE_NAMES if name in found)


def print_own_rates(rates: OwnRates) -> list[str]:
    """Print the form that `parse_own_rates` reads."""
    return [f"{name}={rate}" for name, rate in rates]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a principal has left of a rate.

    remaining     tokens, whole ones
    more_after_s  seconds until there is at least one more
    """

    name: RateName
    rate: Rate
    remaining: int
    more_after_s: int
