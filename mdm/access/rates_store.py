"""SQL of rates: one statement that refills a bucket and takes a share of it, on psycopg as the hot reads are."""

from datetime import timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from sqlalchemy import Connection, delete, func

from mdm.access.rates_model import Rate, RateName
from mdm.access.tables import rate_bucket

# Of what is there a process takes what its request costs, or what it wants for the next second, yet not more than a
# quarter: others want theirs. Where there is less than the request costs, cheaper ones may still want some.
_TAKE: Final = """CASE WHEN s.level >= %(cost)s::double precision
            THEN greatest(%(cost)s::double precision, least(%(wanted)s::double precision, floor(s.level / 4)))
            ELSE floor(least(%(wanted)s::double precision, s.level / 4)) END"""

# A bucket that was never asked is full. The clock is the database's; set back, it refills nothing until it is over.
_LEASE: Final = f"""
INSERT INTO rate_bucket AS b (who, rate, tokens, leased, recorded_at)
SELECT %(who)s, %(rate)s, t.level - t.leased, t.leased, clock_timestamp()
  FROM (SELECT s.level, {_TAKE} AS leased FROM (SELECT %(quota)s::double precision AS level) AS s) AS t
    ON CONFLICT (who, rate) DO UPDATE SET (tokens, leased, recorded_at) = (
SELECT t.level - t.leased, t.leased, t.instant
  FROM (SELECT s.level, s.instant, {_TAKE} AS leased
          FROM (SELECT least(%(quota)s::double precision, b.tokens + %(returned)s::double precision
                             + %(per_s)s * greatest(0, EXTRACT(epoch FROM c.instant - b.recorded_at))) AS level,
                       greatest(c.instant, b.recorded_at) AS instant
                  FROM (SELECT clock_timestamp() AS instant) AS c) AS s) AS t)
RETURNING leased, tokens"""


async def lease(
    connection: AsyncConnection[Any], who: str, rate: tuple[RateName, Rate], *, cost: int, wanted: int, returned: int
) -> tuple[int, float]:
    """Give back the rest of the last share and take the next; tells its tokens and those that stay in the bucket."""
    name, bound = rate
    named = {"who": who, "rate": name, "quota": bound.quota, "per_s": bound.per_s}
    cursor = await connection.execute(_LEASE, {**named, "cost": cost, "wanted": wanted, "returned": returned})
    row = await cursor.fetchone()
    assert row is not None, "an upsert returns its row"
    return int(row[0]), float(row[1])


def forget_buckets(connection: Connection, *, older_than: timedelta) -> int:
    """Delete buckets that nobody asked for so long that they are full again; returns how many."""
    return connection.execute(
        delete(rate_bucket).where(rate_bucket.c.recorded_at < func.clock_timestamp() - older_than)
    ).rowcount
