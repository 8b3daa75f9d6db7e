"""Keep every principal within its rates, in all processes together.

A bucket is one row of the database. A process takes a share of it for about a second, spends that in memory and gives
back what is left when it takes the next: one statement a second for each principal, rate and process, a few more while
a burst begins or a bucket runs empty. Tokens leave the bucket before they are spent, so that all processes together
never spend more than it held. The price is the other way round: a caller may be refused while another process holds a
share for it, at most a quarter of the bucket.

Where the buckets cannot be asked, what changes something is refused; reads go on, each process letting through what the
rate refills in a second.
"""

import time
from asyncio import Future, ensure_future, shield
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, Final

import psycopg
import psycopg_pool
from psycopg import AsyncConnection
from sqlalchemy import Connection

from mdm.access import rates_store
from mdm.access.model import Principal
from mdm.access.rates_model import GUARDED, RATE_NAMES, UNITS, Rate, RateName, Standing
from mdm.errors import DatabaseUnavailable, RateExceeded, TooLarge
from mdm.settings import Settings
from mdm.telemetry import RATES_EXCEEDED, logger

LEASE_S: Final = 1.0  # chosen: short for whoever waits for tokens, long beside the millisecond that a statement takes
_AHEAD: Final = 2  # chosen: a burst that doubles within a second finds its tokens
_PACE_S_MIN: Final = 0.01  # chosen: a pace is not reckoned from less
_SHARES_MAX: Final = 20_000  # chosen: more callers than any installation has at once; beyond it all begin anew
FORGOTTEN_AFTER: Final = timedelta(days=1)  # longer than any window: the bucket is full by then

_LOG: Final = logger("mdm.rates")
_FAILURES: Final = (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed)

Lease = tuple[int, float]
Question = Callable[[AsyncConnection[Any]], Awaitable[Lease]]
Ask = Callable[[Question], Awaitable[Lease]]
"""Runs a question on a connection that commits by itself."""


@dataclass(slots=True)
class _Share:
    """What this process holds of one bucket.

    leased, left  tokens taken from the bucket, and those of them that are not spent
    rest          tokens that stayed in the bucket, as far as this process knows
    began_at      when, and ends_at until when, by the process's own clock, which runs evenly
    is_failing    the bucket could not be asked
    """

    rate: Rate
    leased: int = 0
    left: int = 0
    rest: float = 0.0
    began_at: float = 0.0
    ends_at: float = 0.0
    more_after_s: int = 1
    is_failing: bool = False

    def wanted(self) -> int:
        """Tell how many tokens the next second may need: what is refilled in it, or what a growing pace asks."""
        pace_s = (self.leased - self.left) / max(time.monotonic() - self.began_at, _PACE_S_MIN)
        return max(self.refill, ceil(pace_s * LEASE_S * _AHEAD))

    @property
    def refill(self) -> int:
        """Tell how many tokens come back while a share lasts, at least one."""
        return ceil(self.rate.per_s * LEASE_S)

    def begin(self, leased: int, rest: float, *, is_failing: bool = False) -> None:
        """Hold what was taken, for a while from now on: it is spent already where the bucket is concerned."""
        self.leased = self.left = leased
        self.rest = rest
        self.began_at = time.monotonic()
        self.ends_at = self.began_at + LEASE_S
        self.more_after_s = self.rate.wait_s(1 - rest % 1)
        self.is_failing = is_failing


class Limiter:
    """The shares that one process holds; all of it runs in one event loop."""

    def __init__(self, standard: Mapping[RateName, Rate]) -> None:
        """Hold those without rates of their own to the standard ones."""
        self._standard = standard
        self._shares: dict[tuple[str, RateName], _Share] = {}
        self._asking: dict[tuple[str, RateName], Future[None]] = {}

    def spend(self, principal: Principal, name: RateName, cost: int = 1) -> Standing | None:
        """Spend from memory; None means ask `admit`, not that the request is refused."""
        share = self._shares.get((principal.id, name))
        if share is None or share.left < cost or time.monotonic() >= share.ends_at:
            return None
        share.left -= cost
        return Standing(name, share.rate, share.left + int(share.rest), share.more_after_s)

    def standing(self, principal: Principal, name: RateName) -> Standing:
        """Tell what a principal has left as far as this process knows."""
        share = self._share(principal, name)
        return Standing(name, share.rate, share.left + int(share.rest), share.more_after_s)

    async def admit(self, principal: Principal, name: RateName, cost: int, ask: Ask) -> Standing:
        """Spend, from the bucket where memory does not do.

        Raises RateExceeded, TooLarge for what costs more than the whole quota, and DatabaseUnavailable for a change
        while the bucket cannot be asked.
        """
        key = (principal.id, name)
        share = self._share(principal, name)
        rate = share.rate
        if cost > rate.quota:
            raise TooLarge(
                f"{cost:,} {UNITS[name]} in one request, and {rate.quota:,} in {rate.window_s} s are allowed",
                remedy="send them in several requests, or ask an administrator for a higher rate",
            )
        while (standing := self.spend(principal, name, cost)) is None:
            asking = self._asking.get(key)
            if asking is None:
                if time.monotonic() < share.ends_at and (share.is_failing or share.left + share.rest < cost):
                    raise _refusal(name, share, cost)
                asking = self._asking[key] = ensure_future(_renew(key, share, cost, ask))
                asking.add_done_callback(lambda _: self._asking.pop(key))
            await shield(asking)
        return standing

    def _share(self, principal: Principal, name: RateName) -> _Share:
        share = self._shares.get((principal.id, name))
        if share is None:
            if len(self._shares) >= _SHARES_MAX:
                self._shares.clear()
            rate = dict(principal.rates).get(name, self._standard[name])
            share = self._shares[principal.id, name] = _Share(rate)
        return share


def limiter_of(settings: Settings) -> Limiter:
    """Make a limiter with the standard rates of the settings."""
    printed = (settings.rate_read, settings.rate_write, settings.rate_bulk_read, settings.rate_bulk_write)
    return Limiter({name: Rate.parse(rate) for name, rate in zip(RATE_NAMES, printed, strict=True)})


def forget_buckets(connection: Connection) -> int:
    """Delete the buckets that are full again since nobody asked; returns how many."""
    return rates_store.forget_buckets(connection, older_than=FORGOTTEN_AFTER)


async def _renew(key: tuple[str, RateName], share: _Share, cost: int, ask: Ask) -> None:
    who, name = key
    wanted, returned = share.wanted(), share.left
    share.left = 0  # whoever comes meanwhile waits for the answer
    try:
        leased, rest = await ask(
            lambda connection: rates_store.lease(
                connection, who, (name, share.rate), cost=cost, wanted=wanted, returned=returned
            )
        )
    except _FAILURES as error:
        _LOG.warning("rates cannot be asked", key_id=who, rate=name, reason=type(error).__name__)
        share.begin(0 if name in GUARDED else share.refill, 0.0, is_failing=True)
        return
    share.begin(leased, rest)


def _refusal(name: RateName, share: _Share, cost: int) -> Exception:
    if share.is_failing and name in GUARDED:
        return DatabaseUnavailable(
            "what callers have asked cannot be counted", remedy="send the request again", retry_after_s=LEASE_S
        )
    RATES_EXCEEDED.labels(name).inc()
    rate = share.rate
    left = f", {share.left + int(share.rest):,} are left and {cost:,} asked" if cost > 1 else ""
    return RateExceeded(
        f"{rate.quota:,} {UNITS[name]} in {rate.window_s} s are allowed{left}",
        rate=name,
        retry_after_s=rate.wait_s(cost - share.left - share.rest),
    )
