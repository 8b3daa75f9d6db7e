"""The review card on many golden records: statements, wall and processor time of one card, and of its choices.

`--golden` says how many golden records, two source records each. Some hundred of them get a third record that may be
the same client, along the real path (`filled.py`); each is a question, and the card of each is read in turn. On a
machine that others use, only processor time and statements are to be trusted.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from fill import SOURCES
from filled import ask, filled_hub
from harness import Line, cpu_s, show
from sqlalchemy import event, text

from mdm.decisions.review_model import Review
from mdm.hub import Hub
from mdm.stewardship.card import review_card
from mdm.stewardship.card_model import Pick
from mdm.stewardship.dealing import rehearse_card

CARD_MS = 12.0  # of the 15 ms that the review page may take
ROUNDS = 3
REHEARSALS = 50


class Watch:
    """Wall and processor time of calls, and the statements that they sent; the hub has one connection only."""

    def __init__(self, hub: Hub) -> None:
        """Begin to count statements."""
        with hub.engine.connect() as connection:
            self.session_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        self.database_s = 0.0
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.statements: list[int] = []
        self._sent = 0
        event.listen(hub.engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self._sent += 1

    def call(self, act: Any, *given: Any, **named: Any) -> None:
        """Do something and note what it took."""
        sent, database = self._sent, cpu_s(self.session_id)
        cpu, wall = time.thread_time(), time.perf_counter()
        act(*given, **named)
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.thread_time() - cpu)
        self.database_s += cpu_s(self.session_id) - database
        self.statements.append(self._sent - sent)

    def lines(self, name: str, target: float | None = None) -> list[Line]:
        """Tell it as figures."""
        p95 = quantiles(self.wall, n=20)[-1] * 1e3
        return [
            Line(f"{name}, median", median(self.wall) * 1e3, "ms", target),
            Line(f"{name}, p95", p95, "ms"),
            Line(f"{name}, processor time of the hub", median(self.cpu) * 1e3, "ms"),
            Line(f"{name}, processor time of the database", self.database_s / len(self.wall) * 1e3, "ms"),
            Line(f"{name}, most statements", max(self.statements), ""),
        ]


def measured(hub: Hub, reviews: Sequence[Review]) -> list[Line]:
    """Read the card of each question, with and without a choice, and rehearse some merges."""
    for review in reviews[:20]:
        review_card(hub, review.id, who="bench")  # plans and caches
    cards, chosen, rehearsed = Watch(hub), Watch(hub), Watch(hub)
    for _ in range(ROUNDS):
        for review in reviews:
            cards.call(review_card, hub, review.id, who="bench")
            chosen.call(review_card, hub, review.id, choices={"legal_name": Pick(1)}, who="bench")
    for review in reviews[:REHEARSALS]:
        rehearsed.call(rehearse_card, hub, review.id, who="bench")
    return [
        *cards.lines("card", CARD_MS),
        *chosen.lines("card with a choice"),
        *rehearsed.lines("rehearsal of the merge"),
    ]


def main() -> None:
    """Fill, ask, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=100_000)
    parser.add_argument("--reviews", type=int, default=200)
    parser.add_argument("--home", type=Path, help="keep the hub here, and use what is there")
    options = parser.parse_args()
    with filled_hub(options.golden, home=options.home) as (hub, _):
        lines = measured(hub, ask(hub, options.reviews))
    show(f"Review card, {options.golden:,} golden records of {len(SOURCES)} records each", lines)


if __name__ == "__main__":
    main()
