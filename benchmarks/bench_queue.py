"""The queue over 100,000 open reviews: the first page and a deep page of each order, ageing, and a sheet of 5,000.

The reviews are copies of one question under other pairs of records: what an order costs depends on their number, not
on what they ask.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness import Line, hub_home, show, takes_no_options
from sqlalchemy import text

from mdm.clock import now
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run, transaction
from mdm.decisions.queue_model import QueueAsked
from mdm.decisions.review_model import RANKINGS, ReviewFilter
from mdm.hub import Hub, open_hub
from mdm.jobs.review_sheet import write_sheet
from mdm.jobs.review_sheet_carrying import read_sheet
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship import queues
from mdm.stewardship.reviews import list_reviews

RECORDS, REVIEWS, ROUNDS, SHEET = 500, 100_000, 50, 5_000
PAGE_MS_MAX = 15.0  # the first page over 100,000 open reviews

_FILL = """
INSERT INTO review (id, entity_type, kind, left_id, right_id, bits, stake, staked_at, subject, state, recorded_at, who,
                    due_at)
SELECT 'rev_bench' || lpad(CAST(n AS text), 8, '0'), 'customer', 'possible_match', l.id, r.id,
       bits, round(CAST(size / (1 + power(2, -bits)) AS numeric), 3), now(), '{}', 'open',
       now() - random() * interval '100 days', 'bench', now() + random() * interval '40 days'
  FROM (SELECT row_number() OVER (ORDER BY a.id, b.id) AS n, a.id AS l_id, b.id AS r_id,
               round(CAST(random() * 12 - 4 AS numeric), 2) AS bits, 4 + random() * random() * 60 AS size
          FROM source_record a JOIN source_record b ON a.id < b.id LIMIT :reviews) AS p
  JOIN source_record l ON l.id = p.l_id JOIN source_record r ON r.id = p.r_id
    ON CONFLICT DO NOTHING
"""


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    with hub_home() as home:
        settings = Settings(home=home, pool_size=2)
        with hub_database(settings) as url:
            upgrade(url)
            with open_hub(settings, url) as hub:
                _fill(hub)
                lines = [*_pages(hub), *_figures(hub), *_sheet(hub, Path(tempfile.mkdtemp()))]
    show(f"Queue; {REVIEWS:,} open reviews, medians of {ROUNDS}", lines)


def _fill(hub: Hub) -> None:
    run(hub.engine, lambda connection: register(connection, SourceInstance("crm-a", "crm", "A"), who="bench"))
    sent = [
        Delivery(
            SourceKey("crm-a", "Account", "", str(number)),
            "customer",
            {"legal_name": f"Firm {number:x} of {number * 7919:x}", "city": f"Town {number}", "country": "DE"},
        )
        for number in range(RECORDS)
    ]
    deliver(hub, sent, who="bench")
    with transaction(hub.engine) as connection:
        connection.execute(text(_FILL), {"reviews": REVIEWS})
    with hub.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE review"))


def _pages(hub: Hub) -> list[Line]:
    lines = []
    for ranking in RANKINGS:
        first = _median_ms(lambda ranking=ranking: list_reviews(hub, ranking=ranking, limit=50))
        typed = ReviewFilter(entity_types=("customer",), bits=(-1.0, 3.0), free_for="ann")
        narrowed = _median_ms(lambda ranking=ranking, typed=typed: list_reviews(hub, typed, ranking=ranking, limit=50))
        middle = list_reviews(hub, ranking=ranking, limit=50_000)[-1].place_in(ranking)
        deep = _median_ms(
            lambda ranking=ranking, middle=middle: list_reviews(hub, ranking=ranking, after=middle, limit=50)
        )
        lines += [
            Line(f"first page, {ranking}", first, "ms", PAGE_MS_MAX),
            Line(f"first page with a filter, {ranking}", narrowed, "ms", PAGE_MS_MAX),
            Line(f"page after 50,000, {ranking}", deep, "ms", PAGE_MS_MAX),
        ]
    return lines


def _figures(hub: Hub) -> list[Line]:
    return [
        Line("ageing", _median_ms(lambda: queues.ageing(hub)), "ms"),
        Line("a day of a steward", _median_ms(lambda: queues.steward_day(hub, who="ann", day=now())), "ms"),
        Line(
            "kept queue, overdue",
            _median_ms(lambda: queues.queue_page(hub, QueueAsked(due_within_days=0), who="a")),
            "ms",
        ),
    ]


def _sheet(hub: Hub, folder: Path) -> list[Line]:
    with transaction(hub.engine) as connection:
        connection.execute(
            text("UPDATE review SET bits = 30 WHERE id IN (SELECT id FROM review ORDER BY id LIMIT :n)"), {"n": SHEET}
        )
    begun = time.perf_counter()
    write_sheet(hub, ReviewFilter(entity_types=("customer",), bits=(20.0, None)), folder / "sheet.xlsx")
    wrote = time.perf_counter()
    read_sheet(hub, folder / "sheet.xlsx", who="bench", dry_run=True)
    read = time.perf_counter()
    return [
        Line(f"sheet of {SHEET:,} rows written", wrote - begun, "s"),
        Line(f"sheet of {SHEET:,} rows read, none decided", read - wrote, "s"),
        Line("its size", (folder / "sheet.xlsx").stat().st_size / 1e6, "MB"),
    ]


def _median_ms(act: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1e3


if __name__ == "__main__":
    main()
