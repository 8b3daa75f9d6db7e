"""What a request costs, and the headers that tell its caller what is left: RateLimit and RateLimit-Policy.

They follow draft-ietf-httpapi-ratelimit-headers-10 and stand on every answer to somebody known, refusals too; the edge
sends what is kept in the scope.
"""

from functools import lru_cache
from typing import Any, Final

from starlette.types import Scope

from api.access_table import Access
from api.dependencies import Opened
from mdm.access.model import Principal
from mdm.access.rates_model import UNITS, Rate, RateName, Standing
from mdm.errors import RateExceeded

_KEPT_MAX: Final = 1_000  # chosen: more rates than keys have


async def charge(scope: Scope, opened: Opened, principal: Principal, access: Access) -> None:
    """Take what any request costs, before its body is read; raises RateExceeded."""
    name: RateName = "write" if access.is_unsafe else "read"
    standing = opened.limiter.spend(principal, name)
    if standing is None:
        standing = await _admit(scope, opened, principal, name, 1)
    _tell(scope, standing)


async def charge_entries(scope: Scope, opened: Opened, principal: Principal, access: Access, document: Any) -> None:
    """Take what the entries of a bulk request cost besides; raises RateExceeded and TooLarge."""
    entries = document.get(access.counted) if access.counted and isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        return
    name: RateName = "bulk_write" if access.is_unsafe else "bulk_read"
    _tell(scope, await _admit(scope, opened, principal, name, len(entries)))


async def _admit(scope: Scope, opened: Opened, principal: Principal, name: RateName, cost: int) -> Standing:
    try:
        return await opened.limiter.admit(principal, name, cost, opened.ask)
    except RateExceeded:
        _tell(scope, opened.limiter.standing(principal, name))
        raise


def _tell(scope: Scope, standing: Standing) -> None:
    policy, limit = _written(standing.name, standing.rate)
    entry = limit % (standing.remaining, standing.more_after_s)
    told = scope.get("mdm.rates")
    if told is not None:  # a bulk request is under two rates
        policy, entry = told[0][1] + b", " + policy, told[1][1] + b", " + entry
    scope["mdm.rates"] = [(b"ratelimit-policy", policy), (b"ratelimit", entry)]


@lru_cache(_KEPT_MAX)
def _written(name: RateName, rate: Rate) -> tuple[bytes, bytes]:
    """Write the entry of the policy, and that of the limit but for its numbers."""
    unit = "" if UNITS[name] == "requests" else f';mdm-unit="{UNITS[name]}"'
    policy = f'"{name}";q={rate.quota};w={rate.window_s}{unit}'.encode()
    return policy, f'"{name}";r=%d;t=%d'.encode()
